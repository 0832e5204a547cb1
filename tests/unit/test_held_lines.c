/* Lines that wait: first in, first out, and the least time of them at hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/random.h"
#include "stream/held_lines.h"

#define LINES 3000

static uint64_t chance = 7;

static int64_t oldest_of(const cm_held_lines *held)
{
    int64_t oldest = INT64_MAX;
    for (size_t i = 0; i < held->count; i++) {
        const cm_held_line *line = cm_held_lines_at(held, i);
        if (!line->is_ready && line->time_us < oldest)
            oldest = line->time_us;
    }
    return oldest;
}

static void push(cm_held_lines *held, uint64_t number)
{
    char text[32];
    int size = snprintf(text, sizeof text, "line %llu", (unsigned long long)number);
    const cm_held_line head = {.time_us = (int64_t)random_below(&chance, 50),
                               .line = number,
                               .is_late = random_below(&chance, 4) == 0,
                               .is_ready = random_below(&chance, 5) == 0};
    assert_int_equal(cm_held_lines_push(held, &head, (cm_slice){text, (size_t)size}, NULL), CM_OK);
}

static void pop(cm_held_lines *held, uint64_t number)
{
    char text[32];
    int size = snprintf(text, sizeof text, "line %llu", (unsigned long long)number);
    assert_int_equal(cm_held_lines_first(held)->line, number);
    cm_held_line *line = cm_held_lines_pop(held);
    assert_int_equal(line->line, number);
    assert_int_equal(line->size, size);
    assert_memory_equal(line->text, text, (size_t)size);
    free(line);
}

/* Against the plain definition, growing and shrinking many times. */
static void test_random_pushes_and_pops(void **state)
{
    (void)state;
    cm_held_lines held = {0};
    uint64_t in = 0, out = 0;
    for (int i = 0; i < LINES; i++) {
        bool is_growing = i / 300 % 2 == 0;
        if (held.count == 0 || random_below(&chance, 10) < (is_growing ? 7 : 3))
            push(&held, in++);
        else
            pop(&held, out++);
        assert_int_equal(held.count, in - out);
        assert_int_equal(cm_held_lines_oldest(&held), oldest_of(&held));
    }
    while (out < in)
        pop(&held, out++);
    assert_int_equal(held.bytes, 0);
    assert_null(cm_held_lines_first(&held));
    cm_held_lines_destroy(&held);
}

static void test_destroy_frees_what_is_held(void **state)
{
    (void)state;
    cm_held_lines held = {0};
    for (uint64_t i = 0; i < 100; i++)
        push(&held, i);
    cm_held_lines_destroy(&held);
    assert_int_equal(held.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_pushes_and_pops),
        cmocka_unit_test(test_destroy_frees_what_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
