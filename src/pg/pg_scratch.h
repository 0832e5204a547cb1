/*
 * Databases of our own, to measure in: made beside what a server holds, under names that nobody
 * else has, and dropped again. Each call connects anew: between two of them minutes may pass, which
 * not every server lets a session idle.
 */
#ifndef CM_PG_PG_SCRATCH_H
#define CM_PG_PG_SCRATCH_H

#include "pg/pg_conn.h"

#define CM_PG_SCRATCH_PREFIX_BYTES 36
#define CM_PG_SCRATCH_NAME_BYTES 48

/** Which of them. */
typedef enum cm_pg_scratch_part {
    CM_PG_SCRATCH_FOUND,     /* as found, migrated */
    CM_PG_SCRATCH_OPTIMIZED, /* the same after `migrate --optimize` */
    CM_PG_SCRATCH_ROUND,     /* a copy of one of the others, to work on */
} cm_pg_scratch_part;
#define CM_PG_SCRATCH_PART_COUNT 3

/** Zero-initialised has none. One thread. */
typedef struct cm_pg_scratch {
    cm_pg_options options;                   /* of a database that is there; borrowed */
    char prefix[CM_PG_SCRATCH_PREFIX_BYTES]; /* of all names */
    char names[CM_PG_SCRATCH_PART_COUNT][CM_PG_SCRATCH_NAME_BYTES];
    bool made[CM_PG_SCRATCH_PART_COUNT]; /* or perhaps made: what is to be dropped */
} cm_pg_scratch;

/**
 * Prepare; nothing is made yet. Refused where the role may not make databases.
 *
 * @param token    in the names: a random number
 * @param options  borrowed until the last call
 * @return CM_OK; CM_ERROR_DATABASE and others as of cm_pg_open
 */
cm_status cm_pg_scratch_init(const cm_pg_options *options, uint64_t token, cm_pg_scratch *scratch,
                             cm_error *error);

/** Make an empty database. Errors as of cm_pg_open and cm_pg_run, here and below. */
cm_status cm_pg_scratch_make(cm_pg_scratch *scratch, cm_pg_scratch_part part, cm_error *error);

/** Make a copy of another one, in place of what there was. Nobody may be connected to either. What
 * was changed before is on disk then. */
cm_status cm_pg_scratch_copy(cm_pg_scratch *scratch, cm_pg_scratch_part from, cm_pg_scratch_part to,
                             cm_error *error);

/** Where to connect for one of them. */
cm_pg_options cm_pg_scratch_options(const cm_pg_scratch *scratch, cm_pg_scratch_part part);

/** Bring all changes of the server to disk; done receives false where the role may not. */
cm_status cm_pg_scratch_checkpoint(const cm_pg_scratch *scratch, bool *done, cm_error *error);

/** Drop all that were made, with those who are connected to them; an interrupt does not stop it.
 * The error says how to find what could not be dropped. */
cm_status cm_pg_scratch_drop(cm_pg_scratch *scratch, cm_error *error);

#endif
