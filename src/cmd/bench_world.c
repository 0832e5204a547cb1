#include "cmd/bench_world.h"

#include <stdlib.h>

#include "cmd/bench.h"
#include "cmd/bench_engine.h"
#include "cmd/bench_machine.h"
#include "cmd/clock.h"
#include "cmd/interrupt.h"
#include "engine/pipeline.h"
#include "util/error.h"
#include "util/grow.h"

#define MINUTE_US INT64_C(60000000)
#define WINDOW_MINUTES ((size_t)7 * 24 * 60)

/* ---- making ---- */

static cm_status keep_rows(void *context, const char *bytes, size_t size, cm_error *error)
{
    cm_buffer *buffer = context;
    cm_status status = cm_bench_go_on(error);
    if (status != CM_OK)
        return status;
    cm_buffer_append(buffer, bytes, size);
    return buffer->failed ? cm_error_memory(error, "a simulated world", buffer->size + size)
                          : CM_OK;
}

static cm_status simulate(const cm_bench *bench, cm_buffer *clicks, cm_buffer *conversions,
                          cm_error *error)
{
    cm_sim_config config;
    cm_sim_sinks sinks = {0};
    cm_sim_config_default(&config);
    config.seed = bench->sizes.seed;
    config.click_count = bench->sizes.clicks;
    config.conversion_count = bench->sizes.conversions;
    config.days = bench->sizes.days;
    config.threads = bench->sizes.threads;
    if (clicks != NULL)
        sinks.clicks = (cm_sim_sink){keep_rows, clicks};
    if (conversions != NULL)
        sinks.conversions = (cm_sim_sink){keep_rows, conversions};
    return cm_sim_run(&config, &sinks, error);
}

/* ---- which clicks are active ---- */

static cm_slice next_field(cm_slice *row)
{
    const char *comma = memchr(row->data, ',', row->size);
    size_t size = comma == NULL ? row->size : (size_t)(comma - row->data);
    cm_slice field = cm_slice_of(row->data, size);
    *row = cm_slice_of(row->data + size + 1, row->size - size - 1);
    return field;
}

/* Tenant, click id and time come first, without quotes. */
static void count_click(cm_bench_world *world, cm_slice row)
{
    int64_t time_us;
    (void)next_field(&row);
    world->click_id_bytes += next_field(&row).size;
    if (cm_time_parse(next_field(&row), &time_us))
        world->minutes[(time_us - world->start_us) / MINUTE_US + 1]++;
}

static cm_status count_clicks(cm_bench *bench, cm_error *error)
{
    cm_bench_world *world = &bench->world;
    cm_sim_config config;
    cm_sim_config_default(&config);
    world->start_us = config.start_us;
    world->minute_count = (size_t)bench->sizes.days * 24 * 60 + 1;
    world->minutes = calloc(world->minute_count + 1, sizeof *world->minutes);
    if (world->minutes == NULL)
        return cm_error_memory(error, "the minutes of a world", world->minute_count * 8);
    const char *at = world->clicks.data;
    const char *end = at + world->clicks.size;
    for (bool is_header = true; at < end; is_header = false) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!is_header)
            count_click(world, cm_slice_of(at, (size_t)(line_end - at)));
        at = line_end + 1;
    }
    for (size_t i = 1; i <= world->minute_count; i++)
        world->minutes[i] += world->minutes[i - 1];
    return CM_OK;
}

double cm_bench_world_active_share(const cm_bench_world *world)
{
    double sum = 0;
    uint64_t all = world->minutes[world->minute_count];
    for (size_t i = 0; i < world->conversion_count; i++) {
        int64_t t = world->conversions[i].conversion_timestamp;
        size_t minute = (size_t)((t - world->start_us) / MINUTE_US) + 1;
        size_t until = minute < world->minute_count ? minute : world->minute_count;
        size_t since = minute > WINDOW_MINUTES ? minute - WINDOW_MINUTES : 0;
        sum += (double)(world->minutes[until] - world->minutes[since]);
    }
    return all == 0 || world->conversion_count == 0
               ? 0
               : sum / (double)all / (double)world->conversion_count;
}

cm_status cm_bench_world_clicks(cm_bench *bench, cm_error *error)
{
    cm_bench_world *world = &bench->world;
    if (world->clicks.size > 0)
        return CM_OK;
    cm_status status = simulate(bench, &world->clicks, NULL, error);
    if (status == CM_OK && world->minutes == NULL)
        status = count_clicks(bench, error);
    return status;
}

/* ---- conversions as records ---- */

static cm_status add_conversion(cm_bench_world *world, const cm_row *row, cm_error *error)
{
    const cm_build_options options = {0};
    cm_reject reject = {CM_FIELD_NONE, row->malformed};
    cm_conversion *conversions = cm_grow(world->conversions, &world->conversion_capacity,
                                         world->conversion_count + 1, sizeof *conversions);
    if (conversions == NULL)
        return cm_error_memory(error, "conversions", world->conversion_count * sizeof *conversions);
    world->conversions = conversions;
    cm_status status = CM_ERROR_FORMAT;
    if (row->malformed == NULL)
        status = cm_conversion_build(row->values, &options, &world->arena, NULL,
                                     &conversions[world->conversion_count], &reject);
    if (status == CM_ERROR_FORMAT)
        return cm_error_set(error, status, "a simulated conversion is refused: %s", reject.reason);
    if (status != CM_OK)
        return cm_error_memory(error, "the values of a conversion", 0);
    world->conversion_count++;
    return CM_OK;
}

static cm_status read_conversions(cm_bench_world *world, cm_error *error)
{
    const cm_buffer *csv = &world->conversion_csv;
    cm_layout layout;
    size_t skip;
    cm_status status =
        cm_layout_read(CM_ROW_CONVERSION, csv->data, csv->size, &layout, &skip, error);
    if (status != CM_OK)
        return status;
    cm_row_reader reader;
    cm_row row;
    cm_row_reader_init(&reader, &layout, csv->data + skip, csv->size - skip, &world->arena);
    while (status == CM_OK && cm_row_reader_next(&reader, &row))
        status = add_conversion(world, &row, error);
    cm_layout_destroy(&layout);
    if (status == CM_OK && reader.out_of_memory)
        status = cm_error_memory(error, "the values of conversions", csv->size);
    return status;
}

cm_status cm_bench_world_conversions(cm_bench *bench, cm_error *error)
{
    cm_bench_world *world = &bench->world;
    if (world->conversions != NULL)
        return CM_OK;
    cm_status status = simulate(bench, NULL, &world->conversion_csv, error);
    return status == CM_OK ? read_conversions(world, error) : status;
}

/* ---- loading ---- */

struct memory_source {
    const cm_buffer *bytes;
    size_t at;
};

static cm_status read_memory(void *context, char *buffer, size_t size, size_t *got, cm_error *error)
{
    (void)error;
    struct memory_source *memory = context;
    size_t left = memory->bytes->size - memory->at;
    *got = left < size ? left : size;
    memcpy(buffer, memory->bytes->data + memory->at, *got);
    memory->at += *got;
    return CM_OK;
}

static cm_status load_into(const cm_bench *bench, unsigned threads, cm_engine *engine,
                           cm_bench_load_times *times, cm_error *error)
{
    const cm_pipeline_options options = {.threads = threads, .interrupted = cm_interrupt_flag()};
    struct memory_source memory = {.bytes = &bench->world.clicks};
    cm_source source = {.context = &memory, .name = "the simulated clicks", .read = read_memory};
    cm_source_counts counts = {0};
    double began = cm_clock_seconds();
    double core_began = cm_clock_core_seconds();
    cm_status status = cm_pipeline_load(engine, &source, &options, &counts, error);
    times->seconds = cm_clock_seconds() - began;
    times->core_seconds = cm_clock_core_seconds() - core_began;
    if (status == CM_OK && counts.rejected > 0)
        status = cm_error_set(error, CM_ERROR_FORMAT, "%llu simulated clicks are refused",
                              (unsigned long long)counts.rejected);
    return status;
}

cm_status cm_bench_world_load(cm_bench *bench, const char *model, unsigned threads,
                              cm_engine **engine, cm_bench_load_times *times, cm_error *error)
{
    bool is_first = bench->world.resident_grew == 0;
    uint64_t resident = is_first ? cm_bench_resident() : 0;
    cm_status status = cm_bench_engine_create_of(bench->sizes.seed, model, engine, error);
    if (status != CM_OK)
        return status;
    status = load_into(bench, threads, *engine, times, error);
    if (status != CM_OK) {
        cm_engine_destroy(*engine);
        *engine = NULL;
    }
    if (status == CM_OK && is_first)
        bench->world.resident_grew = cm_bench_resident() - resident;
    return status;
}

cm_status cm_bench_world_engine(cm_bench *bench, cm_error *error)
{
    cm_bench_world *world = &bench->world;
    cm_bench_load_times times;
    cm_status status = CM_OK;
    if (world->engine == NULL)
        status = cm_bench_world_clicks(bench, error);
    if (status == CM_OK && world->engine == NULL)
        status =
            cm_bench_world_load(bench, NULL, bench->sizes.threads, &world->engine, &times, error);
    if (status == CM_OK)
        cm_buffer_destroy(&world->clicks);
    return status;
}

void cm_bench_world_destroy(cm_bench_world *world)
{
    cm_engine_destroy(world->engine);
    cm_buffer_destroy(&world->clicks);
    cm_buffer_destroy(&world->conversion_csv);
    cm_arena_destroy(&world->arena);
    free(world->conversions);
    free(world->minutes);
    *world = (cm_bench_world){0};
}
