/* The histogram of latencies, against sorting the values themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those it needs */
#include <cmocka.h>
#include <stdlib.h>

#include "util/hash.h"
#include "util/histogram.h"

#define VALUES 20000u

static cm_histogram histogram, other; /* too large for a stack */

static int clear(void **state)
{
    (void)state;
    histogram = other = (cm_histogram){0};
    return 0;
}

static void test_empty(void **state)
{
    (void)state;
    assert_int_equal(cm_histogram_quantile(&histogram, 0.5), 0);
    assert_int_equal(cm_histogram_quantile(&histogram, 1), 0);
}

static void test_one_value_is_told_exactly(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, 255, 256, 257, 1000003, UINT64_MAX / 3, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        histogram = (cm_histogram){0};
        cm_histogram_record(&histogram, values[i]);
        assert_true(cm_histogram_quantile(&histogram, 0) == values[i]);
        assert_true(cm_histogram_quantile(&histogram, 0.5) == values[i]);
        assert_true(cm_histogram_quantile(&histogram, 1) == values[i]);
    }
}

/* Every value has a counter, the next value has the same or the next one. */
static void test_slots_rise_without_a_gap(void **state)
{
    (void)state;
    uint32_t last = 0;
    for (uint64_t value = 0; value < 100000; value++) {
        uint32_t slot = cm_histogram_slot(value);
        assert_true(slot == last || slot == last + 1);
        last = slot;
    }
    for (unsigned bit = 17; bit < 64; bit++) {
        uint64_t power = UINT64_C(1) << bit;
        assert_int_equal(cm_histogram_slot(power), cm_histogram_slot(power - 1) + 1);
    }
    assert_int_equal(cm_histogram_slot(UINT64_MAX), CM_HISTOGRAM_SLOTS - 1);
}

static int compare(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

static void test_quantiles_are_those_of_the_values(void **state)
{
    (void)state;
    static const double shares[] = {0.0001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
    uint64_t *values = malloc(VALUES * sizeof *values);
    assert_non_null(values);
    for (uint64_t i = 0; i < VALUES; i++) {
        values[i] = cm_hash_pair(i, 7) >> (i % 50 + 10); /* of all magnitudes */
        cm_histogram_record(&histogram, values[i]);
    }
    qsort(values, VALUES, sizeof *values, compare);
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        size_t rank = (size_t)(shares[i] * VALUES + 0.5);
        uint64_t exact = values[rank < 1 ? 0 : rank - 1];
        uint64_t told = cm_histogram_quantile(&histogram, shares[i]);
        assert_true(told >= exact && told - exact <= exact / CM_HISTOGRAM_PARTS);
    }
    assert_true(cm_histogram_quantile(&histogram, 1) == values[VALUES - 1]);
    free(values);
}

static void test_parts_make_the_whole(void **state)
{
    (void)state;
    static cm_histogram whole;
    whole = (cm_histogram){0};
    for (uint64_t value = 0; value < 5000; value++) {
        cm_histogram_record(value % 3 == 0 ? &histogram : &other, value * value);
        cm_histogram_record(&whole, value * value);
    }
    cm_histogram_add(&histogram, &other);
    assert_memory_equal(&histogram, &whole, sizeof whole);
}

/* Against counting: right for bounds at the edge of a counter, at most 1/128 low for others. */
static void test_cumulated_counts(void **state)
{
    (void)state;
    static const uint64_t bounds[] = {0, 255, 1000, 10000, 65535, 1000000, UINT64_MAX};
    uint64_t counts[7];
    uint64_t exact[7] = {0}, low[7] = {0};
    for (uint64_t i = 0; i < VALUES; i++) {
        uint64_t value = i * i % 3000000;
        cm_histogram_record(&histogram, value);
        for (size_t b = 0; b < 7; b++) {
            exact[b] += value <= bounds[b];
            low[b] += value <= bounds[b] - bounds[b] / 128;
        }
    }
    cm_histogram_cumulate(&histogram, bounds, 7, counts);
    for (size_t b = 0; b < 7; b++)
        assert_in_range(counts[b], low[b], exact[b]);
    assert_int_equal(counts[1], exact[1]);
    assert_int_equal(counts[4], exact[4]);
    assert_int_equal(counts[6], VALUES);
}

/* The largest value is known exactly, whatever its counter holds besides. */
static void test_cumulated_counts_of_one_value(void **state)
{
    (void)state;
    static const uint64_t bounds[] = {9999, 10000};
    uint64_t counts[2];
    cm_histogram_record(&histogram, 10000);
    cm_histogram_cumulate(&histogram, bounds, 2, counts);
    assert_int_equal(counts[0], 0);
    assert_int_equal(counts[1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_empty, clear),
        cmocka_unit_test_setup(test_one_value_is_told_exactly, clear),
        cmocka_unit_test_setup(test_slots_rise_without_a_gap, clear),
        cmocka_unit_test_setup(test_quantiles_are_those_of_the_values, clear),
        cmocka_unit_test_setup(test_parts_make_the_whole, clear),
        cmocka_unit_test_setup(test_cumulated_counts, clear),
        cmocka_unit_test_setup(test_cumulated_counts_of_one_value, clear),
    };
    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
