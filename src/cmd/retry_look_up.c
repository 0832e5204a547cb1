/* What the tables hold of dead events: rows that `batch` refused, and conversions that are there
 * already. Of those it is the row that counts, as it is for `batch`. */
#include <stdlib.h>

#include "cmd/retry_chunk.h"
#include "model/build.h"
#include "model/copy.h"
#include "pg/pg_dead.h"
#include "util/error.h"

static bool is_open(const cm_retry_event *event, cm_row_kind kind)
{
    return event->outcome == CM_RETRY_OPEN && event->kind == kind;
}

/* ---- a row ---- */

static cm_status keep(cm_retry_chunk *chunk, cm_retry_event *event, const cm_pg_row *row,
                      cm_error *error)
{
    const cm_build_options *options = &chunk->config->build;
    cm_click click;
    cm_conversion conversion;
    cm_reject why;
    bool is_click = event->kind == CM_ROW_CLICK;
    cm_status status =
        is_click
            ? cm_click_build(row->values, options, &chunk->arena, NULL, &click, &why)
            : cm_conversion_build(row->values, options, &chunk->arena, NULL, &conversion, &why);
    event->is_stored = true;
    event->type = event->value = (cm_value){0};
    if (status == CM_ERROR_FORMAT)
        return cm_retry_refuse(chunk, event, "malformed",
                               why.field == CM_FIELD_NONE ? NULL
                                                          : cm_field_name(event->kind, why.field),
                               why.reason, error);
    if (status == CM_OK && is_click)
        cm_retry_end_event(event, CM_RETRY_RESOLVED, NULL,
                           CM_SLICE("retried: the row of click_tracking is well-formed now"));
    else if (status != CM_OK ||
             !cm_conversion_copy(&conversion, &chunk->arena, &event->of.conversion))
        return cm_error_memory(error, "a row", sizeof *row);
    return CM_OK;
}

static bool is_of(const cm_retry_event *event, const cm_pg_row *row)
{
    const cm_conversion *conversion = &event->of.conversion;
    if (event->is_row)
        return memcmp(event->key, row->id, CM_UUID_BYTES) == 0;
    return cm_slice_equal(conversion->conversion_id,
                          row->values[CM_CONVERSION_CONVERSION_ID].text) &&
           cm_slice_equal(conversion->tenant_id, row->values[CM_CONVERSION_TENANT_ID].text);
}

static cm_status take_row(cm_retry_chunk *chunk, cm_row_kind kind, const cm_pg_row *row,
                          cm_error *error)
{
    cm_status status = CM_OK;
    for (size_t i = 0; i < chunk->count && status == CM_OK; i++) {
        cm_retry_event *event = &chunk->events[i];
        bool is_sought = kind == CM_ROW_CONVERSION || event->is_row;
        if (is_sought && is_open(event, kind) && !event->is_stored && is_of(event, row))
            status = keep(chunk, event, row, error);
    }
    return status;
}

static cm_status take_rows(cm_retry_chunk *chunk, cm_row_kind kind, cm_pg_rows *rows,
                           cm_error *error)
{
    cm_pg_row row;
    bool more = true, found = true;
    cm_status status = CM_OK;
    while (status == CM_OK && more) {
        status = cm_pg_rows_fetch(rows, &more, error);
        for (found = more; status == CM_OK && found;) {
            status = cm_pg_rows_next(rows, &row, &found, error);
            if (status == CM_OK && found)
                status = take_row(chunk, kind, &row, error);
        }
    }
    return status;
}

/* ---- which rows ---- */

static void name(const cm_retry_event *event, cm_buffer *ids, cm_buffer *conversions)
{
    char id[2 * CM_UUID_BYTES + 1];
    cm_slice conversion = event->of.conversion.conversion_id;
    if (event->is_row) {
        cm_pg_uuid_text(event->key, id);
        cm_pg_array_add(ids, id, sizeof id - 1);
    } else if (event->kind == CM_ROW_CONVERSION) {
        cm_pg_array_add(conversions, conversion.data, conversion.size);
    }
}

static cm_status look_up(cm_retry_chunk *chunk, cm_row_kind kind, cm_error *error)
{
    cm_buffer ids = {0}, conversions = {0};
    cm_pg_rows rows = {0};
    cm_status status = CM_OK;
    for (size_t i = 0; i < chunk->count; i++)
        if (is_open(&chunk->events[i], kind))
            name(&chunk->events[i], &ids, &conversions);
    bool is_any = ids.size + conversions.size > 0;
    cm_pg_array_end(&ids);
    cm_pg_array_end(&conversions);
    if (ids.failed || conversions.failed)
        status = cm_error_memory(error, "ids of rows", ids.size + conversions.size);
    else if (is_any)
        status = cm_pg_retry_rows(chunk->pg, kind, ids.data, conversions.data, &rows, error);
    if (is_any && status == CM_OK)
        status = take_rows(chunk, kind, &rows, error);
    cm_pg_rows_close(&rows);
    cm_buffer_destroy(&ids);
    cm_buffer_destroy(&conversions);
    return status;
}

/* ---- conversions that come twice ---- */

/* By what a conversion is called, then as they came. */
static int by_conversion(const void *a, const void *b)
{
    const cm_retry_event *first = *(cm_retry_event *const *)a;
    const cm_retry_event *second = *(cm_retry_event *const *)b;
    const cm_conversion *one = &first->of.conversion, *other = &second->of.conversion;
    int order = cm_slice_compare(one->conversion_id, other->conversion_id);
    if (order == 0)
        order = cm_slice_compare(one->tenant_id, other->tenant_id);
    return order != 0 ? order : (first > second) - (first < second);
}

static bool is_same(const cm_retry_event *a, const cm_retry_event *b)
{
    return cm_slice_equal(a->of.conversion.conversion_id, b->of.conversion.conversion_id) &&
           cm_slice_equal(a->of.conversion.tenant_id, b->of.conversion.tenant_id);
}

/* Of two that are not in the table the first counts: docs/matching.md, 1. */
static void find_twins(cm_retry_chunk *chunk)
{
    size_t count = 0;
    for (size_t i = 0; i < chunk->count; i++)
        if (is_open(&chunk->events[i], CM_ROW_CONVERSION) && !chunk->events[i].is_stored)
            chunk->in_batch[count++] = &chunk->events[i];
    qsort(chunk->in_batch, count, sizeof(cm_retry_event *), by_conversion);
    for (size_t i = 1; i < count; i++) {
        cm_retry_event *before = chunk->in_batch[i - 1];
        if (is_same(before, chunk->in_batch[i]))
            chunk->in_batch[i]->twin = before->twin != NULL ? before->twin : before;
    }
}

cm_status cm_retry_look_up(cm_retry_chunk *chunk, cm_error *error)
{
    cm_status status = look_up(chunk, CM_ROW_CLICK, error);
    if (status == CM_OK)
        status = look_up(chunk, CM_ROW_CONVERSION, error);
    for (size_t i = 0; i < chunk->count && status == CM_OK; i++) {
        cm_retry_event *event = &chunk->events[i];
        if (event->outcome == CM_RETRY_OPEN && event->is_row && !event->is_stored)
            cm_retry_end_event(event, CM_RETRY_IGNORED, NULL,
                               CM_SLICE("retried: the row is no longer in its table"));
    }
    find_twins(chunk);
    return status;
}
