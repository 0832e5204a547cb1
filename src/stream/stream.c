#include "stream/stream.h"

#include <stdlib.h>

#include "model/model.h"
#include "model/normal.h"
#include "stream/stream_batch.h"
#include "stream/stream_event.h"
#include "stream/stream_room.h"

/* Forgetting goes on after so many events, a bounded number of clicks and ids at a time: a little
 * more than come meanwhile, so that a segment that dies costs each event until the next one does
 * the same; and more where it has fallen behind. */
#define EVENTS_PER_MARK 64
#define CLICKS_PER_MARK ((size_t)80)
#define CLICKS_PER_MARK_BEHIND ((size_t)192)
#define BEHIND_SHARE 16 /* of the window: more than a segment's clicks span where there are many */
#define IDS_PER_MARK ((size_t)128)

#define AHEAD_CLICKS_MAX CM_SEGMENT_ROWS
#define UNPLACED_LINES_MAX ((size_t)1000)
#define UNPLACED_BYTES_MAX ((size_t)1 << 20)
/* A click that is held for so much longer than usual has its place among others of that kind. */
#define LASTING_US CM_HOUR_US

/* ---- making and freeing ---- */

cm_status cm_stream_create(cm_engine *engine, const cm_stream_options *options,
                           const cm_stream_listener *listener, cm_stream **stream, cm_error *error)
{
    cm_stream *made = calloc(1, sizeof *made);
    if (made == NULL)
        return cm_error_memory(error, "a stream", sizeof *made);
    made->options = *options;
    made->listener = *listener;
    made->engine = engine;
    made->keeper.from_us = CM_KEEPS_NONE;
    cm_event_clock_init(&made->clock, &options->clock);
    cm_seen_ids_init(&made->seen, engine->index.rules.seed);
    cm_event_layouts_init(&made->layouts);
    cm_matcher_init(&made->matcher, &engine->index, &engine->scoring);
    *stream = made;
    return CM_OK;
}

void cm_stream_destroy(cm_stream *stream)
{
    if (stream == NULL)
        return;
    while (stream->batch.line_count > 0)
        free(stream->batch.lines[--stream->batch.line_count]);
    cm_held_lines_destroy(&stream->waiting);
    cm_held_lines_destroy(&stream->held);
    cm_held_lines_destroy(&stream->unplaced);
    cm_seen_ids_destroy(&stream->seen);
    cm_arena_destroy(&stream->arena);
    cm_key_scratch_destroy(&stream->scratch);
    cm_matcher_release(&stream->matcher);
    free(stream);
}

/* ---- an event whose turn has come ---- */

static int64_t keep_us(const cm_model *model)
{
    int64_t window_us = model->window_us > model->probabilistic_window_us
                            ? model->window_us
                            : model->probabilistic_window_us;
    return window_us + model->retention_us;
}

/* Nobody who may still come can find a click whose time ends before this. */
static int64_t horizon_of(const cm_stream *stream)
{
    int64_t horizon = cm_event_clock_horizon(&stream->clock);
    int64_t oldest = cm_held_lines_oldest(&stream->held);
    return oldest < horizon ? oldest : horizon;
}

/* What clicks with broken clocks can cost is bounded. */
static bool has_room_ahead(cm_stream *stream, int64_t time_us)
{
    if (stream->ahead_us <= stream->clock.latest_us)
        stream->ahead_count = 0;
    if (stream->ahead_count >= AHEAD_CLICKS_MAX)
        return false;
    stream->ahead_us =
        stream->ahead_count == 0 || time_us > stream->ahead_us ? time_us : stream->ahead_us;
    stream->ahead_count++;
    return true;
}

/* field: CM_FIELD_NONE for the click as a whole. */
static cm_status refuse(cm_stream *stream, const cm_arrival *a, size_t field, const char *reason,
                        cm_error *error)
{
    const cm_row *row = &a->event->row;
    const char *name = field == CM_FIELD_NONE ? NULL : cm_field_name(CM_ROW_CLICK, field);
    size_t byte = name == NULL ? row->start : row->value_bytes[field];
    stream->counts.kinds[CM_ROW_CLICK].rejected++;
    return cm_arrival_reject(stream, a->event, a, name, byte, reason, error);
}

static cm_status refuse_ahead(cm_stream *stream, const cm_arrival *a, cm_error *error)
{
    stream->counts.refused++;
    return refuse(stream, a, CM_CLICK_CLICK_TIMESTAMP,
                  "far ahead of the stream's time, as too many before it", error);
}

/* Of one tenant more, or with names, for which there is no room. */
static cm_status refuse_unroomed(cm_stream *stream, const cm_arrival *a, bool *is_refused,
                                 cm_error *error)
{
    cm_status status = CM_OK;
    *is_refused = true;
    if (stream->names_are_full)
        return refuse(stream, a, CM_FIELD_NONE,
                      "names of clicks (user agents, campaigns, tenants) take an eighth of "
                      "--memory-max: no room for more",
                      error);
    bool has_room = true;
    status = cm_stream_room_for_tenant(stream, a->click.tenant_id, &has_room, error);
    if (status == CM_OK && !has_room)
        return refuse(stream, a, CM_CLICK_TENANT_ID, "one tenant more than --tenants-max", error);
    *is_refused = false;
    return status;
}

static cm_status tell_click(cm_stream *stream, const cm_arrival *a, cm_error *error)
{
    if (stream->listener.click == NULL)
        return CM_OK;
    return stream->listener.click(stream->listener.context, &a->place, &a->click,
                                  a->event->row.values, a->text, error);
}

static cm_status admit_click(cm_stream *stream, const cm_arrival *a, bool is_ahead, cm_error *error)
{
    const cm_model *model = stream->engine->model;
    int64_t usual_end = a->click.click_timestamp + keep_us(model);
    int64_t own_end =
        cm_click_expiry(a->click.click_timestamp, a->click.expires_at, model->window_us) +
        model->retention_us;
    if ((own_end > usual_end ? own_end : usual_end) <= horizon_of(stream)) {
        stream->counts.too_old++;
        return tell_click(stream, a, error);
    }
    bool is_refused;
    cm_status status = refuse_unroomed(stream, a, &is_refused, error);
    if (status != CM_OK || is_refused)
        return status;
    if (is_ahead && !has_room_ahead(stream, a->time_us))
        return refuse_ahead(stream, a, error);
    status =
        cm_stream_add_click(stream, &a->click, is_ahead || own_end > usual_end + LASTING_US, error);
    return status == CM_OK ? tell_click(stream, a, error) : status;
}

static cm_status hold(cm_held_lines *lines, const cm_arrival *a, bool is_late, bool is_ready,
                      cm_error *error)
{
    const cm_held_line head = {.time_us = a->time_us,
                               .line = a->place.line,
                               .has_seq = a->place.has_seq,
                               .seq = a->place.seq,
                               .byte = a->byte,
                               .is_late = is_late,
                               .is_ready = is_ready};
    return cm_held_lines_push(lines, &head, a->text, error);
}

static cm_status add_conversion(cm_stream *stream, const cm_arrival *a, bool is_late,
                                cm_error *error)
{
    const cm_stream_conversion from = {a->place, is_late, a->event->row.values, a->text};
    return cm_stream_add_conversion(stream, &a->conversion, &from, error);
}

static cm_status admit_conversion(cm_stream *stream, const cm_arrival *a, bool is_ahead,
                                  cm_error *error)
{
    int64_t grace_us = stream->clock.options.grace_us;
    bool is_new;
    cm_status status =
        cm_seen_ids_add(&stream->seen, a->conversion.tenant_id, a->conversion.conversion_id,
                        stream->clock.latest_us, &is_new, error);
    if (status != CM_OK)
        return status;
    if (!is_new) {
        stream->counts.kinds[CM_ROW_CONVERSION].duplicates++;
        return CM_OK;
    }
    bool is_late = a->time_us + grace_us < cm_event_clock_watermark(&stream->clock);
    stream->counts.late += is_late;
    bool is_ready = grace_us == 0 || is_late || is_ahead;
    if (is_ready && stream->held.count == 0)
        return add_conversion(stream, a, is_late, error);
    return hold(&stream->held, a, is_late, is_ready, error);
}

/* moves_clock: its time is believed. */
static cm_status admit(cm_stream *stream, const cm_arrival *a, bool moves_clock, cm_error *error)
{
    if (moves_clock)
        cm_event_clock_move(&stream->clock, a->time_us);
    if (a->event->kind == CM_ROW_CLICK)
        return admit_click(stream, a, !moves_clock, error);
    return admit_conversion(stream, a, !moves_clock, error);
}

/* What was made of a line is in the batch, which settles the events of before on the way. */
static cm_status end_line(cm_stream *stream, cm_held_line *line, cm_status status, cm_error *error)
{
    if (status == CM_OK)
        return cm_stream_keep_line(stream, line, error);
    free(line);
    return status;
}

/* ---- what waits ---- */

static cm_status let_waiting_go(cm_stream *stream, bool moves_clock, cm_error *error)
{
    cm_status status = CM_OK;
    while (stream->waiting.count > 0 && status == CM_OK) {
        cm_event event;
        cm_arrival a;
        cm_held_line *line = cm_held_lines_pop(&stream->waiting);
        status = cm_arrival_read_again(stream, line, &event, &a, error);
        if (status == CM_OK)
            status = admit(stream, &a, moves_clock, error);
        status = end_line(stream, line, status, error);
    }
    return status;
}

/* One that is far ahead came first of all, before the stream's time was known. */
static bool is_due(const cm_stream *stream, const cm_held_line *line)
{
    const cm_event_clock *clock = &stream->clock;
    return line->is_ready ||
           line->time_us + clock->options.grace_us <= cm_event_clock_watermark(clock) ||
           line->time_us - clock->latest_us > clock->options.max_future_us;
}

/* Those at the head that are due, or all: results come in the order of their conversions. */
static cm_status let_held_go(cm_stream *stream, bool all, cm_error *error)
{
    cm_status status = CM_OK;
    const cm_held_line *first;
    while (status == CM_OK && (first = cm_held_lines_first(&stream->held)) != NULL &&
           (all || is_due(stream, first))) {
        cm_event event;
        cm_arrival a;
        cm_held_line *line = cm_held_lines_pop(&stream->held);
        status = cm_arrival_read_again(stream, line, &event, &a, error);
        if (status == CM_OK)
            status = add_conversion(stream, &a, line->is_late, error);
        status = end_line(stream, line, status, error);
    }
    return status;
}

/* ---- lines before the first event ---- */

/* A line that cannot be read stands after the event before it. Those at the beginning wait for the
 * event that follows: if it was seen in an earlier run, so were they. */
static bool is_unplaced(const cm_stream *stream, const cm_event *event)
{
    return event->row.malformed != NULL && !stream->has_begun && stream->options.is_resumable &&
           stream->unplaced.count < UNPLACED_LINES_MAX &&
           stream->unplaced.bytes < UNPLACED_BYTES_MAX;
}

static cm_status keep_unplaced(cm_stream *stream, const cm_arrival *a, cm_error *error)
{
    const cm_held_line head = {.line = a->place.line, .byte = a->byte, .is_ready = true};
    return cm_held_lines_push(&stream->unplaced, &head, a->text, error);
}

static cm_status tell_unplaced(cm_stream *stream, cm_error *error)
{
    cm_status status = CM_OK;
    while (stream->unplaced.count > 0 && status == CM_OK) {
        cm_held_line *line = cm_held_lines_pop(&stream->unplaced);
        status = cm_arrival_reject_again(stream, line, error);
        free(line);
    }
    return status;
}

/* place: of the event that has come; without a seq where there is none. */
static cm_status end_beginning(cm_stream *stream, const cm_event_place *place, cm_error *error)
{
    const cm_stream_options *options = &stream->options;
    stream->has_begun = true;
    if (stream->unplaced.count == 0)
        return CM_OK;
    if (options->has_resume && place->has_seq && place->seq <= options->resume_seq) {
        stream->counts.seen_before += stream->unplaced.count;
        cm_held_lines_destroy(&stream->unplaced);
        return CM_OK;
    }
    stream->before = options->has_resume ? (cm_event_place){0} : *place;
    cm_status status = tell_unplaced(stream, error);
    stream->before = (cm_event_place){0};
    return status;
}

cm_status cm_stream_let_go(cm_stream *stream, cm_error *error)
{
    cm_status status = end_beginning(stream, &(cm_event_place){0}, error);
    if (status == CM_OK)
        status = let_waiting_go(stream, false, error);
    if (status == CM_OK)
        status = let_held_go(stream, true, error);
    if (status == CM_OK)
        status = cm_stream_settle(stream, error);
    cm_arena_reset(&stream->arena);
    return status;
}

/* ---- an event that comes ---- */

static cm_status arrive(cm_stream *stream, const cm_arrival *a, cm_error *error)
{
    cm_clock_verdict verdict = cm_event_clock_look(&stream->clock, a->time_us);
    cm_status status = CM_OK;
    if (verdict == CM_CLOCK_IN_RANGE || verdict == CM_CLOCK_APART)
        status = let_waiting_go(stream, false, error);
    if (status == CM_OK && verdict == CM_CLOCK_IN_RANGE)
        status = admit(stream, a, true, error);
    else if (status == CM_OK) {
        stream->counts.waited++;
        status = hold(&stream->waiting, a, false, false, error);
    }
    if (status == CM_OK && verdict == CM_CLOCK_AGREED)
        status = let_waiting_go(stream, true, error);
    if (status == CM_OK && stream->held.count > 0)
        status = let_held_go(stream, false, error);
    return status;
}

static size_t clicks_per_mark(const cm_stream *stream, int64_t horizon)
{
    const cm_click_index *index = &stream->engine->index;
    if (index->dying == CM_NUMBER_NONE)
        return CLICKS_PER_MARK;
    int64_t died_us = index->catalog.store.segments[index->dying]->last_findable;
    bool is_behind = horizon - died_us > stream->engine->model->window_us / BEHIND_SHARE ||
                     cm_stream_room_is_short(stream);
    return is_behind ? CLICKS_PER_MARK_BEHIND : CLICKS_PER_MARK;
}

/* Clicks of the batch are stored first, or what goes now would depend on where blocks end. */
static cm_status forget_clicks(cm_stream *stream, cm_error *error)
{
    cm_click_index *index = &stream->engine->index;
    const cm_stream_batch *batch = &stream->batch;
    cm_status status = cm_stream_store(stream, error);
    int64_t due = horizon_of(stream), horizon = cm_stream_room_horizon(stream, due);
    if (status != CM_OK || !cm_click_index_has_dead(index, horizon))
        return status;
    if (stream->keeper.from_us <= horizon)
        stream->keeper.give_up(stream->keeper.context, horizon);
    if (stream->keeper.from_us <= horizon)
        return CM_OK;
    if (batch->conversion_count > 0 && batch->oldest_us < horizon)
        status = cm_stream_settle(stream, error);
    if (status == CM_OK)
        cm_stream_room_forget(stream, due, horizon, clicks_per_mark(stream, horizon));
    return status;
}

/* What is too old goes. */
static cm_status forget(cm_stream *stream, cm_error *error)
{
    cm_status status = forget_clicks(stream, error);
    stream->names_are_full = cm_stream_room_names_are_full(stream);
    if (stream->clock.latest_us != CM_CLOCK_UNSET)
        cm_seen_ids_forget(&stream->seen, stream->clock.latest_us - keep_us(stream->engine->model),
                           IDS_PER_MARK);
    return status;
}

/* Was a line seen in an earlier run? One without a seq was if an event that came after it was. */
static bool is_seen(cm_stream *stream, const cm_event_place *place)
{
    const cm_stream_options *options = &stream->options;
    bool is_seen =
        options->has_resume &&
        (place->has_seq ? place->seq <= options->resume_seq
                        : stream->has_passed && stream->passed_seq < options->resume_seq);
    stream->counts.seen_before += is_seen;
    stream->has_passed |= place->has_seq;
    stream->passed_seq = place->has_seq ? place->seq : stream->passed_seq;
    return is_seen;
}

static void note_seq(cm_stream *stream, const cm_event_place *place)
{
    if (!place->has_seq)
        return;
    if (stream->last.has_seq && place->seq <= stream->last.seq)
        stream->counts.disordered++;
    else
        stream->last = *place;
}

static cm_status take_event(cm_stream *stream, const cm_event *event, cm_arrival *a,
                            cm_error *error)
{
    bool is_good = false;
    cm_status status = CM_OK;
    if (is_unplaced(stream, event))
        return keep_unplaced(stream, a, error);
    if (!stream->has_begun)
        status = end_beginning(stream, &a->place, error);
    if (status != CM_OK || is_seen(stream, &a->place))
        return status;
    if (event->row.malformed != NULL) {
        stream->counts.malformed++;
        return cm_arrival_reject(stream, event, a, event->field, event->row.byte,
                                 event->row.malformed, error);
    }
    note_seq(stream, &a->place);
    stream->counts.kinds[event->kind].rows++;
    status = cm_arrival_build(stream, event, a, &is_good, error);
    if (status != CM_OK || !is_good)
        return status;
    status = arrive(stream, a, error);
    if (status == CM_OK && ++stream->events % EVENTS_PER_MARK == 0)
        status = forget(stream, error);
    return status;
}

static void judge_length(const cm_stream *stream, cm_event *event)
{
    size_t bytes_max = stream->options.line_bytes_max;
    if (bytes_max == 0 || event->row.malformed != NULL)
        return;
    event->row.malformed = cm_row_limit(&event->row, bytes_max);
    event->field = NULL;
}

cm_status cm_stream_take(cm_stream *stream, const char *bytes, size_t size, uint64_t *line,
                         uint64_t byte, cm_error *error)
{
    cm_event_reader reader;
    cm_event event;
    cm_arrival a;
    cm_status status = CM_OK;
    cm_arena_reset(&stream->arena);
    cm_event_reader_init(&reader, &stream->layouts, bytes, size, &stream->arena);
    while (status == CM_OK && cm_event_reader_next(&reader, &event)) {
        judge_length(stream, &event);
        a.text = cm_slice_of(bytes + event.row.start, event.row.end - event.row.start);
        a.byte = byte + event.row.start;
        a.place = (cm_event_place){.line = *line + event.row.line};
        if (event.row.malformed == NULL && event.has_seq) {
            a.place.has_seq = true;
            a.place.seq = event.seq;
        }
        status = take_event(stream, &event, &a, error);
    }
    *line += reader.rows.line;
    if (status == CM_OK && reader.out_of_memory)
        status = cm_error_memory(error, "the values of an event", CM_ROW_BYTES_MAX);
    return status == CM_OK ? cm_stream_settle(stream, error) : status;
}

/* Lines are held in the order of their events, whose seq rises. False: there is none before. */
static bool is_before_held(const cm_held_lines *lines, uint64_t *seq)
{
    const cm_held_line *first = cm_held_lines_first(lines);
    if (first == NULL || !first->has_seq || first->seq > *seq)
        return true;
    *seq = first->seq - 1;
    return first->seq > 0;
}

bool cm_stream_position(const cm_stream *stream, uint64_t *seq)
{
    *seq = stream->last.seq;
    return stream->last.has_seq && is_before_held(&stream->held, seq) &&
           is_before_held(&stream->waiting, seq);
}

cm_status cm_stream_set_model(cm_stream *stream, const cm_model *model, cm_error *error)
{
    cm_status status = cm_stream_settle(stream, error);
    return status == CM_OK ? cm_engine_set_model(stream->engine, model, error) : status;
}

size_t cm_stream_memory(const cm_stream *stream)
{
    return cm_engine_memory(stream->engine) + cm_seen_ids_memory(&stream->seen) +
           stream->held.bytes + stream->waiting.bytes + stream->unplaced.bytes + sizeof *stream;
}
