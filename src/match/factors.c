#include "match/factors.h"

#include <math.h>
#include <stddef.h>

#include "util/check.h"

/* What the chances of a comparison depend on. */
struct compared {
    const cm_weights *weights;
    enum cm_weighed_layer layer;
    double u; /* of the address */
    uint32_t bin;
};

/* That an address differs says nothing of strangers, nearly all of whose do; of which family it is
 * does, where the model tells. */
static void address_chances(const struct compared *of, cm_trace_factor *factor)
{
    const cm_parameters *parameters = of->weights->parameters;
    double m = parameters->ip_m[of->bin];
    if (factor->outcome == CM_COMPARE_EQUAL) {
        factor->same = m;
        factor->stranger = of->u;
    } else if (factor->outcome == CM_COMPARE_OTHER_FAMILY) {
        factor->same = (1 - m) * parameters->ip_other_m;
        factor->stranger = parameters->ip_other_u;
    } else {
        factor->same = (1 - m) * (1 - parameters->ip_other_m);
        factor->stranger = 1 - parameters->ip_other_u;
    }
}

static void set_chances(double m, double u, cm_trace_factor *factor)
{
    bool is_equal = factor->outcome == CM_COMPARE_EQUAL;
    factor->same = is_equal ? m : 1 - m;
    factor->stranger = is_equal ? u : 1 - u;
}

static void evidence_chances(const struct compared *of, cm_trace_factor *factor)
{
    if (of->layer == CM_WEIGH_FINGERPRINT)
        address_chances(of, factor);
    else
        set_chances(of->weights->parameters->fingerprint_m[of->bin],
                    of->weights->parameters->fingerprint_u, factor);
}

static void user_agent_chances(const struct compared *of, cm_trace_factor *factor)
{
    const cm_layer_model *layer = cm_layer_model_of(of->weights, of->layer);
    set_chances(layer->user_agent_m, layer->user_agent_u, factor);
}

/* The comparisons that each layer has, in the order in which they are multiplied; then come those
 * of the traits that its model compares. A further one is a further row. */
static const struct comparison {
    const char *names[CM_WEIGHED_LAYER_COUNT]; /* in layers 2 and 3 */
    size_t outcome;                            /* where a cm_candidate_look has it: a byte */
    void (*chances)(const struct compared *of, cm_trace_factor *factor);
} COMPARISONS[] = {
    {{"address", "fingerprint"}, offsetof(cm_candidate_look, evidence), evidence_chances},
    {{"user_agent", "user_agent"}, offsetof(cm_candidate_look, user_agent), user_agent_chances},
};
#define COMPARISON_COUNT (sizeof COMPARISONS / sizeof *COMPARISONS)
#define TERM_COUNT 4 /* before them: prior, key, rivals, delay */

_Static_assert(TERM_COUNT + COMPARISON_COUNT + CM_TRAIT_COUNT + 2 <= CM_TRACE_FACTORS_MAX,
               "a candidate has room");

static cm_trace_factor term(const char *name, double same, double stranger)
{
    return (cm_trace_factor){.name = name, .same = same, .stranger = stranger};
}

static cm_trace_factor compare(const struct comparison *comparison, const struct compared *of,
                               const cm_candidate_look *look)
{
    uint8_t outcome = *((const uint8_t *)look + comparison->outcome);
    cm_trace_factor factor = {.name = comparison->names[of->layer],
                              .is_comparison = true,
                              .outcome = (cm_comparison)outcome,
                              .same = 1.0,
                              .stranger = 1.0};
    if (factor.outcome != CM_COMPARE_MISSING)
        comparison->chances(of, &factor);
    return factor;
}

static cm_trace_factor compare_trait(const struct compared *of, cm_trait trait,
                                     const cm_candidate_look *look)
{
    const cm_chances *chances = &cm_layer_model_of(of->weights, of->layer)->traits[trait];
    cm_trace_factor factor = {.name = cm_trait_names[trait],
                              .is_comparison = true,
                              .outcome = cm_look_trait(look, trait),
                              .same = 1.0,
                              .stranger = 1.0};
    if (factor.outcome != CM_COMPARE_MISSING)
        set_chances(chances->m, chances->u, &factor);
    return factor;
}

/* The traits that a layer compares, in their order. Returns how many. */
static uint32_t traits_of(const cm_weights *weights, enum cm_weighed_layer layer,
                          cm_trait traits[CM_TRAIT_COUNT])
{
    const cm_layer_model *model = cm_layer_model_of(weights, layer);
    uint32_t count = 0;
    for (cm_trait trait = 0; trait < CM_TRAIT_COUNT; trait++)
        if (model->traits[trait].m > 0)
            traits[count++] = trait;
    return count;
}

static uint32_t finish(cm_trace_factor *factors, uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < count; i++) {
        factors[i].bits = log2(factors[i].same / factors[i].stranger);
        factors[i].p_if_equal = -1.0;
    }
    return count;
}

static uint32_t put_comparisons(const struct compared *of, const cm_candidate_look *look,
                                cm_trace_factor *factors, uint32_t count)
{
    cm_trait traits[CM_TRAIT_COUNT];
    uint32_t trait_count = traits_of(of->weights, of->layer, traits);
    for (size_t i = 0; i < COMPARISON_COUNT; i++)
        factors[count++] = compare(&COMPARISONS[i], of, look);
    for (uint32_t i = 0; i < trait_count; i++)
        factors[count++] = compare_trait(of, traits[i], look);
    return count;
}

uint32_t cm_candidate_factors(const cm_weights *weights, enum cm_weighed_layer layer, double r,
                              double u, const cm_candidate_look *look, cm_trace_factor *factors)
{
    const cm_parameters *parameters = weights->parameters;
    const double *key_m =
        layer == CM_WEIGH_FINGERPRINT ? parameters->fingerprint_m : parameters->ip_m;
    const struct compared of = {weights, layer, u, look->bin};
    uint32_t count = 0;
    factors[count++] = term("prior", cm_layer_model_of(weights, layer)->prior, 1.0);
    factors[count++] = term("key", key_m[look->bin], 1.0);
    factors[count++] = term("rivals", 1.0, r);
    factors[count++] =
        term("delay", parameters->delay_m[look->bin], cm_delay_u(weights, layer, look->bin));
    return finish(factors, 0, put_comparisons(&of, look, factors, count));
}

uint32_t cm_newest_factors(const cm_newest_part *part, cm_trace_factor *factors, uint32_t count)
{
    uint32_t from = count;
    if (part->repeat != 1.0)
        factors[count++] = term("repeat", part->repeat, 1.0);
    if (part->shares != 1.0)
        factors[count++] = term("newest", 1.0, part->shares);
    return finish(factors, from, count);
}

uint32_t cm_newer_factors(const cm_weights *weights, double whole, double r, double shares,
                          const cm_candidate_look *look, cm_trace_factor *factors)
{
    const cm_parameters *parameters = weights->parameters;
    const cm_model *model = weights->model;
    const struct compared of = {weights, CM_WEIGH_PROBABILISTIC, 1.0, look->bin};
    uint32_t count = 0;
    factors[count++] = term("device", whole, 1.0);
    factors[count++] = term("repeat", parameters->probabilistic.repeat, 1.0);
    factors[count++] = term("key", parameters->ip_m[look->bin], 1.0);
    factors[count++] = term("rivals", 1.0, r);
    factors[count++] = term("delay", parameters->delay_m[look->bin],
                            cm_delay_share(model, look->bin, model->window_hours));
    count = put_comparisons(&of, look, factors, count);
    factors[count++] = term("newest", 1.0, shares);
    return finish(factors, 0, count);
}

void cm_candidate_equate(const cm_weights *weights, enum cm_weighed_layer layer, uint32_t at,
                         cm_candidate_look *look)
{
    cm_trait traits[CM_TRAIT_COUNT];
    uint32_t trait_count = traits_of(weights, layer, traits);
    CM_ASSERT(at >= TERM_COUNT && at - TERM_COUNT < COMPARISON_COUNT + trait_count);
    (void)trait_count;
    at -= TERM_COUNT;
    if (at < COMPARISON_COUNT)
        *((uint8_t *)look + COMPARISONS[at].outcome) = CM_COMPARE_EQUAL;
    else
        cm_look_set_trait(look, traits[at - COMPARISON_COUNT], CM_COMPARE_EQUAL);
}
