#include "reference_parts.h"

#include <stdlib.h>
#include <string.h>

#define EXPIRY_MAX_US (30 * 24 * REFERENCE_HOUR_US)
#define KEY_BYTES_MAX 4096

typedef struct list_key {
    size_t size;
    uint8_t bytes[KEY_BYTES_MAX];
} list_key;

void reference_array_push(reference_clicks *array, const reference_click *click)
{
    if (array->count == array->capacity) {
        array->capacity = array->capacity == 0 ? 8 : 2 * array->capacity;
        array->items = reference_claim(array->items, array->capacity * sizeof *array->items);
    }
    array->items[array->count++] = click;
}

static void key_append(list_key *key, const void *data, size_t size)
{
    if (size > sizeof key->bytes - key->size)
        abort();
    if (size > 0)
        memcpy(key->bytes + key->size, data, size);
    key->size += size;
}

static list_key key_make(reference_key_kind kind, cm_slice tenant_id, const void *value,
                         size_t size)
{
    list_key key = {.size = 0};
    key_append(&key, &kind, sizeof kind);
    key_append(&key, &tenant_id.size, sizeof tenant_id.size);
    key_append(&key, tenant_id.data, tenant_id.size);
    key_append(&key, value, size);
    return key;
}

static reference_list *list_find(const reference *matcher, const list_key *key)
{
    reference_list *list = NULL;
    HASH_FIND(hh, matcher->lists, key->bytes, key->size, list);
    return list;
}

const reference_list *reference_list_of(const reference_view *seen, reference_key_kind kind,
                                        const void *value, size_t size)
{
    list_key key = key_make(kind, seen->tenant_id, value, size);
    return list_find(seen->matcher, &key);
}

static void list_put(reference *matcher, reference_key_kind kind, const void *value, size_t size,
                     const reference_click *click)
{
    list_key key = key_make(kind, click->given->tenant_id, value, size);
    reference_list *list = list_find(matcher, &key);
    if (list == NULL) {
        list = reference_claim(NULL, sizeof *list + key.size);
        memset(list, 0, sizeof *list);
        memcpy(list->key, key.bytes, key.size);
        HASH_ADD_KEYPTR(hh, matcher->lists, list->key, key.size, list);
    }
    reference_array_push(&list->clicks, click);
}

reference *reference_create(const reference_model *model)
{
    reference *matcher = reference_claim(NULL, sizeof *matcher);
    *matcher = (reference){.model = model != NULL ? *model : reference_model_default};
    return matcher;
}

void reference_count(reference *matcher, size_t counts[REFERENCE_PATH_COUNT])
{
    matcher->counts = counts;
}

void reference_note(const reference_view *seen, reference_path path, bool is_taken)
{
    if (is_taken && seen->matcher->counts != NULL)
        seen->matcher->counts[path]++;
}

void reference_destroy(reference *matcher)
{
    if (matcher == NULL)
        return;
    reference_list *list, *next;
    HASH_ITER(hh, matcher->lists, list, next)
    {
        HASH_DEL(matcher->lists, list);
        free(list->clicks.items);
        free(list);
    }
    for (size_t i = 0; i < matcher->clicks.count; i++)
        free((void *)(uintptr_t)matcher->clicks.items[i]);
    free(matcher->clicks.items);
    free(matcher);
}

static reference_click *entry_create(const reference_model *model, const cm_click *click)
{
    reference_click *entry = reference_claim(NULL, sizeof *entry);
    *entry = (reference_click){.given = click,
                               .time = click->click_timestamp,
                               .is_valid = click->is_valid,
                               .device = reference_device_of(model, &click->device)};
    int64_t own_end = entry->time + reference_hours_us(model->window_hours);
    int64_t last_end = entry->time + EXPIRY_MAX_US;
    entry->expires_at = click->expires_at;
    if (click->expires_at == CM_TIME_MISSING)
        entry->expires_at = own_end;
    else if (click->expires_at > last_end)
        entry->expires_at = last_end;
    entry->findable_until = entry->expires_at > own_end ? entry->expires_at : own_end;
    entry->findable_until += reference_hours_us(model->retention_hours);
    return entry;
}

static bool add_click(reference *matcher, const cm_click *click)
{
    list_key key =
        key_make(BY_CLICK_ID, click->tenant_id, click->click_id.data, click->click_id.size);
    if (list_find(matcher, &key) != NULL)
        return false;
    reference_click *entry = entry_create(&matcher->model, click);
    const reference_device *device = &entry->device;
    cm_slice fbclid = reference_fbclid(click->fbclid);
    reference_array_push(&matcher->clicks, entry);
    list_put(matcher, BY_TENANT, NULL, 0, entry);
    list_put(matcher, BY_CLICK_ID, click->click_id.data, click->click_id.size, entry);
    if (fbclid.size > 0)
        list_put(matcher, BY_FBCLID, fbclid.data, fbclid.size, entry);
    if (click->gclid.size > 0)
        list_put(matcher, BY_GCLID, click->gclid.data, click->gclid.size, entry);
    if (device->has_fingerprint)
        list_put(matcher, BY_FINGERPRINT, device->fingerprint, sizeof device->fingerprint, entry);
    if (device->bucket.version != 0)
        list_put(matcher, BY_BUCKET, &device->bucket, sizeof device->bucket, entry);
    return true;
}

size_t reference_add(reference *matcher, const cm_click *clicks, size_t count)
{
    size_t duplicates = 0;
    for (size_t i = 0; i < count; i++)
        if (!add_click(matcher, &clicks[i]))
            duplicates++;
    return duplicates;
}

int reference_compare_newest(const reference_click *a, const reference_click *b)
{
    if (a->time != b->time)
        return a->time > b->time ? -1 : 1;
    cm_slice x = a->given->click_id, y = b->given->click_id;
    int order = memcmp(x.data, y.data, x.size < y.size ? x.size : y.size);
    if (order != 0)
        return order;
    return (x.size > y.size) - (x.size < y.size);
}

static int compare_items(const void *a, const void *b)
{
    return reference_compare_newest(*(const reference_click *const *)a,
                                    *(const reference_click *const *)b);
}

void reference_sort_newest(reference_clicks *array)
{
    if (array->count > 0)
        qsort(array->items, array->count, sizeof *array->items, compare_items);
}

bool reference_shares_address(const reference_view *seen, const reference_device *click)
{
    if (seen->device.bucket.version == 0 ||
        memcmp(&click->bucket, &seen->device.bucket, sizeof click->bucket) != 0)
        return false;
    return seen->device.device_type.size == 0 || click->device_type.size == 0 ||
           reference_same_word(click->device_type, seen->device.device_type);
}

static bool is_recent(const reference_view *seen, const reference_click *click, int64_t window_us)
{
    return click->is_valid && seen->time - window_us < click->time && click->time <= seen->time;
}

reference_clicks reference_recent(const reference_view *seen, const reference_list *list,
                                  int64_t window_us)
{
    reference_clicks result = {0};
    for (size_t i = 0; list != NULL && i < list->clicks.count; i++)
        if (is_recent(seen, list->clicks.items[i], window_us))
            reference_array_push(&result, list->clicks.items[i]);
    reference_sort_newest(&result);
    return result;
}

reference_clicks reference_recent_at_address(const reference_view *seen, int64_t window_us)
{
    const reference_list *list = NULL;
    if (seen->device.bucket.version != 0)
        list = reference_list_of(seen, BY_BUCKET, &seen->device.bucket, sizeof seen->device.bucket);
    reference_clicks result = reference_recent(seen, list, window_us);
    size_t kept = 0;
    for (size_t i = 0; i < result.count; i++)
        if (reference_shares_address(seen, &result.items[i]->device))
            result.items[kept++] = result.items[i];
    result.count = kept;
    return result;
}

size_t reference_tenant_count(const reference_view *seen, int64_t window_us)
{
    const reference_list *list = reference_list_of(seen, BY_TENANT, NULL, 0);
    size_t count = 0;
    for (size_t i = 0; list != NULL && i < list->clicks.count; i++)
        count += is_recent(seen, list->clicks.items[i], window_us);
    return count;
}

void reference_drop_expired(const reference_view *seen, reference_clicks *array)
{
    size_t kept = 0;
    for (size_t i = 0; i < array->count; i++)
        if (seen->time < array->items[i]->expires_at)
            array->items[kept++] = array->items[i];
    array->count = kept;
}

void reference_keep_devices(reference_clicks *array, reference_same_device same)
{
    size_t kept = 0;
    for (size_t i = 0; i < array->count; i++) {
        bool seen_before = false;
        for (size_t j = 0; j < kept && !seen_before; j++)
            seen_before = same(&array->items[i]->device, &array->items[j]->device);
        if (!seen_before)
            array->items[kept++] = array->items[i];
    }
    array->count = kept;
}

bool reference_same_layer_2_device(const reference_device *a, const reference_device *b)
{
    return memcmp(&a->bucket, &b->bucket, sizeof a->bucket) == 0 &&
           reference_same_word(a->device_type, b->device_type);
}

bool reference_same_layer_3_device(const reference_device *a, const reference_device *b)
{
    if (a->has_fingerprint || b->has_fingerprint)
        return a->has_fingerprint && b->has_fingerprint && reference_same_fingerprint(a, b);
    return reference_same_bytes(a->user_agent, b->user_agent);
}
