/**
 * Random streams of events for property tests: the clicks and conversions of a world (world.h) in
 * the order of their times, but for as much disorder as is asked for, with events that come twice,
 * broken clocks, lines that are no events, and pauses.
 */
#ifndef EVENT_WORLD_H
#define EVENT_WORLD_H

#include "world.h"

#include "util/buffer.h"

typedef enum event_kind {
    EVENT_CLICK,
    EVENT_CONVERSION,
    EVENT_JUNK,  /* a line that is rejected */
    EVENT_PAUSE, /* no line: what is held or waits is let go here */
} event_kind;

typedef struct world_event {
    event_kind kind;
    cm_click click; /* one of the two, by kind */
    cm_conversion conversion;
    const char *junk;
    uint64_t seq;
    size_t start, end; /* of its line in the text, line end included */
} world_event;

typedef struct event_world_options {
    world_options world;
    int64_t disorder_us;     /* how far an event may be behind one that comes before it */
    unsigned copies_percent; /* events that come again soon */
    unsigned broken_percent; /* events whose clocks are far ahead */
    unsigned junk_percent, pauses_percent;
} event_world_options;

typedef struct event_world {
    world *world; /* what the events borrow from */
    world_event *events;
    size_t count;
    cm_buffer text; /* all lines, as NDJSON */
} event_world;

/** Make events, lines and all; each click id of a tenant is that of one click, each event has a seq
 * that rises. Freed with event_world_destroy. Aborts where memory runs out. */
event_world *event_world_create(const event_world_options *options);
void event_world_destroy(event_world *made);

int64_t event_time(const world_event *event);

#endif
