/*
 * `retry` without its command line: dead events fed in again, a few thousand in a transaction with
 * what comes of them. Clicks go first, so that conversions find them.
 */
#ifndef CM_CMD_RETRY_RUN_H
#define CM_CMD_RETRY_RUN_H

#include "engine/pipeline.h"
#include "pg/pg_retry.h"

/** What to run. */
typedef struct cm_retry_config {
    const char *schema; /* NULL: "public" */
    const cm_pg_retry_values *values;
    const cm_model *model;
    cm_build_options build; /* of records */
    bool dry_run;           /* everything but the writing */
    cm_load_limits limits;  /* of the clicks that are loaded at a time */
    unsigned threads;
    uint64_t hash_seed;
    void *context;
    void (*on_progress)(void *context, uint64_t events);
} cm_retry_config;

/** Clicks that had no room, of the conversions that lost most: others may lose the same ones. */
typedef struct cm_retry_left_out {
    uint64_t clicks; /* older than */
    int64_t from_us;
} cm_retry_left_out;

static inline void cm_retry_left_out_most(cm_retry_left_out *most, const cm_retry_left_out *other)
{
    if (other->clicks > most->clicks)
        *most = *other;
}

/** What came of it: of transactions that are committed. */
typedef struct cm_retry_report {
    uint64_t taken;
    uint64_t resolved, failed, ignored;
    uint64_t left; /* another one of the same conversion came before, and failed */
    cm_match_counts matched;
    cm_retry_left_out left_out;
} cm_retry_report;

/**
 * Feed in again what is due.
 *
 * @param pg  open; receives the staging tables of a sink
 * @return CM_OK; CM_ERROR_DATABASE, CM_ERROR_INTERRUPTED: what is in the report is done, the rest
 *         is as it was; CM_ERROR_MEMORY, CM_ERROR_CAPACITY, CM_ERROR_FORMAT
 */
cm_status cm_retry_run(const cm_retry_config *config, cm_pg *pg, cm_retry_report *report,
                       cm_error *error);

#endif
