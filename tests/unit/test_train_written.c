/* Where learning begins, delay bins that are halved, and what a model file says of sections. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness/bits.h"
#include "harness/failing_malloc.h"
#include "harness/trained.h"

static const char *const TYPES[] = {"mobile", "", "a \"quoted\\\" one", "t\xC3\xA9l\xC3\xA9"};
#define TYPE_COUNT (sizeof TYPES / sizeof *TYPES)

static cm_trained begin(const cm_model *base, size_t types)
{
    cm_trained trained;
    assert_int_equal(cm_trained_init(&trained, base, TYPES, types, NULL), CM_OK);
    return trained;
}

/* ---- beginning and writing ---- */

static void test_beginning(void **state)
{
    (void)state;
    cm_model *base = trained_base("{\"fingerprint\": {\"calibration\": [[0.1, 0.2], [0.9, 0.8]]},"
                                  " \"probabilistic\": {\"calibration\": [[0.1, 0.2]]},"
                                  " \"devices\": {\"mobile\": {\"fingerprint_u\": 0.25}},"
                                  " \"tenants\": {\"a\": {\"fingerprint_u\": 0.5}}}");
    cm_trained trained = begin(base, 1);
    cm_model *plain = trained_base("{}");
    cm_model *model = trained_read_back(&trained);
    assert_int_equal(model->tenant_count, 0);
    assert_int_equal(model->parameters->fingerprint.knot_count, 0);
    assert_int_equal(model->parameters->probabilistic.knot_count, 0);
    trained_assert_same_parameters(plain->parameters, model->parameters, plain->bin_count);
    trained_assert_same_parameters(plain->parameters, trained_parameters(model, "mobile"),
                                   plain->bin_count);
    cm_trained_destroy(&trained);
    cm_model_destroy(model);
    cm_model_destroy(plain);
    cm_model_destroy(base);
}

static void test_names(void **state)
{
    (void)state;
    cm_model *base = trained_base("{\"name\": \"a \\\"b\\\" \\\\ caf\\u00e9 \\u2603\","
                                  " \"version\": \"\\ud83d\\ude00 </script>\"}");
    cm_trained trained = begin(base, TYPE_COUNT);
    cm_model *model = trained_read_back(&trained);
    assert_string_equal(model->name, "a \"b\" \\ caf\xC3\xA9 \xE2\x98\x83");
    assert_string_equal(model->version, "\xF0\x9F\x98\x80 </script>");
    assert_int_equal(model->devices.count, TYPE_COUNT);
    for (size_t i = 0; i < TYPE_COUNT; i++)
        assert_true(trained_parameters(model, TYPES[i]) != model->parameters);
    cm_trained_destroy(&trained);
    cm_model_destroy(model);
    cm_model_destroy(base);
}

static json_t *section(const cm_trained *trained, const char *type, json_t **root)
{
    char *text = trained_text(trained);
    *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    assert_non_null(*root);
    return json_object_get(json_object_get(*root, "devices"), type);
}

/* How many numbers or lists of them there are below. */
static size_t leaves(const json_t *value)
{
    size_t count = !json_is_object(value);
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)value, key, item) count += leaves(item);
    return count;
}

static void test_only_what_differs(void **state)
{
    (void)state;
    cm_model *base =
        trained_base("{\"ip_other_m\": 0.1, \"ip_other_u\": 0.4,"
                     "\"fingerprint\": {\"delay_u\": [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4],"
                     "\"repeat\": 1, \"traits\": {\"os\": [0.9, 0.2]}}}");
    cm_trained trained = begin(base, 2);
    json_t *root;
    assert_int_equal(leaves(section(&trained, "mobile", &root)), 0);
    json_decref(root);
    cm_parameters *mobile = &trained.sections[0].parameters;
    mobile->ip_other_u = 0.5;
    mobile->fingerprint.traits[CM_TRAIT_OS].u = 0.3;
    mobile->fingerprint.delay_u[6] = 0.3;
    mobile->probabilistic.band_hi = 0.7;
    mobile->ip_m[3] = 0.25;
    json_t *changes = section(&trained, "mobile", &root);
    assert_int_equal(leaves(changes), 5);
    assert_non_null(json_object_get(changes, "ip_m"));
    assert_non_null(json_object_get(json_object_get(changes, "probabilistic"), "band"));
    assert_int_equal(leaves(json_object_get(json_object_get(root, "devices"), "")), 0);
    json_decref(root);
    cm_model *model = trained_read_back(&trained);
    trained_assert_same_model(&trained, model);
    cm_model_destroy(model);
    cm_trained_destroy(&trained);
    cm_model_destroy(base);
}

/* ---- halving bins ---- */

static void assert_halved(const double *halves, const double *whole, size_t count, bool is_shared)
{
    for (size_t i = 0; i < count; i++) {
        double found = is_shared ? halves[2 * i] + halves[2 * i + 1] : halves[2 * i];
        assert_true(fabs(found - whole[i]) <= 1e-15 * whole[i]);
        assert_true(is_shared ? halves[2 * i] > 0 || whole[i] == 0
                              : same_bits(halves[2 * i], halves[2 * i + 1]));
    }
}

static void assert_halved_parameters(const cm_parameters *after, const cm_parameters *before,
                                     size_t count)
{
    assert_halved(after->delay_m, before->delay_m, count, true);
    assert_halved(after->fingerprint.delay_u, before->fingerprint.delay_u, count, true);
    assert_halved(after->fingerprint_m, before->fingerprint_m, count, false);
    assert_halved(after->ip_m, before->ip_m, count, false);
    assert_null(after->probabilistic.delay_u);
}

static void test_halving(void **state)
{
    (void)state;
    cm_model *base =
        trained_base("{\"fingerprint\": {\"delay_u\": [0.01, 0.02, 0.03, 0.04, 0.1, 0.3, 0.5]}}");
    cm_trained trained = begin(base, 2);
    assert_int_equal(cm_trained_halve_bins(&trained, 13, NULL), CM_OK);
    assert_int_equal(trained.bin_count, 7); /* 14 are too many */
    assert_int_equal(cm_trained_halve_bins(&trained, 14, NULL), CM_OK);
    assert_int_equal(trained.bin_count, 14);
    for (size_t i = 0; i < 14; i++) {
        assert_true(trained.delay_hours[i] > (i == 0 ? 0 : trained.delay_hours[i - 1]));
        if (i % 2 == 1)
            assert_true(same_bits(trained.delay_hours[i], base->delay_hours[i / 2]));
    }
    assert_halved_parameters(&trained.own, base->parameters, 7);
    for (size_t i = 0; i < trained.section_count; i++)
        assert_halved_parameters(&trained.sections[i].parameters, base->parameters, 7);
    /* By time: of the bin from 1 to 6 hours, cut at their geometric mean. */
    double first = (trained.delay_hours[6] - 1) / 5;
    assert_true(fabs(trained.delay_hours[6] - sqrt(6)) < 1e-5);
    assert_true(fabs(trained.own.delay_m[6] - base->parameters->delay_m[3] * first) < 1e-12);
    cm_model *model = trained_read_back(&trained);
    trained_assert_same_model(&trained, model);
    cm_model_destroy(model);
    cm_trained_destroy(&trained);
    cm_model_destroy(base);
}

/* Edges that stand so close that no third fits between them: what is made is a model still. */
static void test_halving_narrow_bins(void **state)
{
    (void)state;
    static const char *const edges[] = {"24, 167.99999, 168", "4e-10, 24, 168",
                                        "23.999999999, 24, 168"};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        char json[200];
        snprintf(json, sizeof json,
                 "{\"delay_hours\": [%s], \"delay_m\": [0.2, 0.5, 0.3], \"fingerprint_m\": "
                 "[0.9, 0.9, 0.9], \"ip_m\": [0.9, 0.9, 0.9]}",
                 edges[i]);
        cm_model *base = trained_base(json);
        cm_trained trained = begin(base, 1);
        assert_int_equal(cm_trained_halve_bins(&trained, 16, NULL), CM_OK);
        cm_trained_round(&trained);
        cm_model *model = trained_read_back(&trained);
        trained_assert_same_model(&trained, model);
        cm_model_destroy(model);
        cm_trained_destroy(&trained);
        cm_model_destroy(base);
    }
}

/* ---- memory ---- */

static cm_status make_and_write(const cm_model *base)
{
    cm_trained trained;
    cm_buffer text = {0};
    cm_status status = cm_trained_init(&trained, base, TYPES, TYPE_COUNT, NULL);
    if (status == CM_OK)
        status = cm_trained_halve_bins(&trained, 100, NULL);
    if (status == CM_OK)
        status = cm_trained_reset(&trained, &trained.sections[1].parameters, NULL);
    if (status == CM_OK)
        cm_trained_write(&trained, &text);
    status = text.failed ? CM_ERROR_MEMORY : status;
    cm_trained_destroy(&trained);
    cm_buffer_destroy(&text);
    return status;
}

static void test_without_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    cm_model *base =
        trained_base("{\"fingerprint\": {\"delay_u\": [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4],"
                     "\"traits\": {\"os\": [0.9, 0.2]}}}");
    ptrdiff_t live = failing_malloc_live();
    size_t failures = 0;
    for (bool has_failed = true; has_failed; failures += has_failed) {
        failing_malloc_arm(failures);
        cm_status status = make_and_write(base);
        has_failed = failing_malloc_disarm();
        assert_int_equal(status, has_failed ? CM_ERROR_MEMORY : CM_OK);
        assert_int_equal(failing_malloc_live(), live);
    }
    assert_true(failures > 50);
    cm_model_destroy(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beginning),           cmocka_unit_test(test_names),
        cmocka_unit_test(test_only_what_differs),   cmocka_unit_test(test_halving),
        cmocka_unit_test(test_halving_narrow_bins), cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests_name("train written", tests, NULL, NULL);
}
