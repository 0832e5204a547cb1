/*
 * Clicks one by one: all of a click, or nothing. First everything that can fail (finding where it
 * belongs, making room), then everything that changes.
 */
#include "index/click_row_make.h"
#include "index/click_warm.h"
#include "index/list_bulk.h"

/* What is known of a click before anything changes. */
struct insertion {
    const cm_click_keys *keys;
    cm_click_writer *writer;
    cm_new_click click;
    cm_bucket_key bucket;
    uint32_t params[CM_PARAM_KIND_COUNT]; /* references */
    uint32_t fingerprint;                 /* group */
    uint32_t address;                     /* reference */
};

static cm_postings *param_shard(cm_click_index *index, const cm_click_keys *keys, unsigned kind)
{
    return &index->params[kind][cm_shard_of(keys->param_hashes[kind])];
}

static bool is_listed(const struct insertion *insertion)
{
    return cm_click_row_is_valid(&insertion->click.row);
}

static bool has_fingerprint(const struct insertion *insertion)
{
    return is_listed(insertion) && insertion->keys->device.has_fingerprint;
}

static bool has_address(const struct insertion *insertion)
{
    return is_listed(insertion) && insertion->keys->device.address_kind != 0;
}

static cm_status prepare_store(cm_click_index *index, const struct insertion *insertion,
                               cm_error *error)
{
    cm_table *ids = &index->click_ids[cm_shard_of(insertion->keys->click_id_hash)];
    if (!cm_table_reserve_one(ids))
        return cm_error_memory(error, "the click ids", cm_table_memory(ids));
    return cm_click_writer_reserve(insertion->writer, &insertion->click.texts, error);
}

static cm_status prepare_params(cm_click_index *index, struct insertion *insertion, cm_error *error)
{
    const cm_click_keys *keys = insertion->keys;
    cm_status status = CM_OK;
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT && status == CM_OK; kind++) {
        if (keys->params[kind].size == 0)
            continue;
        cm_postings *shard = param_shard(index, keys, kind);
        insertion->params[kind] =
            cm_param_find(shard, &index->catalog, (cm_param_kind)kind, insertion->click.tenant,
                          keys->params[kind], keys->param_hashes[kind]);
        status = cm_postings_reserve(shard, insertion->params[kind], error);
    }
    return status;
}

static cm_status prepare_fingerprint(cm_click_index *index, struct insertion *insertion,
                                     cm_error *error)
{
    const cm_device_keys *keys = &insertion->keys->device;
    if (!has_fingerprint(insertion))
        return CM_OK;
    cm_fingerprint_shard *shard = &index->fingerprints[cm_shard_of(keys->fingerprint_hash)];
    insertion->fingerprint = cm_fingerprint_find(shard, insertion->click.tenant, keys->fingerprint,
                                                 keys->fingerprint_hash);
    return cm_fingerprint_reserve(shard, insertion->fingerprint, error);
}

static cm_status prepare_address(cm_click_index *index, struct insertion *insertion,
                                 cm_error *error)
{
    const cm_device_keys *keys = &insertion->keys->device;
    if (!has_address(insertion))
        return CM_OK;
    cm_address_shard *shard = &index->addresses[cm_shard_of(keys->bucket_hash)];
    insertion->bucket = (cm_bucket_key){insertion->click.tenant, keys->address_kind,
                                        insertion->click.row.address, keys->bucket_hash};
    insertion->address = cm_address_find(shard, &index->catalog, &insertion->bucket);
    return cm_address_reserve(shard, &index->catalog, &insertion->bucket, insertion->address,
                              insertion->click.row.who, error);
}

static cm_status prepare(cm_click_index *index, struct insertion *insertion, cm_error *error)
{
    cm_status status = prepare_store(index, insertion, error);
    if (status == CM_OK)
        status = prepare_params(index, insertion, error);
    if (status == CM_OK && is_listed(insertion))
        status = cm_tenants_reserve(&index->tenants, insertion->click.tenant, error);
    if (status == CM_OK)
        status = prepare_fingerprint(index, insertion, error);
    if (status == CM_OK)
        status = prepare_address(index, insertion, error);
    return status;
}

static void list(cm_lists *lists, cm_list *to, uint32_t click)
{
    if (!cm_list_append_plainly(lists, to, click))
        cm_list_insert(lists, to, click);
}

static void commit_fingerprint(cm_click_index *index, const struct insertion *insertion,
                               uint32_t number)
{
    const cm_device_keys *keys = &insertion->keys->device;
    unsigned at = cm_shard_of(keys->fingerprint_hash);
    cm_fingerprint_shard *shard = &index->fingerprints[at];
    uint32_t group = insertion->fingerprint;
    if (group == CM_NUMBER_NONE)
        group = cm_fingerprint_take(shard, insertion->click.tenant, keys->fingerprint,
                                    keys->fingerprint_hash);
    list(&shard->lists, &cm_fingerprint_group_at(shard, group)->list, number);
    cm_click_store_row_to_set(&index->catalog.store, number)->fingerprint =
        cm_fingerprint_number(group, at);
}

static void commit(cm_click_index *index, const struct insertion *insertion)
{
    const cm_click_keys *keys = insertion->keys;
    const cm_new_click *click = &insertion->click;
    uint32_t number =
        cm_click_writer_append(insertion->writer, index->catalog.store.window_us, &click->row,
                               &click->texts, keys->expires_at, click->findable_end);
    cm_table_insert(&index->click_ids[cm_shard_of(keys->click_id_hash)], keys->click_id_hash,
                    number);
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (keys->params[kind].size > 0)
            cm_postings_add(param_shard(index, keys, kind), keys->param_hashes[kind],
                            insertion->params[kind], number, false, NULL);
    if (is_listed(insertion))
        list(&index->tenants.lists, &index->tenants.of[click->tenant], number);
    if (has_fingerprint(insertion))
        commit_fingerprint(index, insertion, number);
    if (has_address(insertion))
        cm_address_add(&index->addresses[cm_shard_of(keys->device.bucket_hash)], &index->catalog,
                       &insertion->bucket, insertion->address, click->row.who, number, false);
}

static cm_status insert(cm_click_index *index, cm_click_writer *writer, const cm_click *click,
                        const cm_click_keys *keys, bool *is_new, cm_error *error)
{
    struct insertion insertion = {
        .keys = keys,
        .writer = writer,
        .params = {CM_NUMBER_NONE, CM_NUMBER_NONE},
        .fingerprint = CM_NUMBER_NONE,
        .address = CM_NUMBER_NONE,
    };
    cm_status status = CM_OK;
    if (cm_click_writer_is_full(writer))
        status = cm_click_store_open(&index->catalog.store, writer, error);
    if (status != CM_OK)
        return status;
    index->names.generation = cm_click_writer_generation(&index->catalog.store, writer);
    status = cm_click_row_make(&index->rules, &index->names, click, keys, &insertion.click, error);
    if (status != CM_OK)
        return status;
    *is_new = cm_click_id_find(&index->click_ids[cm_shard_of(keys->click_id_hash)], &index->catalog,
                               insertion.click.tenant, click->click_id,
                               keys->click_id_hash) == CM_NUMBER_NONE;
    if (!*is_new)
        return CM_OK;
    status = prepare(index, &insertion, error);
    if (status == CM_OK)
        commit(index, &insertion);
    return status;
}

static cm_status insert_all(cm_click_index *index, cm_click_writer *writer, const cm_click *clicks,
                            const cm_click_keys *keys, size_t count, uint64_t *duplicates,
                            size_t *done, cm_error *error)
{
    for (*done = 0; *done < count; (*done)++) {
        bool is_new = false;
        size_t left = count - *done;
        if (*done % CM_WARM_BATCH == 0)
            cm_click_index_warm(index, keys + *done, left < CM_WARM_BATCH ? left : CM_WARM_BATCH);
        cm_status status = insert(index, writer, &clicks[*done], &keys[*done], &is_new, error);
        if (status != CM_OK)
            return status;
        *duplicates += !is_new;
    }
    return CM_OK;
}

cm_status cm_click_index_insert(cm_click_index *index, const cm_click *clicks,
                                const cm_click_keys *keys, size_t count, uint64_t *duplicates,
                                size_t *done, cm_error *error)
{
    return insert_all(index, &index->writer, clicks, keys, count, duplicates, done, error);
}

cm_status cm_click_index_insert_ahead(cm_click_index *index, const cm_click *clicks,
                                      const cm_click_keys *keys, size_t count, uint64_t *duplicates,
                                      size_t *done, cm_error *error)
{
    return insert_all(index, &index->ahead, clicks, keys, count, duplicates, done, error);
}
