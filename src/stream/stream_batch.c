#include "stream/stream_batch.h"

#include <stdlib.h>

static cm_status make_keys(cm_stream *stream, const cm_click *clicks, size_t count,
                           cm_click_keys *keys, cm_error *error)
{
    cm_arena_reset(&stream->scratch.arena);
    for (size_t i = 0; i < count; i++)
        if (!cm_click_keys_make(&stream->engine->index.rules, &clicks[i], &stream->scratch,
                                &keys[i]))
            return cm_error_memory(error, "the keys of clicks", count * sizeof *keys);
    return CM_OK;
}

/* Clicks that follow one another and are of one kind. */
static cm_status store_run(cm_stream *stream, size_t first, size_t end, cm_error *error)
{
    cm_stream_batch *batch = &stream->batch;
    cm_click_index *index = &stream->engine->index;
    uint64_t *duplicates = &stream->counts.kinds[CM_ROW_CLICK].duplicates;
    cm_click_keys keys[CM_STREAM_BATCH];
    size_t done;
    cm_status status = make_keys(stream, batch->clicks + first, end - first, keys, error);
    if (status != CM_OK)
        return status;
    if (batch->are_lasting[first])
        return cm_click_index_insert_ahead(index, batch->clicks + first, keys, end - first,
                                           duplicates, &done, error);
    return cm_click_index_insert(index, batch->clicks + first, keys, end - first, duplicates, &done,
                                 error);
}

cm_status cm_stream_store(cm_stream *stream, cm_error *error)
{
    cm_stream_batch *batch = &stream->batch;
    size_t count = batch->click_count;
    cm_status status = CM_OK;
    batch->click_count = 0;
    for (size_t at = 0, end; at < count && status == CM_OK; at = end) {
        for (end = at + 1; end < count && batch->are_lasting[end] == batch->are_lasting[at];)
            end++;
        status = store_run(stream, at, end, error);
    }
    return status;
}

cm_status cm_stream_add_click(cm_stream *stream, const cm_click *click, bool is_lasting,
                              cm_error *error)
{
    cm_stream_batch *batch = &stream->batch;
    cm_status status = CM_OK;
    /* A conversion that came before this click must not see it. */
    if (batch->conversion_count > 0 && click->click_timestamp <= batch->newest_us)
        status = cm_stream_settle(stream, error);
    else if (batch->click_count == CM_STREAM_BATCH)
        status = cm_stream_store(stream, error);
    if (status != CM_OK)
        return status;
    batch->are_lasting[batch->click_count] = is_lasting;
    batch->clicks[batch->click_count++] = *click;
    return CM_OK;
}

cm_status cm_stream_add_conversion(cm_stream *stream, const cm_conversion *conversion,
                                   const cm_stream_conversion *from, cm_error *error)
{
    cm_stream_batch *batch = &stream->batch;
    int64_t time_us = conversion->conversion_timestamp;
    cm_status status = CM_OK;
    if (batch->conversion_count == CM_STREAM_BATCH)
        status = cm_stream_settle(stream, error);
    if (status != CM_OK)
        return status;
    size_t at = batch->conversion_count++;
    batch->conversions[at] = *conversion;
    batch->from[at] = *from;
    batch->from[at].values = NULL;
    if (stream->listener.needs_values) {
        memcpy(batch->values[at], from->values, sizeof batch->values[at]);
        batch->from[at].values = batch->values[at];
    }
    batch->oldest_us = at == 0 || time_us < batch->oldest_us ? time_us : batch->oldest_us;
    batch->newest_us = at == 0 || time_us > batch->newest_us ? time_us : batch->newest_us;
    return CM_OK;
}

cm_status cm_stream_keep_line(cm_stream *stream, cm_held_line *line, cm_error *error)
{
    cm_stream_batch *batch = &stream->batch;
    cm_status status = CM_OK;
    if (batch->line_count == CM_STREAM_BATCH)
        status = cm_stream_settle(stream, error);
    batch->lines[batch->line_count++] = line;
    return status;
}

static cm_status match(cm_stream *stream, cm_error *error)
{
    cm_stream_batch *batch = &stream->batch;
    size_t count = batch->conversion_count;
    if (count == 0)
        return CM_OK;
    cm_status status =
        cm_matcher_run(&stream->matcher, batch->conversions, count, batch->results, error);
    for (size_t i = 0; i < count && status == CM_OK; i++)
        cm_match_counts_add(&stream->counts.matched, &batch->results[i]);
    if (status == CM_OK && stream->listener.results != NULL)
        status = stream->listener.results(stream->listener.context, batch->from, batch->conversions,
                                          batch->results, count, error);
    return status;
}

cm_status cm_stream_settle(cm_stream *stream, cm_error *error)
{
    cm_stream_batch *batch = &stream->batch;
    cm_status status = cm_stream_store(stream, error);
    if (status == CM_OK)
        status = match(stream, error);
    batch->conversion_count = 0;
    while (batch->line_count > 0)
        free(batch->lines[--batch->line_count]);
    return status;
}
