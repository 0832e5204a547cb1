/* How often a device has a newer click on the conversion's address: drawn, and found again. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "harness/drawn.h"
#include "harness/failing_malloc.h"
#include "harness/trained.h"
#include "harness/training.h"
#include "train/newer.h"

#define MODEL                                                                                      \
    "{\"delay_hours\": [0.5, 4, 24, 72, 168], \"delay_m\": [0.3, 0.25, 0.2, 0.15, 0.1],"           \
    " \"fingerprint_m\": [0.5, 0.5, 0.5, 0.4, 0.3], \"ip_m\": [0.9, 0.8, 0.6, 0.5, 0.4],"          \
    " \"fingerprint_u\": 0.01, \"probabilistic\": {\"rivals\": 0.6, \"user_agent_m\": 0.9,"        \
    " \"user_agent_u\": 0.2, \"repeat\": 0.07}}"
#define RIVALS 0.6
#define REACH (0.3 * 0.9 + 0.25 * 0.8 + 0.2 * 0.6 + 0.15 * 0.5 + 0.1 * 0.4) /* of such clicks */
#define RIGHT 0.85 /* of what layer 2 attributes */
#define CONVERSIONS 4000
#define WITHOUT 0.07 /* what the model says before */

struct fixture {
    cm_model *model;
    cm_trained trained;
    cm_training_set set;
    uint64_t count;
};

static struct fixture begin(size_t room)
{
    struct fixture fixture = {.model = trained_base(MODEL)};
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

static double estimate(struct fixture *fixture, uint32_t group, unsigned threads)
{
    assert_int_equal(cm_newer_estimate(&fixture->set, fixture->model, group, threads,
                                       &fixture->trained.own, &fixture->count, NULL),
                     CM_OK);
    return fixture->trained.own.probabilistic.repeat;
}

/* What layer 2 made of a conversion, and the newer clicks on its address. */
static cm_sample sample_of(const drawn_looks *newer)
{
    static const cm_candidate_look best = {.bin = 4, .evidence = CM_COMPARE_DIFFERENT};
    cm_sample sample = {.label = CM_NUMBER_NONE};
    sample.layers[CM_WEIGH_FINGERPRINT] = (cm_layer_sample){.is_attempted = true,
                                                            .is_accepted = true,
                                                            .looks = &best,
                                                            .count = 1,
                                                            .u = 1,
                                                            .probability = RIGHT,
                                                            .newer = newer->items,
                                                            .newer_count = newer->count};
    return sample;
}

/* Where layer 2 is right, the odds of a newer own click on the address are those of having made one
 * and of having kept the address. */
static void draw(struct fixture *fixture, double repeat, size_t count, uint64_t seed)
{
    double chance = repeat * REACH / (1 + repeat * REACH);
    for (size_t i = 0; i < count; i++) {
        drawn_looks newer = {.count = 0};
        if (drawn_share(&seed) < RIGHT && drawn_share(&seed) < chance)
            drawn_newer(fixture->model, true, &seed, &newer);
        for (size_t n = drawn_strangers(RIVALS, &seed); n > 0; n--)
            drawn_newer(fixture->model, false, &seed, &newer);
        cm_sample sample = sample_of(&newer);
        training_add(&fixture->set, &sample, false);
    }
}

/* Estimates are one of a scale, whose steps are a half and more. */
static void test_repeats(void **state)
{
    (void)state;
    const double repeats[] = {0.03, 0.12, 0.5};
    for (size_t i = 0; i < 3; i++) {
        struct fixture fixture = begin(CONVERSIONS);
        draw(&fixture, repeats[i], CONVERSIONS, 20 + i);
        double found = estimate(&fixture, CM_NUMBER_NONE, 2);
        assert_true(fixture.count > CONVERSIONS / 3);
        if (!(found > repeats[i] / 1.8 && found < repeats[i] * 1.8))
            fail_msg("%g, not about %g", found, repeats[i]);
        end(&fixture);
    }
}

static void test_strangers_only(void **state)
{
    (void)state;
    struct fixture fixture = begin(CONVERSIONS);
    draw(&fixture, 0, CONVERSIONS, 30);
    double found = estimate(&fixture, CM_NUMBER_NONE, 2);
    assert_true(found < 0.006); /* 0, or one of the least above it */
    end(&fixture);
}

/* Own clicks wherever there are any: as much as the scale has. */
static void test_always(void **state)
{
    (void)state;
    struct fixture fixture = begin(400);
    uint64_t seed = 31;
    for (size_t i = 0; i < 400; i++) {
        drawn_looks newer = {.count = 0};
        drawn_newer(fixture.model, true, &seed, &newer);
        cm_sample sample = sample_of(&newer);
        training_add(&fixture.set, &sample, false);
    }
    assert_true(estimate(&fixture, CM_NUMBER_NONE, 2) == 2);
    end(&fixture);
}

static void test_who_counts(void **state)
{
    (void)state;
    struct fixture fixture = begin(1000);
    uint64_t seed = 32;
    drawn_looks own = {.count = 0}, none = {.count = 0};
    drawn_newer(fixture.model, true, &seed, &own);
    for (int i = 0; i < 100; i++) {
        cm_sample sample = sample_of(&own);
        training_add(&fixture.set, &sample, true); /* held out */
        sample.label = 1;
        training_add(&fixture.set, &sample, false); /* layer 1 has it */
        sample.label = CM_NUMBER_NONE;
        sample.layers[CM_WEIGH_FINGERPRINT].is_accepted = false;
        training_add(&fixture.set, &sample, false); /* layer 2 is not sure */
        sample = sample_of(&none);
        training_add(&fixture.set, &sample, false);
    }
    assert_true(estimate(&fixture, CM_NUMBER_NONE, 1) == WITHOUT);
    assert_int_equal(fixture.count, 0);
    cm_sample sample = sample_of(&own);
    sample.parameters = 3;
    for (int i = 0; i < 19; i++)
        training_add(&fixture.set, &sample, false);
    assert_true(estimate(&fixture, 3, 1) == WITHOUT); /* too few */
    assert_int_equal(fixture.count, 19);
    training_add(&fixture.set, &sample, false);
    assert_true(estimate(&fixture, 2, 1) == WITHOUT);
    assert_true(estimate(&fixture, 3, 1) > WITHOUT);
    assert_int_equal(fixture.count, 20);
    end(&fixture);
}

static void test_threads(void **state)
{
    (void)state;
    struct fixture fixture = begin(3 * CM_TRAIN_CHUNK);
    draw(&fixture, 0.12, 3 * CM_TRAIN_CHUNK, 33);
    double found = estimate(&fixture, CM_NUMBER_NONE, 1);
    uint64_t count = fixture.count;
    assert_true(found > 0);
    assert_true(estimate(&fixture, CM_NUMBER_NONE, 5) == found && fixture.count == count);
    end(&fixture);
}

static void test_without_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    struct fixture fixture = begin(100);
    draw(&fixture, 2, 100, 34);
    ptrdiff_t live = failing_malloc_live();
    failing_malloc_arm(0);
    assert_int_equal(cm_newer_estimate(&fixture.set, fixture.model, CM_NUMBER_NONE, 1,
                                       &fixture.trained.own, &fixture.count, NULL),
                     CM_ERROR_MEMORY);
    assert_true(failing_malloc_disarm());
    assert_int_equal(failing_malloc_live(), live);
    assert_true(fixture.trained.own.probabilistic.repeat == WITHOUT);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeats), cmocka_unit_test(test_strangers_only),
        cmocka_unit_test(test_always),  cmocka_unit_test(test_who_counts),
        cmocka_unit_test(test_threads), cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests_name("train newer", tests, NULL, NULL);
}
