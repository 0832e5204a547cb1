/*
 * The engine against the brute-force reference on random worlds: every field of every result, to
 * the last bit. What must not matter (order of clicks, hash seed, batch size, threads) is varied.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/bulk_load.h"
#include "harness/bits.h"
#include "oracle/world.h"

#define WORLDS_DEFAULT 150

static size_t world_count(void)
{
    const char *asked = getenv("ORACLE_WORLDS");
    return asked == NULL ? WORLDS_DEFAULT : strtoull(asked, NULL, 10);
}

/* ---- one world and what the reference says of it ---- */

struct fixture {
    uint64_t number;
    reference_model numbers;
    cm_model *model;
    world *world;
    cm_result *expected, *results;
};

static void make_world(struct fixture *fixture, uint64_t number)
{
    cm_error error;
    char *json;
    fixture->number = number;
    fixture->world = world_numbered(number, &fixture->numbers, &json);
    cm_status status =
        cm_model_create(json, json == NULL ? 0 : strlen(json), &fixture->model, &error);
    if (status != CM_OK)
        fail_msg("world %llu: %s", (unsigned long long)number, error.message);
    free(json);
}

static void setup(struct fixture *fixture, uint64_t number)
{
    make_world(fixture, number);
    size_t count = fixture->world->conversion_count;
    fixture->expected = calloc(count, sizeof(cm_result));
    fixture->results = calloc(count, sizeof(cm_result));
    assert_non_null(fixture->expected);
    assert_non_null(fixture->results);
    reference *matcher = reference_create(&fixture->numbers);
    reference_add(matcher, fixture->world->clicks, fixture->world->click_count);
    for (size_t i = 0; i < count; i++)
        reference_match(matcher, &fixture->world->conversions[i], &fixture->expected[i]);
    reference_destroy(matcher);
}

static void teardown(struct fixture *fixture)
{
    cm_model_destroy(fixture->model);
    world_destroy(fixture->world);
    free(fixture->expected);
    free(fixture->results);
}

static cm_engine *create_engine(const struct fixture *fixture, uint64_t seed)
{
    cm_engine *engine;
    const cm_options options = {.hash_seed = seed};
    assert_int_equal(cm_engine_create(&options, fixture->model, &engine, NULL), CM_OK);
    return engine;
}

/* ---- comparing ---- */

static bool same_text(cm_slice a, cm_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool same_click(const cm_matched_click *a, const cm_matched_click *b)
{
    return same_text(a->click_id, b->click_id) && same_text(a->campaign_id, b->campaign_id) &&
           same_text(a->adset_id, b->adset_id) && same_text(a->ad_id, b->ad_id) &&
           same_text(a->creative_id, b->creative_id) && same_text(a->reference, b->reference) &&
           a->click_timestamp == b->click_timestamp;
}

static bool same_candidates(const cm_result *a, const cm_result *b)
{
    if (a->candidate_count != b->candidate_count)
        return false;
    for (size_t i = 0; i < a->candidate_count; i++)
        if (!same_text(a->candidates[i].click_id, b->candidates[i].click_id) ||
            !same_bits(a->candidates[i].probability, b->candidates[i].probability))
            return false;
    return true;
}

static bool is_chance(double p)
{
    return p >= 0 && p <= 1;
}

/* However extreme the model is. */
static bool has_chances(const cm_result *result)
{
    bool has = is_chance(result->probability) && is_chance(result->confidence) &&
               (!result->layer_2_weighed || is_chance(result->layer_2_probability));
    for (size_t i = 0; i < result->candidate_count; i++)
        has = has && is_chance(result->candidates[i].probability);
    return has;
}

static bool same_result(const cm_result *a, const cm_result *b)
{
    return a->method == b->method && memcmp(a->layers, b->layers, sizeof a->layers) == 0 &&
           same_bits(a->confidence, b->confidence) && same_bits(a->probability, b->probability) &&
           a->window_hours == b->window_hours && same_click(&a->click, &b->click) &&
           same_candidates(a, b) && a->layer_2_weighed == b->layer_2_weighed &&
           same_bits(a->layer_2_probability, b->layer_2_probability);
}

static void print_result(const char *who, const cm_result *result)
{
    print_error("%s: %s %.*s %s/%s/%s p=%a confidence=%a hours=%lld candidates=%u layer2=%d:%a\n",
                who, cm_method_name(result->method), (int)result->click.click_id.size,
                result->click.click_id.data, cm_layer_word_name(result->layers[0]),
                cm_layer_word_name(result->layers[1]), cm_layer_word_name(result->layers[2]),
                result->probability, result->confidence, (long long)result->window_hours,
                result->candidate_count, result->layer_2_weighed, result->layer_2_probability);
}

static void assert_same_at(const struct fixture *fixture, size_t i, const char *what)
{
    if (same_result(&fixture->expected[i], &fixture->results[i]) &&
        has_chances(&fixture->results[i]))
        return;
    print_result("reference", &fixture->expected[i]);
    print_result("engine   ", &fixture->results[i]);
    fail_msg("world %llu, conversion %zu, %s", (unsigned long long)fixture->number, i, what);
}

static void assert_same(const struct fixture *fixture, const char *what)
{
    for (size_t i = 0; i < fixture->world->conversion_count; i++)
        assert_same_at(fixture, i, what);
}

/* ---- what is varied ---- */

static void match_at_once(struct fixture *fixture, const cm_engine *engine)
{
    assert_int_equal(cm_engine_match(engine, fixture->world->conversions,
                                     fixture->world->conversion_count, fixture->results, NULL),
                     CM_OK);
}

static void check_as_given(struct fixture *fixture)
{
    cm_engine *engine = create_engine(fixture, 1);
    cm_add_counts counts;
    assert_int_equal(
        cm_engine_add(engine, fixture->world->clicks, fixture->world->click_count, &counts, NULL),
        CM_OK);
    assert_int_equal(counts.added + counts.duplicates, fixture->world->click_count);
    assert_int_equal(counts.added, cm_engine_click_count(engine));
    match_at_once(fixture, engine);
    assert_same(fixture, "clicks as given");
    cm_engine_destroy(engine);
}

/* Of a click id only the first counts, so the order of the others is free. */
static size_t without_duplicates(const world *from, cm_click *clicks)
{
    size_t count = 0;
    for (size_t i = 0; i < from->click_count; i++) {
        size_t j = 0;
        while (j < count && !(same_text(clicks[j].tenant_id, from->clicks[i].tenant_id) &&
                              same_text(clicks[j].click_id, from->clicks[i].click_id)))
            j++;
        if (j == count)
            clicks[count++] = from->clicks[i];
    }
    return count;
}

static void shuffle(cm_click *clicks, size_t count, uint64_t seed)
{
    for (size_t i = count; i > 1; i--) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t j = (size_t)(seed >> 33) % i;
        cm_click kept = clicks[i - 1];
        clicks[i - 1] = clicks[j];
        clicks[j] = kept;
    }
}

static void check_shuffled(struct fixture *fixture)
{
    cm_click *clicks = calloc(fixture->world->click_count, sizeof *clicks);
    assert_non_null(clicks);
    size_t count = without_duplicates(fixture->world, clicks);
    cm_engine *engine = create_engine(fixture, fixture->number * 7919);
    shuffle(clicks, count, fixture->number);
    for (size_t at = 0; at < count;) { /* in pieces of 1, 2, 3 ... clicks */
        size_t piece = at % 7 + 1 < count - at ? at % 7 + 1 : count - at;
        assert_int_equal(cm_engine_add(engine, clicks + at, piece, NULL, NULL), CM_OK);
        at += piece;
    }
    for (size_t i = 0; i < fixture->world->conversion_count; i++)
        assert_int_equal(
            cm_engine_match(engine, &fixture->world->conversions[i], 1, &fixture->results[i], NULL),
            CM_OK);
    assert_same(fixture, "clicks shuffled, conversions one by one");
    cm_engine_destroy(engine);
    free(clicks);
}

/* As files and tables are loaded: by several loaders in turn, in blocks of any size, built into the
 * indexes now and then. Some worlds are shuffled. */
static void check_bulk(struct fixture *fixture)
{
    size_t count = fixture->world->click_count;
    cm_click *clicks = calloc(count, sizeof *clicks);
    assert_non_null(clicks);
    memcpy(clicks, fixture->world->clicks, count * sizeof *clicks);
    if (fixture->number % 2 == 1) {
        count = without_duplicates(fixture->world, clicks);
        shuffle(clicks, count, fixture->number);
    }
    cm_engine *engine = create_engine(fixture, fixture->number + 5);
    cm_bulk_load load;
    cm_bulk_loader loaders[3];
    uint64_t duplicates = 0;
    cm_bulk_load_init(&load, engine);
    for (size_t i = 0; i < 3; i++)
        cm_bulk_loader_init(&loaders[i], &load);
    for (size_t at = 0, block = 0; at < count; block++) {
        size_t end = at + 1 + (fixture->number * 31 + block * 17) % 97;
        for (; at < end && at < count; at++)
            assert_int_equal(cm_bulk_loader_add(&loaders[block % 3], &clicks[at], NULL), CM_OK);
        assert_int_equal(cm_bulk_loader_end_block(&loaders[block % 3], NULL), CM_OK);
        if (block % 11 == 10)
            assert_int_equal(
                cm_bulk_load_build(&load, (unsigned)(1 + block % 3), &duplicates, NULL), CM_OK);
    }
    for (size_t i = 0; i < 3; i++)
        cm_bulk_loader_destroy(&loaders[i]);
    assert_int_equal(cm_bulk_load_build(&load, 2, &duplicates, NULL), CM_OK);
    cm_bulk_load_destroy(&load);
    assert_int_equal(cm_engine_click_count(engine), count - duplicates);
    match_at_once(fixture, engine);
    assert_same(fixture, "loaded in bulk");
    assert_int_equal(cm_engine_expire(engine, INT64_MAX), count - duplicates);
    cm_engine_destroy(engine);
    free(clicks);
}

static int compare_clicks(const void *a, const void *b)
{
    int64_t x = ((const cm_click *)a)->click_timestamp, y = ((const cm_click *)b)->click_timestamp;
    return (x > y) - (x < y);
}

/* In time order, into four segments, some clicks into one of clicks ahead. */
static cm_engine *create_segmented(struct fixture *fixture, cm_click *clicks, size_t count)
{
    cm_engine *engine = create_engine(fixture, fixture->number + 11);
    cm_click_writer writers[4];
    cm_key_scratch scratch = {0};
    qsort(clicks, count, sizeof *clicks, compare_clicks);
    for (size_t i = 0; i < count; i++) {
        cm_click_keys keys;
        uint64_t duplicates = 0;
        size_t done;
        assert_true(cm_click_keys_make(&engine->index.rules, &clicks[i], &scratch, &keys));
        assert_int_equal((i % 13 == 0 ? cm_click_index_insert_ahead : cm_click_index_insert)(
                             &engine->index, &clicks[i], &keys, 1, &duplicates, &done, NULL),
                         CM_OK);
        if ((i + 1) * 4 / count > i * 4 / count) { /* the next is put into another segment */
            writers[i * 4 / count] = engine->index.writer;
            engine->index.writer = (cm_click_writer){0};
        }
    }
    for (size_t i = 0; i < 4 && count > 0; i++)
        cm_click_store_close(&engine->index.catalog.store, &writers[i]);
    cm_key_scratch_destroy(&scratch);
    return engine;
}

struct due {
    int64_t time;
    size_t conversion;
};

static int compare_dues(const void *a, const void *b)
{
    int64_t x = ((const struct due *)a)->time, y = ((const struct due *)b)->time;
    return (x > y) - (x < y);
}

/* Conversions come in time order, and clicks that none of those to come can find are forgotten, a
 * few at a time, until nothing is left of them. */
static void check_sliding(struct fixture *fixture)
{
    size_t total = fixture->world->conversion_count;
    cm_click *clicks = calloc(fixture->world->click_count + 1, sizeof *clicks);
    struct due *dues = calloc(total + 1, sizeof *dues);
    assert_non_null(clicks);
    assert_non_null(dues);
    size_t count = without_duplicates(fixture->world, clicks), forgotten = 0;
    cm_engine *engine = create_segmented(fixture, clicks, count);
    for (size_t i = 0; i < total; i++)
        dues[i] = (struct due){fixture->world->conversions[i].conversion_timestamp, i};
    qsort(dues, total, sizeof *dues, compare_dues);
    for (size_t i = 0; i < total; i++) {
        size_t at = dues[i].conversion, budget = (i * 7 + fixture->number) % 23;
        forgotten += cm_click_index_forget(&engine->index, dues[i].time, budget);
        assert_int_equal(cm_engine_match(engine, &fixture->world->conversions[at], 1,
                                         &fixture->results[at], NULL),
                         CM_OK);
        assert_same_at(fixture, at, "a window that slides");
    }
    assert_int_equal(forgotten + cm_engine_expire(engine, INT64_MAX), count);
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        assert_int_equal(engine->index.catalog.names[kind].used, 0);
    cm_engine_destroy(engine);
    free(clicks);
    free(dues);
}

struct slice_of_work {
    pthread_t thread;
    struct fixture *fixture;
    const cm_engine *engine;
    size_t begin, count;
};

static void *match_slice(void *context)
{
    struct slice_of_work *work = context;
    cm_status status =
        cm_engine_match(work->engine, work->fixture->world->conversions + work->begin, work->count,
                        work->fixture->results + work->begin, NULL);
    return status == CM_OK ? NULL : context;
}

static void check_threads(struct fixture *fixture)
{
    struct slice_of_work works[3];
    cm_engine *engine = create_engine(fixture, 3);
    size_t total = fixture->world->conversion_count;
    cm_engine_add(engine, fixture->world->clicks, fixture->world->click_count, NULL, NULL);
    for (size_t i = 0; i < 3; i++) {
        works[i] = (struct slice_of_work){.fixture = fixture, .engine = engine};
        works[i].begin = total * i / 3;
        works[i].count = total * (i + 1) / 3 - works[i].begin;
        assert_int_equal(pthread_create(&works[i].thread, NULL, match_slice, &works[i]), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        void *failed;
        pthread_join(works[i].thread, &failed);
        assert_null(failed);
    }
    assert_same(fixture, "three threads");
    cm_engine_destroy(engine);
}

static void test_worlds(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < world_count(); number++) {
        struct fixture fixture;
        setup(&fixture, number);
        check_as_given(&fixture);
        check_shuffled(&fixture);
        check_bulk(&fixture);
        check_sliding(&fixture);
        check_threads(&fixture);
        teardown(&fixture);
    }
}

/* Every word a layer can give must have been seen, or agreement says little. */
static void test_every_word_is_reached(void **state)
{
    (void)state;
    static const bool possible[CM_LAYER_COUNT][CM_LAYER_WORD_COUNT] = {
        {[CM_LAYER_SUCCESS] = 1,
         [CM_LAYER_NO_PARAM] = 1,
         [CM_LAYER_NO_MATCH] = 1,
         [CM_LAYER_EXPIRED] = 1,
         [CM_LAYER_INVALID] = 1},
        {[CM_LAYER_SUCCESS] = 1,
         [CM_LAYER_NOT_ATTEMPTED] = 1,
         [CM_LAYER_NO_MATCH] = 1,
         [CM_LAYER_NO_FINGERPRINT] = 1,
         [CM_LAYER_LOW_CONFIDENCE] = 1},
        {[CM_LAYER_SUCCESS] = 1,
         [CM_LAYER_NOT_ATTEMPTED] = 1,
         [CM_LAYER_NO_SIGNAL] = 1,
         [CM_LAYER_NO_CANDIDATES] = 1,
         [CM_LAYER_LOW_PROBABILITY] = 1},
    };
    size_t seen[CM_LAYER_COUNT][CM_LAYER_WORD_COUNT] = {{0}};
    for (uint64_t number = 0; number < 24; number++) {
        struct fixture fixture;
        setup(&fixture, number);
        check_as_given(&fixture);
        for (size_t i = 0; i < fixture.world->conversion_count; i++)
            for (size_t layer = 0; layer < CM_LAYER_COUNT; layer++)
                seen[layer][fixture.results[i].layers[layer]]++;
        teardown(&fixture);
    }
    for (size_t layer = 0; layer < CM_LAYER_COUNT; layer++)
        for (size_t word = 0; word < CM_LAYER_WORD_COUNT; word++)
            if (possible[layer][word] != (seen[layer][word] > 0))
                fail_msg("layer %zu: %s came %zu times", layer + 1,
                         cm_layer_word_name((cm_layer_word)word), seen[layer][word]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worlds),
        cmocka_unit_test(test_every_word_is_reached),
    };
    return cmocka_run_group_tests_name("oracle", tests, NULL, NULL);
}
