/*
 * A table read side by side: each connection has a thread of its own, which takes one part of the
 * table after the other, and of a part one block of rows after the other.
 */
#ifndef CM_CMD_BATCH_READ_H
#define CM_CMD_BATCH_READ_H

#include <pthread.h>

#include "cmd/batch_state.h"
#include "util/arena.h"

struct cm_batch_reading;

/** What one thread has of a reading. The first member of what a reader needs besides. */
typedef struct cm_batch_share {
    struct cm_batch_reading *all;
    unsigned reader;
    uint64_t rows;                        /* read by this connection */
    uint64_t lenient[CM_FIELD_COUNT_MAX]; /* malformed optional fields taken as missing */
    cm_arena arena;                       /* for the rows of a block */
    cm_status status;
    cm_error error;
} cm_batch_share;

/** A table to read, and what is done with its rows. */
typedef struct cm_batch_reading {
    cm_batch *batch;
    cm_row_kind kind;
    bool is_again; /* the table was read before: nothing of it is counted or told once more */
    /** Take a row; its values hold until the block is taken. */
    cm_status (*take_row)(cm_batch_share *share, const cm_pg_row *row);
    /** Take the block that the rows since the last one make. */
    cm_status (*take_block)(cm_batch_share *share);
    /** Once, at the end or after a failure within a block, by the share's thread. May be NULL. */
    void (*leave)(cm_batch_share *share);

    /* What follows is set by cm_batch_read. */
    pthread_mutex_t lock; /* of the engine, the staging table, the report and the callbacks */
    cm_pg_parts parts;
    atomic_uint next_part;
    atomic_bool failed;
} cm_batch_reading;

/**
 * Read the table.
 *
 * @param shares  one for each connection, zero-initialised
 * @return the first failure of a reader, CM_OK where there is none
 */
cm_status cm_batch_read(cm_batch_reading *reading, cm_batch_share *const *shares, cm_error *error);

/** Refuse a row, with the failure in the share. */
cm_status cm_batch_share_refuse(cm_batch_share *share, const cm_pg_row *row,
                                const cm_reject *reject);

/** Count rows of the table as read, and tell. Under the lock. */
void cm_batch_share_count(const cm_batch_share *share, uint64_t rows, cm_batch_phase phase);

#endif
