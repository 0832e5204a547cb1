#include "match/trace_device.h"

#include <endian.h>

#include "model/normal.h"
#include "util/check.h"

_Static_assert((int)CM_TRACE_TRAITS == (int)CM_TRAIT_COUNT, "the public header has them all");

static unsigned prefix_of(const cm_model *model, unsigned kind)
{
    return kind == CM_ROW_IPV4 ? model->ipv4_prefix : model->ipv6_prefix;
}

/* What keys point to is the matcher's, for its next conversion. */
static bool keep(cm_slice *text, cm_arena *arena)
{
    char *room = cm_arena_take(arena, text->size);
    if (room == NULL)
        return false;
    if (text->size > 0)
        memcpy(room, text->data, text->size);
    *text = (cm_slice){room, text->size};
    return true;
}

/* A screen's sides are joined so that they can be told apart: cm_device_traits. */
static bool say_screen(cm_slice screen, cm_arena *arena, cm_slice *said)
{
    cm_slice first, second;
    *said = (cm_slice){0};
    if (screen.size == 0)
        return true;
    CM_CHECK(cm_screen_split(screen, &first, &second)); /* all names are of that form */
    char *room = cm_arena_take(arena, first.size + 1 + second.size);
    if (room == NULL)
        return false;
    memcpy(room, first.data, first.size);
    room[first.size] = 'x';
    memcpy(room + first.size + 1, second.data, second.size);
    *said = cm_slice_of(room, first.size + 1 + second.size);
    return true;
}

bool cm_trace_device_of_conversion(const cm_model *model, const cm_query *query, cm_arena *arena,
                                   cm_trace_device *device)
{
    const cm_device *shown = &query->conversion->device;
    const cm_device_keys *keys = &query->keys.device;
    bool is_given = shown->has_fingerprint && !cm_fingerprint_is_missing(shown->fingerprint);
    *device = (cm_trace_device){
        .has_fingerprint = keys->has_fingerprint,
        .is_fingerprint_made = keys->has_fingerprint && !is_given,
        .device_type = keys->device_type,
        .user_agent = shown->user_agent,
    };
    if (keys->has_fingerprint)
        memcpy(device->fingerprint, keys->fingerprint, sizeof device->fingerprint);
    if (keys->address_kind != 0) {
        device->address = cm_address_bucket(&shown->ip_address, model);
        device->address_bits = prefix_of(model, keys->address_kind);
    }
    bool done = keep(&device->device_type, arena);
    for (cm_trait i = 0; i < CM_TRAIT_COUNT && keys->traits != NULL && done; i++) {
        device->traits[i] = keys->traits->texts[i];
        done = i == CM_TRAIT_SCREEN ? say_screen(device->traits[i], arena, &device->traits[i])
                                    : keep(&device->traits[i], arena);
    }
    return done;
}

/* The bucket that a row has as a number. */
static cm_address address_of(const cm_click_index *index, const cm_click_row *row)
{
    unsigned kind = cm_click_row_address_kind(row);
    cm_address address = {.version = kind == CM_ROW_IPV4 ? 4 : 6};
    uint32_t ipv4 = htobe32((uint32_t)row->address);
    uint64_t ipv6 = htobe64(row->address);
    if (cm_bucket_is_wide(index->rules.model, address.version)) {
        cm_slice wide =
            cm_catalog_name(&index->catalog, CM_NAME_WIDE_BUCKET, (uint32_t)row->address);
        CM_CHECK(wide.size == sizeof address.bytes); /* a row with a usable address has one */
        memcpy(address.bytes, wide.data, sizeof address.bytes);
    } else if (kind == CM_ROW_IPV4) {
        memcpy(address.bytes, &ipv4, sizeof ipv4);
    } else {
        memcpy(address.bytes, &ipv6, sizeof ipv6);
    }
    return address;
}

static bool show_traits(const cm_catalog *catalog, const cm_look *look, cm_arena *arena,
                        cm_trace_device *device)
{
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++)
        device->traits[i] = cm_catalog_name(catalog, cm_name_of_trait(i), look->traits[i]);
    return say_screen(device->traits[CM_TRAIT_SCREEN], arena, &device->traits[CM_TRAIT_SCREEN]);
}

bool cm_trace_device_of_click(const cm_click_index *index, uint32_t click, cm_arena *arena,
                              cm_trace_device *device)
{
    const cm_catalog *catalog = &index->catalog;
    const cm_click_row *row = cm_click_store_row(&catalog->store, click);
    cm_who who = cm_catalog_who(catalog, row->who);
    cm_look look = {.user_agent = row->look};
    if (index->rules.model->has_traits)
        look = cm_catalog_look(catalog, row->look);
    *device = (cm_trace_device){
        .has_fingerprint = row->fingerprint != CM_NUMBER_MISSING,
        .device_type = cm_catalog_name(catalog, CM_NAME_DEVICE_TYPE, who.device_type),
        .user_agent = cm_catalog_name(catalog, CM_NAME_USER_AGENT, look.user_agent),
    };
    if (device->has_fingerprint) {
        const cm_fingerprint_shard *shard = &index->fingerprints[row->fingerprint % CM_SHARDS];
        memcpy(device->fingerprint,
               cm_fingerprint_group_at(shard, row->fingerprint >> CM_SHARD_BITS)->fingerprint,
               sizeof device->fingerprint);
    }
    if (cm_click_row_address_kind(row) != 0) {
        device->address = address_of(index, row);
        device->address_bits = prefix_of(index->rules.model, cm_click_row_address_kind(row));
    }
    return show_traits(catalog, &look, arena, device);
}
