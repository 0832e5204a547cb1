/*
 * Looking at candidates, against comparing each with all before it: the first of each device stays,
 * few devices or 2,048, however often the set of devices was used before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "harness/bits.h"
#include "harness/random.h"
#include "match/candidates.h"
#include "util/slice.h"

#define CLICKS CM_CANDIDATES_MAX
#define NOW ((int64_t)400 * CM_HOUR_US)
#define GENERATION_MAX ((1u << 20) - 1)

struct fixture {
    cm_engine *engine;
    cm_layer_context context;
    cm_query query;
    cm_layer_scratch scratch;
};

/* ---- a world in which a click's user agent is its device ---- */

static cm_click make_click(uint32_t i, uint32_t devices, uint64_t *random, char *texts)
{
    uint32_t device = random_below(random, devices);
    snprintf(texts, 16, "k%u", i);
    snprintf(texts + 16, 16, "ua%u", device);
    cm_click click = {.tenant_id = CM_SLICE("t"),
                      .click_id = cm_slice_of_text(texts),
                      .click_timestamp = NOW - (int64_t)i * CM_HOUR_US / 9,
                      .expires_at = CM_TIME_MISSING,
                      .is_valid = true};
    if (device > 0)
        click.device.user_agent = cm_slice_of_text(texts + 16);
    if (random_below(random, 4) == 0) /* some have expired, some expire just now */
        click.expires_at =
            click.click_timestamp + (int64_t)random_below(random, i + 1) * CM_HOUR_US / 9;
    return click;
}

static void setup(struct fixture *fixture, uint32_t devices)
{
    uint64_t random = devices;
    char texts[32];
    assert_int_equal(cm_engine_create(NULL, NULL, &fixture->engine, NULL), CM_OK);
    for (uint32_t i = 0; i < CLICKS; i++) {
        cm_click click = make_click(i, devices, &random, texts);
        assert_int_equal(cm_engine_add(fixture->engine, &click, 1, NULL, NULL), CM_OK);
    }
    fixture->context = (cm_layer_context){&fixture->engine->index, &fixture->engine->weights};
    fixture->query = (cm_query){.t = NOW, .user_agent = 2};
    fixture->scratch.generation = 0;
    fixture->scratch.looked_at = 0;
    memset(fixture->scratch.slots, 0, sizeof fixture->scratch.slots);
}

static void teardown(struct fixture *fixture)
{
    cm_engine_destroy(fixture->engine);
}

/* Pairs that differ in one half only. */
static cm_device_key device_key(const cm_click_row *row)
{
    return row->user_agent % 2 == 0 ? (cm_device_key){row->user_agent, 7}
                                    : (cm_device_key){7, row->user_agent};
}

static enum cm_comparison compare(const cm_query *query, const cm_click_row *row)
{
    (void)query;
    return (enum cm_comparison)(row->user_agent % CM_COMPARISONS);
}

static const cm_candidate_rules rules = {device_key, compare};

/* ---- the rule ---- */

static const cm_click_row *row_of(const struct fixture *fixture, uint32_t click)
{
    return cm_click_store_row(&fixture->engine->index.catalog.store, click);
}

static bool is_kept(const struct fixture *fixture, uint32_t click)
{
    const cm_click_store *store = &fixture->engine->index.catalog.store;
    if (cm_click_store_expires_at(store, click) <= NOW)
        return false;
    for (uint32_t before = 0; before < click; before++)
        if (row_of(fixture, before)->user_agent == row_of(fixture, click)->user_agent &&
            cm_click_store_expires_at(store, before) > NOW)
            return false;
    return true;
}

static size_t expect(const struct fixture *fixture, size_t count, uint32_t *kept)
{
    size_t kept_count = 0;
    for (uint32_t click = 0; click < count; click++)
        if (is_kept(fixture, click))
            kept[kept_count++] = click;
    return kept_count;
}

static enum cm_comparison expected_user_agent(const cm_click_row *row)
{
    if (row->user_agent == CM_NUMBER_MISSING)
        return CM_COMPARE_MISSING;
    return row->user_agent == 2 ? CM_COMPARE_EQUAL : CM_COMPARE_DIFFERENT;
}

/* ---- looking ---- */

static size_t look(struct fixture *fixture, size_t count)
{
    for (uint32_t i = 0; i < count; i++)
        fixture->scratch.clicks[i] = i;
    return cm_look_at_candidates(&fixture->context, &fixture->query, &rules, &fixture->scratch,
                                 count);
}

static void check(struct fixture *fixture, size_t count, const uint32_t *kept, size_t kept_count)
{
    const cm_model *model = fixture->engine->model;
    bool any = false;
    assert_int_equal(look(fixture, count), kept_count);
    for (size_t i = 0; i < kept_count; i++) {
        const cm_candidate_look *got = &fixture->scratch.looks[i];
        const cm_click_row *row = row_of(fixture, kept[i]);
        assert_int_equal(got->click, kept[i]);
        assert_int_equal(got->evidence, row->user_agent % CM_COMPARISONS);
        assert_int_equal(got->user_agent, expected_user_agent(row));
        assert_int_equal(got->bin, cm_delay_bin(model, NOW - cm_click_row_time(row)));
        any |= got->evidence == CM_COMPARE_EQUAL;
    }
    assert_int_equal(cm_any_shares(&fixture->scratch, kept_count), any);
}

static const size_t counts[] = {0, 1, 2, 5, 6, 7, 8, 9, 64, 300, 1024, CLICKS};
static const uint32_t device_counts[] = {1, 3, 8, 150, 4000};
#define COUNTS (sizeof counts / sizeof *counts)
#define DEVICE_COUNTS (sizeof device_counts / sizeof *device_counts)

static struct fixture fixture;
static uint32_t kept[CLICKS];

static void test_the_first_of_each_device_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < DEVICE_COUNTS; i++) {
        setup(&fixture, device_counts[i]);
        uint64_t looked_at = 0;
        for (size_t j = 0; j < COUNTS; j++) {
            size_t kept_count = expect(&fixture, counts[j], kept);
            check(&fixture, counts[j], kept, kept_count);
            looked_at += counts[j];
            assert_int_equal(fixture.scratch.looked_at, looked_at);
        }
        teardown(&fixture);
    }
}

/* The set is emptied by its generation; when those run out it is emptied for good: what was put in
 * under the first one must not count again, though only a few slots were used since. */
static void test_generations_begin_again(void **state)
{
    (void)state;
    static uint32_t kept_of_few[CLICKS];
    setup(&fixture, 150);
    size_t kept_count = expect(&fixture, CLICKS, kept), few = expect(&fixture, 20, kept_of_few);
    check(&fixture, CLICKS, kept, kept_count);
    fixture.scratch.generation = GENERATION_MAX - 3;
    for (unsigned round = 0; round < 3; round++)
        check(&fixture, 20, kept_of_few, few);
    assert_int_equal(fixture.scratch.generation, GENERATION_MAX);
    for (unsigned round = 1; round < 6; round++) {
        check(&fixture, CLICKS, kept, kept_count);
        assert_int_equal(fixture.scratch.generation, round);
    }
    teardown(&fixture);
}

/* Weights: of each candidate the factors of its own bin and comparisons, as the model writes them.
 */
static void test_weights_follow_bins_and_comparisons(void **state)
{
    (void)state;
    const double r = 3.5, u = 0.01;
    setup(&fixture, 150);
    size_t count = look(&fixture, CLICKS);
    const cm_weights *weights = fixture.context.weights;
    for (enum cm_weighed_layer layer = 0; layer < CM_WEIGHED_LAYER_COUNT; layer++) {
        cm_weigh_candidates(&fixture.context, layer, r, u, &fixture.scratch, count);
        bool is_fingerprint = layer == CM_WEIGH_FINGERPRINT;
        for (size_t i = 0; i < count; i++) {
            const cm_candidate_look *got = &fixture.scratch.looks[i];
            const cm_bin_weights *bin = &weights->bins[got->bin];
            const double evidence[] = {
                1.0, is_fingerprint ? bin->ip_m / u : bin->lr_fingerprint_equal,
                is_fingerprint ? bin->lr_ip_different : bin->lr_fingerprint_different};
            const double user_agent[] = {1.0, weights->lr_ua_equal[layer],
                                         weights->lr_ua_different[layer]};
            double w = bin->prior_m[layer] / r * bin->lr_delay[layer] * evidence[got->evidence] *
                       user_agent[got->user_agent];
            assert_int_equal(fixture.scratch.weighed[i].click, got->click);
            assert_true(same_bits(fixture.scratch.weighed[i].w, w));
        }
    }
    teardown(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_of_each_device_stays),
        cmocka_unit_test(test_generations_begin_again),
        cmocka_unit_test(test_weights_follow_bins_and_comparisons),
    };
    return cmocka_run_group_tests_name("candidates", tests, NULL, NULL);
}
