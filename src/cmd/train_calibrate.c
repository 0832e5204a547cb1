/* What was learned, held against labelled conversions that it was not learned from: each as it is,
 * and made organic, in the proportion in which both are expected among conversions without labels. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/clock.h"
#include "cmd/train.h"
#include "train/isotonic.h"
#include "util/error.h"

#define LABELS_MIN 200 /* that a layer weighed; with fewer it goes without a calibration */
#define SHRINK 30.0
#define KNOT_MASS_MIN 50.0
#define KNOTS_WANTED 16.0
#define BAND_LO_ALL 1e-6 /* layer 2 attributes whatever it weighs, so that all of it can be seen */

/* What one model says of the fold. */
struct trial {
    cm_training *training;
    uint32_t *numbers; /* of the fold's labelled conversions */
    size_t count;
    cm_answer *answers[2]; /* by number of conversion: as they are, and made organic */
    double *weights;       /* by group of device type: of each of its labels */
    cm_forecast *forecasts;
};

static void trial_destroy(struct trial *trial)
{
    free(trial->numbers);
    free(trial->answers[0]);
    free(trial->answers[1]);
    free(trial->weights);
    free(trial->forecasts);
}

static uint32_t type_of(const cm_training *training, size_t conversion)
{
    return training->rights.groupings[CM_GROUPING_DEVICE_TYPE].of[conversion];
}

/* Some device types lose more ids than others: each counts as often as it is without a label. */
static cm_status weigh_types(struct trial *trial, cm_error *error)
{
    const cm_training *training = trial->training;
    size_t types = training->rights.groupings[CM_GROUPING_DEVICE_TYPE].count;
    size_t *labels = calloc(types + 1, sizeof *labels);
    trial->weights = calloc(types + 1, sizeof *trial->weights);
    if (labels == NULL || trial->weights == NULL) {
        free(labels);
        return cm_error_memory(error, "weights of device types", types * sizeof(double));
    }
    double open = 0;
    for (size_t i = 0; i < trial->count; i++)
        labels[type_of(training, trial->numbers[i])]++;
    for (size_t i = 0; i < training->records.conversion_count; i++)
        if (training->rights.layer_1[i] == CM_NUMBER_NONE && labels[type_of(training, i)] > 0) {
            trial->weights[type_of(training, i)] += 1;
            open += 1;
        }
    for (size_t i = 0; i < types; i++)
        if (labels[i] > 0)
            trial->weights[i] *= (double)trial->count / open / (double)labels[i];
    free(labels);
    return CM_OK;
}

static cm_status trial_init(struct trial *trial, cm_training *training, cm_error *error)
{
    size_t count = training->records.conversion_count + 1;
    *trial = (struct trial){
        .training = training,
        .numbers = malloc(count * sizeof *trial->numbers),
        .answers = {malloc(count * sizeof(cm_answer)), malloc(count * sizeof(cm_answer))},
        .forecasts = malloc(2 * count * sizeof *trial->forecasts)};
    if (trial->numbers == NULL || trial->answers[0] == NULL || trial->answers[1] == NULL ||
        trial->forecasts == NULL)
        return cm_error_memory(error, "forecasts", 2 * count * sizeof(cm_forecast));
    for (size_t i = 0; i < training->records.conversion_count; i++)
        if (cm_train_is_labelled(training, CM_FOLD_CALIBRATE, i))
            trial->numbers[trial->count++] = (uint32_t)i;
    return weigh_types(trial, error);
}

static cm_status ask(struct trial *trial, cm_error *error)
{
    cm_training *training = trial->training;
    cm_model *model = NULL;
    cm_trained_round(&training->trained);
    cm_status status = cm_trained_model(&training->trained, &model, error);
    const cm_evaluated evaluated = {model, CM_RULE_MODEL};
    for (int organic = 0; organic < 2 && status == CM_OK; organic++)
        status =
            cm_evaluate_ask(&training->records, &training->rights, &evaluated, &training->options,
                            trial->numbers, trial->count, organic, trial->answers[organic], error);
    cm_model_destroy(model);
    if (getenv("DBG")) {
        size_t n[2] = {0}, hi[2] = {0};
        FILE *f = fopen("/tmp/s6/masked.txt", "w");
        for (int o = 0; o < 2; o++)
            for (size_t i = 0; i < trial->count; i++) {
                const cm_answer *a = &trial->answers[o][trial->numbers[i]];
                n[o] += a->accepted && a->probability >= .6;
                hi[o] += a->accepted && a->probability >= .9;
                const cm_conversion *v = &training->records.conversions[trial->numbers[i]];
                if (o && a->accepted && a->probability >= .6)
                    fprintf(f, "%.*s,%.*s,%.*s,%.4f\n", (int)v->tenant_id.size, v->tenant_id.data,
                            (int)v->conversion_id.size, v->conversion_id.data,
                            (int)training->records.clicks[a->click].click_id.size,
                            training->records.clicks[a->click].click_id.data, a->probability);
            }
        fclose(f);
        size_t del = 0;
        for (size_t i = 0; i < training->records.click_count; i++)
            del += training->rights.is_deleted[i];
        fprintf(stderr, "labelled %zu: as is %.4f (%.4f), masked %.4f (%.4f), deleted %zu\n",
                trial->count, (double)n[0] / (double)trial->count,
                (double)hi[0] / (double)trial->count, (double)n[1] / (double)trial->count,
                (double)hi[1] / (double)trial->count, del);
    }
    return status;
}

static cm_judged judge(const struct trial *trial, uint32_t number, bool organic)
{
    const cm_rights *rights = &trial->training->rights;
    return cm_evaluate_judge(&trial->training->records, rights, number,
                             organic ? CM_NUMBER_NONE : rights->layer_1[number],
                             &trial->answers[organic][number]);
}

/* What a layer said, as forecasts; labels: receives how many conversions they are of. */
static size_t gather(const struct trial *trial, unsigned layer, uint64_t *labels)
{
    size_t count = 0;
    *labels = 0;
    for (size_t i = 0; i < trial->count; i++) {
        uint32_t number = trial->numbers[i];
        double organic = cm_train_organic(trial->training, number);
        double weight = trial->weights[type_of(trial->training, number)];
        for (int is_organic = 0; is_organic < 2; is_organic++) {
            cm_judged judged = judge(trial, number, is_organic);
            if (judged.weighed != layer)
                continue;
            trial->forecasts[count++] =
                (cm_forecast){judged.probability, weight * (is_organic ? organic : 1 - organic),
                              judged.verdict == CM_VERDICT_RIGHT_CLICK};
            *labels += !is_organic;
        }
    }
    return count;
}

/* ---- a layer's calibration ---- */

static cm_status set_knots(cm_layer_model *layer, const cm_knot *knots, size_t count,
                           cm_error *error)
{
    free(layer->knots);
    layer->knot_count = 0;
    layer->knots = NULL;
    if (count == 0)
        return CM_OK;
    layer->knots = malloc(count * sizeof *knots);
    if (layer->knots == NULL)
        return cm_error_memory(error, "a calibration", count * sizeof *knots);
    memcpy(layer->knots, knots, count * sizeof *knots);
    layer->knot_count = count;
    return CM_OK;
}

static cm_status calibrate_layer(struct trial *trial, enum cm_weighed_layer which,
                                 cm_layer_model *layer, cm_error *error)
{
    cm_knot knots[CM_ISOTONIC_KNOTS_MAX];
    cm_calibrated *calibrated = &trial->training->calibrated[which];
    size_t count = gather(trial, which == CM_WEIGH_FINGERPRINT ? 2 : 3, &calibrated->labels);
    double mass = 0;
    calibrated->knot_count = 0;
    for (size_t i = 0; i < count; i++)
        mass += trial->forecasts[i].weight;
    const cm_isotonic_options options = {SHRINK, fmax(KNOT_MASS_MIN, mass / KNOTS_WANTED)};
    cm_status status = CM_OK;
    if (calibrated->labels >= LABELS_MIN)
        status = cm_isotonic_fit(trial->forecasts, count, &options, knots, &calibrated->knot_count,
                                 error);
    return status == CM_OK ? set_knots(layer, knots, calibrated->knot_count, error) : status;
}

static cm_status calibrate(struct trial *trial, cm_error *error)
{
    cm_parameters *own = &trial->training->trained.own;
    double band_lo = own->fingerprint.band_lo;
    own->fingerprint.band_lo = BAND_LO_ALL;
    cm_status status = ask(trial, error);
    own->fingerprint.band_lo = band_lo;
    if (status == CM_OK)
        status = calibrate_layer(trial, CM_WEIGH_FINGERPRINT, &own->fingerprint, error);
    if (status == CM_OK)
        status = ask(trial, error);
    if (status == CM_OK)
        status = calibrate_layer(trial, CM_WEIGH_PROBABILISTIC, &own->probabilistic, error);
    return status;
}

cm_status cm_train_calibrate(cm_training *training, cm_error *error)
{
    struct trial trial;
    double began = cm_clock_seconds();
    cm_status status = trial_init(&trial, training, error);
    if (status == CM_OK)
        status = cm_train_mask(training, CM_FOLD_CALIBRATE, true, error);
    if (status == CM_OK && trial.count > 0)
        status = calibrate(&trial, error);
    cm_summary_phase_add(&training->run.summary, "calibrate", cm_clock_seconds() - began,
                         2 * trial.count);
    trial_destroy(&trial);
    return status;
}
