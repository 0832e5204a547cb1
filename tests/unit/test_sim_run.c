/* Runs of the simulator: the same bytes for the same seed, whatever the threads; errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "harness/sim_output.h"

static void assert_same(const sim_output *a, const sim_output *b)
{
    for (int i = 0; i < OUTPUTS; i++) {
        assert_int_equal(a[i].size, b[i].size);
        assert_memory_equal(a[i].data, b[i].data, a[i].size);
    }
}

static void test_same_seed_same_bytes_on_any_threads(void **state)
{
    (void)state;
    for (int format = CM_SIM_CSV; format <= CM_SIM_NDJSON; format++) {
        sim_output once[OUTPUTS], again[OUTPUTS];
        cm_sim_config config = sim_config_of(30000, 9000);
        config.format = (cm_sim_format)format;
        sim_outputs_make(&config, once);
        for (unsigned threads = 1; threads <= 7; threads += 3) {
            config.threads = threads;
            sim_outputs_make(&config, again);
            assert_same(once, again);
            sim_outputs_free(again);
        }
        config.seed++;
        sim_outputs_make(&config, again);
        assert_true(once[CLICKS].size != again[CLICKS].size ||
                    memcmp(once[CLICKS].data, again[CLICKS].data, once[CLICKS].size) != 0);
        sim_outputs_free(once);
        sim_outputs_free(again);
    }
}

static void test_outputs_can_be_left_out(void **state)
{
    (void)state;
    cm_error error;
    sim_output whole[OUTPUTS], part[OUTPUTS] = {{0}};
    cm_sim_config config = sim_config_of(9000, 9000);
    sim_outputs_make(&config, whole);
    cm_sim_sinks sinks = sim_sinks_of(part);
    sinks.clicks.write = sinks.click_truth.write = sinks.conversion_truth.write = NULL;
    assert_int_equal(cm_sim_run(&config, &sinks, &error), CM_OK);
    assert_int_equal(part[CONVERSIONS].size, whole[CONVERSIONS].size);
    assert_memory_equal(part[CONVERSIONS].data, whole[CONVERSIONS].data, part[CONVERSIONS].size);
    assert_int_equal(part[CLICKS].size, 0);
    sim_outputs_free(whole);
    sim_outputs_free(part);
}

static void test_counts_are_exact_in_worlds_of_any_size(void **state)
{
    (void)state;
    const uint64_t counts[][2] = {{0, 0}, {0, 5}, {1, 3}, {2, 0}, {37, 41}, {4096, 4097}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (uint32_t days = 1; days <= 400; days += 133) {
            sim_output outputs[OUTPUTS];
            cm_sim_config config = sim_config_of(counts[i][0], counts[i][1]);
            config.days = days;
            config.tenant_count = days;
            config.threads = 2;
            sim_outputs_make(&config, outputs);
            for (int output = 0; output < OUTPUTS; output++)
                assert_int_equal(sim_line_count(&outputs[output]), 1 + counts[i][output % 2]);
            sim_outputs_free(outputs);
        }
}

static void test_ndjson_is_objects_without_empty_fields(void **state)
{
    (void)state;
    sim_output outputs[OUTPUTS];
    cm_sim_config config = sim_config_of(5000, 700);
    config.format = CM_SIM_NDJSON;
    sim_outputs_make(&config, outputs);
    assert_int_equal(sim_line_count(&outputs[CLICKS]), 5000);
    assert_int_equal(sim_line_count(&outputs[CONVERSION_TRUTH]), 700);
    assert_null(strstr(outputs[CLICKS].data, "\"\""));
    assert_null(strstr(outputs[CLICKS].data, ":,"));
    assert_non_null(strstr(outputs[CLICKS].data, "\"is_valid\":false"));
    assert_non_null(strstr(outputs[CLICKS].data, "\"screen_width\":1920,"));
    assert_non_null(strstr(outputs[CONVERSIONS].data, ",\"conversion_value\":"));
    assert_non_null(strstr(outputs[CONVERSION_TRUTH].data, "\"organic\":true}"));
    const char *starts[OUTPUTS] = {"{\"event\":\"click\",\"tenant_id\":\"shop-",
                                   "{\"event\":\"conversion\",\"tenant_id\":\"shop-",
                                   "{\"tenant_id\":\"shop-", "{\"tenant_id\":\"shop-"};
    for (int i = 0; i < OUTPUTS; i++)
        for (char *line = outputs[i].data; *line != '\0'; line = strchr(line, '\n') + 1) {
            assert_memory_equal(line, starts[i], strlen(starts[i]));
            assert_int_equal(strchr(line, '\n')[-1], '}');
        }
    sim_outputs_free(outputs);
}

/* ---- errors ---- */

static void assert_refused(const cm_sim_config *config, const char *word)
{
    cm_error error = {0};
    sim_output outputs[OUTPUTS] = {{0}};
    cm_sim_sinks sinks = sim_sinks_of(outputs);
    assert_int_equal(cm_sim_run(config, &sinks, &error), CM_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, word));
    assert_int_equal(cm_sim_run(config, &sinks, NULL), CM_ERROR_ARGUMENT);
    assert_int_equal(outputs[CLICKS].size, 0);
}

static void test_values_out_of_range_are_refused(void **state)
{
    (void)state;
    const struct {
        size_t offset, size;
        uint64_t bits;
        const char *word;
    } cases[] = {
#define BAD(field, value, word)                                                                    \
    {offsetof(cm_sim_config, field), sizeof((cm_sim_config *)NULL)->field, (uint64_t)(value), word}
        BAD(days, 0, "days"),
        BAD(days, CM_SIM_DAYS_MAX + 1, "days"),
        BAD(tenant_count, 0, "tenants"),
        BAD(tenant_count, CM_SIM_TENANTS_MAX + 1, "tenants"),
        BAD(threads, 0, "threads"),
        BAD(threads, CM_SIM_THREADS_MAX + 1, "threads"),
        BAD(click_count, CM_SIM_ROWS_MAX + 1, "clicks"),
        BAD(conversion_count, UINT64_MAX, "conversions"),
        BAD(start_us, 1, "midnight"),
        BAD(start_us, -INT64_C(86400000000), "1970"),
        BAD(start_us, INT64_C(253370678400000000), "9999"),
        BAD(start_us, INT64_MAX / 86400000000 * 86400000000, "9999"),
        BAD(format, 2, "format"),
#undef BAD
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cm_sim_config config = sim_config_of(10, 10);
        memcpy((char *)&config + cases[i].offset, &cases[i].bits, cases[i].size);
        assert_refused(&config, cases[i].word);
    }
}

static void test_organic_shares_out_of_range_are_refused(void **state)
{
    (void)state;
    const double shares[] = {-0.01, 1.01, NAN};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        cm_sim_config config = sim_config_of(10, 10);
        config.organic_share = shares[i];
        assert_refused(&config, "organic");
    }
}

static void test_a_failing_sink_ends_the_run(void **state)
{
    (void)state;
    cm_sim_config config = sim_config_of(50000, 50000);
    for (int output = 0; output < OUTPUTS; output++)
        for (unsigned threads = 1; threads <= 4; threads += 3) {
            cm_error error = {0};
            sim_output outputs[OUTPUTS] = {{0}};
            cm_sim_sinks sinks = sim_sinks_of(outputs);
            config.threads = threads;
            outputs[output].calls_max = 2;
            assert_int_equal(cm_sim_run(&config, &sinks, &error), CM_ERROR_IO);
            assert_string_equal(error.message, "the disk is full");
            assert_int_equal(outputs[output].calls, 3);
            sim_outputs_free(outputs);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_bytes_on_any_threads),
        cmocka_unit_test(test_outputs_can_be_left_out),
        cmocka_unit_test(test_counts_are_exact_in_worlds_of_any_size),
        cmocka_unit_test(test_ndjson_is_objects_without_empty_fields),
        cmocka_unit_test(test_values_out_of_range_are_refused),
        cmocka_unit_test(test_organic_shares_out_of_range_are_refused),
        cmocka_unit_test(test_a_failing_sink_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
