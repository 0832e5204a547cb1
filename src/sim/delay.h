/*
 * From click to conversion. Some buy at once, some think about it over a night or two, some come
 * back after a time without a typical length. Whole seconds are drawn with libm and the rest with
 * integers, so that the last bit of a logarithm decides nothing.
 */
#ifndef CM_SIM_DELAY_H
#define CM_SIM_DELAY_H

#include "sim/rng.h"

/** A delay in microseconds, more than a second; may be any number of weeks. */
int64_t cm_sim_delay(cm_sim_rng *rng);

/** How long after the end of the seven days a late conversion comes; the same units. */
int64_t cm_sim_delay_beyond(cm_sim_rng *rng);

/** An amount of money, in cents. */
uint64_t cm_sim_amount(cm_sim_rng *rng);

#endif
