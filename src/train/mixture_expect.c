#include "match/newest.h"
#include "train/mixture_parts.h"
#include "train/unit_weight.h"

/* Layer 3 learns from conversions whose own click layer 2 has not found, mostly since it has
 * another fingerprint: strangers have that, too, and it tells nothing. How many lost theirs is
 * then found without presuming it. */
static double without_fingerprint(const cm_mixture *mixture, const cm_train_look *look, double x)
{
    const cm_parameters *parameters = mixture->parameters;
    bool is_lost =
        mixture->task->layer == CM_WEIGH_PROBABILISTIC && look->evidence == CM_COMPARE_DIFFERENT;
    return is_lost
               ? x * (1 - parameters->fingerprint_u) / (1 - parameters->fingerprint_m[look->bin])
               : x;
}

static void weigh_units(const cm_mixture *mixture, const cm_train_chunk *chunk,
                        const cm_train_layer *layer, double *x)
{
    const cm_mixture_task *task = mixture->task;
    for (uint32_t i = layer->first; i < layer->first + layer->count; i++)
        x[i] = without_fingerprint(mixture, &chunk->looks[i],
                                   cm_unit_weight(task->model, mixture->parameters, task->layer,
                                                  &chunk->looks[i], layer->u));
}

static void add_pair(unsigned comparison, double stranger, double *known, double *equal)
{
    *known += comparison != CM_COMPARE_MISSING ? stranger : 0.0;
    *equal += comparison == CM_COMPARE_EQUAL ? stranger : 0.0;
}

static void add_stranger(const cm_train_look *look, double stranger, double *sums)
{
    sums[CM_SUM_STRANGERS] += stranger;
    add_pair(look->user_agent, stranger, &sums[CM_SUM_USER_AGENTS],
             &sums[CM_SUM_EQUAL_USER_AGENTS]);
    add_pair(look->evidence, stranger, &sums[CM_SUM_EVIDENCE], &sums[CM_SUM_EQUAL_EVIDENCE]);
    sums[CM_SUM_OTHER_FAMILY] += look->evidence == CM_COMPARE_OTHER_FAMILY ? stranger : 0.0;
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++)
        add_pair(cm_train_trait(look, i), stranger, &sums[CM_SUM_TRAITS + i],
                 &sums[CM_SUM_EQUAL_TRAITS + i]);
}

cm_mixture_factors cm_mixture_factors_of(const cm_mixture *mixture, const cm_train_layer *layer)
{
    double prior = mixture->layer->prior;
    double r = mixture->rivals + (double)(layer->count - 1 + layer->left);
    return (cm_mixture_factors){prior / r,
                                layer->count > 1 ? mixture->repeat / prior * r / (r - 1) : 0.0};
}

/* A candidate's weight as an older click of its device. */
static void add_older(const cm_mixture *mixture, const cm_train_look *look, double alone,
                      cm_older *older)
{
    double older_one = alone / mixture->lr_delay[look->bin];
    cm_older_add(older, look->evidence, older_one,
                 older_one / (1 - mixture->parameters->ip_m[look->bin]));
}

double cm_mixture_weigh(const cm_mixture *mixture, const cm_train_chunk *chunk,
                        const cm_train_layer *layer, const double *x)
{
    cm_mixture_factors factors = cm_mixture_factors_of(mixture, layer);
    cm_older older = {0};
    double sum = 0.0;
    for (uint32_t i = layer->count; i-- > 0;) {
        const cm_train_look *look = &chunk->looks[layer->first + i];
        double alone = factors.alone * x[layer->first + i];
        sum += alone * (1 + factors.older * cm_older_of(&older, look->evidence));
        add_older(mixture, look, alone, &older);
    }
    return sum;
}

/* Each candidate is the device's newest click with some chance, an older one of it with some, and
 * else a stranger's. */
static void expect_one(const cm_mixture *mixture, const cm_train_chunk *chunk,
                       const cm_train_layer *layer, const double *x, double *sums)
{
    cm_mixture_factors factors = cm_mixture_factors_of(mixture, layer);
    double total = mixture->w0 + cm_mixture_weigh(mixture, chunk, layer, x);
    double *own = sums + CM_SUM_COUNT, *strangers = own + mixture->task->model->bin_count;
    cm_older older = {0};
    double newer = 0.0, newer_here = 0.0; /* elsewhere, and on the conversion's address */
    for (uint32_t i = 0; i < layer->count; i++)
        add_older(mixture, &chunk->looks[layer->first + i], factors.alone * x[layer->first + i],
                  &older);
    for (uint32_t i = 0; i < layer->count; i++) {
        const cm_train_look *look = &chunk->looks[layer->first + i];
        double alone = factors.alone * x[layer->first + i];
        cm_older own_part = {0};
        add_older(mixture, look, alone, &own_part);
        older.elsewhere -= own_part.elsewhere;
        older.here -= own_part.here;
        double newest = alone * (1 + factors.older * cm_older_of(&older, look->evidence)) / total;
        double another =
            factors.older * (own_part.elsewhere * newer + own_part.here * newer_here) / total;
        *(look->evidence == CM_COMPARE_EQUAL ? &newer_here : &newer) += alone;
        if (look->whose != CM_WHOSE_UNKNOWN) {
            newest = look->whose == CM_WHOSE_NEWEST;
            another = look->whose == CM_WHOSE_OLDER;
        }
        double stranger = 1 - newest - another;
        sums[CM_SUM_OWN] += newest;
        own[look->bin] += newest;
        sums[CM_SUM_OWN_DIFFERENT] += look->evidence == CM_COMPARE_DIFFERENT ? newest : 0.0;
        add_pair(look->user_agent, newest, &sums[CM_SUM_OWN_USER_AGENTS],
                 &sums[CM_SUM_OWN_EQUAL_USER_AGENTS]);
        strangers[look->bin] += stranger;
        add_stranger(look, stranger, sums);
    }
}

void cm_mixture_expect(void *context, size_t at, double *sums)
{
    const cm_mixture *mixture = context;
    const cm_train_chunk *chunk = &mixture->task->set->chunks[at];
    for (size_t i = 0; i < chunk->count; i++) {
        const cm_train_layer *layer = &chunk->conversions[i].layers[mixture->task->layer];
        if (!mixture->takes[at][i])
            continue;
        sums[CM_SUM_CONVERSIONS] += 1;
        weigh_units(mixture, chunk, layer, mixture->x[at]);
        if (layer->count > 0)
            expect_one(mixture, chunk, layer, mixture->x[at], sums);
    }
}
