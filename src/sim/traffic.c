#include "sim/traffic.h"

#include "sim/rng.h"

#define STREET_WEEK_CLICKS 24 /* at least, at most twice as many */
#define BOT_SHARE 0.03
#define FARM_WEEK_CLICKS 420
#define FARM_CLUSTER 60
#define REPEAT_STEP 4     /* a click's number modulo this selects its gap */
#define REPEAT_SHARE 0.16 /* of the clicks that may repeat another, which are half of all */
#define REPEAT_SECONDS_MIN 2
#define REPEATS_OF_DAY_MAX 5 /* the longest gap is a fifth of a day */

cm_sim_traffic cm_sim_traffic_make(uint64_t seed, uint64_t click_count, uint32_t days)
{
    cm_sim_traffic traffic = {.seed = seed, .click_count = click_count};
    uint64_t week_clicks = click_count / days * 7;
    while ((uint64_t)STREET_WEEK_CLICKS << (traffic.block_bits + 1) <= week_clicks)
        traffic.block_bits++;
    traffic.day_clicks = click_count / days + 1;
    uint64_t per_second_min = traffic.day_clicks * REPEAT_SECONDS_MIN / 86400 / REPEAT_STEP;
    traffic.gap_min = per_second_min > 1 ? per_second_min : 1;
    uint64_t gap_max = traffic.day_clicks / REPEATS_OF_DAY_MAX / REPEAT_STEP;
    while (traffic.gap_min << (traffic.gap_octaves + 2) <= gap_max)
        traffic.gap_octaves++;
    traffic.farm_count = (uint64_t)((double)week_clicks * BOT_SHARE) / FARM_WEEK_CLICKS + 1;
    return traffic;
}

/* The four numbers of a block's permutation. */
typedef struct permutation {
    uint64_t mask, factor[2], add;
    unsigned shift;
} permutation;

static permutation permutation_of(const cm_sim_traffic *traffic, uint64_t block)
{
    cm_sim_rng rng = cm_sim_rng_at(traffic->seed, CM_SIM_FOR_BLOCK, block, 0);
    return (permutation){
        .mask = (UINT64_C(1) << traffic->block_bits) - 1,
        .factor = {cm_sim_next(&rng) | 1, cm_sim_next(&rng) | 1},
        .add = cm_sim_next(&rng),
        .shift = traffic->block_bits / 2 + 1, /* more than half, so that it undoes itself */
    };
}

static uint64_t permute(permutation p, uint64_t place)
{
    uint64_t x = (place * p.factor[0] + p.add) & p.mask;
    x ^= x >> p.shift;
    return (x * p.factor[1]) & p.mask;
}

/* The inverse of an odd number modulo 2^64: each round doubles the right bits, 5 at first. */
static uint64_t inverse(uint64_t odd)
{
    uint64_t x = (3 * odd) ^ 2;
    for (int round = 0; round < 4; round++)
        x *= 2 - odd * x;
    return x;
}

static uint64_t permute_back(permutation p, uint64_t street)
{
    uint64_t x = (street * inverse(p.factor[1])) & p.mask;
    x ^= x >> p.shift;
    return ((x - p.add) * inverse(p.factor[0])) & p.mask;
}

uint64_t cm_sim_traffic_click(const cm_sim_traffic *traffic, uint64_t street, uint64_t block)
{
    uint64_t place = permute_back(permutation_of(traffic, block), street);
    return (block << traffic->block_bits) + place;
}

static bool is_bot(const cm_sim_traffic *traffic, uint64_t click, uint64_t *bot)
{
    cm_sim_rng rng = cm_sim_rng_at(traffic->seed, CM_SIM_FOR_BOT, click, 0);
    if (!cm_sim_chance(&rng, BOT_SHARE))
        return false;
    *bot = CM_SIM_BOT +
           cm_sim_clustered(&rng, traffic->farm_count, FARM_CLUSTER) * CM_SIM_FARM_BOTS +
           cm_sim_below(&rng, CM_SIM_FARM_BOTS - 1);
    return true;
}

uint64_t cm_sim_traffic_person(const cm_sim_traffic *traffic, uint64_t click)
{
    uint64_t block = click >> traffic->block_bits;
    permutation p = permutation_of(traffic, block);
    cm_sim_rng rng = cm_sim_rng_at(traffic->seed, CM_SIM_FOR_MEMBER, click, 0);
    return permute(p, click & p.mask) * CM_SIM_STREET_DEVICES +
           cm_sim_skewed(&rng, CM_SIM_STREET_CLICKERS);
}

/*
 * Each day's clicks of one remainder modulo REPEAT_STEP are in runs of one length, the gap. A click
 * of an even run may be repeated by its counterpart in the next, odd run.
 */
typedef struct run {
    uint64_t within;     /* the number of the click in its day */
    uint64_t gap_clicks; /* the length of the run */
    bool odd;
} run;

static run run_of(const cm_sim_traffic *traffic, uint64_t click)
{
    uint64_t day = click / traffic->day_clicks, within = click % traffic->day_clicks;
    cm_sim_rng rng = cm_sim_rng_at(traffic->seed, CM_SIM_FOR_REPEAT_GAP, day, within % REPEAT_STEP);
    uint64_t octave = traffic->gap_min << cm_sim_below(&rng, traffic->gap_octaves + 1);
    uint64_t gap = octave + cm_sim_below(&rng, octave);
    return (run){within, gap * REPEAT_STEP, within / REPEAT_STEP / gap % 2 == 1};
}

bool cm_sim_traffic_repeater(const cm_sim_traffic *traffic, uint64_t click, uint64_t *repeater)
{
    run r = run_of(traffic, click);
    if (r.odd || r.within + r.gap_clicks >= traffic->day_clicks ||
        click + r.gap_clicks >= traffic->click_count)
        return false;
    *repeater = click + r.gap_clicks;
    return true;
}

uint64_t cm_sim_traffic_gap_max(const cm_sim_traffic *traffic)
{
    return (traffic->gap_min << (traffic->gap_octaves + 1)) * REPEAT_STEP;
}

static uint64_t origin_of(const cm_sim_traffic *traffic, uint64_t click)
{
    cm_sim_rng rng = cm_sim_rng_at(traffic->seed, CM_SIM_FOR_REPEAT, click, 0);
    if (!cm_sim_chance(&rng, REPEAT_SHARE))
        return click;
    run r = run_of(traffic, click);
    uint64_t bot;
    if (!r.odd || is_bot(traffic, click - r.gap_clicks, &bot))
        return click;
    return click - r.gap_clicks;
}

cm_sim_slot cm_sim_traffic_slot(const cm_sim_traffic *traffic, uint64_t click)
{
    uint64_t bot;
    if (is_bot(traffic, click, &bot))
        return (cm_sim_slot){bot, click};
    uint64_t origin = origin_of(traffic, click);
    return (cm_sim_slot){cm_sim_traffic_person(traffic, origin), origin};
}
