/*
 * A window that slides for days over clicks whose keys are ever new: devices, addresses, user
 * agents, campaigns, tenants. What is held stays as large, and is what a new engine would hold;
 * when all is forgotten nothing is left. With traits and without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "harness/random.h"
#include "harness/results.h"
#include "util/slice.h"

#define T0 ((int64_t)1772366400 * 1000000) /* 2026-03-01T12:00:00Z */
#define PER_HOUR 32000u
#define WINDOW 192000u /* clicks in the six hours that one is found */
#define WINDOWS 9u
#define BATCH 64u

#define WINDOW_JSON                                                                                \
    "{\"window_hours\": 6, \"probabilistic_window_hours\": 1, \"retention_hours\": 0, "            \
    "\"ipv6_prefix\": 72"

static const char plain_json[] = WINDOW_JSON "}";
static const char traits_json[] = WINDOW_JSON
    ", \"fingerprint\": {\"traits\": {\"screen\": [0.9, 0.1], \"timezone\": [0.8, 0.3]}}"
    ", \"probabilistic\": {\"traits\": {\"os\": [0.9, 0.3], \"browser\": [0.9, 0.2]}}}";

/* What one batch points into. */
struct texts {
    char room[BATCH][256];
};

static cm_engine *create(const char *json)
{
    cm_engine *engine;
    cm_model *model;
    assert_int_equal(cm_model_create(json, strlen(json), &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &engine, NULL), CM_OK);
    cm_model_destroy(model);
    return engine;
}

/* How many clicks a device has, on average: every other window devices are different. */
static uint32_t clicks_per_device(uint32_t number)
{
    static const uint32_t means[] = {2, 40, 5, 700};
    return means[number / WINDOW % 2 * 2 + number % 2];
}

/* Of their time, too; a screen only where no fingerprint is made of it. */
static void show_traits(cm_device *device, uint32_t since, uint32_t number, char *room)
{
    snprintf(room, 16, "os %u", since);
    snprintf(room + 16, 24, "Browser %u.%u", since, number % 12);
    snprintf(room + 40, 24, "%u", since * 100 + number % 20);
    device->os = cm_slice_of_text(number % 6 > 0 ? room : "");
    device->browser = cm_slice_of_text(number % 5 > 0 ? room + 16 : "");
    if (!device->has_fingerprint)
        return;
    device->screen_width = device->timezone = cm_slice_of_text(room + 40);
    device->screen_height = CM_SLICE("800");
}

/* Clicks in time order but for half a minute. Devices, names and tenants belong to their time. */
static cm_click numbered(uint32_t number, char *room)
{
    uint64_t random = number;
    (void)random_below(&random, 2);
    uint32_t since = number / 20000, clicks = clicks_per_device(number);
    uint32_t device = since * 1000000 + number % 2 * 500000 + random_below(&random, 20000) / clicks;
    snprintf(room, 16, "k%u", number);
    snprintf(room + 16, 16, "f%u", device / 2);
    snprintf(room + 32, 32, "t%u", random_below(&random, 4) > 0 ? 0 : number / 30000);
    snprintf(room + 64, 96, "agent %u.%u %.*s", number / 3000, device % 5, (int)(device % 60),
             "........................................................................");
    snprintf(room + 160, 32, "campaign %u", number / 1000);
    cm_click click = {
        .tenant_id = cm_slice_of_text(room + 32),
        .click_id = cm_slice_of_text(room),
        .click_timestamp = T0 + (int64_t)number * CM_HOUR_US / PER_HOUR,
        .expires_at = CM_TIME_MISSING,
        .is_valid = random_below(&random, 50) > 0,
        .fbclid = cm_slice_of_text(random_below(&random, 2) ? room + 16 : ""),
        .campaign_id = cm_slice_of_text(room + 160),
        .device = {.ip_address = {4, {44}},
                   .has_fingerprint = random_below(&random, 4) > 0,
                   .fingerprint = {1},
                   .user_agent = cm_slice_of_text(room + 64)},
    };
    click.click_timestamp += (int64_t)random_below(&random, 30) * CM_HOUR_US / 3600;
    show_traits(&click.device, since, device, room + 192);
    memcpy(click.device.fingerprint + 4, &device, sizeof device);
    memcpy(click.device.ip_address.bytes + 1, &(uint32_t){device / 3}, 3);
    if (device % 4 == 0) {
        click.device.ip_address = (cm_address){6, {0x2a, 1}};
        memcpy(click.device.ip_address.bytes + 5, &device, sizeof device);
    }
    if (random_below(&random, 5) > 0)
        click.device.device_type =
            random_below(&random, 3) > 0 ? CM_SLICE("mobile") : CM_SLICE("desktop");
    if (random_below(&random, 1000) == 0)
        click.expires_at = click.click_timestamp + 9 * CM_HOUR_US;
    return click;
}

/* A click that is held for longer than others is put ahead. */
static bool is_ahead(const cm_click *click)
{
    return click->expires_at != CM_TIME_MISSING;
}

static void add_some(cm_engine *engine, const cm_click *clicks, size_t count)
{
    static cm_key_scratch scratch;
    cm_click_keys keys[BATCH];
    uint64_t duplicates = 0;
    size_t done;
    for (size_t i = 0; i < count; i++)
        assert_true(cm_click_keys_make(&engine->index.rules, &clicks[i], &scratch, &keys[i]));
    assert_int_equal((is_ahead(clicks) ? cm_click_index_insert_ahead : cm_click_index_insert)(
                         &engine->index, clicks, keys, count, &duplicates, &done, NULL),
                     CM_OK);
    assert_int_equal(duplicates, 0);
    cm_key_scratch_destroy(&scratch);
}

static void add_batch(cm_engine *engine, uint32_t first)
{
    static struct texts texts;
    cm_click clicks[BATCH];
    size_t begin = 0;
    for (uint32_t i = 0; i < BATCH; i++)
        clicks[i] = numbered(first + i, texts.room[i]);
    for (size_t i = 1; i <= BATCH; i++) {
        if (i < BATCH && is_ahead(&clicks[i]) == is_ahead(&clicks[begin]))
            continue;
        add_some(engine, clicks + begin, i - begin);
        begin = i;
    }
}

/* Conversions of all devices of the last clicks, some with what their URL carried. */
static void assert_same_matches(const cm_engine *a, const cm_engine *b, uint32_t last)
{
    char room[256];
    for (uint32_t i = 0; i < 4000; i++) {
        cm_click like = numbered(last - i * (3 * WINDOW / 4000), room);
        cm_conversion conversion = {
            .tenant_id = like.tenant_id,
            .conversion_id = CM_SLICE("c"),
            .conversion_timestamp = T0 + (int64_t)last * CM_HOUR_US / PER_HOUR + CM_HOUR_US / 60,
            .device = like.device,
        };
        if (i % 4 == 0)
            conversion.fbclid = like.fbclid;
        if (i % 4 == 1)
            conversion.click_id = like.click_id;
        cm_result of_a, of_b;
        assert_int_equal(cm_engine_match(a, &conversion, 1, &of_a, NULL), CM_OK);
        assert_int_equal(cm_engine_match(b, &conversion, 1, &of_b, NULL), CM_OK);
        results_assert_same(&of_a, &of_b, 1);
    }
}

/* An engine that has seen no click but the last ones. */
static void assert_as_new(const cm_engine *engine, const char *json, uint32_t end)
{
    cm_engine *fresh = create(json);
    for (uint32_t at = end < 4 * WINDOW ? 0 : end - 4 * WINDOW; at < end; at += BATCH)
        add_batch(fresh, at);
    assert_same_matches(engine, fresh, end - 1);
    cm_engine_destroy(fresh);
}

static size_t most_names(const cm_engine *engine, size_t most)
{
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        if (engine->index.catalog.names[kind].used > most)
            most = engine->index.catalog.names[kind].used;
    return most;
}

/* Slide over one window. Returns the most memory that was taken. */
static size_t slide(cm_engine *engine, uint32_t window, size_t *names)
{
    size_t most = 0;
    for (uint32_t at = window * WINDOW; at < (window + 1) * WINDOW; at += BATCH) {
        int64_t now = T0 + (int64_t)at * CM_HOUR_US / PER_HOUR;
        add_batch(engine, at);
        if (cm_click_index_has_dead(&engine->index, now))
            cm_click_index_forget(&engine->index, now, 2 * BATCH);
        *names = most_names(engine, *names);
        if (at % (BATCH * 64) == 0 && cm_engine_memory(engine) > most)
            most = cm_engine_memory(engine);
    }
    return most;
}

static void assert_empty(cm_engine *engine)
{
    const cm_click_index *index = &engine->index;
    cm_engine_expire(engine, INT64_MAX);
    assert_int_equal(cm_engine_click_count(engine), 0);
    assert_int_equal(most_names(engine, 0), 0);
    for (size_t shard = 0; shard < CM_SHARDS; shard++) {
        assert_int_equal(index->click_ids[shard].count, 0);
        for (size_t kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
            assert_int_equal(index->params[kind][shard].table.count, 0);
        assert_int_equal(index->fingerprints[shard].groups.used, 0);
        assert_int_equal(index->addresses[shard].buckets.table.count, 0);
        assert_int_equal(index->addresses[shard].types.table.count, 0);
    }
    for (size_t i = 0; i < index->tenants.count; i++)
        assert_int_equal(index->tenants.of[i].count, 0);
}

static void slide_for_days(const char *json)
{
    cm_engine *engine = create(json);
    size_t memory[2] = {0}, names[2] = {0}; /* the most, until the fourth window and after */
    for (uint32_t window = 0; window < WINDOWS; window++) {
        size_t most = slide(engine, window, &names[window >= 4]);
        print_message("window %u: %zu clicks, %zu bytes\n", window, cm_engine_click_count(engine),
                      most);
        memory[window >= 4] = most > memory[window >= 4] ? most : memory[window >= 4];
    }
    print_message("%zu names\n", names[1]);
    assert_true(memory[1] <= memory[0] + memory[0] / 20);
    assert_true(names[1] <= names[0] + names[0] / 20);
    assert_as_new(engine, json, WINDOWS * WINDOW);
    assert_empty(engine);
    cm_engine_destroy(engine);
}

static void test_a_window_slides_for_days(void **state)
{
    (void)state;
    slide_for_days(plain_json);
}

static void test_a_window_with_traits(void **state)
{
    (void)state;
    slide_for_days(traits_json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_window_slides_for_days),
        cmocka_unit_test(test_a_window_with_traits),
    };
    return cmocka_run_group_tests_name("slide", tests, NULL, NULL);
}
