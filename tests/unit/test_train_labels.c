/* What labelled conversions say of own devices, worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/failing_malloc.h"
#include "harness/trained.h"
#include "harness/training.h"
#include "train/labels.h"

/* A bin beyond the window of two days, where no label can be. */
#define MODEL                                                                                      \
    "{\"delay_hours\": [1, 24, 48, 96], \"window_hours\": 48, \"retention_hours\": 24,"            \
    " \"delay_m\": [0.25, 0.5, 0.125, 0.125], \"fingerprint_m\": [0.8, 0.8, 0.5, 0.4],"            \
    " \"ip_m\": [0.8, 0.5, 0.25, 0.25], \"ip_other_m\": 0.25, \"ip_other_u\": 0.5,"                \
    " \"fingerprint\": {\"user_agent_m\": 0.75}, \"probabilistic\": {\"user_agent_m\": 0.5,"       \
    " \"traits\": {\"os\": [0.75, 0.25], \"screen\": [0.5, 0.125]}}}"

struct fixture {
    cm_model *model;
    cm_trained trained;
    cm_training_set set;
    cm_label_counts counts;
};

static struct fixture begin(size_t conversions)
{
    struct fixture fixture = {.model = trained_base(MODEL)};
    assert_int_equal(cm_trained_init(&fixture.trained, fixture.model, NULL, 0, NULL), CM_OK);
    fixture.set = training_begin(conversions);
    return fixture;
}

static void end(struct fixture *fixture)
{
    cm_training_set_destroy(&fixture->set);
    cm_trained_destroy(&fixture->trained);
    cm_model_destroy(fixture->model);
}

static void count(struct fixture *fixture, uint32_t group, double weight, unsigned threads)
{
    assert_int_equal(cm_labels_count(&fixture->set, fixture->model, group, weight, threads,
                                     &fixture->trained.own, &fixture->counts, NULL),
                     CM_OK);
}

static void assert_near(double value, double wanted)
{
    if (!(fabs(value - wanted) <= 1e-12))
        fail_msg("%.15g, not %.15g", value, wanted);
}

static void assert_as_it_was(const struct fixture *fixture)
{
    trained_assert_same_parameters(fixture->model->parameters, &fixture->trained.own,
                                   fixture->model->bin_count);
}

#define EQUAL CM_COMPARE_EQUAL
#define DIFFERENT CM_COMPARE_DIFFERENT
#define MISSING CM_COMPARE_MISSING
#define FAMILY CM_COMPARE_OTHER_FAMILY

/* 200 labels, and others that must not count. */
static void add_all(cm_training_set *set)
{
    const training_label labels[] = {
        /* group, bin, fingerprint, address, user agent, traits */
        {0, 0, EQUAL, EQUAL, EQUAL, MISSING, false},         /* 80 */
        {0, 0, EQUAL, DIFFERENT, DIFFERENT, MISSING, false}, /* 20 */
        {0, 1, EQUAL, FAMILY, EQUAL, EQUAL, false},          /* 40 */
        {0, 1, DIFFERENT, EQUAL, EQUAL, EQUAL, false},       /* 30 */
        {0, 2, MISSING, EQUAL, DIFFERENT, DIFFERENT, false}, /* 20 */
        {0, 2, DIFFERENT, DIFFERENT, EQUAL, EQUAL, false},   /* 10: no layer would find it */
        {0, 3, EQUAL, EQUAL, EQUAL, EQUAL, true},            /* held out */
    };
    const size_t counts[] = {80, 20, 40, 30, 20, 10, 500};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        training_add_labels(set, &labels[i], counts[i]);
    const cm_sample open = {.label = CM_NUMBER_NONE, .by_address = {.evidence = EQUAL}};
    for (int i = 0; i < 300; i++)
        training_add(set, &open, false);
}

/* m moved by odds, then a bin's own counts drawn to it. */
static double bin_m(double m, double odds, double equal, double all, double weight)
{
    double moved = m * odds / (1 - m + m * odds);
    return (equal + weight * moved) / (all + weight);
}

static void test_counts(void **state)
{
    (void)state;
    struct fixture fixture = begin(1000);
    add_all(&fixture.set);
    count(&fixture, CM_NUMBER_NONE, 1e-9, 1);
    const cm_label_counts *counts = &fixture.counts;
    assert_int_equal(counts->labels, 200);
    assert_int_equal(counts->fingerprints, 180);
    assert_int_equal(counts->addresses, 200);
    assert_int_equal(counts->other_addresses, 70);
    assert_int_equal(counts->user_agents[CM_WEIGH_FINGERPRINT], 140);
    assert_int_equal(counts->user_agents[CM_WEIGH_PROBABILISTIC], 50);
    assert_int_equal(counts->traits[CM_TRAIT_OS], 50);
    assert_int_equal(counts->traits[CM_TRAIT_SCREEN], 50);
    end(&fixture);
}

/* What is known counts as 30 labels more. */
static void test_shares(void **state)
{
    (void)state;
    struct fixture fixture = begin(1000);
    add_all(&fixture.set);
    count(&fixture, CM_NUMBER_NONE, 30, 1);
    const cm_parameters *p = &fixture.trained.own;
    assert_near(p->ip_other_m, (40 + 30 * 0.25) / (70 + 30));
    assert_near(p->fingerprint.user_agent_m, (120 + 30 * 0.75) / (140 + 30));
    assert_near(p->probabilistic.user_agent_m, (30 + 30 * 0.5) / (50 + 30));
    assert_near(p->probabilistic.traits[CM_TRAIT_OS].m, (30 + 30 * 0.75) / (50 + 30));
    assert_near(p->probabilistic.traits[CM_TRAIT_SCREEN].m, (30 + 30 * 0.5) / (50 + 30));
    assert_true(p->probabilistic.traits[CM_TRAIT_BROWSER].m == 0);
    /* Of 180 fingerprints 140 are equal; by what was known 100 * 0.8 + 70 * 0.8 + 10 * 0.5 are. */
    double known = 141 / 180.0, found = (140 + 30 * known) / (180 + 30);
    double odds = found / (1 - found) * (1 - known) / known;
    assert_near(p->fingerprint_m[0], bin_m(0.8, odds, 100, 100, 30));
    assert_near(p->fingerprint_m[1], bin_m(0.8, odds, 40, 70, 30));
    assert_near(p->fingerprint_m[2], bin_m(0.5, odds, 0, 10, 30));
    assert_near(p->fingerprint_m[3], bin_m(0.4, odds, 0, 0, 30)); /* goes by the others */
    known = (100 * 0.8 + 70 * 0.5 + 30 * 0.25) / 200;
    found = (130 + 30 * known) / (200 + 30);
    odds = found / (1 - found) * (1 - known) / known;
    assert_near(p->ip_m[0], bin_m(0.8, odds, 80, 100, 30));
    assert_near(p->ip_m[2], bin_m(0.25, odds, 20, 30, 30));
    /* What labels cannot tell stays. */
    assert_true(p->fingerprint_u == 0.01 && p->ip_other_u == 0.5 && p->fingerprint.prior == 0.5);
    end(&fixture);
}

/* Labels tell how delays are spread over the window, not how many come later. */
static void test_delays(void **state)
{
    (void)state;
    struct fixture fixture = begin(1000);
    add_all(&fixture.set);
    count(&fixture, CM_NUMBER_NONE, 30, 1);
    const double *delay_m = fixture.trained.own.delay_m;
    assert_near(delay_m[0], 0.875 * (100 + 30 * 0.25 / 0.875) / 230);
    assert_near(delay_m[1], 0.875 * (70 + 30 * 0.5 / 0.875) / 230);
    assert_near(delay_m[2], 0.875 * (30 + 30 * 0.125 / 0.875) / 230);
    assert_near(delay_m[3], 0.125);
    assert_near(delay_m[0] + delay_m[1] + delay_m[2] + delay_m[3], 1);
    end(&fixture);
}

static void test_groups(void **state)
{
    (void)state;
    struct fixture fixture = begin(200);
    training_add_labels(&fixture.set, &(training_label){1, 0, EQUAL, EQUAL, EQUAL, MISSING, false},
                        60);
    training_add_labels(&fixture.set,
                        &(training_label){2, 1, DIFFERENT, DIFFERENT, EQUAL, MISSING, false}, 140);
    count(&fixture, 3, 30, 1);
    assert_int_equal(fixture.counts.labels, 0);
    assert_as_it_was(&fixture);
    count(&fixture, 1, 30, 1);
    assert_int_equal(fixture.counts.labels, 60);
    assert_int_equal(fixture.counts.other_addresses, 0);
    assert_true(fixture.trained.own.delay_m[0] > 0.6 && fixture.trained.own.ip_m[0] > 0.9);
    end(&fixture);
}

/* One label fewer than it takes, of each parameter in turn. */
static void test_few_labels(void **state)
{
    (void)state;
    const training_label label = {0, 0, DIFFERENT, EQUAL, DIFFERENT, DIFFERENT, false};
    struct fixture fixture = begin(200);
    training_add_labels(&fixture.set, &label, CM_LABELS_MIN - 1);
    count(&fixture, CM_NUMBER_NONE, 30, 1);
    assert_int_equal(fixture.counts.labels, CM_LABELS_MIN - 1);
    assert_as_it_was(&fixture);
    /* One more that shows its delay only. */
    training_add_labels(&fixture.set,
                        &(training_label){0, 0, MISSING, MISSING, MISSING, MISSING, false}, 1);
    count(&fixture, CM_NUMBER_NONE, 30, 1);
    assert_true(fixture.trained.own.delay_m[0] > 0.5);
    memcpy(fixture.trained.own.delay_m, fixture.model->parameters->delay_m, 4 * sizeof(double));
    assert_as_it_was(&fixture);
    /* And one more of all, but that its address is another. */
    training_add_labels(&fixture.set, &(training_label){0, 0, EQUAL, FAMILY, EQUAL, EQUAL, false},
                        1);
    count(&fixture, CM_NUMBER_NONE, 30, 1);
    const cm_parameters *p = &fixture.trained.own, *before = fixture.model->parameters;
    assert_true(p->fingerprint_m[0] < before->fingerprint_m[0]);
    assert_true(p->ip_m[0] > before->ip_m[0]);
    assert_true(p->ip_other_m == before->ip_other_m);
    assert_true(p->fingerprint.user_agent_m == before->fingerprint.user_agent_m);
    assert_true(p->probabilistic.user_agent_m == before->probabilistic.user_agent_m);
    end(&fixture);
}

static void test_threads(void **state)
{
    (void)state;
    struct fixture one = begin(5 * CM_TRAIN_CHUNK), many = begin(5 * CM_TRAIN_CHUNK);
    for (int i = 0; i < 20; i++) {
        add_all(&one.set);
        add_all(&many.set);
    }
    assert_true(one.set.count > 3 * CM_TRAIN_CHUNK);
    count(&one, CM_NUMBER_NONE, 30, 1);
    count(&many, CM_NUMBER_NONE, 30, 5);
    assert_int_equal(one.counts.labels, 4000);
    assert_memory_equal(&one.counts, &many.counts, sizeof one.counts);
    trained_assert_same_parameters(&one.trained.own, &many.trained.own, one.model->bin_count);
    end(&one);
    end(&many);
}

static void test_without_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    struct fixture fixture = begin(1000);
    add_all(&fixture.set);
    ptrdiff_t live = failing_malloc_live();
    for (size_t n = 0; n < 2; n++) {
        failing_malloc_arm(n);
        assert_int_equal(cm_labels_count(&fixture.set, fixture.model, CM_NUMBER_NONE, 30, 1,
                                         &fixture.trained.own, &fixture.counts, NULL),
                         CM_ERROR_MEMORY);
        assert_true(failing_malloc_disarm());
        assert_int_equal(failing_malloc_live(), live);
        assert_as_it_was(&fixture);
    }
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),         cmocka_unit_test(test_shares),
        cmocka_unit_test(test_delays),         cmocka_unit_test(test_groups),
        cmocka_unit_test(test_few_labels),     cmocka_unit_test(test_threads),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests_name("train labels", tests, NULL, NULL);
}
