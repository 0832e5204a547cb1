/* Events: which kind a line is, its sequence number, its values; what is rejected, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/event_reader.h"
#include "model/build.h"
#include "util/buffer.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* The events of a block that ends exactly where its memory does. */
typedef struct events {
    cm_event_layouts layouts;
    cm_arena arena;
    cm_event_reader reader;
    cm_event event;
    char *block;
} events;

static void begin(events *e, cm_slice text)
{
    *e = (events){0};
    cm_event_layouts_init(&e->layouts);
    e->block = malloc(text.size > 0 ? text.size : 1);
    assert_non_null(e->block);
    if (text.size > 0)
        memcpy(e->block, text.data, text.size);
    cm_event_reader_init(&e->reader, &e->layouts, e->block, text.size, &e->arena);
}

static void end(events *e)
{
    free(e->block);
    cm_arena_destroy(&e->arena);
}

static const cm_event *next(events *e)
{
    bool is_there = cm_event_reader_next(&e->reader, &e->event);
    assert_false(e->reader.out_of_memory);
    return is_there ? &e->event : NULL;
}

static void expect_text(const cm_value *value, const char *text)
{
    assert_non_null(value);
    assert_int_equal(value->kind, CM_VALUE_TEXT);
    assert_int_equal(value->text.size, strlen(text));
    assert_memory_equal(value->text.data, text, strlen(text));
}

/* --- Kind and sequence number ----------------------------------------------------------------- */

static void expect_event(const char *line, cm_row_kind kind, bool has_seq, uint64_t seq)
{
    events e;
    begin(&e, cm_slice_of_text(line));
    const cm_event *event = next(&e);
    assert_non_null(event);
    if (event->row.malformed != NULL)
        fail_msg("%s: %s", line, event->row.malformed);
    assert_null(event->field);
    assert_int_equal(event->kind, kind);
    assert_int_equal(event->has_seq, has_seq);
    assert_int_equal(event->seq, seq);
    expect_text(&event->row.values[CM_CLICK_TENANT_ID], "t");
    assert_null(next(&e));
    end(&e);
}

static void the_kind_is_found_wherever_it_stands(void **state)
{
    (void)state;
    static const char *const clicks[] = {
        "{\"event\":\"click\",\"tenant_id\":\"t\"}",
        "{\"tenant_id\":\"t\",\"event\":\"click\"}",
        " { \"event\" : \"click\" , \"tenant_id\" : \"t\" } \r\n",
        "{\"ev\\u0065nt\":\"cl\\u0069ck\",\"tenant_id\":\"t\"}",
        "{\"event\":\"conversion\",\"tenant_id\":\"t\",\"event\":\"click\"}",
        "{\"event\":\"co\",\"event\":[1],\"event\":\"click\",\"tenant_id\":\"t\"}",
        "{\"other\":{\"event\":\"conversion\"},\"event\":\"click\",\"tenant_id\":\"t\"}",
        "\n \n{\"event\":\"click\",\"tenant_id\":\"t\"}\n\n"};
    for (size_t i = 0; i < COUNT(clicks); i++)
        expect_event(clicks[i], CM_ROW_CLICK, false, 0);
    static const char *const conversions[] = {
        "{\"event\":\"conversion\",\"tenant_id\":\"t\"}",
        "{\"tenant_id\":\"t\",\"event\":\"conversion\"}",
        "{\"event\":\"click\",\"tenant_id\":\"t\",\"event\":\"conversion\"}",
        "{\"event\":\"\\u0063onversion\",\"tenant_id\":\"t\"}"};
    for (size_t i = 0; i < COUNT(conversions); i++)
        expect_event(conversions[i], CM_ROW_CONVERSION, false, 0);
}

static void sequence_numbers_are_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t seq;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"1", 1},
                {"12.0", 12},
                {"1.5e1", 15},
                {"1000000000000", 1000000000000},
                {"9223372036854775807", INT64_MAX},
                {"3,\"seq\":4", 4},
                {"\"x\",\"seq\":4", 4}};
    for (size_t i = 0; i < COUNT(good); i++) {
        cm_buffer line = {0};
        cm_buffer_append_text(&line, "{\"event\":\"click\",\"tenant_id\":\"t\",\"seq\":");
        cm_buffer_append_text(&line, good[i].text);
        cm_buffer_append(&line, "}", 2);
        expect_event(line.data, CM_ROW_CLICK, true, good[i].seq);
        cm_buffer_destroy(&line);
    }
    expect_event("{\"event\":\"click\",\"seq\":null,\"tenant_id\":\"t\"}", CM_ROW_CLICK, false, 0);
    expect_event("{\"event\":\"click\",\"seq\":7,\"tenant_id\":\"t\",\"seq\":null}", CM_ROW_CLICK,
                 false, 0);
}

/* --- Rejected --------------------------------------------------------------------------------- */

/* A line, with what follows it, which must come through. */
static void expect_rejected(const char *line, const char *field, size_t byte, const char *reason)
{
    cm_buffer block = {0};
    cm_buffer_append_text(&block, "\n");
    cm_buffer_append_text(&block, line);
    cm_buffer_append_text(&block, "\n{\"event\":\"conversion\",\"seq\":1}");
    events e;
    begin(&e, cm_slice_of(block.data, block.size));
    const cm_event *event = next(&e);
    assert_non_null(event);
    if (event->row.malformed == NULL)
        fail_msg("accepted: %s", line);
    assert_string_equal(event->row.malformed, reason);
    if (field == NULL)
        assert_null(event->field);
    else
        assert_string_equal(event->field, field);
    assert_int_equal(event->row.byte, byte + 1);
    assert_int_equal(event->row.line, 1);
    assert_int_equal(event->row.start, 1);
    assert_int_equal(event->row.end, 1 + strlen(line));
    event = next(&e);
    assert_non_null(event);
    assert_null(event->row.malformed);
    assert_null(event->field);
    assert_int_equal(event->kind, CM_ROW_CONVERSION);
    assert_int_equal(event->row.line, 2);
    assert_int_equal(event->seq, 1);
    assert_null(next(&e));
    end(&e);
    cm_buffer_destroy(&block);
}

static void a_line_of_no_kind_is_rejected(void **state)
{
    (void)state;
    static const char reason[] = "neither \"click\" nor \"conversion\"";
    expect_rejected("{}", "event", 0, reason);
    expect_rejected("  {\"seq\":\"x\",\"tenant_id\":\"t\"}", "event", 0, reason);
    expect_rejected("{\"event\":null}", "event", 0, reason);
    expect_rejected("{\"event\":\"\"}", "event", 9, reason);
    expect_rejected("{\"event\":\"Click\"}", "event", 9, reason);
    expect_rejected("{\"event\":\"clicks\"}", "event", 9, reason);
    expect_rejected("{\"event\":\"conversio\"}", "event", 9, reason);
    expect_rejected("{\"event\":\"click\\u0000\"}", "event", 9, reason);
    expect_rejected("{\"event\":1}", "event", 9, reason);
    expect_rejected("{\"event\": true}", "event", 10, reason);
    expect_rejected("{\"event\":[\"click\"]}", "event", 9, reason);
    expect_rejected("{\"event\":\"click\",\"event\":{}}", "event", 25, reason);
    expect_rejected("{\"event\":\"click\",\"event\":null}", "event", 0, reason);
    expect_rejected("{\"Event\":\"click\"}", "event", 0, reason);
}

static void a_sequence_number_that_is_none_is_rejected(void **state)
{
    (void)state;
    static const char *const bad[] = {"-1",
                                      "0.5",
                                      "1e-1",
                                      "9223372036854775808",
                                      "18446744073709551616",
                                      "1e19",
                                      "1e400",
                                      "100000000000000000000000000000000000000000000000000",
                                      "\"7\"",
                                      "\"\"",
                                      "true",
                                      "[7]",
                                      "{}"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        for (int kind = 0; kind < 2; kind++) {
            cm_buffer line = {0};
            cm_buffer_append_text(&line, kind == 0 ? "{\"event\":\"click\",\"seq\":"
                                                   : "{\"event\":\"conversion\",\"seq\":");
            size_t byte = line.size;
            cm_buffer_append_text(&line, bad[i]);
            cm_buffer_append(&line, "}", 2);
            expect_rejected(line.data, "seq", byte,
                            "not a whole number from 0 to 9223372036854775807");
            cm_buffer_destroy(&line);
        }
    }
}

static void malformed_json_is_rejected_at_its_byte(void **state)
{
    (void)state;
    expect_rejected("x", NULL, 0, "not a JSON object");
    expect_rejected("{\"event\":\"click\"", NULL, 16, "expected ',' or '}'");
    expect_rejected("{\"event\":\"click\"}x", NULL, 17, "text after the object");
    expect_rejected("{\"event\":\"click\",\"x\":\"\x01\"}", NULL, 22,
                    "control character in a string");
    expect_rejected("{\"event\":\"click\",\"x\":\"\xFF\"}", NULL, 22,
                    "malformed UTF-8 in a string");
    expect_rejected("{\"event\":\"none\",\"seq\":01}", NULL, 23, "expected ',' or '}'");
    expect_rejected("{\"event\":\"click\",\"conversion_type\":[}", NULL, 36, "not a JSON value");
}

static void a_line_too_long_is_rejected(void **state)
{
    (void)state;
    cm_buffer block = {0};
    cm_buffer_append_text(&block, "{\"event\":\"click\",\"x\":\"");
    while (block.size < CM_ROW_BYTES_MAX - 1)
        cm_buffer_append_char(&block, 'x');
    cm_buffer_append_text(&block, "\"}\n{\"event\":\"click\"}");
    events e;
    begin(&e, cm_slice_of(block.data, block.size));
    assert_string_equal(next(&e)->row.malformed, "row longer than 1048576 bytes");
    assert_null(e.event.field);
    assert_null(next(&e)->row.malformed);
    assert_int_equal(e.event.row.line, 1);
    assert_null(next(&e));
    end(&e);
    cm_buffer_destroy(&block);
}

/* --- Values ----------------------------------------------------------------------------------- */

static void conversions_have_type_and_value(void **state)
{
    (void)state;
    static const char text[] =
        "{\"event\":\"conversion\",\"conversion_type\":\"lead\",\"conversion_value\":12.50}\n"
        "{\"conversion_type\":7,\"conversion_value\":\"9\",\"event\":\"conversion\"}\n"
        "{\"event\":\"conversion\",\"conversion_value\":null}\n"
        "{\"event\":\"click\",\"conversion_type\":\"lead\",\"conversion_value\":1}\n";
    events e;
    begin(&e, CM_SLICE(text));
    assert_non_null(next(&e));
    const cm_value *values = e.event.row.values;
    expect_text(&values[CM_EVENT_CONVERSION_TYPE], "lead");
    assert_int_equal(values[CM_EVENT_CONVERSION_VALUE].kind, CM_VALUE_NUMBER);
    assert_memory_equal(values[CM_EVENT_CONVERSION_VALUE].text.data, "12.50", 5);
    assert_int_equal(e.event.row.value_bytes[CM_EVENT_CONVERSION_TYPE], 40);
    assert_non_null(next(&e));
    assert_int_equal(values[CM_EVENT_CONVERSION_TYPE].kind, CM_VALUE_NUMBER);
    expect_text(&values[CM_EVENT_CONVERSION_VALUE], "9");
    assert_non_null(next(&e));
    assert_int_equal(values[CM_EVENT_CONVERSION_TYPE].kind, CM_VALUE_MISSING);
    assert_int_equal(values[CM_EVENT_CONVERSION_VALUE].kind, CM_VALUE_MISSING);
    assert_non_null(next(&e));
    for (size_t field = 0; field < CM_CLICK_FIELD_COUNT; field++)
        assert_int_equal(values[field].kind, CM_VALUE_MISSING);
    assert_null(next(&e));
    end(&e);
}

static void records_are_built_of_either_kind(void **state)
{
    (void)state;
    static const char text[] =
        "{\"event\":\"click\",\"seq\":41,\"tenant_id\":\"t\",\"click_id\":\"k\",\"click_"
        "timestamp\":"
        "\"2026-03-01T00:00:09Z\",\"user_agent\":\"\\u00fc\",\"screen_width\":390}\n"
        "{\"event\":\"conversion\",\"seq\":42,\"tenant_id\":\"t\",\"conversion_id\":\"v\","
        "\"conversion_timestamp\":1772323210000,\"fbclid\":\"f\",\"conversion_type\":\"lead\"}\n";
    static const cm_build_options options = {0};
    cm_reject fault;
    cm_click click;
    cm_conversion conversion;
    events e;
    begin(&e, CM_SLICE(text));
    assert_int_equal(next(&e)->seq, 41);
    assert_int_equal(cm_click_build(e.event.row.values, &options, &e.arena, NULL, &click, &fault),
                     CM_OK);
    assert_true(cm_slice_equal(click.click_id, CM_SLICE("k")));
    assert_true(cm_slice_equal(click.device.user_agent, CM_SLICE("\xC3\xBC")));
    assert_true(cm_slice_equal(click.device.screen_width, CM_SLICE("390")));
    assert_int_equal(next(&e)->seq, 42);
    assert_int_equal(
        cm_conversion_build(e.event.row.values, &options, &e.arena, NULL, &conversion, &fault),
        CM_OK);
    assert_true(cm_slice_equal(conversion.fbclid, CM_SLICE("f")));
    assert_int_equal(conversion.conversion_timestamp - click.click_timestamp, 1000000);
    end(&e);
}

/* Every name of either kind, behind and before the event. */
static void every_field_is_delivered(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        for (size_t field = 0; field < cm_field_count((cm_row_kind)kind); field++) {
            for (int order = 0; order < 2; order++) {
                cm_buffer line = {0};
                const char *event = kind == 0 ? "\"event\":\"click\"" : "\"event\":\"conversion\"";
                cm_buffer_append_text(&line, "{");
                cm_buffer_append_text(&line, order == 0 ? event : "\"");
                cm_buffer_append_text(&line, order == 0 ? ",\"" : "");
                cm_buffer_append_text(&line, cm_field_name((cm_row_kind)kind, field));
                cm_buffer_append_text(&line, order == 0 ? "\":\"v\"" : "\":\"v\",");
                cm_buffer_append_text(&line, order == 0 ? "" : event);
                cm_buffer_append_text(&line, "}");
                events e;
                begin(&e, cm_slice_of(line.data, line.size));
                const cm_event *got = next(&e);
                assert_non_null(got);
                assert_null(got->row.malformed);
                assert_int_equal(got->kind, kind);
                for (size_t i = 0; i < cm_field_count((cm_row_kind)kind); i++)
                    assert_int_equal(got->row.values[i].kind,
                                     i == field ? CM_VALUE_TEXT : CM_VALUE_MISSING);
                end(&e);
                cm_buffer_destroy(&line);
            }
        }
    }
}

static void an_empty_block_has_no_events(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", " \r\n\t\n", "  "};
    for (size_t i = 0; i < COUNT(texts); i++) {
        events e;
        begin(&e, cm_slice_of_text(texts[i]));
        assert_null(next(&e));
        end(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kind_is_found_wherever_it_stands),
        cmocka_unit_test(sequence_numbers_are_whole),
        cmocka_unit_test(a_line_of_no_kind_is_rejected),
        cmocka_unit_test(a_sequence_number_that_is_none_is_rejected),
        cmocka_unit_test(malformed_json_is_rejected_at_its_byte),
        cmocka_unit_test(a_line_too_long_is_rejected),
        cmocka_unit_test(conversions_have_type_and_value),
        cmocka_unit_test(records_are_built_of_either_kind),
        cmocka_unit_test(every_field_is_delivered),
        cmocka_unit_test(an_empty_block_has_no_events),
    };
    return cmocka_run_group_tests_name("event_reader", tests, NULL, NULL);
}
