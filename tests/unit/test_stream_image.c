/* A stream's state as bytes and back; and bytes that are no such thing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/random.h"
#include "harness/stream_images.h"

#define T0 STREAMS_T0
#define SECOND STREAMS_SECOND
#define MINUTE STREAMS_MINUTE
#define DAY STREAMS_DAY

#define MANY_IDS (CM_SEEN_SEGMENT_IDS + 100)

static void begin(streams_run *run, const char *model_json)
{
    cm_clock_options clock = streams_clock();
    clock.grace_us = MINUTE;
    streams_begin(run, &clock, model_json);
}

/* Some of all that a state can hold: known ids, conversions that are held, late ones behind them,
 * events that wait. */
static void fill(streams_run *run, uint32_t ids)
{
    cm_buffer text = {0};
    char id[16];
    streams_click(&text, "k", T0 - 10 * MINUTE, ",\"seq\":1");
    for (uint32_t i = 0; i < ids; i++) {
        (void)snprintf(id, sizeof id, "v%u", i);
        streams_conversion(&text, id, "k", T0 - 10 * MINUTE, "");
    }
    streams_click(&text, "tock", T0, ",\"seq\":2");
    streams_conversion(&text, "held", "k", T0, ",\"seq\":3");
    streams_conversion(&text, "late", "k", T0 - 9 * MINUTE, ",\"seq\":4");
    streams_conversion(&text, "held2", "m", T0 - MINUTE, ",\"seq\":5");
    streams_click(&text, "ahead", T0 + DAY, ",\"seq\":6");
    streams_conversion(&text, "ahead2", "ahead", T0 + DAY, ",\"seq\":7");
    streams_feed(run, &text);
    assert_int_equal(run->stream->held.count, 3);
    assert_int_equal(run->stream->waiting.count, 2);
}

/* Events that meet all of that; whatever was read before must bear them. */
static void go_on(streams_run *run)
{
    cm_buffer text = {0};
    char id[16];
    streams_click(&text, "m", T0 - 2 * MINUTE, "");
    streams_conversion(&text, "v0", "k", T0, ",\"seq\":8");
    streams_conversion(&text, "held", "k", T0, ",\"seq\":9");
    for (int i = 0; i < 200; i++) {
        (void)snprintf(id, sizeof id, "n%d", i);
        streams_click(&text, id, T0 + i * 5 * SECOND, "");
        streams_conversion(&text, id, id, T0 + i * 5 * SECOND, "");
    }
    streams_feed(run, &text);
    streams_let_go(run);
}

static cm_slice state_of(const stream_images *made)
{
    return cm_slice_of(made->state.data, made->state.size);
}

static void check_round_trip(const char *model_json)
{
    streams_run run, again;
    begin(&run, model_json);
    fill(&run, MANY_IDS);
    stream_images made = stream_images_of(&run);
    assert_int_equal(made.ids_count, 1);
    begin(&again, model_json);
    assert_int_equal(stream_images_read(&again, &made, state_of(&made), NULL), CM_OK);
    stream_images_load(&again, &made);
    stream_images second = stream_images_of(&again);
    assert_int_equal(second.state.size, made.state.size);
    assert_memory_equal(second.state.data, made.state.data, made.state.size);
    /* Both go on in the same way. */
    run.results.size = run.rejects.size = 0;
    go_on(&run);
    go_on(&again);
    streams_assert_same(&run, &again);
    streams_assert_line(&again, "held", "\"url_param\"", true);
    streams_assert_line(&again, "held2", "\"click_id\":\"m\"", true);
    streams_assert_line(&again, "late", "\"late\":true", true);
    streams_assert_line(&again, "ahead2", "\"click_id\":\"ahead\"", true);
    assert_int_equal(again.stream->counts.kinds[CM_ROW_CONVERSION].duplicates, 2);
    stream_images_destroy(&made);
    stream_images_destroy(&second);
    streams_end(&run);
    streams_end(&again);
}

static const char traits_json[] = "{\"fingerprint\": {\"traits\": {\"os\": [0.99, 0.01]}}}";

static void test_round_trip(void **state)
{
    (void)state;
    check_round_trip(NULL);
    check_round_trip(traits_json);
}

/* What clicks show is still there after a restart: of two that are alike but for the system, the
 * older one is chosen by it. */
static void test_traits_outlast_a_restart(void **state)
{
    (void)state;
    static const char finger[] =
        "\"fingerprint_hash\":\"1111111111111111111111111111111111111111111111111111111111111111\"";
    streams_run run;
    cm_buffer text = {0};
    char more[128];
    begin(&run, traits_json);
    (void)snprintf(more, sizeof more, ",%s,\"os\":\"iOS\",\"ip_address\":\"8.8.8.8\"", finger);
    streams_click(&text, "ios", T0 - 10 * MINUTE, more);
    (void)snprintf(more, sizeof more, ",%s,\"os\":\"Android\",\"ip_address\":\"9.9.9.9\"", finger);
    streams_click(&text, "android", T0 - 9 * MINUTE, more);
    streams_feed(&run, &text);
    stream_images_restart(&run, traits_json);
    (void)snprintf(more, sizeof more, ",%s,\"os\":\"IOS\"", finger);
    streams_conversion(&text, "c", NULL, T0, more);
    streams_feed(&run, &text);
    streams_let_go(&run);
    streams_assert_line(&run, "c", "\"click_id\":\"ios\",", true);
    streams_assert_line(&run, "c", "\"fingerprint\"", true);
    streams_end(&run);
}

static void test_an_empty_stream(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, NULL);
    stream_images_restart(&run, NULL);
    assert_int_equal(run.stream->clock.latest_us, CM_CLOCK_UNSET);
    streams_conversion(&text, "c", NULL, T0, "");
    streams_feed(&run, &text);
    streams_let_go(&run);
    streams_assert_told(&run, "c");
    streams_end(&run);
}

/* What came after a restart is what would have come without: the clock, ids, and who waits. */
static void test_ids_are_forgotten_in_their_turn(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    const cm_clock_options clock = {.max_future_us = 100 * DAY};
    streams_begin(&run, &clock, NULL);
    streams_conversion(&text, "old", NULL, T0, "");
    for (int i = 0; i < 63; i++)
        streams_click(&text, "k", T0 + DAY, "");
    streams_conversion(&text, "new", NULL, T0 + 5 * DAY, "");
    streams_feed(&run, &text);
    stream_images_restart(&run, NULL);
    for (int i = 0; i < 64; i++)
        streams_click(&text, "k", T0 + 12 * DAY, "");
    streams_conversion(&text, "new", NULL, T0 + 12 * DAY, "");
    streams_feed(&run, &text);
    streams_assert_told(&run, "old new");
    streams_end(&run);
}

/* A first event that nothing has confirmed yet can still be given up. */
static void test_a_broken_first_event(void **state)
{
    (void)state;
    streams_run run;
    cm_buffer text = {0};
    begin(&run, NULL);
    streams_click(&text, "broken", T0 + 365 * DAY, "");
    streams_feed(&run, &text);
    stream_images_restart(&run, NULL);
    streams_click(&text, "k", T0, "");
    streams_conversion(&text, "c", "k", T0 + SECOND, "");
    streams_feed(&run, &text);
    assert_int_equal(run.stream->clock.latest_us, T0 + SECOND);
    assert_int_equal(run.stream->counts.late, 0);
    streams_end(&run);
}

static void test_another_model(void **state)
{
    (void)state;
    static const char *const others[] = {
        "{\"window_hours\":72}",    "{\"probabilistic_window_hours\":6}",
        "{\"retention_hours\":23}", "{\"ipv4_prefix\":24}",
        "{\"ipv6_prefix\":56}",     traits_json,
    };
    streams_run run, other;
    begin(&run, NULL);
    fill(&run, 10);
    stream_images made = stream_images_of(&run);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        cm_error error = {0};
        begin(&other, others[i]);
        assert_int_equal(stream_images_read(&other, &made, state_of(&made), &error),
                         CM_ERROR_MODEL);
        assert_non_null(strstr(error.message, "give that model"));
        streams_end(&other);
    }
    /* One that only scores otherwise will do. */
    begin(&other, "{\"name\":\"new\",\"version\":\"2\",\"probabilistic\":{\"prior\":0.1}}");
    assert_int_equal(stream_images_read(&other, &made, state_of(&made), NULL), CM_OK);
    streams_end(&other);
    stream_images_destroy(&made);
    streams_end(&run);
}

/* What was held leniently cannot be read strictly. */
static void test_lenient_and_then_not(void **state)
{
    (void)state;
    streams_run run, other;
    cm_buffer text = {0};
    cm_error error = {0};
    begin(&run, NULL);
    run.stream->options.build.lenient = true;
    streams_conversion(&text, "c", NULL, T0, ",\"ip_address\":\"x\"");
    streams_feed(&run, &text);
    stream_images made = stream_images_of(&run);
    begin(&other, NULL);
    assert_int_equal(stream_images_read(&other, &made, state_of(&made), &error), CM_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "--lenient"));
    streams_end(&other);
    begin(&other, NULL);
    other.stream->options.build.lenient = true;
    assert_int_equal(stream_images_read(&other, &made, state_of(&made), NULL), CM_OK);
    streams_let_go(&other);
    streams_assert_told(&other, "c");
    streams_end(&other);
    stream_images_destroy(&made);
    streams_end(&run);
}

/* ---- damaged ---- */

/* Read bytes as a state: refused with a reason, or a stream that goes on. */
static bool is_taken(const stream_images *made, const cm_buffer *bytes)
{
    streams_run run;
    cm_error error = {0};
    begin(&run, NULL);
    cm_status status =
        stream_images_read(&run, made, cm_slice_of(bytes->data, bytes->size), &error);
    if (status == CM_OK)
        go_on(&run);
    else if ((status != CM_ERROR_FORMAT && status != CM_ERROR_MODEL) || error.message[0] == '\0')
        fail_msg("status %d: %s", status, error.message);
    streams_end(&run);
    return status == CM_OK;
}

static cm_buffer copy_of(const cm_buffer *bytes)
{
    cm_buffer copy = {0};
    cm_buffer_append(&copy, bytes->data, bytes->size);
    return copy;
}

static void test_cut_off_anywhere(void **state)
{
    (void)state;
    streams_run run;
    begin(&run, NULL);
    fill(&run, 10);
    stream_images made = stream_images_of(&run);
    for (size_t size = 0; size < made.state.size; size++) {
        cm_buffer cut = copy_of(&made.state);
        cut.size = size;
        assert_false(is_taken(&made, &cut));
        cm_buffer_destroy(&cut);
    }
    cm_buffer longer = copy_of(&made.state);
    cm_buffer_append_char(&longer, '\0');
    assert_false(is_taken(&made, &longer));
    cm_buffer_destroy(&longer);
    stream_images_destroy(&made);
    streams_end(&run);
}

static void put_number(cm_buffer *bytes, size_t at, uint64_t number)
{
    if (at + sizeof number <= bytes->size)
        memcpy(bytes->data + at, &number, sizeof number);
}

static void damage(cm_buffer *bytes, uint64_t *random)
{
    static const uint64_t numbers[] = {0,
                                       1,
                                       2,
                                       99,
                                       100,
                                       INT64_MAX,
                                       UINT64_MAX,
                                       UINT32_MAX,
                                       1u << 14,
                                       (1u << 14) + 1,
                                       (uint64_t)INT64_MIN};
    if (bytes->size == 0)
        return;
    size_t at = random_below(random, (uint32_t)bytes->size);
    switch (random_below(random, 4)) {
    case 0:
        bytes->data[at] = (char)(bytes->data[at] ^ (1 << random_below(random, 8)));
        break;
    case 1:
        bytes->data[at] = (char)random_below(random, 256);
        break;
    case 2:
        put_number(bytes, at & ~(size_t)7,
                   numbers[random_below(random, sizeof numbers / sizeof *numbers)]);
        break;
    default:
        memmove(bytes->data + at, bytes->data + at + 1, bytes->size - at - 1);
        bytes->size--;
        break;
    }
}

static void test_every_byte_changed(void **state)
{
    (void)state;
    streams_run run;
    size_t taken = 0;
    begin(&run, NULL);
    fill(&run, 10);
    stream_images made = stream_images_of(&run);
    for (size_t at = 0; at < made.state.size; at++) {
        cm_buffer changed = copy_of(&made.state);
        changed.data[at] = (char)(changed.data[at] ^ (at % 3 == 0 ? 0x80 : 0x01));
        taken += is_taken(&made, &changed);
        cm_buffer_destroy(&changed);
    }
    /* Some bytes may have any value: parts of counters and of texts. */
    assert_in_range(taken, 1, made.state.size / 2);
    stream_images_destroy(&made);
    streams_end(&run);
}

static void test_damaged_at_random(void **state)
{
    (void)state;
    streams_run run;
    uint64_t random = 1;
    size_t taken = 0;
    begin(&run, NULL);
    fill(&run, 100);
    stream_images made = stream_images_of(&run);
    for (int i = 0; i < 3000; i++) {
        cm_buffer changed = copy_of(&made.state);
        for (uint32_t n = 1 + random_below(&random, 3); n > 0; n--)
            damage(&changed, &random);
        taken += is_taken(&made, &changed);
        cm_buffer_destroy(&changed);
    }
    assert_in_range(taken, 1, 2900);
    stream_images_destroy(&made);
    streams_end(&run);
}

static void test_damaged_ids(void **state)
{
    (void)state;
    streams_run run;
    uint64_t random = 2;
    size_t taken = 0;
    begin(&run, NULL);
    fill(&run, MANY_IDS);
    stream_images made = stream_images_of(&run);
    cm_buffer good = made.ids[0];
    for (int i = 0; i < 200; i++) {
        made.ids[0] = copy_of(&good);
        for (uint32_t n = random_below(&random, 4); n < 4; n++)
            damage(&made.ids[0], &random);
        taken += is_taken(&made, &made.state);
        cm_buffer_destroy(&made.ids[0]);
    }
    assert_in_range(taken, 1, 190);
    made.ids[0] = good;
    made.ids_count = 0; /* it is not there */
    assert_false(is_taken(&made, &made.state));
    made.ids_count = 1;
    stream_images_destroy(&made);
    streams_end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_traits_outlast_a_restart),
        cmocka_unit_test(test_an_empty_stream),
        cmocka_unit_test(test_ids_are_forgotten_in_their_turn),
        cmocka_unit_test(test_a_broken_first_event),
        cmocka_unit_test(test_another_model),
        cmocka_unit_test(test_lenient_and_then_not),
        cmocka_unit_test(test_cut_off_anywhere),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_damaged_at_random),
        cmocka_unit_test(test_damaged_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
