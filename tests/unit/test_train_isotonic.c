/* Calibration by isotonic regression, against pooling as plain as it can be written. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/bits.h"
#include "harness/failing_malloc.h"
#include "harness/random.h"
#include "train/isotonic.h"

#define FORECASTS_MAX ((size_t)4000)
#define SMALL_MASS 1e-3 /* below every weight: no pool lacks it */

struct knots {
    cm_knot items[CM_ISOTONIC_KNOTS_MAX];
    size_t count;
};

static double share(uint64_t *state)
{
    return (double)random_below(state, 1u << 30) / (1u << 30);
}

static struct knots fit(cm_forecast *forecasts, size_t count, double prior, double mass_min)
{
    const cm_isotonic_options options = {prior, mass_min};
    struct knots knots = {.count = 99};
    assert_int_equal(cm_isotonic_fit(forecasts, count, &options, knots.items, &knots.count, NULL),
                     CM_OK);
    return knots;
}

static void assert_valid(const struct knots *knots)
{
    assert_true(knots->count != 1 && knots->count <= CM_ISOTONIC_KNOTS_MAX);
    for (size_t i = 0; i < knots->count; i++) {
        const cm_knot *knot = &knots->items[i];
        assert_true(knot->x >= 0 && knot->x <= 1 && knot->y >= 0 && knot->y <= 1);
        assert_true(i == 0 || (knot->x > knot[-1].x && knot->y >= knot[-1].y));
    }
}

static void assert_knot(const cm_knot *knot, double x, double y)
{
    if (!(fabs(knot->x - x) < 1e-12 && fabs(knot->y - y) < 1e-12))
        fail_msg("[%.15g, %.15g], not [%.15g, %.15g]", knot->x, knot->y, x, y);
}

/* ---- plain pooling ---- */

struct plain {
    double mass, said, came;
};

/* Forecasts of one probability after the other, each found by looking at all. */
static size_t plain_groups(const cm_forecast *forecasts, size_t count, struct plain *groups)
{
    size_t made = 0;
    for (double last = -1;; made++) {
        double next = 2;
        for (size_t i = 0; i < count; i++)
            if (forecasts[i].probability > last && forecasts[i].probability < next)
                next = forecasts[i].probability;
        if (next > 1)
            return made;
        groups[made] = (struct plain){0};
        for (size_t i = 0; i < count; i++)
            if (forecasts[i].probability == next) {
                groups[made].mass += forecasts[i].weight;
                groups[made].said += forecasts[i].weight * next;
                groups[made].came += forecasts[i].is_right ? forecasts[i].weight : 0;
            }
        last = next;
    }
}

/* Any two neighbours that do not rise are joined, until none are left. Shares are compared as
 * products: weights are such that these are exact. */
static size_t plain_pools(struct plain *pools, size_t count)
{
    for (size_t i = 0; i + 1 < count;) {
        if (pools[i].came * pools[i + 1].mass < pools[i + 1].came * pools[i].mass) {
            i++;
            continue;
        }
        pools[i].mass += pools[i + 1].mass;
        pools[i].said += pools[i + 1].said;
        pools[i].came += pools[i + 1].came;
        memmove(&pools[i + 1], &pools[i + 2], (count - i - 2) * sizeof *pools);
        count--;
        i = 0;
    }
    return count;
}

static size_t random_forecasts(uint64_t *state, size_t count, uint32_t grid, cm_forecast *forecasts)
{
    for (size_t i = 0; i < count; i++) {
        double p = random_below(state, grid + 1) / (double)grid;
        forecasts[i] =
            (cm_forecast){p, 0.25 * (1 + random_below(state, 8)), share(state) < 0.1 + 0.6 * p * p};
    }
    return count;
}

static void test_against_plain_pooling(void **state)
{
    (void)state;
    uint64_t random = 1;
    cm_forecast forecasts[300];
    struct plain pools[300] = {{0}};
    size_t fitted = 0;
    for (int round = 0; round < 300; round++) {
        size_t count = random_forecasts(&random, random_below(&random, 301), 20, forecasts);
        double prior = round % 3 == 0 ? 0 : 3 * share(&random);
        size_t pool_count = plain_pools(pools, plain_groups(forecasts, count, pools));
        struct knots knots = fit(forecasts, count, prior, SMALL_MASS);
        assert_valid(&knots);
        assert_int_equal(knots.count, pool_count < 2 ? 0 : pool_count);
        double before = 0;
        for (size_t i = 0; i < knots.count; i++) {
            double x = pools[i].said / pools[i].mass;
            before = fmax(before, (pools[i].came + prior * x) / (pools[i].mass + prior));
            assert_knot(&knots.items[i], x, before);
        }
        fitted += knots.count;
    }
    assert_true(fitted > 600);
}

/* ---- by hand ---- */

/* So many forecasts of a probability, some of which came. */
static size_t add(cm_forecast *forecasts, size_t count, double p, size_t all, size_t came)
{
    for (size_t i = 0; i < all; i++)
        forecasts[count + i] = (cm_forecast){p, 1, i < came};
    return count + all;
}

static void test_least_mass(void **state)
{
    (void)state;
    cm_forecast forecasts[200];
    size_t count = add(forecasts, 0, 0.1, 10, 1);
    count = add(forecasts, count, 0.2, 10, 2);
    count = add(forecasts, count, 0.5, 100, 40);
    count = add(forecasts, count, 0.9, 5, 5);
    struct knots knots = fit(forecasts, count, 0, 10);
    assert_int_equal(knots.count, 3); /* the last 5 lack mass and go to those before them */
    assert_knot(&knots.items[0], 0.1, 0.1);
    assert_knot(&knots.items[1], 0.2, 0.2);
    assert_knot(&knots.items[2], 54.5 / 105, 45.0 / 105);
    knots = fit(forecasts, count, 0, 20);
    assert_int_equal(knots.count, 2);
    assert_knot(&knots.items[0], 0.15, 0.15);
    assert_int_equal(fit(forecasts, count, 0, 21).count, 0); /* 20 and the 105 make one pool */
}

static void test_shrinking(void **state)
{
    (void)state;
    cm_forecast forecasts[60];
    size_t count = add(forecasts, 0, 0.2, 30, 3);
    count = add(forecasts, count, 0.8, 30, 27);
    struct knots knots = fit(forecasts, count, 30, 1);
    assert_int_equal(knots.count, 2);
    assert_knot(&knots.items[0], 0.2, 0.15); /* (3 + 30 * 0.2) / 60 */
    assert_knot(&knots.items[1], 0.8, 0.85);
    /* What a small pool is drawn to may lie below the pool before it: it must not fall. */
    count = add(forecasts, 0, 0.4, 40, 36);
    count = add(forecasts, count, 0.5, 10, 10);
    knots = fit(forecasts, count, 10, 1);
    assert_knot(&knots.items[0], 0.4, 0.8);
    assert_knot(&knots.items[1], 0.5, 0.8); /* (10 + 10 * 0.5) / 20 = 0.75 */
}

static void test_few_forecasts(void **state)
{
    (void)state;
    cm_forecast forecasts[40];
    assert_int_equal(fit(forecasts, 0, 1, 1).count, 0);
    assert_int_equal(fit(forecasts, add(forecasts, 0, 0.5, 1, 1), 1, 1).count, 0);
    assert_int_equal(fit(forecasts, add(forecasts, 0, 0.5, 40, 20), 1, 1).count, 0);
    size_t count = add(forecasts, 0, 0.3, 10, 5);
    assert_int_equal(fit(forecasts, add(forecasts, count, 0.6, 10, 5), 1, 1).count, 0);
    assert_int_equal(fit(forecasts, add(forecasts, count, 0.6, 10, 6), 1, 1).count, 2);
    assert_int_equal(fit(forecasts, add(forecasts, count, 0.6, 10, 4), 1, 1).count, 0);
}

/* ---- many ---- */

static void shuffle(cm_forecast *forecasts, size_t count, uint64_t *state)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = random_below(state, (uint32_t)i);
        cm_forecast kept = forecasts[i - 1];
        forecasts[i - 1] = forecasts[j];
        forecasts[j] = kept;
    }
}

/* Weights whose sums depend on their order in the last digits. */
static void test_order_of_input(void **state)
{
    (void)state;
    uint64_t random = 2;
    cm_forecast forecasts[500];
    for (size_t i = 0; i < 500; i++) {
        double p = random_below(&random, 100) / 99.0;
        forecasts[i] = (cm_forecast){p, 0.1 + share(&random), share(&random) < p};
    }
    struct knots first = fit(forecasts, 500, 5, 20);
    assert_true(first.count > 5);
    for (int round = 0; round < 20; round++) {
        shuffle(forecasts, 500, &random);
        struct knots other = fit(forecasts, 500, 5, 20);
        assert_int_equal(other.count, first.count);
        for (size_t i = 0; i < first.count; i++)
            assert_true(same_bits(other.items[i].x, first.items[i].x) &&
                        same_bits(other.items[i].y, first.items[i].y));
    }
}

/* More pools than knots: at most as many knots as there may be, and on what came true still. */
static void test_many_pools(void **state)
{
    (void)state;
    uint64_t random = 3;
    cm_forecast *forecasts = calloc(FORECASTS_MAX, sizeof *forecasts);
    assert_non_null(forecasts);
    for (int is_without_mass = 0; is_without_mass < 2; is_without_mass++) {
        for (size_t i = 0; i < FORECASTS_MAX; i++) {
            double p = (double)i / FORECASTS_MAX;
            forecasts[i] = (cm_forecast){p, 1, random_below(&random, 50) < 50 * p * p};
        }
        struct knots knots = fit(forecasts, FORECASTS_MAX, 0, is_without_mass ? 0 : SMALL_MASS);
        assert_valid(&knots);
        assert_true(knots.count >= 8);
        for (size_t i = 0; i < knots.count; i++) {
            double x = knots.items[i].x; /* of 100 or more forecasts: 5 standard errors are 0.25 */
            assert_true(fabs(knots.items[i].y - x * x) < 0.25);
        }
    }
    free(forecasts);
}

static void test_without_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    cm_forecast forecasts[40];
    size_t count = add(forecasts, 0, 0.3, 10, 3);
    count = add(forecasts, count, 0.6, 10, 6);
    const cm_isotonic_options options = {1, 1};
    cm_knot knots[CM_ISOTONIC_KNOTS_MAX];
    size_t knot_count;
    cm_error error = {0};
    ptrdiff_t live = failing_malloc_live();
    failing_malloc_arm(0);
    assert_int_equal(cm_isotonic_fit(forecasts, count, &options, knots, &knot_count, &error),
                     CM_ERROR_MEMORY);
    assert_true(failing_malloc_disarm());
    assert_int_equal(error.code, CM_ERROR_MEMORY);
    assert_int_equal(failing_malloc_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_plain_pooling),
        cmocka_unit_test(test_least_mass),
        cmocka_unit_test(test_shrinking),
        cmocka_unit_test(test_few_forecasts),
        cmocka_unit_test(test_order_of_input),
        cmocka_unit_test(test_many_pools),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests_name("train isotonic", tests, NULL, NULL);
}
