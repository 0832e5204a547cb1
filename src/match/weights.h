/*
 * A model's factors, computed once for each of its parameters: each is one of the terms that
 * docs/matching.md section 5 writes, in doubles rounded just as there, so that a product of them
 * has the same bits.
 */
#ifndef CM_MATCH_WEIGHTS_H
#define CM_MATCH_WEIGHTS_H

#include "model/model.h"
#include "util/error.h"

/** Layers 2 and 3 by place in arrays. */
enum cm_weighed_layer { CM_WEIGH_FINGERPRINT, CM_WEIGH_PROBABILISTIC, CM_WEIGHED_LAYER_COUNT };

/** The factors of one delay bin. */
typedef struct cm_bin_weights {
    double prior_m[CM_WEIGHED_LAYER_COUNT];  /* prior * fingerprint_m[i], prior * ip_m[i] */
    double lr_delay[CM_WEIGHED_LAYER_COUNT]; /* LR_delay(i, W2), LR_delay(i, W3) */
    double lr_delay_newer;                   /* LR_delay(i, W2) of newer clicks */
    double ip_m, ip_different_m;             /* ip_m[i], 1 - ip_m[i] */
    double older, older_elsewhere;           /* 1 / LR_delay(i, W2), and that / (1 - ip_m[i]); 0 */
    double repeat_m;                         /* layer 3's repeat * ip_m[i] */
    double lr_ip_different;                  /* of another address of the same family */
    double lr_ip_other;                      /* of an address of another family */
    double lr_fingerprint_equal, lr_fingerprint_different;
} cm_bin_weights;

/** The factors of one layer. */
typedef struct cm_layer_weights {
    double w0;
    double user_agent[CM_COMPARISONS];             /* by cm_comparison */
    double traits[CM_TRAIT_COUNT][CM_COMPARISONS]; /* the same; 1 where it is not compared */
    bool has_traits;
    double repeat; /* repeat / prior; 0: a device clicks once */
} cm_layer_weights;

/** The factors of one of a model's parameters. */
typedef struct cm_weights {
    const cm_model *model; /* borrowed */
    const cm_parameters *parameters;
    cm_layer_weights layers[CM_WEIGHED_LAYER_COUNT];
    bool has_families;    /* another family is a level of its own */
    cm_bin_weights *bins; /* model->bin_count; owned */
} cm_weights;

/** What layers 2 and 3 go by. All but the first are there to be measured against. */
typedef enum cm_rule {
    CM_RULE_MODEL = 0, /* docs/matching.md */
    CM_RULE_BLIND,     /* the same with LR_delay = 1 and r = 1: blind to time and to rivals */
    CM_RULE_NEWEST,    /* the newest active click of the key, at a fixed probability: baseline.c */
} cm_rule;

/** All of a model's factors. */
typedef struct cm_scoring {
    const cm_model *model; /* borrowed */
    cm_rule rule;
    cm_weights *weights; /* model->parameter_count; owned */
} cm_scoring;

/** Compute the factors of a model, which must outlive them. CM_OK or CM_ERROR_MEMORY. */
cm_status cm_scoring_init(cm_scoring *scoring, const cm_model *model, cm_error *error);

/** Go by another rule from now on. There is no way back from CM_RULE_BLIND. */
void cm_scoring_set_rule(cm_scoring *scoring, cm_rule rule);

void cm_scoring_destroy(cm_scoring *scoring);

/** Bytes that the factors take. */
size_t cm_scoring_memory(const cm_scoring *scoring);

/** What a layer has of its own. */
static inline const cm_layer_model *cm_layer_model_of(const cm_weights *weights,
                                                      enum cm_weighed_layer layer)
{
    return layer == CM_WEIGH_FINGERPRINT ? &weights->parameters->fingerprint
                                         : &weights->parameters->probabilistic;
}

/** The chance that a stranger's click of a window falls in a delay bin, where all of the window is
 * alike. */
static inline double cm_delay_share(const cm_model *model, size_t bin, double window_hours)
{
    double before = bin == 0 ? 0.0 : model->delay_hours[bin - 1];
    return (model->delay_hours[bin] - before) / window_hours;
}

/** The same of strangers' clicks that share a layer's key: as the layer says. */
static inline double cm_delay_u(const cm_weights *weights, enum cm_weighed_layer layer, size_t bin)
{
    const cm_model *model = weights->model;
    const double *delay_u = cm_layer_model_of(weights, layer)->delay_u;
    if (delay_u != NULL)
        return delay_u[bin];
    return cm_delay_share(model, bin,
                          layer == CM_WEIGH_FINGERPRINT ? model->window_hours
                                                        : model->probabilistic_window_hours);
}

/** The bin of a delay in microseconds: the first whose upper edge is above it, else the last. */
static inline size_t cm_delay_bin(const cm_model *model, int64_t delay_us)
{
    size_t bin = 0;
    while (bin + 1 < model->bin_count && delay_us >= model->delay_us[bin])
        bin++;
    return bin;
}

#endif
