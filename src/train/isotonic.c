#include "train/isotonic.h"

#include <stdlib.h>

/* Forecasts beside one another. */
struct pool {
    double mass, said, came; /* sums of weights, of weighed forecasts and events */
};

static int compare(const void *left, const void *right)
{
    const cm_forecast *a = left;
    const cm_forecast *b = right;
    if (a->probability != b->probability)
        return a->probability < b->probability ? -1 : 1;
    if (a->is_right != b->is_right)
        return a->is_right ? 1 : -1;
    return (a->weight > b->weight) - (a->weight < b->weight);
}

static double share(const struct pool *pool)
{
    return pool->came / pool->mass;
}

static void add(struct pool *to, const struct pool *from)
{
    to->mass += from->mass;
    to->said += from->said;
    to->came += from->came;
}

/* Put a pool behind others, joined with those that it must not stay above. */
static size_t push(struct pool *pools, size_t count, struct pool next)
{
    while (count > 0 && share(&pools[count - 1]) >= share(&next)) {
        add(&next, &pools[count - 1]);
        count--;
    }
    pools[count] = next;
    return count + 1;
}

/* Equal forecasts are one, so that no order among them matters. */
static size_t pool_all(const cm_forecast *forecasts, size_t count, struct pool *pools)
{
    size_t pool_count = 0;
    for (size_t i = 0; i < count;) {
        struct pool next = {0};
        double probability = forecasts[i].probability;
        for (; i < count && forecasts[i].probability == probability; i++)
            add(&next, &(struct pool){forecasts[i].weight, forecasts[i].weight * probability,
                                      forecasts[i].is_right ? forecasts[i].weight : 0});
        pool_count = push(pools, pool_count, next);
    }
    return pool_count;
}

/* Join neighbours, from the lowest on, until each has the mass. */
static size_t join(struct pool *pools, size_t count, double mass_min)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept > 0 && pools[kept - 1].mass < mass_min)
            add(&pools[kept - 1], &pools[i]);
        else
            pools[kept++] = pools[i];
    if (kept > 1 && pools[kept - 1].mass < mass_min) {
        add(&pools[kept - 2], &pools[kept - 1]);
        kept--;
    }
    return kept;
}

static double mass_of(const struct pool *pools, size_t count)
{
    double mass = 0.0;
    for (size_t i = 0; i < count; i++)
        mass += pools[i].mass;
    return mass;
}

/* Knots rise in x and do not fall in y, also where rounding brought pools together. */
static size_t make_knots(const struct pool *pools, size_t count, double prior, cm_knot *knots)
{
    size_t made = 0;
    for (size_t i = 0; i < count; i++) {
        double x = pools[i].said / pools[i].mass;
        double y = (pools[i].came + prior * x) / (pools[i].mass + prior);
        if (made > 0 && x <= knots[made - 1].x)
            continue;
        if (made > 0 && y < knots[made - 1].y)
            y = knots[made - 1].y;
        knots[made++] = (cm_knot){x, y};
    }
    return made > 1 ? made : 0;
}

cm_status cm_isotonic_fit(cm_forecast *forecasts, size_t count, const cm_isotonic_options *options,
                          cm_knot *knots, size_t *knot_count, cm_error *error)
{
    struct pool *pools = malloc((count + 1) * sizeof *pools);
    if (pools == NULL)
        return cm_error_memory(error, "a calibration", count * sizeof *pools);
    qsort(forecasts, count, sizeof *forecasts, compare);
    size_t pool_count = join(pools, pool_all(forecasts, count, pools), options->mass_min);
    if (pool_count > CM_ISOTONIC_KNOTS_MAX)
        pool_count = join(pools, pool_count, mass_of(pools, pool_count) / CM_ISOTONIC_KNOTS_MAX);
    *knot_count = make_knots(pools, pool_count, options->prior, knots);
    free(pools);
    return CM_OK;
}
