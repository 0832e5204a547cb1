#include "match/layers.h"

/* What the clicks of the carried kinds come to, where none is active. */
struct finding {
    bool expired;
    bool invalid;
};

static int64_t findable_end(const cm_click_index *index, uint32_t click, int64_t expires_at)
{
    const cm_model *model = index->rules.model;
    int64_t end = cm_click_store_time(&index->catalog.store, click) + model->window_us;
    return (expires_at > end ? expires_at : end) + model->retention_us;
}

/* True where the click, which is not later than t, is active. */
static bool look_at(const cm_click_index *index, uint32_t click, int64_t t, struct finding *finding)
{
    int64_t expires_at = cm_click_store_expires_at(&index->catalog.store, click);
    bool valid = cm_click_row_is_valid(cm_click_store_row(&index->catalog.store, click));
    if (valid && t < expires_at)
        return true;
    if (t >= findable_end(index, click, expires_at))
        return false;
    if (valid)
        finding->expired = true;
    else
        finding->invalid = true;
    return false;
}

static uint32_t find_by_id(const cm_click_index *index, const cm_query *query,
                           struct finding *finding)
{
    uint64_t hash = query->keys.click_id_hash;
    uint32_t click = cm_click_id_find(&index->click_ids[cm_shard_of(hash)], &index->catalog,
                                      query->tenant, query->conversion->click_id, hash);
    if (click == CM_NUMBER_NONE || cm_click_store_time(&index->catalog.store, click) > query->t)
        return CM_NUMBER_NONE;
    return look_at(index, click, query->t, finding) ? click : CM_NUMBER_NONE;
}

static uint32_t find_by_param(const cm_click_index *index, const cm_query *query,
                              cm_param_kind kind, struct finding *finding)
{
    uint64_t hash = query->keys.param_hashes[kind];
    const cm_postings *shard = &index->params[kind][cm_shard_of(hash)];
    uint32_t reference =
        cm_param_find(shard, &index->catalog, kind, query->tenant, query->keys.params[kind], hash);
    cm_list list = cm_postings_list(shard, reference);
    cm_cursor cursor =
        cm_list_walk(&shard->lists, &list, cm_list_rank(&shard->lists, &list, query->t));
    for (;;) {
        uint32_t click = cm_cursor_next(&shard->lists, &cursor);
        if (click == CM_NUMBER_NONE || look_at(index, click, query->t, finding))
            return click;
    }
}

cm_layer_word cm_layer_1(const cm_click_index *index, const cm_query *query, uint32_t *click)
{
    const cm_slice *params = query->keys.params;
    bool has_id = query->conversion->click_id.size > 0;
    if (!has_id && params[CM_PARAM_FBCLID].size == 0 && params[CM_PARAM_GCLID].size == 0)
        return CM_LAYER_NO_PARAM;
    if (query->tenant == CM_NUMBER_NONE)
        return CM_LAYER_NO_MATCH;
    struct finding finding = {0};
    *click = has_id ? find_by_id(index, query, &finding) : CM_NUMBER_NONE;
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT && *click == CM_NUMBER_NONE; kind++)
        if (params[kind].size > 0)
            *click = find_by_param(index, query, (cm_param_kind)kind, &finding);
    if (*click != CM_NUMBER_NONE)
        return CM_LAYER_SUCCESS;
    if (finding.expired)
        return CM_LAYER_EXPIRED;
    return finding.invalid ? CM_LAYER_INVALID : CM_LAYER_NO_MATCH;
}
