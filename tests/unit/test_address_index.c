/* Buckets of addresses: small ones whole, large ones also split by type, each list just what a
 * filter of all clicks gives; and nothing is left when the clicks are gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/failing_malloc.h"
#include "harness/random.h"
#include "harness/stored_clicks.h"
#include "index/address_index.h"
#include "index/list_bulk.h"

#define CLICKS_MAX 1200u
#define TENANTS 2u
#define TYPES 5u

#define BUCKETS 4u

struct fixture {
    cm_catalog catalog; /* with the whos; its store is that of the clicks, borrowed */
    stored_clicks clicks;
    cm_address_shard shard;
    uint32_t whos[TENANTS][TYPES];
    uint8_t bucket_of[CLICKS_MAX];
    bool there[CLICKS_MAX];
    uint32_t count;
};

/* One hash for all: only comparing tells the tenants, the kinds and the addresses apart. */
static const cm_bucket_key buckets[BUCKETS] = {
    {1, CM_ROW_IPV4, 77, (uint64_t)123 << CM_TABLE_TAG_SHIFT},
    {2, CM_ROW_IPV4, 77, (uint64_t)123 << CM_TABLE_TAG_SHIFT},
    {1, CM_ROW_IPV6, 77, (uint64_t)123 << CM_TABLE_TAG_SHIFT},
    {1, CM_ROW_IPV4, 78, (uint64_t)123 << CM_TABLE_TAG_SHIFT},
};

static void intern_whos(struct fixture *fixture)
{
    for (uint32_t tenant = 0; tenant < TENANTS; tenant++)
        for (uint32_t type = 0; type < TYPES; type++) {
            cm_who who = {tenant + 1, type};
            fixture->whos[tenant][type] = cm_dictionary_intern(
                &fixture->catalog.names[CM_NAME_WHO], cm_who_text(&who), tenant * TYPES + type);
        }
}

/* `count` clicks of so many types, spread over the first so many buckets. */
static void setup(struct fixture *fixture, uint32_t count, uint32_t types, uint32_t bucket_count)
{
    uint64_t random = count;
    *fixture = (struct fixture){.count = count};
    stored_clicks_init(&fixture->clicks, 1);
    intern_whos(fixture);
    for (uint32_t i = 0; i < count; i++) {
        const cm_bucket_key *key = &buckets[i % bucket_count];
        fixture->bucket_of[i] = (uint8_t)(i % bucket_count);
        stored_clicks_add(
            &fixture->clicks, random_below(&random, 100),
            (cm_click_row){.time = key->kind,
                           .address = key->address,
                           .who = fixture->whos[key->tenant - 1][random_below(&random, types)]});
    }
    fixture->catalog.store = fixture->clicks.store;
    cm_address_init(&fixture->shard, &fixture->catalog.store);
}

static void teardown(struct fixture *fixture)
{
    cm_address_destroy(&fixture->shard);
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        cm_dictionary_destroy(&fixture->catalog.names[kind]);
    stored_clicks_destroy(&fixture->clicks);
}

static uint32_t who_of(const struct fixture *fixture, uint32_t click)
{
    return cm_click_store_row(&fixture->catalog.store, click)->who;
}

static cm_status reserve(struct fixture *fixture, uint32_t click)
{
    const cm_bucket_key *key = &buckets[fixture->bucket_of[click]];
    uint32_t reference = cm_address_find(&fixture->shard, &fixture->catalog, key);
    return cm_address_reserve(&fixture->shard, &fixture->catalog, key, reference,
                              who_of(fixture, click), NULL);
}

static cm_address_added add_to(struct fixture *fixture, uint32_t click, bool is_bulk)
{
    const cm_bucket_key *key = &buckets[fixture->bucket_of[click]];
    uint32_t reference = cm_address_find(&fixture->shard, &fixture->catalog, key);
    fixture->there[click] = true;
    return cm_address_add(&fixture->shard, &fixture->catalog, key, reference,
                          who_of(fixture, click), click, is_bulk);
}

static void add(struct fixture *fixture, uint32_t click)
{
    assert_int_equal(reserve(fixture, click), CM_OK);
    cm_address_added added = add_to(fixture, click, false);
    assert_int_equal(added.unordered_bucket, CM_NUMBER_NONE);
    assert_int_equal(added.unordered_type, CM_NUMBER_NONE);
}

static void remove_click(struct fixture *fixture, uint32_t click)
{
    uint64_t hash = buckets[fixture->bucket_of[click]].hash;
    uint32_t who = who_of(fixture, click);
    const cm_bucket *bucket = cm_address_prefetch(&fixture->shard, hash);
    if (bucket != NULL) {
        cm_address_prefetch_lists(&fixture->shard, bucket, hash, who);
        cm_address_prefetch_type(&fixture->shard, bucket, hash, who);
    }
    cm_address_remove(&fixture->shard, &fixture->catalog, hash, who, click);
    fixture->there[click] = false;
}

/* The clicks of a bucket, of one who or (CM_NUMBER_NONE) of all, in order. */
static uint32_t filter(const struct fixture *fixture, uint32_t bucket, uint32_t who,
                       uint32_t *clicks)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < fixture->count; i++)
        if (fixture->there[i] && fixture->bucket_of[i] == bucket &&
            (who == CM_NUMBER_NONE || who == who_of(fixture, i)))
            clicks[count++] = i;
    stored_clicks_order(&fixture->clicks, clicks, count);
    return count;
}

static void assert_list(const cm_postings *postings, uint32_t reference, const uint32_t *clicks,
                        uint32_t count)
{
    cm_list list = cm_postings_list(postings, reference);
    assert_int_equal(list.count, count);
    cm_cursor cursor = cm_list_walk(&postings->lists, &list, count);
    for (uint32_t i = count; i-- > 0;)
        assert_int_equal(cm_cursor_next(&postings->lists, &cursor), clicks[i]);
}

/* Returns the number of the bucket's type lists, having looked at each. */
static size_t assert_types(const struct fixture *fixture, uint32_t bucket)
{
    size_t lists = 0;
    const cm_bucket_key *key = &buckets[bucket];
    for (uint32_t type = 0; type < TYPES; type++) {
        uint32_t clicks[CLICKS_MAX], who = fixture->whos[key->tenant - 1][type];
        uint32_t count = filter(fixture, bucket, who, clicks);
        uint32_t reference = cm_address_find_type(&fixture->shard, &fixture->catalog, key, who);
        assert_list(&fixture->shard.types, reference, clicks, count);
        lists += count > 0;
    }
    return lists;
}

static void assert_holds(const struct fixture *fixture)
{
    const cm_address_shard *shard = &fixture->shard;
    size_t keys = 0, groups = 0, types = 0;
    for (uint32_t bucket = 0; bucket < BUCKETS; bucket++) {
        uint32_t clicks[CLICKS_MAX], count = filter(fixture, bucket, CM_NUMBER_NONE, clicks);
        uint32_t reference = cm_address_find(shard, &fixture->catalog, &buckets[bucket]);
        assert_list(&shard->buckets, reference, clicks, count);
        keys += count > 0;
        groups += count > 1;
        bool is_split = count > 1 && cm_bucket_at(shard, reference)->is_split;
        assert_true(is_split || count <= CM_BUCKET_WHOLE_MAX);
        if (is_split)
            types += assert_types(fixture, bucket);
    }
    assert_int_equal(shard->buckets.table.count, keys);
    assert_int_equal(shard->buckets.groups.used, groups);
    assert_int_equal(shard->types.table.count, types);
}

static void assert_nothing_left(const struct fixture *fixture)
{
    assert_int_equal(fixture->shard.buckets.table.count, 0);
    assert_int_equal(fixture->shard.buckets.groups.used, 0);
    assert_int_equal(fixture->shard.types.table.count, 0);
    assert_int_equal(fixture->shard.types.groups.used, 0);
}

static void remove_all(struct fixture *fixture, uint64_t random)
{
    uint32_t order[CLICKS_MAX];
    for (uint32_t i = 0; i < fixture->count; i++)
        order[i] = i;
    for (uint32_t left = fixture->count; left > 0; left--) {
        uint32_t at = random_below(&random, left), click = order[at];
        order[at] = order[left - 1];
        remove_click(fixture, click);
        if (left <= 40 || left % 97 == 0)
            assert_holds(fixture);
    }
    assert_nothing_left(fixture);
}

static const uint32_t sizes[] = {1, 2, 31, 32, 33, 34, 64, 300};
#define SIZES (sizeof sizes / sizeof *sizes)

static void test_buckets_of_any_size_and_mix(void **state)
{
    (void)state;
    static struct fixture fixture;
    for (size_t i = 0; i < SIZES; i++)
        for (uint32_t types = 1; types <= TYPES; types += 2)
            for (uint32_t bucket_count = 1; bucket_count <= BUCKETS; bucket_count += 3) {
                setup(&fixture, sizes[i] * bucket_count, types, bucket_count);
                for (uint32_t click = 0; click < fixture.count; click++) {
                    add(&fixture, click);
                    if (click < 140 || click % 101 == 0)
                        assert_holds(&fixture);
                }
                assert_holds(&fixture);
                remove_all(&fixture, i);
                teardown(&fixture);
            }
}

/* A bucket is split by its 33rd click, and not before. */
static void test_the_limit_of_whole_buckets(void **state)
{
    (void)state;
    static struct fixture fixture;
    setup(&fixture, CM_BUCKET_WHOLE_MAX + 1, 2, 1);
    for (uint32_t click = 0; click < CM_BUCKET_WHOLE_MAX; click++)
        add(&fixture, click);
    assert_int_equal(fixture.shard.types.table.count, 0);
    add(&fixture, CM_BUCKET_WHOLE_MAX);
    assert_int_equal(fixture.shard.types.table.count, 2);
    assert_holds(&fixture);
    teardown(&fixture);
}

/* Around the limit, up and down: a bucket that was split stays so while it has two clicks. */
static void test_clicks_come_and_go(void **state)
{
    (void)state;
    static struct fixture fixture;
    uint64_t random = 4;
    setup(&fixture, 240, 3, BUCKETS);
    for (unsigned step = 0; step < 6000; step++) {
        uint32_t click = random_below(&random, fixture.count);
        bool growing = step / 600 % 2 == 0;
        if (!fixture.there[click] && (growing || random_below(&random, 6) == 0))
            add(&fixture, click);
        else if (fixture.there[click] && (!growing || random_below(&random, 6) == 0))
            remove_click(&fixture, click);
        if (step % 41 == 0)
            assert_holds(&fixture);
    }
    for (uint32_t click = 0; click < fixture.count; click++)
        if (fixture.there[click])
            remove_click(&fixture, click);
    assert_nothing_left(&fixture);
    teardown(&fixture);
}

/* In bulk: the lists that are told to be out of order are all that are. */
static void test_bulk_comes_to_the_same(void **state)
{
    (void)state;
    static struct fixture fixture;
    static uint32_t unordered[2 * CLICKS_MAX];
    cm_list_sorter sorter = {0};
    size_t told = 0;
    setup(&fixture, CLICKS_MAX, TYPES, BUCKETS);
    for (uint32_t click = 0; click < fixture.count; click++) {
        assert_int_equal(reserve(&fixture, click), CM_OK);
        cm_address_added added = add_to(&fixture, click, true);
        if (added.unordered_bucket != CM_NUMBER_NONE)
            unordered[told++] = added.unordered_bucket;
        if (added.unordered_type != CM_NUMBER_NONE)
            unordered[told++] = added.unordered_type & ~CM_POSTINGS_GROUP;
    }
    assert_true(told > 0);
    for (size_t i = 0; i < told; i++) {
        cm_postings *postings =
            cm_postings_is_group(unordered[i]) ? &fixture.shard.buckets : &fixture.shard.types;
        assert_int_equal(cm_list_sort(&postings->lists, cm_postings_group(postings, unordered[i]),
                                      &sorter, NULL),
                         CM_OK);
    }
    assert_holds(&fixture);
    remove_all(&fixture, 5);
    cm_list_sorter_destroy(&sorter);
    teardown(&fixture);
}

/* Splitting takes many allocations: each failed in turn leaves the bucket as it was, and splitting
 * it may be tried again. Returns whether there was one to fail. */
static bool split_without_memory(size_t allocations)
{
    static struct fixture fixture;
    const uint32_t last = CM_BUCKET_WHOLE_MAX;
    setup(&fixture, last + 1, TYPES, 1);
    for (uint32_t click = 0; click < last; click++)
        add(&fixture, click);
    failing_malloc_arm(allocations);
    cm_status status = reserve(&fixture, last);
    bool has_failed = failing_malloc_disarm();
    assert_int_equal(status, has_failed ? CM_ERROR_MEMORY : CM_OK);
    if (has_failed) {
        /* It was split, or not at all. */
        if (fixture.shard.types.table.count == 0)
            assert_int_equal(fixture.shard.types.groups.used, 0);
        assert_holds(&fixture);
        remove_click(&fixture, 5);
        assert_holds(&fixture);
        add(&fixture, 5);
    }
    add(&fixture, last);
    assert_int_equal(fixture.shard.types.table.count, TYPES);
    assert_holds(&fixture);
    remove_all(&fixture, allocations);
    teardown(&fixture);
    return has_failed;
}

static void test_splitting_without_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    size_t allocations = 0;
    while (split_without_memory(allocations))
        allocations++;
    assert_true(allocations >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buckets_of_any_size_and_mix),
        cmocka_unit_test(test_the_limit_of_whole_buckets),
        cmocka_unit_test(test_clicks_come_and_go),
        cmocka_unit_test(test_bulk_comes_to_the_same),
        cmocka_unit_test(test_splitting_without_memory),
    };
    return cmocka_run_group_tests_name("address_index", tests, NULL, NULL);
}
