/*
 * Segments to bytes and back: the same results as before, whatever the clicks, the steps and the
 * threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/engines.h"
#include "harness/images.h"
#include "util/slice.h"

static void load_all(cm_engine *engine, images *from, unsigned threads)
{
    cm_error error = {0};
    if (images_load(engine, from, threads, &error) != CM_OK)
        fail_msg("%s", error.message);
}

/* ---- worlds ---- */

static void add(cm_engine *engine, const cm_click *clicks, size_t count)
{
    assert_int_equal(cm_engine_add(engine, clicks, count, NULL, NULL), CM_OK);
}

/* Sums over all shards: where a key is depends on the seed. */
static void assert_same_sizes(const cm_engine *a, const cm_engine *b)
{
    size_t of_a[ENGINES_SIZES], of_b[ENGINES_SIZES];
    size_t sum_a[ENGINES_SIZES] = {0}, sum_b[ENGINES_SIZES] = {0};
    for (size_t shard = 0; shard < CM_SHARDS; shard++) {
        engines_shard_sizes(&a->index, shard, of_a);
        engines_shard_sizes(&b->index, shard, of_b);
        for (size_t i = 0; i < ENGINES_SIZES; i++) {
            sum_a[i] += of_a[i];
            sum_b[i] += of_b[i];
        }
    }
    assert_memory_equal(sum_a, sum_b, sizeof sum_a);
    assert_int_equal(cm_engine_click_count(a), cm_engine_click_count(b));
}

/* The same rows at the same places. */
static void assert_same_rows(const cm_engine *a, const cm_engine *b)
{
    const cm_click_store *of_a = &a->index.catalog.store, *of_b = &b->index.catalog.store;
    assert_int_equal(of_a->segment_count, of_b->segment_count);
    for (size_t i = 0; i < of_a->segment_count; i++) {
        const cm_segment *x = of_a->segments[i], *y = of_b->segments[i];
        assert_int_equal(x->count, y->count);
        assert_int_equal(x->duplicates, y->duplicates);
        assert_int_equal(x->last_findable, y->last_findable);
        assert_int_equal(x->generation, y->generation);
        assert_int_equal(x->is_ahead, y->is_ahead);
        assert_int_equal(x->unlisted, y->unlisted);
        assert_int_equal(x->forgotten, y->forgotten);
        assert_int_equal(x->is_dying, y->is_dying);
        assert_false(y->is_taken);
        for (uint32_t row = 0; row < x->count; row++) {
            uint32_t number = (uint32_t)(i << CM_SEGMENT_BITS) + row;
            if (row < x->unlisted)
                continue;
            assert_int_equal(x->rows[row].time, y->rows[row].time);
            assert_int_equal(x->rows[row].fingerprint == 0, y->rows[row].fingerprint == 0);
            assert_int_equal(cm_click_store_expires_at(of_a, number),
                             cm_click_store_expires_at(of_b, number));
            assert_true(
                cm_slice_equal(cm_click_store_id(of_a, number), cm_click_store_id(of_b, number)));
        }
    }
}

struct plan {
    const char *model;
    size_t bulk, single; /* clicks before, in bulk, then one by one; the rest come after */
    size_t loaders;
    uint32_t step;
    unsigned threads;
};

static void check(const world *from, const struct plan *plan)
{
    const cm_click *rest = from->clicks + plan->bulk + plan->single;
    size_t rest_count = from->click_count - plan->bulk - plan->single;
    cm_engine *saved = images_engine(plan->model, 1), *loaded = images_engine(plan->model, 2);
    if (plan->bulk > 0)
        images_add_in_bulk(saved, from->clicks, plan->bulk, plan->loaders);
    add(saved, from->clicks + plan->bulk, plan->single);
    cm_click_store_close(&saved->index.catalog.store, &saved->index.writer);
    images made = images_encode_all(saved, plan->step);
    load_all(loaded, &made, plan->threads);
    images_destroy(&made);
    assert_same_sizes(saved, loaded);
    assert_same_rows(saved, loaded);
    engines_assert_same_matches(saved, loaded, from);
    add(saved, rest, rest_count);
    add(loaded, rest, rest_count);
    assert_same_sizes(saved, loaded);
    engines_assert_same_matches(saved, loaded, from);
    int64_t middle = from->clicks[from->click_count / 2].click_timestamp;
    assert_int_equal(cm_engine_expire(saved, middle), cm_engine_expire(loaded, middle));
    engines_assert_nothing_left(loaded);
    cm_engine_destroy(saved);
    cm_engine_destroy(loaded);
}

static void test_worlds(void **state)
{
    static const char *const models[] = {images_wide_model, images_narrow_model,
                                         images_traits_model, images_traits_model};
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        const world_options options = {.seed = seed + 700,
                                       .click_count = 100 + seed * 37 % 600,
                                       .conversion_count = 200,
                                       .shape = (world_shape)(seed % WORLD_SHAPE_COUNT),
                                       .without =
                                           seed % 4 == 3 ? 1u << seed % WORLD_FIELD_COUNT : 0};
        world *from = world_create(&options);
        size_t most = from->click_count / 5 * 4;
        size_t bulk = seed % 3 == 0 ? 0 : most / (1 + seed % 2);
        check(from, &(struct plan){.model = models[seed / 3 % 4],
                                   .bulk = bulk,
                                   .single = most - bulk,
                                   .loaders = 1 + seed % 5,
                                   .step = 1 + (uint32_t)seed * 13 % 200,
                                   .threads = 1 + (unsigned)seed % 3});
        world_destroy(from);
    }
}

static void test_long_lists(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        const world_options options = {
            .seed = seed, .click_count = 4000, .conversion_count = 300, .shape = WORLD_DENSE};
        world *from = world_create(&options);
        check(from, &(struct plan){.model = seed == 1 ? images_traits_model : images_wide_model,
                                   .bulk = seed * 1500,
                                   .single = 500,
                                   .loaders = 4,
                                   .step = 1024,
                                   .threads = 2});
        world_destroy(from);
    }
}

/* ---- one by one ---- */

#define NUMBERED (CM_SEGMENT_ROWS + 700u)

static cm_click numbered(uint32_t number)
{
    static char ids[NUMBERED][8];
    static const cm_slice agents[] = {CM_SLICE("a"), CM_SLICE("bb"), {NULL, 0}};
    (void)snprintf(ids[number], sizeof ids[number], "%u", number);
    cm_click click = {.tenant_id = number % 5 == 0 ? CM_SLICE("u") : CM_SLICE("t"),
                      .click_id = cm_slice_of_text(ids[number]),
                      .click_timestamp = number,
                      .expires_at = number % 3 == 0 ? (int64_t)number * 4 : CM_TIME_MISSING,
                      .is_valid = number % 11 != 0};
    click.device.user_agent = agents[number % 3];
    click.device.os = click.device.browser = cm_slice_of_text(ids[number]); /* ever new ones */
    click.device.has_fingerprint = number % 4 != 0;
    memcpy(click.device.fingerprint, &(uint32_t){number / 9 + 1}, sizeof number);
    if (click.device.has_fingerprint)
        click.device.screen_width = click.device.screen_height = click.device.timezone =
            cm_slice_of_text(ids[number]);
    return click;
}

static void add_numbered(cm_engine *engine, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        const cm_click click = numbered(i);
        add(engine, &click, 1);
    }
}

static void add_ahead(cm_engine *engine, uint32_t begin, uint32_t end)
{
    cm_key_scratch scratch = {0};
    for (uint32_t i = begin; i < end; i++) {
        const cm_click click = numbered(i);
        cm_click_keys keys;
        uint64_t duplicates = 0;
        size_t done;
        assert_true(cm_click_keys_make(&engine->index.rules, &click, &scratch, &keys));
        assert_int_equal(
            cm_click_index_insert_ahead(&engine->index, &click, &keys, 1, &duplicates, &done, NULL),
            CM_OK);
    }
    cm_key_scratch_destroy(&scratch);
}

static world *numbered_world(void)
{
    world *made = world_create(&(world_options){.click_count = 1});
    free(made->clicks);
    made->clicks = calloc(NUMBERED, sizeof *made->clicks);
    assert_non_null(made->clicks);
    for (made->click_count = 0; made->click_count < NUMBERED; made->click_count++)
        made->clicks[made->click_count] = numbered((uint32_t)made->click_count);
    return made;
}

/* A full segment and one that is filled up afterwards. */
static void check_full_and_open(const char *model)
{
    world *from = numbered_world();
    cm_engine *saved = images_engine(model, 1), *loaded = images_engine(model, 2);
    add_numbered(saved, 0, NUMBERED - 200);
    cm_click_store_close(&saved->index.catalog.store, &saved->index.writer);
    images made = images_encode_all(saved, 1024);
    assert_int_equal(made.count, 2);
    load_all(loaded, &made, 2);
    images_destroy(&made);
    assert_same_rows(saved, loaded);
    add_numbered(saved, NUMBERED - 200, NUMBERED);
    add_numbered(loaded, NUMBERED - 200, NUMBERED);
    assert_int_equal(loaded->index.catalog.store.segment_count, 2);
    assert_same_sizes(saved, loaded);
    engines_assert_same_matches(saved, loaded, from);
    engines_assert_nothing_left(loaded);
    cm_engine_destroy(saved);
    cm_engine_destroy(loaded);
    world_destroy(from);
}

/* With traits each row has names of its own: as many as there can be. */
static void test_full_and_open(void **state)
{
    (void)state;
    check_full_and_open(images_wide_model);
    check_full_and_open(images_traits_model);
}

/* What comes while an image is made is not in it. */
static void test_a_segment_that_grows(void **state)
{
    (void)state;
    bool is_done = false;
    cm_buffer spare = {0};
    cm_segment_encoder encoder = {0};
    cm_engine *saved = images_engine(images_wide_model, 1),
              *loaded = images_engine(images_wide_model, 2);
    cm_engine *expected = images_engine(images_wide_model, 3);
    add_numbered(saved, 0, 300);
    assert_int_equal(cm_segment_encode_begin(&encoder, &saved->index, 0, 300, &spare, NULL), CM_OK);
    for (uint32_t i = 300; !is_done; i += 20) {
        assert_int_equal(cm_segment_encode_step(&encoder, 7, &is_done, NULL), CM_OK);
        add_numbered(saved, i, i + 20);
    }
    images made = {.bytes = {cm_segment_encode_take(&encoder)}, .count = 1};
    load_all(loaded, &made, 1);
    add_numbered(expected, 0, 300);
    cm_click_store_close(&expected->index.catalog.store, &expected->index.writer);
    assert_same_rows(expected, loaded);
    assert_same_sizes(expected, loaded);
    images_destroy(&made);
    cm_segment_encoder_destroy(&encoder);
    cm_engine_destroy(expected);
    cm_engine_destroy(loaded);
    cm_engine_destroy(saved);
}

/* A segment that is half dismantled: the rest of it is found, and forgotten in turn. */
static void test_half_forgotten(void **state)
{
    (void)state;
    world *from = numbered_world();
    from->click_count = 900;
    for (uint32_t forgotten = 1; forgotten < 700; forgotten += 233) {
        cm_engine *saved = images_engine(images_traits_model, 1);
        cm_engine *loaded = images_engine(images_traits_model, 2);
        add_numbered(saved, 0, 700);
        cm_click_index_forget(&saved->index, INT64_MAX, forgotten);
        images made = images_encode_all(saved, 64);
        load_all(loaded, &made, 1);
        assert_same_rows(saved, loaded);
        for (int round = 0; round < 2; round++) {
            assert_int_equal(cm_click_index_next_dead(&loaded->index),
                             forgotten + 100u * (unsigned)round);
            assert_same_sizes(saved, loaded);
            engines_assert_same_matches(saved, loaded, from);
            assert_int_equal(cm_click_index_forget(&saved->index, INT64_MAX, 100), 100);
            assert_int_equal(cm_click_index_forget(&loaded->index, INT64_MAX, 100), 100);
        }
        add_numbered(saved, 0, 900); /* ids that were forgotten are new again */
        add_numbered(loaded, 0, 900);
        assert_same_sizes(saved, loaded);
        engines_assert_same_matches(saved, loaded, from);
        engines_assert_nothing_left(loaded);
        images_destroy(&made);
        cm_engine_destroy(loaded);
        cm_engine_destroy(saved);
    }
    world_destroy(from);
}

/* Clicks that are forgotten before they are encoded: the image is of the later state. */
static void test_forgotten_meanwhile(void **state)
{
    (void)state;
    bool is_done = false;
    cm_error error = {0};
    cm_buffer spare = {0};
    cm_segment_encoder encoder = {0};
    cm_engine *saved = images_engine(images_traits_model, 1);
    cm_engine *loaded = images_engine(images_traits_model, 2);
    cm_click_store *store = &saved->index.catalog.store;
    add_numbered(saved, 0, 700);
    assert_int_equal(cm_segment_encode_begin(&encoder, &saved->index, 0, 700, &spare, NULL), CM_OK);
    assert_int_equal(cm_segment_encode_step(&encoder, 300, &is_done, NULL), CM_OK);
    cm_click_index_forget(&saved->index, INT64_MAX, 200);
    assert_int_equal(cm_segment_encode_step(&encoder, 100, &is_done, NULL), CM_OK);
    assert_int_equal(encoder.unlisted, 0);
    cm_click_index_forget(&saved->index, INT64_MAX, 350);
    add_numbered(saved, 700, 1500); /* they take over what fingerprints had */
    while (!is_done)
        assert_int_equal(cm_segment_encode_step(&encoder, 100, &is_done, NULL), CM_OK);
    assert_int_equal(encoder.unlisted, 550);
    cm_click_index_forget(&saved->index, INT64_MAX, 150);
    assert_non_null(store->segments[0]);
    images made = {.bytes = {cm_segment_encode_take(&encoder)}, .unlisted = {549}, .count = 1};
    assert_null(store->segments[0]);
    assert_int_equal(images_load(loaded, &made, 1, &error), CM_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "549 rows forgotten, where 550 of 700 were"));
    cm_engine_destroy(loaded);
    loaded = images_engine(images_traits_model, 2);
    made.unlisted[0] = 600;
    load_all(loaded, &made, 1);
    assert_int_equal(cm_engine_click_count(loaded), 100);
    engines_assert_nothing_left(loaded);
    images_destroy(&made);
    cm_segment_encoder_destroy(&encoder);
    cm_engine_destroy(loaded);
    cm_engine_destroy(saved);
}

/* Two segments take turns: each of those that were open goes on. */
static void test_clicks_ahead(void **state)
{
    (void)state;
    cm_engine *saved = images_engine(images_wide_model, 1);
    cm_engine *loaded = images_engine(images_wide_model, 2);
    add_numbered(saved, 0, 300);
    add_ahead(saved, 300, 350);
    cm_click_store_close(&saved->index.catalog.store, &saved->index.writer);
    cm_click_store_close(&saved->index.catalog.store, &saved->index.ahead);
    images made = images_encode_all(saved, 64);
    load_all(loaded, &made, 2);
    assert_same_rows(saved, loaded);
    assert_int_equal(cm_click_store_count_ahead(&loaded->index.catalog.store), 50);
    add_numbered(loaded, 350, 400);
    add_ahead(loaded, 400, 450);
    const cm_click_store *store = &loaded->index.catalog.store;
    assert_int_equal(store->segment_count, 2);
    assert_int_equal(store->segments[0]->count, 350);
    assert_int_equal(store->segments[1]->count, 100);
    engines_assert_nothing_left(loaded);
    images_destroy(&made);
    cm_engine_destroy(loaded);
    cm_engine_destroy(saved);
}

/* One encoder makes many images: each begins with no names, also after its epochs are used up. */
static void test_an_encoder_is_used_again(void **state)
{
    (void)state;
    cm_segment_encoder encoder = {0};
    cm_engine *engine = images_engine(images_wide_model, 1);
    add_numbered(engine, 0, 50);
    cm_buffer first = images_encode(&encoder, engine, 0, 1000);
    for (uint32_t i = 0; i < 33000; i++) {
        cm_buffer again = images_encode(&encoder, engine, 0, 1000);
        assert_int_equal(again.size, first.size);
        assert_memory_equal(again.data, first.data, first.size);
        cm_buffer_destroy(&again);
    }
    cm_buffer_destroy(&first);
    cm_segment_encoder_destroy(&encoder);
    cm_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worlds),         cmocka_unit_test(test_long_lists),
        cmocka_unit_test(test_full_and_open),  cmocka_unit_test(test_a_segment_that_grows),
        cmocka_unit_test(test_half_forgotten), cmocka_unit_test(test_forgotten_meanwhile),
        cmocka_unit_test(test_clicks_ahead),   cmocka_unit_test(test_an_encoder_is_used_again),
    };
    return cmocka_run_group_tests_name("segment_image", tests, NULL, NULL);
}
