/* A stream under way: what its parts share. */
#ifndef CM_CMD_STREAM_RUN_H
#define CM_CMD_STREAM_RUN_H

#include "cmd/metrics.h"
#include "cmd/model_reload.h"
#include "cmd/run.h"
#include "cmd/stream_checkpoint.h"
#include "cmd/stream_input.h"
#include "cmd/stream_output.h"
#include "cmd/stream_sink.h"
#include "cmd/stream_status.h"

typedef struct cm_stream_run {
    cm_run run;
    cm_model_source source;
    cm_model_reload reload;
    bool begins_built_in;
    cm_model *model; /* as read last */
    cm_engine *engine;
    cm_stream *stream;
    cm_stream_input input;
    cm_stream_output output;
    cm_stream_sink sink;
    cm_stream_checkpoint checkpoint;
    uint64_t idle_ns;    /* without input for so long, what is held goes */
    uint64_t waiting_ns; /* since when nothing has come; 0: something has */
    cm_metrics *metrics; /* NULL without --metrics */
    uint64_t published_ns;
    bool has_told_dropped;
    cm_reject_counts rejected;
    cm_stream_status told; /* on SIGUSR1 */
} cm_stream_run;

/** Load the clicks of --clicks and --db. CM_OK, or what is wrong with them. */
cm_status cm_stream_warm_up(cm_stream_run *run, cm_error *error);

/** Take all events, until the input ends or the run is interrupted, and what is held then. */
cm_status cm_stream_run_all(cm_stream_run *run, cm_error *error);

/** What the stream tells: cm_stream_listener's calls; their context is the run. */
cm_status cm_stream_run_results(void *context, const cm_stream_conversion *from,
                                const cm_conversion *conversions, const cm_result *results,
                                size_t count, cm_error *error);
cm_status cm_stream_run_click(void *context, const cm_event_place *place, const cm_click *click,
                              const cm_value *values, cm_slice text, cm_error *error);
cm_status cm_stream_run_reject(void *context, const cm_event_place *place, const cm_event *event,
                               const cm_reject_line *reject, cm_error *error);

/** Called while the sink has no room: cm_stream_sink.wait; its context is the run. */
cm_status cm_stream_run_wait(void *context, cm_error *error);

/** Called while the input waits: cm_stream_pause. */
cm_status cm_stream_run_pause(void *context, int *timeout_ms, cm_error *error);

/** Begin with what is told while the stream runs: --metrics, and the status on SIGUSR1. CM_OK,
 * CM_ERROR_USAGE, CM_ERROR_IO or CM_ERROR_MEMORY. */
cm_status cm_stream_tell_begin(cm_stream_run *run, cm_error *error);

/** Say how the stream is, in one line. */
void cm_stream_tell_status(cm_stream_run *run);

/** Publish metrics, if it is time to. Called now and then. */
void cm_stream_tell_tick(cm_stream_run *run, uint64_t now_ns);

/** Publish a last time. A run that did not get as far is allowed. */
void cm_stream_tell_end(cm_stream_run *run);

#endif
