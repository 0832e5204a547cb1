/*
 * The lines of a stream. They are the same events in one block and each in one of its own; what is
 * good makes a record, its `seq` fits 63 bits, and a rejected line can be written and read again.
 */
#include <jansson.h>

#include "fuzz/fuzz.h"
#include "fuzz/rows.h"
#include "io/event_reader.h"
#include "io/reject_writer.h"

static void say_event(cm_buffer *said, const cm_event *event, uint64_t line, size_t offset)
{
    cm_buffer_append_u64(said, line);
    cm_buffer_append_char(said, ' ');
    cm_buffer_append_u64(said, offset + event->row.start);
    cm_buffer_append_char(said, ' ');
    cm_buffer_append_u64(said, offset + event->row.end);
    cm_buffer_append_char(said, ' ');
    if (event->row.malformed != NULL) {
        cm_buffer_append_u64(said, offset + event->row.byte);
        cm_buffer_append_text(said, event->row.malformed);
        cm_buffer_append_text(said, event->field == NULL ? "" : event->field);
    } else {
        cm_buffer_append_u64(said, event->kind);
        cm_buffer_append_u64(said, event->has_seq ? event->seq + 1 : 0);
    }
    cm_buffer_append_char(said, '\n');
}

/* The line as a reject tells it is the line. */
static void try_reject(const cm_event *event, cm_slice line)
{
    cm_buffer text = {0};
    const cm_reject_line reject = {.source = "-",
                                   .line = 1,
                                   .field = event->field,
                                   .reason = event->row.malformed,
                                   .row = line};
    cm_reject_write(&text, &reject);
    json_t *json = json_loadb(text.data, text.size, JSON_ALLOW_NUL, NULL);
    FUZZ_CHECK(json_is_object(json));
    const json_t *row = json_object_get(json, "row");
    FUZZ_CHECK(row == NULL ? json_is_string(json_object_get(json, "row_base64"))
                           : cm_slice_equal(line, cm_slice_of(json_string_value(row),
                                                              json_string_length(row))));
    json_decref(json);
    cm_buffer_destroy(&text);
}

static const cm_event_layouts *known_layouts(void)
{
    static cm_event_layouts layouts;
    if (layouts.of[0].field_count == 0)
        cm_event_layouts_init(&layouts);
    return &layouts;
}

/* Read a block; returns the lines in it. */
static uint64_t read_events(cm_slice bytes, uint64_t line, size_t offset, bool is_first,
                            cm_buffer *said)
{
    cm_event_reader reader;
    cm_event event;
    cm_arena arena = {0};
    cm_event_reader_init(&reader, known_layouts(), bytes.data, bytes.size, &arena);
    while (cm_event_reader_next(&reader, &event)) {
        const cm_row *row = &event.row;
        say_event(said, &event, line + row->line, offset);
        FUZZ_CHECK(row->start <= row->end && row->end <= bytes.size);
        if (row->malformed != NULL && is_first)
            try_reject(&event, cm_slice_of(bytes.data + row->start, row->end - row->start));
        if (row->malformed != NULL)
            continue;
        FUZZ_CHECK(event.kind == CM_ROW_CLICK || event.kind == CM_ROW_CONVERSION);
        FUZZ_CHECK(!event.has_seq || event.seq <= INT64_MAX);
        fuzz_rows_build(event.kind, row->values, &arena);
    }
    FUZZ_CHECK(!reader.out_of_memory);
    cm_arena_destroy(&arena);
    return reader.rows.line;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    cm_buffer whole = {0}, parts = {0};
    uint64_t line = 0;
    (void)read_events(cm_slice_of((const char *)bytes, size), 0, 0, true, &whole);
    for (size_t at = 0, end; at < size; at = end) {
        const uint8_t *found = memchr(bytes + at, '\n', size - at);
        end = found == NULL ? size : (size_t)(found - bytes) + 1;
        char *exact = malloc(end - at);
        FUZZ_CHECK(exact != NULL);
        memcpy(exact, bytes + at, end - at);
        line += read_events(cm_slice_of(exact, end - at), line, at, false, &parts);
        free(exact);
    }
    FUZZ_CHECK(
        cm_slice_equal(cm_slice_of(whole.data, whole.size), cm_slice_of(parts.data, parts.size)));
    cm_buffer_destroy(&whole);
    cm_buffer_destroy(&parts);
    return 0;
}
