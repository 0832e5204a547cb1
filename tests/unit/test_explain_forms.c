/* An explanation's words, and that no form of it is half written when memory is short. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "explain/explanation.h"
#include "explain/say.h"
#include "explain/words.h"
#include "harness/failing_malloc.h"
#include "util/slice.h"
#include "util/time.h"

#define T0 ((int64_t)1772366400 * CM_SECOND_US) /* 2026-03-01T12:00:00Z */

/* ---- words ---- */

static void expect(cm_buffer *buffer, const char *wanted)
{
    assert_false(buffer->failed);
    cm_buffer_append_char(buffer, '\0');
    assert_string_equal(buffer->data, wanted);
    cm_buffer_destroy(buffer);
}

static void expect_duration(int64_t duration_us, const char *wanted)
{
    cm_buffer buffer = {0};
    cm_words_duration(&buffer, duration_us);
    expect(&buffer, wanted);
}

static void test_durations(void **state)
{
    (void)state;
    expect_duration(0, "0 us");
    expect_duration(999, "999 us");
    expect_duration(1500, "1 ms 500 us");
    expect_duration(90 * CM_SECOND_US, "1 min 30 s");
    expect_duration(60 * CM_SECOND_US + 5000, "1 min");
    expect_duration(3 * CM_DAY_US + 4 * 3600 * CM_SECOND_US + 59, "3 d 4 h");
    expect_duration(168 * 3600 * CM_SECOND_US, "7 d");
}

static void expect_time(int64_t time_us, const char *wanted)
{
    cm_buffer buffer = {0};
    cm_words_time(&buffer, time_us);
    expect(&buffer, wanted);
}

static void test_times(void **state)
{
    (void)state;
    expect_time(T0, "2026-03-01T12:00:00Z");
    expect_time(T0 + 1, "2026-03-01T12:00:00.000001Z");
    expect_time(0, "1970-01-01T00:00:00Z");
    expect_time(-1, "1969-12-31T23:59:59.999999Z");
    expect_time(CM_TIME_END_US - 1, "9999-12-31T23:59:59.999999Z");
}

static void expect_text(cm_slice text, const char *wanted)
{
    cm_buffer buffer = {0};
    cm_words_text(&buffer, text);
    expect(&buffer, wanted);
}

static void test_foreign_text(void **state)
{
    (void)state;
    expect_text(CM_SLICE("plain"), "plain");
    expect_text(CM_SLICE("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"),
                "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80");
    expect_text(CM_SLICE("a\nb\x1b[0m\x7f"), "a\\x0ab\\x1b[0m\\x7f");
    expect_text(CM_SLICE("\xC2\x85|\xC3"), "\\xc2\\x85|\\xc3");
    expect_text(CM_SLICE("\x80\xFF\xED\xA0\x80"), "\\x80\\xff\\xed\\xa0\\x80");
    expect_text(CM_SLICE("\0"), "\\x00");
}

static void test_counts(void **state)
{
    (void)state;
    static const struct {
        uint64_t count;
        const char *wanted;
    } cases[] = {{0, "0 clicks"},
                 {1, "1 click"},
                 {999, "999 clicks"},
                 {1000, "1,000 clicks"},
                 {1234567, "1,234,567 clicks"},
                 {UINT64_MAX, "18,446,744,073,709,551,615 clicks"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cm_buffer buffer = {0};
        cm_words_number_of(&buffer, cases[i].count, "click");
        expect(&buffer, cases[i].wanted);
    }
}

static void test_bits(void **state)
{
    (void)state;
    static const struct {
        double bits;
        int width, decimals;
        const char *wanted;
    } cases[] = {
        {1.7369, 9, 3, "   +1.737"},  {-0.556, 0, 2, "-0.56"},     {-0.0, 0, 2, "0.00"},
        {-0.0004, 9, 3, "    0.000"}, {0.0004, 9, 3, "    0.000"}, {-0.004, 0, 2, "0.00"},
        {-0.0006, 0, 3, "-0.001"},    {-10, 0, 3, "-10.000"},      {-INFINITY, 9, 3, "     -inf"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cm_buffer buffer = {0};
        cm_words_bits(&buffer, cases[i].bits, cases[i].width, cases[i].decimals);
        expect(&buffer, cases[i].wanted);
    }
}

/* ---- forms ---- */

struct fixture {
    cm_conversion conversion;
    cm_model *model;
    cm_engine *engine;
    cm_trace *trace;
    cm_misses *misses;
};

static cm_click some_click(const char *id, int64_t age_us, bool is_valid)
{
    return (cm_click){
        .tenant_id = CM_SLICE("t"),
        .click_id = cm_slice_of_text(id),
        .click_timestamp = T0 - age_us,
        .expires_at = CM_TIME_MISSING,
        .is_valid = is_valid,
        .device = {.has_fingerprint = true,
                   .fingerprint = {1, 2, 3},
                   .ip_address = {4, {203, 0, 113, 7}},
                   .user_agent = CM_SLICE("agent \xFF"),
                   .device_type = CM_SLICE("mobile"),
                   .os = CM_SLICE("iOS"),
                   .browser = CM_SLICE("Sa<\xFF"),
                   .screen_width = CM_SLICE("844"),
                   .screen_height = CM_SLICE("390")},
    };
}

static void setup(struct fixture *fixture, const char *json)
{
    cm_click clicks[] = {some_click("a", CM_DAY_US, true), some_click("b", 2 * CM_DAY_US, true),
                         some_click("c", -1, true), some_click("d", 1, false)};
    clicks[1].device.ip_address.bytes[3] = 9;
    fixture->conversion = (cm_conversion){.tenant_id = CM_SLICE("t"),
                                          .conversion_id = CM_SLICE("c"),
                                          .conversion_timestamp = T0,
                                          .device = clicks[0].device};
    fixture->conversion.device.ip_address.bytes[3] = 8;
    fixture->conversion.device.os = CM_SLICE("Android");
    assert_int_equal(cm_model_create(json, strlen(json), &fixture->model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, fixture->model, &fixture->engine, NULL), CM_OK);
    assert_int_equal(cm_engine_add(fixture->engine, clicks, 4, NULL, NULL), CM_OK);
    assert_int_equal(
        cm_engine_explain(fixture->engine, &fixture->conversion, &fixture->trace, NULL), CM_OK);
    assert_int_equal(cm_misses_create(fixture->model, &fixture->conversion, &fixture->misses, NULL),
                     CM_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(cm_misses_look(fixture->misses, &clicks[i], NULL), CM_OK);
}

static void teardown(struct fixture *fixture)
{
    cm_misses_destroy(fixture->misses);
    cm_trace_destroy(fixture->trace);
    cm_engine_destroy(fixture->engine);
    cm_model_destroy(fixture->model);
}

static const cm_stored_difference differences[] = {{"click_id", "x", "a"}};
static const char *const reasons[] = {"Because.", "\xFF"};
static const cm_stored_view stored = {.is_stored = true,
                                      .model = "m@1",
                                      .when = "2026-03-01T12:00:00Z",
                                      .differences = differences,
                                      .difference_count = 1,
                                      .reasons = reasons,
                                      .reason_count = 2};

typedef void (*form)(const cm_explanation *explanation, cm_buffer *buffer);
static const form FORMS[] = {cm_explain_text, cm_explain_json, cm_explain_html};

static cm_explanation explanation_of(const struct fixture *fixture)
{
    return (cm_explanation){.conversion = &fixture->conversion,
                            .model = fixture->model,
                            .trace = fixture->trace,
                            .misses = fixture->misses,
                            .stored = &stored,
                            .show_pii = true};
}

/* Whole, or known to be not. */
static void test_no_memory(void **state)
{
    (void)state;
    struct fixture fixture;
    if (!failing_malloc_works)
        skip();
    setup(&fixture, "{\"fingerprint\": {\"calibration\": [[0, 0], [1, 0.5]], \"traits\": {\"os\": "
                    "[0.9, 0.5]}}}");
    const cm_explanation explanation = explanation_of(&fixture);
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        cm_buffer whole = {0};
        bool has_failed = true;
        size_t round = 0;
        FORMS[i](&explanation, &whole);
        assert_true(!whole.failed && whole.size > 2000);
        for (; has_failed; round++) {
            ptrdiff_t before = failing_malloc_live();
            cm_buffer buffer = {0};
            failing_malloc_arm(round);
            FORMS[i](&explanation, &buffer);
            has_failed = failing_malloc_disarm();
            if (!buffer.failed) {
                assert_int_equal(buffer.size, whole.size);
                assert_memory_equal(buffer.data, whole.data, whole.size);
            } else {
                assert_true(has_failed);
            }
            cm_buffer_destroy(&buffer);
            assert_int_equal(failing_malloc_live(), before);
        }
        assert_true(round > 10);
        cm_buffer_destroy(&whole);
    }
    teardown(&fixture);
}

static bool holds(const cm_buffer *buffer, const char *text)
{
    return memmem(buffer->data, buffer->size, text, strlen(text)) != NULL;
}

/* A delay that never happens: its factor is zero, and has no logarithm. */
static void test_a_factor_of_zero(void **state)
{
    (void)state;
    struct fixture fixture;
    setup(&fixture, "{\"delay_m\": [0.06, 0.19, 0.195, 0.105, 0.086, 0, 0]}");
    const cm_explanation explanation = explanation_of(&fixture);
    assert_true(fixture.trace->layers[1].candidates[1].weight == 0);
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        cm_buffer buffer = {0};
        FORMS[i](&explanation, &buffer);
        assert_false(buffer.failed);
        assert_false(holds(&buffer, "+nan") || holds(&buffer, "-nan") || holds(&buffer, ": nan"));
        assert_true(i != 1 || holds(&buffer, "\"bits\": null"));
        cm_buffer_destroy(&buffer);
    }
    teardown(&fixture);
}

/* A factor that is hardly below one is nothing, not less than nothing; JSON has all its digits. */
static void test_a_factor_of_one(void **state)
{
    (void)state;
    static const char *const wanted[] = {"    0.000 bits", "\"bits\": -9.6", ">0.00</text>"};
    struct fixture fixture;
    setup(&fixture, "{\"fingerprint\": {\"user_agent_m\": 0.14999, \"user_agent_u\": 0.15}}");
    const cm_explanation explanation = explanation_of(&fixture);
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        cm_buffer buffer = {0};
        FORMS[i](&explanation, &buffer);
        assert_true(holds(&buffer, wanted[i]));
        assert_false(holds(&buffer, "-0.000 ") || holds(&buffer, "-0.00<"));
        cm_buffer_destroy(&buffer);
    }
    teardown(&fixture);
}

/* What each side shows is shown where any of it is compared. */
static void test_traits(void **state)
{
    (void)state;
    static const char *const wanted[][3] = {
        {"\n  os            android\n", "\n  timezone      none\n",
         "\n       os ios, browser sa<\\xff, screen 390x844, timezone none\n"},
        {"\"os\": \"android\"", "\"os\": \"ios\"", "\"screen\": \"390x844\""},
        {">android<", ">ios<", ">390x844<"},
    };
    for (int has_traits = 0; has_traits < 2; has_traits++) {
        struct fixture fixture;
        setup(&fixture,
              has_traits ? "{\"fingerprint\": {\"traits\": {\"os\": [0.9, 0.5]}}}" : "{}");
        cm_explanation explanation = explanation_of(&fixture);
        explanation.show_pii = false;
        for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
            cm_buffer buffer = {0};
            FORMS[i](&explanation, &buffer);
            for (size_t j = 0; j < 3; j++)
                if (holds(&buffer, wanted[i][j]) != has_traits)
                    fail_msg("form %zu, %s:\n%.*s", i, wanted[i][j], (int)buffer.size, buffer.data);
            cm_buffer_destroy(&buffer);
        }
        teardown(&fixture);
    }
}

static void test_bins(void **state)
{
    (void)state;
    cm_model *model;
    cm_buffer buffer = {0};
    assert_int_equal(cm_model_create(NULL, 0, &model, NULL), CM_OK);
    cm_say_bin(model, 0, &buffer);
    cm_words(&buffer, "; ");
    cm_say_bin(model, 3, &buffer);
    expect(&buffer, "less than 1 min; 1 h to 6 h");
    cm_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_foreign_text),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_a_factor_of_zero),
        cmocka_unit_test(test_a_factor_of_one),
        cmocka_unit_test(test_bins),
        cmocka_unit_test(test_traits),
    };
    return cmocka_run_group_tests_name("explain_forms", tests, NULL, NULL);
}
