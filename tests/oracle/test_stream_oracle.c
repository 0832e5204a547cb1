/*
 * Streams against the brute-force reference on random events: every result line, byte by byte. What
 * must not matter (where the input is cut, restarts) is varied.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/random.h"
#include "harness/stream_images.h"
#include "io/result_writer.h"
#include "oracle/reference_stream.h"

#define WORLDS_DEFAULT 120

static size_t world_count(void)
{
    const char *asked = getenv("ORACLE_WORLDS");
    return asked == NULL ? WORLDS_DEFAULT : strtoull(asked, NULL, 10);
}

/* ---- one world and what the reference says of it ---- */

typedef struct fixture {
    uint64_t number, random;
    reference_model numbers;
    char *json; /* NULL: the default model */
    cm_clock_options clock;
    event_world *world;
    reference_stream *reference;
} fixture;

static int64_t one_of(uint64_t *random, const int64_t choices[4])
{
    return choices[random_below(random, 4)];
}

static void choose_clock(fixture *f)
{
    static const int64_t lateness[] = {0, 5 * STREAMS_MINUTE, 2 * STREAMS_HOUR, STREAMS_DAY};
    static const int64_t grace[] = {0, STREAMS_SECOND, STREAMS_HOUR, 3 * STREAMS_DAY};
    static const int64_t future[] = {STREAMS_SECOND, STREAMS_HOUR, 3 * STREAMS_DAY,
                                     3000 * STREAMS_DAY};
    f->clock.lateness_us = one_of(&f->random, lateness);
    f->clock.grace_us = one_of(&f->random, grace);
    f->clock.max_future_us = one_of(&f->random, future);
}

static void choose_world(fixture *f)
{
    static const int64_t disorder[] = {0, STREAMS_MINUTE, STREAMS_DAY, 10 * STREAMS_DAY};
    event_world_options options = {.world = {.seed = f->number,
                                             .click_count = 200 + random_below(&f->random, 300),
                                             .conversion_count = 60 + random_below(&f->random, 150),
                                             .shape = f->number % WORLD_SHAPE_COUNT,
                                             .model = &f->numbers},
                                   .disorder_us = one_of(&f->random, disorder),
                                   .junk_percent = 5};
    options.copies_percent = random_below(&f->random, 2) * 10;
    options.broken_percent = random_below(&f->random, 3);
    options.pauses_percent = random_below(&f->random, 2) * 3;
    f->world = event_world_create(&options);
}

static void ask_reference(fixture *f)
{
    const reference_clock clock = {f->clock.lateness_us, f->clock.grace_us, f->clock.max_future_us};
    f->reference = reference_stream_create(&clock, &f->numbers);
    for (size_t i = 0; i < f->world->count; i++) {
        const world_event *event = &f->world->events[i];
        if (event->kind == EVENT_PAUSE)
            reference_stream_let_go(f->reference);
        else if (event->kind != EVENT_JUNK)
            reference_stream_take(f->reference, event);
    }
    reference_stream_let_go(f->reference);
}

static void setup(fixture *f, uint64_t number)
{
    *f = (fixture){.number = number, .random = number + 1};
    f->json = world_model(number, &f->numbers);
    if (number % 4 == 0) {
        free(f->json);
        f->json = NULL;
        f->numbers = reference_model_default;
    }
    choose_clock(f);
    choose_world(f);
    ask_reference(f);
}

static void teardown(fixture *f)
{
    reference_stream_destroy(f->reference);
    event_world_destroy(f->world);
    free(f->json);
}

/* ---- the stream ---- */

typedef enum how { WHOLE, BY_LINE, BY_CHANCE, WITH_RESTARTS } how;

static void take_lines(fixture *f, streams_run *run, size_t start, size_t end, how way)
{
    const cm_slice text = cm_slice_of(f->world->text.data + start, end - start);
    if (way == WHOLE || way == WITH_RESTARTS)
        streams_take(run, text.data, text.size);
    else
        streams_take_lines(run, text, way == BY_LINE ? 1 : 1 + random_below(&f->random, 70));
}

static void run_stream(fixture *f, streams_run *run, how way)
{
    size_t start = 0;
    streams_begin(run, &f->clock, f->json);
    for (size_t i = 0; i < f->world->count; i++) {
        const world_event *event = &f->world->events[i];
        bool restarts = way == WITH_RESTARTS && random_below(&f->random, 40) == 0;
        if (event->kind != EVENT_PAUSE && !restarts)
            continue;
        take_lines(f, run, start, event->start, way);
        start = event->start;
        if (event->kind == EVENT_PAUSE)
            streams_let_go(run);
        if (restarts)
            stream_images_restart(run, f->json);
    }
    take_lines(f, run, start, f->world->text.size, way);
    streams_let_go(run);
}

/* ---- comparing ---- */

static void write_wanted(const reference_told *told, const char *model, cm_buffer *line)
{
    const cm_result_mark mark = {true, told->is_late, told->event->seq};
    const cm_conversion *conversion = &told->event->conversion;
    line->size = 0;
    cm_result_write_marked(CM_FORMAT_NDJSON, line, conversion->conversion_id, conversion->tenant_id,
                           &told->result, model, &mark);
}

/* Of a late one only whose it is, and the mark. */
static bool fits_late(const cm_buffer *wanted, cm_slice line)
{
    size_t head =
        (size_t)((char *)memmem(wanted->data, wanted->size, ",\"click_id\":", 12) - wanted->data);
    const char *mark = memmem(wanted->data, wanted->size, ",\"seq\":", 7);
    size_t tail = wanted->size - (size_t)(mark - wanted->data);
    return line.size > head + tail && memcmp(line.data, wanted->data, head) == 0 &&
           memcmp(line.data + line.size - tail, mark, tail) == 0;
}

static void assert_results(const fixture *f, const streams_run *run)
{
    size_t count, at = 0;
    const reference_told *told = reference_stream_told(f->reference, &count);
    cm_buffer wanted = {0};
    for (size_t i = 0; i < count; i++) {
        const char *start = run->results.data + at;
        const char *end =
            run->results.size == at ? NULL : memchr(start, '\n', run->results.size - at);
        if (end == NULL)
            fail_msg("world %llu: %zu results, not %zu", (unsigned long long)f->number, i, count);
        cm_slice line = cm_slice_of(start, (size_t)(end + 1 - start));
        at += line.size;
        write_wanted(&told[i], cm_model_label(run->engine->model), &wanted);
        if (told[i].is_late ? !fits_late(&wanted, line)
                            : !cm_slice_equal(line, cm_slice_of(wanted.data, wanted.size)))
            fail_msg("world %llu, result %zu:\n%.*s%.*s", (unsigned long long)f->number, i,
                     (int)line.size, line.data, (int)wanted.size, wanted.data);
    }
    cm_buffer_destroy(&wanted);
    if (at != run->results.size)
        fail_msg("world %llu: more than %zu results", (unsigned long long)f->number, count);
}

/* Each broken line once, and with the number of its line. */
static void assert_rejects(const fixture *f, const streams_run *run)
{
    const char *at = run->rejects.data;
    uint64_t line = 0, junk = 0;
    char wanted[40];
    for (size_t i = 0; i < f->world->count; i++) {
        line += f->world->events[i].kind != EVENT_PAUSE;
        if (f->world->events[i].kind != EVENT_JUNK)
            continue;
        junk++;
        int size = snprintf(wanted, sizeof wanted, "{\"source\":\"events\",\"line\":%llu,",
                            (unsigned long long)line);
        assert_memory_equal(at, wanted, (size_t)size);
        at = (const char *)memchr(at, '\n', run->rejects.size) + 1;
    }
    assert_ptr_equal(at, run->rejects.data + run->rejects.size);
    const cm_stream_counts *counts = &run->stream->counts;
    if (counts->waited == 0 || junk == 0)
        assert_int_equal(counts->refused, 0);
}

/* Clicks that were stored and are no more. */
static size_t forgotten_by(const streams_run *run)
{
    const cm_source_counts *clicks = &run->stream->counts.kinds[CM_ROW_CLICK];
    return (size_t)(clicks->rows - clicks->rejected - clicks->duplicates -
                    run->stream->counts.too_old) -
           cm_engine_click_count(run->engine);
}

/* What does not matter: the reference is silent on clicks that late conversions may find. */
static void test_cuts_and_restarts_change_nothing(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < world_count(); number++) {
        fixture f;
        streams_run whole, cut;
        setup(&f, number);
        run_stream(&f, &whole, WHOLE);
        for (how way = BY_LINE; way <= WITH_RESTARTS; way++) {
            run_stream(&f, &cut, way);
            streams_assert_same(&whole, &cut);
            assert_int_equal(cm_engine_click_count(whole.engine),
                             cm_engine_click_count(cut.engine));
            streams_end(&cut);
        }
        streams_end(&whole);
        teardown(&f);
    }
}

static void check(how way, size_t worlds)
{
    size_t unsure = 0, late = 0, waited = 0, results = 0, forgotten = 0;
    for (uint64_t number = 0; number < worlds; number++) {
        fixture f;
        streams_run run;
        setup(&f, number);
        if (reference_stream_is_unsure(f.reference)) {
            unsure++;
        } else {
            run_stream(&f, &run, way);
            assert_results(&f, &run);
            assert_rejects(&f, &run);
            late += run.stream->counts.late;
            waited += run.stream->counts.waited;
            results += run.results_count;
            forgotten += way == WITH_RESTARTS ? 2 : forgotten_by(&run);
            streams_end(&run);
        }
        teardown(&f);
    }
    print_message("%zu worlds, %zu unsure, %zu results, %zu late, %zu waited, %zu forgotten\n",
                  worlds, unsure, results, late, waited, forgotten);
    assert_true(unsure <= worlds / 5);
    assert_true(results > 50 * worlds && late > 0 && waited > 0 && forgotten > worlds);
}

static void test_results_are_those_of_the_reference(void **state)
{
    (void)state;
    check(WHOLE, world_count());
}

static void test_restarted_again_and_again(void **state)
{
    (void)state;
    check(WITH_RESTARTS, world_count());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_are_those_of_the_reference),
        cmocka_unit_test(test_cuts_and_restarts_change_nothing),
        cmocka_unit_test(test_restarted_again_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
