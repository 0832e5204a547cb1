/**
 * The rules of docs/stream.md by brute force: every click is kept for ever, what is held is looked
 * through from its start after each event, and each conversion is matched by the reference
 * (reference.h) against what has come by then.
 */
#ifndef REFERENCE_STREAM_H
#define REFERENCE_STREAM_H

#include "event_world.h"

typedef struct reference_clock {
    int64_t lateness_us, grace_us, max_future_us;
} reference_clock;

/** A result, in the order in which they come. */
typedef struct reference_told {
    const world_event *event;
    bool is_late; /* clicks it could find may have been forgotten: only its place is certain */
    cm_result result;
} reference_told;

typedef struct reference_stream reference_stream;

/** Free with reference_stream_destroy. Aborts where memory runs out. */
reference_stream *reference_stream_create(const reference_clock *clock,
                                          const reference_model *model);
void reference_stream_destroy(reference_stream *stream);

/** Take the next event; borrowed until the end. */
void reference_stream_take(reference_stream *stream, const world_event *event);

/** What is held or waits goes. */
void reference_stream_let_go(reference_stream *stream);

/** All results so far; they hold until the next call. */
const reference_told *reference_stream_told(const reference_stream *stream, size_t *count);

/** Has a conversion come again when the stream may have forgotten its id? Then nothing is certain.
 */
bool reference_stream_is_unsure(const reference_stream *stream);

#endif
