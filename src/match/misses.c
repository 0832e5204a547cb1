/* Clicks that share a key with a conversion and did not count: part of the public interface. */
#include <stdlib.h>

#include "index/keys.h"
#include "model/build.h"
#include "model/normal.h"
#include "util/error.h"
#include "util/slice.h"

#define ID_BYTES_MAX (255 * 4) /* characters of an id, in UTF-8 */

/* The nearest of one layer and reason, nearest first. */
struct misses_of {
    uint64_t count; /* of all */
    cm_miss kept[CM_MISSES_KEPT];
    char ids[CM_MISSES_KEPT][ID_BYTES_MAX]; /* of the kept, in places of their own */
};

struct cm_misses {
    const cm_conversion *conversion;
    cm_key_rules rules;
    cm_key_scratch own_scratch; /* the conversion's keys point into it */
    cm_key_scratch scratch;
    cm_conversion_keys keys;
    struct misses_of of[CM_LAYER_COUNT][CM_MISS_REASON_COUNT];
};

cm_status cm_misses_create(const cm_model *model, const cm_conversion *conversion,
                           cm_misses **misses, cm_error *error)
{
    cm_reject reject;
    *misses = NULL;
    if (!cm_conversion_check(conversion, &reject))
        return cm_error_set(error, CM_ERROR_ARGUMENT, "conversion: %s", reject.reason);
    cm_misses *made = calloc(1, sizeof *made);
    if (made == NULL)
        return cm_error_memory(error, "near misses", sizeof *made);
    made->conversion = conversion;
    made->rules.model = model;
    if (!cm_conversion_keys_make(&made->rules, conversion, &made->own_scratch, &made->keys) ||
        !cm_conversion_keys_make_device(&made->rules, conversion, &made->own_scratch,
                                        &made->keys)) {
        cm_misses_destroy(made);
        return cm_error_memory(error, "the keys of a conversion", sizeof made->keys);
    }
    *misses = made;
    return CM_OK;
}

void cm_misses_destroy(cm_misses *misses)
{
    if (misses == NULL)
        return;
    cm_key_scratch_destroy(&misses->own_scratch);
    cm_key_scratch_destroy(&misses->scratch);
    free(misses);
}

/* ---- what is shared ---- */

static const char *shared_id(const cm_misses *misses, const cm_click *click,
                             const cm_click_keys *keys)
{
    static const char *const NAMES[CM_PARAM_KIND_COUNT] = {"fbclid", "gclid"};
    if (cm_slice_equal(misses->conversion->click_id, click->click_id))
        return "click_id";
    for (unsigned kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
        if (keys->params[kind].size > 0 &&
            cm_slice_equal(keys->params[kind], misses->keys.params[kind]))
            return NAMES[kind];
    return NULL;
}

static bool shares_fingerprint(const cm_device_keys *a, const cm_device_keys *b)
{
    return a->has_fingerprint && b->has_fingerprint &&
           memcmp(a->fingerprint, b->fingerprint, sizeof a->fingerprint) == 0;
}

static bool shares_bucket(const cm_device_keys *a, const cm_device_keys *b)
{
    if (a->address_kind == 0 || a->address_kind != b->address_kind)
        return false;
    return a->is_wide ? memcmp(a->wide, b->wide, sizeof a->wide) == 0 : a->address == b->address;
}

/* A conversion without a device type takes clicks of any, a click without one is taken by any. */
static bool shares_type(const cm_device_keys *conversion, const cm_device_keys *click)
{
    return conversion->device_type.size == 0 || click->device_type.size == 0 ||
           cm_slice_equal(conversion->device_type, click->device_type);
}

/* ---- why it did not count ---- */

/* Does time keep it out of a layer? window_us: 0 where it has none. */
static bool is_out_of_time(const cm_misses *misses, const cm_click *click, int64_t expires_at,
                           int64_t window_us, cm_miss_reason *reason, int64_t *by_us)
{
    int64_t t = misses->conversion->conversion_timestamp;
    int64_t age_us = t - click->click_timestamp;
    bool is_outside = window_us > 0 && age_us >= window_us;
    if (age_us < 0) {
        *reason = CM_MISS_LATER;
        *by_us = -age_us;
    } else if (is_outside) {
        *reason = CM_MISS_OUTSIDE;
        *by_us = age_us - window_us;
    } else if (t >= expires_at) {
        *reason = CM_MISS_EXPIRED;
        *by_us = t - expires_at;
    } else {
        return false;
    }
    return true;
}

static bool is_nearer(const cm_miss *a, const cm_miss *b)
{
    if (a->by_us != b->by_us)
        return a->by_us < b->by_us;
    if (a->click_timestamp != b->click_timestamp)
        return a->click_timestamp > b->click_timestamp;
    return cm_slice_compare(a->click_id, b->click_id) < 0;
}

/* The farthest of the kept gives its place, and its room for an id, to a nearer one. */
static void keep(struct misses_of *of, const cm_miss *miss)
{
    size_t kept = of->count < CM_MISSES_KEPT ? (size_t)of->count : CM_MISSES_KEPT;
    of->count++;
    if (kept == CM_MISSES_KEPT && !is_nearer(miss, &of->kept[kept - 1]))
        return;
    char *room = kept < CM_MISSES_KEPT ? of->ids[kept] : (char *)of->kept[kept - 1].click_id.data;
    size_t at = kept < CM_MISSES_KEPT ? kept : kept - 1;
    for (; at > 0 && is_nearer(miss, &of->kept[at - 1]); at--)
        of->kept[at] = of->kept[at - 1];
    memcpy(room, miss->click_id.data, miss->click_id.size);
    of->kept[at] = *miss;
    of->kept[at].click_id.data = room;
}

/* A click that shares the layer's key: a miss unless the layer took it, or two things kept it out.
 */
static void judge(cm_misses *misses, size_t layer, const char *key, const cm_click *click,
                  const cm_click_keys *keys)
{
    const cm_model *model = misses->rules.model;
    const int64_t windows[CM_LAYER_COUNT] = {0, model->window_us, model->probabilistic_window_us};
    cm_miss_reason reason = CM_MISS_FLAGGED;
    cm_miss miss = {.key = key,
                    .click_id = click->click_id,
                    .click_timestamp = click->click_timestamp,
                    .is_flagged = !click->is_valid};
    bool is_out =
        is_out_of_time(misses, click, keys->expires_at, windows[layer], &reason, &miss.by_us);
    bool is_other_type = layer == 2 && !shares_type(&misses->keys.device, &keys->device);
    if (is_other_type && (is_out || !click->is_valid))
        return;
    if (is_other_type)
        reason = CM_MISS_OTHER_TYPE;
    else if (!is_out && click->is_valid)
        return;
    keep(&misses->of[layer][reason], &miss);
}

cm_status cm_misses_look(cm_misses *misses, const cm_click *click, cm_error *error)
{
    cm_click_keys keys;
    cm_reject reject;
    if (!cm_slice_equal(click->tenant_id, misses->conversion->tenant_id))
        return CM_OK;
    if (!cm_click_check(click, &reject))
        return cm_error_set(error, CM_ERROR_ARGUMENT, "click: %s", reject.reason);
    cm_arena_reset(&misses->scratch.arena);
    if (!cm_click_keys_make(&misses->rules, click, &misses->scratch, &keys))
        return cm_error_memory(error, "the keys of a click", sizeof keys);
    const char *id = shared_id(misses, click, &keys);
    if (id != NULL)
        judge(misses, 0, id, click, &keys);
    if (shares_fingerprint(&misses->keys.device, &keys.device))
        judge(misses, 1, "fingerprint", click, &keys);
    if (shares_bucket(&misses->keys.device, &keys.device))
        judge(misses, 2, "address", click, &keys);
    return CM_OK;
}

uint64_t cm_misses_of(const cm_misses *misses, unsigned layer, cm_miss_reason reason,
                      const cm_miss **nearest)
{
    const struct misses_of *of = &misses->of[layer - 1][reason];
    if (nearest != NULL)
        *nearest = of->kept;
    return of->count;
}

const char *cm_miss_reason_name(cm_miss_reason reason)
{
    static const char *const NAMES[CM_MISS_REASON_COUNT] = {
        [CM_MISS_LATER] = "later",           [CM_MISS_OUTSIDE] = "outside",
        [CM_MISS_EXPIRED] = "expired",       [CM_MISS_FLAGGED] = "flagged",
        [CM_MISS_OTHER_TYPE] = "other_type",
    };
    return NAMES[reason];
}
