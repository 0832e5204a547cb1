#include "harness/streams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/time_text.h"
#include "io/result_writer.h"

cm_clock_options streams_clock(void)
{
    return (cm_clock_options){.lateness_us = 5 * STREAMS_MINUTE, .max_future_us = STREAMS_HOUR};
}

/* ---- what a stream tells ---- */

static cm_status hear_click(void *context, const cm_event_place *place, const cm_click *click,
                            const cm_value *values, cm_slice text, cm_error *error)
{
    streams_run *run = context;
    (void)place, (void)values, (void)text, (void)error;
    cm_buffer_append_slice(&run->clicks, click->click_id);
    cm_buffer_append_char(&run->clicks, '\n');
    return CM_OK;
}

/* The event that the listener is shown is the conversion's, held or not. */
static void assert_came_of(const cm_stream_conversion *from, const cm_conversion *conversion)
{
    const cm_value *id = &from->values[CM_CONVERSION_CONVERSION_ID];
    assert_true(cm_slice_equal(id->text, conversion->conversion_id));
    assert_non_null(memmem(from->text.data, from->text.size, id->text.data, id->text.size));
}

static cm_status hear_results(void *context, const cm_stream_conversion *from,
                              const cm_conversion *conversions, const cm_result *results,
                              size_t count, cm_error *error)
{
    streams_run *run = context;
    if (run->refuses != CM_OK)
        return cm_error_set(error, run->refuses, "the listener refuses");
    for (size_t i = 0; i < count; i++) {
        assert_came_of(&from[i], &conversions[i]);
        const cm_result_mark mark = {from[i].place.has_seq, from[i].is_late, from[i].place.seq};
        cm_result_write_marked(CM_FORMAT_NDJSON, &run->results, conversions[i].conversion_id,
                               conversions[i].tenant_id, &results[i],
                               cm_model_label(run->engine->model), &mark);
    }
    run->results_count += count;
    return CM_OK;
}

static cm_status hear_reject(void *context, const cm_event_place *place, const cm_event *event,
                             const cm_reject_line *reject, cm_error *error)
{
    streams_run *run = context;
    (void)place, (void)event, (void)error;
    cm_reject_write(&run->rejects, reject);
    return CM_OK;
}

/* ---- a run ---- */

void streams_begin(streams_run *run, const cm_clock_options *clock, const char *model_json)
{
    const cm_stream_options options = {.clock = *clock, .source = "events"};
    const cm_stream_listener listener = {hear_click, hear_results, hear_reject, true, run};
    cm_model *model = NULL;
    *run = (streams_run){.line = 1};
    if (model_json != NULL)
        assert_int_equal(cm_model_create(model_json, strlen(model_json), &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(NULL, model, &run->engine, NULL), CM_OK);
    cm_model_destroy(model);
    assert_int_equal(cm_stream_create(run->engine, &options, &listener, &run->stream, NULL), CM_OK);
}

/* The block is a copy that goes at once: nothing may be left that points into it. */
cm_status streams_try(streams_run *run, const char *text, size_t size)
{
    char *block = malloc(size + 1);
    assert_non_null(block);
    memcpy(block, text, size);
    cm_error error = {0};
    cm_status status = cm_stream_take(run->stream, block, size, &run->line, run->byte, &error);
    memset(block, '#', size);
    free(block);
    run->byte += size;
    return status;
}

void streams_take(streams_run *run, const char *text, size_t size)
{
    assert_int_equal(streams_try(run, text, size), CM_OK);
}

void streams_feed(streams_run *run, cm_buffer *text)
{
    streams_take(run, text->data, text->size);
    cm_buffer_destroy(text);
}

void streams_take_lines(streams_run *run, cm_slice text, size_t lines_max)
{
    for (size_t at = 0, end; at < text.size; at = end) {
        end = at;
        for (size_t lines = 0; lines < lines_max && end < text.size; lines++) {
            const char *found = memchr(text.data + end, '\n', text.size - end);
            end = found == NULL ? text.size : (size_t)(found - text.data) + 1;
        }
        streams_take(run, text.data + at, end - at);
    }
}

void streams_let_go(streams_run *run)
{
    assert_int_equal(cm_stream_let_go(run->stream, NULL), CM_OK);
}

void streams_end(streams_run *run)
{
    cm_stream_destroy(run->stream);
    cm_engine_destroy(run->engine);
    cm_buffer_destroy(&run->results);
    cm_buffer_destroy(&run->rejects);
    cm_buffer_destroy(&run->clicks);
}

/* ---- what came out ---- */

static void assert_same_lines(const char *what, const cm_buffer *a, const cm_buffer *b)
{
    size_t least = a->size < b->size ? a->size : b->size, line = 0;
    for (size_t at = 0; at < least && a->data[at] == b->data[at]; at++)
        line = a->data[at] == '\n' ? at + 1 : line;
    if (a->size != b->size || (least > 0 && memcmp(a->data, b->data, least) != 0))
        fail_msg("%s of %zu and %zu bytes differ:\n%.600s\n%.600s", what, a->size, b->size,
                 line < a->size ? a->data + line : "", line < b->size ? b->data + line : "");
}

void streams_assert_same(const streams_run *a, const streams_run *b)
{
    assert_same_lines("results", &a->results, &b->results);
    assert_same_lines("rejects", &a->rejects, &b->rejects);
}

void streams_assert_text(const cm_buffer *text, const char *wanted)
{
    const cm_buffer other = {.data = (char *)(uintptr_t)wanted, .size = strlen(wanted)};
    assert_same_lines("texts", text, &other);
}

void streams_assert_told(const streams_run *run, const char *wanted)
{
    static const char key[] = "{\"conversion_id\":\"";
    char told[4096] = "";
    size_t used = 0;
    const char *data = run->results.size > 0 ? run->results.data : "";
    const char *end = data + run->results.size;
    for (const char *at = data; at < end;) {
        assert_memory_equal(at, key, sizeof key - 1);
        const char *id = at + sizeof key - 1;
        used += (size_t)snprintf(told + used, sizeof told - used, "%s%.*s", used > 0 ? " " : "",
                                 (int)strcspn(id, "\""), id);
        assert_true(used < sizeof told);
        at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
    }
    assert_string_equal(told, wanted);
}

void streams_assert_line(const streams_run *run, const char *id, const char *part, bool is_there)
{
    char key[100];
    (void)snprintf(key, sizeof key, "{\"conversion_id\":\"%s\",", id);
    const char *end = run->results.data + run->results.size, *line = end;
    if (run->results.size > 0)
        line = memmem(run->results.data, run->results.size, key, strlen(key));
    if (line == NULL || line == end) {
        fail_msg("no result of %s", id);
        return;
    }
    size_t size = strcspn(line, "\n");
    if ((memmem(line, size, part, strlen(part)) != NULL) != is_there)
        fail_msg("%s %s in: %.*s", is_there ? "no" : "there is", part, (int)size, line);
}

/* ---- events ---- */

void streams_click(cm_buffer *text, const char *id, int64_t time_us, const char *more)
{
    cm_buffer_append_text(text, "{\"event\":\"click\",\"tenant_id\":\"t\",\"click_id\":\"");
    cm_buffer_append_text(text, id);
    cm_buffer_append_text(text, "\",\"click_timestamp\":");
    time_text_append(text, time_us);
    cm_buffer_append_text(text, more);
    cm_buffer_append_text(text, "}\n");
}

void streams_conversion(cm_buffer *text, const char *id, const char *click_id, int64_t time_us,
                        const char *more)
{
    cm_buffer_append_text(text, "{\"event\":\"conversion\",\"tenant_id\":\"t\",");
    if (click_id != NULL) {
        cm_buffer_append_text(text, "\"click_id\":\"");
        cm_buffer_append_text(text, click_id);
        cm_buffer_append_text(text, "\",");
    }
    cm_buffer_append_text(text, "\"conversion_id\":\"");
    cm_buffer_append_text(text, id);
    cm_buffer_append_text(text, "\",\"conversion_timestamp\":");
    time_text_append(text, time_us);
    cm_buffer_append_text(text, more);
    cm_buffer_append_text(text, "}\n");
}
