/* Conversion ids of the window: known while they are kept, free again when forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "stream/seen_ids.h"
#include "util/slice.h"

#define IDS (3 * CM_SEEN_SEGMENT_IDS + 1000)

static bool add(cm_seen_ids *seen, const char *tenant, uint64_t number, int64_t clock_us)
{
    char id[32];
    int size = snprintf(id, sizeof id, "v-%llu", (unsigned long long)number);
    bool is_new;
    assert_int_equal(cm_seen_ids_add(seen, cm_slice_of_text(tenant), cm_slice_of(id, (size_t)size),
                                     clock_us, &is_new, NULL),
                     CM_OK);
    return is_new;
}

static void test_known_within_a_tenant(void **state)
{
    (void)state;
    cm_seen_ids seen;
    cm_seen_ids_init(&seen, 5);
    assert_true(add(&seen, "a", 1, 0));
    assert_false(add(&seen, "a", 1, 0));
    assert_true(add(&seen, "b", 1, 0));
    assert_true(add(&seen, "a", 2, 0));
    assert_int_equal(seen.count, 3);
    cm_seen_ids_destroy(&seen);
}

static void test_forgotten_in_steps(void **state)
{
    (void)state;
    cm_seen_ids seen;
    cm_seen_ids_init(&seen, 5);
    for (uint64_t i = 0; i < IDS; i++)
        assert_true(add(&seen, "a", i, (int64_t)i));
    int64_t until = CM_SEEN_SEGMENT_IDS; /* the first segment, and not the second */
    cm_seen_ids_forget(&seen, until, 100);
    assert_int_equal(seen.count, IDS - 100);
    assert_false(add(&seen, "a", 100, IDS));
    assert_true(add(&seen, "a", 99, IDS));
    cm_seen_ids_forget(&seen, until, IDS);
    assert_int_equal(seen.count, IDS - CM_SEEN_SEGMENT_IDS + 1);
    assert_false(add(&seen, "a", CM_SEEN_SEGMENT_IDS, IDS));
    cm_seen_ids_forget(&seen, INT64_MAX, SIZE_MAX);
    assert_int_equal(seen.count, 0);
    assert_true(add(&seen, "a", 5, IDS));
    cm_seen_ids_destroy(&seen);
}

/* Days of it: the memory is that of what is kept. */
static void test_memory_is_bounded(void **state)
{
    (void)state;
    cm_seen_ids seen;
    cm_seen_ids_init(&seen, 5);
    size_t most = 0;
    for (uint64_t i = 0; i < 20 * IDS; i++) {
        assert_true(add(&seen, "tenant", i, (int64_t)i));
        cm_seen_ids_forget(&seen, (int64_t)i - IDS, 4);
        if (i == 4 * IDS)
            most = cm_seen_ids_memory(&seen);
    }
    assert_true(seen.count <= IDS + CM_SEEN_SEGMENT_IDS);
    assert_true(cm_seen_ids_memory(&seen) <= most + most / 20);
    cm_seen_ids_destroy(&seen);
}

static cm_slice texts_of(const cm_seen_ids *seen, uint64_t serial)
{
    const cm_seen_segment *segment = cm_seen_ids_at(seen, serial);
    return cm_slice_of(segment->texts.data, segment->texts.size);
}

static void test_brought_back(void **state)
{
    (void)state;
    cm_seen_ids seen, again;
    cm_seen_ids_init(&seen, 5);
    cm_seen_ids_init(&again, 6);
    for (uint64_t i = 0; i < IDS; i++)
        add(&seen, "a", i, (int64_t)i);
    cm_seen_ids_forget(&seen, CM_SEEN_SEGMENT_IDS, CM_SEEN_SEGMENT_IDS + 50);
    cm_seen_ids_forget(&seen, 2 * CM_SEEN_SEGMENT_IDS, 50);
    for (uint64_t serial = seen.first; serial < seen.end; serial++)
        assert_int_equal(cm_seen_ids_restore(&again, serial, cm_seen_ids_at(&seen, serial)->last_us,
                                             texts_of(&seen, serial),
                                             serial == seen.first ? seen.forgotten : 0, NULL),
                         CM_OK);
    assert_int_equal(again.count, seen.count);
    for (uint64_t i = 0; i < IDS + 10; i++)
        assert_int_equal(add(&again, "a", i, IDS), add(&seen, "a", i, IDS));
    cm_seen_ids_destroy(&seen);
    cm_seen_ids_destroy(&again);
}

static void refuse(const char *texts, size_t size, uint32_t forgotten)
{
    cm_seen_ids seen;
    cm_error error = {0};
    cm_seen_ids_init(&seen, 5);
    assert_int_equal(cm_seen_ids_restore(&seen, 7, 0, cm_slice_of(texts, size), forgotten, &error),
                     CM_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "segment 7 is damaged"));
    cm_seen_ids_destroy(&seen);
}

static void test_damaged_texts_are_refused(void **state)
{
    (void)state;
    refuse("\3\0a\0b\3", 6, 0);
    refuse("\3\0a\0b\3\0a\0", 9, 0);
    refuse("\3\0a\0b\3\0a\0b", 10, 0); /* twice */
    refuse("\3\0a\0b", 5, 2);
    refuse("\377\377a", 3, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_within_a_tenant),     cmocka_unit_test(test_forgotten_in_steps),
        cmocka_unit_test(test_memory_is_bounded),         cmocka_unit_test(test_brought_back),
        cmocka_unit_test(test_damaged_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
