/* What clicks may take: costs are above what is allocated, and the newest that fit are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those it needs */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bulk_load.h"
#include "harness/random.h"
#include "model/model.h"

#define CLICKS 140000u /* more than two segments: the one that is filled matters little */
#define TEXT_BYTES 48
#define DAY_US 86400000000LL

/* ---- costs ---- */

/* Clicks of which so many share a key; 0: they have none of the kind. */
struct shape {
    const char *name;
    unsigned fingerprint, address, param, types, tenants;
    bool has_expiry, is_shuffled, is_wide; /* wide: buckets as --hash-pii has them */
};

struct texts {
    char id[TEXT_BYTES], fbclid[TEXT_BYTES], gclid[TEXT_BYTES], type[TEXT_BYTES],
        tenant[TEXT_BYTES];
};

static cm_slice write_text(char *text, const char *what, unsigned number)
{
    int size = snprintf(text, TEXT_BYTES, "%s-%u", what, number);
    return (cm_slice){text, (size_t)size};
}

static void make_click(const struct shape *shape, unsigned i, struct texts *texts, cm_click *click)
{
    *click = (cm_click){.click_timestamp = DAY_US * 20000 + (int64_t)i * 1000,
                        .expires_at = CM_TIME_MISSING,
                        .is_valid = true};
    click->tenant_id = write_text(texts->tenant, "t", i % shape->tenants);
    click->click_id = write_text(texts->id, "k", i);
    if (shape->has_expiry)
        click->expires_at = click->click_timestamp + DAY_US;
    if (shape->param > 0) {
        click->fbclid = write_text(texts->fbclid, "fb", i / shape->param);
        click->gclid = write_text(texts->gclid, "g", i / shape->param);
    }
    if (shape->fingerprint > 0) {
        unsigned key = 1 + i / shape->fingerprint;
        click->device.has_fingerprint = true;
        memcpy(click->device.fingerprint, &key, sizeof key);
    }
    if (shape->address > 0) {
        unsigned key = i / shape->address;
        click->device.ip_address =
            (cm_address){4, {17, (uint8_t)(key >> 16), (uint8_t)(key >> 8), (uint8_t)key}};
        click->device.device_type = write_text(texts->type, "w", i % shape->types);
    }
}

/* Load them as files are loaded. Returns the sum of their costs, all keys or those they have. */
static size_t load(cm_engine *engine, const struct shape *shape, cm_load_limits *limits,
                   size_t *most)
{
    cm_bulk_load bulk;
    cm_bulk_loader loader;
    uint64_t duplicates = 0;
    size_t cost = 0;
    *most = 0;
    struct texts *texts = malloc(1000 * sizeof *texts);
    assert_non_null(texts);
    cm_bulk_load_init(&bulk, engine);
    bulk.limits = limits;
    cm_bulk_loader_init(&loader, &bulk);
    for (unsigned i = 0; i < CLICKS; i++) {
        cm_click click;
        unsigned number = shape->is_shuffled ? (unsigned)((uint64_t)i * 99991 % CLICKS) : i;
        make_click(shape, number, &texts[i % 1000], &click);
        cost += cm_click_cost(&click, engine->model);
        *most += cm_click_cost_most(&click, engine->model);
        assert_int_equal(cm_bulk_loader_add(&loader, &click, NULL), CM_OK);
        if (i % 1000 == 999 || i + 1 == CLICKS)
            assert_int_equal(cm_bulk_loader_end_block(&loader, NULL), CM_OK);
    }
    cm_bulk_loader_destroy(&loader);
    assert_int_equal(cm_bulk_load_build(&bulk, 1, &duplicates, NULL), CM_OK);
    cm_bulk_load_destroy(&bulk);
    free(texts);
    return cost;
}

static void fail_if_more(const char *name, const char *how, size_t bytes, size_t cost, size_t open)
{
    if (bytes > cost + open)
        fail_msg("%s, %s: %.1f bytes a click, of %.1f", name, how, (double)bytes / CLICKS,
                 (double)cost / CLICKS);
}

/* The same clicks one by one, as `explain` adds them. */
static void check_added(const struct shape *shape, size_t cost, size_t open)
{
    cm_engine *engine;
    struct texts texts;
    assert_int_equal(cm_engine_create(NULL, NULL, &engine, NULL), CM_OK);
    size_t fixed = cm_engine_memory(engine);
    for (unsigned i = 0; i < CLICKS; i++) {
        cm_click click;
        cm_add_counts counts;
        unsigned number = shape->is_shuffled ? (unsigned)((uint64_t)i * 99991 % CLICKS) : i;
        make_click(shape, number, &texts, &click);
        assert_int_equal(cm_engine_add(engine, &click, 1, &counts, NULL), CM_OK);
        assert_int_equal(counts.added, 1);
    }
    size_t bytes = cm_engine_memory(engine) - fixed - cm_engine_name_bytes(engine);
    fail_if_more(shape->name, "one by one", bytes, cost, open);
    cm_engine_destroy(engine);
}

static void test_costs_are_more_than_what_is_allocated(void **state)
{
    (void)state;
    static const struct shape shapes[] = {
        {"bare", .tenants = 1},
        {"bare, expiries", .tenants = 1, .has_expiry = true},
        {"tenants", .tenants = 1000},
        {"fingerprints", .tenants = 1, .fingerprint = 1},
        {"two of a fingerprint", .tenants = 1, .fingerprint = 2},
        {"addresses", .tenants = 1, .address = 1, .types = 1},
        {"wide addresses", .tenants = 1, .address = 1, .types = 1, .is_wide = true},
        {"two of an address", .tenants = 1, .address = 2, .types = 1},
        {"33 of an address", .tenants = 1, .address = 33, .types = 16},
        {"257 of an address", .tenants = 1, .address = 257, .types = 1},
        {"parameters", .tenants = 1, .param = 1},
        {"two of a parameter", .tenants = 1, .param = 2},
        {"three of a parameter", .tenants = 1, .param = 3, .is_shuffled = true},
        {"all", 1, 1, 1, 1, 1, true, false, false},
        {"two of all", 2, 2, 2, 1, 1, true, true, false},
        {"257 of all", 257, 257, 257, 1, 1, true, true, true},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        cm_engine *engine;
        cm_load_limits limits = {.click_bytes_max = SIZE_MAX, .name_bytes_max = SIZE_MAX};
        cm_model *model = NULL;
        size_t most;
        assert_int_equal(cm_model_create("{}", 2, &model, NULL), CM_OK);
        if (shapes[i].is_wide)
            model->ipv4_prefix = model->ipv6_prefix = 128;
        assert_int_equal(cm_engine_create(NULL, model, &engine, NULL), CM_OK);
        size_t fixed = cm_engine_memory(engine);
        size_t cost = load(engine, &shapes[i], &limits, &most);
        size_t bytes = cm_engine_memory(engine) - fixed - cm_engine_name_bytes(engine);
        /* The segment that is filled: its rows and places are there already. */
        size_t open = (2 * (size_t)CM_SEGMENT_ROWS + CM_SEGMENT_ROWS - CLICKS) * 100;
        fail_if_more(shapes[i].name, "in bulk", bytes, cost, open);
        check_added(&shapes[i], cost, open);
        assert_int_equal(limits.click_bytes, cost);
        assert_int_equal(cm_load_limits_over(&limits), CM_OVER_NOTHING);
        assert_true(most >= cost);
        assert_true(cm_engine_click_bytes(engine) * 8 >= most * 7);
        cm_engine_destroy(engine);
        cm_model_destroy(model);
    }
}

/* ---- the newest that fit ---- */

static int by_time(const void *a, const void *b)
{
    const cm_surveyed *first = a, *second = b;
    return (first->time_us > second->time_us) - (first->time_us < second->time_us);
}

/* The same by looking at all of them, sorted. */
static void expect_newest(const cm_click_survey *survey, cm_surveyed *clicks, size_t count)
{
    uint64_t cost = 0, fitting = 0;
    size_t at = count, from = count;
    qsort(clicks, count, sizeof *clicks, by_time);
    while (at > 0) {
        int64_t time_us = clicks[at - 1].time_us;
        for (; at > 0 && clicks[at - 1].time_us == time_us; at--)
            cost += clicks[at - 1].cost;
        if (cost > survey->cost_max)
            break;
        from = at;
        fitting = cost;
    }
    assert_int_equal(survey->cost, fitting);
    assert_int_equal(survey->older, from);
    assert_int_equal(survey->count, count - from);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(clicks[i].time_us >= survey->from_us, i >= from);
}

static void test_a_survey_finds_the_newest(void **state)
{
    (void)state;
    static cm_surveyed clicks[3000];
    uint64_t random = 11;
    for (unsigned round = 0; round < 400; round++) {
        size_t count = 1 + random_below(&random, 3000);
        unsigned times = 1 + (unsigned)random_below(&random, round % 2 == 0 ? 50 : 100000);
        cm_click_survey survey = {.cost_max = random_below(&random, 200000)};
        for (size_t i = 0; i < count; i++)
            clicks[i] = (cm_surveyed){(int64_t)random_below(&random, times),
                                      1 + random_below(&random, 300)};
        size_t half = random_below(&random, (unsigned)count);
        assert_true(cm_click_survey_add(&survey, clicks, half));
        assert_true(cm_click_survey_add(&survey, clicks + half, count - half));
        expect_newest(&survey, clicks, count);
        cm_click_survey_destroy(&survey);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_costs_are_more_than_what_is_allocated),
        cmocka_unit_test(test_a_survey_finds_the_newest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
