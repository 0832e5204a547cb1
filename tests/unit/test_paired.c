/* Two models compared: tests and intervals against values worked out by hand or otherwise. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "eval/paired.h"
#include "harness/failing_malloc.h"
#include "harness/random.h"

static void assert_near(double value, double wanted)
{
    if (!(fabs(value - wanted) <= 1e-9 * fabs(wanted)))
        fail_msg("%.15g, not %.15g", value, wanted);
}

/* ---- McNemar's test ---- */

static void test_mcnemar(void **state)
{
    (void)state;
    assert_near(cm_mcnemar_mid_p(0, 0), 1);
    assert_near(cm_mcnemar_mid_p(12, 12), 1);
    assert_near(cm_mcnemar_mid_p(0, 1), 0.5);
    assert_near(cm_mcnemar_mid_p(0, 5), 0.03125); /* 2 * 0 + 1 / 32 */
    assert_near(cm_mcnemar_mid_p(2, 3), 0.6875);  /* (2 * (1 + 5) + 10) / 32 */
    /* Fagerland, Lydersen and Laake 2013, table 1: exact conditional 0.070, mid-p 0.039. */
    assert_near(cm_mcnemar_mid_p(1, 7), 0.0390625);
    assert_near(cm_mcnemar_mid_p(7, 1), 0.0390625);
    /* Sums of whole binomial coefficients, as Python's fractions. */
    assert_near(cm_mcnemar_mid_p(59, 6), 2.72580319860688e-12);
    assert_near(cm_mcnemar_mid_p(4, 20), 0.0009105205535888672);
    assert_near(cm_mcnemar_mid_p(9800, 10200), 0.004677562710454576);
    assert_true(cm_mcnemar_mid_p(0, 100000) == 0);
}

/* ---- figures ---- */

static cm_judged answer(double probability, bool accepted, cm_verdict verdict)
{
    return (cm_judged){.probability = probability,
                       .weighed = verdict == CM_VERDICT_NONE ? 0 : 2,
                       .accepted = accepted ? 2 : 0,
                       .verdict = (uint8_t)verdict,
                       .has_click = verdict != CM_VERDICT_ORGANIC};
}

static void compare(const cm_judged *first, const cm_judged *second, const uint32_t *devices,
                    size_t count, size_t device_count, unsigned threads, cm_paired *paired)
{
    const cm_figures_options options = {.rounds = 1000, .seed = 1, .threads = threads};
    memset(paired, 0, sizeof *paired);
    assert_int_equal(
        cm_paired_make(first, second, devices, count, device_count, &options, paired, NULL), CM_OK);
}

static void assert_counts(const cm_paired *paired)
{
    assert_int_equal(paired->conversions, 5);
    assert_int_equal(paired->devices, 3);
    assert_int_equal(paired->organic, 1);
    assert_int_equal(paired->both_weighed, 4);
    assert_int_equal(paired->attributed[0], 3);
    assert_int_equal(paired->attributed[1], 3);
    assert_int_equal(paired->right_click[0], 1);
    assert_int_equal(paired->right_click[1], 3);
    assert_int_equal(paired->correct[0], 1);
    assert_int_equal(paired->correct[1], 4);
    assert_int_equal(paired->correct_alone[0], 0);
    assert_int_equal(paired->correct_alone[1], 3);
}

static void test_figures(void **state)
{
    (void)state;
    const cm_judged first[] = {
        answer(0.8, true, CM_VERDICT_RIGHT_CLICK), answer(0.9, true, CM_VERDICT_OTHER_DEVICE),
        answer(0.7, true, CM_VERDICT_ORGANIC),     answer(0.4, false, CM_VERDICT_RIGHT_CLICK),
        answer(0, false, CM_VERDICT_NONE),
    };
    const cm_judged second[] = {
        answer(0.9, true, CM_VERDICT_RIGHT_CLICK), answer(0.5, false, CM_VERDICT_OTHER_DEVICE),
        answer(0.2, false, CM_VERDICT_ORGANIC),    answer(0.6, true, CM_VERDICT_RIGHT_CLICK),
        answer(0.6, true, CM_VERDICT_RIGHT_CLICK),
    };
    const uint32_t devices[] = {0, 1, 2, 0, 1};
    cm_paired paired;
    compare(first, second, devices, 5, 3, 1, &paired);
    assert_counts(&paired);
    assert_near(paired.mcnemar_p, 0.125); /* 0 and 3: 1 / 8 */
    const cm_paired_figure *f = paired.figures;
    assert_near(f[CM_PAIRED_PRECISION].values[0], 1.0 / 3);
    assert_near(f[CM_PAIRED_PRECISION].values[1], 1);
    assert_near(f[CM_PAIRED_RECALL].values[0], 0.25);
    assert_near(f[CM_PAIRED_RECALL].difference, 0.5);
    assert_near(f[CM_PAIRED_F_HALF].values[1], 0.9375); /* 1.25 * 0.75 / (0.25 + 0.75) */
    assert_near(f[CM_PAIRED_CORRECT].difference, 0.6);
    assert_near(f[CM_PAIRED_LOG_LOSS].values[0], -(log(0.8) + log(0.1) + log(0.3) + log(0.4)) / 4);
    assert_near(f[CM_PAIRED_LOG_LOSS].values[1], -(log(0.9) + log(0.5) + log(0.8) + log(0.6)) / 4);
    assert_near(f[CM_PAIRED_BRIER].values[0], 0.425);  /* (0.04 + 0.81 + 0.49 + 0.36) / 4 */
    assert_near(f[CM_PAIRED_BRIER].difference, -0.31); /* 0.46 / 4 - 0.425 */
    /* Each device has more answered right by the second. */
    assert_near(f[CM_PAIRED_CORRECT].p, 2.0 / 1001);
    assert_true(f[CM_PAIRED_CORRECT].low > 0 && f[CM_PAIRED_CORRECT].high <= 1);
}

/* ---- many answers ---- */

#define MANY ((size_t)2000)

struct answers {
    cm_judged first[4 * MANY], second[4 * MANY];
    uint32_t devices[4 * MANY];
};

static double share(uint64_t *state)
{
    return (double)random_below(state, 1000000) / 1000000;
}

/* Answers of which the second's probabilities are better by so much. */
static struct answers *make(double better)
{
    uint64_t state = 7;
    struct answers *all = calloc(1, sizeof *all);
    assert_non_null(all);
    for (size_t i = 0; i < MANY; i++) {
        double p = 0.2 + 0.6 * share(&state);
        bool is_right = share(&state) < 0.5;
        double other = p + (is_right ? better : -better) + 0.2 * (share(&state) - 0.5);
        cm_verdict verdict = is_right ? CM_VERDICT_RIGHT_CLICK : CM_VERDICT_OTHER_DEVICE;
        all->first[i] = answer(p, p > 0.5, verdict);
        all->second[i] = answer(other, other > 0.5, verdict);
        all->devices[i] = (uint32_t)i;
    }
    return all;
}

/* A device to itself for each conversion: the interval is that of the paired t test. */
static void test_interval_of_a_mean(void **state)
{
    (void)state;
    struct answers *all = make(0.01);
    cm_paired paired;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < MANY; i++) {
        double event = all->first[i].verdict == CM_VERDICT_RIGHT_CLICK ? 1 : 0;
        double first = all->first[i].probability - event;
        double second = all->second[i].probability - event;
        sum += second * second - first * first;
        squares += (second * second - first * first) * (second * second - first * first);
    }
    double mean = sum / (double)MANY;
    double error = sqrt((squares / (double)MANY - mean * mean) / (double)MANY);
    compare(all->first, all->second, all->devices, MANY, MANY, 2, &paired);
    const cm_paired_figure *brier = &paired.figures[CM_PAIRED_BRIER];
    assert_near(brier->difference, mean);
    assert_true(fabs(brier->low - (mean - 1.96 * error)) < 0.2 * error);
    assert_true(fabs(brier->high - (mean + 1.96 * error)) < 0.2 * error);
    free(all);
}

/* Four times the same of each device is no more evidence than once. */
static void test_conversions_of_one_device(void **state)
{
    (void)state;
    struct answers *all = make(0.01);
    cm_paired once, alone, together;
    compare(all->first, all->second, all->devices, MANY, MANY, 2, &once);
    for (size_t i = MANY; i < 4 * MANY; i++) {
        all->first[i] = all->first[i % MANY];
        all->second[i] = all->second[i % MANY];
        all->devices[i] = (uint32_t)i;
    }
    compare(all->first, all->second, all->devices, 4 * MANY, 4 * MANY, 2, &alone);
    for (size_t i = MANY; i < 4 * MANY; i++)
        all->devices[i] = (uint32_t)(i % MANY);
    compare(all->first, all->second, all->devices, 4 * MANY, MANY, 2, &together);
    for (size_t i = 0; i < CM_PAIRED_METRIC_COUNT; i++) {
        double width = once.figures[i].high - once.figures[i].low;
        assert_true(width > 0);
        assert_near(together.figures[i].high - together.figures[i].low, width);
        double narrow = (alone.figures[i].high - alone.figures[i].low) / width;
        assert_true(narrow > 0.4 && narrow < 0.6);
    }
    free(all);
}

static void test_equal_models(void **state)
{
    (void)state;
    struct answers *all = make(0);
    cm_paired paired;
    compare(all->first, all->first, all->devices, MANY, MANY, 2, &paired);
    assert_near(paired.mcnemar_p, 1);
    for (size_t i = 0; i < CM_PAIRED_METRIC_COUNT; i++) {
        const cm_paired_figure *figure = &paired.figures[i];
        assert_true(figure->difference == 0 && figure->low == 0 && figure->high == 0);
        assert_true(figure->p == 1);
    }
    free(all);
}

static void test_threads_and_turns(void **state)
{
    (void)state;
    struct answers *all = make(0.05);
    cm_paired one, three, turned;
    compare(all->first, all->second, all->devices, MANY, MANY, 1, &one);
    compare(all->first, all->second, all->devices, MANY, MANY, 3, &three);
    assert_memory_equal(&one, &three, sizeof one);
    assert_true(one.figures[CM_PAIRED_BRIER].high < 0);
    assert_true(one.figures[CM_PAIRED_LOG_LOSS].high < 0);
    assert_true(one.figures[CM_PAIRED_CORRECT].low > 0 && one.mcnemar_p < 0.001);
    compare(all->second, all->first, all->devices, MANY, MANY, 1, &turned);
    for (size_t i = 0; i < CM_PAIRED_METRIC_COUNT; i++) {
        assert_near(turned.figures[i].low, -one.figures[i].high);
        assert_near(turned.figures[i].p, one.figures[i].p);
    }
    assert_near(turned.mcnemar_p, one.mcnemar_p);
    free(all);
}

/* What does not exist is NaN. */
static void test_nothing_to_compare(void **state)
{
    (void)state;
    const cm_judged none = answer(0, false, CM_VERDICT_NONE);
    const uint32_t device = 0;
    cm_paired paired;
    compare(&none, &none, &device, 1, 1, 1, &paired);
    assert_true(isnan(paired.figures[CM_PAIRED_PRECISION].difference));
    assert_true(isnan(paired.figures[CM_PAIRED_PRECISION].p));
    assert_true(isnan(paired.figures[CM_PAIRED_LOG_LOSS].low));
    assert_true(paired.figures[CM_PAIRED_F_HALF].p == 1);
    compare(&none, &none, &device, 0, 0, 1, &paired);
    assert_true(isnan(paired.figures[CM_PAIRED_CORRECT].values[0]));
    assert_near(paired.mcnemar_p, 1);
}

static void test_without_memory(void **state)
{
    (void)state;
    const cm_judged one = answer(0.8, true, CM_VERDICT_RIGHT_CLICK);
    const cm_figures_options options = {.rounds = 10, .seed = 1, .threads = 1};
    const uint32_t device = 0;
    ptrdiff_t live = failing_malloc_live();
    bool failed = true;
    cm_paired paired;
    if (!failing_malloc_works)
        skip();
    for (size_t n = 0; failed; n++) {
        failing_malloc_arm(n);
        cm_status status = cm_paired_make(&one, &one, &device, 1, 1, &options, &paired, NULL);
        failed = failing_malloc_disarm();
        assert_int_equal(status, failed ? CM_ERROR_MEMORY : CM_OK);
        assert_int_equal(failing_malloc_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mcnemar),
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_interval_of_a_mean),
        cmocka_unit_test(test_conversions_of_one_device),
        cmocka_unit_test(test_equal_models),
        cmocka_unit_test(test_threads_and_turns),
        cmocka_unit_test(test_nothing_to_compare),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
