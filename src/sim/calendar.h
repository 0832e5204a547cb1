/*
 * When things happen: row number to time and back, in constant memory.
 *
 * Each hour has its number of rows, by hour of the day and day of the week; the rows of an hour
 * share it in equal cells, one row at a random place in each. So times rise with row numbers, and
 * both directions are a matter of arithmetic.
 */
#ifndef CM_SIM_CALENDAR_H
#define CM_SIM_CALENDAR_H

#include "sim/rng.h"

#include "clickmatch.h"

#define CM_SIM_SECOND_US INT64_C(1000000)
#define CM_SIM_MINUTE_US (60 * CM_SIM_SECOND_US)
#define CM_SIM_HOUR_US (60 * CM_SIM_MINUTE_US)
#define CM_SIM_DAY_US (24 * CM_SIM_HOUR_US)
#define CM_SIM_WINDOW_US (7 * CM_SIM_DAY_US) /* of the truth */

typedef struct cm_sim_calendar {
    uint64_t seed;
    cm_sim_purpose purpose; /* of the draws of places within cells */
    int64_t start_us;
    uint64_t hour_count;
    uint64_t row_count;
    uint64_t *first; /* the first row of each hour, and row_count; hour_count + 1 of them */
} cm_sim_calendar;

/**
 * Spread rows over hours. start_us, hour_count (not 0), row_count, seed and purpose are set by the
 * caller; `first` is made here and freed by cm_sim_calendar_destroy.
 */
cm_status cm_sim_calendar_init(cm_sim_calendar *calendar, cm_error *error);

/** Free the table. A zeroed calendar is allowed. */
void cm_sim_calendar_destroy(cm_sim_calendar *calendar);

/** The time of a row, in microseconds; row < row_count. Never falls as rows rise. */
int64_t cm_sim_calendar_time(const cm_sim_calendar *calendar, uint64_t row);

/** How many rows have a time <= time_us: one more than the last of them. Any time. */
uint64_t cm_sim_calendar_count_until(const cm_sim_calendar *calendar, int64_t time_us);

/** Local hours and weekdays. The day of the week counts from 0, Thursday. */
static inline unsigned cm_sim_hour_of_day(int64_t time_us)
{
    return (unsigned)(time_us / CM_SIM_HOUR_US % 24);
}

static inline unsigned cm_sim_day_of_week(int64_t time_us)
{
    return (unsigned)(time_us / CM_SIM_DAY_US % 7);
}

#endif
