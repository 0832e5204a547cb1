/*
 * Random numbers by place, not by order: a stream of draws belongs to (seed, purpose, a, b) and is
 * the same whenever and wherever it is drawn. Draws come out the same on every machine: integers,
 * and doubles by exact operations only.
 */
#ifndef CM_SIM_RNG_H
#define CM_SIM_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What draws are for: streams of different purposes are independent. */
typedef enum cm_sim_purpose {
    CM_SIM_FOR_CLICK_TIME = 1,
    CM_SIM_FOR_CONVERSION_TIME,
    CM_SIM_FOR_CLICK_ID,
    CM_SIM_FOR_CONVERSION_ID,
    CM_SIM_FOR_ADS,
    CM_SIM_FOR_BLOCK,
    CM_SIM_FOR_REPEAT_GAP,
    CM_SIM_FOR_REPEAT,
    CM_SIM_FOR_BOT,
    CM_SIM_FOR_BOT_LOOK,
    CM_SIM_FOR_MEMBER,
    CM_SIM_FOR_VISIT,
    CM_SIM_FOR_FLAG,
    CM_SIM_FOR_TASTE,
    CM_SIM_FOR_STREET,
    CM_SIM_FOR_HOUSEHOLD,
    CM_SIM_FOR_DEVICE,
    CM_SIM_FOR_FINGERPRINT,
    CM_SIM_FOR_WHEREABOUTS,
    CM_SIM_FOR_ADDRESS,
    CM_SIM_FOR_PREFIX,
    CM_SIM_FOR_CLICK_LOOK,
    CM_SIM_FOR_CONVERSION_LOOK,
    CM_SIM_FOR_CLICK_ROW,
    CM_SIM_FOR_CONVERSION,
    CM_SIM_FOR_CONVERSION_ROW,
} cm_sim_purpose;

typedef struct cm_sim_rng {
    uint64_t state;
} cm_sim_rng;

__extension__ typedef unsigned __int128 cm_sim_wide;

/* A bijection, so that numbers mixed from different numbers differ. */
static inline uint64_t cm_sim_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t cm_sim_hash(uint64_t seed, cm_sim_purpose purpose, uint64_t a, uint64_t b)
{
    uint64_t h = cm_sim_mix(seed + (uint64_t)purpose * 0x9e3779b97f4a7c15u);
    h = cm_sim_mix(h ^ (a * 0xd1342543de82ef95u));
    return cm_sim_mix(h + b * 0xa0761d6478bd642fu);
}

static inline cm_sim_rng cm_sim_rng_at(uint64_t seed, cm_sim_purpose purpose, uint64_t a,
                                       uint64_t b)
{
    return (cm_sim_rng){cm_sim_hash(seed, purpose, a, b)};
}

static inline uint64_t cm_sim_next(cm_sim_rng *rng)
{
    rng->state += 0x9e3779b97f4a7c15u;
    return cm_sim_mix(rng->state);
}

/* Uniform in [0, 1). */
static inline double cm_sim_unit(cm_sim_rng *rng)
{
    return (double)(cm_sim_next(rng) >> 11) * 0x1p-53;
}

static inline bool cm_sim_chance(cm_sim_rng *rng, double share)
{
    return cm_sim_unit(rng) < share;
}

/* Uniform in 0 .. count - 1; count is not 0. */
static inline uint64_t cm_sim_below(cm_sim_rng *rng, uint64_t count)
{
    return (uint64_t)(((cm_sim_wide)cm_sim_next(rng) * count) >> 64);
}

/* In 0 .. count - 1, low numbers far more often: the share of the first n is sqrt(n / count). */
static inline uint64_t cm_sim_skewed(cm_sim_rng *rng, uint64_t count)
{
    double u = cm_sim_unit(rng);
    uint64_t n = (uint64_t)(u * u * (double)count);
    return n < count ? n : count - 1;
}

/* The same within clusters, so that the first of a cluster stays as frequent however many there
 * are. */
static inline uint64_t cm_sim_clustered(cm_sim_rng *rng, uint64_t count, uint64_t cluster)
{
    uint64_t clusters = count / cluster;
    if (clusters < 2)
        return cm_sim_skewed(rng, count);
    uint64_t first = cm_sim_below(rng, clusters) * cluster;
    return first + cm_sim_skewed(rng, cluster);
}

/* A number of a table by its percentages, which sum to 100. */
static inline unsigned cm_sim_pick(cm_sim_rng *rng, const uint8_t *percents)
{
    uint64_t left = cm_sim_below(rng, 100);
    unsigned n = 0;
    while (left >= percents[n])
        left -= percents[n++];
    return n;
}

/* About normal, mean 0, deviation 1, between -6 and 6: the sum of twelve uniforms. */
static inline double cm_sim_normal(cm_sim_rng *rng)
{
    double sum = 0;
    for (int i = 0; i < 3; i++)
        for (uint64_t bits = cm_sim_next(rng), part = 0; part < 4; part++, bits >>= 16)
            sum += (double)(bits & 0xffff);
    return sum / 65536.0 - 6.0;
}

#endif
