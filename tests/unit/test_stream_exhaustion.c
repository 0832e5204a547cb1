/*
 * Every allocation of a stream failed in turn: it says so, and all it had is freed. What was told
 * before stands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "harness/failing_malloc.h"
#include "oracle/event_world.h"
#include "stream/stream_image.h"
#include "util/buffer.h"

#define HOUR INT64_C(3600000000)

/* All kinds of events: held ones, ahead ones, copies, broken lines, clicks that are forgotten. */
static event_world *some_events(void)
{
    const event_world_options options = {
        .world = {.seed = 5, .click_count = 150, .conversion_count = 80},
        .disorder_us = HOUR,
        .copies_percent = 5,
        .broken_percent = 3,
        .junk_percent = 3};
    return event_world_create(&options);
}

static const cm_stream_options options = {
    .clock = {.lateness_us = HOUR / 12, .grace_us = HOUR, .max_future_us = 24 * HOUR},
    .source = "events"};

typedef struct tally {
    uint64_t results, rejects;
} tally;

static cm_status count_results(void *context, const cm_stream_conversion *from,
                               const cm_conversion *conversions, const cm_result *results,
                               size_t count, cm_error *error)
{
    (void)from, (void)conversions, (void)results, (void)error;
    ((tally *)context)->results += count;
    return CM_OK;
}

static cm_status count_reject(void *context, const cm_event_place *place, const cm_event *event,
                              const cm_reject_line *reject, cm_error *error)
{
    (void)place, (void)event, (void)reject, (void)error;
    ((tally *)context)->rejects++;
    return CM_OK;
}

/* Events in blocks, the end, and the state as bytes. */
static cm_status run_all(cm_stream *stream, const event_world *from, cm_buffer *image,
                         cm_error *error)
{
    cm_status status = CM_OK;
    uint64_t line = 1;
    size_t half = from->events[from->count / 2].start;
    status = cm_stream_take(stream, from->text.data, half, &line, 0, error);
    if (status == CM_OK) {
        cm_stream_image_write(stream, image);
        status = image->failed ? CM_ERROR_MEMORY : CM_OK;
    }
    if (status == CM_OK)
        status = cm_stream_take(stream, from->text.data + half, from->text.size - half, &line, half,
                                error);
    return status == CM_OK ? cm_stream_let_go(stream, error) : status;
}

static cm_status make_and_run(cm_engine *engine, const event_world *from, tally *told,
                              cm_buffer *image)
{
    const cm_stream_listener listener = {
        .results = count_results, .reject = count_reject, .context = told};
    cm_stream *stream = NULL;
    cm_error error = {0};
    cm_status status = cm_stream_create(engine, &options, &listener, &stream, &error);
    if (status == CM_OK)
        status = run_all(stream, from, image, &error);
    if (status != CM_OK && !image->failed)
        assert_int_equal(error.code, status);
    cm_stream_destroy(stream);
    return status;
}

static void test_taking(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    event_world *from = some_events();
    tally all = {0};
    size_t rounds = 0, failures = 0;
    for (bool has_failed = true; has_failed; rounds++) {
        cm_engine *engine;
        cm_buffer image = {0};
        tally told = {0};
        assert_int_equal(cm_engine_create(NULL, NULL, &engine, NULL), CM_OK);
        ptrdiff_t before = failing_malloc_live();
        failing_malloc_arm(rounds);
        cm_status status = make_and_run(engine, from, &told, &image);
        has_failed = failing_malloc_disarm();
        assert_true(status == CM_OK || (has_failed && status == CM_ERROR_MEMORY));
        failures += status != CM_OK;
        all = has_failed ? all : told;
        cm_buffer_destroy(&image);
        cm_engine_destroy(engine);
        assert_true(failing_malloc_live() < before);
    }
    assert_int_equal(all.results, 80);
    assert_true(all.rejects > 3);
    /* Where one fails and yet the whole goes on, there was a way round it. */
    assert_true(failures > 100 && failures > rounds / 2);
    event_world_destroy(from);
}

static cm_status no_ids(void *context, uint64_t serial, cm_buffer *texts, cm_error *error)
{
    (void)context, (void)serial, (void)texts, (void)error;
    return CM_OK;
}

static cm_status read_state(const cm_buffer *image)
{
    const cm_stream_listener listener = {0};
    const cm_ids_source ids = {no_ids, NULL};
    cm_engine *engine;
    cm_stream *stream = NULL;
    cm_status status = cm_engine_create(NULL, NULL, &engine, NULL);
    if (status == CM_OK)
        status = cm_stream_create(engine, &options, &listener, &stream, NULL);
    if (status == CM_OK)
        status = cm_stream_image_read(stream, cm_slice_of(image->data, image->size), &ids, NULL);
    cm_stream_destroy(stream);
    if (engine != NULL)
        cm_engine_destroy(engine);
    return status;
}

static void test_reading_a_state(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    event_world *from = some_events();
    cm_buffer image = {0};
    tally told = {0};
    cm_engine *engine;
    assert_int_equal(cm_engine_create(NULL, NULL, &engine, NULL), CM_OK);
    assert_int_equal(make_and_run(engine, from, &told, &image), CM_OK);
    cm_engine_destroy(engine);
    size_t rounds = 0;
    for (bool has_failed = true; has_failed; rounds++) {
        ptrdiff_t before = failing_malloc_live();
        failing_malloc_arm(rounds);
        cm_status status = read_state(&image);
        has_failed = failing_malloc_disarm();
        assert_int_equal(status, has_failed ? CM_ERROR_MEMORY : CM_OK);
        assert_int_equal(failing_malloc_live(), before);
    }
    assert_true(rounds > 10);
    cm_buffer_destroy(&image);
    event_world_destroy(from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taking),
        cmocka_unit_test(test_reading_a_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
