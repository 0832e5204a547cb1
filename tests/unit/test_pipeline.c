/*
 * Files through the engine, from memory: positions of rejects, duplicates, failures and
 * interruption must be the same at any number of threads, over many blocks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/pipeline.h"

#define ROWS 20000u
#define THREADS_TRIED 3
static const unsigned threads_tried[THREADS_TRIED] = {1, 2, 7};

/* ---- sources and sinks in memory ---- */

struct memory {
    cm_slice bytes;
    size_t at;
    size_t fail_at; /* a read at or after this offset fails; 0: never */
};

static cm_status read_memory(void *context, char *buffer, size_t size, size_t *got, cm_error *error)
{
    struct memory *memory = context;
    if (memory->fail_at > 0 && memory->at >= memory->fail_at)
        return cm_error_set(error, CM_ERROR_IO, "test: the disk is gone");
    size_t left = memory->bytes.size - memory->at;
    *got = left < size ? left : size;
    memcpy(buffer, memory->bytes.data + memory->at, *got);
    memory->at += *got;
    return CM_OK;
}

static cm_source source_of(struct memory *memory)
{
    return (cm_source){.context = memory, .name = "rows.csv", .read = read_memory};
}

static cm_status write_buffer(void *context, const char *bytes, size_t size, cm_error *error)
{
    cm_buffer *buffer = context;
    cm_buffer_append(buffer, bytes, size);
    return buffer->failed ? cm_error_memory(error, "the test's output", size) : CM_OK;
}

static cm_status refuse_write(void *context, const char *bytes, size_t size, cm_error *error)
{
    (void)context;
    (void)bytes;
    (void)size;
    return cm_error_set(error, CM_ERROR_IO, "test: disk full");
}

static cm_status keep_reject(void *context, const cm_reject_line *reject, cm_error *error)
{
    (void)error;
    cm_reject_write(context, reject);
    return CM_OK;
}

/* ---- input ---- */

static void append_format(cm_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void append_format(cm_buffer *buffer, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cm_buffer_append(buffer, text, (size_t)size);
}

static cm_buffer make_clicks(void)
{
    cm_buffer buffer = {0};
    append_format(&buffer, "tenant_id,click_id,click_timestamp,ip_address,user_agent,note\n");
    for (unsigned i = 0; i < ROWS; i++) {
        const char *address = i % 1000 == 17 ? "999.1.1.1" : "203.0.113.7";
        unsigned id = i % 100 == 50 ? i - 1 : i; /* a duplicate of the row before */
        append_format(&buffer,
                      "shop,k%u,2026-03-%02uT10:%02u:00Z,%s,\"Agent, %u\",\"two\nlines\"\n", id,
                      1 + i / 1000, i % 60, address, i % 9);
        if (i % 5000 == 77)
            append_format(&buffer, "cut,short\n");
    }
    return buffer;
}

static cm_buffer make_conversions(void)
{
    cm_buffer buffer = {0};
    append_format(&buffer,
                  "conversion_id,tenant_id,conversion_timestamp,click_id,ip_address,user_agent\n");
    for (unsigned i = 0; i < ROWS; i++)
        append_format(&buffer, "c%u,shop,%s2026-03-%02uT11:00:00Z,%s%u,203.0.113.7,Agent %u\n",
                      i % 100 == 99 ? i - 1 : i, i % 997 == 3 ? "x" : "", 1 + i / 1000,
                      i % 3 == 0 ? "k" : "z", i, i % 9);
    return buffer;
}

static cm_pipeline_options options_of(unsigned threads, cm_buffer *rejects)
{
    return (cm_pipeline_options){
        .threads = threads, .reject = rejects == NULL ? NULL : keep_reject, .context = rejects};
}

/* ---- tests ---- */

struct run {
    cm_buffer rejects, output;
    cm_source_counts clicks, conversions;
    cm_match_counts matched;
};

static void run_all(const cm_buffer *clicks, const cm_buffer *conversions, unsigned threads,
                    struct run *run)
{
    cm_engine *engine;
    cm_conversion_ids ids = {0};
    *run = (struct run){0};
    assert_int_equal(cm_engine_create(NULL, NULL, &engine, NULL), CM_OK);
    struct memory click_memory = {.bytes = cm_slice_of(clicks->data, clicks->size)};
    struct memory conversion_memory = {.bytes = cm_slice_of(conversions->data, conversions->size)};
    cm_source click_source = source_of(&click_memory);
    cm_source conversion_source = source_of(&conversion_memory);
    cm_sink sink = {.context = &run->output, .name = "output", .write = write_buffer};
    cm_pipeline_options options = options_of(threads, &run->rejects);
    assert_int_equal(cm_pipeline_load(engine, &click_source, &options, &run->clicks, NULL), CM_OK);
    assert_int_equal(cm_pipeline_match(engine, &ids, &conversion_source, CM_FORMAT_CSV, &sink,
                                       &options, &run->conversions, &run->matched, NULL),
                     CM_OK);
    cm_conversion_ids_destroy(&ids);
    cm_engine_destroy(engine);
}

static void destroy_run(struct run *run)
{
    cm_buffer_destroy(&run->rejects);
    cm_buffer_destroy(&run->output);
}

static size_t lines_in(const cm_buffer *buffer)
{
    size_t lines = 0;
    for (size_t i = 0; i < buffer->size; i++)
        lines += buffer->data[i] == '\n';
    return lines;
}

/* Each click takes two lines, so row i of the first 77 begins at line 2 + 2 i. */
static void assert_positions(const cm_buffer *rejects)
{
    const char *first = "{\"source\":\"rows.csv\",\"line\":36,\"byte\":";
    assert_memory_equal(rejects->data, first, strlen(first));
    const char *second = "\"line\":158,\"byte\":";
    char *found = memmem(rejects->data, rejects->size, second, strlen(second));
    assert_non_null(found);
    const char *whole = "\"field\":null";
    assert_non_null(memmem(found, 120, whole, strlen(whole)));
}

static void test_same_at_any_number_of_threads(void **state)
{
    (void)state;
    cm_buffer clicks = make_clicks();
    cm_buffer conversions = make_conversions();
    struct run first;
    run_all(&clicks, &conversions, 1, &first);
    assert_int_equal(first.clicks.rows, ROWS + 4);
    assert_int_equal(first.clicks.rejected, 20 + 4);
    assert_int_equal(first.clicks.duplicates, 200);
    assert_int_equal(first.conversions.rejected, 21);
    assert_int_equal(first.conversions.duplicates, 200);
    assert_int_equal(first.matched.conversions, ROWS - 21 - 200);
    assert_int_equal(lines_in(&first.output), first.matched.conversions);
    assert_int_equal(lines_in(&first.rejects), 24 + 21);
    assert_positions(&first.rejects);
    for (size_t i = 1; i < THREADS_TRIED; i++) {
        struct run other;
        run_all(&clicks, &conversions, threads_tried[i], &other);
        assert_int_equal(other.output.size, first.output.size);
        assert_memory_equal(other.output.data, first.output.data, first.output.size);
        assert_int_equal(other.rejects.size, first.rejects.size);
        assert_memory_equal(other.rejects.data, first.rejects.data, first.rejects.size);
        assert_memory_equal(&other.clicks, &first.clicks, sizeof first.clicks);
        assert_memory_equal(&other.matched, &first.matched, sizeof first.matched);
        destroy_run(&other);
    }
    destroy_run(&first);
    cm_buffer_destroy(&clicks);
    cm_buffer_destroy(&conversions);
}

static void load_and_expect(struct memory *memory, cm_pipeline_options options, cm_status expected,
                            const char *message)
{
    cm_engine *engine;
    cm_error error = {0};
    cm_source_counts counts;
    assert_int_equal(cm_engine_create(NULL, NULL, &engine, NULL), CM_OK);
    cm_source source = source_of(memory);
    memory->at = 0;
    assert_int_equal(cm_pipeline_load(engine, &source, &options, &counts, &error), expected);
    assert_non_null(strstr(error.message, message));
    cm_engine_destroy(engine);
}

static void test_a_failing_read_ends_the_run(void **state)
{
    (void)state;
    cm_buffer clicks = make_clicks();
    struct memory memory = {.bytes = cm_slice_of(clicks.data, clicks.size), .fail_at = 700000};
    for (size_t i = 0; i < THREADS_TRIED; i++)
        load_and_expect(&memory, options_of(threads_tried[i], NULL), CM_ERROR_IO,
                        "test: the disk is gone");
    cm_buffer_destroy(&clicks);
}

static void test_interruption(void **state)
{
    (void)state;
    cm_buffer clicks = make_clicks();
    struct memory memory = {.bytes = cm_slice_of(clicks.data, clicks.size)};
    atomic_bool interrupted = true;
    for (size_t i = 0; i < THREADS_TRIED; i++) {
        cm_pipeline_options options = options_of(threads_tried[i], NULL);
        options.interrupted = &interrupted;
        load_and_expect(&memory, options, CM_ERROR_INTERRUPTED, "rows.csv");
    }
    cm_buffer_destroy(&clicks);
}

static void test_a_failing_write_ends_the_run(void **state)
{
    (void)state;
    cm_buffer conversions = make_conversions();
    cm_sink sink = {.name = "output", .write = refuse_write};
    for (size_t i = 0; i < THREADS_TRIED; i++) {
        cm_engine *engine;
        cm_error error = {0};
        cm_conversion_ids ids = {0};
        cm_source_counts counts;
        cm_match_counts matched = {0};
        struct memory memory = {.bytes = cm_slice_of(conversions.data, conversions.size)};
        cm_source source = source_of(&memory);
        cm_pipeline_options options = options_of(threads_tried[i], NULL);
        assert_int_equal(cm_engine_create(NULL, NULL, &engine, NULL), CM_OK);
        assert_int_equal(cm_pipeline_match(engine, &ids, &source, CM_FORMAT_CSV, &sink, &options,
                                           &counts, &matched, &error),
                         CM_ERROR_IO);
        assert_string_equal(error.message, "test: disk full");
        cm_conversion_ids_destroy(&ids);
        cm_engine_destroy(engine);
    }
    cm_buffer_destroy(&conversions);
}

static void test_lenient_counts_by_field(void **state)
{
    (void)state;
    cm_buffer clicks = make_clicks();
    struct memory memory = {.bytes = cm_slice_of(clicks.data, clicks.size)};
    for (size_t i = 0; i < THREADS_TRIED; i++) {
        cm_engine *engine;
        cm_source_counts counts;
        cm_source source = source_of(&memory);
        cm_pipeline_options options = options_of(threads_tried[i], NULL);
        options.build.lenient = true;
        memory.at = 0;
        assert_int_equal(cm_engine_create(NULL, NULL, &engine, NULL), CM_OK);
        assert_int_equal(cm_pipeline_load(engine, &source, &options, &counts, NULL), CM_OK);
        assert_int_equal(counts.lenient[CM_CLICK_IP_ADDRESS], 20);
        assert_int_equal(counts.rejected, 4);
        cm_engine_destroy(engine);
    }
    cm_buffer_destroy(&clicks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_at_any_number_of_threads),
        cmocka_unit_test(test_a_failing_read_ends_the_run),
        cmocka_unit_test(test_interruption),
        cmocka_unit_test(test_a_failing_write_ends_the_run),
        cmocka_unit_test(test_lenient_counts_by_field),
    };
    return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
