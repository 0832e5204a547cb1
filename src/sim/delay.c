#include "sim/delay.h"

#include <math.h>

#include "sim/calendar.h"

#define SECONDS_MAX (90 * 86400.0)

static const uint8_t mood_percents[] = {44, 29, 27}; /* at once, considered, any time */

#define AT_ONCE_MEDIAN_SECONDS 430.0
#define AT_ONCE_SIGMA 1.25
#define CONSIDERED_MEDIAN_SECONDS 70000.0
#define CONSIDERED_SIGMA 1.05
#define ANY_TIME_MIN_SECONDS 5200.0
#define ANY_TIME_EXPONENT 0.55
#define BEYOND_MEDIAN_SECONDS 110000.0
#define BEYOND_SIGMA 1.1
#define AMOUNT_MEDIAN_CENTS 4700.0
#define AMOUNT_SIGMA 0.95

static double log_normal(cm_sim_rng *rng, double median, double sigma)
{
    return median * exp(sigma * cm_sim_normal(rng));
}

static double pareto(cm_sim_rng *rng, double min, double exponent)
{
    return min * pow(1 - cm_sim_unit(rng), -1 / exponent);
}

static int64_t microseconds(double seconds, cm_sim_rng *rng)
{
    int64_t whole = (int64_t)(seconds < SECONDS_MAX ? seconds : SECONDS_MAX) + 1;
    return whole * CM_SIM_SECOND_US + (int64_t)cm_sim_below(rng, CM_SIM_SECOND_US);
}

int64_t cm_sim_delay(cm_sim_rng *rng)
{
    unsigned mood = cm_sim_pick(rng, mood_percents);
    double seconds = mood == 0   ? log_normal(rng, AT_ONCE_MEDIAN_SECONDS, AT_ONCE_SIGMA)
                     : mood == 1 ? log_normal(rng, CONSIDERED_MEDIAN_SECONDS, CONSIDERED_SIGMA)
                                 : pareto(rng, ANY_TIME_MIN_SECONDS, ANY_TIME_EXPONENT);
    return microseconds(seconds, rng);
}

int64_t cm_sim_delay_beyond(cm_sim_rng *rng)
{
    return microseconds(log_normal(rng, BEYOND_MEDIAN_SECONDS, BEYOND_SIGMA), rng);
}

uint64_t cm_sim_amount(cm_sim_rng *rng)
{
    return (uint64_t)log_normal(rng, AMOUNT_MEDIAN_CENTS, AMOUNT_SIGMA) + 1;
}
