/*
 * Model files. One that is accepted keeps what the rules promise of it (docs/matching.md, section
 * 5), and every probability that it gives is one.
 */
#include "engine/engine.h"
#include "fuzz/fuzz.h"
#include "util/slice.h"

#define T0 INT64_C(1772366400000000)
#define CLICKS 4

static void check_layer(const cm_model *model, const cm_layer_model *layer)
{
    FUZZ_CHECK(layer->prior > 0 && layer->prior < 1 && layer->rivals > 0);
    FUZZ_CHECK(layer->band_lo >= 0 && layer->band_lo < layer->band_hi && layer->band_hi < 1);
    for (size_t i = 0; i < layer->knot_count; i++) {
        const cm_knot *knot = &layer->knots[i];
        FUZZ_CHECK(knot->y >= 0 && knot->y <= 1);
        FUZZ_CHECK(i == 0 || (knot->x > knot[-1].x && knot->y >= knot[-1].y));
    }
    for (size_t i = 0; layer->delay_u != NULL && i < model->bin_count; i++)
        FUZZ_CHECK(layer->delay_u[i] >= 0);
}

static void check_model(const cm_model *model)
{
    FUZZ_CHECK(model->max_candidates >= 1 && model->max_candidates <= CM_MAX_CANDIDATES_LIMIT);
    FUZZ_CHECK(model->ipv4_prefix >= 1 && model->ipv4_prefix <= 32);
    FUZZ_CHECK(model->ipv6_prefix >= 1 && model->ipv6_prefix <= 128);
    FUZZ_CHECK(model->window_us >= 0 && model->retention_us >= 0);
    FUZZ_CHECK(model->window_hours <= CM_WINDOW_HOURS_LIMIT);
    for (size_t i = 1; i < model->bin_count; i++)
        FUZZ_CHECK(model->delay_us[i] > model->delay_us[i - 1]);
    for (size_t p = 0; p < model->parameter_count; p++) {
        const cm_parameters *own = &model->parameters[p];
        for (size_t i = 0; i < model->bin_count; i++) {
            FUZZ_CHECK(own->delay_m[i] >= 0 && own->delay_m[i] <= 1);
            FUZZ_CHECK(own->fingerprint_m[i] > 0 && own->fingerprint_m[i] < 1);
            FUZZ_CHECK(own->ip_m[i] > 0 && own->ip_m[i] < 1);
        }
        check_layer(model, &own->fingerprint);
        check_layer(model, &own->probabilistic);
    }
    FUZZ_CHECK(cm_model_parameters_of(model, CM_SLICE("t"), CM_SLICE("mobile")) <
               model->parameter_count);
}

/* Two clicks on each address; the last one alone has its fingerprint. */
static cm_device device_of(size_t number)
{
    cm_device device = {.has_fingerprint = true,
                        .fingerprint = {number == CLICKS - 1 ? 2 : 1},
                        .ip_address = {4, {81, 2, 3, (uint8_t)(4 + number / 2)}},
                        .user_agent = number % 2 == 0 ? CM_SLICE("a") : CM_SLICE("b"),
                        .device_type = CM_SLICE("mobile"),
                        .os = CM_SLICE("os"),
                        .screen_width = CM_SLICE("390")};
    return device;
}

static void check_result(const cm_result *result)
{
    FUZZ_CHECK(result->probability >= 0 && result->probability <= 1);
    FUZZ_CHECK(result->confidence >= 0 && result->confidence <= 1);
    FUZZ_CHECK(result->layer_2_probability >= 0 && result->layer_2_probability <= 1);
    for (size_t i = 0; i < result->candidate_count; i++) {
        double p = result->candidates[i].probability;
        FUZZ_CHECK(p >= 0 && p <= 1);
        FUZZ_CHECK(i == 0 || p <= result->candidates[i - 1].probability);
    }
}

static void try_matching(const cm_model *model)
{
    cm_engine *engine;
    static const char ids[CLICKS] = "abcd";
    static const int64_t delays_us[CLICKS] = {0, 1000000, 7200000000, 90000000000};
    FUZZ_CHECK(cm_engine_create(NULL, model, &engine, NULL) == CM_OK);
    for (size_t i = 0; i < CLICKS; i++) {
        const cm_click click = {.tenant_id = CM_SLICE("t"),
                                .click_id = cm_slice_of(&ids[i], 1),
                                .click_timestamp = T0 - delays_us[i],
                                .expires_at = CM_TIME_MISSING,
                                .is_valid = true,
                                .device = device_of(i)};
        FUZZ_CHECK(cm_engine_add(engine, &click, 1, NULL, NULL) == CM_OK);
    }
    for (size_t i = 0; i < CLICKS; i++) {
        cm_result result;
        cm_conversion conversion = {.tenant_id = CM_SLICE("t"),
                                    .conversion_id = CM_SLICE("v"),
                                    .conversion_timestamp = T0 + (int64_t)i * 60000000,
                                    .device = device_of(i)};
        conversion.device.has_fingerprint = i != 1;
        FUZZ_CHECK(cm_engine_match(engine, &conversion, 1, &result, NULL) == CM_OK);
        check_result(&result);
    }
    cm_engine_destroy(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    cm_model *model = NULL, *copy;
    cm_error error = {0};
    cm_status status = cm_model_create((const char *)bytes, size, &model, &error);
    FUZZ_CHECK(status == CM_OK || (status == CM_ERROR_MODEL && error.message[0] != '\0'));
    if (status != CM_OK)
        return 0;
    FUZZ_CHECK(size == 0 || memchr(bytes, '\0', size) == NULL);
    check_model(model);
    copy = cm_model_copy(model);
    FUZZ_CHECK(copy != NULL && strcmp(cm_model_label(copy), cm_model_label(model)) == 0);
    cm_model_destroy(model);
    check_model(copy);
    try_matching(copy);
    cm_model_destroy(copy);
    return 0;
}
