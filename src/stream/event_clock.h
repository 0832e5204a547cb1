/*
 * What time it is in a stream, by its events: the latest event time seen. An event far ahead of it
 * is not believed at once, or one broken clock would make the whole window old; but where enough in
 * a row agree, time has passed indeed (an idle night).
 */
#ifndef CM_STREAM_EVENT_CLOCK_H
#define CM_STREAM_EVENT_CLOCK_H

#include "clickmatch.h"

/** So many events in a row that are ahead and agree are right. */
#define CM_CLOCK_AGREE_COUNT 100u

/** Before the first event. */
#define CM_CLOCK_UNSET INT64_MIN

/** What a stream is told about lateness. All in microseconds, not negative. */
typedef struct cm_clock_options {
    int64_t lateness_us;   /* the watermark is so far behind the latest event */
    int64_t grace_us;      /* conversions are held for so long behind the watermark */
    int64_t max_future_us; /* an event further ahead than this is not believed alone */
} cm_clock_options;

/** Made by cm_event_clock_init; plain data, so that it can be kept and brought back. */
typedef struct cm_event_clock {
    cm_clock_options options;
    int64_t latest_us; /* CM_CLOCK_UNSET: none yet */
    bool is_alone;     /* the latest time rests on one event */
    /* Of the events that wait, those ahead: */
    int64_t ahead_us; /* the latest of them */
    uint32_t ahead_count;
} cm_event_clock;

/** What is to be done with an event. */
typedef enum cm_clock_verdict {
    CM_CLOCK_IN_RANGE, /* it moves the clock; those that wait were wrong */
    CM_CLOCK_AHEAD,    /* it waits */
    CM_CLOCK_APART,    /* it waits; those that waited before it do not agree with it */
    CM_CLOCK_AGREED,   /* it, and all that wait, move the clock */
} cm_clock_verdict;

void cm_event_clock_init(cm_event_clock *clock, const cm_clock_options *options);

/** Look at the time of the next event. The clock itself is moved by cm_event_clock_move. */
cm_clock_verdict cm_event_clock_look(cm_event_clock *clock, int64_t time_us);

/** Move the clock: to a later time only, but that a first event which nothing has confirmed is
 * given up for one far before it. */
void cm_event_clock_move(cm_event_clock *clock, int64_t time_us);

/** Events before this are late; CM_CLOCK_UNSET before the first event. */
static inline int64_t cm_event_clock_watermark(const cm_event_clock *clock)
{
    return clock->latest_us == CM_CLOCK_UNSET ? CM_CLOCK_UNSET
                                              : clock->latest_us - clock->options.lateness_us;
}

/** No conversion before this is held or will be waited for. */
static inline int64_t cm_event_clock_horizon(const cm_event_clock *clock)
{
    int64_t watermark = cm_event_clock_watermark(clock);
    return watermark == CM_CLOCK_UNSET ? CM_CLOCK_UNSET : watermark - clock->options.grace_us;
}

#endif
