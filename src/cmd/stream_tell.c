/* What is told of a stream while it runs. */
#include "cmd/clock.h"
#include "cmd/stream_run.h"
#include "cmd/time_text.h"

#define PUBLISH_NS UINT64_C(250000000)

static cm_stream_figures figures_of(const cm_stream_run *run)
{
    cm_stream_figures figures = {
        .model = cm_model_label(run->model),
        .rejected = run->rejected,
        .results_written = run->output.output == NULL ? 0 : run->output.latency.total,
        .latency_ns = &run->output.latency,
        .latency_sum_seconds = run->output.latency_sum_seconds,
        .checkpoint = cm_stream_checkpoint_figures(&run->checkpoint),
        .sink = cm_stream_sink_figures(&run->sink),
    };
    cm_stream_figures_take(&figures, run->stream);
    return figures;
}

static void publish(cm_stream_run *run, uint64_t now_ns)
{
    cm_error trouble;
    cm_stream_figures figures = figures_of(run);
    run->published_ns = now_ns;
    if (cm_metrics_publish(run->metrics, &figures, &trouble) != CM_OK)
        cm_log_warning(run->run.log, "metrics are not written for now: %s", trouble.message);
}

cm_status cm_stream_tell_begin(cm_stream_run *run, cm_error *error)
{
    const char *target = cm_settings_text(run->run.settings, CM_OPTION_METRICS);
    run->told.seconds = cm_clock_seconds();
    if (target == NULL)
        return CM_OK;
    cm_status status = cm_metrics_open(target, &run->metrics, error);
    if (status != CM_OK)
        return status;
    cm_log_info(run->run.log, "metrics at %s", cm_metrics_place(run->metrics));
    publish(run, cm_clock_ns());
    return CM_OK;
}

void cm_stream_tell_status(cm_stream_run *run)
{
    char line[CM_STREAM_STATUS_BYTES];
    cm_stream_figures figures = figures_of(run);
    cm_stream_status_line(&figures, &run->told, cm_clock_seconds(), cm_clock_now_us(), line,
                          sizeof line);
    cm_log_answer(run->run.log, line);
}

/* Once: the figures say how many. */
static void tell_dropped(cm_stream_run *run)
{
    char before[CM_TIME_TEXT_BYTES];
    if (run->has_told_dropped || run->stream->counts.dropped == 0)
        return;
    run->has_told_dropped = true;
    cm_time_text(run->stream->counts.dropped_us, before);
    cm_log_warning(run->run.log,
                   "there is no room for more clicks: from now on the oldest, now those up to %s, "
                   "are forgotten before their time; give a larger --memory-max",
                   before);
}

void cm_stream_tell_tick(cm_stream_run *run, uint64_t now_ns)
{
    tell_dropped(run);
    if (run->metrics != NULL && now_ns - run->published_ns >= PUBLISH_NS)
        publish(run, now_ns);
}

void cm_stream_tell_end(cm_stream_run *run)
{
    if (run->metrics != NULL)
        publish(run, cm_clock_ns());
    cm_metrics_close(run->metrics);
    run->metrics = NULL;
}
