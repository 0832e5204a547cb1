/*
 * What clicks may take when they are loaded. Each has a cost, computed from its own values, that
 * what is allocated for it stays under; so whether clicks fit depends on them alone, not on
 * threads, their order or the allocator. Names that clicks share (tenants, user agents, campaigns)
 * are counted apart, once each.
 *
 * Once something is over its limit nothing more is stored: rows are only read. The caller then
 * clears the engine, has the clicks surveyed (click_survey.h), and loads those from a time on.
 */
#ifndef CM_ENGINE_LOAD_LIMITS_H
#define CM_ENGINE_LOAD_LIMITS_H

#include <stdatomic.h>

#include "engine/click_survey.h"
#include "engine/engine.h"

/** What came out to be more than its limit. */
typedef enum cm_load_over {
    CM_OVER_NOTHING = 0,
    CM_OVER_CLICKS,
    CM_OVER_NAMES,
    CM_OVER_TENANTS,
} cm_load_over;

/** Limits of all sources that are loaded with them, and what has come of those. Zero-initialised
 * has no limits but on time: 1970. */
typedef struct cm_load_limits {
    size_t click_bytes_max; /* costs; 0: no limit, here and below */
    size_t name_bytes_max;
    size_t tenants_max;
    bool counts_all_keys;    /* as cm_engine_click_bytes does, which goes on from there */
    int64_t from_us;         /* older clicks are left out */
    cm_click_survey *survey; /* not NULL: clicks are surveyed and not stored; borrowed */
    /* What has come; changed under the load's lock. */
    uint64_t click_bytes;
    uint64_t left_out;
    atomic_int over; /* cm_load_over */
} cm_load_limits;

/** What is allocated for a click is less than that: tests/unit/test_load_limits.c measures it. */
size_t cm_click_cost(const cm_click *click, const cm_model *model);

/** The same of a click that has all keys, whichever it has. */
size_t cm_click_cost_most(const cm_click *click, const cm_model *model);

/** The sum of that for the clicks that are stored, half forgotten segments whole. Cheap. */
uint64_t cm_engine_click_bytes(const cm_engine *engine);

/** What names take, as a sum over the names: the order in which they came does not matter. */
size_t cm_engine_name_bytes(const cm_engine *engine);

/** Note that clicks of a cost were stored and others left out, and judge all that is there. */
void cm_load_limits_count(cm_load_limits *limits, const cm_engine *engine, size_t cost,
                          uint64_t left_out);

static inline cm_load_over cm_load_limits_over(const cm_load_limits *limits)
{
    return (cm_load_over)atomic_load_explicit(&limits->over, memory_order_relaxed);
}

/**
 * After clicks that came out to be over a limit: find the newest that fit, and load those.
 *
 * @param limits  receives from_us and what came of the second reading; over is raised where even
 *                those are over a limit
 * @param read    clears the engine and loads all clicks with the limits; called twice
 * @return what read returned
 */
cm_status cm_load_newest(cm_load_limits *limits, cm_status (*read)(void *context, cm_error *error),
                         void *context, cm_error *error);

/** Forget all clicks, names and indexes of an engine. Nobody may be using it. */
void cm_engine_clear(cm_engine *engine);

#endif
