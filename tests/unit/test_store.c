/* The click store and dictionaries: what goes in comes out, whatever its size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/click_store.h"
#include "store/click_text.h"
#include "store/dictionary.h"

#define WINDOW_US 100

static cm_click_writer writer;

static void init(cm_click_store *store)
{
    writer = (cm_click_writer){0};
    cm_click_store_init(store, WINDOW_US);
}

static uint32_t append(cm_click_store *store, const cm_click_texts *texts, int64_t time,
                       int64_t expires_at, bool is_valid)
{
    const cm_click_row row = {
        .time = cm_click_row_stamp(time, is_valid ? 0 : CM_ROW_INVALID), .who = 1, .campaign = 2};
    if (cm_click_writer_is_full(&writer))
        assert_int_equal(cm_click_store_open(store, &writer, NULL), CM_OK);
    assert_int_equal(cm_click_writer_reserve(&writer, texts, NULL), CM_OK);
    return cm_click_writer_append(&writer, WINDOW_US, &row, texts, expires_at, expires_at);
}

static void assert_texts(const cm_click_store *store, uint32_t click, const cm_click_texts *texts)
{
    cm_click_texts got = cm_click_store_texts(store, click);
    assert_true(cm_slice_equal(got.click_id, texts->click_id));
    assert_true(cm_slice_equal(got.fbclid, texts->fbclid));
    assert_true(cm_slice_equal(got.gclid, texts->gclid));
    assert_true(cm_slice_equal(got.reference, texts->reference));
    assert_true(cm_slice_equal(cm_click_store_id(store, click), texts->click_id));
}

/* Bytes in memory of their own, so that one read beyond them is found. */
static size_t check_copy(const char *bytes, size_t size, cm_click_texts *texts)
{
    char *copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy + 1, bytes, size);
    size_t taken = cm_click_text_check(copy + 1, size, texts);
    free(copy);
    return taken;
}

/* What is whole is told from what is cut off, and as it is read. */
static void check_cut_off(const cm_click_texts *texts)
{
    char bytes[4096];
    cm_click_texts found;
    size_t size = cm_click_text_write(bytes, texts);
    assert_int_equal(check_copy(bytes, size, &found), size);
    assert_int_equal(cm_click_text_check(bytes, sizeof bytes, &found), size);
    assert_true(cm_slice_equal(found.click_id, texts->click_id));
    assert_true(cm_slice_equal(found.fbclid, texts->fbclid));
    assert_true(cm_slice_equal(found.gclid, texts->gclid));
    assert_true(cm_slice_equal(found.reference, texts->reference));
    for (size_t cut = 0; cut < size; cut += 1 + cut / 10)
        assert_int_equal(check_copy(bytes, cut, &found), 0);
}

static void test_texts_that_may_be_anything(void **state)
{
    (void)state;
    char long_text[1030];
    memset(long_text, 'x', sizeof long_text);
    const size_t sizes[] = {0, 1, 17, 255, 256, 1020};
    for (size_t i = 0; i < 5 * 6 * 6 * 4; i++) {
        const cm_click_texts texts = {
            cm_slice_of(long_text, sizes[1 + i % 5]), cm_slice_of(long_text, sizes[i / 5 % 6]),
            cm_slice_of(long_text, sizes[i / 30 % 6]), cm_slice_of(long_text, sizes[i / 180])};
        check_cut_off(&texts);
    }
    char bytes[4096];
    cm_click_texts found, texts = {.click_id = cm_slice_of(long_text, 1021)};
    assert_int_equal(check_copy(bytes, cm_click_text_write(bytes, &texts), &found), 0);
    texts = (cm_click_texts){cm_slice_of(long_text, 1), .reference = cm_slice_of(long_text, 256)};
    assert_int_equal(check_copy(bytes, cm_click_text_write(bytes, &texts), &found), 0);
    texts.reference.size = 0;
    texts.gclid = cm_slice_of(long_text, 1022);
    assert_int_equal(check_copy(bytes, cm_click_text_write(bytes, &texts), &found), 0);
    static const char none[][6] = {"\0\0xxx",  "\x10\1xxx", "\2\1\0xx",
                                   "\1\1\0xx", "\4\1\0xx",  "\xff\1\1xx"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(check_copy(none[i], 5, &found), 0);
}

static void test_texts_of_any_size(void **state)
{
    (void)state;
    char long_text[1020];
    memset(long_text, 'x', sizeof long_text);
    const size_t sizes[] = {0, 1, 17, 255, 256, 1020};
    cm_click_store store;
    init(&store);
    for (size_t id = 1; id < 6; id++)
        for (size_t fbclid = 0; fbclid < 6; fbclid++)
            for (size_t gclid = 0; gclid < 6; gclid++)
                for (size_t reference = 0; reference < 4; reference++) {
                    const cm_click_texts texts = {cm_slice_of(long_text, sizes[id]),
                                                  cm_slice_of(long_text, sizes[fbclid]),
                                                  cm_slice_of(long_text, sizes[gclid]),
                                                  cm_slice_of(long_text, sizes[reference])};
                    assert_texts(&store, append(&store, &texts, 0, 100, true), &texts);
                }
    cm_click_store_destroy(&store);
}

static void test_expiry_and_validity(void **state)
{
    (void)state;
    cm_click_store store;
    const cm_click_texts texts = {.click_id = CM_SLICE("k")};
    init(&store);
    uint32_t usual = append(&store, &texts, 5, 105, true);
    uint32_t own = append(&store, &texts, 5, 6, true);
    uint32_t flagged = append(&store, &texts, 5, 7, false);
    assert_int_equal(cm_click_store_expires_at(&store, usual), 105);
    assert_int_equal(cm_click_store_expires_at(&store, own), 6);
    assert_int_equal(cm_click_store_expires_at(&store, flagged), 7);
    assert_true(cm_click_row_is_valid(cm_click_store_row(&store, own)));
    assert_false(cm_click_row_is_valid(cm_click_store_row(&store, flagged)));
    assert_int_equal(store.segments[0]->own_expiries->count, 2);
    cm_click_store_destroy(&store);
}

static void test_expiries_of_many(void **state)
{
    (void)state;
    cm_click_store store;
    const cm_click_texts texts = {.click_id = CM_SLICE("k")};
    init(&store);
    for (uint32_t i = 0; i < 1000; i++)
        append(&store, &texts, i, i % 3 == 0 ? i + WINDOW_US : i + i % 7, true);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(cm_click_store_expires_at(&store, i),
                         i % 3 == 0 ? i + WINDOW_US : i + i % 7);
    cm_click_store_destroy(&store);
}

static void test_duplicates_do_not_count(void **state)
{
    (void)state;
    cm_click_store store;
    const cm_click_texts texts = {.click_id = CM_SLICE("k")};
    init(&store);
    append(&store, &texts, 1, 1, true);
    uint32_t again = append(&store, &texts, 2, 2, true);
    cm_click_store_drop(&store, again);
    assert_int_equal(cm_click_store_count(&store), 1);
    assert_int_equal(cm_click_store_time(&store, again), 2);
    cm_click_store_destroy(&store);
}

/* Two writers have a segment each; what one gives back another goes on with. */
static void test_writers_have_their_own_segments(void **state)
{
    (void)state;
    cm_click_store store;
    cm_click_writer other = {0};
    const cm_click_texts texts = {.click_id = CM_SLICE("k")};
    init(&store);
    assert_int_equal(append(&store, &texts, 1, 1, true), 0);
    assert_int_equal(cm_click_store_open(&store, &other, NULL), CM_OK);
    assert_int_equal(other.base, CM_SEGMENT_ROWS);
    cm_click_store_close(&store, &writer);
    cm_click_store_close(&store, &other);
    assert_int_equal(append(&store, &texts, 1, 1, true) % CM_SEGMENT_ROWS, 0);
    assert_int_equal(cm_click_store_open(&store, &other, NULL), CM_OK);
    assert_int_equal(other.base, 0);
    assert_int_equal(store.segment_count, 2);
    cm_click_store_destroy(&store);
}

static void test_freed_segments_are_used_again(void **state)
{
    (void)state;
    cm_click_store store;
    const cm_click_texts texts = {.click_id = CM_SLICE("k")};
    init(&store);
    for (uint32_t i = 0; i < 2 * CM_SEGMENT_ROWS + 1; i++)
        assert_int_equal(append(&store, &texts, i, i + WINDOW_US, true), i);
    assert_int_equal(cm_click_store_count(&store), 2 * CM_SEGMENT_ROWS + 1);
    cm_click_store_free_segment(&store, 0);
    assert_int_equal(cm_click_store_count(&store), CM_SEGMENT_ROWS + 1);
    for (uint32_t i = 1; i < CM_SEGMENT_ROWS; i++)
        append(&store, &texts, 0, WINDOW_US, true);
    assert_int_equal(append(&store, &texts, 42, 142, true), 0);
    assert_int_equal(cm_click_store_time(&store, 0), 42);
    cm_click_store_close(&store, &writer);
    cm_click_store_free_segment(&store, 0);
    assert_int_equal(append(&store, &texts, 43, 143, true), 0);
    cm_click_store_destroy(&store);
}

static void test_dictionary(void **state)
{
    (void)state;
    cm_dictionary dictionary = {0};
    char text[16];
    assert_int_equal(cm_dictionary_intern(&dictionary, (cm_slice){0}, 9), CM_NUMBER_MISSING);
    for (uint32_t i = 1; i <= 5000; i++) {
        cm_slice slice = cm_slice_of(text, (size_t)snprintf(text, sizeof text, "agent %u", i));
        assert_int_equal(cm_dictionary_find(&dictionary, slice, cm_hash_slice(slice, 1)),
                         CM_NUMBER_NONE);
        assert_int_equal(cm_dictionary_intern(&dictionary, slice, cm_hash_slice(slice, 1)), i);
        assert_int_equal(cm_dictionary_intern(&dictionary, slice, cm_hash_slice(slice, 1)), i);
    }
    assert_true(cm_slice_equal(cm_dictionary_text(&dictionary, 77), CM_SLICE("agent 77")));
    assert_int_equal(cm_dictionary_text(&dictionary, CM_NUMBER_MISSING).size, 0);
    cm_dictionary_destroy(&dictionary);
}

/* Two texts with one hash are two texts. */
static void test_dictionary_compares_texts(void **state)
{
    (void)state;
    cm_dictionary dictionary = {0};
    assert_int_equal(cm_dictionary_intern(&dictionary, CM_SLICE("a"), 7), 1);
    assert_int_equal(cm_dictionary_intern(&dictionary, CM_SLICE("b"), 7), 2);
    assert_int_equal(cm_dictionary_find(&dictionary, CM_SLICE("a"), 7), 1);
    assert_int_equal(cm_dictionary_find(&dictionary, CM_SLICE("c"), 7), CM_NUMBER_NONE);
    cm_dictionary_destroy(&dictionary);
}

static cm_slice numbered_text(uint32_t number, char *room)
{
    int size = snprintf(room, 1024, "%u", number);
    size_t more = number % 7 == 0 ? 600 : number % 100;
    memset(room + size, 'x', more);
    return cm_slice_of(room, (size_t)size + more);
}

static uint32_t intern_numbered(cm_dictionary *dictionary, uint32_t number, uint32_t generation)
{
    char room[1024];
    cm_slice text = numbered_text(number, room);
    uint32_t got = cm_dictionary_intern(dictionary, text, cm_hash_slice(text, 3));
    cm_dictionary_stamp(cm_dictionary_text(dictionary, got), generation);
    return got;
}

static void sweep_all(cm_dictionary *dictionary, uint32_t generation)
{
    uint32_t next = 0;
    do
        next = cm_dictionary_sweep(dictionary, next, 7, generation, 3);
    while (next != 0);
}

/* In each generation some texts are new, and some of the last are used again. */
static void test_dictionary_swept(void **state)
{
    (void)state;
    cm_dictionary dictionary = {0};
    char room[1024];
    size_t memory = 0;
    for (uint32_t generation = 1; generation <= 50; generation++) {
        for (uint32_t i = 0; i < 1000; i++)
            assert_in_range(intern_numbered(&dictionary, generation * 500 + i, generation), 1,
                            2001);
        assert_int_equal(dictionary.used, generation == 1 ? 1000 : 1500);
        intern_numbered(&dictionary, generation * 500, generation - 1); /* stamps only rise */
        sweep_all(&dictionary, generation);
        assert_int_equal(dictionary.used, 1000);
        for (uint32_t i = 0; i < 3000; i++) {
            cm_slice text = numbered_text(generation * 500 - 1000 + i, room);
            uint32_t number = cm_dictionary_find(&dictionary, text, cm_hash_slice(text, 3));
            assert_int_equal(number != CM_NUMBER_NONE, i >= 1000 && i < 2000);
            if (number != CM_NUMBER_NONE)
                assert_true(cm_slice_equal(cm_dictionary_text(&dictionary, number), text));
        }
        if (generation == 25)
            memory = cm_dictionary_memory(&dictionary);
    }
    assert_in_range(cm_dictionary_memory(&dictionary), memory - memory / 20, memory + memory / 20);
    sweep_all(&dictionary, 51);
    assert_int_equal(dictionary.used, 0);
    cm_dictionary_destroy(&dictionary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_of_any_size),
        cmocka_unit_test(test_texts_that_may_be_anything),
        cmocka_unit_test(test_expiry_and_validity),
        cmocka_unit_test(test_expiries_of_many),
        cmocka_unit_test(test_duplicates_do_not_count),
        cmocka_unit_test(test_writers_have_their_own_segments),
        cmocka_unit_test(test_freed_segments_are_used_again),
        cmocka_unit_test(test_dictionary),
        cmocka_unit_test(test_dictionary_compares_texts),
        cmocka_unit_test(test_dictionary_swept),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
