/* Arena and buffer: growth, reuse, and sizes that cannot be had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "util/arena.h"
#include "util/buffer.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void what_is_taken_is_aligned_and_stays(void **state)
{
    (void)state;
    enum { TAKEN = 5000 };
    static unsigned char *taken[TAKEN];
    cm_arena arena = {0};
    for (size_t i = 0; i < TAKEN; i++) {
        taken[i] = cm_arena_take(&arena, i % 700);
        assert_non_null(taken[i]);
        assert_int_equal((uintptr_t)taken[i] % 16, 0);
        memset(taken[i], (int)(i & 0xFF), i % 700);
    }
    for (size_t i = 0; i < TAKEN; i++)
        for (size_t at = 0; at < i % 700; at++)
            assert_int_equal(taken[i][at], i & 0xFF);
    cm_arena_destroy(&arena);
    assert_null(arena.blocks);
}

static void a_reset_arena_reuses_its_largest_block(void **state)
{
    (void)state;
    cm_arena arena = {0};
    cm_arena_reset(&arena);
    for (size_t i = 0; i < 100; i++)
        assert_non_null(cm_arena_take(&arena, 10000));
    struct cm_arena_block *largest = arena.blocks;
    cm_arena_reset(&arena);
    assert_ptr_equal(arena.blocks, largest);
    assert_int_equal(arena.used, 0);
    for (size_t i = 0; i < 10; i++)
        assert_non_null(cm_arena_take(&arena, 10000));
    assert_ptr_equal(arena.blocks, largest);
    cm_arena_destroy(&arena);
    cm_arena_destroy(&arena);
    assert_non_null(cm_arena_take(&arena, 1));
    cm_arena_destroy(&arena);
}

static void an_arena_gives_large_pieces_and_refuses_impossible_ones(void **state)
{
    (void)state;
    static const size_t impossible[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2, SIZE_MAX / 4 + 1,
                                        SIZE_MAX / 8};
    cm_arena arena = {0};
    char *kept = cm_arena_take(&arena, 5);
    memcpy(kept, "kept", 5);
    for (size_t i = 0; i < COUNT(impossible); i++)
        assert_null(cm_arena_take(&arena, impossible[i]));
    char *large = cm_arena_take(&arena, (size_t)1 << 24);
    assert_non_null(large);
    memset(large, 1, (size_t)1 << 24);
    assert_string_equal(kept, "kept");
    cm_arena_destroy(&arena);
}

static void a_buffer_holds_what_is_appended(void **state)
{
    (void)state;
    cm_buffer buffer = {0};
    cm_buffer_append(&buffer, NULL, 0);
    assert_int_equal(buffer.size, 0);
    for (size_t i = 0; i < 3000; i++) {
        cm_buffer_append_text(&buffer, "ab");
        cm_buffer_append_char(&buffer, '\0');
        cm_buffer_append_slice(&buffer, CM_SLICE("c"));
    }
    assert_false(buffer.failed);
    assert_int_equal(buffer.size, 12000);
    for (size_t i = 0; i < 3000; i++)
        assert_memory_equal(buffer.data + 4 * i, "ab\0c", 4);
    cm_buffer_destroy(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.capacity, 0);
}

static void a_buffer_remembers_that_it_failed(void **state)
{
    (void)state;
    static const size_t impossible[] = {SIZE_MAX, SIZE_MAX / 4 + 1, SIZE_MAX / 8};
    for (size_t i = 0; i < COUNT(impossible); i++) {
        cm_buffer buffer = {0};
        cm_buffer_append_text(&buffer, "kept");
        assert_false(cm_buffer_reserve(&buffer, impossible[i]));
        assert_true(buffer.failed);
        assert_false(cm_buffer_reserve(&buffer, 1));
        assert_memory_equal(buffer.data, "kept", 4);
        assert_int_equal(buffer.size, 4);
        cm_buffer_destroy(&buffer);
        assert_true(cm_buffer_reserve(&buffer, 1));
        cm_buffer_destroy(&buffer);
    }
}

static void assert_text(cm_buffer *buffer, const char *expected)
{
    cm_buffer_append_char(buffer, '\0');
    assert_string_equal(buffer->data, expected);
    buffer->size = 0;
}

static void numbers_are_written_in_decimal(void **state)
{
    (void)state;
    static const struct {
        double share;
        unsigned decimals;
        const char *text;
    } shares[] = {
        {0, 4, "0.0000"},
        {1, 4, "1.0000"},
        {0.8931, 4, "0.8931"},
        {0.99995, 4, "1.0000"},
        {0.99994, 4, "0.9999"},
        {0.990763, 6, "0.990763"},
        {0.0000005, 6, "0.000001"},
        {0.00000049, 6, "0.000000"},
        {0.5, 0, "1"},
        {0.25, 1, "0.3"},
        {0.123456789, 9, "0.123456789"},
    };
    cm_buffer buffer = {0};
    cm_buffer_append_u64(&buffer, 0);
    assert_text(&buffer, "0");
    cm_buffer_append_u64(&buffer, 1234567890);
    assert_text(&buffer, "1234567890");
    cm_buffer_append_u64(&buffer, UINT64_MAX);
    assert_text(&buffer, "18446744073709551615");
    for (size_t i = 0; i < COUNT(shares); i++) {
        cm_buffer_append_share(&buffer, shares[i].share, shares[i].decimals);
        assert_text(&buffer, shares[i].text);
    }
    cm_buffer_destroy(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_is_aligned_and_stays),
        cmocka_unit_test(a_reset_arena_reuses_its_largest_block),
        cmocka_unit_test(an_arena_gives_large_pieces_and_refuses_impossible_ones),
        cmocka_unit_test(a_buffer_holds_what_is_appended),
        cmocka_unit_test(a_buffer_remembers_that_it_failed),
        cmocka_unit_test(numbers_are_written_in_decimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
