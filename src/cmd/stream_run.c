#include "cmd/stream_run.h"

#include "cmd/clock.h"
#include "cmd/interrupt.h"
#include "util/error.h"

#define METRICS_MS 1000 /* between metrics while nothing comes */
#define SINK_MS 5       /* between looks at rows that linger */
#define RELOAD_MS 20    /* between looks at a model that is being read */

/* ---- what the stream tells ---- */

cm_status cm_stream_run_results(void *context, const cm_stream_conversion *from,
                                const cm_conversion *conversions, const cm_result *results,
                                size_t count, cm_error *error)
{
    cm_stream_run *run = context;
    const char *model = cm_model_label(run->engine->model);
    cm_status status = cm_stream_output_put(&run->output, from, conversions, results, count, model,
                                            run->input.read_ns, error);
    uint64_t took_ns = cm_clock_ns() - run->input.read_ns;
    if (status == CM_OK)
        status = cm_stream_sink_results(&run->sink, from, conversions, results, count, model,
                                        (uint32_t)(took_ns / 1000000), error);
    return status;
}

cm_status cm_stream_run_click(void *context, const cm_event_place *place, const cm_click *click,
                              const cm_value *values, cm_slice text, cm_error *error)
{
    cm_stream_run *run = context;
    (void)values;
    return cm_stream_sink_click(&run->sink, place, click, text, error);
}

cm_status cm_stream_run_reject(void *context, const cm_event_place *place, const cm_event *event,
                               const cm_reject_line *reject, cm_error *error)
{
    cm_stream_run *run = context;
    cm_reject_counts_add(&run->rejected, event, reject->field);
    run->run.rejects.kind =
        event->row.malformed != NULL ? "events" : cm_rejects_kind_name(event->kind);
    cm_status status = cm_rejects_take(&run->run.rejects, reject, error);
    if (status == CM_OK)
        status = cm_stream_sink_reject(&run->sink, place, event, reject, run->stream, error);
    return status;
}

/* ---- signals ---- */

/* A model that cannot be used leaves the old one at work. */
static void use_model(cm_stream_run *run, cm_status status, cm_model *model, cm_error *error)
{
    if (status == CM_OK)
        status = cm_pii_take_model(run->run.pii, model, error);
    if (status == CM_OK)
        status = cm_stream_set_model(run->stream, model, error);
    if (status != CM_OK) {
        cm_model_destroy(model);
        cm_log_warning(run->run.log, "the model stays %s: %s", cm_model_label(run->model),
                       error->message);
        return;
    }
    cm_model_destroy(run->model);
    run->model = model;
    run->run.summary.model = cm_model_label(model);
    cm_log_info(run->run.log, "model %s from now on", cm_model_label(model));
}

static void answer_requests(cm_stream_run *run, uint64_t now_ns)
{
    cm_status status;
    cm_error error = {0};
    cm_model *model = NULL;
    if (cm_interrupt_take(CM_REQUEST_STATUS))
        cm_stream_tell_status(run);
    if (cm_interrupt_take(CM_REQUEST_RELOAD))
        cm_model_reload_begin(&run->reload, &run->source, now_ns);
    if (cm_model_reload_take(&run->reload, now_ns, &status, &model, &error))
        use_model(run, status, model, &error);
}

/* ---- time ---- */

static cm_status flush(cm_stream_run *run, cm_error *error)
{
    cm_status status = cm_stream_output_flush(&run->output, error);
    return status == CM_OK ? cm_rejects_flush(&run->run.rejects, error) : status;
}

/* Let go what is held where nothing has come for long enough. Says how long to wait otherwise. */
static cm_status look_idle(cm_stream_run *run, uint64_t now_ns, int *timeout_ms, cm_error *error)
{
    if (run->waiting_ns == 0)
        run->waiting_ns = now_ns;
    const cm_stream *stream = run->stream;
    bool holds = stream->held.count + stream->waiting.count + stream->unplaced.count > 0;
    if (!holds)
        return CM_OK;
    uint64_t waited_ns = now_ns - run->waiting_ns;
    if (waited_ns < run->idle_ns) {
        *timeout_ms = (int)((run->idle_ns - waited_ns) / 1000000) + 1;
        return CM_OK;
    }
    cm_status status = cm_stream_let_go(run->stream, error);
    return status == CM_OK ? flush(run, error) : status;
}

/* Rows that were handed over are committed in time. */
static cm_status tick_sink(cm_stream_run *run, uint64_t now_ns, cm_error *error)
{
    uint64_t seq;
    if (run->sink.sink == NULL)
        return CM_OK;
    if (cm_stream_position(run->stream, &seq))
        cm_stream_sink_settle(&run->sink, seq);
    return cm_stream_sink_tick(&run->sink, now_ns, error);
}

/* Of two times to wait; negative: for ever. */
static int sooner(int timeout_ms, int other_ms)
{
    if (other_ms < 0)
        return timeout_ms;
    return timeout_ms < 0 || timeout_ms > other_ms ? other_ms : timeout_ms;
}

/* In the middle of events: the model stays, and there is no checkpoint. */
cm_status cm_stream_run_wait(void *context, cm_error *error)
{
    cm_stream_run *run = context;
    cm_status status = flush(run, error);
    if (cm_interrupt_take(CM_REQUEST_STATUS))
        cm_stream_tell_status(run);
    cm_stream_tell_tick(run, cm_clock_ns());
    return status;
}

/* What is due between two events. What came of those before is written before a checkpoint counts
 * them as done. */
static cm_status tick(cm_stream_run *run, uint64_t now_ns, cm_error *error)
{
    cm_status status = tick_sink(run, now_ns, error);
    if (status == CM_OK && cm_stream_checkpoint_is_due(&run->checkpoint, now_ns))
        status = flush(run, error);
    if (status == CM_OK)
        cm_stream_checkpoint_tick(&run->checkpoint, now_ns);
    answer_requests(run, now_ns);
    cm_stream_tell_tick(run, now_ns);
    return status;
}

cm_status cm_stream_run_pause(void *context, int *timeout_ms, cm_error *error)
{
    cm_stream_run *run = context;
    uint64_t now_ns = cm_clock_ns();
    *timeout_ms = -1;
    cm_status status = flush(run, error);
    if (status == CM_OK)
        status = look_idle(run, now_ns, timeout_ms, error);
    if (status == CM_OK)
        status = tick(run, now_ns, error);
    *timeout_ms = sooner(*timeout_ms, cm_stream_checkpoint_timeout_ms(&run->checkpoint, now_ns));
    if (cm_stream_sink_is_pending(&run->sink))
        *timeout_ms = sooner(*timeout_ms, SINK_MS);
    if (cm_model_reload_is_pending(&run->reload))
        *timeout_ms = sooner(*timeout_ms, RELOAD_MS);
    if (run->metrics != NULL)
        *timeout_ms = sooner(*timeout_ms, METRICS_MS);
    return status;
}

static cm_status take_block(cm_stream_run *run, cm_error *error)
{
    cm_stream_input *input = &run->input;
    run->waiting_ns = 0;
    cm_status status = cm_stream_take(run->stream, input->block.data, input->block.size,
                                      &input->line, input->block.offset, error);
    uint64_t now_ns = cm_clock_ns();
    if (status == CM_OK)
        status = cm_stream_output_tick(&run->output, now_ns, error);
    return status == CM_OK ? tick(run, now_ns, error) : status;
}

/* Everything that was taken is told and written; what is held, too, or it goes on being held. */
static cm_status drain(cm_stream_run *run, bool goes_on, cm_error *error)
{
    cm_status status = goes_on ? CM_OK : cm_stream_let_go(run->stream, error);
    if (status == CM_OK)
        status = flush(run, error);
    if (status == CM_OK)
        status = tick_sink(run, cm_clock_ns(), error);
    if (status == CM_OK)
        status = cm_stream_sink_finish(&run->sink, error);
    return status == CM_OK ? cm_stream_checkpoint_finish(&run->checkpoint, error) : status;
}

/* What came before reading ended early is dealt with all the same; then it is said why. A stream
 * that will go on from its checkpoint keeps what it holds. */
static cm_status end_early(cm_stream_run *run, cm_status why, cm_error *error)
{
    cm_error reason = *error;
    cm_status status = drain(run, run->checkpoint.parts != NULL, error);
    if (status == CM_OK)
        *error = reason;
    return status == CM_OK ? why : status;
}

cm_status cm_stream_run_all(cm_stream_run *run, cm_error *error)
{
    for (;;) {
        cm_status status = cm_stream_input_next(&run->input, error);
        if (status == CM_ERROR_INTERRUPTED || (status != CM_OK && !run->input.pause_failed))
            return end_early(run, status, error);
        if (status != CM_OK)
            return status; /* what was to be written is lost: no checkpoint may be beyond it */
        if (run->input.block.size == 0)
            return drain(run, false, error);
        status = take_block(run, error);
        if (status != CM_OK)
            return status;
    }
}
