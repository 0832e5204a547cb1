#include "cmd/explain_stored.h"

#include <stdio.h>
#include <string.h>

#include "explain/words.h"
#include "io/result_writer.h"
#include "pg/pg_explain.h"
#include "pg/pg_period.h"
#include "pg/pg_result.h"
#include "util/error.h"

#define DIFFERENCES_MAX 8
#define REASONS_MAX 8
#define NAMED_MAX 5 /* clicks that a reason names; the others are counted */

/* What is made: the view and what it points to, all in the arena. */
struct making {
    cm_explained *explained;
    cm_stored_view *view;
    cm_stored_difference *differences;
    const char **reasons;
    const char *conversion, *tenant; /* NUL-terminated */
    bool failed;                     /* memory is short */
};

static const char *keep(struct making *making, const char *text, size_t size)
{
    char *kept = cm_arena_take(&making->explained->arena, size + 1);
    if (kept == NULL) {
        making->failed = true;
        return "";
    }
    if (size > 0)
        memcpy(kept, text, size);
    kept[size] = '\0';
    return kept;
}

/* A buffer's text, which is freed. */
static const char *keep_buffer(struct making *making, cm_buffer *buffer)
{
    making->failed |= buffer->failed;
    const char *kept = keep(making, buffer->data, buffer->failed ? 0 : buffer->size);
    cm_buffer_destroy(buffer);
    return kept;
}

/* ---- differences ---- */

static void compare(struct making *making, const char *field, const char *stored, cm_buffer *now)
{
    const char *now_text = keep_buffer(making, now);
    if (stored == NULL)
        stored = "none";
    if (strcmp(stored, now_text) == 0)
        return;
    making->differences[making->view->difference_count++] =
        (cm_stored_difference){field, keep(making, stored, strlen(stored)), now_text};
}

static void compare_text(struct making *making, const char *field, const char *stored, cm_slice now)
{
    cm_buffer buffer = {0};
    cm_buffer_append_slice(&buffer, now.size == 0 ? CM_SLICE("none") : now);
    compare(making, field, stored, &buffer);
}

static void compare_share(struct making *making, const char *field, const char *stored, double now,
                          unsigned decimals)
{
    cm_buffer buffer = {0};
    cm_buffer_append_share(&buffer, now, decimals);
    compare(making, field, stored, &buffer);
}

static void compare_hours(struct making *making, const char *stored, int64_t hours)
{
    cm_buffer buffer = {0};
    if (hours < 0)
        cm_buffer_append_text(&buffer, "none");
    else
        cm_buffer_append_u64(&buffer, (uint64_t)hours);
    compare(making, "attribution_window_hours", stored, &buffer);
}

static void compare_fields(struct making *making, const cm_pg_answer *answer, cm_slice candidates)
{
    const cm_result *now = &making->explained->trace->result;
    const char *is_attributed = cm_pg_answer_text(answer, 0, CM_PG_STORED_IS_ATTRIBUTED);
    const char *click_id = cm_pg_answer_text(answer, 0, CM_PG_STORED_CLICK_ID);
    if (click_id == NULL && is_attributed != NULL && is_attributed[0] == 't')
        click_id = "one that is gone";
    compare_text(making, "attribution_method", cm_pg_answer_text(answer, 0, CM_PG_STORED_METHOD),
                 cm_slice_of_text(cm_method_name(now->method)));
    compare_text(making, "click_id", click_id, now->click.click_id);
    compare_share(making, "attribution_confidence",
                  cm_pg_answer_text(answer, 0, CM_PG_STORED_CONFIDENCE), now->confidence, 4);
    compare_share(making, "match_probability",
                  cm_pg_answer_text(answer, 0, CM_PG_STORED_PROBABILITY), now->probability, 6);
    compare_hours(making, cm_pg_answer_text(answer, 0, CM_PG_STORED_HOURS), now->window_hours);
    compare_text(making, "candidates", cm_pg_answer_text(answer, 0, CM_PG_STORED_CANDIDATES),
                 candidates);
    compare_text(making, "model", making->view->model,
                 cm_slice_of_text(cm_model_label(making->explained->model)));
}

/* ---- reasons ---- */

static void add_reason(struct making *making, cm_buffer *buffer)
{
    making->reasons[making->view->reason_count++] = keep_buffer(making, buffer);
}

/* "Named by it and gone: 2 clicks: a, b." Nothing where the answer has none of a word. */
static void add_clicks(struct making *making, const cm_pg_answer *answer, const char *word,
                       const char *says)
{
    cm_buffer names = {0};
    cm_buffer reason = {0};
    uint64_t count = 0;
    for (size_t row = 0; row < cm_pg_answer_rows(answer); row++) {
        if (strcmp(cm_pg_answer_text(answer, row, 0), word) != 0)
            continue;
        if (count++ < NAMED_MAX) {
            cm_words(&names, count == 1 ? "" : ", ");
            cm_words_text(&names, cm_slice_of_text(cm_pg_answer_text(answer, row, 1)));
        }
    }
    cm_words(&reason, "%s: ", says);
    cm_words_number_of(&reason, count, "click");
    cm_words(&reason, ": ");
    cm_buffer_append(&reason, names.data, names.size);
    cm_words(&reason, count > NAMED_MAX ? " and others." : ".");
    reason.failed |= names.failed;
    cm_buffer_destroy(&names);
    if (count > 0)
        add_reason(making, &reason);
    else
        cm_buffer_destroy(&reason);
}

static void add_model(struct making *making)
{
    const char *label = cm_model_label(making->explained->model);
    const char *stored = making->view->model;
    cm_buffer reason = {0};
    if (stored != NULL && strcmp(stored, label) == 0)
        return;
    if (stored == NULL)
        cm_words(&reason, "It names no model: another program than clickmatch has stored it.");
    else
        cm_words(&reason, "Another model: %.250s gave it, this is %.250s (%s).", stored, label,
                 making->explained->model_origin);
    add_reason(making, &reason);
}

static void add_unknown(struct making *making)
{
    cm_buffer reason = {0};
    if (making->view->reason_count > 0)
        return;
    cm_words(&reason,
             "Model and clicks are the same as far as can be told: the conversion or a click has "
             "been changed since. batch brings the stored result up to date.");
    add_reason(making, &reason);
}

/* The clicks that count now, as an array literal. */
static void list_clicks(const cm_trace *trace, cm_buffer *array)
{
    cm_slice winner = trace->result.click.click_id;
    if (winner.size > 0)
        cm_pg_array_add(array, winner.data, winner.size);
    for (size_t at = 0; at < CM_LAYER_COUNT; at++)
        for (size_t i = 0; i < trace->layers[at].candidate_count; i++) {
            cm_slice id = trace->layers[at].candidates[i].click_id;
            cm_pg_array_add(array, id.data, id.size);
        }
    cm_pg_array_end(array);
}

static cm_status find_reasons(struct making *making, cm_pg *pg, cm_error *error)
{
    cm_pg_answer answer = {NULL};
    cm_buffer clicks = {0};
    list_clicks(making->explained->trace, &clicks);
    if (clicks.failed)
        return cm_error_memory(error, "the clicks", clicks.size);
    cm_status status =
        cm_pg_explain_changes(pg, making->conversion, making->tenant, clicks.data, &answer, error);
    cm_buffer_destroy(&clicks);
    if (status != CM_OK)
        return status;
    add_model(making);
    add_clicks(making, &answer, "newer", "Came to the table since and count now");
    add_clicks(making, &answer, "gone", "Named by it and gone from the table");
    add_clicks(making, &answer, "flagged", "Named by it and flagged invalid now");
    add_unknown(making);
    cm_pg_answer_free(&answer);
    return CM_OK;
}

/* ---- the whole ---- */

/* Does the result differ, byte for byte, and what are its candidates as JSON? */
static bool has_changed(struct making *making, const char *id, cm_slice stored,
                        const char **candidates)
{
    cm_pg_encoder encoder = {0};
    cm_buffer row = {0};
    bool changed = cm_pg_result_encode(&encoder, id, stored, &making->explained->trace->result,
                                       cm_model_label(making->explained->model), &row);
    making->failed |= row.failed;
    *candidates = keep(making, encoder.candidates.data, encoder.candidates.size);
    cm_buffer_destroy(&row);
    cm_pg_encoder_destroy(&encoder);
    return changed;
}

static void view_stored(struct making *making, const cm_pg_answer *answer, const char *id,
                        cm_slice stored)
{
    const char *candidates;
    const char *model = cm_pg_answer_text(answer, 0, CM_PG_STORED_MODEL);
    const char *when = cm_pg_answer_text(answer, 0, CM_PG_STORED_WHEN);
    cm_stored_view *view = making->view;
    view->is_stored = cm_pg_answer_text(answer, 0, CM_PG_STORED_METHOD) != NULL;
    view->agrees = !has_changed(making, id, stored, &candidates);
    view->model = model == NULL ? NULL : keep(making, model, strlen(model));
    view->when = when == NULL ? NULL : keep(making, when, strlen(when));
    if (view->is_stored && !view->agrees)
        compare_fields(making, answer, cm_slice_of_text(candidates));
}

static bool make_room(struct making *making)
{
    cm_arena *arena = &making->explained->arena;
    making->view = cm_arena_take(arena, sizeof *making->view);
    making->differences = cm_arena_take(arena, DIFFERENCES_MAX * sizeof *making->differences);
    making->reasons = cm_arena_take(arena, REASONS_MAX * sizeof *making->reasons);
    if (making->view == NULL || making->differences == NULL || making->reasons == NULL)
        return false;
    *making->view =
        (cm_stored_view){.differences = making->differences, .reasons = making->reasons};
    const cm_conversion *conversion = &making->explained->conversion;
    making->conversion =
        keep(making, conversion->conversion_id.data, conversion->conversion_id.size);
    making->tenant = keep(making, conversion->tenant_id.data, conversion->tenant_id.size);
    return !making->failed;
}

cm_status cm_explain_stored(cm_explained *explained, cm_pg *pg, const char *id, cm_slice stored,
                            cm_error *error)
{
    struct making making = {.explained = explained};
    cm_pg_answer answer = {NULL};
    if (!make_room(&making))
        return cm_error_memory(error, "the stored result", sizeof *making.view);
    cm_status status = cm_pg_explain_stored(pg, making.conversion, making.tenant, &answer, error);
    if (status == CM_OK)
        view_stored(&making, &answer, id, stored);
    cm_pg_answer_free(&answer);
    if (status == CM_OK && making.view->is_stored && !making.view->agrees)
        status = find_reasons(&making, pg, error);
    if (status == CM_OK && making.failed)
        status = cm_error_memory(error, "the stored result", sizeof *making.view);
    explained->stored = making.view;
    return status;
}
