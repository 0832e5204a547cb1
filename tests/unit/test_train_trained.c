/* A learned model is rounded to what a model file may say, and read back as it was rounded. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/random.h"
#include "harness/trained.h"
#include "oracle/world.h"

#define KNOTS 12
static const char *const TYPES[] = {"mobile", "", "a \"quoted\\\" one", "t\xC3\xA9l\xC3\xA9"};
#define TYPE_COUNT (sizeof TYPES / sizeof *TYPES)

static cm_trained begin(const cm_model *base, size_t types)
{
    cm_trained trained;
    assert_int_equal(cm_trained_init(&trained, base, TYPES, types, NULL), CM_OK);
    return trained;
}

/* ---- what learning may leave behind ---- */

/* Mostly within, at times far beyond what a file may say. */
static double chance(uint64_t *random)
{
    static const double edges[] = {1e-300, 1e-13, 1e-12, 9.99e-5, 0.99990001, 1 - 0x1p-53};
    if (random_below(random, 4) == 0)
        return edges[random_below(random, sizeof edges / sizeof *edges)];
    return (1 + random_below(random, 1u << 20)) / 1048578.0;
}

static void disturb_layer(cm_layer_model *layer, size_t bin_count, bool has_knots, uint64_t *random)
{
    static const double rivals[] = {1e-9, 1.0000004e-9, 1e-4, 100.0 / 3, 1e6};
    static const double repeats[] = {0, 1e-9, 1e-4, 50.0 / 3, 1000};
    layer->prior = chance(random);
    layer->user_agent_m = chance(random);
    layer->user_agent_u = chance(random);
    layer->rivals = rivals[random_below(random, 5)];
    layer->repeat = repeats[random_below(random, 5)];
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++)
        if (layer->traits[i].m > 0)
            layer->traits[i] = (cm_chances){chance(random), chance(random)};
    for (size_t i = 0; layer->delay_u != NULL && i < bin_count; i++)
        layer->delay_u[i] = chance(random);
    if (!has_knots)
        return;
    layer->knots = calloc(KNOTS, sizeof *layer->knots);
    assert_non_null(layer->knots);
    layer->knot_count = KNOTS;
    for (size_t i = 1; i < KNOTS; i++) {
        double step = random_below(random, 2) == 0 ? 1e-8 : 0.07; /* some come together */
        layer->knots[i].x = layer->knots[i - 1].x + step;
        layer->knots[i].y = fmin(1, layer->knots[i - 1].y + random_below(random, 3) * 0.0999999999);
    }
}

static void disturb(cm_parameters *parameters, size_t bin_count, bool has_knots, uint64_t *random)
{
    double sum = 0;
    for (size_t i = 0; i < bin_count; i++) {
        parameters->delay_m[i] = random_below(random, 5) == 0 ? 0 : chance(random);
        sum += parameters->delay_m[i];
        parameters->fingerprint_m[i] = chance(random);
        parameters->ip_m[i] = chance(random);
    }
    for (size_t i = 0; i < bin_count && sum > 0; i++)
        parameters->delay_m[i] /= sum; /* together 1, or a bit more */
    parameters->fingerprint_u = chance(random);
    if (parameters->ip_other_m > 0) {
        parameters->ip_other_m = chance(random);
        parameters->ip_other_u = chance(random);
    }
    disturb_layer(&parameters->fingerprint, bin_count, has_knots, random);
    disturb_layer(&parameters->probabilistic, bin_count, has_knots, random);
}

static void assert_bounds(double *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(*values[i] == 0 || (*values[i] >= 1e-4 && *values[i] <= 1 - 1e-4));
}

static void assert_rounded(cm_parameters *p, size_t bin_count)
{
    double sum = 0;
    double *const values[] = {&p->fingerprint_u,
                              &p->ip_other_m,
                              &p->ip_other_u,
                              &p->fingerprint.prior,
                              &p->fingerprint.user_agent_m,
                              &p->fingerprint.user_agent_u,
                              &p->probabilistic.prior,
                              &p->probabilistic.user_agent_m,
                              &p->probabilistic.user_agent_u};
    assert_bounds(values, sizeof values / sizeof *values);
    for (size_t i = 0; i < bin_count; i++) {
        double *const bins[] = {&p->fingerprint_m[i], &p->ip_m[i]};
        assert_bounds(bins, 2);
        assert_true(p->delay_m[i] >= 0);
        sum += p->delay_m[i];
    }
    assert_true(sum <= 1 && (sum == 0 || sum > 1 - 2e-6 * (double)bin_count));
}

/* Random models, grown or not, with all that is learned put to extremes. */
static void test_random_models(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        reference_model numbers;
        uint64_t random = seed;
        char *json = world_model(seed, &numbers);
        cm_model *base = trained_base(json);
        cm_trained trained = begin(base, seed % (TYPE_COUNT + 1));
        disturb(&trained.own, trained.bin_count, true, &random);
        for (size_t i = 0; i < trained.section_count; i++)
            disturb(&trained.sections[i].parameters, trained.bin_count, false, &random);
        cm_trained_round(&trained);
        assert_rounded(&trained.own, trained.bin_count);
        cm_model *model = trained_read_back(&trained);
        trained_assert_same_model(&trained, model);
        cm_trained_round(&trained); /* changes nothing any more */
        trained_assert_same_model(&trained, model);
        cm_model_destroy(model);
        cm_trained_destroy(&trained);
        cm_model_destroy(base);
        free(json);
    }
}

/* ---- rounding, by hand ---- */

static void test_delays_sum_to_one(void **state)
{
    (void)state;
    cm_model *base = trained_base("{\"delay_hours\": [1, 24, 168], \"delay_m\": [0.2, 0.5, 0.3],"
                                  "\"fingerprint_m\": [0.9, 0.9, 0.9], \"ip_m\": [0.9, 0.9, 0.9]}");
    cm_trained trained = begin(base, 0);
    const double thirds[] = {1.0 / 3, 1.0 / 3 + 3e-6, 1.0 / 3 + 2e-7};
    memcpy(trained.own.delay_m, thirds, sizeof thirds);
    cm_trained_round(&trained);
    const double rounded[] = {0.333333, 0.333334, 0.333333}; /* the largest gave what is too much */
    trained_assert_same(rounded, trained.own.delay_m, 3);
    const double zeros[] = {0, 1.9e-6, 0.5000009};
    const double down[] = {0, 1e-6, 0.5};
    memcpy(trained.own.delay_m, zeros, sizeof zeros);
    cm_trained_round(&trained);
    trained_assert_same(down, trained.own.delay_m, 3);
    cm_trained_destroy(&trained);
    cm_model_destroy(base);
}

static void test_knots_that_come_together(void **state)
{
    (void)state;
    cm_model *base = trained_base("{}");
    cm_trained trained = begin(base, 0);
    const cm_knot knots[] = {{0.1, 0.05}, {0.3, 0.2}, {0.3000001, 0.4}, {0.30000011, 0.5}, {1, 1}};
    cm_layer_model *layer = &trained.own.fingerprint;
    layer->knots = malloc(sizeof knots);
    assert_non_null(layer->knots);
    memcpy(layer->knots, knots, sizeof knots);
    layer->knot_count = 5;
    cm_trained_round(&trained);
    assert_int_equal(layer->knot_count, 3);
    assert_true(layer->knots[1].x == 0.3 && layer->knots[1].y == 0.5);
    assert_true(layer->knots[2].x == 1 && layer->knots[2].y == 1);
    cm_trained_destroy(&trained);
    cm_model_destroy(base);
}

/* What is not learned may be closer together than six digits tell. */
static void test_narrow_bands(void **state)
{
    (void)state;
    cm_model *base =
        trained_base("{\"fingerprint\": {\"band\": [0.89999994, 0.89999996]},"
                     " \"probabilistic\": {\"band\": [0.3, 0.99999999], \"rivals\": 1e-9}}");
    cm_trained trained = begin(base, 0);
    cm_trained_round(&trained);
    cm_model *model = trained_read_back(&trained);
    trained_assert_same_model(&trained, model);
    assert_true(fabs(model->parameters->fingerprint.band_lo - 0.89999994) < 1e-6);
    assert_true(fabs(model->parameters->probabilistic.band_hi - 0.99999999) < 1e-6);
    cm_model_destroy(model);
    cm_trained_destroy(&trained);
    cm_model_destroy(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_models),
        cmocka_unit_test(test_delays_sum_to_one),
        cmocka_unit_test(test_knots_that_come_together),
        cmocka_unit_test(test_narrow_bands),
    };
    return cmocka_run_group_tests_name("train trained", tests, NULL, NULL);
}
