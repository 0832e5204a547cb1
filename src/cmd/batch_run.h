/*
 * `batch` without its command line: clicks and conversions of a period out of PostgreSQL, matched,
 * and the results that change back into it, in one transaction.
 */
#ifndef CM_CMD_BATCH_RUN_H
#define CM_CMD_BATCH_RUN_H

#include <stdatomic.h>

#include "engine/pipeline.h"
#include "model/pii.h"

struct cm_pg;

/** What a run does, in order. */
typedef enum cm_batch_phase {
    CM_BATCH_CONNECT,
    CM_BATCH_LOAD,    /* clicks */
    CM_BATCH_MATCH,   /* conversions: read, match, write to staging */
    CM_BATCH_COMPARE, /* with a challenger only */
    CM_BATCH_PROMOTE,
} cm_batch_phase;
#define CM_BATCH_PHASE_COUNT 5

/** What to run. Zero means the default where one is named. */
typedef struct cm_batch_config {
    const char *conninfo;   /* default: libpq's environment */
    const char *database;   /* default: that of conninfo */
    const char *schema;     /* default: public */
    int64_t from_us, to_us; /* conversion times, microseconds since 1970 UTC; to is not included */
    const char *const *tenants; /* default: all */
    size_t tenant_count;
    bool only_unattributed;         /* of the conversions those without a click */
    bool dry_run;                   /* everything but the writing */
    bool allow_superuser;           /* a login above row security will do */
    cm_build_options build;         /* of records */
    bool for_stream;                /* clicks with their campaigns and without their UUIDs */
    const cm_model *model;          /* borrowed; default: the default model */
    const cm_model *challenger;     /* borrowed; matched by beside it; default: none */
    struct cm_challenge *challenge; /* receives how the two differ; only with a challenger */
    double mask_share;              /* of its labelled conversions are made organic */
    cm_load_limits *limits;         /* of the clicks; borrowed; default: none */
    bool all_or_none;               /* where not all have room, limits->over says so, and no more */
    unsigned threads;               /* default: all cores; more than pay off are not used */
    uint64_t hash_seed;
    const char *started_by;       /* default: the database user */
    int64_t now_us;               /* attributed_at */
    const atomic_bool *interrupt; /* raised: stop; may be NULL */
    void *context;                /* of the callbacks, each of which may be NULL */
    /** A rejected row: its line is its number among those read by its connection, its text a JSON
     * object as in NDJSON files. A failure ends the run. */
    cm_status (*on_reject)(void *context, cm_row_kind kind, const cm_reject_line *reject,
                           cm_error *error);
    /** A table has been read. The place for a limit on rejects: a failure ends the run. */
    cm_status (*on_table_end)(void *context, cm_row_kind kind, const char *table,
                              const cm_source_counts *counts, cm_error *error);
    void (*on_progress)(void *context, cm_batch_phase phase, uint64_t rows); /* rows done so far */
} cm_batch_config;

/** What a run did. On failure, as far as it got. */
typedef struct cm_batch_report {
    char job[37];  /* id of its row in attribution_recompute_jobs; "" in a dry run */
    int run_count; /* of the job, this run included */
    cm_source_counts clicks, conversions;
    cm_match_counts matched;
    uint64_t changed;  /* conversions written; in a dry run: that would be */
    uint64_t vanished; /* conversions left as they were: their click was deleted meanwhile */
    size_t engine_clicks, engine_bytes;
    double seconds[CM_BATCH_PHASE_COUNT];
} cm_batch_report;

/**
 * Run a batch. The tables are changed by its last transaction or not at all; running it again
 * changes nothing but the job's row. Callbacks may come from other threads, one at a time.
 *
 * @return CM_OK; what a callback returned; CM_ERROR_DATABASE (also: a run over
 * an overlapping period is under way, the schema's version is another); CM_ERROR_INTERRUPTED;
 *         CM_ERROR_USAGE (the connection string); CM_ERROR_MEMORY, CM_ERROR_CAPACITY,
 *         CM_ERROR_FORMAT
 */
cm_status cm_batch_run(const cm_batch_config *config, cm_batch_report *report, cm_error *error);

/**
 * Load the clicks that can still be found: by conversions from a while before the newest click on.
 *
 * @param config   its period is not asked for
 * @param back_us  how long that while is
 * @param engine   receives them; after a failure it is good only for being destroyed
 * @param report   receives what was read
 * @return as cm_batch_run
 */
cm_status cm_batch_load_window(const cm_batch_config *config, int64_t back_us, cm_engine *engine,
                               cm_batch_report *report, cm_error *error);

/**
 * Load the clicks that conversions of the period can find, within the open transaction of a
 * connection.
 *
 * @param config  its connection is not asked for
 * @param engine  as of cm_batch_load_window; with all_or_none good only for being destroyed where
 *                config->limits->over is raised
 * @return as cm_batch_run
 */
cm_status cm_batch_load_within(const cm_batch_config *config, struct cm_pg *pg, cm_engine *engine,
                               cm_error *error);

#endif
