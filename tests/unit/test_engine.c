/* The public interface: what it refuses, forgets and keeps apart. Agreement with the rules is the
 * oracle's business. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "harness/bits.h"
#include "util/slice.h"

#define HOUR CM_HOUR_US
#define T0 ((int64_t)1772366400 * 1000000) /* 2026-03-01T12:00:00Z */

static cm_click click_at(const char *tenant, const char *id, int64_t time)
{
    return (cm_click){
        .tenant_id = cm_slice_of_text(tenant),
        .click_id = cm_slice_of_text(id),
        .click_timestamp = time,
        .expires_at = CM_TIME_MISSING,
        .is_valid = true,
        .device = {.ip_address = {4, {203, 0, 113, 7}}, .device_type = CM_SLICE("mobile")},
    };
}

static cm_conversion conversion_at(const char *tenant, int64_t time)
{
    return (cm_conversion){
        .tenant_id = cm_slice_of_text(tenant),
        .conversion_id = CM_SLICE("c1"),
        .conversion_timestamp = time,
        .device = {.ip_address = {4, {203, 0, 113, 7}}, .device_type = CM_SLICE("mobile")},
    };
}

static cm_engine *create(const char *model_json)
{
    cm_engine *engine;
    cm_model *model = NULL;
    if (model_json != NULL)
        assert_int_equal(cm_model_create(model_json, strlen(model_json), &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &engine, NULL), CM_OK);
    cm_model_destroy(model);
    return engine;
}

static cm_result match_one(const cm_engine *engine, const cm_conversion *conversion)
{
    cm_result result;
    assert_int_equal(cm_engine_match(engine, conversion, 1, &result, NULL), CM_OK);
    return result;
}

static void test_a_bad_click_is_refused_with_its_number(void **state)
{
    (void)state;
    cm_engine *engine = create(NULL);
    cm_error error;
    cm_click clicks[3] = {click_at("t", "a", T0), click_at("t", "b", T0), click_at("t", "c", T0)};
    clicks[1].expires_at = T0 - 1;
    assert_int_equal(cm_engine_add(engine, clicks, 3, NULL, &error), CM_ERROR_ARGUMENT);
    assert_int_equal(error.line, 2);
    assert_non_null(strstr(error.message, "click 2: expires_at: "));
    assert_int_equal(cm_engine_click_count(engine), 0);
    clicks[1] = click_at("", "b", T0);
    assert_int_equal(cm_engine_add(engine, clicks, 3, NULL, &error), CM_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "tenant_id"));
    cm_engine_destroy(engine);
}

static void test_a_bad_conversion_is_refused_with_its_number(void **state)
{
    (void)state;
    cm_engine *engine = create(NULL);
    cm_error error;
    cm_result results[2];
    cm_conversion conversions[2] = {conversion_at("t", T0), conversion_at("t", -1)};
    assert_int_equal(cm_engine_match(engine, conversions, 2, results, &error), CM_ERROR_ARGUMENT);
    assert_int_equal(error.line, 2);
    assert_non_null(strstr(error.message, "conversion 2: conversion_timestamp: "));
    cm_engine_destroy(engine);
}

static void test_the_first_of_a_click_id_stands(void **state)
{
    (void)state;
    cm_engine *engine = create(NULL);
    cm_add_counts counts;
    cm_click clicks[3] = {click_at("t", "a", T0), click_at("t", "a", T0 + HOUR),
                          click_at("u", "a", T0)};
    assert_int_equal(cm_engine_add(engine, clicks, 3, &counts, NULL), CM_OK);
    assert_int_equal(counts.added, 2);
    assert_int_equal(counts.duplicates, 1);
    assert_int_equal(cm_engine_add(engine, clicks, 1, &counts, NULL), CM_OK);
    assert_int_equal(counts.duplicates, 1);
    cm_conversion conversion = conversion_at("t", T0 + 2 * HOUR);
    conversion.click_id = CM_SLICE("a");
    assert_int_equal(match_one(engine, &conversion).click.click_timestamp, T0);
    cm_engine_destroy(engine);
}

static void test_reference_comes_back(void **state)
{
    (void)state;
    cm_engine *engine = create(NULL);
    cm_click click = click_at("t", "a", T0);
    click.reference = cm_slice_of("\0\1\2", 3);
    click.campaign_id = CM_SLICE("spring");
    click.ad_id = CM_SLICE("ad-9");
    assert_int_equal(cm_engine_add(engine, &click, 1, NULL, NULL), CM_OK);
    cm_conversion conversion = conversion_at("t", T0 + 2 * HOUR - 1);
    conversion.click_id = CM_SLICE("a");
    cm_result result = match_one(engine, &conversion);
    assert_int_equal(result.method, CM_METHOD_URL_PARAM);
    assert_int_equal(result.window_hours, 1);
    assert_int_equal(result.click.reference.size, 3);
    assert_memory_equal(result.click.reference.data, "\0\1\2", 3);
    assert_true(cm_slice_equal(result.click.campaign_id, CM_SLICE("spring")));
    assert_true(cm_slice_equal(result.click.ad_id, CM_SLICE("ad-9")));
    assert_int_equal(result.click.adset_id.size, 0);
    cm_engine_destroy(engine);
}

/* ---- expiry ---- */

static const char day_model[] = "{\"window_hours\": 24, \"probabilistic_window_hours\": 6, "
                                "\"retention_hours\": 1}";

#define PER_HOUR 5000u
#define HOURS 60u

static cm_click numbered(uint32_t number, char *texts)
{
    uint32_t salt = number * 2654435761u;
    snprintf(texts, 16, "k%u", number);
    snprintf(texts + 16, 16, "f%u", salt % 40000);
    cm_click click = click_at("t", texts, T0 + (int64_t)(number / PER_HOUR) * HOUR + salt % 1000);
    click.fbclid = cm_slice_of_text(texts + 16);
    click.is_valid = salt % 50 != 0;
    click.device.has_fingerprint = salt % 3 != 0;
    memset(click.device.fingerprint, 1, 32);
    memcpy(click.device.fingerprint, &(uint32_t){salt % 3000}, 4);
    memcpy(click.device.ip_address.bytes + 1, &(uint32_t){salt % 20000}, 3);
    if (salt % 11 == 0)
        click.device.device_type = CM_SLICE("desktop");
    if (salt % 7 == 0)
        click.device.device_type = (cm_slice){0};
    if (salt % 1000 == 1)
        click.expires_at = click.click_timestamp + 30 * HOUR;
    return click;
}

static void add_numbered(cm_engine *engine, uint32_t begin, uint32_t end)
{
    char texts[32];
    for (uint32_t i = begin; i < end; i++) {
        cm_click click = numbered(i, texts);
        assert_int_equal(cm_engine_add(engine, &click, 1, NULL, NULL), CM_OK);
    }
}

static bool same_words(const cm_result *a, const cm_result *b)
{
    return memcmp(a->layers, b->layers, sizeof a->layers) == 0 &&
           same_bits(a->probability, b->probability) &&
           cm_slice_equal(a->click.click_id, b->click.click_id);
}

static void assert_same_matches(const cm_engine *a, const cm_engine *b, int64_t t)
{
    char texts[32];
    for (uint32_t i = 0; i < 3000; i++) {
        cm_click like = numbered(i * 97, texts);
        cm_conversion conversion = conversion_at("t", t);
        conversion.device = like.device;
        if (i % 4 == 0)
            conversion.fbclid = like.fbclid;
        if (i % 4 == 1)
            conversion.click_id = like.click_id;
        cm_result of_a = match_one(a, &conversion);
        cm_result of_b = match_one(b, &conversion);
        assert_true(same_words(&of_a, &of_b));
    }
}

/* How many keys the indexes have. */
static void assert_key_counts(const cm_click_index *index, size_t ids, size_t params,
                              size_t fingerprints, size_t addresses)
{
    for (size_t shard = 0; shard < CM_SHARDS; shard++) {
        ids -= index->click_ids[shard].count;
        for (size_t kind = 0; kind < CM_PARAM_KIND_COUNT; kind++) {
            params -= index->params[kind][shard].table.count;
            if (params == 0)
                assert_int_equal(index->params[kind][shard].groups.used, 0);
        }
        fingerprints -= index->fingerprints[shard].groups.used;
        addresses -= index->addresses[shard].buckets.table.count;
        if (ids == 0) {
            assert_int_equal(index->addresses[shard].types.table.count, 0);
        }
    }
    assert_int_equal(ids, 0);
    assert_int_equal(params, 0);
    assert_int_equal(fingerprints, 0);
    assert_int_equal(addresses, 0);
}

/* A window slides over 300,000 clicks: memory stays, results at and after the watermark do not
 * change. */
static void test_expired_clicks_leave_without_a_trace(void **state)
{
    (void)state;
    cm_engine *sliding = create(day_model);
    cm_engine *whole = create(day_model);
    size_t forgotten = 0, memory_max = 0;
    for (uint32_t hour = 0; hour < HOURS; hour++) {
        add_numbered(sliding, hour * PER_HOUR, (hour + 1) * PER_HOUR);
        add_numbered(whole, hour * PER_HOUR, (hour + 1) * PER_HOUR);
        int64_t now = T0 + (int64_t)hour * HOUR + HOUR;
        forgotten += cm_engine_expire(sliding, now);
        assert_int_equal(cm_engine_expire(sliding, now), 0);
        if (hour == 45)
            memory_max = cm_engine_memory(sliding);
        if (hour % 20 == 19)
            assert_same_matches(sliding, whole, now);
    }
    assert_true(forgotten >= 60000);
    assert_int_equal(cm_engine_click_count(sliding) + forgotten, HOURS * PER_HOUR);
    assert_true(cm_engine_memory(sliding) <= memory_max * 11 / 10);
    forgotten += cm_engine_expire(sliding, T0 + 1000 * HOUR);
    assert_int_equal(cm_engine_click_count(sliding), 0);
    assert_int_equal(forgotten, HOURS * PER_HOUR);
    assert_key_counts(&sliding->index, 0, 0, 0, 0);
    add_numbered(sliding, 0, PER_HOUR); /* and it serves again, ids and all */
    assert_int_equal(cm_engine_click_count(sliding), PER_HOUR);
    cm_engine_destroy(sliding);
    cm_engine_destroy(whole);
}

/* ---- tenants ---- */

/* Keys whose hashes are made equal: only the comparison of the tenant keeps the clicks apart. */
static void test_tenants_are_compared_not_only_hashed(void **state)
{
    (void)state;
    cm_engine *engine = create(NULL);
    cm_click_index *index = &engine->index;
    cm_key_scratch scratch = {0};
    const char *tenants[2] = {"one", "two"};
    cm_click_keys keys[2];
    for (int i = 0; i < 2; i++) {
        cm_click click = click_at(tenants[i], "same", T0);
        click.fbclid = CM_SLICE("fb");
        click.device.has_fingerprint = true;
        memset(click.device.fingerprint, 9, 32);
        assert_true(cm_click_keys_make(&index->rules, &click, &scratch, &keys[i]));
        if (i == 1) { /* crafted: all hashes of the second collide with the first's, but the
                         tenant's own */
            uint64_t tenant_hash = keys[1].tenant_hash;
            cm_device_keys device = keys[0].device;
            keys[1] = keys[0];
            keys[1].tenant_hash = tenant_hash;
            keys[1].device = device;
        }
        uint64_t duplicates = 0;
        size_t done;
        assert_int_equal(
            cm_click_index_insert(index, &click, &keys[i], 1, &duplicates, &done, NULL), CM_OK);
        assert_int_equal(duplicates, 0);
    }
    assert_key_counts(index, 2, 2, 2, 2);
    for (uint32_t tenant = 1; tenant <= 2; tenant++) {
        uint64_t hash = keys[0].click_id_hash;
        uint32_t click = cm_click_id_find(&index->click_ids[cm_shard_of(hash)], &index->catalog,
                                          tenant, CM_SLICE("same"), hash);
        assert_int_equal(cm_catalog_tenant(&index->catalog, click), tenant);
    }
    cm_key_scratch_destroy(&scratch);
    cm_engine_destroy(engine);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(cm_method_name(CM_METHOD_FINGERPRINT), "fingerprint");
    assert_string_equal(cm_layer_word_name(CM_LAYER_LOW_PROBABILITY), "low_probability");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bad_click_is_refused_with_its_number),
        cmocka_unit_test(test_a_bad_conversion_is_refused_with_its_number),
        cmocka_unit_test(test_the_first_of_a_click_id_stands),
        cmocka_unit_test(test_reference_comes_back),
        cmocka_unit_test(test_expired_clicks_leave_without_a_trace),
        cmocka_unit_test(test_tenants_are_compared_not_only_hashed),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
