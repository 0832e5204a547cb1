/* Result lines of a stream on their way to a file or pipe, and how long events took. */
#ifndef CM_CMD_STREAM_OUTPUT_H
#define CM_CMD_STREAM_OUTPUT_H

#include "file/output.h"
#include "io/result_writer.h"
#include "stream/stream.h"
#include "util/histogram.h"

#define CM_OUTPUT_MARKS 64

/** Lines that are not written yet. */
typedef struct cm_stream_output {
    cm_output *output; /* borrowed; NULL: results go elsewhere, only their times are taken */
    cm_format format;
    uint64_t linger_ns;
    cm_buffer buffer;
    struct { /* events that came together */
        uint64_t read_ns;
        uint64_t count;
    } marks[CM_OUTPUT_MARKS];
    size_t mark_count;
    cm_histogram latency; /* from when an event was read to when its result was written, ns */
    double latency_sum_seconds;
} cm_stream_output;

/** Begin; the header of a CSV goes out with the first lines. */
void cm_stream_output_init(cm_stream_output *output, cm_output *to, cm_format format,
                           uint64_t linger_us, bool has_header);
void cm_stream_output_destroy(cm_stream_output *output);

/** Add results. read_ns: when their events came. CM_OK, CM_ERROR_MEMORY or CM_ERROR_IO. */
cm_status cm_stream_output_put(cm_stream_output *output, const cm_stream_conversion *from,
                               const cm_conversion *conversions, const cm_result *results,
                               size_t count, const char *model, uint64_t read_ns, cm_error *error);

/** Write what waits. */
cm_status cm_stream_output_flush(cm_stream_output *output, cm_error *error);

/** Write it if there is much of it, or it has waited as long as it may. */
cm_status cm_stream_output_tick(cm_stream_output *output, uint64_t now_ns, cm_error *error);

#endif
