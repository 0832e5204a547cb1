/* Clicks out of the indexes, some at a time, and their segments with them. */
#include "index/click_index.h"
#include "util/check.h"

static void unlist_params(cm_click_index *index, uint32_t click, uint32_t tenant,
                          uint64_t tenant_hash)
{
    cm_click_texts texts = cm_click_store_texts(&index->catalog.store, click);
    const cm_slice values[CM_PARAM_KIND_COUNT] = {texts.fbclid, texts.gclid};
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++) {
        if (values[kind].size == 0)
            continue;
        uint64_t hash = cm_param_hash(tenant_hash, (cm_param_kind)kind, values[kind]);
        cm_postings *shard = &index->params[kind][cm_shard_of(hash)];
        uint32_t reference =
            cm_param_find(shard, &index->catalog, (cm_param_kind)kind, tenant, values[kind], hash);
        CM_CHECK(reference != CM_NUMBER_NONE);
        cm_postings_remove(shard, hash, reference, click);
    }
}

static void unlist_fingerprint(cm_click_index *index, const cm_click_row *row, uint32_t click,
                               uint64_t tenant_hash)
{
    cm_fingerprint_shard *shard = &index->fingerprints[row->fingerprint & (CM_SHARDS - 1)];
    uint32_t group = row->fingerprint >> CM_SHARD_BITS;
    uint64_t hash =
        cm_fingerprint_hash(tenant_hash, cm_fingerprint_group_at(shard, group)->fingerprint);
    cm_fingerprint_remove(shard, group, hash, click);
}

static void unlist_address(cm_click_index *index, const cm_click_row *row, uint32_t click,
                           uint32_t tenant, uint64_t tenant_hash)
{
    unsigned kind = cm_click_row_address_kind(row);
    cm_bucket_key key = {tenant, kind, row->address, 0};
    if (kind == CM_ROW_IPV6 && index->rules.model->ipv6_prefix > 64) {
        cm_slice bucket =
            cm_catalog_name(&index->catalog, CM_NAME_WIDE_BUCKET, (uint32_t)row->address);
        key.hash = cm_wide_bucket_hash(tenant_hash, (const uint8_t *)bucket.data);
    } else {
        key.hash = cm_bucket_hash(tenant_hash, kind, row->address);
    }
    cm_address_remove(&index->addresses[cm_shard_of(key.hash)], &index->catalog, &key, row->who,
                      click);
}

static void unlist_click(cm_click_index *index, uint32_t click)
{
    const cm_click_row *row = cm_click_store_row(&index->catalog.store, click);
    uint32_t tenant = cm_catalog_tenant(&index->catalog, click);
    uint64_t tenant_hash =
        cm_text_hash(&index->rules, cm_catalog_name(&index->catalog, CM_NAME_TENANT, tenant));
    uint64_t id_hash =
        cm_click_id_hash(tenant_hash, cm_click_store_id(&index->catalog.store, click));
    cm_table_remove(&index->click_ids[cm_shard_of(id_hash)], id_hash, click);
    unlist_params(index, click, tenant, tenant_hash);
    if (!cm_click_row_is_valid(row))
        return;
    cm_list_remove(&index->tenants.lists, &index->tenants.of[tenant], click);
    if (row->fingerprint != CM_NUMBER_MISSING)
        unlist_fingerprint(index, row, click, tenant_hash);
    if (cm_click_row_address_kind(row) != 0)
        unlist_address(index, row, click, tenant, tenant_hash);
}

bool cm_click_index_has_dead(const cm_click_index *index, int64_t horizon)
{
    return index->dying != CM_NUMBER_NONE ||
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

/* The next click of the dying segment. */
static void forget_click(cm_click_index *index, cm_segment *segment)
{
    uint32_t row = segment->unlisted++;
    if (segment->rows[row].time & CM_ROW_DUPLICATE)
        return;
    unlist_click(index, index->dying << CM_SEGMENT_BITS | row);
    segment->forgotten++;
}

/* Some clicks of the dying segment; the budget goes down by each that is passed. */
static size_t dismantle(cm_click_index *index, size_t *budget)
{
    cm_segment *segment = index->catalog.store.segments[index->dying];
    uint32_t before = segment->forgotten;
    for (; *budget > 0 && segment->unlisted < segment->count; --*budget)
        forget_click(index, segment);
    uint32_t forgotten = segment->forgotten - before;
    if (segment->unlisted == segment->count)
        end_segment(index);
    return forgotten;
}

size_t cm_click_index_forget(cm_click_index *index, int64_t horizon, size_t budget)
{
    size_t forgotten = 0;
    while (budget > 0 && (index->dying != CM_NUMBER_NONE || begin_segment(index, horizon)))
        forgotten += dismantle(index, &budget);
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
    return forgotten;
}
