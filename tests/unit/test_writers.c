/* Result and reject rows: golden text, and back through the readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/reject_writer.h"
#include "io/result_writer.h"
#include "io/text_writer.h"

#define MODEL "default@1"

static cm_result matched(void)
{
    return (cm_result){
        .method = CM_METHOD_FINGERPRINT,
        .layers = {CM_LAYER_NO_PARAM, CM_LAYER_SUCCESS, CM_LAYER_NOT_ATTEMPTED},
        .confidence = 0.8933,
        .probability = 0.990763,
        .window_hours = 25,
        .click = {CM_SLICE("k1"), CM_SLICE("c,1"), CM_SLICE("a\"s"), {0}, CM_SLICE("x\ny"), {0}, 0},
        .candidate_count = 2,
        .candidates = {{CM_SLICE("k1"), 0.990763}, {CM_SLICE("k\"2\""), 0.0000004}},
    };
}

static cm_result unmatched(void)
{
    return (cm_result){
        .layers = {CM_LAYER_NO_MATCH, CM_LAYER_NO_FINGERPRINT, CM_LAYER_NO_SIGNAL},
        .window_hours = -1,
    };
}

static void expect(cm_buffer *buffer, const char *text)
{
    assert_false(buffer->failed);
    cm_buffer_append_char(buffer, '\0');
    assert_string_equal(buffer->data, text);
    cm_buffer_destroy(buffer);
}

/* --- Results ---------------------------------------------------------------------------------- */

static void test_csv_has_a_header_and_quotes_what_needs_it(void **state)
{
    (void)state;
    cm_buffer out = {0};
    cm_result result = matched();
    cm_result_write_header(CM_FORMAT_CSV, &out);
    cm_result_write(CM_FORMAT_CSV, &out, CM_SLICE("v1"), CM_SLICE("t"), &result, MODEL);
    expect(&out,
           "conversion_id,tenant_id,click_id,campaign_id,adset_id,ad_id,creative_id,"
           "attribution_method,attribution_confidence,match_probability,attribution_window_hours,"
           "layer_1_result,layer_2_result,layer_3_result,candidates,model\n"
           "v1,t,k1,\"c,1\",\"a\"\"s\",,\"x\ny\",fingerprint,0.8933,0.990763,25,"
           "no_param,success,not_attempted,"
           "\"[{\"\"click_id\"\":\"\"k1\"\",\"\"probability\"\":0.990763},"
           "{\"\"click_id\"\":\"\"k\\\"\"2\\\"\"\"\",\"\"probability\"\":0.000000}]\",default@1\n");
}

static void test_csv_leaves_what_is_missing_empty(void **state)
{
    (void)state;
    cm_buffer out = {0};
    cm_result result = unmatched();
    cm_result_write(CM_FORMAT_CSV, &out, CM_SLICE("v\r1"), CM_SLICE("t"), &result, MODEL);
    expect(&out, "\"v\r1\",t,,,,,,unattributed,0.0000,0.000000,,"
                 "no_match,no_fingerprint,no_signal,[],default@1\n");
}

static void test_ndjson_has_the_same_members(void **state)
{
    (void)state;
    cm_buffer out = {0};
    cm_result result = matched();
    cm_result_write_header(CM_FORMAT_NDJSON, &out);
    cm_result_write(CM_FORMAT_NDJSON, &out, CM_SLICE("v1"), CM_SLICE("t"), &result, MODEL);
    expect(&out, "{\"conversion_id\":\"v1\",\"tenant_id\":\"t\",\"click_id\":\"k1\","
                 "\"campaign_id\":\"c,1\",\"adset_id\":\"a\\\"s\",\"ad_id\":null,"
                 "\"creative_id\":\"x\\ny\",\"attribution_method\":\"fingerprint\","
                 "\"attribution_confidence\":0.8933,\"match_probability\":0.990763,"
                 "\"attribution_window_hours\":25,\"layer_1_result\":\"no_param\","
                 "\"layer_2_result\":\"success\",\"layer_3_result\":\"not_attempted\","
                 "\"candidates\":[{\"click_id\":\"k1\",\"probability\":0.990763},"
                 "{\"click_id\":\"k\\\"2\\\"\",\"probability\":0.000000}],"
                 "\"model\":\"default@1\"}\n");
}

static void test_ndjson_leaves_what_is_missing_null(void **state)
{
    (void)state;
    cm_buffer out = {0};
    cm_result result = unmatched();
    cm_result_write(CM_FORMAT_NDJSON, &out, CM_SLICE("v"), CM_SLICE("t"), &result, MODEL);
    expect(&out, "{\"conversion_id\":\"v\",\"tenant_id\":\"t\",\"click_id\":null,"
                 "\"campaign_id\":null,\"adset_id\":null,\"ad_id\":null,\"creative_id\":null,"
                 "\"attribution_method\":\"unattributed\",\"attribution_confidence\":0.0000,"
                 "\"match_probability\":0.000000,\"attribution_window_hours\":null,"
                 "\"layer_1_result\":\"no_match\",\"layer_2_result\":\"no_fingerprint\","
                 "\"layer_3_result\":\"no_signal\",\"candidates\":[],\"model\":\"default@1\"}\n");
}

static void test_certain_results_have_all_decimals(void **state)
{
    (void)state;
    cm_buffer out = {0};
    cm_result result = {.method = CM_METHOD_URL_PARAM, .confidence = 1, .probability = 1};
    result.click.click_id = CM_SLICE("k");
    cm_result_write(CM_FORMAT_CSV, &out, CM_SLICE("v"), CM_SLICE("t"), &result, MODEL);
    expect(&out, "v,t,k,,,,,url_param,1.0000,1.000000,0,success,success,success,[],default@1\n");
}

static void test_json_text_is_valid_whatever_the_bytes(void **state)
{
    (void)state;
    cm_buffer out = {0};
    cm_json_append(&out, CM_SLICE("\"\\/\b\f\n\r\t\0\x1F\x7F"));
    expect(&out, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7F\"");
    cm_json_append(&out, CM_SLICE("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"));
    expect(&out, "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"");
    /* Cut off, overlong, a surrogate, beyond the last character, a lone byte. */
    cm_json_append(&out, CM_SLICE("\xC3"));
    expect(&out, "\"\xEF\xBF\xBD\"");
    cm_json_append(&out, CM_SLICE("\xC0\xAF|\xED\xA0\x80|\xF4\x90\x80\x80|\xFFz"));
    expect(&out, "\"\xEF\xBF\xBD\xEF\xBF\xBD|\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD|"
                 "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD|\xEF\xBF\xBDz\"");
    cm_json_append(&out, (cm_slice){0});
    expect(&out, "\"\"");
}

/* --- Rejects ---------------------------------------------------------------------------------- */

static cm_reject_line reject_of(cm_slice row)
{
    return (cm_reject_line){"clicks.csv", 3, 120, "ip_address", "not an address", row};
}

static void test_reject_names_place_field_and_reason(void **state)
{
    (void)state;
    cm_buffer out = {0};
    cm_reject_line reject = reject_of(CM_SLICE("t,\"k\",\xC3\xA9"));
    cm_reject_write(&out, &reject);
    expect(&out, "{\"source\":\"clicks.csv\",\"line\":3,\"byte\":120,\"field\":\"ip_address\","
                 "\"reason\":\"not an address\",\"row\":\"t,\\\"k\\\",\xC3\xA9\"}\n");
    reject.field = NULL;
    reject.row = (cm_slice){0};
    cm_reject_write(&out, &reject);
    expect(&out, "{\"source\":\"clicks.csv\",\"line\":3,\"byte\":120,\"field\":null,"
                 "\"reason\":\"not an address\",\"row\":\"\"}\n");
}

static void expect_base64(cm_slice row, const char *base64)
{
    cm_buffer out = {0};
    cm_reject_line reject = reject_of(row);
    cm_reject_write(&out, &reject);
    cm_buffer_append_char(&out, '\0');
    const char *found = strstr(out.data, ",\"row_base64\":\"");
    assert_non_null(found);
    assert_ptr_equal(strstr(found, base64), found + 15);
    assert_string_equal(found + 15 + strlen(base64), "\"}\n");
    cm_buffer_destroy(&out);
}

static void test_rows_that_are_no_text_are_base64(void **state)
{
    (void)state;
    expect_base64(CM_SLICE("\0"), "AA==");
    expect_base64(CM_SLICE("a\0"), "YQA=");
    expect_base64(CM_SLICE("a\0b"), "YQBi");
    expect_base64(CM_SLICE("\xFF\xFE\xFD\xFC"), "//79/A==");
}

static void test_rows_too_long_are_cut_between_characters(void **state)
{
    (void)state;
    size_t size = CM_ROW_BYTES_MAX + 1;
    char *row = malloc(size);
    assert_non_null(row);
    for (size_t i = 0; i < size; i++)
        row[i] = (char)(i % 2 == 1 ? 0xC3 : 0xA9);
    row[0] = 'a';
    cm_buffer out = {0};
    cm_reject_line reject = reject_of(cm_slice_of(row, size));
    cm_reject_write(&out, &reject);
    assert_in_range(out.size, 65535 + 50, 65535 + 150);
    assert_memory_equal(out.data + out.size - 5, "\xC3\xA9\"}\n", 5);
    out.size = 0;
    reject.row.size = CM_ROW_BYTES_MAX - 1;
    cm_reject_write(&out, &reject);
    assert_true(out.size > CM_ROW_BYTES_MAX);
    cm_buffer_destroy(&out);
    free(row);
}

/* --- Round trips ------------------------------------------------------------------------------ */

/* A click's row of random bytes, as CSV or NDJSON, comes back as it was. */
static void append_row(cm_format format, cm_buffer *out, const cm_slice *texts)
{
    for (size_t i = 0; i < CM_CLICK_FIELD_COUNT; i++) {
        if (format == CM_FORMAT_CSV) {
            cm_buffer_append_text(out, i > 0 ? "," : "");
            cm_csv_append(out, texts[i]);
            continue;
        }
        cm_buffer_append_text(out, i > 0 ? "," : "{");
        cm_json_append(out, cm_slice_of_text(cm_field_name(CM_ROW_CLICK, i)));
        cm_buffer_append_char(out, ':');
        cm_json_append(out, texts[i]);
    }
    cm_buffer_append_text(out, format == CM_FORMAT_CSV ? "\n" : "}\n");
}

static void append_header(cm_buffer *out)
{
    for (size_t i = 0; i < CM_CLICK_FIELD_COUNT; i++) {
        cm_buffer_append_text(out, i > 0 ? "," : "");
        cm_buffer_append_text(out, cm_field_name(CM_ROW_CLICK, i));
    }
    cm_buffer_append_char(out, '\n');
}

#define ROWS 200
#define TEXT_BYTES 12

static void expect_rows(const cm_buffer *input, char (*texts)[TEXT_BYTES], const size_t *sizes)
{
    cm_layout layout;
    cm_error error;
    size_t skip, texts_read = 0;
    cm_arena arena = {0};
    assert_int_equal(cm_layout_read(CM_ROW_CLICK, input->data, input->size, &layout, &skip, &error),
                     CM_OK);
    cm_row_reader reader;
    cm_row row;
    cm_row_reader_init(&reader, &layout, input->data + skip, input->size - skip, &arena);
    while (cm_row_reader_next(&reader, &row)) {
        assert_null(row.malformed);
        for (size_t i = 0; i < CM_CLICK_FIELD_COUNT; i++, texts_read++) {
            cm_slice text = {0};
            if (row.values[i].kind == CM_VALUE_TEXT)
                text = row.values[i].text;
            assert_int_equal(text.size, sizes[texts_read]);
            if (text.size > 0)
                assert_memory_equal(text.data, texts[texts_read], text.size);
        }
    }
    assert_int_equal(texts_read, (size_t)ROWS * CM_CLICK_FIELD_COUNT);
    cm_layout_destroy(&layout);
    cm_arena_destroy(&arena);
}

static void check_round_trip(cm_format format)
{
    static const char alphabet[] = "\",\n\r\\\0\t{a:b/ \x7F\x1F";
    static char texts[ROWS * CM_CLICK_FIELD_COUNT][TEXT_BYTES];
    static size_t sizes[ROWS * CM_CLICK_FIELD_COUNT];
    cm_buffer input = {0};
    uint64_t number = 1;
    if (format == CM_FORMAT_CSV)
        append_header(&input);
    for (size_t row = 0; row < ROWS; row++) {
        cm_slice slices[CM_CLICK_FIELD_COUNT];
        for (size_t i = 0; i < CM_CLICK_FIELD_COUNT; i++) {
            size_t text = row * CM_CLICK_FIELD_COUNT + i;
            number = number * 6364136223846793005u + 1442695040888963407u;
            sizes[text] = i == 0 ? TEXT_BYTES : (number >> 33) % TEXT_BYTES;
            for (size_t k = 0; k < sizes[text]; k++) {
                number = number * 6364136223846793005u + 1442695040888963407u;
                texts[text][k] = alphabet[(number >> 33) % (sizeof alphabet - 1)];
            }
            slices[i] = cm_slice_of(texts[text], sizes[text]);
        }
        append_row(format, &input, slices);
    }
    expect_rows(&input, texts, sizes);
    cm_buffer_destroy(&input);
}

static void test_what_is_written_is_read_as_it_was(void **state)
{
    (void)state;
    check_round_trip(CM_FORMAT_CSV);
    check_round_trip(CM_FORMAT_NDJSON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_has_a_header_and_quotes_what_needs_it),
        cmocka_unit_test(test_csv_leaves_what_is_missing_empty),
        cmocka_unit_test(test_ndjson_has_the_same_members),
        cmocka_unit_test(test_ndjson_leaves_what_is_missing_null),
        cmocka_unit_test(test_certain_results_have_all_decimals),
        cmocka_unit_test(test_json_text_is_valid_whatever_the_bytes),
        cmocka_unit_test(test_reject_names_place_field_and_reason),
        cmocka_unit_test(test_rows_that_are_no_text_are_base64),
        cmocka_unit_test(test_rows_too_long_are_cut_between_characters),
        cmocka_unit_test(test_what_is_written_is_read_as_it_was),
    };
    return cmocka_run_group_tests_name("writers", tests, NULL, NULL);
}
