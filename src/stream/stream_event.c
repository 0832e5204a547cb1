#include "stream/stream_event.h"

#include "util/check.h"

cm_status cm_arrival_reject(cm_stream *stream, const cm_event *event, const cm_arrival *arrival,
                            const char *field, size_t byte, const char *reason, cm_error *error)
{
    const cm_reject_line line = {.source = stream->options.source,
                                 .line = arrival->place.line,
                                 .byte = arrival->byte + (byte - event->row.start),
                                 .field = field,
                                 .reason = reason,
                                 .row = arrival->text};
    if (stream->listener.reject == NULL)
        return CM_OK;
    return stream->listener.reject(stream->listener.context, &arrival->place, event, &line, error);
}

/* CM_OK, CM_ERROR_FORMAT (why says what is wrong) or CM_ERROR_MEMORY. */
static cm_status make_record(cm_stream *stream, const cm_event *event,
                             const cm_build_options *options, uint64_t *lenient,
                             cm_arrival *arrival, cm_reject *why, cm_error *error)
{
    cm_status status;
    arrival->event = event;
    if (event->kind == CM_ROW_CLICK) {
        status = cm_click_build(event->row.values, options, &stream->arena, lenient,
                                &arrival->click, why);
        arrival->time_us = arrival->click.click_timestamp;
    } else {
        status = cm_conversion_build(event->row.values, options, &stream->arena, lenient,
                                     &arrival->conversion, why);
        arrival->time_us = arrival->conversion.conversion_timestamp;
    }
    if (status == CM_ERROR_MEMORY)
        return cm_error_memory(error, "the values of an event", CM_ROW_BYTES_MAX);
    return status;
}

cm_status cm_arrival_build(cm_stream *stream, const cm_event *event, cm_arrival *arrival,
                           bool *is_good, cm_error *error)
{
    cm_source_counts *counts = &stream->counts.kinds[event->kind];
    cm_reject why;
    const cm_build_options *options = &stream->options.build;
    cm_status status = make_record(stream, event, options, counts->lenient, arrival, &why, error);
    *is_good = status == CM_OK;
    if (status != CM_ERROR_FORMAT)
        return status;
    counts->rejected++;
    bool is_there = event->row.values[why.field].kind != CM_VALUE_MISSING;
    size_t byte = is_there ? event->row.value_bytes[why.field] : event->row.start;
    return cm_arrival_reject(stream, event, arrival, cm_field_name(event->kind, why.field), byte,
                             why.reason, error);
}

/* A line that was held passed the limits of the run in which it came. */
static cm_build_options without_limits(const cm_stream *stream)
{
    cm_build_options options = stream->options.build;
    options.field_bytes_max = 0;
    return options;
}

/* Lenient fields were counted when it came. */
cm_status cm_arrival_read_again(cm_stream *stream, const cm_held_line *line, cm_event *event,
                                cm_arrival *arrival, cm_error *error)
{
    cm_event_reader reader;
    cm_reject why;
    *arrival = (cm_arrival){.event = event};
    cm_event_reader_init(&reader, &stream->layouts, line->text, line->size, &stream->arena);
    if (!cm_event_reader_next(&reader, event)) {
        (void)cm_error_memory(error, "the values of an event", line->size);
        return CM_ERROR_MEMORY;
    }
    arrival->text = cm_slice_of(line->text, line->size);
    arrival->byte = line->byte;
    arrival->place = (cm_event_place){event->has_seq, event->seq, line->line};
    const cm_build_options options = without_limits(stream);
    cm_status status = make_record(stream, event, &options, NULL, arrival, &why, error);
    CM_CHECK(status != CM_ERROR_FORMAT);
    return status;
}

cm_status cm_arrival_reject_again(cm_stream *stream, const cm_held_line *line, cm_error *error)
{
    cm_event_reader reader;
    cm_event event;
    const cm_arrival arrival = {.text = cm_slice_of(line->text, line->size),
                                .byte = line->byte,
                                .place = {.line = line->line}};
    cm_event_reader_init(&reader, &stream->layouts, line->text, line->size, &stream->arena);
    if (!cm_event_reader_next(&reader, &event))
        return cm_error_memory(error, "the values of an event", line->size);
    stream->counts.malformed++;
    return cm_arrival_reject(stream, &event, &arrival, event.field, event.row.byte,
                             event.row.malformed, error);
}

static cm_status check_event(cm_stream *stream, const cm_event *event, bool is_conversion,
                             int64_t time_us)
{
    cm_arrival arrival = {0};
    cm_reject why;
    if (event->row.malformed != NULL || (is_conversion && event->kind == CM_ROW_CLICK))
        return CM_ERROR_FORMAT;
    const cm_build_options options = without_limits(stream);
    cm_status status = make_record(stream, event, &options, NULL, &arrival, &why, NULL);
    return status == CM_OK && arrival.time_us != time_us ? CM_ERROR_FORMAT : status;
}

cm_status cm_stream_check_line(cm_stream *stream, cm_slice text, bool is_conversion,
                               cm_held_line *head)
{
    cm_event_reader reader;
    cm_event event = {0};
    cm_status status = CM_ERROR_FORMAT;
    cm_event_reader_init(&reader, &stream->layouts, text.data, text.size, &stream->arena);
    if (cm_event_reader_next(&reader, &event))
        status = check_event(stream, &event, is_conversion, head->time_us);
    head->has_seq = status == CM_OK && event.has_seq;
    head->seq = head->has_seq ? event.seq : 0;
    if (status == CM_OK && cm_event_reader_next(&reader, &event))
        status = CM_ERROR_FORMAT;
    cm_arena_reset(&stream->arena);
    return reader.out_of_memory ? CM_ERROR_MEMORY : status;
}
