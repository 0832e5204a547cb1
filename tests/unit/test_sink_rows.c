/* Events as rows for the database: what is refused leaves no trace but a dead event, and neither
 * does an allocation that fails. What the rows come to in PostgreSQL: test_sink.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/failing_malloc.h"
#include "pg/pg_sink_row.h"

#define LINE CM_SLICE("{\"event\":\"click\"}")

static const cm_click CLICK = {
    .tenant_id = {"t", 1},
    .click_id = {"k", 1},
    .click_timestamp = 1772323200000000,
    .expires_at = CM_TIME_MISSING,
    .is_valid = true,
    .campaign_id = {"c", 1},
    .ad_id = {"a", 1},
    .device = {.has_fingerprint = true, .ip_address = {.version = 4}, .screen_width = {"390", 3}},
};
static const cm_conversion CONVERSION = {
    .tenant_id = {"t", 1}, .conversion_id = {"v", 1}, .conversion_timestamp = 1772323200000001};
static const cm_result RESULT = {
    .method = CM_METHOD_URL_PARAM,
    .click = {.click_id = {"k", 1}},
    .confidence = 1,
    .probability = 1,
    .candidate_count = 1,
    .candidates = {{{"k", 1}, 1}},
};
static const cm_value TYPE = {.kind = CM_VALUE_TEXT, .text = {"lead", 4}},
                      VALUE = {.kind = CM_VALUE_NUMBER, .text = {"9.5", 3}};

static cm_pg_sink_shape shape_of(void)
{
    cm_pg_sink_shape shape = {.click_window_us = 1};
    shape.characters_max[CM_ROW_CLICK][CM_CLICK_OS] = 3;
    shape.characters_max[CM_ROW_CONVERSION][CM_PG_SINK_CONVERSION_TYPE] = 4;
    return shape;
}

static cm_status put_click(cm_pg_sink_shape *shape, cm_pg_sink_batch *batch, const cm_click *click)
{
    const cm_pg_sink_origin origin = {CM_SLICE("seq 1"), LINE};
    return cm_pg_sink_put_click(shape, batch, click, &origin, NULL);
}

static cm_status put_result(cm_pg_sink_shape *shape, cm_pg_sink_batch *batch, const cm_value *type,
                            const cm_value *value)
{
    const cm_pg_sink_origin origin = {CM_SLICE("seq 2"), LINE};
    const cm_pg_sink_result row = {.conversion = &CONVERSION,
                                   .type = type,
                                   .value = value,
                                   .result = &RESULT,
                                   .model = "default@1"};
    return cm_pg_sink_put_result(shape, batch, &row, &origin, NULL);
}

static bool holds(const cm_buffer *buffer, const char *text)
{
    return buffer->size > 0 && memmem(buffer->data, buffer->size, text, strlen(text)) != NULL;
}

/* The last row is of this kind, and the only one there is. */
static void expect_one(cm_pg_sink_batch *batch, cm_pg_sink_kind kind)
{
    assert_int_equal(batch->count, 1);
    assert_int_equal(batch->rows[0].kind, kind);
    for (size_t i = 0; i < CM_PG_SINK_KIND_COUNT; i++)
        assert_int_equal(batch->encoded[i].size > 0, i == (size_t)kind);
    assert_int_equal(batch->rows[0].size, batch->encoded[kind].size);
    assert_false(cm_pg_sink_batch_is_empty(batch));
    cm_pg_sink_batch_clear(batch);
    assert_true(cm_pg_sink_batch_is_empty(batch));
    assert_int_equal(cm_pg_sink_batch_bytes(batch), 0);
}

static void takes_what_fits(void **state)
{
    (void)state;
    cm_pg_sink_shape shape = shape_of();
    cm_pg_sink_batch batch = {0};
    cm_click click = CLICK;
    click.device.os = CM_SLICE("\xC3\xA4\xC3\xB6\xC3\xBC"); /* three characters */
    assert_int_equal(put_click(&shape, &batch, &click), CM_OK);
    expect_one(&batch, CM_PG_SINK_CLICK);
    assert_int_equal(put_result(&shape, &batch, &TYPE, &VALUE), CM_OK);
    expect_one(&batch, CM_PG_SINK_CONVERSION);
    const cm_value missing = {0};
    assert_int_equal(put_result(&shape, &batch, &missing, &missing), CM_OK);
    expect_one(&batch, CM_PG_SINK_CONVERSION);
    cm_pg_sink_batch_destroy(&batch);
    cm_pg_encoder_destroy(&shape.encoder);
}

/* The first field at fault is named, and the event kept. */
static void expect_dead(cm_pg_sink_batch *batch, const char *message)
{
    const cm_buffer *dead = &batch->encoded[CM_PG_SINK_DEAD];
    if (!holds(dead, message))
        fail_msg("no '%s'", message);
    assert_true(holds(dead, "not_storable"));
    assert_true(holds(dead, "{\"event\":\"click\"}"));
    expect_one(batch, CM_PG_SINK_DEAD);
}

static void buries_what_does_not(void **state)
{
    (void)state;
    cm_pg_sink_shape shape = shape_of();
    cm_pg_sink_batch batch = {0};
    cm_click click = CLICK;
    click.campaign_id.size = 0;
    click.device.os = CM_SLICE("abcd");
    assert_int_equal(put_click(&shape, &batch, &click), CM_OK);
    expect_dead(&batch, "campaign_id: missing");
    click.campaign_id = CLICK.campaign_id;
    assert_int_equal(put_click(&shape, &batch, &click), CM_OK);
    expect_dead(&batch, "os: longer than its column");
    click.device.os = CM_SLICE("\xFF");
    assert_int_equal(put_click(&shape, &batch, &click), CM_OK);
    expect_dead(&batch, "os: not valid UTF-8");
    const cm_value number = {.kind = CM_VALUE_NUMBER, .text = {"7", 1}},
                   flag = {.kind = CM_VALUE_BOOLEAN},
                   large = {.kind = CM_VALUE_NUMBER, .text = {"1e8", 3}};
    assert_int_equal(put_result(&shape, &batch, &number, &VALUE), CM_OK);
    expect_dead(&batch, "conversion_type: not text");
    assert_int_equal(put_result(&shape, &batch, &TYPE, &flag), CM_OK);
    expect_dead(&batch, "conversion_value: not a number");
    assert_int_equal(put_result(&shape, &batch, &TYPE, &large), CM_OK);
    expect_dead(&batch, "eight digits");
    cm_pg_sink_batch_destroy(&batch);
    cm_pg_encoder_destroy(&shape.encoder);
}

static void whole_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fits;
    } NUMBERS[] = {
        {"0", true},           {"7", true},           {"-60", true},          {"2147483647", true},
        {"-2147483648", true}, {"2147483648", false}, {"-2147483649", false}, {"-0", false},
        {"00", false},         {"-07", false},        {"+7", false},          {"", true},
        {"-", false},          {"7.0", false},        {" 7", false},          {"7a", false},
        {"99999999999", false}};
    cm_pg_sink_shape shape = shape_of();
    cm_pg_sink_batch batch = {0};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        cm_click click = CLICK;
        click.device.timezone_offset = cm_slice_of_text(NUMBERS[i].text);
        assert_int_equal(put_click(&shape, &batch, &click), CM_OK);
        if ((batch.rows[0].kind == CM_PG_SINK_CLICK) != NUMBERS[i].fits)
            fail_msg("'%s'", NUMBERS[i].text);
        cm_pg_sink_batch_clear(&batch);
    }
    cm_pg_sink_batch_destroy(&batch);
}

/* Some rows of each kind. Stops at the first that fails; tried again, it goes on from there. */
static cm_status put_some(cm_pg_sink_shape *shape, cm_pg_sink_batch *batch)
{
    const cm_pg_sink_dead dead = {.error_type = "malformed", .reason = "no JSON"};
    const cm_pg_sink_origin origin = {CM_SLICE("seq 3"), LINE};
    cm_status status = CM_OK;
    while (batch->count < 200 && status == CM_OK) {
        size_t bytes = cm_pg_sink_batch_bytes(batch), count = batch->count;
        if (count % 3 == 0)
            status = put_click(shape, batch, &CLICK);
        else if (count % 3 == 1)
            status = put_result(shape, batch, &TYPE, &VALUE);
        else
            status = cm_pg_sink_put_rejected(batch, &dead, &origin, NULL);
        assert_int_equal(batch->count, count + (status == CM_OK));
        if (status != CM_OK)
            assert_int_equal(cm_pg_sink_batch_bytes(batch), bytes);
    }
    return status;
}

static void memory_runs_out(void **state)
{
    (void)state;
    bool was_failed = true;
    cm_pg_sink_batch whole = {0};
    cm_pg_sink_shape shape = shape_of();
    if (!failing_malloc_works)
        skip();
    assert_int_equal(put_some(&shape, &whole), CM_OK);
    for (size_t allocations = 0; was_failed; allocations++) {
        cm_pg_sink_batch batch = {0};
        cm_pg_sink_shape other = shape_of();
        failing_malloc_arm(allocations);
        cm_status status = put_some(&other, &batch);
        was_failed = failing_malloc_disarm();
        assert_int_equal(status, was_failed ? CM_ERROR_MEMORY : CM_OK);
        assert_int_equal(put_some(&other, &batch), CM_OK);
        for (size_t i = 0; i < CM_PG_SINK_KIND_COUNT; i++) {
            assert_int_equal(batch.encoded[i].size, whole.encoded[i].size);
            assert_memory_equal(batch.encoded[i].data, whole.encoded[i].data,
                                whole.encoded[i].size);
        }
        cm_pg_sink_batch_destroy(&batch);
        cm_pg_encoder_destroy(&other.encoder);
    }
    cm_pg_sink_batch_destroy(&whole);
    cm_pg_encoder_destroy(&shape.encoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_fits),
        cmocka_unit_test(buries_what_does_not),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
