#include "cmd/bench_base.h"

#include "cmd/clock.h"
#include "cmd/interrupt.h"
#include "cmd/migrate_run.h"
#include "cmd/run.h"
#include "pg/pg_floor.h"
#include "pg/pg_found.h"
#include "util/error.h"
#include "util/time.h"

/* ---- where ---- */

bool cm_bench_base_is_given(const cm_settings *settings)
{
    return cm_settings_text(settings, CM_OPTION_BENCH_DB) != NULL;
}

static cm_status init(const cm_settings *settings, cm_pg_scratch *scratch, cm_error *error)
{
    const cm_pg_options options = {.conninfo = cm_settings_text(settings, CM_OPTION_BENCH_DB),
                                   .schema = cm_settings_text(settings, CM_OPTION_SCHEMA),
                                   .interrupt = cm_interrupt_flag()};
    uint64_t token;
    cm_status status = cm_run_random(&token, error);
    return status == CM_OK ? cm_pg_scratch_init(&options, token, scratch, error) : status;
}

cm_status cm_bench_base_check(const cm_settings *settings, cm_error *error)
{
    cm_pg_scratch scratch;
    return init(settings, &scratch, error);
}

cm_status cm_bench_base_open(const cm_bench_base *base, cm_pg_scratch_part part, cm_pg *pg,
                             cm_error *error)
{
    const cm_pg_options options = cm_pg_scratch_options(&base->scratch, part);
    return cm_pg_open(&options, pg, error);
}

/* ---- the world ---- */

/* Rows on their way from the simulator into a table. */
struct load {
    const cm_bench_base *base;
    cm_pg *pg;
    cm_row_kind kind;
};

static cm_status write_rows(void *context, const char *bytes, size_t size, cm_error *error)
{
    struct load *load = context;
    cm_status status = cm_bench_go_on(error);
    return status == CM_OK ? cm_pg_found_write(load->pg, bytes, size, error) : status;
}

static cm_status simulate(void *context, cm_error *error)
{
    const struct load *load = context;
    const cm_bench_sizes *sizes = &load->base->bench->sizes;
    const cm_sim_sink sink = {write_rows, context};
    cm_sim_sinks sinks = {0};
    cm_sim_config config;
    cm_sim_config_default(&config);
    config.seed = sizes->seed;
    config.click_count = sizes->batch_clicks;
    config.conversion_count = sizes->batch_conversions;
    config.days = sizes->batch_days;
    config.start_us = load->base->from_us;
    config.threads = sizes->threads;
    *(load->kind == CM_ROW_CLICK ? &sinks.clicks : &sinks.conversions) = sink;
    return cm_sim_run(&config, &sinks, error);
}

static cm_status load_rows(const cm_bench_base *base, cm_pg *pg, cm_row_kind kind, cm_error *error)
{
    struct load load = {base, pg, kind};
    return cm_pg_found_load(pg, kind, simulate, &load, error);
}

/* ---- the databases ---- */

static void ignore_step(void *context, const cm_pg_step *step)
{
    (void)context;
    (void)step;
}

static cm_status migrate(const cm_bench_base *base, cm_pg_scratch_part part, bool optimize,
                         cm_error *error)
{
    const cm_pg_options options = cm_pg_scratch_options(&base->scratch, part);
    const cm_migrate_config config = {.conninfo = options.conninfo,
                                      .database = options.database,
                                      .schema = options.schema,
                                      .interrupt = options.interrupt,
                                      .optimize = optimize,
                                      .listener = {ignore_step, NULL},
                                      .leave_roles = true};
    cm_migrate_report report;
    return cm_migrate_run(&config, &report, error);
}

static cm_status fill(const cm_bench_base *base, cm_pg *pg, cm_error *error)
{
    cm_status status = cm_pg_found_create(pg, base->scratch.options.schema, error);
    if (status == CM_OK)
        status = load_rows(base, pg, CM_ROW_CLICK, error);
    if (status == CM_OK)
        status = load_rows(base, pg, CM_ROW_CONVERSION, error);
    if (status == CM_OK)
        status = cm_pg_found_settle(pg, error);
    if (status == CM_OK)
        status = cm_pg_found_vacuum(pg, error);
    if (status == CM_OK)
        status = migrate(base, CM_PG_SCRATCH_FOUND, false, error);
    if (status == CM_OK)
        status = cm_pg_floor_results(pg, error);
    return status == CM_OK ? cm_pg_found_vacuum(pg, error) : status;
}

static cm_status make_found(cm_bench_base *base, cm_error *error)
{
    char server[CM_PG_FOUND_SERVER_BYTES];
    cm_pg pg;
    cm_status status = cm_pg_scratch_make(&base->scratch, CM_PG_SCRATCH_FOUND, error);
    if (status == CM_OK)
        status = cm_bench_base_open(base, CM_PG_SCRATCH_FOUND, &pg, error);
    if (status != CM_OK)
        return status;
    status = cm_pg_found_server(&pg, server, error);
    if (status == CM_OK)
        cm_bench_say(&base->bench->record, "%s", server);
    if (status == CM_OK)
        status = fill(base, &pg, error);
    cm_pg_close(&pg);
    return status;
}

static cm_status make_optimized(cm_bench_base *base, cm_error *error)
{
    cm_pg pg;
    cm_status status =
        cm_pg_scratch_copy(&base->scratch, CM_PG_SCRATCH_FOUND, CM_PG_SCRATCH_OPTIMIZED, error);
    if (status == CM_OK)
        status = migrate(base, CM_PG_SCRATCH_OPTIMIZED, true, error);
    if (status == CM_OK)
        status = cm_bench_base_open(base, CM_PG_SCRATCH_OPTIMIZED, &pg, error);
    if (status != CM_OK)
        return status;
    status = cm_pg_found_vacuum(&pg, error);
    cm_pg_close(&pg);
    return status;
}

/* ---- what a run writes ---- */

cm_status cm_bench_base_run(const cm_bench_base *base, cm_batch_report *report, cm_error *error)
{
    const cm_pg_options options = cm_pg_scratch_options(&base->scratch, CM_PG_SCRATCH_ROUND);
    const cm_batch_config config = {.conninfo = options.conninfo,
                                    .database = options.database,
                                    .schema = options.schema,
                                    .from_us = base->from_us,
                                    .to_us = base->to_us,
                                    .threads = base->bench->sizes.threads,
                                    .hash_seed = base->bench->sizes.seed,
                                    .now_us = cm_clock_now_us(),
                                    .interrupt = options.interrupt,
                                    .allow_superuser = true}; /* its own databases */
    return cm_batch_run(&config, report, error);
}

static cm_status make_results(cm_bench_base *base, cm_error *error)
{
    cm_batch_report report;
    cm_pg pg;
    cm_status status =
        cm_pg_scratch_copy(&base->scratch, CM_PG_SCRATCH_FOUND, CM_PG_SCRATCH_ROUND, error);
    if (status == CM_OK)
        status = cm_bench_base_run(base, &report, error);
    if (status == CM_OK)
        status = cm_bench_base_open(base, CM_PG_SCRATCH_ROUND, &pg, error);
    if (status != CM_OK)
        return status;
    status = cm_pg_floor_results(&pg, error);
    if (status == CM_OK)
        status = cm_pg_floor_fetch(&pg, &base->results, error);
    cm_pg_close(&pg);
    return status;
}

/* The world ends yesterday: the platform's views look back from now. */
cm_status cm_bench_base_make(cm_bench *bench, cm_bench_base *base, cm_error *error)
{
    const cm_bench_sizes *sizes = &bench->sizes;
    int64_t today_us = cm_clock_now_us() / CM_DAY_US * CM_DAY_US;
    *base = (cm_bench_base){.bench = bench};
    base->from_us = today_us - (int64_t)sizes->batch_days * CM_DAY_US;
    base->to_us = today_us;
    cm_bench_say(&bench->record, "%llu simulated clicks and %llu conversions over %u days",
                 (unsigned long long)sizes->batch_clicks,
                 (unsigned long long)sizes->batch_conversions, sizes->batch_days);
    cm_status status = init(bench->settings, &base->scratch, error);
    if (status == CM_OK)
        status = make_found(base, error);
    if (status == CM_OK)
        status = make_optimized(base, error);
    return status == CM_OK ? make_results(base, error) : status;
}

cm_status cm_bench_base_drop(cm_bench_base *base, cm_error *error)
{
    cm_buffer_destroy(&base->results);
    return cm_pg_scratch_drop(&base->scratch, error);
}
