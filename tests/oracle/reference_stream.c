#include "reference_stream.h"

#include <stdlib.h>
#include <string.h>

#define AGREE 100 /* so many in a row are believed */

/* An event on its way. */
typedef struct entry {
    const world_event *event;
    int64_t seen_at; /* of conversions: the latest time when they came */
    bool is_late, is_ready;
} entry;

typedef struct entries {
    entry *items;
    size_t count, capacity;
} entries;

struct reference_stream {
    reference_clock clock;
    reference_model model;
    reference *matcher;
    bool has_time, rests_on_one;
    int64_t latest;
    entries waiting, held, seen;
    size_t agree_count; /* of the last that waited or wait */
    int64_t agree_time;
    reference_told *told;
    size_t told_count, told_capacity;
    bool is_unsure;
};

static void *claim(void *memory, size_t bytes)
{
    void *moved = realloc(memory, bytes);
    if (moved == NULL)
        abort();
    return moved;
}

static entry *push(entries *to, const world_event *event)
{
    if (to->count == to->capacity) {
        to->capacity = 2 * to->capacity + 16;
        to->items = claim(to->items, to->capacity * sizeof *to->items);
    }
    to->items[to->count] = (entry){.event = event};
    return &to->items[to->count++];
}

static entry shift(entries *from)
{
    entry first = from->items[0];
    memmove(from->items, from->items + 1, --from->count * sizeof first);
    return first;
}

reference_stream *reference_stream_create(const reference_clock *clock,
                                          const reference_model *model)
{
    reference_stream *stream = claim(NULL, sizeof *stream);
    memset(stream, 0, sizeof *stream);
    stream->clock = *clock;
    stream->model = *model;
    stream->matcher = reference_create(model);
    return stream;
}

void reference_stream_destroy(reference_stream *stream)
{
    if (stream == NULL)
        return;
    reference_destroy(stream->matcher);
    free(stream->waiting.items);
    free(stream->held.items);
    free(stream->seen.items);
    free(stream->told);
    free(stream);
}

/* ---- what becomes of one ---- */

static void tell(reference_stream *stream, const world_event *event, bool is_late)
{
    if (stream->told_count == stream->told_capacity) {
        stream->told_capacity = 2 * stream->told_capacity + 16;
        stream->told = claim(stream->told, stream->told_capacity * sizeof *stream->told);
    }
    reference_told *told = &stream->told[stream->told_count++];
    *told = (reference_told){.event = event, .is_late = is_late};
    reference_match(stream->matcher, &event->conversion, &told->result);
}

static bool is_due(const reference_stream *stream, const entry *held)
{
    int64_t time = event_time(held->event);
    int64_t watermark = stream->latest - stream->clock.lateness_us;
    bool is_broken = time > stream->latest + stream->clock.max_future_us;
    return held->is_ready || is_broken || watermark >= time + stream->clock.grace_us;
}

static void tell_held(reference_stream *stream, bool all)
{
    while (stream->held.count > 0 && (all || is_due(stream, &stream->held.items[0]))) {
        entry first = shift(&stream->held);
        tell(stream, first.event, first.is_late);
    }
}

static bool same(cm_slice a, cm_slice b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* How long an id is certain to be known. */
static int64_t keep_us(const reference_model *model)
{
    double hours = model->window_hours > model->probabilistic_window_hours
                       ? model->window_hours
                       : model->probabilistic_window_hours;
    return reference_hours_us(hours) + reference_hours_us(model->retention_hours);
}

static bool was_seen(reference_stream *stream, const cm_conversion *conversion)
{
    for (size_t i = 0; i < stream->seen.count; i++) {
        const cm_conversion *other = &stream->seen.items[i].event->conversion;
        if (!same(other->tenant_id, conversion->tenant_id) ||
            !same(other->conversion_id, conversion->conversion_id))
            continue;
        stream->is_unsure |=
            stream->latest - stream->seen.items[i].seen_at >= keep_us(&stream->model);
        return true;
    }
    return false;
}

static void admit_conversion(reference_stream *stream, const world_event *event, bool is_ahead)
{
    const reference_clock *clock = &stream->clock;
    if (was_seen(stream, &event->conversion))
        return;
    push(&stream->seen, event)->seen_at = stream->latest;
    entry *held = push(&stream->held, event);
    held->is_late = event_time(event) < stream->latest - clock->lateness_us - clock->grace_us;
    held->is_ready = held->is_late || is_ahead || clock->grace_us == 0;
    if (stream->held.count == 1 && held->is_ready)
        tell_held(stream, false);
}

static void admit(reference_stream *stream, const world_event *event, bool is_believed)
{
    int64_t time = event_time(event);
    bool is_far_back = stream->has_time && time < stream->latest - stream->clock.max_future_us;
    if (is_believed && (!stream->has_time || (stream->rests_on_one && is_far_back))) {
        stream->has_time = stream->rests_on_one = true;
        stream->latest = time;
    } else if (is_believed) {
        stream->rests_on_one &= is_far_back;
        stream->latest = time > stream->latest ? time : stream->latest;
    }
    if (event->kind == EVENT_CLICK)
        reference_add(stream->matcher, &event->click, 1);
    else
        admit_conversion(stream, event, !is_believed);
}

/* ---- who waits ---- */

static void admit_waiting(reference_stream *stream, bool is_believed)
{
    while (stream->waiting.count > 0)
        admit(stream, shift(&stream->waiting).event, is_believed);
}

static void wait_ahead(reference_stream *stream, const world_event *event)
{
    int64_t time = event_time(event), apart = llabs(time - stream->agree_time);
    if (stream->agree_count > 0 && apart > stream->clock.max_future_us) {
        admit_waiting(stream, false);
        stream->agree_count = 0;
    }
    push(&stream->waiting, event);
    if (stream->agree_count == 0 || time > stream->agree_time)
        stream->agree_time = time;
    if (++stream->agree_count == AGREE) {
        stream->agree_count = 0;
        admit_waiting(stream, true);
    }
}

void reference_stream_take(reference_stream *stream, const world_event *event)
{
    if (stream->has_time && event_time(event) > stream->latest + stream->clock.max_future_us) {
        wait_ahead(stream, event);
    } else {
        stream->agree_count = 0;
        admit_waiting(stream, false);
        admit(stream, event, true);
    }
    tell_held(stream, false);
}

void reference_stream_let_go(reference_stream *stream)
{
    admit_waiting(stream, false);
    tell_held(stream, true);
}

const reference_told *reference_stream_told(const reference_stream *stream, size_t *count)
{
    *count = stream->told_count;
    return stream->told;
}

bool reference_stream_is_unsure(const reference_stream *stream)
{
    return stream->is_unsure;
}
