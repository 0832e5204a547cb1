#include "stream/event_clock.h"

void cm_event_clock_init(cm_event_clock *clock, const cm_clock_options *options)
{
    *clock = (cm_event_clock){.options = *options, .latest_us = CM_CLOCK_UNSET};
}

static bool agrees(const cm_event_clock *clock, int64_t time_us)
{
    int64_t difference =
        time_us > clock->ahead_us ? time_us - clock->ahead_us : clock->ahead_us - time_us;
    return difference <= clock->options.max_future_us;
}

static cm_clock_verdict look_ahead(cm_event_clock *clock, int64_t time_us)
{
    bool is_apart = clock->ahead_count > 0 && !agrees(clock, time_us);
    if (clock->ahead_count == 0 || is_apart) {
        clock->ahead_us = time_us;
        clock->ahead_count = 1;
        return is_apart ? CM_CLOCK_APART : CM_CLOCK_AHEAD;
    }
    if (time_us > clock->ahead_us)
        clock->ahead_us = time_us;
    if (++clock->ahead_count < CM_CLOCK_AGREE_COUNT)
        return CM_CLOCK_AHEAD;
    clock->ahead_count = 0;
    return CM_CLOCK_AGREED;
}

cm_clock_verdict cm_event_clock_look(cm_event_clock *clock, int64_t time_us)
{
    if (clock->latest_us != CM_CLOCK_UNSET &&
        time_us - clock->latest_us > clock->options.max_future_us)
        return look_ahead(clock, time_us);
    clock->ahead_count = 0;
    return CM_CLOCK_IN_RANGE;
}

void cm_event_clock_move(cm_event_clock *clock, int64_t time_us)
{
    bool is_far_back = clock->latest_us != CM_CLOCK_UNSET &&
                       clock->latest_us - time_us > clock->options.max_future_us;
    if (clock->latest_us == CM_CLOCK_UNSET || (clock->is_alone && is_far_back)) {
        clock->latest_us = time_us;
        clock->is_alone = true;
        return;
    }
    if (!is_far_back)
        clock->is_alone = false;
    if (time_us > clock->latest_us)
        clock->latest_us = time_us;
}
