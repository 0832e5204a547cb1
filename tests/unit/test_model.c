/* Models: what a file changes, and every refusal with the field it names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "util/slice.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define TEXT_50 "12345678901234567890123456789012345678901234567890"

static cm_model *model_of(const char *json)
{
    cm_model *model = NULL;
    cm_error error = {0};
    if (cm_model_create(json, json == NULL ? 0 : strlen(json), &model, &error) != CM_OK)
        fail_msg("%s", error.message);
    return model;
}

/* docs/matching.md, section 5 */
static const char WRITTEN_DEFAULT[] =
    "{\"name\": \"default\", \"version\": \"1\","
    " \"window_hours\": 168, \"probabilistic_window_hours\": 24, \"retention_hours\": 24,"
    " \"max_candidates\": 64, \"ipv4_prefix\": 32, \"ipv6_prefix\": 64,"
    " \"delay_hours\": [0.016666666666666666, 0.16666666666666666, 1, 6, 24, 72, 168],"
    " \"delay_m\": [0.06, 0.19, 0.195, 0.105, 0.086, 0.214, 0.15],"
    " \"fingerprint_m\": [0.90, 0.90, 0.90, 0.88, 0.85, 0.80, 0.70],"
    " \"ip_m\": [0.80, 0.80, 0.80, 0.68, 0.62, 0.52, 0.48],"
    " \"fingerprint_u\": 0.01, \"ip_u_min\": 0.001,"
    " \"fingerprint\": {\"prior\": 0.5, \"rivals\": 0.15, \"user_agent_m\": 0.90,"
    "  \"user_agent_u\": 0.15, \"band\": [0.6, 0.9], \"calibration\": []},"
    " \"probabilistic\": {\"prior\": 0.2, \"rivals\": 0.30, \"user_agent_m\": 0.90,"
    "  \"user_agent_u\": 0.05, \"band\": [0.3, 0.6], \"calibration\": []}}";

static void assert_same_layer(const cm_layer_model *a, const cm_layer_model *b, size_t bins)
{
    assert_true(a->prior == b->prior && a->rivals == b->rivals);
    assert_true(a->user_agent_m == b->user_agent_m && a->user_agent_u == b->user_agent_u);
    assert_true(a->band_lo == b->band_lo && a->band_hi == b->band_hi);
    assert_true(a->repeat == b->repeat);
    assert_memory_equal(a->traits, b->traits, sizeof a->traits);
    assert_int_equal(a->delay_u != NULL, b->delay_u != NULL);
    if (a->delay_u != NULL)
        assert_memory_equal(a->delay_u, b->delay_u, bins * sizeof(double));
    assert_int_equal(a->knot_count, b->knot_count);
    if (a->knot_count > 0)
        assert_memory_equal(a->knots, b->knots, a->knot_count * sizeof *a->knots);
}

static void assert_same_parameters(const cm_parameters *a, const cm_parameters *b, size_t bins)
{
    assert_true(a->fingerprint_u == b->fingerprint_u && a->ip_u_min == b->ip_u_min);
    assert_true(a->ip_other_m == b->ip_other_m && a->ip_other_u == b->ip_other_u);
    assert_memory_equal(a->delay_m, b->delay_m, bins * sizeof(double));
    assert_memory_equal(a->fingerprint_m, b->fingerprint_m, bins * sizeof(double));
    assert_memory_equal(a->ip_m, b->ip_m, bins * sizeof(double));
    assert_same_layer(&a->fingerprint, &b->fingerprint, bins);
    assert_same_layer(&a->probabilistic, &b->probabilistic, bins);
}

static void assert_same_model(const cm_model *a, const cm_model *b)
{
    assert_string_equal(cm_model_label(a), cm_model_label(b));
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->version, b->version);
    assert_true(a->window_hours == b->window_hours && a->window_us == b->window_us);
    assert_true(a->probabilistic_window_hours == b->probabilistic_window_hours);
    assert_true(a->probabilistic_window_us == b->probabilistic_window_us);
    assert_true(a->retention_hours == b->retention_hours && a->retention_us == b->retention_us);
    assert_true(a->max_candidates == b->max_candidates);
    assert_true(a->ipv4_prefix == b->ipv4_prefix && a->ipv6_prefix == b->ipv6_prefix);
    assert_int_equal(a->bin_count, b->bin_count);
    assert_memory_equal(a->delay_us, b->delay_us, a->bin_count * sizeof(int64_t));
    assert_memory_equal(a->delay_hours, b->delay_hours, a->bin_count * sizeof(double));
    assert_int_equal(a->parameter_count, b->parameter_count);
    for (size_t i = 0; i < a->parameter_count; i++)
        assert_same_parameters(&a->parameters[i], &b->parameters[i], a->bin_count);
}

static void the_default_is_the_documented_one(void **state)
{
    (void)state;
    cm_model *built_in = model_of(NULL), *written = model_of(WRITTEN_DEFAULT);
    assert_same_model(built_in, written);
    assert_string_equal(cm_model_label(built_in), "default@1");
    assert_int_equal(built_in->bin_count, 7);
    assert_int_equal(built_in->delay_us[0], 60000000);
    assert_int_equal(built_in->delay_us[6], 168 * CM_HOUR_US);
    assert_int_equal(built_in->window_us, 168 * CM_HOUR_US);
    assert_int_equal(built_in->probabilistic_window_us, 24 * CM_HOUR_US);
    assert_int_equal(built_in->retention_us, 24 * CM_HOUR_US);
    cm_model_destroy(written);
    written = model_of("{}");
    assert_same_model(built_in, written);
    cm_model_destroy(written);
    cm_model_destroy(built_in);
    cm_model_destroy(NULL);
}

static const char CHANGED[] =
    "{\"name\": \"caf\\u00e9\", \"version\": \"2@x\", \"window_hours\": 2.5, \"retention_hours\": "
    "0,"
    " \"probabilistic_window_hours\": 1, \"max_candidates\": 1024.0, \"ipv4_prefix\": 24,"
    " \"ipv6_prefix\": 128, \"delay_hours\": [1, 2.5], \"delay_m\": [0, 0.75],"
    " \"fingerprint_m\": [0.5, 0.25], \"ip_m\": [0.125, 0.0625], \"fingerprint_u\": 0.5,"
    " \"fingerprint\": {\"rivals\": 2, \"calibration\": [[0, 0], [0.5, 0.25], [1, 0.25]]},"
    " \"probabilistic\": {\"band\": [0, 0.5], \"calibration\": [[-1e3, 1]],"
    "  \"delay_u\": [0.5, 0.75]}}";

static void a_file_changes_what_it_names(void **state)
{
    (void)state;
    cm_model *model = model_of(CHANGED);
    assert_string_equal(cm_model_label(model), "caf\xC3\xA9@2@x");
    assert_int_equal(model->bin_count, 2);
    assert_int_equal(model->window_us, 9000000000);
    assert_int_equal(model->delay_us[1], 9000000000);
    assert_int_equal(model->max_candidates, 1024);
    assert_int_equal(model->retention_us, 0);
    assert_true(model->parameters[0].delay_m[0] == 0 && model->parameters[0].ip_m[1] == 0.0625);
    assert_true(model->parameters[0].fingerprint.rivals == 2 &&
                model->parameters[0].fingerprint.prior == 0.5);
    assert_int_equal(model->parameters[0].fingerprint.knot_count, 3);
    assert_true(model->parameters[0].fingerprint.knots[1].x == 0.5 &&
                model->parameters[0].fingerprint.knots[1].y == 0.25);
    assert_true(model->parameters[0].probabilistic.band_lo == 0 &&
                model->parameters[0].probabilistic.band_hi == 0.5);
    assert_true(model->parameters[0].probabilistic.knots[0].x == -1000);
    cm_model_destroy(model);
}

static void assert_delay_u(const cm_layer_model *layer, double first, double second)
{
    assert_non_null(layer->delay_u);
    assert_true(layer->delay_u[0] == first && layer->delay_u[1] == second);
}

/* Where a section does not give them, those of what it changes stay. */
static void sections_have_delays_of_their_own(void **state)
{
    (void)state;
    cm_model *model =
        model_of("{\"probabilistic\": {\"delay_u\": [0.5, 0.75]}, \"delay_hours\": [24, 168],"
                 " \"delay_m\": [0, 0], \"fingerprint_m\": [0.5, 0.5], \"ip_m\": [0.5, 0.5],"
                 " \"devices\": {\"mobile\": {\"fingerprint\": {\"delay_u\": [0.25, 0.999]}}},"
                 " \"tenants\": {\"t\": {\"probabilistic\": {\"delay_u\": [0.125, 1e-9]}}}}");
    assert_int_equal(model->parameter_count, 4);
    uint32_t both = cm_model_parameters_of(model, CM_SLICE("t"), CM_SLICE("mobile"));
    assert_int_equal(both, 3);
    const cm_parameters *own = model->parameters;
    assert_null(own->fingerprint.delay_u);
    assert_delay_u(&own->probabilistic, 0.5, 0.75);
    assert_delay_u(&own[1].fingerprint, 0.25, 0.999);
    assert_delay_u(&own[1].probabilistic, 0.5, 0.75);
    assert_null(own[2].fingerprint.delay_u);
    assert_delay_u(&own[2].probabilistic, 0.125, 1e-9);
    assert_delay_u(&own[3].fingerprint, 0.25, 0.999);
    assert_delay_u(&own[3].probabilistic, 0.125, 1e-9);
    cm_model_destroy(model);
}

/* A share of the addresses that differ: it has nothing to do with how many do. */
static void the_other_family_may_be_any_share(void **state)
{
    (void)state;
    cm_model *model = model_of("{\"ip_m\": [0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99],"
                               " \"ip_other_m\": 0.999, \"ip_other_u\": 0.001,"
                               " \"devices\": {\"mobile\": {\"ip_other_m\": 0.75}}}");
    assert_int_equal(model->parameter_count, 2);
    assert_true(model->parameters[0].ip_other_m == 0.999);
    assert_true(model->parameters[1].ip_other_m == 0.75);
    assert_true(model->parameters[1].ip_other_u == 0.001);
    cm_model_destroy(model);
}

static void a_copy_is_deep(void **state)
{
    (void)state;
    cm_model *model = model_of(CHANGED), *copy = cm_model_copy(model), *again = model_of(CHANGED);
    assert_non_null(copy);
    assert_same_model(copy, model);
    cm_model_destroy(model);
    assert_same_model(copy, again);
    cm_model_destroy(again);
    cm_model_destroy(copy);
}

/* What is refused; the message follows after "model: ". */
static const struct {
    const char *json, *message;
} REFUSALS[] = {
    {"[]", "not a JSON object; see docs/matching.md, section 5"},
    {"7", "not a JSON object; see docs/matching.md, section 5"},
    {"{\"windw\": 1}", "windw: unknown field; check its spelling"},
    {"{\"\": 1}", ": unknown field; check its spelling"},
    {"{\"a\\nb\": 1}", "a?b: unknown field; check its spelling"},
    {"{\"fingerprint\": {\"name\": 1}}", "fingerprint.name: unknown field; check its spelling"},
    {"{\"fingerprint\": []}", "fingerprint: not an object"},
    {"{\"probabilistic\": 1}", "probabilistic: not an object"},
    {"{\"name\": 1}", "name: not text"},
    {"{\"name\": null}", "name: not text"},
    {"{\"name\": \"\"}", "name: empty"},
    {"{\"version\": \"\"}", "version: empty"},
    {"{\"version\": \"" TEXT_50 TEXT_50 "1\"}", "version: longer than 100 bytes"},
    {"{\"name\": \"a\\tb\"}", "name: contains a control character"},
    {"{\"name\": \"a@b\"}", "name: contains an @, which separates name and version"},
    {"{\"window_hours\": \"24\"}", "window_hours: not a number"},
    {"{\"window_hours\": true}", "window_hours: not a number"},
    {"{\"window_hours\": 25}",
     "window_hours: 25 is no edge of delay_hours; add a bin that ends there"},
    {"{\"probabilistic_window_hours\": 0}",
     "probabilistic_window_hours: 0 is no edge of delay_hours; add a bin that ends there"},
    {"{\"delay_hours\": [1, 2, 3, 4, 24, 168, 721], \"window_hours\": 721}",
     "window_hours: 721 is above 720 hours"},
    {"{\"delay_hours\": [1, 2, 3, 4, 24, 168, 721], \"probabilistic_window_hours\": 721}",
     "probabilistic_window_hours: 721 is above 720 hours"},
    {"{\"retention_hours\": -1}", "retention_hours: -1 is below 0"},
    {"{\"retention_hours\": 1e9}", "retention_hours: 1000000000 is above 100000000 hours"},
    {"{\"max_candidates\": 0}", "max_candidates: 0 is not a whole number from 1 to 1024"},
    {"{\"max_candidates\": 1025}", "max_candidates: 1025 is not a whole number from 1 to 1024"},
    {"{\"max_candidates\": 1.5}", "max_candidates: 1.5 is not a whole number from 1 to 1024"},
    {"{\"max_candidates\": 1e300}", "max_candidates: 1e+300 is not a whole number from 1 to 1024"},
    {"{\"max_candidates\": []}", "max_candidates: not a number"},
    {"{\"ipv4_prefix\": 33}", "ipv4_prefix: 33 is not a whole number from 1 to 32"},
    {"{\"ipv4_prefix\": 0}", "ipv4_prefix: 0 is not a whole number from 1 to 32"},
    {"{\"ipv6_prefix\": 129}", "ipv6_prefix: 129 is not a whole number from 1 to 128"},
    {"{\"delay_m\": [0.1, 0.1, 0.1, 0.1, 0.1, 0.1]}",
     "delay_m: 6 values where delay_hours has 7; give one per bin"},
    {"{\"delay_hours\": [24, 168]}", "delay_m: 7 values where delay_hours has 2; give one per bin"},
    {"{\"delay_hours\": [24, 168], \"delay_m\": [0, 0]}",
     "fingerprint_m: 7 values where delay_hours has 2; give one per bin"},
    {"{\"delay_hours\": [24, 168], \"delay_m\": [0, 0], \"fingerprint_m\": [0.5, 0.5]}",
     "ip_m: 7 values where delay_hours has 2; give one per bin"},
    {"{\"delay_hours\": []}", "delay_hours: empty; give one value per bin"},
    {"{\"delay_hours\": 1}", "delay_hours: not an array"},
    {"{\"ip_m\": {\"0\": 1}}", "ip_m: not an array"},
    {"{\"ip_m\": [0.5, \"0.5\"]}", "ip_m: not a number"},
    {"{\"ip_m\": [0.5, [0.5]]}", "ip_m: not a number"},
    {"{\"ip_m\": [0.5, 0]}", "ip_m: 0 is not strictly between 0 and 1"},
    {"{\"fingerprint_m\": [1]}", "fingerprint_m: 1 is not strictly between 0 and 1"},
    {"{\"delay_m\": [1]}", "delay_m: 1 is not strictly between 0 and 1"},
    {"{\"delay_m\": [-0.5]}", "delay_m: -0.5 is not strictly between 0 and 1"},
    {"{\"delay_m\": [0.5, 0.5, 0.25, 0, 0, 0, 0]}",
     "delay_m: the values sum to 1.25; at most 1 is possible"},
    {"{\"delay_hours\": [-1]}", "delay_hours: -1 is below 0"},
    {"{\"delay_hours\": [1e9]}", "delay_hours: 1000000000 is above 100000000 hours"},
    {"{\"delay_hours\": [0, 1, 2, 3, 4, 24, 168]}",
     "delay_hours: edge 1, 0, is not above 0 by a microsecond or more; edges must rise"},
    {"{\"delay_hours\": [1, 2, 2, 3, 4, 24, 168]}",
     "delay_hours: edge 3, 2, is not above 2 by a microsecond or more; edges must rise"},
    {"{\"delay_hours\": [1, 2, 24, 3, 4, 24, 168]}",
     "delay_hours: edge 4, 3, is not above 24 by a microsecond or more; edges must rise"},
    {"{\"delay_hours\": [1, 1.0000000000625, 2, 3, 4, 24, 168]}",
     "delay_hours: edge 2, 1.0000000000625, is not above 1 by a microsecond or more; edges must "
     "rise"},
    {"{\"fingerprint_u\": 1}", "fingerprint_u: 1 is not strictly between 0 and 1"},
    {"{\"ip_u_min\": 0}", "ip_u_min: 0 is not strictly between 0 and 1"},
    {"{\"ip_other_m\": 1, \"ip_other_u\": 0.5}", "ip_other_m: 1 is not strictly between 0 and 1"},
    {"{\"ip_other_m\": 0.5, \"ip_other_u\": 0}", "ip_other_u: 0 is not strictly between 0 and 1"},
    {"{\"ip_other_m\": 0.5}", "ip_other_u: missing; ip_other_m and ip_other_u come together"},
    {"{\"ip_other_u\": 0.5}", "ip_other_m: missing; ip_other_m and ip_other_u come together"},
    {"{\"tenants\": {\"t\": {\"ip_other_m\": 0.5}}}",
     "tenants.t.ip_other_u: missing; ip_other_m and ip_other_u come together"},
    {"{\"fingerprint\": {\"prior\": 1.5}}",
     "fingerprint.prior: 1.5 is not strictly between 0 and 1"},
    {"{\"probabilistic\": {\"prior\": 0}}",
     "probabilistic.prior: 0 is not strictly between 0 and 1"},
    {"{\"probabilistic\": {\"user_agent_m\": 1}}",
     "probabilistic.user_agent_m: 1 is not strictly between 0 and 1"},
    {"{\"fingerprint\": {\"user_agent_u\": -1}}",
     "fingerprint.user_agent_u: -1 is not strictly between 0 and 1"},
    {"{\"fingerprint\": {\"prior\": null}}", "fingerprint.prior: not a number"},
    {"{\"fingerprint\": {\"rivals\": 0}}", "fingerprint.rivals: 0 is not above 0"},
    {"{\"probabilistic\": {\"rivals\": \"1\"}}", "probabilistic.rivals: not a number"},
    {"{\"fingerprint\": {\"delay_u\": 0.5}}", "fingerprint.delay_u: not an array"},
    {"{\"fingerprint\": {\"delay_u\": []}}", "fingerprint.delay_u: empty; give one value per bin"},
    {"{\"probabilistic\": {\"delay_u\": [0.5, 0]}}",
     "probabilistic.delay_u: 0 is not strictly between 0 and 1"},
    {"{\"probabilistic\": {\"delay_u\": [1]}}",
     "probabilistic.delay_u: 1 is not strictly between 0 and 1"},
    {"{\"fingerprint\": {\"delay_u\": [0.1, 0.1, 0.1, 0.1, 0.1, 0.1]}}",
     "fingerprint.delay_u: 6 values where delay_hours has 7; give one per bin"},
    {"{\"delay_hours\": [24, 168], \"delay_m\": [0, 0], \"fingerprint_m\": [0.5, 0.5],"
     " \"ip_m\": [0.5, 0.5], \"probabilistic\": {\"delay_u\": [0.1, 0.1, 0.1]}}",
     "probabilistic.delay_u: 3 values where delay_hours has 2; give one per bin"},
    {"{\"tenants\": {\"t\": {\"devices\": {\"mobile\": {\"fingerprint\": {\"delay_u\": [0.5]}}}}}}",
     "tenants.t.devices.mobile.fingerprint.delay_u: 1 values where delay_hours has 7; give one per "
     "bin"},
    {"{\"fingerprint\": {\"band\": 0.5}}", "fingerprint.band: not two numbers [lo, hi]"},
    {"{\"fingerprint\": {\"band\": [0.5]}}", "fingerprint.band: not two numbers [lo, hi]"},
    {"{\"fingerprint\": {\"band\": [0.1, 0.2, 0.3]}}",
     "fingerprint.band: not two numbers [lo, hi]"},
    {"{\"fingerprint\": {\"band\": [0.1, null]}}", "fingerprint.band: not a number"},
    {"{\"fingerprint\": {\"band\": [0.5, 0.5]}}",
     "fingerprint.band: [0.5, 0.5] is not 0 <= lo < hi < 1"},
    {"{\"fingerprint\": {\"band\": [-0.5, 0.5]}}",
     "fingerprint.band: [-0.5, 0.5] is not 0 <= lo < hi < 1"},
    {"{\"fingerprint\": {\"band\": [0.5, 1]}}",
     "fingerprint.band: [0.5, 1] is not 0 <= lo < hi < 1"},
    {"{\"fingerprint\": {\"calibration\": {}}}",
     "fingerprint.calibration: not an array of knots [x, y]"},
    {"{\"fingerprint\": {\"calibration\": [0.5]}}",
     "fingerprint.calibration: not an array of knots [x, y]"},
    {"{\"fingerprint\": {\"calibration\": [[0, 0, 0]]}}",
     "fingerprint.calibration: not an array of knots [x, y]"},
    {"{\"fingerprint\": {\"calibration\": [[0, \"\"]]}}", "fingerprint.calibration: not a number"},
    {"{\"fingerprint\": {\"calibration\": [[0, 0], [0, 1]]}}",
     "fingerprint.calibration: knot 2: x = 0 does not rise"},
    {"{\"probabilistic\": {\"calibration\": [[0, 0.5], [1, 0.25]]}}",
     "probabilistic.calibration: knot 2: y = 0.25 falls"},
    {"{\"fingerprint\": {\"calibration\": [[0, -0.5]]}}",
     "fingerprint.calibration: knot 1: y = -0.5 is not from 0 to 1"},
    {"{\"fingerprint\": {\"calibration\": [[0, 0], [1, 1.5]]}}",
     "fingerprint.calibration: knot 2: y = 1.5 is not from 0 to 1"},
};

static void values_are_refused_with_their_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(REFUSALS); i++) {
        cm_model *model = NULL;
        cm_error error;
        char expected[512];
        snprintf(expected, sizeof expected, "model: %s", REFUSALS[i].message);
        cm_status status =
            cm_model_create(REFUSALS[i].json, strlen(REFUSALS[i].json), &model, &error);
        if (status != CM_ERROR_MODEL)
            fail_msg("accepted: %s", REFUSALS[i].json);
        assert_string_equal(error.message, expected);
        assert_int_equal(error.code, CM_ERROR_MODEL);
        assert_int_equal(error.line, 0);
        assert_null(model);
        assert_int_equal(cm_model_create(REFUSALS[i].json, strlen(REFUSALS[i].json), &model, NULL),
                         CM_ERROR_MODEL);
    }
}

static const struct {
    const char *json;
    size_t size;
    uint64_t line, byte;
    const char *part; /* of the message */
} SYNTAX_ERRORS[] = {
    {"{\"name\" 1}", 10, 1, 9, "':' expected near '1'"},
    {"{\n \"name\": \"a\",\n \"name\": \"b\"}", 30, 3, 23, "duplicate object key"},
    {"{\n\n\"name\": ", 11, 3, 11, "near end of file"},
    {" ", 1, 1, 1, "near end of file"},
    {"{} {}", 5, 1, 4, "end of file expected near '{'"},
    {"{\"ip_u_min\": NaN}", 17, 1, 16, "invalid token near 'NaN'"},
    {"{\"ip_u_min\": 1e999}", 19, 1, 18, "real number overflow"},
    {"{\"name\": \"\\u0000\"}", 18, 1, 17, "\\u0000 is not allowed"},
    {"{\"name\": \"a\0\"}", 14, 1, 11, "control character 0x0"},
    {"{\"ip_u_min\":\n0.5\0}", 18, 2, 16, "a NUL byte"},
    {"{\"name\": \"\xFF\"}", 13, 1, 10, "unable to decode byte 0xff"},
    {"{\"name\": \"\xED\xA0\x80\"}", 15, 1, 10, "unable to decode byte 0xed"},
    {"{\"name\": \"a\nb\"}", 15, 1, 11, "unexpected newline"},
};

static void syntax_errors_say_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(SYNTAX_ERRORS); i++) {
        cm_model *model = NULL;
        cm_error error;
        assert_int_equal(
            cm_model_create(SYNTAX_ERRORS[i].json, SYNTAX_ERRORS[i].size, &model, &error),
            CM_ERROR_MODEL);
        if (error.line != SYNTAX_ERRORS[i].line || error.byte != SYNTAX_ERRORS[i].byte ||
            strstr(error.message, SYNTAX_ERRORS[i].part) == NULL)
            fail_msg("%zu: line %llu, byte %llu: %s", i, (unsigned long long)error.line,
                     (unsigned long long)error.byte, error.message);
        assert_null(strchr(error.message, '\n'));
    }
}

static void hostile_files_are_refused(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    cm_model *model = NULL;
    cm_error error;
    char *json = malloc(SIZE);
    assert_non_null(json);
    memset(json, '[', SIZE);
    assert_int_equal(cm_model_create(json, SIZE, &model, &error), CM_ERROR_MODEL);
    assert_non_null(strstr(error.message, "maximum parsing depth"));
    memset(json, 'x', SIZE);
    memcpy(json, "{\"", 2);
    memcpy(json + 2 + 159, "\xE2\x82\xAC", 3);
    memcpy(json + SIZE - 4, "\":1}", 4);
    assert_int_equal(cm_model_create(json, SIZE, &model, &error), CM_ERROR_MODEL);
    assert_non_null(strstr(error.message, "xxx...: unknown field"));
    assert_null(strstr(error.message, "\xE2"));
    free(json);
}

static void names_of_results_are_the_documented_words(void **state)
{
    (void)state;
    static const char *const methods[] = {"unattributed", "url_param", "fingerprint",
                                          "probabilistic"};
    static const char *const words[] = {"success",        "not_attempted",  "no_param",
                                        "no_match",       "expired",        "invalid",
                                        "no_fingerprint", "low_confidence", "no_signal",
                                        "no_candidates",  "low_probability"};
    assert_int_equal(COUNT(methods), CM_METHOD_COUNT);
    assert_int_equal(COUNT(words), CM_LAYER_WORD_COUNT);
    for (unsigned i = 0; i < CM_METHOD_COUNT; i++)
        assert_string_equal(cm_method_name((cm_method)i), methods[i]);
    for (unsigned i = 0; i < CM_LAYER_WORD_COUNT; i++)
        assert_string_equal(cm_layer_word_name((cm_layer_word)i), words[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_is_the_documented_one),
        cmocka_unit_test(a_file_changes_what_it_names),
        cmocka_unit_test(sections_have_delays_of_their_own),
        cmocka_unit_test(the_other_family_may_be_any_share),
        cmocka_unit_test(a_copy_is_deep),
        cmocka_unit_test(values_are_refused_with_their_field),
        cmocka_unit_test(syntax_errors_say_where),
        cmocka_unit_test(hostile_files_are_refused),
        cmocka_unit_test(names_of_results_are_the_documented_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
