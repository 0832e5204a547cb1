/* Clicks forgotten some at a time: what is left, what readers see meanwhile, pins, clicks ahead. */
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
#define PER_HOUR 5000u
#define CLICKS 250000u
#define DAY (24 * CM_HOUR_US)
#define HORIZON (T0 + 54 * CM_HOUR_US) /* a click is found for a day and an hour */

static const char day_model[] = "{\"window_hours\": 24, \"probabilistic_window_hours\": 6, "
                                "\"retention_hours\": 1}";

static cm_engine *create(void)
{
    cm_engine *engine;
    cm_model *model;
    assert_int_equal(cm_model_create(day_model, sizeof day_model - 1, &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &engine, NULL), CM_OK);
    cm_model_destroy(model);
    return engine;
}

/* Clicks in time order but for some seconds; two thirds of one tenant; some devices and addresses
 * with thousands of clicks, others with one. texts: 64 bytes. */
static cm_click numbered(uint32_t number, char *texts)
{
    uint64_t random = number;
    (void)random_below(&random, 2);
    snprintf(texts, 16, "k%u", number);
    snprintf(texts + 16, 16, "f%u", random_below(&random, 40000));
    snprintf(texts + 32, 16, "t%u", random_below(&random, 3) > 0 ? 0 : random_below(&random, 20));
    cm_click click = {
        .tenant_id = cm_slice_of_text(texts + 32),
        .click_id = cm_slice_of_text(texts),
        .click_timestamp = T0 + (int64_t)number * CM_HOUR_US / PER_HOUR,
        .expires_at = CM_TIME_MISSING,
        .is_valid = random_below(&random, 50) > 0,
        .fbclid = cm_slice_of_text(texts + 16),
        .device = {.ip_address = {4, {203, 0, 113, 7}},
                   .has_fingerprint = random_below(&random, 3) > 0,
                   .fingerprint = {1}},
    };
    click.click_timestamp += (int64_t)random_below(&random, 20) * CM_HOUR_US / 3600;
    uint32_t device = random_below(&random, random_below(&random, 2) ? 3 : 100000);
    memcpy(click.device.fingerprint + 4, &device, sizeof device);
    memcpy(click.device.ip_address.bytes + 1, &(uint32_t){device / 3}, 3);
    if (random_below(&random, 5) > 0)
        click.device.device_type =
            random_below(&random, 3) > 0 ? CM_SLICE("mobile") : CM_SLICE("desktop");
    if (random_below(&random, 1000) == 0)
        click.expires_at = click.click_timestamp + 26 * CM_HOUR_US;
    return click;
}

static void add_numbered(cm_engine *engine, uint32_t begin, uint32_t end)
{
    char texts[64];
    for (uint32_t i = begin; i < end; i++) {
        cm_click click = numbered(i, texts);
        assert_int_equal(cm_engine_add(engine, &click, 1, NULL, NULL), CM_OK);
    }
}

static void assert_same_matches(const cm_engine *a, const cm_engine *b, int64_t t, uint32_t count)
{
    char texts[64];
    for (uint32_t i = 0; i < count; i++) {
        cm_click like = numbered(i * (CLICKS / count), texts);
        cm_conversion conversion = {
            .tenant_id = like.tenant_id,
            .conversion_id = CM_SLICE("c"),
            .conversion_timestamp = t + (int64_t)(i % 7) * CM_HOUR_US,
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

/* What all shards of the indexes hold, and all lists. */
static size_t count_keys(const cm_click_index *index)
{
    size_t count = 0;
    for (size_t shard = 0; shard < CM_SHARDS; shard++) {
        count += index->click_ids[shard].count;
        for (size_t kind = 0; kind < CM_PARAM_KIND_COUNT; kind++)
            count +=
                index->params[kind][shard].table.count + index->params[kind][shard].groups.used;
        count += index->fingerprints[shard].table.count + index->fingerprints[shard].groups.used;
        count += index->addresses[shard].buckets.table.count;
        count += index->addresses[shard].types.table.count;
    }
    for (size_t i = 0; i < index->tenants.count; i++)
        count += index->tenants.of[i].count;
    return count;
}

static void test_steps_of_any_size(void **state)
{
    (void)state;
    cm_engine *whole = create(), *at_once = create(), *by_steps = create(), *again = create();
    cm_engine *const all[] = {whole, at_once, by_steps, again};
    for (size_t i = 0; i < 4; i++)
        add_numbered(all[i], 0, CLICKS);
    assert_false(cm_click_index_has_dead(&by_steps->index, T0 + 24 * CM_HOUR_US));
    assert_int_equal(cm_click_index_forget(&by_steps->index, T0 + 24 * CM_HOUR_US, 100), 0);
    assert_int_equal(cm_click_index_next_dead(&by_steps->index), CM_NUMBER_NONE);
    size_t dead = cm_engine_expire(at_once, HORIZON);
    assert_true(dead >= CLICKS / 3 && dead % CM_SEGMENT_ROWS == 0);

    uint64_t random = 5;
    size_t forgotten = 0;
    for (size_t step = 0; cm_click_index_has_dead(&by_steps->index, HORIZON); step++) {
        size_t budget = random_below(&random, 8) == 0 ? 1 + random_below(&random, 9000) : 1;
        size_t count = cm_click_index_forget(&by_steps->index, HORIZON, budget);
        assert_true(count <= budget);
        forgotten += count;
        assert_int_equal(cm_engine_click_count(by_steps), CLICKS - forgotten);
        assert_int_equal(cm_click_index_forget(&again->index, HORIZON, budget), count);
        assert_int_equal(cm_click_index_next_dead(&again->index),
                         cm_click_index_next_dead(&by_steps->index));
        if (step % 16 == 0)
            assert_same_matches(by_steps, whole, HORIZON, 500);
    }
    assert_int_equal(forgotten, dead);
    assert_int_equal(cm_click_index_next_dead(&by_steps->index), CM_NUMBER_NONE);
    assert_int_equal(count_keys(&by_steps->index), count_keys(&at_once->index));
    assert_same_matches(by_steps, whole, HORIZON, 5000);
    for (size_t i = 0; i < 4; i++) {
        cm_engine_expire(all[i], INT64_MAX);
        assert_int_equal(cm_engine_click_count(all[i]), 0);
        assert_int_equal(count_keys(&all[i]->index), 0);
        cm_engine_destroy(all[i]);
    }
}

/* Clicks come while a segment is half dismantled; its places are not theirs. */
static void test_adding_between_steps(void **state)
{
    (void)state;
    cm_engine *sliding = create(), *whole = create();
    add_numbered(whole, 0, CLICKS);
    size_t forgotten = 0;
    for (uint32_t i = 0; i < CLICKS; i += 50) {
        int64_t now = T0 + (int64_t)i * CM_HOUR_US / PER_HOUR;
        add_numbered(sliding, i, i + 50);
        if (cm_click_index_has_dead(&sliding->index, now))
            forgotten += cm_click_index_forget(&sliding->index, now, 64);
        assert_int_equal(cm_engine_click_count(sliding), i + 50 - forgotten);
    }
    assert_true(forgotten > 0);
    assert_same_matches(sliding, whole, T0 + CLICKS / PER_HOUR * CM_HOUR_US, 5000);
    cm_engine_destroy(sliding);
    cm_engine_destroy(whole);
}

/* A click that was forgotten may come again; one that waits for its turn may not. */
static void test_the_id_of_a_forgotten_click_is_free(void **state)
{
    (void)state;
    cm_engine *engine = create();
    cm_add_counts counts;
    char texts[64];
    add_numbered(engine, 0, CM_SEGMENT_ROWS);
    assert_int_equal(cm_click_index_forget(&engine->index, HORIZON, 10), 10);
    assert_int_equal(cm_click_index_next_dead(&engine->index), 10);
    for (uint32_t i = 8; i < 12; i++) {
        cm_click click = numbered(i, texts);
        assert_int_equal(cm_engine_add(engine, &click, 1, &counts, NULL), CM_OK);
        assert_int_equal(counts.added, i < 10);
    }
    assert_int_equal(cm_engine_click_count(engine), CM_SEGMENT_ROWS - 10 + 2);
    cm_engine_destroy(engine);
}

/* What is not full dies, too, though a writer has it. */
static void test_a_segment_that_is_being_filled(void **state)
{
    (void)state;
    cm_engine *engine = create();
    add_numbered(engine, 0, 100);
    assert_false(cm_click_index_has_dead(&engine->index, T0));
    assert_true(cm_click_index_has_dead(&engine->index, HORIZON));
    assert_int_equal(cm_click_index_forget(&engine->index, HORIZON, 30), 30);
    add_numbered(engine, 100, 200);
    assert_int_equal(cm_engine_click_count(engine), 170);
    assert_true(cm_click_index_has_dead(&engine->index, T0));
    assert_int_equal(cm_click_index_forget(&engine->index, T0, 1000), 70);
    assert_false(cm_click_index_has_dead(&engine->index, T0));
    assert_int_equal(cm_engine_expire(engine, HORIZON), 100);
    assert_false(cm_click_index_has_dead(&engine->index, INT64_MAX));
    cm_engine_destroy(engine);
}

static void test_a_pinned_segment_stays_readable(void **state)
{
    (void)state;
    cm_engine *engine = create();
    cm_click_store *store = &engine->index.catalog.store;
    char texts[64];
    add_numbered(engine, 0, CM_SEGMENT_ROWS + 10);
    cm_click_store_pin(store, 0);
    cm_click_store_pin(store, 0);
    cm_click_store_pin(store, 1);
    assert_int_equal(cm_click_index_forget(&engine->index, HORIZON, 1000), 1000);
    cm_click_store_unpin(store, 0);
    size_t memory = cm_engine_memory(engine);
    assert_int_equal(cm_engine_expire(engine, HORIZON), CM_SEGMENT_ROWS - 990);
    assert_int_equal(cm_engine_click_count(engine), 0);
    assert_int_equal(count_keys(&engine->index), 0);
    assert_true(cm_engine_memory(engine) + (1 << 20) > memory);
    for (uint32_t i = 0; i < CM_SEGMENT_ROWS + 10; i += 7) {
        cm_click click = numbered(i, texts);
        assert_int_equal(cm_click_store_time(store, i), click.click_timestamp);
        assert_true(cm_slice_equal(cm_click_store_id(store, i), click.click_id));
    }
    add_numbered(engine, 0, 10); /* neither segment takes them */
    assert_int_equal(store->segments[2]->count, 10);
    cm_click_store_unpin(store, 1);
    assert_null(store->segments[1]);
    cm_click_store_unpin(store, 0);
    assert_null(store->segments[0]);
    add_numbered(engine, 10, CM_SEGMENT_ROWS + 10); /* a spare is as good as new */
    assert_int_equal(store->segment_count, 3);
    assert_int_equal(cm_engine_click_count(engine), CM_SEGMENT_ROWS + 10);
    assert_true(cm_engine_memory(engine) < memory + memory / 2);
    assert_int_equal(cm_engine_expire(engine, INT64_MAX), CM_SEGMENT_ROWS + 10);
    assert_int_equal(count_keys(&engine->index), 0);
    cm_engine_destroy(engine);
}

static void add_ahead(cm_engine *engine, const cm_click *click, bool is_duplicate)
{
    cm_key_scratch scratch = {0};
    cm_click_keys keys;
    uint64_t duplicates = 0;
    size_t done;
    assert_true(cm_click_keys_make(&engine->index.rules, click, &scratch, &keys));
    assert_int_equal(
        cm_click_index_insert_ahead(&engine->index, click, &keys, 1, &duplicates, &done, NULL),
        CM_OK);
    assert_int_equal(duplicates, is_duplicate);
    cm_key_scratch_destroy(&scratch);
}

/* Clicks a year ahead among the others: these go as if those were not there. */
static void test_clicks_ahead_keep_nobody(void **state)
{
    (void)state;
    const int64_t year = 365 * DAY;
    const cm_click_store *store;
    cm_engine *engine = create();
    char texts[64];
    store = &engine->index.catalog.store;
    for (uint32_t i = 0; i < 2 * CM_SEGMENT_ROWS; i++) {
        cm_click click = numbered(i, texts);
        if (i % 100 == 0) {
            click.click_timestamp += year;
            add_ahead(engine, &click, false);
            add_ahead(engine, &click, true);
        } else {
            assert_int_equal(cm_engine_add(engine, &click, 1, NULL, NULL), CM_OK);
        }
    }
    size_t ahead = (2 * CM_SEGMENT_ROWS + 99) / 100;
    assert_int_equal(store->segment_count, 3);
    assert_int_equal(cm_click_store_count_ahead(store), ahead);
    assert_int_equal(cm_engine_expire(engine, HORIZON + DAY), 2 * CM_SEGMENT_ROWS - ahead);
    assert_int_equal(cm_engine_click_count(engine), ahead);
    assert_int_equal(cm_click_store_count_ahead(store), ahead);
    cm_click late = numbered(100, texts);
    cm_conversion conversion = {.tenant_id = late.tenant_id,
                                .conversion_id = CM_SLICE("c"),
                                .click_id = late.click_id,
                                .conversion_timestamp = late.click_timestamp + year + CM_HOUR_US};
    cm_result result;
    assert_int_equal(cm_engine_match(engine, &conversion, 1, &result, NULL), CM_OK);
    assert_int_equal(result.method, CM_METHOD_URL_PARAM);
    assert_true(cm_click_index_has_dead(&engine->index, HORIZON + year));
    assert_int_equal(cm_click_index_forget(&engine->index, HORIZON + year, 100), 100);
    assert_int_equal(cm_click_store_count_ahead(store), ahead - 100);
    assert_int_equal(cm_engine_expire(engine, HORIZON + year), ahead - 100);
    assert_int_equal(count_keys(&engine->index), 0);
    cm_engine_destroy(engine);
}

/* A click ahead keeps its look, whatever becomes of the names of others: what it shows is compared
 * as in an engine that never had another click. */
static void test_looks_of_clicks_ahead(void **state)
{
    static const char json[] =
        "{\"fingerprint\": {\"traits\": {\"os\": [0.9, 0.4], \"browser\": [0.9, 0.3],"
        " \"screen\": [0.97, 0.1], \"timezone\": [0.99, 0.5]}}}";
    (void)state;
    cm_engine *engines[2];
    cm_model *model;
    char texts[64], name[16];
    cm_result results[2];
    cm_click last = numbered(7, texts);
    last.is_valid = last.device.has_fingerprint = true;
    last.click_timestamp += 100 * DAY;
    last.device.user_agent = last.device.os = last.device.browser = CM_SLICE("its");
    last.device.screen_width = last.device.screen_height = last.device.timezone = CM_SLICE("100");
    assert_int_equal(cm_model_create(json, sizeof json - 1, &model, NULL), CM_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(cm_engine_create(NULL, model, &engines[i], NULL), CM_OK);
        add_ahead(engines[i], &last, false);
    }
    for (uint32_t i = 0; i < CM_SEGMENT_ROWS + 1000; i++) {
        char other[64];
        cm_click click = numbered(i + 1000, other);
        if (i == CM_SEGMENT_ROWS) /* the others so far go; their numbers are given out again */
            assert_int_equal(cm_engine_expire(engines[0], HORIZON + 50 * DAY), CM_SEGMENT_ROWS);
        snprintf(name, sizeof name, "n%u", i);
        click.device.user_agent = click.device.os = click.device.browser = cm_slice_of_text(name);
        click.device.screen_width = click.device.screen_height = cm_slice_of_text(name);
        click.device.timezone = cm_slice_of_text(name);
        assert_int_equal(cm_engine_add(engines[0], &click, 1, NULL, NULL), CM_OK);
    }
    cm_conversion conversion = {.tenant_id = last.tenant_id,
                                .conversion_id = CM_SLICE("c"),
                                .conversion_timestamp = last.click_timestamp + CM_HOUR_US,
                                .device = last.device};
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(cm_engine_match(engines[i], &conversion, 1, &results[i], NULL), CM_OK);
    assert_int_equal(results[1].method, CM_METHOD_FINGERPRINT);
    results_assert_same(&results[0], &results[1], 1);
    for (unsigned i = 0; i < 2; i++)
        cm_engine_destroy(engines[i]);
    cm_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_of_any_size),
        cmocka_unit_test(test_adding_between_steps),
        cmocka_unit_test(test_the_id_of_a_forgotten_click_is_free),
        cmocka_unit_test(test_a_segment_that_is_being_filled),
        cmocka_unit_test(test_a_pinned_segment_stays_readable),
        cmocka_unit_test(test_clicks_ahead_keep_nobody),
        cmocka_unit_test(test_looks_of_clicks_ahead),
    };
    return cmocka_run_group_tests_name("forget", tests, NULL, NULL);
}
