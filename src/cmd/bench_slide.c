/*
 * Section slide: a window that slides over the simulated clicks, as a stream has it. Clicks come in
 * time order, 64 at a time; those that nobody can find any more are forgotten in between, at most
 * twice as many at a time. A click that expires much later than others is put ahead. Time is core
 * time: what others do on the machine is not in it.
 */
#include <stdlib.h>

#include "cmd/bench.h"
#include "cmd/bench_engine.h"
#include "cmd/clock.h"
#include "io/rows.h"
#include "model/build.h"
#include "util/error.h"
#include "util/histogram.h"
#include "util/time.h"

#define WINDOW_DAYS 8    /* a click is found for seven days, and a day longer as one that expired */
#define WINDOWS 3        /* one until the first click dies, and two in which as many die as come */
#define CLICKS_MIN 72000 /* with fewer no segment would fill and die */
#define FORGET_EACH 128
#define FORGET_CLICKS 256

static const cm_bench_measure INSERT = {"core time to add a click", "ns", CM_BENCH_LESS};
static const cm_bench_measure INSERT_WORST = {"64 clicks, p99.9", "us", CM_BENCH_LESS};
static const cm_bench_measure INSERT_MAX = {"64 clicks, max", "us", CM_BENCH_LESS};
static const cm_bench_measure FORGET = {"core time to forget a click", "ns", CM_BENCH_LESS};
static const cm_bench_measure STEP = {"a step of forgetting, median", "us", CM_BENCH_LESS};
static const cm_bench_measure STEP_WORST = {"a step of forgetting, p99.9", "us", CM_BENCH_LESS};
static const cm_bench_measure STEP_MAX = {"a step of forgetting, max", "us", CM_BENCH_LESS};
static const cm_bench_measure HELD = {"clicks held", "clicks", CM_BENCH_NEITHER};
static const cm_bench_measure BYTES = {"bytes per click", "bytes", CM_BENCH_LESS};
static const cm_bench_measure FLAT = {"memory, times the first window's", "x", CM_BENCH_LESS};

/* What a day took. */
struct day {
    cm_histogram inserts, steps; /* ns of 64 clicks; of a call that forgets */
    uint64_t insert_ns, forget_ns;
    uint64_t inserted, forgotten;
};

struct slide {
    cm_bench *bench;
    cm_bench_stream *stream;
    cm_layout layout;
    bool has_layout;
    cm_arena arena; /* of a block */
    cm_click clicks[CM_BENCH_STREAM_BATCH];
    size_t count;
    int64_t number; /* of the day under way */
    struct day day;
    uint64_t added;      /* clicks, since the last step of forgetting */
    double first_memory; /* when the first window was full; 0 before */
};

/* ---- days ---- */

static void note_time(cm_bench_record *record, const char *of, const cm_bench_measure *measure,
                      const cm_histogram *histogram, double share)
{
    cm_bench_note(record, of, measure, (double)cm_histogram_quantile(histogram, share) / 1000);
}

static void end_day(struct slide *slide)
{
    cm_bench_record *record = &slide->bench->record;
    const struct day *day = &slide->day;
    const char *of = "a day";
    if (day->forgotten == 0 || day->inserted == 0)
        return;
    const cm_engine *engine = cm_bench_stream_engine(slide->stream);
    double memory = (double)cm_engine_memory(engine);
    double held = (double)cm_engine_click_count(engine);
    if (slide->first_memory == 0)
        slide->first_memory = memory;
    cm_bench_note(record, of, &INSERT, (double)day->insert_ns / (double)day->inserted);
    note_time(record, of, &INSERT_WORST, &day->inserts, 0.999);
    note_time(record, of, &INSERT_MAX, &day->inserts, 1);
    cm_bench_note(record, of, &FORGET, (double)day->forget_ns / (double)day->forgotten);
    note_time(record, of, &STEP, &day->steps, 0.5);
    note_time(record, of, &STEP_WORST, &day->steps, 0.999);
    note_time(record, of, &STEP_MAX, &day->steps, 1);
    cm_bench_note(record, of, &HELD, held);
    cm_bench_note(record, of, &BYTES, memory / held);
    cm_bench_note(record, of, &FLAT, memory / slide->first_memory);
}

/* ---- sliding ---- */

static uint64_t core_ns(void)
{
    return (uint64_t)(cm_clock_core_seconds() * 1e9);
}

static void forget(struct slide *slide, int64_t horizon)
{
    uint64_t began = core_ns();
    slide->day.forgotten += cm_bench_stream_forget(slide->stream, horizon, FORGET_CLICKS);
    uint64_t ns = core_ns() - began;
    cm_histogram_record(&slide->day.steps, ns);
    slide->day.forget_ns += ns;
}

static cm_status insert(struct slide *slide, cm_error *error)
{
    uint64_t began = core_ns();
    cm_status status = cm_bench_stream_insert(slide->stream, slide->clicks, slide->count, error);
    uint64_t ns = core_ns() - began;
    cm_histogram_record(&slide->day.inserts, ns);
    slide->day.insert_ns += ns;
    slide->day.inserted += slide->count;
    return status;
}

/* With the clicks that are there. */
static cm_status slide_on(struct slide *slide, cm_error *error)
{
    int64_t now = slide->clicks[slide->count - 1].click_timestamp;
    if (now / CM_DAY_US != slide->number) {
        end_day(slide);
        slide->number = now / CM_DAY_US;
        slide->day = (struct day){0};
    }
    cm_status status = insert(slide, error);
    slide->added += slide->count;
    slide->count = 0;
    if (slide->added < FORGET_EACH)
        return status;
    slide->added = 0;
    if (cm_bench_stream_has_dead(slide->stream, now))
        forget(slide, now);
    return status;
}

/* ---- rows to clicks, 64 at a time ---- */

static cm_status add_row(struct slide *slide, const cm_row *row, cm_error *error)
{
    const cm_build_options options = {0};
    cm_reject reject = {CM_FIELD_NONE, row->malformed};
    cm_status status = CM_ERROR_FORMAT;
    if (row->malformed == NULL)
        status = cm_click_build(row->values, &options, &slide->arena, NULL,
                                &slide->clicks[slide->count], &reject);
    if (status == CM_ERROR_FORMAT)
        return cm_error_set(error, status, "a simulated click is refused: %s", reject.reason);
    if (status != CM_OK)
        return cm_error_memory(error, "the values of a click", 0);
    return ++slide->count == CM_BENCH_STREAM_BATCH ? slide_on(slide, error) : CM_OK;
}

static cm_status read_rows(struct slide *slide, const char *bytes, size_t size, cm_error *error)
{
    size_t skip = 0;
    cm_status status = CM_OK;
    cm_row_reader reader;
    cm_row row;
    if (!slide->has_layout)
        status = cm_layout_read(CM_ROW_CLICK, bytes, size, &slide->layout, &skip, error);
    if (status != CM_OK)
        return status;
    slide->has_layout = true;
    cm_arena_reset(&slide->arena);
    cm_row_reader_init(&reader, &slide->layout, bytes + skip, size - skip, &slide->arena);
    while (status == CM_OK && cm_row_reader_next(&reader, &row))
        status = add_row(slide, &row, error);
    if (status == CM_OK && slide->count > 0)
        status = slide_on(slide, error);
    if (status == CM_OK && reader.out_of_memory)
        status = cm_error_memory(error, "the values of clicks", size);
    return status;
}

static cm_status take_block(void *context, const char *bytes, size_t size, cm_error *error)
{
    cm_status status = cm_bench_go_on(error);
    return status == CM_OK ? read_rows(context, bytes, size, error) : status;
}

static uint64_t clicks_held(const cm_bench *bench)
{
    return bench->sizes.clicks < CLICKS_MIN ? CLICKS_MIN : bench->sizes.clicks;
}

static cm_status run(struct slide *slide, cm_error *error)
{
    cm_sim_config config;
    const cm_sim_sinks sinks = {.clicks = {take_block, slide}};
    cm_sim_config_default(&config);
    config.seed = slide->bench->sizes.seed;
    config.click_count = clicks_held(slide->bench) * WINDOWS;
    config.conversion_count = 0;
    config.days = WINDOW_DAYS * WINDOWS;
    cm_status status = cm_bench_stream_create(config.seed, &slide->stream, error);
    return status == CM_OK ? cm_sim_run(&config, &sinks, error) : status;
}

cm_status cm_bench_slide(cm_bench *bench, cm_error *error)
{
    struct slide *slide = calloc(1, sizeof *slide);
    if (slide == NULL)
        return cm_error_memory(error, "a window that slides", sizeof *slide);
    slide->bench = bench;
    cm_bench_say(&bench->record,
                 "about %llu simulated clicks held, 1/%d of which come a day; one thread; a figure "
                 "for each of the days on which clicks are forgotten",
                 (unsigned long long)clicks_held(bench), WINDOW_DAYS);
    cm_status status = run(slide, error);
    if (slide->has_layout)
        cm_layout_destroy(&slide->layout);
    cm_bench_stream_destroy(slide->stream);
    cm_arena_destroy(&slide->arena);
    free(slide);
    return status;
}
