#include "cmd/stream_output.h"

#include "cmd/clock.h"
#include "util/error.h"

#define FLUSH_BYTES ((size_t)64 << 10)

void cm_stream_output_init(cm_stream_output *output, cm_output *to, cm_format format,
                           uint64_t linger_us, bool has_header)
{
    output->output = to;
    output->format = format;
    output->linger_ns = linger_us * 1000;
    if (to != NULL && has_header)
        cm_result_write_marked_header(format, &output->buffer);
}

void cm_stream_output_destroy(cm_stream_output *output)
{
    cm_buffer_destroy(&output->buffer);
}

/* Remember how many results wait since when. */
static void mark(cm_stream_output *output, uint64_t read_ns, size_t count)
{
    size_t last = output->mark_count;
    if (last > 0 && (output->marks[last - 1].read_ns == read_ns || last == CM_OUTPUT_MARKS)) {
        output->marks[last - 1].count += count;
        return;
    }
    output->marks[last].read_ns = read_ns;
    output->marks[last].count = count;
    output->mark_count++;
}

cm_status cm_stream_output_put(cm_stream_output *output, const cm_stream_conversion *from,
                               const cm_conversion *conversions, const cm_result *results,
                               size_t count, const char *model, uint64_t read_ns, cm_error *error)
{
    mark(output, read_ns, count);
    if (output->output == NULL)
        return CM_OK;
    for (size_t i = 0; i < count; i++) {
        const cm_result_mark line = {from[i].place.has_seq, from[i].is_late, from[i].place.seq};
        cm_result_write_marked(output->format, &output->buffer, conversions[i].conversion_id,
                               conversions[i].tenant_id, &results[i], model, &line);
    }
    return output->buffer.size < FLUSH_BYTES ? CM_OK : cm_stream_output_flush(output, error);
}

static void take_times(cm_stream_output *output)
{
    uint64_t now_ns = cm_clock_ns();
    for (size_t i = 0; i < output->mark_count; i++) {
        uint64_t took_ns = now_ns - output->marks[i].read_ns;
        cm_histogram_record_many(&output->latency, took_ns, output->marks[i].count);
        output->latency_sum_seconds += (double)took_ns * (double)output->marks[i].count / 1e9;
    }
    output->mark_count = 0;
}

cm_status cm_stream_output_flush(cm_stream_output *output, cm_error *error)
{
    cm_status status = CM_OK;
    if (output->buffer.failed)
        return cm_error_memory(error, "results", FLUSH_BYTES);
    if (output->buffer.size > 0) {
        cm_sink *sink = cm_output_sink(output->output);
        status = sink->write(sink->context, output->buffer.data, output->buffer.size, error);
        output->buffer.size = 0;
    }
    take_times(output);
    return status;
}

cm_status cm_stream_output_tick(cm_stream_output *output, uint64_t now_ns, cm_error *error)
{
    if (output->mark_count == 0 || now_ns - output->marks[0].read_ns < output->linger_ns)
        return CM_OK;
    return cm_stream_output_flush(output, error);
}
