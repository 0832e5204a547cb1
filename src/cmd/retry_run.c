#include "cmd/retry_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/retry_chunk.h"
#include "model/model.h"
#include "pg/pg_sink_session.h"
#include "util/error.h"

#define ATTEMPTS_MAX 10 /* at a transaction that others got in the way of */

/* ---- writing ---- */

static const char *keep_text(cm_retry_chunk *chunk, const char *text)
{
    size_t size = strlen(text) + 1;
    char *kept = cm_arena_take(&chunk->arena, size);
    chunk->out_of_memory |= kept == NULL;
    return kept == NULL ? "" : memcpy(kept, text, size);
}

static void take_refusal(void *context, size_t row, const char *error_type, const char *message)
{
    cm_retry_chunk *chunk = context;
    cm_retry_end_event(chunk->in_batch[row], CM_RETRY_FAILED, keep_text(chunk, error_type),
                       cm_slice_of_text(keep_text(chunk, message)));
}

static void take_undone(void *context, size_t from, size_t to)
{
    const cm_retry_chunk *chunk = context;
    for (size_t i = from; i < to; i++)
        chunk->in_batch[i]->outcome = CM_RETRY_OPEN;
}

/* Write the batch; what is not refused is resolved. */
static cm_status write_batch(cm_retry_chunk *chunk, cm_error *error)
{
    const cm_pg_retry_watch watch = {{take_refusal, chunk}, take_undone, chunk};
    cm_status status = cm_pg_retry_write(chunk->pg, &chunk->batch, &watch, error);
    if (status == CM_OK && chunk->out_of_memory)
        status = cm_error_memory(error, "why an event failed", 256);
    for (size_t i = 0; i < chunk->batch.count && status == CM_OK; i++)
        if (chunk->in_batch[i]->outcome == CM_RETRY_OPEN)
            cm_retry_end_event(chunk->in_batch[i], CM_RETRY_RESOLVED, NULL,
                               chunk->in_batch[i]->note);
    cm_pg_sink_batch_clear(&chunk->batch);
    return status;
}

static cm_status feed_clicks(cm_retry_chunk *chunk, cm_error *error)
{
    cm_status status = CM_OK;
    for (size_t i = 0; i < chunk->count && status == CM_OK; i++) {
        cm_retry_event *event = &chunk->events[i];
        if (event->outcome != CM_RETRY_OPEN || event->kind != CM_ROW_CLICK)
            continue;
        event->note = CM_SLICE("retried: the click is in click_tracking");
        status = cm_retry_put(chunk, event, NULL, 0, error);
    }
    return status == CM_OK ? write_batch(chunk, error) : status;
}

static cm_status feed_conversions(cm_retry_chunk *chunk, cm_error *error)
{
    cm_status status = cm_retry_match(chunk, error);
    if (status == CM_OK)
        status = write_batch(chunk, error);
    for (size_t i = 0; i < chunk->count && status == CM_OK; i++) {
        cm_retry_event *event = &chunk->events[i];
        if (event->outcome == CM_RETRY_OPEN && event->twin != NULL &&
            event->twin->outcome == CM_RETRY_RESOLVED)
            cm_retry_end_event(event, CM_RETRY_RESOLVED, NULL, CM_RETRY_DUPLICATE);
    }
    return status;
}

/* ---- outcomes ---- */

static cm_status settle(cm_retry_chunk *chunk, cm_error *error)
{
    static const char *const NAMES[] = {[CM_RETRY_RESOLVED] = "resolved",
                                        [CM_RETRY_IGNORED] = "ignored",
                                        [CM_RETRY_FAILED] = "failed"};
    size_t count = 0;
    cm_pg_retry_outcome *outcomes = calloc(chunk->count, sizeof *outcomes);
    if (outcomes == NULL)
        return cm_error_memory(error, "outcomes", chunk->count * sizeof *outcomes);
    for (size_t i = 0; i < chunk->count; i++) {
        const cm_retry_event *event = &chunk->events[i];
        if (event->outcome != CM_RETRY_OPEN && event->outcome != CM_RETRY_LATER)
            outcomes[count++] = (cm_pg_retry_outcome){event->id, NAMES[event->outcome],
                                                      event->error_type, event->message};
    }
    cm_status status = cm_pg_retry_settle(chunk->pg, outcomes, count, error);
    free(outcomes);
    return status;
}

static void report_chunk(const cm_retry_chunk *chunk, cm_retry_report *report)
{
    uint64_t *const counts[] = {[CM_RETRY_OPEN] = &report->left,
                                [CM_RETRY_RESOLVED] = &report->resolved,
                                [CM_RETRY_IGNORED] = &report->ignored,
                                [CM_RETRY_FAILED] = &report->failed};
    for (size_t i = 0; i < chunk->count; i++) {
        cm_retry_outcome outcome = chunk->events[i].outcome;
        if (outcome == CM_RETRY_LATER)
            continue;
        report->taken++;
        (*counts[outcome])++;
    }
    cm_match_counts_sum(&report->matched, &chunk->matched);
    cm_retry_left_out_most(&report->left_out, &chunk->left_out);
}

/* ---- a transaction ---- */

/* Of events whose kind nobody knew, conversions are the last turn's, and no others. */
static void put_off(cm_retry_chunk *chunk, const cm_pg_answer *taken, int turn)
{
    for (size_t i = 0; i < chunk->count; i++) {
        cm_retry_event *event = &chunk->events[i];
        const char *type = cm_pg_answer_text(taken, i, CM_PG_RETRY_EVENT_TYPE);
        bool is_known =
            type != NULL && (strcmp(type, "click") == 0 || strcmp(type, "conversion") == 0);
        bool is_conversion = event->outcome == CM_RETRY_OPEN && event->kind == CM_ROW_CONVERSION;
        if (!is_known && is_conversion != (turn == CM_PG_RETRY_TURN_LAST))
            event->outcome = CM_RETRY_LATER;
    }
}

static cm_status feed(cm_retry_chunk *chunk, const cm_pg_answer *taken, int turn, cm_error *error)
{
    bool dry_run = chunk->config->dry_run;
    cm_status status = cm_retry_read(chunk, taken, error);
    if (status == CM_OK)
        put_off(chunk, taken, turn);
    if (status == CM_OK)
        status = cm_retry_look_up(chunk, error);
    if (status == CM_OK)
        status = feed_clicks(chunk, error);
    if (status == CM_OK)
        status = feed_conversions(chunk, error);
    return status == CM_OK && !dry_run ? settle(chunk, error) : status;
}

static void chunk_destroy(cm_retry_chunk *chunk)
{
    cm_pg_sink_batch_destroy(&chunk->batch);
    cm_arena_destroy(&chunk->arena);
    free(chunk->events);
    free(chunk->in_batch);
}

static void go_past(const cm_pg_answer *taken, cm_pg_retry_place *place)
{
    size_t last = cm_pg_answer_rows(taken) - 1;
    (void)snprintf(place->after, sizeof place->after, "%s",
                   cm_pg_answer_text(taken, last, CM_PG_RETRY_CREATED_AT));
    (void)snprintf(place->after_id, sizeof place->after_id, "%s",
                   cm_pg_answer_text(taken, last, CM_PG_RETRY_ID));
}

/* All of it, or nothing. more: receives whether there was anything to take. */
static cm_status try_chunk(cm_retry_chunk *chunk, cm_pg_retry_place *place, bool *more,
                           cm_error *error)
{
    cm_pg_answer taken = {NULL};
    cm_status status = cm_pg_retry_begin(chunk->pg, error);
    if (status == CM_OK)
        status = cm_pg_retry_take(chunk->pg, chunk->config->values, place, &taken, error);
    *more = status == CM_OK && cm_pg_answer_rows(&taken) > 0;
    if (*more)
        status = feed(chunk, &taken, place->turn, error);
    if (status == CM_OK)
        status = cm_pg_retry_end(chunk->pg, chunk->config->dry_run, error);
    if (status == CM_OK && *more)
        go_past(&taken, place);
    cm_pg_answer_free(&taken);
    return status;
}

static cm_status run_chunk(const cm_retry_chunk *empty, cm_pg_retry_place *place, bool *more,
                           cm_retry_report *report, cm_error *error)
{
    for (unsigned attempt = 1;; attempt++) {
        cm_retry_chunk chunk = *empty;
        cm_status status = try_chunk(&chunk, place, more, error);
        if (status == CM_OK)
            report_chunk(&chunk, report);
        chunk_destroy(&chunk);
        if (status == CM_OK)
            return CM_OK;
        bool may_pass = status == CM_ERROR_DATABASE && cm_pg_retry_may_pass(empty->pg);
        cm_pg_rollback(empty->pg);
        if (!may_pass || attempt == ATTEMPTS_MAX)
            return status;
    }
}

static cm_status run_turn(const cm_retry_chunk *empty, int turn, const char *as_of,
                          cm_retry_report *report, cm_error *error)
{
    const cm_retry_config *config = empty->config;
    cm_pg_retry_place place = {.turn = turn, .as_of = as_of};
    cm_status status = CM_OK;
    for (bool more = true; more && status == CM_OK;) {
        status = run_chunk(empty, &place, &more, report, error);
        if (config->on_progress != NULL)
            config->on_progress(config->context, report->taken);
    }
    return status;
}

cm_status cm_retry_run(const cm_retry_config *config, cm_pg *pg, cm_retry_report *report,
                       cm_error *error)
{
    cm_pg_sink_shape shape = {.click_window_us = config->model->window_us};
    const cm_retry_chunk empty = {.config = config, .pg = pg, .shape = &shape};
    char as_of[CM_PG_TIME_BYTES];
    *report = (cm_retry_report){0};
    cm_status status = cm_pg_sink_session_begin(pg, error);
    if (status == CM_OK)
        status = cm_pg_sink_session_limits(pg, &shape, error);
    if (status == CM_OK)
        status = cm_pg_retry_clicks_begin(pg, config->schema, as_of, error);
    for (int turn = 0; turn < CM_PG_RETRY_TURNS && status == CM_OK; turn++) {
        if (turn == CM_PG_RETRY_TURN_LAST)
            status = cm_pg_retry_clicks_end(pg, config->schema, error);
        if (status == CM_OK)
            status = run_turn(&empty, turn, as_of, report, error);
    }
    cm_pg_encoder_destroy(&shape.encoder);
    return status;
}
