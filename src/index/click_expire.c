/* Segments whose clicks are all beyond finding are dismantled, some clicks at a time. */
#include "index/click_unlist.h"
#include "index/list_tidy.h"

bool cm_click_index_has_dead(const cm_click_index *index, int64_t horizon)
{
    return index->dying != CM_NUMBER_NONE ||
           cm_name_sweep_is_due(&index->sweep, &index->catalog.store) ||
           cm_click_store_has_dead(&index->catalog.store, horizon) ||
           cm_click_writer_is_dead(&index->writer, horizon) ||
           cm_click_writer_is_dead(&index->ahead, horizon);
}

/* Choose the next segment to dismantle. False: there is none. */
static bool begin_segment(cm_click_index *index, int64_t horizon)
{
    cm_click_store *store = &index->catalog.store;
    if (cm_click_writer_is_dead(&index->writer, horizon))
        cm_click_store_close(store, &index->writer);
    if (cm_click_writer_is_dead(&index->ahead, horizon))
        cm_click_store_close(store, &index->ahead);
    index->dying = cm_click_store_take_dead(store, horizon);
    return index->dying != CM_NUMBER_NONE;
}

static void end_segment(cm_click_index *index)
{
    cm_click_store_free_segment(&index->catalog.store, index->dying);
    index->dying = CM_NUMBER_NONE;
}

/* What the next call begins with is there by then. */
static void look_ahead(const cm_click_index *index, const cm_segment *segment)
{
    uint32_t left = segment->count - segment->unlisted;
    uint32_t first = index->dying << CM_SEGMENT_BITS | segment->unlisted;
    cm_click_index_unlist_soon(index, first, left < CM_UNLIST_BATCH ? left : CM_UNLIST_BATCH);
}

/* Some clicks of the dying segment; the budget goes down by each that is passed. */
static size_t dismantle(cm_click_index *index, size_t *budget)
{
    cm_segment *segment = index->catalog.store.segments[index->dying];
    uint32_t forgotten = 0;
    while (*budget > 0 && segment->unlisted < segment->count) {
        uint32_t left = segment->count - segment->unlisted;
        uint32_t count = left < CM_UNLIST_BATCH ? left : CM_UNLIST_BATCH;
        if (count > *budget)
            count = (uint32_t)*budget;
        uint32_t first = index->dying << CM_SEGMENT_BITS | segment->unlisted;
        forgotten += cm_click_index_unlist(index, first, count);
        segment->unlisted += count;
        *budget -= count;
    }
    segment->forgotten += forgotten;
    if (segment->unlisted == segment->count)
        end_segment(index);
    else
        look_ahead(index, segment);
    return forgotten;
}

/* Lists of one shard of one index at most. */
static bool tidy_shard(cm_click_index *index, size_t shard)
{
    cm_fingerprint_shard *fingerprints = &index->fingerprints[shard];
    cm_address_shard *addresses = &index->addresses[shard];
    if (cm_lists_tidy(&fingerprints->lists, &fingerprints->groups))
        return true;
    for (size_t kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (cm_lists_tidy(&index->params[kind][shard].lists, &index->params[kind][shard].groups))
            return true;
    return cm_lists_tidy(&addresses->buckets.lists, &addresses->buckets.groups) ||
           cm_lists_tidy(&addresses->types.lists, &addresses->types.groups);
}

static void tidy_all(cm_click_index *index)
{
    for (size_t shard = 0; shard < CM_SHARDS; shard++)
        while (tidy_shard(index, shard))
            ;
}

size_t cm_click_index_forget(cm_click_index *index, int64_t horizon, size_t budget)
{
    size_t forgotten = 0, names = budget;
    while (budget > 0 && (index->dying != CM_NUMBER_NONE || begin_segment(index, horizon)))
        forgotten += dismantle(index, &budget);
    if (cm_name_sweep_is_due(&index->sweep, &index->catalog.store))
        cm_name_sweep_go_on(&index->sweep, &index->rules, &index->catalog, names);
    if (forgotten > 0)
        (void)tidy_shard(index, index->tidied++ % CM_SHARDS);
    return forgotten;
}

uint32_t cm_click_index_next_dead(const cm_click_index *index)
{
    if (index->dying == CM_NUMBER_NONE)
        return index->dying;
    return index->dying << CM_SEGMENT_BITS | index->catalog.store.segments[index->dying]->unlisted;
}

size_t cm_click_index_expire(cm_click_index *index, int64_t watermark)
{
    size_t forgotten = 0;
    while (cm_click_index_has_dead(index, watermark))
        forgotten += cm_click_index_forget(index, watermark, SIZE_MAX);
    if (forgotten > 0)
        tidy_all(index);
    return forgotten;
}
