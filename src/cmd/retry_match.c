/* Conversions of dead events matched by what the database holds now, as `batch` would. */
#include <stdlib.h>

#include "cmd/batch_run.h"
#include "cmd/clock.h"
#include "cmd/retry_chunk.h"
#include "model/model.h"
#include "util/check.h"
#include "util/error.h"

cm_status cm_retry_put(cm_retry_chunk *chunk, cm_retry_event *event, const cm_result *result,
                       uint32_t processing_ms, cm_error *error)
{
    static const cm_pg_sink_origin ORIGIN = {{NULL, 0}, {NULL, 0}};
    cm_pg_sink_fault fault;
    size_t row = chunk->batch.count;
    const cm_pg_sink_result with = {.conversion = &event->of.conversion,
                                    .type = &event->type,
                                    .value = &event->value,
                                    .result = result,
                                    .model = cm_model_label(chunk->config->model),
                                    .processing_ms = processing_ms};
    cm_status status =
        event->kind == CM_ROW_CLICK
            ? cm_pg_sink_encode_click(chunk->shape, &chunk->batch, &event->of.click, &ORIGIN,
                                      &fault, error)
            : cm_pg_sink_encode_result(chunk->shape, &chunk->batch, &with, &ORIGIN, &fault, error);
    if (status != CM_OK)
        return status;
    if (fault.reason != NULL)
        return cm_retry_refuse(chunk, event, CM_PG_NOT_STORABLE, fault.field, fault.reason, error);
    chunk->in_batch[row] = event;
    return CM_OK;
}

/* ---- conversions that are near one another ---- */

/* Halves of conversions that lie within such a part of how far back clicks are looked for would
 * ask for nearly as many clicks as all of them. */
#define NEAR_PARTS 8

/* Some conversions, in the order of their times, and what matching them takes. */
typedef struct group {
    cm_retry_event **events;
    size_t count;
    const char **tenants;
    size_t tenant_count;
    cm_conversion *conversions;
    cm_result *results;
    cm_load_limits limits;
    cm_engine *engine;
} group;

static int64_t time_of(const cm_retry_event *event)
{
    return event->of.conversion.conversion_timestamp;
}

static int by_time(const void *a, const void *b)
{
    const cm_retry_event *first = *(cm_retry_event *const *)a;
    const cm_retry_event *second = *(cm_retry_event *const *)b;
    int order = (time_of(first) > time_of(second)) - (time_of(first) < time_of(second));
    return order != 0 ? order : (first > second) - (first < second);
}

static cm_slice tenant_of(const cm_retry_event *event)
{
    return event->of.conversion.tenant_id;
}

static int by_tenant(const void *a, const void *b)
{
    const cm_retry_event *first = *(cm_retry_event *const *)a;
    const cm_retry_event *second = *(cm_retry_event *const *)b;
    int order = cm_slice_compare(tenant_of(first), tenant_of(second));
    return order != 0 ? order : by_time(a, b);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whose they are, each once. */
static cm_status list_tenants(cm_retry_chunk *chunk, group *g, cm_error *error)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->count; i++) {
        cm_slice tenant = tenant_of(g->events[i]);
        char *text = cm_arena_take(&chunk->arena, tenant.size + 1);
        if (text == NULL)
            return cm_error_memory(error, "tenants", tenant.size);
        memcpy(text, tenant.data, tenant.size);
        text[tenant.size] = '\0';
        g->tenants[i] = text;
    }
    qsort(g->tenants, g->count, sizeof *g->tenants, by_text);
    for (size_t i = 0; i < g->count; i++)
        if (kept == 0 || strcmp(g->tenants[kept - 1], g->tenants[i]) != 0)
            g->tenants[kept++] = g->tenants[i];
    g->tenant_count = kept;
    return CM_OK;
}

static int64_t apart_us(const cm_retry_chunk *chunk)
{
    return chunk->config->model->window_us + chunk->config->model->retention_us;
}

/* Would a part of them ask for noticeably fewer clicks? */
static bool is_divisible(const cm_retry_chunk *chunk, const group *g)
{
    int64_t span_us = time_of(g->events[g->count - 1]) - time_of(g->events[0]);
    return g->tenant_count > 1 || span_us > apart_us(chunk) / NEAR_PARTS;
}

/* In the transaction: with the clicks that it has stored. */
static cm_status load(cm_retry_chunk *chunk, group *g, cm_error *error)
{
    const cm_retry_config *config = chunk->config;
    const cm_options options = {.hash_seed = config->hash_seed};
    cm_batch_config batch = {.from_us = time_of(g->events[0]),
                             .to_us = time_of(g->events[g->count - 1]) + 1,
                             .tenants = g->tenants,
                             .build = config->build,
                             .for_stream = true, /* a click is found by its click_id */
                             .model = config->model,
                             .limits = &g->limits,
                             .threads = config->threads};
    cm_status status = list_tenants(chunk, g, error);
    g->limits = config->limits;
    batch.all_or_none = is_divisible(chunk, g);
    if (status == CM_OK)
        status = cm_engine_create(&options, config->model, &g->engine, error);
    batch.tenant_count = g->tenant_count;
    return status == CM_OK ? cm_batch_load_within(&batch, chunk->pg, g->engine, error) : status;
}

static cm_status match(cm_retry_chunk *chunk, group *g, cm_error *error)
{
    cm_status status = CM_OK;
    cm_retry_left_out_most(&chunk->left_out,
                           &(cm_retry_left_out){g->limits.left_out, g->limits.from_us});
    for (size_t i = 0; i < g->count; i++)
        g->conversions[i] = g->events[i]->of.conversion;
    double began = cm_clock_seconds();
    status = cm_engine_match(g->engine, g->conversions, g->count, g->results, error);
    double each_ms = (cm_clock_seconds() - began) * 1000 / (double)g->count;
    for (size_t i = 0; i < g->count && status == CM_OK; i++) {
        static const char *const NOTES[CM_METHOD_COUNT] = {
            [CM_METHOD_UNATTRIBUTED] = "retried: unattributed",
            [CM_METHOD_URL_PARAM] = "retried: attributed by url_param",
            [CM_METHOD_FINGERPRINT] = "retried: attributed by fingerprint",
            [CM_METHOD_PROBABILISTIC] = "retried: attributed by probabilistic",
        };
        bool is_duplicate = g->events[i]->is_stored && !g->events[i]->is_row;
        g->events[i]->note =
            is_duplicate ? CM_RETRY_DUPLICATE : cm_slice_of_text(NOTES[g->results[i].method]);
        cm_match_counts_add(&chunk->matched, &g->results[i]);
        status = cm_retry_put(chunk, g->events[i], &g->results[i], (uint32_t)each_ms, error);
    }
    return status;
}

/* Try them together. is_too_many: receives whether their clicks have no room, and nothing was done.
 */
static cm_status try_group(cm_retry_chunk *chunk, cm_retry_event **events, size_t count,
                           bool *is_too_many, cm_error *error)
{
    group g = {.events = events, .count = count};
    *is_too_many = false;
    g.tenants = calloc(count, sizeof *g.tenants);
    g.conversions = calloc(count, sizeof *g.conversions);
    g.results = calloc(count, sizeof *g.results);
    cm_status status = g.tenants == NULL || g.conversions == NULL || g.results == NULL
                           ? cm_error_memory(error, "conversions", count * sizeof *g.results)
                           : load(chunk, &g, error);
    *is_too_many = status == CM_OK && cm_load_limits_over(&g.limits) != CM_OVER_NOTHING;
    if (status == CM_OK && !*is_too_many)
        status = match(chunk, &g, error);
    cm_engine_destroy(g.engine);
    free(g.tenants);
    free(g.conversions);
    free(g.results);
    return status;
}

/* Where the second half of some begins: with a tenant, as no two ask for the same clicks, else with
 * the middle of their time. */
static size_t second_half(cm_retry_event **events, size_t count)
{
    int64_t middle_us =
        time_of(events[0]) + (time_of(events[count - 1]) - time_of(events[0]) + 1) / 2;
    size_t up = count / 2, down = count / 2;
    qsort(events, count, sizeof *events, by_tenant);
    while (up < count && cm_slice_equal(tenant_of(events[up - 1]), tenant_of(events[up])))
        up++;
    while (down > 0 && cm_slice_equal(tenant_of(events[down - 1]), tenant_of(events[down])))
        down--;
    if (down > 0 || up < count)
        return up == count || (down > 0 && count / 2 - down < up - count / 2) ? down : up;
    for (up = 1; time_of(events[up]) < middle_us;)
        up++;
    return up;
}

/*
 * What a conversion comes to does not depend on those beside it, as long as all the clicks are
 * there that it asks for. So where the clicks of some have no room together, they go by halves, and
 * clicks are left out only where no half would ask for noticeably fewer.
 */
static cm_status match_group(cm_retry_chunk *chunk, cm_retry_event **events, size_t count,
                             cm_error *error)
{
    bool is_too_many;
    qsort(events, count, sizeof *events, by_time);
    cm_status status = try_group(chunk, events, count, &is_too_many, error);
    if (status != CM_OK || !is_too_many)
        return status;
    size_t half = second_half(events, count);
    CM_CHECK(half > 0 && half < count); /* or it would never end */
    status = match_group(chunk, events, half, error);
    return status == CM_OK ? match_group(chunk, events + half, count - half, error) : status;
}

/* A group spans no more than one conversion looks back, so that it asks for at most twice the
 * clicks, however many follow one another. What lies between groups is not read. */
cm_status cm_retry_match(cm_retry_chunk *chunk, cm_error *error)
{
    cm_retry_event **events = calloc(chunk->count, sizeof *events);
    size_t count = 0;
    cm_status status = CM_OK;
    if (events == NULL)
        return cm_error_memory(error, "conversions", chunk->count * sizeof *events);
    for (size_t i = 0; i < chunk->count; i++) {
        cm_retry_event *event = &chunk->events[i];
        if (event->outcome == CM_RETRY_OPEN && event->kind == CM_ROW_CONVERSION &&
            event->twin == NULL)
            events[count++] = event;
    }
    qsort(events, count, sizeof *events, by_time);
    for (size_t from = 0, to; from < count && status == CM_OK; from = to) {
        for (to = from + 1;
             to < count && time_of(events[to]) - time_of(events[from]) < apart_us(chunk);)
            to++;
        status = match_group(chunk, events + from, to - from, error);
    }
    free(events);
    return status;
}
