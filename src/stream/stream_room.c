#include "stream/stream_room.h"

#include "engine/load_limits.h"
#include "index/click_row_make.h"
#include "stream/stream_batch.h"

bool cm_stream_room_is_short(const cm_stream *stream)
{
    uint64_t bytes_max = stream->options.click_bytes_max;
    return bytes_max != 0 && cm_engine_click_bytes(stream->engine) > bytes_max;
}

/* One segment after the other: the next one's turn comes when this one's memory is free. */
int64_t cm_stream_room_horizon(const cm_stream *stream, int64_t due)
{
    const cm_click_index *index = &stream->engine->index;
    int64_t floor = index->catalog.store.findable_floor;
    if (index->dying != CM_NUMBER_NONE || floor == INT64_MAX || floor <= due ||
        !cm_stream_room_is_short(stream))
        return due;
    return floor;
}

/* The latest click time that a segment can have which nobody finds from a time on. */
static int64_t newest_click(const cm_stream *stream, int64_t last_findable)
{
    return last_findable - cm_click_findable_end(stream->engine->model, 0, 0);
}

void cm_stream_room_forget(cm_stream *stream, int64_t due, int64_t horizon, size_t budget)
{
    cm_click_index *index = &stream->engine->index;
    const cm_click_store *store = &index->catalog.store;
    int64_t dies_us = index->dying == CM_NUMBER_NONE ? store->findable_floor
                                                     : store->segments[index->dying]->last_findable;
    size_t forgotten = cm_click_index_forget(index, horizon, budget);
    if (dies_us == INT64_MAX || dies_us <= due || forgotten == 0)
        return;
    int64_t newest_us = newest_click(stream, dies_us);
    stream->counts.dropped += forgotten;
    if (newest_us > stream->counts.dropped_us)
        stream->counts.dropped_us = newest_us;
}

bool cm_stream_room_names_are_full(const cm_stream *stream)
{
    uint64_t bytes_max = stream->options.name_bytes_max;
    return bytes_max != 0 && cm_engine_name_bytes(stream->engine) > bytes_max;
}

static bool is_known(const cm_stream *stream, cm_slice tenant_id)
{
    const cm_click_index *index = &stream->engine->index;
    return cm_dictionary_find(&index->catalog.names[CM_NAME_TENANT], tenant_id,
                              cm_text_hash(&index->rules, tenant_id)) != CM_NUMBER_NONE;
}

/* Clicks that wait in the batch may be of further tenants; where blocks end must not matter. */
cm_status cm_stream_room_for_tenant(cm_stream *stream, cm_slice tenant_id, bool *has_room,
                                    cm_error *error)
{
    const cm_dictionary *tenants = &stream->engine->index.catalog.names[CM_NAME_TENANT];
    size_t tenants_max = stream->options.tenants_max;
    cm_status status = CM_OK;
    *has_room = true;
    if (tenants_max == 0 || tenants->used + stream->batch.click_count < tenants_max)
        return CM_OK;
    if (is_known(stream, tenant_id))
        return CM_OK;
    status = cm_stream_store(stream, error);
    *has_room = tenants->used < tenants_max || is_known(stream, tenant_id);
    return status;
}

/* A segment or two more are the usual state where clicks are dropped all the time. */
void cm_stream_fit(cm_stream *stream)
{
    const cm_click_store *store = &stream->engine->index.catalog.store;
    uint64_t bytes_max = stream->options.click_bytes_max;
    uint64_t bytes = cm_engine_click_bytes(stream->engine);
    uint64_t slack = store->live_count == 0 ? 0 : 2 * (bytes / store->live_count);
    while (bytes_max != 0 && cm_engine_click_bytes(stream->engine) > bytes_max + slack &&
           store->findable_floor != INT64_MAX)
        cm_stream_room_forget(stream, INT64_MIN, store->findable_floor, SIZE_MAX);
}
