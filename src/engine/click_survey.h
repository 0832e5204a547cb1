/*
 * Which clicks are the newest whose costs fit: found by looking at all of them once, in any order,
 * and keeping 16 bytes for each that may still be among them. The answer is a time; clicks of one
 * microsecond go or stay together, so that it depends on the clicks alone.
 */
#ifndef CM_ENGINE_CLICK_SURVEY_H
#define CM_ENGINE_CLICK_SURVEY_H

#include "clickmatch.h"

/** What is looked at of a click. */
typedef struct cm_surveyed {
    int64_t time_us;
    size_t cost; /* bytes: cm_click_cost */
} cm_surveyed;

/** Zero-initialised but for cost_max is ready. */
typedef struct cm_click_survey {
    uint64_t cost_max;
    int64_t from_us;   /* of the clicks so far those from this time on fit, and no older one does */
    uint64_t cost;     /* of those */
    uint64_t older;    /* the others */
    cm_surveyed *heap; /* the oldest first */
    size_t count, capacity;
} cm_click_survey;

/** Look at some clicks. False when memory is short. */
bool cm_click_survey_add(cm_click_survey *survey, const cm_surveyed *clicks, size_t count);

void cm_click_survey_destroy(cm_click_survey *survey);

#endif
