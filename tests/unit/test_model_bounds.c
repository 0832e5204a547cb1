/* The bounds of a model's numbers: what is beyond them is refused, and at them every number is
 * finite and every probability from 0 to 1. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define T0 ((int64_t)1772366400 * 1000000) /* 2026-03-01T12:00:00Z */

static cm_status create(const char *json, cm_error *error)
{
    cm_model *model = NULL;
    cm_status status = cm_model_create(json, strlen(json), &model, error);
    cm_model_destroy(model);
    return status;
}

/* ---- what is refused ---- */

/* A field and its place in a file, %s standing for its value. */
static const struct {
    const char *json, *field;
} CHANCES[] = {
    {"{\"fingerprint_u\": %s}", "fingerprint_u"},
    {"{\"ip_u_min\": %s}", "ip_u_min"},
    {"{\"ip_other_m\": %s, \"ip_other_u\": 0.5}", "ip_other_m"},
    {"{\"ip_other_m\": 0.1, \"ip_other_u\": %s}", "ip_other_u"},
    {"{\"delay_m\": [0, 0, %s, 0, 0, 0, 0]}", "delay_m"},
    {"{\"fingerprint_m\": [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, %s]}", "fingerprint_m"},
    {"{\"ip_m\": [%s, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]}", "ip_m"},
    {"{\"fingerprint\": {\"prior\": %s}}", "fingerprint.prior"},
    {"{\"probabilistic\": {\"user_agent_m\": %s}}", "probabilistic.user_agent_m"},
    {"{\"fingerprint\": {\"user_agent_u\": %s}}", "fingerprint.user_agent_u"},
    {"{\"fingerprint\": {\"traits\": {\"os\": [%s, 0.5]}}}", "fingerprint.traits.os"},
    {"{\"probabilistic\": {\"traits\": {\"screen\": [0.5, %s]}}}", "probabilistic.traits.screen"},
    {"{\"fingerprint\": {\"delay_u\": [0.5, %s, 0.5, 0.5, 0.5, 0.5, 0.5]}}", "fingerprint.delay_u"},
    {"{\"devices\": {\"mobile\": {\"ip_u_min\": %s}}}", "devices.mobile.ip_u_min"},
    {"{\"tenants\": {\"t\": {\"fingerprint\": {\"prior\": %s}}}}", "tenants.t.fingerprint.prior"},
};

static void fill(char json[512], const char *pattern, const char *value)
{
    const char *at = strstr(pattern, "%s");
    snprintf(json, 512, "%.*s%s%s", (int)(at - pattern), pattern, value, at + 2);
}

static void a_chance_has_a_least(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(CHANCES); i++) {
        char json[512], message[256];
        cm_error error;
        fill(json, CHANCES[i].json, "1e-12");
        assert_int_equal(create(json, &error), CM_OK);
        fill(json, CHANCES[i].json, "9.99e-13");
        assert_int_equal(create(json, &error), CM_ERROR_MODEL);
        snprintf(message, sizeof message, "model: %s: 9.99e-13 is below the least chance, 1e-12",
                 CHANCES[i].field);
        assert_string_equal(error.message, message);
    }
}

static void rivals_have_a_least(void **state)
{
    (void)state;
    cm_error error;
    assert_int_equal(create("{\"fingerprint\": {\"rivals\": 1e-9}}", &error), CM_OK);
    assert_int_equal(create("{\"fingerprint\": {\"rivals\": 9.99e-10}}", &error), CM_ERROR_MODEL);
    assert_string_equal(error.message,
                        "model: fingerprint.rivals: 9.99e-10 is below the least, 1e-09");
    assert_int_equal(create("{\"probabilistic\": {\"rivals\": 5e-324}}", &error), CM_ERROR_MODEL);
}

/* ---- keys of sections ---- */

/* A section of a tenant whose id is a text repeated. */
static cm_status create_tenant(const char *text, size_t times, cm_error *error)
{
    char json[1024], id[600];
    size_t size = strlen(text);
    for (size_t i = 0; i < times; i++)
        memcpy(id + i * size, text, size);
    snprintf(json, sizeof json, "{\"tenants\": {\"%.*s\": {}}}", (int)(size * times), id);
    return create(json, error);
}

static void a_section_has_a_key_that_can_be(void **state)
{
    (void)state;
    cm_error error;
    assert_int_equal(create_tenant("x", 255, &error), CM_OK);
    assert_int_equal(create_tenant("\xC3\xA4", 255, &error), CM_OK);
    assert_int_equal(create("{\"devices\": {\"\": {}}}", &error), CM_OK);
    assert_int_equal(create_tenant("", 1, &error), CM_ERROR_MODEL);
    assert_string_equal(error.message,
                        "model: tenants.: no tenant's id: empty; give it as conversions have it");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(create_tenant(i == 0 ? "x" : "\xC3\xA4", 256, &error), CM_ERROR_MODEL);
        assert_non_null(
            strstr(error.message, "...: no tenant's id: longer than 255 characters; give it"));
    }
}

static void a_key_has_no_nul(void **state)
{
    (void)state;
    static const char *const jsons[] = {
        "{\"tenants\": {\"a\\u0000b\": {}}}",
        "{\"devices\": {\"\\u0000\": {}}}",
        "{\"tenants\": {\"t\": {\"devices\": {\"mobile\\u0000\": {}}}}}",
    };
    for (size_t i = 0; i < COUNT(jsons); i++) {
        cm_error error;
        assert_int_equal(create(jsons[i], &error), CM_ERROR_MODEL);
        assert_non_null(strstr(error.message, "NUL byte in object key"));
        assert_int_equal(error.line, 1);
    }
}

/* ---- at the bounds ---- */

#define MOST "0.9999999999999999" /* 1 - 2^-53 */
#define LEAST "1e-12"
#define TRAITS(m, u)                                                                               \
    "\"traits\": {\"os\": [" m ", " u "], \"browser\": [" m ", " u "], \"screen\": [" m ", " u     \
    "], \"timezone\": [" m ", " u "]}"
#define DELAY_U(u) ", \"delay_u\": [" u ", " u ", " u "]"
#define LAYER(prior, rivals, m, u, more)                                                           \
    "{\"prior\": " prior ", \"rivals\": " rivals ", \"user_agent_m\": " m ", \"user_agent_u\": " u \
    ", \"repeat\": 1000, " TRAITS(m, u) more "}"
/* The second bin is as narrow as edges can make one. */
#define MODEL(prior, rivals, m, u, ip_m, more)                                                     \
    "{\"delay_hours\": [4.1666666666666662e-10, 4.1666666666666667e-10, 720], \"delay_m\": "       \
    "[" LEAST ", 0.9, " LEAST "], \"fingerprint_m\": [" m ", " m ", " m "], \"ip_m\": [" ip_m      \
    ", " ip_m ", " ip_m "], \"fingerprint_u\": " u ", \"ip_u_min\": " LEAST                        \
    ", \"ip_other_m\": " LEAST ", \"ip_other_u\": " u                                              \
    ", \"window_hours\": 720, \"probabilistic_window_hours\": 720, "                               \
    "\"fingerprint\": " LAYER(prior, rivals, m, u,                                                 \
                              more) ", \"probabilistic\": " LAYER(prior, rivals, m, u, more) "}"

static const char *const EXTREMES[] = {
    /* What differs speaks for the device as loudly as it can, what is equal against it. */
    MODEL(MOST, "1e-9", LEAST, MOST, LEAST, ""),
    MODEL(LEAST, "1e-9", LEAST, MOST, LEAST, ""),
    MODEL(LEAST, "1e-9", LEAST, MOST, LEAST, DELAY_U(MOST)),
    MODEL(MOST, "1e308", LEAST, MOST, LEAST, ""),
    /* The other way around. */
    MODEL(MOST, "1e-9", MOST, LEAST, "0.999999999", ""),
    MODEL(LEAST, "1e-9", MOST, LEAST, "0.999999999", ""),
    MODEL(LEAST, "1e-9", MOST, LEAST, "0.999999999", DELAY_U(LEAST)),
    MODEL(LEAST, "1e308", MOST, LEAST, "0.999999999", DELAY_U(LEAST)),
};

#define CLICKS_MAX ((size_t)48)
#define FEW ((size_t)4) /* without one of two candidates no stranger is left: rivals alone */
static const size_t CLICK_COUNTS[] = {CLICKS_MAX, FEW};

static cm_device device_of(bool is_known, size_t number, bool is_near)
{
    static const char *const words[] = {"a", "b"};
    cm_slice word = {words[number % 2], 1};
    cm_device device = {
        .has_fingerprint = is_known,
        .fingerprint = {7},
        .ip_address = {4, {203, 0, 113, (uint8_t)(is_near ? 0 : number)}},
        .user_agent = word,
        .os = word,
        .browser = word,
        .screen_width = {number % 2 ? "1" : "2", 1},
        .screen_height = {"3", 1},
        .timezone = word,
    };
    return device;
}

/* Half of them have the fingerprint and addresses of their own; half are on the conversion's
 * address, have no fingerprint, and are as new or newer. Half of each look as the conversion does;
 * of few all do, or none. */
static void add_clicks(cm_engine *engine, size_t count)
{
    cm_click clicks[CLICKS_MAX];
    char ids[CLICKS_MAX][24];
    cm_add_counts counts;
    for (size_t i = 0; i < count; i++) {
        bool is_near = i >= count / 2;
        snprintf(ids[i], sizeof ids[i], "%c%zu", is_near ? 'a' : 'b', i);
        clicks[i] = (cm_click){
            .tenant_id = {"t", 1},
            .click_id = {ids[i], strlen(ids[i])},
            .click_timestamp = T0 - (i % 4 == 3 ? CM_HOUR_US : 1),
            .expires_at = CM_TIME_MISSING,
            .is_valid = true,
            .device = device_of(!is_near, count == FEW ? 2 * i + 1 : i, is_near),
        };
    }
    assert_int_equal(cm_engine_add(engine, clicks, count, &counts, NULL), CM_OK);
    assert_int_equal(counts.added, count);
}

static void assert_is_chance(double p)
{
    assert_true(p >= 0 && p <= 1);
}

static void check(const cm_engine *engine, const cm_conversion *conversion)
{
    cm_result result;
    assert_int_equal(cm_engine_match(engine, conversion, 1, &result, NULL), CM_OK);
    assert_true(result.candidate_count > 0);
    assert_is_chance(result.probability);
    assert_is_chance(result.confidence);
    if (result.layer_2_weighed)
        assert_is_chance(result.layer_2_probability);
    for (size_t i = 0; i < result.candidate_count; i++)
        assert_is_chance(result.candidates[i].probability);
}

static void check_bounds(const char *json, size_t click_count)
{
    cm_engine *engine;
    cm_model *model;
    assert_int_equal(cm_model_create(json, strlen(json), &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &engine, NULL), CM_OK);
    add_clicks(engine, click_count);
    for (int has_fingerprint = 0; has_fingerprint < 2; has_fingerprint++)
        for (size_t look = 0; look < 2; look++) {
            const cm_conversion conversion = {
                .tenant_id = {"t", 1},
                .conversion_id = {"c", 1},
                .conversion_timestamp = T0,
                .device = device_of(has_fingerprint, look, true),
            };
            check(engine, &conversion);
        }
    cm_engine_destroy(engine);
    cm_model_destroy(model);
}

static void at_the_bounds_all_is_finite(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(EXTREMES); i++)
        for (size_t j = 0; j < COUNT(CLICK_COUNTS); j++)
            check_bounds(EXTREMES[i], CLICK_COUNTS[j]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chance_has_a_least),
        cmocka_unit_test(rivals_have_a_least),
        cmocka_unit_test(a_section_has_a_key_that_can_be),
        cmocka_unit_test(a_key_has_no_nul),
        cmocka_unit_test(at_the_bounds_all_is_finite),
    };
    return cmocka_run_group_tests_name("model bounds", tests, NULL, NULL);
}
