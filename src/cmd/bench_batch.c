/*
 * Section batch: what a run of `batch` takes, beside the least that any program would do for the
 * same, plain statements one after the other: the floor. In turn, each on a fresh copy of a
 * database: the floor, a first run, which changes all that it can, reading both tables, and a
 * second run, which finds nothing to change; on tables as found, and after `migrate --optimize`.
 */
#include <stdio.h>

#include "cmd/bench_base.h"
#include "cmd/clock.h"
#include "pg/pg_floor.h"
#include "util/error.h"

static const cm_bench_measure TIME = {"time", "s", CM_BENCH_LESS};
static const cm_bench_measure CORE = {"core time of the client", "s", CM_BENCH_LESS};
static const cm_bench_measure STEPS[CM_PG_FLOOR_STEP_COUNT] = {
    [CM_PG_FLOOR_CLICKS] = {"COPY out, clicks", "s", CM_BENCH_LESS},
    [CM_PG_FLOOR_CONVERSIONS] = {"COPY out, conversions", "s", CM_BENCH_LESS},
    [CM_PG_FLOOR_RESULTS] = {"COPY in", "s", CM_BENCH_LESS},
    [CM_PG_FLOOR_UPDATE] = {"UPDATE", "s", CM_BENCH_LESS},
    [CM_PG_FLOOR_LOG] = {"INSERT into the log", "s", CM_BENCH_LESS},
};
static const cm_bench_measure PHASES[CM_BATCH_PHASE_COUNT] = {
    [CM_BATCH_CONNECT] = {"connecting", "s", CM_BENCH_LESS},
    [CM_BATCH_LOAD] = {"loading clicks", "s", CM_BENCH_LESS},
    [CM_BATCH_MATCH] = {"matching", "s", CM_BENCH_LESS},
    [CM_BATCH_PROMOTE] = {"promoting", "s", CM_BENCH_LESS},
};
static const cm_bench_measure CHANGED = {"conversions changed", "conv", CM_BENCH_NEITHER};
static const cm_bench_measure CLICK_BYTES = {"bytes per click", "bytes", CM_BENCH_LESS};
static const cm_bench_measure FLOOR_TIMES = {"time, times the floor", "x", CM_BENCH_LESS};
static const cm_bench_measure COPY_TIMES = {"time, times COPY out", "x", CM_BENCH_LESS};
static const cm_bench_measure VIEWS[CM_PG_FLOOR_VIEW_COUNT] = {
    {"recovery rate", "ms", CM_BENCH_LESS},
    {"active clicks", "ms", CM_BENCH_LESS},
    {"attribution summary", "ms", CM_BENCH_LESS},
    {"unattributed conversions", "ms", CM_BENCH_LESS},
};

/* The tables that are measured, and what their cases are called. */
struct tables {
    cm_pg_scratch_part part;
    const char *name;
};

static const struct tables TABLES[] = {
    {CM_PG_SCRATCH_FOUND, "as found"},
    {CM_PG_SCRATCH_OPTIMIZED, "optimized"},
};
#define TABLES_COUNT (sizeof TABLES / sizeof *TABLES)

/* The clocks of what is measured. */
struct times {
    double seconds, core_seconds;
};

static void start(struct times *times)
{
    *times = (struct times){cm_clock_seconds(), cm_clock_core_seconds()};
}

static void stop(struct times *times)
{
    times->seconds = cm_clock_seconds() - times->seconds;
    times->core_seconds = cm_clock_core_seconds() - times->core_seconds;
}

static const char *case_of(const struct tables *tables, const char *what,
                           char room[CM_BENCH_CASE_BYTES])
{
    snprintf(room, CM_BENCH_CASE_BYTES, "%s, %s", tables->name, what);
    return room;
}

static void note_times(cm_bench_base *base, const char *of, const struct times *times)
{
    cm_bench_note(&base->bench->record, of, &TIME, times->seconds);
    cm_bench_note(&base->bench->record, of, &CORE, times->core_seconds);
}

/* The first steps of the floor, on the copy. @param total  receives the time of all of them */
static cm_status take_steps(cm_bench_base *base, const char *of, size_t count, double *total,
                            cm_error *error)
{
    struct times steps[CM_PG_FLOOR_STEP_COUNT];
    uint64_t rows[CM_PG_FLOOR_STEP_COUNT];
    struct times all = {0};
    cm_pg pg;
    cm_status status = cm_bench_base_open(base, CM_PG_SCRATCH_ROUND, &pg, error);
    if (status != CM_OK)
        return status;
    for (size_t i = 0; i < count && status == CM_OK; i++) {
        start(&steps[i]);
        status = cm_pg_floor_take(&pg, (cm_pg_floor_step)i, &base->results, &rows[i], error);
        stop(&steps[i]);
        all.seconds += steps[i].seconds;
        all.core_seconds += steps[i].core_seconds;
    }
    cm_pg_close(&pg);
    if (status != CM_OK)
        return status;
    note_times(base, of, &all);
    for (size_t i = 0; i < count; i++)
        cm_bench_note(&base->bench->record, of, &STEPS[i], steps[i].seconds);
    if (count > CM_PG_FLOOR_UPDATE)
        cm_bench_note(&base->bench->record, of, &CHANGED, (double)rows[CM_PG_FLOOR_UPDATE]);
    *total = all.seconds;
    return CM_OK;
}

/* A run of `batch`, compared with what else took `beside` seconds. */
static cm_status time_run(cm_bench_base *base, const char *of, const cm_bench_measure *ratio,
                          double beside, cm_error *error)
{
    cm_bench_record *record = &base->bench->record;
    cm_batch_report report;
    struct times times;
    start(&times);
    cm_status status = cm_bench_base_run(base, &report, error);
    stop(&times);
    if (status != CM_OK)
        return status;
    note_times(base, of, &times);
    cm_bench_note(record, of, ratio, times.seconds / beside);
    for (size_t i = 0; i < CM_BATCH_PHASE_COUNT; i++)
        if (PHASES[i].name != NULL) /* there is no challenger here */
            cm_bench_note(record, of, &PHASES[i], report.seconds[i]);
    cm_bench_note(record, of, &CHANGED, (double)report.changed);
    cm_bench_note(record, of, &CLICK_BYTES,
                  (double)report.engine_bytes / (double)report.engine_clicks);
    return CM_OK;
}

static cm_status time_views(cm_bench_base *base, const char *of, cm_error *error)
{
    cm_pg pg;
    cm_status status = cm_bench_base_open(base, CM_PG_SCRATCH_ROUND, &pg, error);
    if (status != CM_OK)
        return status;
    for (size_t i = 0; i < CM_PG_FLOOR_VIEW_COUNT && status == CM_OK; i++) {
        struct times times;
        start(&times);
        status = cm_pg_floor_view(&pg, i, error);
        stop(&times);
        cm_bench_note(&base->bench->record, of, &VIEWS[i], times.seconds * 1000);
    }
    cm_pg_close(&pg);
    return status;
}

static cm_status time_floor(cm_bench_base *base, double *seconds, cm_error *error)
{
    cm_status status =
        cm_pg_scratch_copy(&base->scratch, CM_PG_SCRATCH_FOUND, CM_PG_SCRATCH_ROUND, error);
    if (status != CM_OK)
        return status;
    return take_steps(base, "floor", CM_PG_FLOOR_STEP_COUNT, seconds, error);
}

static cm_status time_tables(cm_bench_base *base, const struct tables *tables, double floor_seconds,
                             cm_error *error)
{
    char of[CM_BENCH_CASE_BYTES];
    double copy_seconds = 0;
    bool ignored;
    cm_status status = cm_pg_scratch_copy(&base->scratch, tables->part, CM_PG_SCRATCH_ROUND, error);
    if (status == CM_OK)
        status =
            time_run(base, case_of(tables, "first run", of), &FLOOR_TIMES, floor_seconds, error);
    if (status == CM_OK)
        status = cm_pg_scratch_checkpoint(&base->scratch, &ignored, error);
    if (status == CM_OK)
        status = take_steps(base, case_of(tables, "COPY out", of), CM_PG_FLOOR_OUT_COUNT,
                            &copy_seconds, error);
    if (status == CM_OK)
        status =
            time_run(base, case_of(tables, "second run", of), &COPY_TIMES, copy_seconds, error);
    return status == CM_OK ? time_views(base, case_of(tables, "views", of), error) : status;
}

static cm_status time_round(cm_bench_base *base, cm_error *error)
{
    double floor_seconds = 0;
    cm_status status = time_floor(base, &floor_seconds, error);
    for (size_t i = 0; i < TABLES_COUNT && status == CM_OK; i++)
        status = time_tables(base, &TABLES[i], floor_seconds, error);
    return status;
}

static cm_status time_rounds(cm_bench_base *base, cm_error *error)
{
    bool has_checkpoints;
    cm_status status = cm_pg_scratch_checkpoint(&base->scratch, &has_checkpoints, error);
    if (status == CM_OK && !has_checkpoints)
        cm_bench_say(&base->bench->record, "no checkpoint between a first run and what follows: "
                                           "the role is not of pg_checkpoint");
    for (unsigned i = 0; i < base->bench->sizes.repetitions && status == CM_OK; i++)
        status = time_round(base, error);
    return status;
}

cm_status cm_bench_batch(cm_bench *bench, cm_error *error)
{
    cm_bench_base base;
    cm_error left = {0};
    cm_status status = cm_bench_base_make(bench, &base, error);
    if (status == CM_OK)
        status = time_rounds(&base, error);
    if (status == CM_ERROR_INTERRUPTED)
        status = cm_bench_go_on(error);
    cm_status dropped = cm_bench_base_drop(&base, &left);
    if (dropped == CM_OK)
        return status;
    if (status != CM_OK) {
        cm_log_warning(bench->log, "%s", left.message);
        return status;
    }
    return cm_error_set(error, dropped, "%s", left.message);
}
