/*
 * Loading in bulk against adding one by one, in the same order: the same clicks, duplicates, keys
 * and results, whatever the blocks, the loaders, the builds between and the threads.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/bulk_load.h"
#include "harness/engines.h"
#include "harness/random.h"

/* ---- one engine against another ---- */

static void assert_same_sizes(const cm_click_index *a, const cm_click_index *b)
{
    size_t of_a[ENGINES_SIZES], of_b[ENGINES_SIZES];
    for (size_t shard = 0; shard < CM_SHARDS; shard++) {
        engines_shard_sizes(a, shard, of_a);
        engines_shard_sizes(b, shard, of_b);
        assert_memory_equal(of_a, of_b, sizeof of_a);
    }
    for (uint32_t tenant = 1; tenant < a->catalog.names[CM_NAME_TENANT].count; tenant++) {
        cm_slice name = cm_catalog_name(&a->catalog, CM_NAME_TENANT, tenant);
        uint32_t other = cm_dictionary_find(&b->catalog.names[CM_NAME_TENANT], name,
                                            cm_text_hash(&b->rules, name));
        size_t count = tenant < a->tenants.count ? a->tenants.of[tenant].count : 0;
        assert_int_equal(other < b->tenants.count ? b->tenants.of[other].count : 0, count);
    }
}

/* ---- loading ---- */

#define LOADERS_MAX 4u

struct plan {
    uint64_t random;
    size_t before, bulk; /* clicks added one by one, then loaded in bulk; the rest one by one */
    unsigned loaders, threads;
    uint32_t block_max;
};

static cm_engine *create(void)
{
    static const char json[] = "{\"ipv6_prefix\": 72}";
    cm_engine *engine;
    cm_model *model;
    assert_int_equal(cm_model_create(json, sizeof json - 1, &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &engine, NULL), CM_OK);
    cm_model_destroy(model);
    return engine;
}

static uint64_t add_one_by_one(cm_engine *engine, const cm_click *clicks, size_t count)
{
    cm_add_counts counts;
    assert_int_equal(cm_engine_add(engine, clicks, count, &counts, NULL), CM_OK);
    assert_int_equal(counts.added + counts.duplicates, count);
    return counts.duplicates;
}

/* Blocks of any size, none too, from any loader; now and then all is built. */
static uint64_t load_in_bulk(cm_engine *engine, const cm_click *clicks, struct plan *plan)
{
    cm_bulk_load load;
    cm_bulk_loader loaders[LOADERS_MAX];
    uint64_t duplicates = 0;
    cm_bulk_load_init(&load, engine);
    for (unsigned i = 0; i < plan->loaders; i++)
        cm_bulk_loader_init(&loaders[i], &load);
    for (size_t at = 0; at < plan->bulk;) {
        cm_bulk_loader *loader = &loaders[random_below(&plan->random, plan->loaders)];
        size_t end = at + random_below(&plan->random, plan->block_max);
        for (; at < end && at < plan->bulk; at++)
            assert_int_equal(cm_bulk_loader_add(loader, &clicks[at], NULL), CM_OK);
        assert_int_equal(cm_bulk_loader_end_block(loader, NULL), CM_OK);
        if (random_below(&plan->random, 9) == 0)
            assert_int_equal(cm_bulk_load_build(&load, plan->threads, &duplicates, NULL), CM_OK);
    }
    for (unsigned i = 0; i < plan->loaders; i++)
        cm_bulk_loader_destroy(&loaders[i]);
    assert_int_equal(cm_bulk_load_build(&load, plan->threads, &duplicates, NULL), CM_OK);
    cm_bulk_load_destroy(&load);
    return duplicates;
}

static void check(const world *from, struct plan plan)
{
    const cm_click *clicks = from->clicks;
    size_t after = plan.before + plan.bulk;
    cm_engine *expected = create(), *engine = create();
    add_one_by_one(expected, clicks, plan.before);
    uint64_t duplicates = add_one_by_one(expected, clicks + plan.before, plan.bulk);
    add_one_by_one(engine, clicks, plan.before);
    assert_int_equal(load_in_bulk(engine, clicks + plan.before, &plan), duplicates);
    assert_int_equal(cm_engine_click_count(engine), cm_engine_click_count(expected));
    assert_same_sizes(&expected->index, &engine->index);
    engines_assert_same_matches(expected, engine, from);
    duplicates = add_one_by_one(expected, clicks + after, from->click_count - after);
    assert_int_equal(add_one_by_one(engine, clicks + after, from->click_count - after), duplicates);
    assert_int_equal(cm_engine_click_count(engine), cm_engine_click_count(expected));
    assert_same_sizes(&expected->index, &engine->index);
    engines_assert_same_matches(expected, engine, from);
    engines_assert_nothing_left(engine);
    cm_engine_destroy(engine);
    cm_engine_destroy(expected);
}

static world *some_world(uint64_t seed, size_t clicks, world_shape shape)
{
    const world_options options = {.seed = seed, .click_count = clicks, .shape = shape};
    return world_create(&options);
}

static void test_random_blocks(void **state)
{
    (void)state;
    static const unsigned threads[] = {1, 2, 5};
    for (uint64_t seed = 0; seed < 36; seed++) {
        size_t clicks = 200 + seed * 37 % 500;
        world *from = some_world(seed, clicks, (world_shape)(seed % WORLD_SHAPE_COUNT));
        struct plan plan = {.random = seed,
                            .before = seed % 4 == 0 ? 0 : clicks / 5,
                            .bulk = clicks / 2,
                            .loaders = 1 + (unsigned)seed % LOADERS_MAX,
                            .threads = threads[seed / 3 % 3],
                            .block_max = seed % 5 == 0 ? 3 : 90};
        check(from, plan);
        world_destroy(from);
    }
}

/* Lists of thousands, out of order. */
static void test_long_lists(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 5; threads += 2) {
        world *from = some_world(threads + 100, 4000, WORLD_DENSE);
        check(from, (struct plan){.random = threads,
                                  .before = 300,
                                  .bulk = 3000,
                                  .loaders = 3,
                                  .threads = threads,
                                  .block_max = 1500});
        world_destroy(from);
    }
}

static cm_click click_of(const char *id, int64_t time)
{
    return (cm_click){.tenant_id = CM_SLICE("t"),
                      .click_id = cm_slice_of_text(id),
                      .click_timestamp = time,
                      .expires_at = CM_TIME_MISSING,
                      .is_valid = true};
}

/* The first of a click id stands: that of the block that ended first, not of the one that was begun
 * first. */
static void test_the_order_of_blocks_is_that_of_their_ends(void **state)
{
    (void)state;
    cm_bulk_load load;
    cm_bulk_loader loaders[2];
    uint64_t duplicates = 0;
    const cm_click early = click_of("k", 1000), late = click_of("k", 2000);
    cm_engine *engine = create();
    cm_bulk_load_init(&load, engine);
    for (int i = 0; i < 2; i++)
        cm_bulk_loader_init(&loaders[i], &load);
    assert_int_equal(cm_bulk_loader_add(&loaders[0], &early, NULL), CM_OK);
    assert_int_equal(cm_bulk_loader_add(&loaders[1], &late, NULL), CM_OK);
    assert_int_equal(cm_bulk_loader_end_block(&loaders[1], NULL), CM_OK);
    assert_int_equal(cm_bulk_loader_end_block(&loaders[0], NULL), CM_OK);
    assert_false(cm_bulk_load_is_full(&load));
    for (int i = 0; i < 2; i++)
        cm_bulk_loader_destroy(&loaders[i]);
    assert_int_equal(cm_bulk_load_build(&load, 2, &duplicates, NULL), CM_OK);
    cm_bulk_load_destroy(&load);
    assert_int_equal(duplicates, 1);
    const cm_conversion conversion = {.tenant_id = CM_SLICE("t"),
                                      .conversion_id = CM_SLICE("c"),
                                      .conversion_timestamp = 3000,
                                      .click_id = CM_SLICE("k")};
    cm_result result;
    assert_int_equal(cm_engine_match(engine, &conversion, 1, &result, NULL), CM_OK);
    assert_int_equal(result.click.click_timestamp, 2000);
    cm_engine_destroy(engine);
}

/* ---- segments ---- */

#define NUMBERED (CM_SEGMENT_ROWS + 500u)

static cm_click numbered(uint32_t number)
{
    static char ids[NUMBERED][8];
    snprintf(ids[number], sizeof ids[number], "%u", number);
    return click_of(ids[number], number);
}

static void load_numbered(cm_bulk_loader *loader, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        const cm_click click = numbered(i);
        assert_int_equal(cm_bulk_loader_add(loader, &click, NULL), CM_OK);
    }
    assert_int_equal(cm_bulk_loader_end_block(loader, NULL), CM_OK);
}

static void add_numbered(cm_engine *engine, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        const cm_click click = numbered(i);
        add_one_by_one(engine, &click, 1);
    }
}

/* The numbers of a block's clicks need not follow one another: another loader has the next segment.
 */
static void test_a_block_spans_segments(void **state)
{
    (void)state;
    cm_bulk_load load;
    cm_bulk_loader loaders[2];
    uint64_t duplicates = 0;
    cm_engine *engine = create();
    cm_bulk_load_init(&load, engine);
    for (int i = 0; i < 2; i++)
        cm_bulk_loader_init(&loaders[i], &load);
    load_numbered(&loaders[0], 0, 50);
    load_numbered(&loaders[1], 50, 100);
    load_numbered(&loaders[0], 100, NUMBERED);
    for (int i = 0; i < 2; i++)
        cm_bulk_loader_destroy(&loaders[i]);
    assert_int_equal(cm_bulk_load_build(&load, 2, &duplicates, NULL), CM_OK);
    cm_bulk_load_destroy(&load);
    const cm_tenant_index *tenants = &engine->index.tenants;
    assert_int_equal(engine->index.catalog.store.segment_count, 3);
    assert_int_equal(tenants->of[1].count, NUMBERED);
    assert_int_equal(cm_list_rank(&tenants->lists, &tenants->of[1], 65600), 65601);
    engines_assert_nothing_left(engine);
    cm_engine_destroy(engine);
}

/* One segment serves who comes one by one, then a loader, then one by one again. */
static void test_a_segment_is_filled_up_by_others(void **state)
{
    (void)state;
    cm_bulk_load load;
    cm_bulk_loader loader;
    uint64_t duplicates = 0;
    cm_engine *engine = create();
    add_numbered(engine, 0, 10);
    cm_bulk_load_init(&load, engine);
    cm_bulk_loader_init(&loader, &load);
    load_numbered(&loader, 5, 30);
    cm_bulk_loader_destroy(&loader);
    assert_int_equal(cm_bulk_load_build(&load, 1, &duplicates, NULL), CM_OK);
    cm_bulk_load_destroy(&load);
    assert_int_equal(duplicates, 5);
    add_numbered(engine, 30, 40);
    assert_int_equal(engine->index.catalog.store.segment_count, 1);
    assert_int_equal(cm_engine_click_count(engine), 40);
    engines_assert_nothing_left(engine);
    cm_engine_destroy(engine);
}

/* ---- loaders in threads ---- */

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t turned;
    size_t next; /* block that may end */
};

struct loading {
    pthread_t thread;
    cm_bulk_loader loader;
    const world *from;
    struct gate *gate;
    unsigned number;
};

#define BLOCK 50u

/* Every fourth block; they end in input order. */
static void *load_blocks(void *context)
{
    struct loading *loading = context;
    bool failed = false;
    size_t count = loading->from->click_count;
    for (size_t block = loading->number; block * BLOCK < count; block += LOADERS_MAX) {
        size_t end = (block + 1) * BLOCK < count ? (block + 1) * BLOCK : count;
        for (size_t i = block * BLOCK; i < end; i++)
            failed |=
                cm_bulk_loader_add(&loading->loader, &loading->from->clicks[i], NULL) != CM_OK;
        pthread_mutex_lock(&loading->gate->lock);
        while (loading->gate->next != block)
            pthread_cond_wait(&loading->gate->turned, &loading->gate->lock);
        failed |= cm_bulk_loader_end_block(&loading->loader, NULL) != CM_OK;
        loading->gate->next++;
        pthread_cond_broadcast(&loading->gate->turned);
        pthread_mutex_unlock(&loading->gate->lock);
    }
    return failed ? loading : NULL;
}

static void test_loaders_in_threads(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 6; seed++) {
        static struct loading loadings[LOADERS_MAX];
        world *from = some_world(seed + 50, 1500, (world_shape)(seed % WORLD_SHAPE_COUNT));
        struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
        cm_engine *expected = create(), *engine = create();
        cm_bulk_load load;
        uint64_t duplicates = 0;
        void *failed;
        cm_bulk_load_init(&load, engine);
        for (unsigned i = 0; i < LOADERS_MAX; i++) {
            loadings[i] = (struct loading){.from = from, .gate = &gate, .number = i};
            cm_bulk_loader_init(&loadings[i].loader, &load);
            pthread_create(&loadings[i].thread, NULL, load_blocks, &loadings[i]);
        }
        for (unsigned i = 0; i < LOADERS_MAX; i++) {
            pthread_join(loadings[i].thread, &failed);
            assert_null(failed);
        }
        assert_int_equal(cm_bulk_load_build(&load, 3, &duplicates, NULL), CM_OK);
        for (unsigned i = 0; i < LOADERS_MAX; i++)
            cm_bulk_loader_destroy(&loadings[i].loader);
        cm_bulk_load_destroy(&load);
        assert_int_equal(add_one_by_one(expected, from->clicks, from->click_count), duplicates);
        assert_same_sizes(&expected->index, &engine->index);
        engines_assert_same_matches(expected, engine, from);
        engines_assert_nothing_left(engine);
        cm_engine_destroy(engine);
        cm_engine_destroy(expected);
        world_destroy(from);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_blocks),
        cmocka_unit_test(test_long_lists),
        cmocka_unit_test(test_the_order_of_blocks_is_that_of_their_ends),
        cmocka_unit_test(test_a_block_spans_segments),
        cmocka_unit_test(test_a_segment_is_filled_up_by_others),
        cmocka_unit_test(test_loaders_in_threads),
    };
    return cmocka_run_group_tests_name("bulk", tests, NULL, NULL);
}
