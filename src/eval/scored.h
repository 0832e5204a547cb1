/*
 * Judged conversions made ready for figures: in one order, whatever order they came in, with the
 * losses of each, and what is counted as one small number. Internal to src/eval.
 */
#ifndef CM_EVAL_SCORED_H
#define CM_EVAL_SCORED_H

#include "eval/figures.h"

/* The bits of a conversion's pattern: all that is counted. */
#define CM_PATTERN_WEIGHED 0   /* 2 bits: 0, 2 or 3 */
#define CM_PATTERN_ACCEPTED 2  /* 2 bits */
#define CM_PATTERN_VERDICT 4   /* 3 bits */
#define CM_PATTERN_HAS_CLICK 7 /* 1 bit, as the next */
#define CM_PATTERN_SAME_AD 8
#define CM_PATTERN_SAME_CAMPAIGN 9
#define CM_PATTERN_COUNT 1024

typedef struct cm_scored {
    double probability, log_loss, brier;
    uint32_t pattern;
} cm_scored;

static inline unsigned cm_pattern_bits(uint32_t pattern, unsigned at, unsigned bits)
{
    return pattern >> at & ((1u << bits) - 1);
}

/** Ready `count` conversions: sorted by probability, then by pattern. NULL when memory is short;
 * the caller frees it. */
cm_scored *cm_scored_make(const cm_judged *judged, size_t count);

/** The forecasts of one set: of what a layer weighed, or attributed. */
typedef struct cm_forecasts {
    cm_run_of_equal *runs; /* room for as many as there are conversions */
    size_t run_count;
    uint64_t count;
    double log_loss, brier, doubt; /* sums; doubt: of 1 - p */
} cm_forecasts;

/** The sets: what was weighed, then what was attributed, each by scope. */
#define CM_SET_COUNT (2 * CM_SCOPE_COUNT)

/** Room for one thread to sum conversions up in. Zero-initialised is empty. */
typedef struct cm_tally_room {
    uint64_t patterns[CM_PATTERN_COUNT];
    cm_forecasts sets[CM_SET_COUNT];
    cm_sweep_room sweep;
} cm_tally_room;

/** Take room for so many conversions. False when memory is short. */
bool cm_tally_room_init(cm_tally_room *room, size_t count);
void cm_tally_room_destroy(cm_tally_room *room);

/**
 * Sum up.
 *
 * @param times  how often each conversion counts; NULL: once
 */
void cm_tally_all(cm_tally_room *room, const cm_scored *scored, const uint16_t *times,
                  size_t count);

/** Counts, values and sweep bins of a scope; no intervals, no reliability table. False when memory
 * is short. */
bool cm_tally_figures(cm_tally_room *room, cm_scope scope, size_t bins, cm_figures *figures);

#endif
