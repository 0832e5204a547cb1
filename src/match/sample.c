#include "match/sample.h"

#include <stdlib.h>

#include "match/candidates.h"

/* The layers share one scratch: what each saw is kept here until the visit. */
struct sampler {
    cm_matcher *matcher;
    cm_candidate_look looks[CM_WEIGHED_LAYER_COUNT][CM_CANDIDATES_MAX];
};

/* Comparing one click takes the layers' own eyes. */
static cm_candidate_look look_at(cm_matcher *matcher, const cm_query *query,
                                 enum cm_weighed_layer layer, uint32_t click)
{
    cm_candidate_look look = {.click = click};
    bool shared;
    cm_look_at_candidates(&matcher->context, query, layer, &matcher->layers, &click, 1, &look,
                          &shared);
    return look;
}

static cm_layer_sample sample_layer(struct sampler *sampler, const cm_query *query,
                                    enum cm_weighed_layer layer)
{
    cm_matcher *matcher = sampler->matcher;
    cm_layer_scratch *scratch = &matcher->layers;
    cm_score score = {0};
    scratch->facts = (cm_layer_facts){0};
    cm_layer_word word = layer == CM_WEIGH_FINGERPRINT
                             ? cm_layer_2(&matcher->context, query, scratch, &score)
                             : cm_layer_3(&matcher->context, query, scratch, &score);
    const cm_layer_facts *facts = &scratch->facts;
    memcpy(sampler->looks[layer], scratch->looks, facts->count * sizeof *scratch->looks);
    return (cm_layer_sample){
        .is_attempted = word != CM_LAYER_NO_FINGERPRINT && word != CM_LAYER_NO_SIGNAL,
        .is_accepted = word == CM_LAYER_SUCCESS,
        .looks = sampler->looks[layer],
        .count = facts->count,
        .left = facts->left,
        .u = facts->u,
        .probability = score.probability,
        .newer = scratch->newer,
        .newer_count = facts->newer_count,
    };
}

static cm_sample sample_of(struct sampler *sampler, const cm_query *query, uint32_t label)
{
    cm_sample sample = {.label = label, .parameters = query->parameters};
    if (label != CM_NUMBER_NONE) {
        sample.by_address = look_at(sampler->matcher, query, CM_WEIGH_FINGERPRINT, label);
        sample.by_fingerprint = look_at(sampler->matcher, query, CM_WEIGH_PROBABILISTIC, label);
    }
    for (enum cm_weighed_layer layer = 0; layer < CM_WEIGHED_LAYER_COUNT; layer++)
        sample.layers[layer] = sample_layer(sampler, query, layer);
    return sample;
}

cm_status cm_matcher_sample(cm_matcher *matcher, const cm_conversion *conversions, size_t count,
                            cm_sample_visitor *visit, void *context, cm_error *error)
{
    uint32_t labels[CM_MATCH_BATCH];
    struct sampler *sampler = malloc(sizeof *sampler);
    if (sampler == NULL)
        return cm_error_memory(error, "a sample", sizeof *sampler);
    sampler->matcher = matcher;
    cm_status status = CM_OK;
    for (size_t done = 0; done < count && status == CM_OK;) {
        size_t batch = count - done < CM_MATCH_BATCH ? count - done : CM_MATCH_BATCH;
        status = cm_matcher_prepare(matcher, conversions + done, batch, labels, error);
        for (size_t i = 0; i < batch && status == CM_OK; i++) {
            cm_sample sample = sample_of(sampler, &matcher->queries[i], labels[i]);
            visit(context, done + i, &conversions[done + i], &sample);
        }
        done += batch;
    }
    free(sampler);
    return status;
}
