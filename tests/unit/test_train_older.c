/* How often devices click again: drawn, and found by labelled clicks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness/drawn.h"
#include "harness/failing_malloc.h"
#include "harness/trained.h"
#include "harness/training.h"
#include "train/labels.h"
#include "train/older.h"

#define ADDRESS_U 0.002
#define CONVERSIONS ((size_t)8000)
#define MODEL                                                                                      \
    "{\"delay_hours\": [0.5, 4, 24, 72, 168], \"delay_m\": [0.3, 0.25, 0.2, 0.15, 0.1],"           \
    " \"fingerprint_m\": [0.95, 0.95, 0.9, 0.8, 0.7], \"ip_m\": [0.9, 0.8, 0.6, 0.5, 0.4],"        \
    " \"ip_other_m\": 0.2, \"ip_other_u\": 0.6, \"fingerprint\": {\"prior\": 0.9,"                 \
    " \"rivals\": 0.6, \"user_agent_m\": 0.85, \"user_agent_u\": 0.3, \"repeat\": %g,"             \
    " \"delay_u\": [0.02, 0.08, 0.2, 0.3, 0.4]}}"

struct fixture {
    cm_model *model;
    cm_trained trained;
    cm_training_set set;
};

static struct fixture begin(double repeat, size_t room)
{
    char json[1000];
    snprintf(json, sizeof json, MODEL, repeat);
    struct fixture fixture = {.model = trained_base(json)};
    assert_int_equal(cm_trained_init(&fixture.trained, fixture.model, NULL, 0, NULL), CM_OK);
    fixture.set = training_begin(room);
    return fixture;
}

static void end(struct fixture *fixture)
{
    cm_training_set_destroy(&fixture->set);
    cm_trained_destroy(&fixture->trained);
    cm_model_destroy(fixture->model);
}

/* Add conversions that name their device's newest click, which is drawn first. */
static void draw(struct fixture *fixture, uint32_t group, bool is_held_out, size_t count,
                 uint64_t seed)
{
    for (size_t left = count; left > 0;) {
        drawn_looks looks;
        drawn_candidates(fixture->model, CM_WEIGH_FINGERPRINT, ADDRESS_U, &seed, &looks);
        if (!looks.has_own || looks.count < 2)
            continue;
        cm_sample sample = {.label = 0, .parameters = group};
        sample.layers[CM_WEIGH_FINGERPRINT] = (cm_layer_sample){
            .is_attempted = true, .looks = looks.items, .count = looks.count, .u = ADDRESS_U};
        training_add(&fixture->set, &sample, is_held_out);
        left--;
    }
}

static double estimate(struct fixture *fixture, uint32_t group, unsigned threads)
{
    assert_int_equal(cm_older_estimate(&fixture->set, fixture->model, group,
                                       fixture->trained.own.delay_m, threads, &fixture->trained.own,
                                       NULL),
                     CM_OK);
    return fixture->trained.own.fingerprint.repeat;
}

/* Within a step of the scale. */
static void test_repeats(void **state)
{
    (void)state;
    const double repeats[] = {0.1, 0.3, 0.9};
    double before = 0;
    for (size_t i = 0; i < 3; i++) {
        struct fixture fixture = begin(repeats[i], CONVERSIONS);
        draw(&fixture, 0, false, CONVERSIONS, 40 + i);
        fixture.trained.own.fingerprint.repeat = 0.05;
        double found = estimate(&fixture, CM_NUMBER_NONE, 2);
        if (!(found > repeats[i] / 1.6 && found < repeats[i] * 1.6 && found > before))
            fail_msg("%g, not about %g", found, repeats[i]);
        before = found;
        end(&fixture);
    }
}

static void test_no_repeat(void **state)
{
    (void)state;
    struct fixture fixture = begin(0, CONVERSIONS);
    draw(&fixture, 0, false, CONVERSIONS, 43);
    fixture.trained.own.fingerprint.repeat = 0.8;
    assert_true(estimate(&fixture, CM_NUMBER_NONE, 2) < 0.06); /* 0, or one of the least */
    end(&fixture);
}

/* Few labels are drawn to what is usual: from more, and from less. */
static void test_few_labels(void **state)
{
    (void)state;
    struct fixture often = begin(0.9, CONVERSIONS), never = begin(0, CONVERSIONS);
    draw(&often, 0, false, CM_LABELS_MIN, 40);
    draw(&never, 0, false, CM_LABELS_MIN, 43);
    double few = estimate(&never, CM_NUMBER_NONE, 1), all;
    assert_true(estimate(&often, CM_NUMBER_NONE, 1) <= 2);
    draw(&never, 0, false, CONVERSIONS - CM_LABELS_MIN, 44);
    all = estimate(&never, CM_NUMBER_NONE, 1);
    if (!(few > all))
        fail_msg("%g of few, %g of all", few, all);
    end(&often);
    end(&never);
}

/* Labels come soon after their clicks; by the delays of all their newest clicks would surprise. */
static void test_delays_of_labels(void **state)
{
    (void)state;
    struct fixture fixture = begin(0.3, CONVERSIONS);
    double late[] = {0.1, 0.15, 0.2, 0.25, 0.3};
    draw(&fixture, 0, false, CONVERSIONS, 41);
    double found = estimate(&fixture, CM_NUMBER_NONE, 1);
    double *delay_m = fixture.trained.own.delay_m;
    assert_int_equal(cm_older_estimate(&fixture.set, fixture.model, CM_NUMBER_NONE, late, 1,
                                       &fixture.trained.own, NULL),
                     CM_OK);
    assert_true(fixture.trained.own.fingerprint.repeat > found);
    assert_ptr_equal(fixture.trained.own.delay_m, delay_m);
    memcpy(fixture.trained.own.delay_m, late, sizeof late);
    assert_int_equal(cm_older_estimate(&fixture.set, fixture.model, CM_NUMBER_NONE,
                                       fixture.model->parameters->delay_m, 1, &fixture.trained.own,
                                       NULL),
                     CM_OK);
    assert_true(fixture.trained.own.fingerprint.repeat == found);
    end(&fixture);
}

/* ---- who counts ---- */

static void test_who_counts(void **state)
{
    (void)state;
    struct fixture fixture = begin(0.9, CONVERSIONS);
    cm_sample other = {.label = CM_NUMBER_NONE};
    const cm_candidate_look looks[] = {{.click = 5}, {.click = 6, .bin = 2}};
    other.layers[CM_WEIGH_FINGERPRINT] =
        (cm_layer_sample){.is_attempted = true, .looks = looks, .count = 2, .u = 1};
    fixture.trained.own.fingerprint.repeat = 0.07;
    for (int i = 0; i < 200; i++) {
        training_add(&fixture.set, &other, false); /* no label */
        other.label = 7;
        training_add(&fixture.set, &other, false); /* none of the candidates */
        other.label = 5;
        other.layers[CM_WEIGH_FINGERPRINT].count = 1;
        training_add(&fixture.set, &other, false); /* no choice */
        other.layers[CM_WEIGH_FINGERPRINT].count = 2;
        other.label = CM_NUMBER_NONE;
    }
    draw(&fixture, 1, true, 200, 44);
    draw(&fixture, 1, false, CM_LABELS_MIN - 1, 45);
    assert_true(estimate(&fixture, CM_NUMBER_NONE, 1) == 0.07);
    draw(&fixture, 2, false, 1, 46);
    assert_true(estimate(&fixture, CM_NUMBER_NONE, 1) > 0.07);
    fixture.trained.own.fingerprint.repeat = 0.07;
    draw(&fixture, 2, false, CM_OLDER_SECTION_MIN - 2, 47);
    assert_true(estimate(&fixture, 2, 1) == 0.07);
    draw(&fixture, 2, false, 1, 48);
    assert_true(estimate(&fixture, 2, 1) > 0.07);
    end(&fixture);
}

static void test_threads(void **state)
{
    (void)state;
    struct fixture fixture = begin(0.3, 3 * CM_TRAIN_CHUNK);
    draw(&fixture, 0, false, 2 * CM_TRAIN_CHUNK + 100, 49);
    double found = estimate(&fixture, CM_NUMBER_NONE, 1);
    fixture.trained.own.fingerprint.repeat = 0;
    assert_true(estimate(&fixture, CM_NUMBER_NONE, 5) == found && found > 0);
    end(&fixture);
}

static void test_without_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    struct fixture fixture = begin(0.9, 100);
    draw(&fixture, 0, false, 100, 50);
    fixture.trained.own.fingerprint.repeat = 0.07;
    ptrdiff_t live = failing_malloc_live();
    failing_malloc_arm(0);
    assert_int_equal(cm_older_estimate(&fixture.set, fixture.model, CM_NUMBER_NONE,
                                       fixture.trained.own.delay_m, 1, &fixture.trained.own, NULL),
                     CM_ERROR_MEMORY);
    assert_true(failing_malloc_disarm());
    assert_int_equal(failing_malloc_live(), live);
    assert_true(fixture.trained.own.fingerprint.repeat == 0.07);
    end(&fixture);
}

/* ---- chances ---- */

/* The chance of an older click, by how the newest one's address compares. */
static void expect_chance(unsigned newest, double odds)
{
    struct fixture fixture = begin(0.4, 1);
    const cm_candidate_look looks[] = {
        {.click = 9, .bin = 0, .evidence = (uint8_t)newest, .user_agent = CM_COMPARE_EQUAL},
        {.click = 8, .bin = 3, .evidence = CM_COMPARE_DIFFERENT, .user_agent = CM_COMPARE_EQUAL}};
    cm_sample sample = {.label = 9};
    sample.layers[CM_WEIGH_FINGERPRINT] =
        (cm_layer_sample){.is_attempted = true, .looks = looks, .count = 2, .left = 3, .u = 0.01};
    training_add(&fixture.set, &sample, false);
    double chances[2];
    cm_older_chances(fixture.set.chunks, fixture.set.chunks[0].conversions, fixture.model,
                     fixture.model->parameters, chances);
    assert_true(chances[0] == 1);
    assert_true(fabs(chances[1] - odds / (1 + odds)) < 1e-12);
    end(&fixture);
}

/* repeat * fingerprint_m * LR_ip * LR_ua, over rivals and strangers; 1 - ip_m is no evidence where
 * the newest click is on the conversion's address. */
static void test_chances_by_hand(void **state)
{
    (void)state;
    double odds = 0.4 * 0.8 * (0.8 / 0.4) * (0.85 / 0.3) / (0.6 + 3);
    expect_chance(CM_COMPARE_EQUAL, odds);
    expect_chance(CM_COMPARE_MISSING, odds * 0.5);
    expect_chance(CM_COMPARE_DIFFERENT, odds * 0.5);
    expect_chance(CM_COMPARE_OTHER_FAMILY, odds * 0.5);
}

/* Where there are several, the chances settle: each is what the others make of it. */
static void test_chances_settle(void **state)
{
    (void)state;
    struct fixture fixture = begin(0.4, 1);
    cm_candidate_look looks[5];
    for (uint32_t i = 0; i < 5; i++)
        looks[i] =
            (cm_candidate_look){.click = i,
                                .bin = i,
                                .evidence = CM_COMPARE_DIFFERENT,
                                .user_agent = i % 2 == 0 ? CM_COMPARE_EQUAL : CM_COMPARE_DIFFERENT};
    cm_sample sample = {.label = 2};
    sample.layers[CM_WEIGH_FINGERPRINT] =
        (cm_layer_sample){.is_attempted = true, .looks = looks, .count = 5, .u = 1};
    training_add(&fixture.set, &sample, false);
    double chances[5], strangers = 0;
    const cm_parameters *p = fixture.model->parameters;
    cm_older_chances(fixture.set.chunks, fixture.set.chunks[0].conversions, fixture.model, p,
                     chances);
    for (size_t i = 0; i < 5; i++)
        strangers += 1 - chances[i];
    for (size_t i = 0; i < 5; i++) {
        double agent = i % 2 == 0 ? 0.85 / 0.3 : 0.15 / 0.7;
        double odds = 0.4 * p->fingerprint_m[i] * (1 - p->ip_m[i]) * 0.8 / 0.4 * agent /
                      (0.6 + strangers - (1 - chances[i]));
        if (i != 2)
            assert_true(fabs(chances[i] - odds / (1 + odds)) < 1e-4);
    }
    assert_true(chances[2] == 1 && chances[0] > 2 * chances[1]);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeats),        cmocka_unit_test(test_no_repeat),
        cmocka_unit_test(test_few_labels),     cmocka_unit_test(test_delays_of_labels),
        cmocka_unit_test(test_who_counts),     cmocka_unit_test(test_threads),
        cmocka_unit_test(test_without_memory), cmocka_unit_test(test_chances_by_hand),
        cmocka_unit_test(test_chances_settle),
    };
    return cmocka_run_group_tests_name("train older", tests, NULL, NULL);
}
