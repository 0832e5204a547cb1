/*
 * What a model's answers come to: precision, recall, calibration and so on, with intervals.
 * docs/evaluate.md has each formula. Pure: the same conversions, in whatever order, give the same
 * figures at any number of threads.
 */
#ifndef CM_EVAL_FIGURES_H
#define CM_EVAL_FIGURES_H

#include "eval/calibration.h"
#include "eval/judged.h"
#include "util/error.h"

/** All that has an interval. */
typedef enum cm_metric {
    CM_METRIC_PRECISION,
    CM_METRIC_RECALL,
    CM_METRIC_F_HALF,
    CM_METRIC_LOG_LOSS, /* of all that was weighed */
    CM_METRIC_BRIER,
    CM_METRIC_ECE,
    CM_METRIC_ECE_SWEEP,
    CM_METRIC_ACCEPTED_LOG_LOSS, /* of what was attributed */
    CM_METRIC_ACCEPTED_BRIER,
    CM_METRIC_ACCEPTED_ECE,
    CM_METRIC_ACCEPTED_ECE_SWEEP,
    CM_METRIC_EXPECTED_ERROR,  /* mean (1 - p) of what was attributed */
    CM_METRIC_OTHER_CLICK,     /* of what was attributed: the right device, another click */
    CM_METRIC_OTHER_DEVICE,    /* of what was attributed: another device */
    CM_METRIC_ORGANIC,         /* of what was attributed: organic */
    CM_METRIC_ORGANIC_MATCHED, /* of organic conversions: attributed */
    CM_METRIC_DEVICE_PRECISION,
    CM_METRIC_DEVICE_RECALL,
    CM_METRIC_AD_PRECISION,
    CM_METRIC_AD_RECALL,
    CM_METRIC_CAMPAIGN_PRECISION,
    CM_METRIC_CAMPAIGN_RECALL,
    CM_METRIC_COUNT
} cm_metric;

/** Its name in JSON: "f_half". Static. */
const char *cm_metric_name(cm_metric metric);

/** Numbers of conversions. */
typedef struct cm_tallies {
    uint64_t conversions; /* that came to the scope's layers */
    uint64_t with_click;  /* of all, whichever layer they came to: what recall is a share of */
    uint64_t organic;     /* of all */
    uint64_t weighed;     /* last by the scope's layers */
    uint64_t attributed;  /* by them */
    uint64_t by_verdict[CM_VERDICT_COUNT]; /* of what was attributed */
    uint64_t same_ad, same_campaign;       /* of what was attributed */
} cm_tallies;

/** NaN where a value or an interval does not exist. */
typedef struct cm_figures {
    cm_tallies tallies;
    double values[CM_METRIC_COUNT];
    double low[CM_METRIC_COUNT], high[CM_METRIC_COUNT]; /* 95 % */
    size_t sweep_bins, accepted_sweep_bins;
} cm_figures;

/** How to make them. Zero means the default. */
typedef struct cm_figures_options {
    size_t bins;      /* of equal mass: default 10, at most CM_BINS_MAX */
    size_t rounds;    /* of the bootstrap: 0 gives no intervals */
    uint64_t seed;    /* of the bootstrap */
    unsigned threads; /* at least 1; 0 counts as that */
} cm_figures_options;

/**
 * Make the figures of each layer and of both.
 *
 * @param judged   borrowed; in any order
 * @param figures  receives CM_SCOPE_COUNT of them, by cm_scope
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_figures_make(const cm_judged *judged, size_t count, const cm_figures_options *options,
                          cm_figures *figures, cm_error *error);

/** The log-loss of one forecast, in nats; probabilities are held within 1e-15 of 0 and 1. */
double cm_log_loss(double probability, bool right);

/** F0.5 of precision and recall: precision counts twice as much as recall. 0 where both are 0, NaN
 * where one does not exist. */
double cm_f_half(double precision, double recall);

#endif
