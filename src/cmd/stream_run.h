/* A stream under way: what its parts share. */
#ifndef CM_CMD_STREAM_RUN_H
#define CM_CMD_STREAM_RUN_H

#include "cmd/run.h"
#include "cmd/stream_input.h"
#include "cmd/stream_output.h"

typedef struct cm_stream_run {
    cm_run run;
    cm_model *model; /* as read last */
    cm_engine *engine;
    cm_stream *stream;
    cm_stream_input input;
    cm_stream_output output;
    uint64_t idle_ns;    /* without input for so long, what is held goes */
    uint64_t waiting_ns; /* since when nothing has come; 0: something has */
    bool has_let_go;     /* since something came last */
} cm_stream_run;

/** Take all events, until the input ends or the run is interrupted, and what is held then. */
cm_status cm_stream_run_all(cm_stream_run *run, cm_error *error);

/** What the stream tells: cm_stream_listener's calls; their context is the run. */
cm_status cm_stream_run_results(void *context, const cm_stream_conversion *from,
                                const cm_conversion *conversions, const cm_result *results,
                                size_t count, cm_error *error);
cm_status cm_stream_run_reject(void *context, const cm_event_place *place, const cm_event *event,
                               const cm_reject_line *reject, cm_error *error);

/** Called while the input waits: cm_stream_pause. */
cm_status cm_stream_run_pause(void *context, int *timeout_ms, cm_error *error);

#endif
