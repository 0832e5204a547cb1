/*
 * Two models' answers to the same conversions: what each is worth, by how much they differ, and
 * whether that may be chance. Pure: the same pairs in the same order give the same bits at any
 * number of threads.
 *
 * - Intervals are percentile intervals, 95 %, of the paired bootstrap: rounds draw devices, each
 *   with all its conversions and both models' answers to them, since conversions of one device
 *   resemble one another (the pairs cluster bootstrap: Cameron, Gelbach and Miller 2008,
 *   "Bootstrap-based improvements for inference with clustered errors").
 * - p-values are what the same rounds say of "no difference", on both sides: twice the smaller of
 *   the shares of rounds with a difference of at most 0 and of at least 0, each counted with one
 *   more (Davison and Hinkley 1997, "Bootstrap methods and their application"). They are at least
 *   2 / (rounds + 1).
 * - For answered right or wrong besides McNemar's test (McNemar 1947), which takes each conversion
 *   for itself.
 */
#ifndef CM_EVAL_PAIRED_H
#define CM_EVAL_PAIRED_H

#include "eval/figures.h"

typedef enum cm_paired_metric {
    CM_PAIRED_PRECISION,
    CM_PAIRED_RECALL,
    CM_PAIRED_F_HALF,
    CM_PAIRED_CORRECT,  /* share answered right: the right click, or none where there is none */
    CM_PAIRED_LOG_LOSS, /* of what both weighed, each by its own best candidate: as regret has it */
    CM_PAIRED_BRIER,    /* the same */
} cm_paired_metric;
#define CM_PAIRED_METRIC_COUNT 6

/** Its name in JSON: "f_half". Static. */
const char *cm_paired_name(cm_paired_metric metric);

/** One metric of both; NaN where it does not exist. */
typedef struct cm_paired_figure {
    double values[2];
    double difference; /* the second's less the first's */
    double low, high;  /* of the difference, 95 % */
    double p;          /* of no difference, two-sided */
} cm_paired_figure;

/** What pairs come to. Arrays of 2 are the first's and the second's. */
typedef struct cm_paired {
    uint64_t conversions, devices;
    uint64_t organic;          /* conversions without a right click */
    uint64_t both_weighed;     /* conversions for which both weighed a candidate */
    uint64_t attributed[2];    /* by layers 2 and 3 */
    uint64_t right_click[2];   /* of them, to the right click */
    uint64_t correct[2];       /* answered right */
    uint64_t correct_alone[2]; /* by this one and not by the other: McNemar's counts */
    double mcnemar_p;          /* mid-p */
    cm_paired_figure figures[CM_PAIRED_METRIC_COUNT];
} cm_paired;

/**
 * Compare.
 *
 * @param first    `count` answers; borrowed, as all
 * @param second   those of the other model to the same conversions, in the same order
 * @param devices  the number of each conversion's device, less than device_count
 * @param options  rounds, seed and threads count
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_paired_make(const cm_judged *first, const cm_judged *second, const uint32_t *devices,
                         size_t count, size_t device_count, const cm_figures_options *options,
                         cm_paired *paired, cm_error *error);

/**
 * McNemar's mid-p: how likely counts at least as uneven as these are if each is as likely as the
 * other, two-sided, those just as uneven counted half (Fagerland, Lydersen and Laake 2013, "The
 * McNemar test for binary matched-pairs data"). 1 where both are equal. Takes as many steps as the
 * smaller count.
 */
double cm_mcnemar_mid_p(uint64_t one, uint64_t other);

#endif
