#include "pg/pg_sink.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "pg/pg_sink_row.h"
#include "pg/pg_sink_send.h"
#include "pg/pg_sink_session.h"
#include "sql.h"
#include "util/check.h"
#include "util/error.h"
#include "util/text.h"

#define BATCH_BYTES_MAX ((size_t)16 << 20) /* full, whatever the number of its rows */

#define ADVICE "; run the command again" /* how a lost connection's message ends */

/*
 * Two halves. The caller's thread owns the batch under construction, `filling`. The other one,
 * `sending`, is the sink's thread's while it is busy; else it is empty. The lock guards what
 * follows it.
 */
struct cm_pg_sink {
    size_t batch_rows;
    uint64_t linger_ns;
    cm_pg_sink_shape shape;
    cm_pg_sink_batch batches[2];
    cm_pg_sink_batch *filling;
    _Atomic uint64_t rows_taken; /* counted by the caller's thread */
    bool has_settled;
    uint64_t settled; /* the last position that the caller has given */

    cm_pg_sink_sender sender; /* the thread's own, once it runs */
    pthread_t thread;
    bool has_thread;
    atomic_bool stop;

    pthread_mutex_t lock;
    pthread_cond_t turned; /* busy or the failure has changed, or there is to be a stop */
    bool is_busy;
    cm_pg_sink_batch *sending;
    uint64_t filling_since_ns, sending_since_ns;
    cm_pg_sink_state state;
    cm_error failure; /* where state.failure is not CM_OK */
};

/* --- The thread ------------------------------------------------------------------------------- */

static void note_attempt(void *context)
{
    cm_pg_sink *sink = context;
    pthread_mutex_lock(&sink->lock);
    sink->state.attempts++;
    pthread_mutex_unlock(&sink->lock);
}

static void note_written(void *context, const cm_pg_sink_written *written)
{
    cm_pg_sink *sink = context;
    pthread_mutex_lock(&sink->lock);
    sink->state.batches++;
    sink->state.clicks_inserted += written->clicks_inserted;
    sink->state.conversions_inserted += written->conversions_inserted;
    sink->state.conversions_updated += written->conversions_updated;
    sink->state.dead += written->dead;
    pthread_mutex_unlock(&sink->lock);
}

/* Of a reason, what to do about it is left out where it is to run the command again. */
static void note_link(void *context, bool is_connected, const char *reason)
{
    cm_pg_sink *sink = context;
    char *said = sink->state.last_error;
    const char *advice = strstr(reason, ADVICE);
    size_t size = advice == NULL ? strlen(reason) : (size_t)(advice - reason);
    pthread_mutex_lock(&sink->lock);
    sink->state.is_connected = is_connected;
    if (size >= sizeof sink->state.last_error)
        size = sizeof sink->state.last_error - 1;
    if (size > 0) {
        memcpy(said, reason, size);
        said[size] = '\0';
    }
    pthread_mutex_unlock(&sink->lock);
}

/* The batch is committed; the lock is held. */
static void batch_done(cm_pg_sink *sink)
{
    const cm_pg_sink_batch *batch = sink->sending;
    cm_pg_sink_state *state = &sink->state;
    state->rows_settled += batch->count;
    if (batch->has_position && (!state->has_position || batch->position > state->position))
        state->position = batch->position;
    state->has_position |= batch->has_position;
    cm_pg_sink_batch_clear(sink->sending);
    sink->sending_since_ns = 0;
    sink->is_busy = false;
}

static void *work(void *context)
{
    cm_pg_sink *sink = context;
    cm_error error = {0};
    cm_status status = CM_OK;
    pthread_mutex_lock(&sink->lock);
    while (status == CM_OK) {
        while (!sink->is_busy && !atomic_load(&sink->stop))
            pthread_cond_wait(&sink->turned, &sink->lock);
        if (atomic_load(&sink->stop))
            break;
        pthread_mutex_unlock(&sink->lock);
        status = cm_pg_sink_send(&sink->sender, sink->sending, &error);
        pthread_mutex_lock(&sink->lock);
        if (status == CM_OK)
            batch_done(sink);
        else {
            sink->state.failure = status;
            sink->failure = error;
        }
        pthread_cond_broadcast(&sink->turned);
    }
    pthread_mutex_unlock(&sink->lock);
    return NULL;
}

/* --- Handing over ----------------------------------------------------------------------------- */

static bool is_full(const cm_pg_sink *sink)
{
    return sink->filling->count >= sink->batch_rows ||
           cm_pg_sink_batch_bytes(sink->filling) >= BATCH_BYTES_MAX;
}

/* Give the batch to the thread, if it is free. The lock is held. */
static bool hand_over(cm_pg_sink *sink)
{
    cm_pg_sink_batch *full = sink->filling;
    if (sink->is_busy)
        return false;
    sink->filling = sink->sending;
    sink->sending = full;
    sink->sending_since_ns = sink->filling_since_ns;
    sink->filling_since_ns = 0;
    sink->is_busy = true;
    pthread_cond_broadcast(&sink->turned);
    return true;
}

static cm_status failure_of(cm_pg_sink *sink, cm_error *error)
{
    if (sink->state.failure != CM_OK && error != NULL)
        *error = sink->failure;
    return sink->state.failure;
}

static struct timespec deadline_after(unsigned timeout_ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += timeout_ms / 1000;
    at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

/* Wait until the thread is free. False at the deadline, or where the sink has stopped. */
static bool wait_free(cm_pg_sink *sink, const struct timespec *deadline)
{
    while (sink->is_busy && sink->state.failure == CM_OK)
        if (pthread_cond_timedwait(&sink->turned, &sink->lock, deadline) == ETIMEDOUT)
            break;
    return !sink->is_busy;
}

bool cm_pg_sink_has_room(cm_pg_sink *sink)
{
    if (!is_full(sink))
        return true;
    pthread_mutex_lock(&sink->lock);
    bool has_room = hand_over(sink);
    pthread_mutex_unlock(&sink->lock);
    return has_room;
}

cm_status cm_pg_sink_wait_room(cm_pg_sink *sink, unsigned timeout_ms, bool *has_room,
                               cm_error *error)
{
    const struct timespec deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&sink->lock);
    *has_room = !is_full(sink) || (wait_free(sink, &deadline) && hand_over(sink));
    cm_status status = failure_of(sink, error);
    pthread_mutex_unlock(&sink->lock);
    return status;
}

cm_status cm_pg_sink_tick(cm_pg_sink *sink, uint64_t now_ns, cm_error *error)
{
    cm_pg_sink_batch *batch = sink->filling;
    bool is_new = batch->since_ns == 0 && !cm_pg_sink_batch_is_empty(batch);
    if (is_new)
        batch->since_ns = now_ns;
    pthread_mutex_lock(&sink->lock);
    if (is_new)
        sink->filling_since_ns = now_ns;
    if (batch->since_ns != 0 && now_ns - batch->since_ns >= sink->linger_ns)
        (void)hand_over(sink);
    cm_status status = failure_of(sink, error);
    pthread_mutex_unlock(&sink->lock);
    return status;
}

bool cm_pg_sink_is_pending(const cm_pg_sink *sink)
{
    return !cm_pg_sink_batch_is_empty(sink->filling);
}

cm_status cm_pg_sink_flush(cm_pg_sink *sink, unsigned timeout_ms, bool *done, cm_error *error)
{
    const struct timespec deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&sink->lock);
    *done = wait_free(sink, &deadline);
    if (*done && cm_pg_sink_is_pending(sink)) {
        (void)hand_over(sink);
        *done = wait_free(sink, &deadline);
    }
    cm_status status = failure_of(sink, error);
    pthread_mutex_unlock(&sink->lock);
    return status;
}

void cm_pg_sink_get_state(cm_pg_sink *sink, cm_pg_sink_state *state)
{
    pthread_mutex_lock(&sink->lock);
    *state = sink->state;
    state->rows_taken = atomic_load(&sink->rows_taken);
    state->oldest_ns =
        sink->sending_since_ns != 0 ? sink->sending_since_ns : sink->filling_since_ns;
    pthread_mutex_unlock(&sink->lock);
}

/* --- Rows ------------------------------------------------------------------------------------- */

static cm_status count_row(cm_pg_sink *sink, cm_status status)
{
    if (status == CM_OK)
        (void)atomic_fetch_add_explicit(&sink->rows_taken, 1, memory_order_relaxed);
    return status;
}

cm_status cm_pg_sink_add_click(cm_pg_sink *sink, const cm_click *click,
                               const cm_pg_sink_origin *origin, cm_error *error)
{
    return count_row(sink, cm_pg_sink_put_click(&sink->shape, sink->filling, click, origin, error));
}

cm_status cm_pg_sink_add_result(cm_pg_sink *sink, const cm_pg_sink_result *result,
                                const cm_pg_sink_origin *origin, cm_error *error)
{
    return count_row(sink,
                     cm_pg_sink_put_result(&sink->shape, sink->filling, result, origin, error));
}

cm_status cm_pg_sink_add_dead(cm_pg_sink *sink, const cm_pg_sink_dead *dead,
                              const cm_pg_sink_origin *origin, cm_error *error)
{
    return count_row(sink, cm_pg_sink_put_rejected(sink->filling, dead, origin, error));
}

void cm_pg_sink_settle(cm_pg_sink *sink, uint64_t position)
{
    if (sink->has_settled && position <= sink->settled)
        return;
    sink->has_settled = true;
    sink->settled = position;
    sink->filling->has_position = true;
    sink->filling->position = position;
}

/* --- Opening and closing ---------------------------------------------------------------------- */

static cm_status read_position(cm_pg_sink *sink, cm_error *error)
{
    const cm_pg_value values[] = {{"stream", sink->sender.stream_name}, {NULL, NULL}};
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(&sink->sender.pg, "read the stream's position",
                                 cm_sql_queries_sink_position_read, values, &answer, error);
    if (status == CM_OK && cm_pg_answer_rows(&answer) > 0) {
        sink->state.has_position = sink->has_settled = true;
        sink->state.position = sink->settled = strtoull(cm_pg_answer_text(&answer, 0, 0), NULL, 10);
    }
    cm_pg_answer_free(&answer);
    return status;
}

static cm_status check_name(const char *name, cm_error *error)
{
    size_t characters = 0;
    cm_slice text = cm_slice_of_text(name);
    if (text.size > 0 && cm_utf8_count(text, &characters) &&
        characters <= CM_PG_SINK_NAME_CHARACTERS_MAX)
        return CM_OK;
    return cm_error_set(error, CM_ERROR_USAGE,
                        "the stream's name is not 1 to %d characters of UTF-8; give another one",
                        CM_PG_SINK_NAME_CHARACTERS_MAX);
}

static cm_status start_thread(cm_pg_sink *sink, cm_error *error)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the caller's threads */
    sink->has_thread = pthread_create(&sink->thread, NULL, work, sink) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return sink->has_thread ? CM_OK
                            : cm_error_set(error, CM_ERROR_MEMORY,
                                           "cannot start a thread for the database; raise the "
                                           "limit on threads");
}

static cm_status set_up(cm_pg_sink *sink, const cm_pg_sink_config *config, cm_error *error)
{
    cm_status status = check_name(config->stream_name, error);
    if (status == CM_OK)
        status = cm_pg_sink_connect(&sink->sender, error);
    if (status == CM_OK)
        status = read_position(sink, error);
    if (status == CM_OK)
        status = cm_pg_sink_session_limits(&sink->sender.pg, &sink->shape, error);
    if (status != CM_OK)
        return status;
    sink->sender.options.interrupt = sink->sender.pg.interrupt = &sink->stop;
    sink->sender.options.is_abrupt = sink->sender.pg.is_abrupt = true;
    return start_thread(sink, error);
}

static unsigned or_default(unsigned value, unsigned fallback)
{
    return value != 0 ? value : fallback;
}

cm_status cm_pg_sink_open(const cm_pg_sink_config *config, cm_pg_sink **sink, cm_error *error)
{
    pthread_condattr_t clock;
    cm_pg_sink *made = calloc(1, sizeof *made);
    if (made == NULL)
        return cm_error_memory(error, "the database sink", sizeof *made);
    made->batch_rows = config->batch_rows != 0 ? config->batch_rows : CM_PG_SINK_BATCH_ROWS;
    made->linger_ns = or_default(config->linger_ms, CM_PG_SINK_LINGER_MS) * (uint64_t)1000000;
    made->shape.click_window_us = config->click_window_us;
    made->filling = &made->batches[0];
    made->sending = &made->batches[1];
    made->sender = (cm_pg_sink_sender){
        .options = config->pg,
        .stream_name = config->stream_name,
        .backoff_min_ms = or_default(config->backoff_min_ms, CM_PG_SINK_BACKOFF_MIN_MS),
        .backoff_max_ms = or_default(config->backoff_max_ms, CM_PG_SINK_BACKOFF_MAX_MS),
        .random = config->seed,
        .watch = {note_attempt, note_written, note_link, made},
    };
    (void)pthread_mutex_init(&made->lock, NULL);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&made->turned, &clock);
    (void)pthread_condattr_destroy(&clock);
    cm_status status = set_up(made, config, error);
    if (status != CM_OK)
        cm_pg_sink_close(made);
    *sink = status == CM_OK ? made : NULL;
    return status;
}

void cm_pg_sink_close(cm_pg_sink *sink)
{
    if (sink == NULL)
        return;
    if (sink->has_thread) {
        pthread_mutex_lock(&sink->lock);
        atomic_store(&sink->stop, true);
        pthread_cond_broadcast(&sink->turned);
        pthread_mutex_unlock(&sink->lock);
        (void)pthread_join(sink->thread, NULL);
    }
    cm_pg_sink_disconnect(&sink->sender);
    for (size_t i = 0; i < sizeof sink->batches / sizeof *sink->batches; i++)
        cm_pg_sink_batch_destroy(&sink->batches[i]);
    cm_pg_encoder_destroy(&sink->shape.encoder);
    pthread_cond_destroy(&sink->turned);
    pthread_mutex_destroy(&sink->lock);
    free(sink);
}
