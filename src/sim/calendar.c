#include "sim/calendar.h"

#include <stdlib.h>

#include "util/check.h"
#include "util/error.h"

/* Traffic by hour of the day, UTC, and by day of the week from Thursday. */
static const uint8_t hour_weights[24] = {31, 24, 20, 18, 19, 24, 35, 48, 57, 61, 63, 66,
                                         70, 71, 70, 72, 76, 82, 90, 97, 99, 88, 66, 45};
static const uint8_t day_weights[7] = {19, 18, 21, 23, 20, 19, 19};

static uint64_t hour_weight(const cm_sim_calendar *calendar, uint64_t hour)
{
    int64_t time_us = calendar->start_us + (int64_t)hour * CM_SIM_HOUR_US;
    return (uint64_t)hour_weights[cm_sim_hour_of_day(time_us)] *
           day_weights[cm_sim_day_of_week(time_us)];
}

cm_status cm_sim_calendar_init(cm_sim_calendar *calendar, cm_error *error)
{
    size_t size = (calendar->hour_count + 1) * sizeof *calendar->first;
    calendar->first = malloc(size);
    if (calendar->first == NULL)
        return cm_error_memory(error, "the hours of a simulated world", size);
    uint64_t total = 0;
    for (uint64_t hour = 0; hour < calendar->hour_count; hour++)
        total += hour_weight(calendar, hour);
    CM_CHECK(total > 0);
    uint64_t sum = 0;
    for (uint64_t hour = 0; hour <= calendar->hour_count; hour++) {
        calendar->first[hour] = (uint64_t)((cm_sim_wide)calendar->row_count * sum / total);
        sum += hour_weight(calendar, hour);
    }
    return CM_OK;
}

void cm_sim_calendar_destroy(cm_sim_calendar *calendar)
{
    free(calendar->first);
    calendar->first = NULL;
}

/* The hour with first[hour] <= row < first[hour + 1]. */
static uint64_t hour_of_row(const cm_sim_calendar *calendar, uint64_t row)
{
    uint64_t low = 0, high = calendar->hour_count;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (calendar->first[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int64_t cm_sim_calendar_time(const cm_sim_calendar *calendar, uint64_t row)
{
    uint64_t hour = hour_of_row(calendar, row);
    uint64_t cell = row - calendar->first[hour];
    uint64_t cell_count = calendar->first[hour + 1] - calendar->first[hour];
    cm_sim_rng rng = cm_sim_rng_at(calendar->seed, calendar->purpose, row, 0);
    cm_sim_wide place =
        (cm_sim_wide)cell * (uint64_t)CM_SIM_HOUR_US + cm_sim_below(&rng, (uint64_t)CM_SIM_HOUR_US);
    return calendar->start_us + (int64_t)hour * CM_SIM_HOUR_US + (int64_t)(place / cell_count);
}

uint64_t cm_sim_calendar_count_until(const cm_sim_calendar *calendar, int64_t time_us)
{
    if (time_us < calendar->start_us)
        return 0;
    uint64_t offset_us = (uint64_t)(time_us - calendar->start_us);
    uint64_t hour = offset_us / (uint64_t)CM_SIM_HOUR_US;
    if (hour >= calendar->hour_count)
        return calendar->row_count;
    /* The cell that holds the time is the only one that may lie on either side of it, but for the
     * rounding of times down, which reaches into the next cells. */
    uint64_t cell_count = calendar->first[hour + 1] - calendar->first[hour];
    uint64_t within_us = offset_us % (uint64_t)CM_SIM_HOUR_US;
    uint64_t row = calendar->first[hour] +
                   (uint64_t)((cm_sim_wide)within_us * cell_count / (uint64_t)CM_SIM_HOUR_US);
    while (row < calendar->row_count && cm_sim_calendar_time(calendar, row) <= time_us)
        row++;
    return row;
}
