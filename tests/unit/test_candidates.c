/*
 * Looking at candidates, against comparing each with all before it: the first of each device stays,
 * few devices or 2,048, however often the set of devices was used before. With a model that
 * compares traits, one that tells families of addresses apart, one that knows strangers' delays,
 * and one that does none of this.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "harness/bits.h"
#include "harness/random.h"
#include "match/candidates.h"
#include "util/slice.h"

#define CLICKS CM_CANDIDATES_MAX
#define NOW ((int64_t)400 * CM_HOUR_US)
#define GENERATION_MAX ((1u << 20) - 1)

static const char *const models[] = {
    "{}",
    ("{\"fingerprint\": {\"traits\": {\"os\": [0.9, 0.4], \"timezone\": [0.7, 0.3]}},"
     " \"probabilistic\": {\"traits\": {\"browser\": [0.8, 0.2], \"screen\": [0.97, 0.1]}}}"),
    "{\"ip_other_m\": 0.7, \"ip_other_u\": 0.2}",
    ("{\"fingerprint\": {\"delay_u\": [0.001, 0.02, 0.05, 0.1, 0.4, 0.5, 0.3]},"
     " \"probabilistic\": {\"delay_u\": [0.01, 0.03, 0.2, 0.7, 0.8, 0.9, 0.9]}}"),
};
#define MODELS (sizeof models / sizeof *models)

struct fixture {
    cm_engine *engine;
    cm_layer_context context;
    cm_conversion conversion;
    cm_key_scratch keys;
    cm_query query;
    cm_who_cache whos;
    cm_layer_scratch scratch;
    char texts[CLICKS][2][16];
    cm_click clicks[CLICKS]; /* newest first, as numbered */
};

/* ---- a world of so many devices ---- */

/* None; or one of two kinds whose buckets are the same number. */
static cm_address address_of(uint32_t number)
{
    uint8_t low = (uint8_t)number, high = (uint8_t)(number >> 8);
    if (number % 9 == 8)
        return (cm_address){0};
    return number % 2 == 0 ? (cm_address){4, {203, 0, high, low}}
                           : (cm_address){6, {[4] = 203, 0, high, (uint8_t)(low - 1)}};
}

/* Where a device has no fingerprint none is to be made of its screen and time zone. */
static void show_traits(cm_device *device, uint64_t *random)
{
    static const char *const systems[] = {"", "iOS", "ios", "Android", "ANDROID", "iOS 17"};
    static const char *const browsers[] = {"", "Safari", "Chrome", "chrome", "safari "};
    static const char *const sides[] = {"", "390", "844", "39", "0844"};
    static const char *const zones[] = {"", "Europe/Paris", "europe/Paris", "UTC"};
    device->os = cm_slice_of_text(systems[random_below(random, 6)]);
    device->browser = cm_slice_of_text(browsers[random_below(random, 5)]);
    if (!device->has_fingerprint)
        return;
    device->screen_width = cm_slice_of_text(sides[random_below(random, 5)]);
    device->screen_height = cm_slice_of_text(sides[random_below(random, 5)]);
    device->timezone = cm_slice_of_text(zones[random_below(random, 4)]);
}

static cm_device make_device(uint32_t devices, uint64_t *random, char *user_agent)
{
    static const char *const types[] = {"", "mobile", "desktop"};
    uint32_t number = random_below(random, devices);
    snprintf(user_agent, 16, "ua%u", random_below(random, devices));
    cm_device device = {.has_fingerprint = number % 3 > 0, .ip_address = address_of(number)};
    memset(device.fingerprint, 1, sizeof device.fingerprint);
    memcpy(device.fingerprint, &(uint32_t){random_below(random, devices)}, 4);
    if (random_below(random, 5) > 0)
        device.user_agent = cm_slice_of_text(user_agent);
    device.device_type = cm_slice_of_text(types[random_below(random, 3)]);
    if (random_below(random, 9) > 0)
        show_traits(&device, random);
    return device;
}

static void make_click(struct fixture *fixture, uint32_t i, uint32_t devices, uint64_t *random)
{
    cm_click *click = &fixture->clicks[i];
    snprintf(fixture->texts[i][0], 16, "k%u", i);
    *click = (cm_click){.tenant_id = CM_SLICE("t"),
                        .click_id = cm_slice_of_text(fixture->texts[i][0]),
                        .click_timestamp = NOW - (int64_t)i * CM_HOUR_US / 9,
                        .expires_at = CM_TIME_MISSING,
                        .is_valid = true,
                        .device = make_device(devices, random, fixture->texts[i][1])};
    if (random_below(random, 4) == 0) { /* earlier or later than by the window, or just now */
        int64_t early = (int64_t)random_below(random, i + 1) * CM_HOUR_US / 9;
        click->expires_at = random_below(random, 2) == 0 ? NOW : click->click_timestamp + 2 * early;
    }
}

/* The conversion is of the device of one of the first clicks. */
static void find_query(struct fixture *fixture)
{
    const cm_click_index *index = &fixture->engine->index;
    cm_query *query = &fixture->query;
    *query = (cm_query){.conversion = &fixture->conversion, .t = NOW};
    assert_true(
        cm_conversion_keys_make(&index->rules, &fixture->conversion, &fixture->keys, &query->keys));
    assert_true(cm_conversion_keys_make_device(&index->rules, &fixture->conversion, &fixture->keys,
                                               &query->keys));
    cm_query_start(index, query);
    cm_query_find_device(index, &fixture->whos, query);
}

static void setup(struct fixture *fixture, const char *json, uint32_t devices)
{
    uint64_t random = devices;
    cm_model *model;
    assert_int_equal(cm_model_create(json, strlen(json), &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &fixture->engine, NULL), CM_OK);
    cm_model_destroy(model);
    for (uint32_t i = 0; i < CLICKS; i++)
        make_click(fixture, i, devices, &random);
    assert_int_equal(cm_engine_add(fixture->engine, fixture->clicks, CLICKS, NULL, NULL), CM_OK);
    fixture->context = (cm_layer_context){&fixture->engine->index, &fixture->engine->scoring};
    fixture->keys = (cm_key_scratch){0};
    fixture->whos = (cm_who_cache){0};
    fixture->conversion = (cm_conversion){.tenant_id = CM_SLICE("t"),
                                          .conversion_id = CM_SLICE("c"),
                                          .conversion_timestamp = NOW,
                                          .device = fixture->clicks[devices % 10].device};
    find_query(fixture);
    fixture->scratch.generation = 0;
    fixture->scratch.looked_at = 0;
    memset(fixture->scratch.slots, 0, sizeof fixture->scratch.slots);
}

static void teardown(struct fixture *fixture)
{
    cm_key_scratch_destroy(&fixture->keys);
    cm_engine_destroy(fixture->engine);
}

/* ---- the rule ---- */

static bool same_address(const cm_device *a, const cm_device *b)
{
    return a->ip_address.version == b->ip_address.version &&
           memcmp(a->ip_address.bytes, b->ip_address.bytes, 16) == 0;
}

static bool same_fingerprint(const cm_device *a, const cm_device *b)
{
    return memcmp(a->fingerprint, b->fingerprint, 32) == 0;
}

static bool same_device(const cm_device *a, const cm_device *b, enum cm_weighed_layer layer)
{
    if (layer == CM_WEIGH_FINGERPRINT)
        return same_address(a, b) && cm_slice_equal(a->device_type, b->device_type);
    if (a->has_fingerprint || b->has_fingerprint)
        return a->has_fingerprint && b->has_fingerprint && same_fingerprint(a, b);
    return cm_slice_equal(a->user_agent, b->user_agent);
}

static enum cm_comparison compared(bool are_there, bool are_equal)
{
    if (!are_there)
        return CM_COMPARE_MISSING;
    return are_equal ? CM_COMPARE_EQUAL : CM_COMPARE_DIFFERENT;
}

static enum cm_comparison address_of_both(const cm_device *a, const cm_device *b, bool has_families)
{
    bool types_fit = a->device_type.size == 0 || b->device_type.size == 0 ||
                     cm_slice_equal(a->device_type, b->device_type);
    enum cm_comparison comparison = compared(
        a->ip_address.version != 0 && b->ip_address.version != 0, same_address(a, b) && types_fit);
    bool is_other = a->ip_address.version != b->ip_address.version;
    return comparison == CM_COMPARE_DIFFERENT && has_families && is_other ? CM_COMPARE_OTHER_FAMILY
                                                                          : comparison;
}

static enum cm_comparison evidence_of(const cm_device *a, const cm_device *b,
                                      enum cm_weighed_layer layer, bool has_families)
{
    return layer == CM_WEIGH_FINGERPRINT
               ? address_of_both(a, b, has_families)
               : compared(a->has_fingerprint && b->has_fingerprint, same_fingerprint(a, b));
}

static bool same_folded(cm_slice a, cm_slice b)
{
    return a.size == b.size && (a.size == 0 || strncasecmp(a.data, b.data, a.size) == 0);
}

/* As docs/matching.md has it, "Traits". */
static enum cm_comparison trait_of(const cm_device *a, const cm_device *b, cm_trait trait)
{
    switch (trait) {
    case CM_TRAIT_OS:
        return compared(a->os.size > 0 && b->os.size > 0, same_folded(a->os, b->os));
    case CM_TRAIT_BROWSER:
        return compared(a->browser.size > 0 && b->browser.size > 0,
                        same_folded(a->browser, b->browser));
    case CM_TRAIT_SCREEN:
        return compared(a->screen_width.size > 0 && a->screen_height.size > 0 &&
                            b->screen_width.size > 0 && b->screen_height.size > 0,
                        (cm_slice_equal(a->screen_width, b->screen_width) &&
                         cm_slice_equal(a->screen_height, b->screen_height)) ||
                            (cm_slice_equal(a->screen_width, b->screen_height) &&
                             cm_slice_equal(a->screen_height, b->screen_width)));
    default:
        return compared(a->timezone.size > 0 && b->timezone.size > 0,
                        cm_slice_equal(a->timezone, b->timezone));
    }
}

static bool has_expired(const struct fixture *fixture, const cm_click *click)
{
    int64_t expires_at = click->expires_at == CM_TIME_MISSING
                             ? click->click_timestamp + fixture->engine->model->window_us
                             : click->expires_at;
    return NOW >= expires_at;
}

static size_t expect(const struct fixture *fixture, enum cm_weighed_layer layer, size_t count,
                     uint32_t *kept)
{
    size_t kept_count = 0;
    for (uint32_t click = 0; click < count; click++) {
        const cm_device *device = &fixture->clicks[click].device;
        bool is_new = !has_expired(fixture, &fixture->clicks[click]);
        for (size_t i = 0; i < kept_count && is_new; i++)
            is_new = !same_device(&fixture->clicks[kept[i]].device, device, layer);
        if (is_new)
            kept[kept_count++] = click;
    }
    return kept_count;
}

/* ---- looking ---- */

static size_t look(struct fixture *fixture, enum cm_weighed_layer layer, size_t count, bool *shared)
{
    for (uint32_t i = 0; i < count; i++)
        fixture->scratch.clicks[i] = i;
    return cm_look_at_candidates(&fixture->context, &fixture->query, layer, &fixture->scratch,
                                 fixture->scratch.clicks, count, fixture->scratch.looks, shared);
}

static void check(struct fixture *fixture, enum cm_weighed_layer layer, size_t count,
                  const uint32_t *kept, size_t kept_count)
{
    const cm_device *device = &fixture->conversion.device;
    bool has_families = fixture->engine->model->parameters[0].ip_other_m > 0;
    bool any = false, shared = true;
    assert_int_equal(look(fixture, layer, count, &shared), kept_count);
    for (size_t i = 0; i < kept_count; i++) {
        const cm_candidate_look *got = &fixture->scratch.looks[i];
        const cm_click *click = &fixture->clicks[kept[i]];
        cm_slice user_agent = click->device.user_agent;
        assert_int_equal(got->click, kept[i]);
        assert_int_equal(got->evidence, evidence_of(&click->device, device, layer, has_families));
        assert_int_equal(got->user_agent,
                         compared(user_agent.size > 0 && device->user_agent.size > 0,
                                  cm_slice_equal(user_agent, device->user_agent)));
        assert_int_equal(got->bin,
                         cm_delay_bin(fixture->engine->model, NOW - click->click_timestamp));
        for (cm_trait trait = 0; trait < CM_TRAIT_COUNT; trait++)
            assert_int_equal(cm_look_trait(got, trait),
                             fixture->engine->model->has_traits
                                 ? trait_of(&click->device, device, trait)
                                 : CM_COMPARE_MISSING);
        any |= got->evidence == CM_COMPARE_EQUAL;
    }
    assert_int_equal(shared, any);
}

static const size_t counts[] = {0, 1, 2, 5, 6, 7, 8, 9, 64, 300, 1024, CLICKS};
static const uint32_t device_counts[] = {1, 3, 8, 23, 150, 4000};
#define COUNTS (sizeof counts / sizeof *counts)
#define DEVICE_COUNTS (sizeof device_counts / sizeof *device_counts)

static struct fixture fixture;
static uint32_t kept[CLICKS];

static void test_the_first_of_each_device_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < DEVICE_COUNTS * MODELS; i++) {
        setup(&fixture, models[i % MODELS], device_counts[i / MODELS]);
        uint64_t looked_at = 0;
        for (enum cm_weighed_layer layer = 0; layer < CM_WEIGHED_LAYER_COUNT; layer++)
            for (size_t j = 0; j < COUNTS; j++) {
                size_t kept_count = expect(&fixture, layer, counts[j], kept);
                check(&fixture, layer, counts[j], kept, kept_count);
                looked_at += counts[j];
                assert_int_equal(fixture.scratch.looked_at, looked_at);
            }
        teardown(&fixture);
    }
}

/* A conversion that shows nothing of itself compares with nothing. */
static void test_what_is_missing_is_not_compared(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODELS; i++) {
        setup(&fixture, models[i], 8);
        fixture.conversion.device = (cm_device){0};
        find_query(&fixture);
        for (enum cm_weighed_layer layer = 0; layer < CM_WEIGHED_LAYER_COUNT; layer++) {
            size_t kept_count = expect(&fixture, layer, CLICKS, kept);
            check(&fixture, layer, CLICKS, kept, kept_count);
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
    const enum cm_weighed_layer layer = CM_WEIGH_PROBABILISTIC;
    setup(&fixture, models[0], 150);
    size_t kept_count = expect(&fixture, layer, CLICKS, kept);
    size_t few = expect(&fixture, layer, 20, kept_of_few);
    check(&fixture, layer, CLICKS, kept, kept_count);
    fixture.scratch.generation = GENERATION_MAX - 3;
    for (unsigned round = 0; round < 3; round++)
        check(&fixture, layer, 20, kept_of_few, few);
    assert_int_equal(fixture.scratch.generation, GENERATION_MAX);
    for (unsigned round = 1; round < 6; round++) {
        check(&fixture, layer, CLICKS, kept, kept_count);
        assert_int_equal(fixture.scratch.generation, round);
    }
    teardown(&fixture);
}

/* The factor of each trait that the layer has, in their order. */
static double times_traits(const cm_layer_model *model, const cm_candidate_look *look, double w)
{
    for (cm_trait trait = 0; trait < CM_TRAIT_COUNT; trait++) {
        const cm_chances *chances = &model->traits[trait];
        cm_comparison outcome = cm_look_trait(look, trait);
        if (chances->m > 0 && outcome != CM_COMPARE_MISSING)
            w *= outcome == CM_COMPARE_EQUAL ? chances->m / chances->u
                                             : (1 - chances->m) / (1 - chances->u);
    }
    return w;
}

/* LR_ip, where the addresses differ. */
static double differs(const cm_parameters *parameters, double m, bool is_other)
{
    double other_m = parameters->ip_other_m, other_u = parameters->ip_other_u;
    if (other_m == 0)
        return 1 - m;
    return is_other ? (1 - m) * other_m / other_u : (1 - m) * (1 - other_m) / (1 - other_u);
}

static double delay_ratio(const cm_weights *weights, enum cm_weighed_layer layer, size_t bin)
{
    const cm_model *model = weights->model;
    const double *delay_u = cm_layer_model_of(weights, layer)->delay_u;
    double m = weights->parameters->delay_m[bin],
           before = bin > 0 ? model->delay_hours[bin - 1] : 0,
           hours = model->delay_hours[bin] - before;
    return m / (delay_u != NULL
                    ? delay_u[bin]
                    : hours / (layer == CM_WEIGH_FINGERPRINT ? model->window_hours
                                                             : model->probabilistic_window_hours));
}

static void check_weights(enum cm_weighed_layer layer)
{
    const double r = 3.5, u = 0.01;
    const cm_weights *weights = cm_weights_of(&fixture.context, &fixture.query);
    const cm_layer_model *model = cm_layer_model_of(weights, layer);
    bool shared, is_fingerprint = layer == CM_WEIGH_FINGERPRINT;
    size_t count = look(&fixture, layer, CLICKS, &shared);
    cm_weigh_candidates(weights, layer, r, u, &fixture.scratch, count);
    for (size_t i = 0; i < count; i++) {
        const cm_candidate_look *got = &fixture.scratch.looks[i];
        const cm_bin_weights *bin = &weights->bins[got->bin];
        double ip_m = weights->parameters->ip_m[got->bin];
        const double address[] = {1.0, ip_m / u, differs(weights->parameters, ip_m, false),
                                  differs(weights->parameters, ip_m, true)};
        const double fingerprint[] = {1.0, bin->lr_fingerprint_equal,
                                      bin->lr_fingerprint_different};
        const double *evidence = is_fingerprint ? address : fingerprint;
        const double user_agent[] = {1.0, model->user_agent_m / model->user_agent_u,
                                     (1 - model->user_agent_m) / (1 - model->user_agent_u)};
        double w = bin->prior_m[layer] / r * delay_ratio(weights, layer, got->bin) *
                   evidence[got->evidence] * user_agent[got->user_agent];
        assert_int_equal(fixture.scratch.weighed[i].click, got->click);
        assert_true(same_bits(fixture.scratch.weighed[i].w, times_traits(model, got, w)));
    }
}

/* Weights: of each candidate the factors of its own bin and comparisons, as the model writes them.
 */
static void test_weights_follow_bins_and_comparisons(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODELS; i++) {
        setup(&fixture, models[i], 150);
        for (enum cm_weighed_layer layer = 0; layer < CM_WEIGHED_LAYER_COUNT; layer++)
            check_weights(layer);
        teardown(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_of_each_device_stays),
        cmocka_unit_test(test_what_is_missing_is_not_compared),
        cmocka_unit_test(test_generations_begin_again),
        cmocka_unit_test(test_weights_follow_bins_and_comparisons),
    };
    return cmocka_run_group_tests_name("candidates", tests, NULL, NULL);
}
