#include "pg/pg_sink_send.h"

#include <string.h>
#include <time.h>

#include "pg/pg_sink_fault.h"
#include "pg/pg_sink_session.h"
#include "pg/pg_tenants.h"
#include "pg/pg_wait.h"
#include "util/error.h"

#define PAUSE_SLICE_MS 50u

/* A click deleted meanwhile breaks the foreign key once; a row that breaks it again and again does
 * so for another reason. */
#define SAME_FAULT_MAX 3u

#define FOREIGN_KEY_VIOLATION "23503"

/* --- The session ------------------------------------------------------------------------------ */

cm_status cm_pg_sink_connect(cm_pg_sink_sender *sender, cm_error *error)
{
    cm_status status = cm_pg_open(&sender->options, &sender->pg, error);
    if (status != CM_OK)
        return status;
    status = cm_pg_engine_check(&sender->pg, &sender->options, error);
    if (status == CM_OK)
        status = cm_pg_sink_session_begin(&sender->pg, error);
    sender->is_ready = status == CM_OK;
    if (sender->is_ready)
        sender->watch.link(sender->watch.context, true, "");
    return status;
}

void cm_pg_sink_disconnect(cm_pg_sink_sender *sender)
{
    cm_pg_close(&sender->pg);
    sender->is_ready = false;
}

/* --- Pauses ----------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u); /* splitmix64 */
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Twice as long each time, up to the most; half of it is left to chance. */
static unsigned pause_ms(cm_pg_sink_sender *sender)
{
    uint64_t ms = sender->backoff_min_ms;
    for (unsigned i = 0; i < sender->failures && ms < sender->backoff_max_ms; i++)
        ms *= 2;
    if (ms > sender->backoff_max_ms)
        ms = sender->backoff_max_ms;
    return (unsigned)(ms - next_random(&sender->random) % (ms / 2 + 1));
}

static cm_status pause_for(cm_pg_sink_sender *sender, cm_error *error)
{
    unsigned left = pause_ms(sender);
    sender->failures++;
    while (left > 0) {
        unsigned slice = left < PAUSE_SLICE_MS ? left : PAUSE_SLICE_MS;
        const struct timespec nap = {.tv_nsec = (long)slice * 1000000};
        if (atomic_load(sender->options.interrupt))
            return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted");
        (void)nanosleep(&nap, NULL);
        left -= slice;
    }
    return CM_OK;
}

/* --- What a failure means --------------------------------------------------------------------- */

typedef enum verdict {
    VERDICT_LOST,  /* a new session may do better */
    VERDICT_AGAIN, /* so may a new transaction */
    VERDICT_ROW,   /* a row of the part cannot be written */
    VERDICT_FATAL, /* nothing will do */
} verdict;

static verdict judge(const cm_pg_sink_sender *sender, cm_status status, unsigned same_faults)
{
    const char *sqlstate = sender->pg.sqlstate;
    cm_pg_sink_fault_class class = cm_pg_sink_fault_class_of(sqlstate);
    if (status != CM_ERROR_DATABASE)
        return VERDICT_FATAL;
    if (sender->pg.connection == NULL || PQstatus(sender->pg.connection) != CONNECTION_OK ||
        class == CM_PG_SINK_FAULT_LOST)
        return VERDICT_LOST;
    if (!sender->is_ready) /* the schema's version, rights */
        return class == CM_PG_SINK_FAULT_AGAIN ? VERDICT_LOST : VERDICT_FATAL;
    bool is_foreign_key = strcmp(sqlstate, FOREIGN_KEY_VIOLATION) == 0;
    if (class == CM_PG_SINK_FAULT_AGAIN || (is_foreign_key && same_faults < SAME_FAULT_MAX))
        return VERDICT_AGAIN;
    if (sqlstate[0] == '\0') /* libpq's own */
        return VERDICT_LOST;
    return class == CM_PG_SINK_FAULT_ROW ? VERDICT_ROW : VERDICT_FATAL;
}

/* --- Sending ---------------------------------------------------------------------------------- */

/* A batch on its way: [at, at + step) is tried next. */
typedef struct sending {
    cm_pg_sink_sender *sender;
    const cm_pg_sink_batch *batch;
    size_t at, step;
    cm_buffer buried; /* the row at `at`, as a dead event; empty: as it is */
    unsigned same_faults;
} sending;

static cm_status try_part(sending *s, cm_error *error)
{
    cm_pg_sink_sender *sender = s->sender;
    const cm_pg_sink_part part = {
        .stream_name = sender->stream_name,
        .batch = s->batch,
        .from = s->at,
        .to = s->at + s->step,
        .buried = s->buried.size > 0 ? &s->buried : NULL,
        .with_position = s->at + s->step == s->batch->count,
    };
    cm_pg_sink_written written;
    cm_status status = CM_OK;
    if (!sender->is_ready)
        status = cm_pg_sink_connect(sender, error);
    if (status != CM_OK)
        return status;
    sender->watch.attempt(sender->watch.context);
    status = cm_pg_sink_write(&sender->pg, &part, &written, error);
    if (status == CM_OK)
        sender->watch.written(sender->watch.context, &written);
    return status;
}

/* On to what follows, in steps that grow again. */
static void step_on(sending *s)
{
    s->at += s->step;
    s->step *= 2;
    if (s->step > s->batch->count - s->at)
        s->step = s->batch->count - s->at;
    s->buried.size = 0;
    s->same_faults = 0;
    s->sender->failures = 0;
}

/* Look for the row that cannot be written among fewer; when it is found, make a dead event of it.
 * False where it is one already. */
static bool narrow(sending *s, const cm_error *cause)
{
    const cm_pg_sink_row *row = &s->batch->rows[s->at];
    if (s->step > 1) {
        s->step /= 2;
        return true;
    }
    if (s->step == 0 || s->buried.size > 0 || row->kind == CM_PG_SINK_DEAD)
        return false;
    cm_pg_sink_bury(s->batch, row, "refused", cause->message, &s->buried);
    return true;
}

/* What to do about a failure. CM_OK: try again. */
static cm_status recover(sending *s, cm_status status, const cm_error *cause, cm_error *error)
{
    cm_pg_sink_sender *sender = s->sender;
    verdict found = judge(sender, status, s->same_faults++);
    if (found == VERDICT_AGAIN || found == VERDICT_ROW) /* if this fails, so will the next BEGIN */
        (void)cm_pg_run(&sender->pg, "undo the transaction", "ROLLBACK", NULL, NULL, NULL);
    else
        cm_pg_sink_disconnect(sender);
    if (found == VERDICT_LOST || found == VERDICT_AGAIN) {
        sender->watch.link(sender->watch.context, found == VERDICT_AGAIN, cause->message);
        return pause_for(sender, error);
    }
    if (found == VERDICT_ROW && narrow(s, cause))
        return s->buried.failed ? cm_error_memory(error, "a dead event", s->buried.size) : CM_OK;
    return cm_error_set(error, status, "%s", cause->message);
}

cm_status cm_pg_sink_send(cm_pg_sink_sender *sender, const cm_pg_sink_batch *batch, cm_error *error)
{
    sending s = {.sender = sender, .batch = batch, .step = batch->count};
    cm_status status = CM_OK;
    bool done = false;
    while (!done && status == CM_OK) {
        cm_error cause = {0};
        status = try_part(&s, &cause);
        if (status != CM_OK) {
            status = recover(&s, status, &cause, error);
            continue;
        }
        step_on(&s);
        done = s.at == batch->count;
    }
    cm_buffer_destroy(&s.buried);
    return status;
}
