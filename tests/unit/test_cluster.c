/* Clicks put side by side by fingerprint: each is what it was, under the number it is said to have,
 * and those that are in the indexes already stay where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/failing_malloc.h"
#include "harness/random.h"
#include "store/cluster.h"

#define WINDOW_US 1000
#define CLICKS_MAX 3000u

/* Row i was stored as click i; its number changes. */
static cm_cluster_room room; /* each test leaves it empty */

struct fixture {
    cm_click_store store;
    cm_click_writer writer;
    uint64_t random;
    uint32_t count;
    uint32_t fingerprints[CLICKS_MAX];
    int64_t expiries[CLICKS_MAX];
    uint32_t numbers[CLICKS_MAX];
};

static cm_slice text_of(uint32_t click, unsigned kind, char *text)
{
    if (kind > 0 && click % (kind + 2) == 0)
        return (cm_slice){0};
    int padding = (int)(click * (kind + 3) % 90);
    return cm_slice_of(text, (size_t)snprintf(text, 120, "%u-%u-%0*u", kind, click, padding, 1u));
}

static void setup(struct fixture *fixture)
{
    *fixture = (struct fixture){.random = 1};
    cm_click_store_init(&fixture->store, WINDOW_US);
    assert_int_equal(cm_click_store_open(&fixture->store, &fixture->writer, NULL), CM_OK);
}

static void teardown(struct fixture *fixture)
{
    cm_click_store_destroy(&fixture->store);
    cm_cluster_room_destroy(&room);
}

/* Half of the clicks expire when the window says. */
static void store(struct fixture *fixture, uint32_t count)
{
    for (; count > 0; count--) {
        uint32_t i = fixture->count++;
        char texts[4][120];
        const cm_click_texts written = {text_of(i, 0, texts[0]), text_of(i, 1, texts[1]),
                                        text_of(i, 2, texts[2]), text_of(i, 3, texts[3])};
        fixture->fingerprints[i] = random_below(&fixture->random, 40) << 16 | (i & 0xFFFF);
        fixture->expiries[i] = i + (random_below(&fixture->random, 2) == 0
                                        ? WINDOW_US
                                        : random_below(&fixture->random, 3 * WINDOW_US));
        const cm_click_row row = {.time = cm_click_row_stamp(i, CM_ROW_IPV4),
                                  .address = i * 3,
                                  .who = i % 7,
                                  .fingerprint = fixture->fingerprints[i]};
        assert_int_equal(cm_click_writer_reserve(&fixture->writer, &written, NULL), CM_OK);
        fixture->numbers[i] = cm_click_writer_append(&fixture->writer, WINDOW_US, &row, &written,
                                                     fixture->expiries[i], 0);
    }
}

static void assert_click(const struct fixture *fixture, uint32_t i)
{
    char text[120];
    uint32_t number = fixture->numbers[i];
    const cm_click_row *row = cm_click_store_row(&fixture->store, number);
    cm_click_texts texts = cm_click_store_texts(&fixture->store, number);
    assert_int_equal(cm_click_row_time(row), i);
    assert_int_equal(cm_click_row_address_kind(row), CM_ROW_IPV4);
    assert_int_equal(row->address, i * 3);
    assert_int_equal(row->who, i % 7);
    assert_int_equal(row->fingerprint, fixture->fingerprints[i]);
    assert_int_equal(cm_click_store_expires_at(&fixture->store, number), fixture->expiries[i]);
    assert_true(cm_slice_equal(texts.click_id, text_of(i, 0, text)));
    assert_true(cm_slice_equal(texts.fbclid, text_of(i, 1, text)));
    assert_true(cm_slice_equal(texts.gclid, text_of(i, 2, text)));
    assert_true(cm_slice_equal(texts.reference, text_of(i, 3, text)));
}

static void assert_all(const struct fixture *fixture)
{
    for (uint32_t i = 0; i < fixture->count; i++)
        assert_click(fixture, i);
}

/* From this row on they are ordered by half of their fingerprint, else as they came. */
static void assert_ordered(const struct fixture *fixture, uint32_t from)
{
    for (uint32_t number = from + 1; number < fixture->count; number++) {
        const cm_click_row *before = cm_click_store_row(&fixture->store, number - 1);
        const cm_click_row *row = cm_click_store_row(&fixture->store, number);
        uint32_t key = row->fingerprint >> 16, key_before = before->fingerprint >> 16;
        assert_true(key_before <= key);
        if (key_before == key)
            assert_true(cm_click_row_time(before) < cm_click_row_time(row));
    }
}

static void cluster(struct fixture *fixture, uint32_t from)
{
    assert_int_equal(cm_click_store_cluster(&fixture->store, 0, &room, NULL), CM_OK);
    for (uint32_t i = from; i < fixture->count; i++)
        fixture->numbers[i] = cm_click_store_moved(&fixture->store, fixture->numbers[i]);
    assert_all(fixture);
    assert_ordered(fixture, from);
    cm_click_store_settle(&fixture->store, 0);
}

/* In the middle of a group of 16 places and of a word of 64 bits, and at their ends. */
static const uint32_t sizes[] = {1, 2, 15, 16, 17, 63, 64, 65, 128, 1000};
#define SIZES (sizeof sizes / sizeof *sizes)

static void test_each_click_is_what_it_was(void **state)
{
    (void)state;
    static struct fixture fixture;
    for (size_t i = 0; i < SIZES; i++)
        for (size_t j = 0; j < SIZES; j++) {
            setup(&fixture);
            store(&fixture, sizes[i]);
            cluster(&fixture, 0);
            store(&fixture, sizes[j]);
            assert_all(&fixture);
            cluster(&fixture, sizes[i]);
            store(&fixture, 20); /* and it goes on */
            assert_all(&fixture);
            teardown(&fixture);
        }
}

/* Where there is nothing new, nothing is done. */
static void test_settled_clicks_stay(void **state)
{
    (void)state;
    static struct fixture fixture;
    setup(&fixture);
    store(&fixture, 300);
    cm_click_store_settle(&fixture.store, 0);
    assert_int_equal(cm_click_store_cluster(&fixture.store, 0, &room, NULL), CM_OK);
    assert_all(&fixture);
    cm_click_store_settle(&fixture.store, 0);
    store(&fixture, 300);
    cluster(&fixture, 300);
    teardown(&fixture);
}

static void test_without_memory_they_stay_as_they_were(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    static struct fixture fixture;
    size_t round = 0;
    for (bool has_failed = true; has_failed; round++) {
        ptrdiff_t before = failing_malloc_live();
        cm_error error = {0};
        setup(&fixture);
        store(&fixture, 200);
        failing_malloc_arm(round);
        cm_status status = cm_click_store_cluster(&fixture.store, 0, &room, &error);
        has_failed = failing_malloc_disarm();
        assert_int_equal(status, has_failed ? CM_ERROR_MEMORY : CM_OK);
        assert_int_equal(error.code, status);
        if (has_failed) {
            assert_all(&fixture);
            cluster(&fixture, 0);
        }
        teardown(&fixture);
        assert_int_equal(failing_malloc_live(), before);
    }
    assert_int_equal(round, 3); /* two allocations failed, then none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_click_is_what_it_was),
        cmocka_unit_test(test_settled_clicks_stay),
        cmocka_unit_test(test_without_memory_they_stay_as_they_were),
    };
    return cmocka_run_group_tests_name("cluster", tests, NULL, NULL);
}
