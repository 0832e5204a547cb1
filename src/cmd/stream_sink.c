#include "cmd/stream_sink.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "cmd/clock.h"
#include "cmd/interrupt.h"
#include "model/column.h"
#include "model/model.h"
#include "util/error.h"
#include "util/text.h"

#define ROOM_WAIT_MS 50
/* Once interrupted, a server that is away is waited for no longer than this. */
#define FAREWELL_SECONDS 10.0

cm_status cm_stream_sink_open(cm_stream_sink *sink, const cm_settings *settings,
                              const cm_model *model, uint64_t seed, cm_error *error)
{
    const cm_pg_sink_config config = {
        .pg = {.conninfo = cm_settings_text(settings, CM_OPTION_STREAM_DB),
               .schema = cm_settings_text(settings, CM_OPTION_SCHEMA),
               .interrupt = cm_interrupt_flag(),
               .allow_superuser = cm_settings_flag(settings, CM_OPTION_ALLOW_SUPERUSER)},
        .stream_name = cm_settings_text(settings, CM_OPTION_STREAM_NAME),
        .batch_rows = cm_settings_number(settings, CM_OPTION_SINK_BATCH),
        .linger_ms = (unsigned)(cm_settings_number(settings, CM_OPTION_SINK_LINGER) / 1000),
        .click_window_us = model->window_us,
        .seed = seed,
    };
    sink->stores_clicks = cm_settings_flag(settings, CM_OPTION_STORE_CLICKS);
    (void)snprintf(sink->run, sizeof sink->run, "run %016" PRIx64, seed);
    return cm_pg_sink_open(&config, &sink->sink, error);
}

/* ---- room ---- */

static cm_status given_up(cm_error *error)
{
    return cm_error_set(error, CM_ERROR_DATABASE,
                        "interrupted while PostgreSQL was away: what it has not taken is not "
                        "settled; run again when the server is back, from the position told");
}

/* Input is not read meanwhile: that is the back-pressure. */
static cm_status wait_room(cm_stream_sink *sink, cm_error *error)
{
    bool has_room = cm_pg_sink_has_room(sink->sink);
    double interrupted = 0;
    cm_status status = CM_OK;
    while (status == CM_OK && !has_room) {
        status = cm_pg_sink_wait_room(sink->sink, ROOM_WAIT_MS, &has_room, error);
        if (status != CM_OK || has_room)
            break;
        status = sink->wait(sink->context, error);
        if (!atomic_load(cm_interrupt_flag()))
            continue;
        double now = cm_clock_seconds();
        interrupted = interrupted == 0 ? now : interrupted;
        if (now - interrupted > FAREWELL_SECONDS)
            return given_up(error);
    }
    return status;
}

/* ---- rows ---- */

/* The same event has the same position in another run, where it has a seq. */
static cm_status name_event(cm_stream_sink *sink, const cm_event_place *place, cm_slice line,
                            cm_pg_sink_origin *origin, cm_error *error)
{
    cm_buffer *position = &sink->position;
    position->size = 0;
    if (place->has_seq) {
        cm_buffer_append_text(position, "seq ");
        cm_buffer_append_u64(position, place->seq);
    } else {
        cm_buffer_append_text(position, sink->run);
        cm_buffer_append_text(position, " line ");
        cm_buffer_append_u64(position, place->line);
    }
    *origin = (cm_pg_sink_origin){cm_slice_of(position->data, position->size), line};
    return position->failed ? cm_error_memory(error, "a position", 64) : CM_OK;
}

/* A line that cannot be read has no seq: it is named by the event before it, or else after it. */
static cm_status name_malformed(cm_stream_sink *sink, const cm_event_place *place, cm_slice line,
                                const cm_stream *stream, cm_pg_sink_origin *origin, cm_error *error)
{
    cm_buffer *position = &sink->position;
    bool is_before = stream->before.has_seq;
    uint64_t seq = is_before            ? stream->before.seq
                   : stream->has_passed ? stream->passed_seq
                                        : stream->last.seq;
    if (!is_before && !stream->has_passed && !stream->last.has_seq)
        return name_event(sink, place, line, origin, error);
    bool goes_on = sink->malformed > 0 && sink->is_before == is_before && sink->beside_seq == seq;
    sink->malformed = goes_on ? sink->malformed + 1 : 1;
    sink->is_before = is_before;
    sink->beside_seq = seq;
    position->size = 0;
    cm_buffer_append_text(position, is_before ? "before seq " : "after seq ");
    cm_buffer_append_u64(position, seq);
    cm_buffer_append_text(position, ", line ");
    cm_buffer_append_u64(position, sink->malformed);
    *origin = (cm_pg_sink_origin){cm_slice_of(position->data, position->size), line};
    return position->failed ? cm_error_memory(error, "a position", 64) : CM_OK;
}

cm_status cm_stream_sink_click(cm_stream_sink *sink, const cm_event_place *place,
                               const cm_click *click, cm_slice text, cm_error *error)
{
    cm_pg_sink_origin origin;
    if (sink->sink == NULL || !sink->stores_clicks)
        return CM_OK;
    cm_status status = wait_room(sink, error);
    if (status == CM_OK)
        status = name_event(sink, place, text, &origin, error);
    return status == CM_OK ? cm_pg_sink_add_click(sink->sink, click, &origin, error) : status;
}

cm_status cm_stream_sink_results(cm_stream_sink *sink, const cm_stream_conversion *from,
                                 const cm_conversion *conversions, const cm_result *results,
                                 size_t count, const char *model, uint32_t processing_ms,
                                 cm_error *error)
{
    cm_status status = CM_OK;
    for (size_t i = 0; sink->sink != NULL && i < count && status == CM_OK; i++) {
        const cm_pg_sink_result row = {
            .conversion = &conversions[i],
            .type = &from[i].values[CM_EVENT_CONVERSION_TYPE],
            .value = &from[i].values[CM_EVENT_CONVERSION_VALUE],
            .result = &results[i],
            .model = model,
            .processing_ms = processing_ms,
        };
        cm_pg_sink_origin origin;
        status = wait_room(sink, error);
        if (status == CM_OK)
            status = name_event(sink, &from[i].place, from[i].text, &origin, error);
        if (status == CM_OK)
            status = cm_pg_sink_add_result(sink->sink, &row, &origin, error);
    }
    return status;
}

/* Tenants are the first field of both kinds. */
static cm_slice tenant_of(const cm_event *event)
{
    const cm_value *value = &event->row.values[CM_CLICK_TENANT_ID];
    bool is_good = event->row.malformed == NULL && value->kind == CM_VALUE_TEXT &&
                   value->text.size > 0 && value->text.size <= CM_ID_BYTES_SURE &&
                   cm_text_is_plain(value->text);
    return is_good ? value->text : (cm_slice){0};
}

_Static_assert((int)CM_CLICK_TENANT_ID == (int)CM_CONVERSION_TENANT_ID, "tenant_of counts on it");

cm_status cm_stream_sink_reject(cm_stream_sink *sink, const cm_event_place *place,
                                const cm_event *event, const cm_reject_line *reject,
                                const cm_stream *stream, cm_error *error)
{
    const char *kinds[] = {[CM_ROW_CLICK] = "click", [CM_ROW_CONVERSION] = "conversion"};
    bool is_event = event->row.malformed == NULL;
    cm_pg_sink_origin origin;
    if (sink->sink == NULL)
        return CM_OK;
    const cm_pg_sink_dead dead = {.event_type = is_event ? kinds[event->kind] : NULL,
                                  .tenant_id = tenant_of(event),
                                  .error_type = "malformed",
                                  .field = reject->field,
                                  .reason = reject->reason};
    cm_status status = wait_room(sink, error);
    if (status == CM_OK)
        status = place->has_seq ? name_event(sink, place, reject->row, &origin, error)
                                : name_malformed(sink, place, reject->row, stream, &origin, error);
    return status == CM_OK ? cm_pg_sink_add_dead(sink->sink, &dead, &origin, error) : status;
}

/* ---- commits ---- */

void cm_stream_sink_settle(cm_stream_sink *sink, uint64_t seq)
{
    if (sink->sink != NULL)
        cm_pg_sink_settle(sink->sink, seq);
}

cm_status cm_stream_sink_tick(cm_stream_sink *sink, uint64_t now_ns, cm_error *error)
{
    return sink->sink == NULL ? CM_OK : cm_pg_sink_tick(sink->sink, now_ns, error);
}

cm_sink_figures cm_stream_sink_figures(const cm_stream_sink *sink)
{
    cm_pg_sink_state state;
    if (sink->sink == NULL)
        return (cm_sink_figures){0};
    cm_pg_sink_get_state(sink->sink, &state);
    return (cm_sink_figures){
        .is_used = true,
        .is_connected = state.is_connected,
        .batches = state.batches,
        .rows = state.clicks_inserted + state.conversions_inserted + state.conversions_updated,
        .attempts = state.attempts,
        .dead = state.dead,
        .position_seq = state.position,
        .backlog_rows = state.rows_taken - state.rows_settled,
    };
}

bool cm_stream_sink_is_pending(const cm_stream_sink *sink)
{
    return sink->sink != NULL && cm_pg_sink_is_pending(sink->sink);
}

uint64_t cm_stream_sink_rows(cm_stream_sink *sink)
{
    cm_pg_sink_state state = {0};
    if (sink->sink != NULL)
        cm_pg_sink_get_state(sink->sink, &state);
    return state.rows_taken;
}

bool cm_stream_sink_has_settled(cm_stream_sink *sink, uint64_t rows_taken)
{
    cm_pg_sink_state state = {0};
    if (sink->sink != NULL)
        cm_pg_sink_get_state(sink->sink, &state);
    return state.rows_settled >= rows_taken;
}

cm_status cm_stream_sink_finish(cm_stream_sink *sink, cm_error *error)
{
    bool done = sink->sink == NULL;
    double interrupted = 0;
    cm_status status = CM_OK;
    while (status == CM_OK && !done) {
        status = cm_pg_sink_flush(sink->sink, ROOM_WAIT_MS, &done, error);
        if (status != CM_OK || done)
            break;
        status = sink->wait(sink->context, error);
        if (!atomic_load(cm_interrupt_flag()))
            continue;
        double now = cm_clock_seconds();
        interrupted = interrupted == 0 ? now : interrupted;
        if (now - interrupted > FAREWELL_SECONDS)
            return given_up(error);
    }
    return status;
}

void cm_stream_sink_close(cm_stream_sink *sink)
{
    cm_pg_sink_close(sink->sink);
    cm_buffer_destroy(&sink->position);
}
