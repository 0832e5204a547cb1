/* What was learned, held against labelled conversions that it was not learned from: each as it is,
 * and made organic, in the proportion in which both are expected where there are no labels. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/clock.h"
#include "cmd/evaluate_ask.h"
#include "cmd/train.h"
#include "engine/engine.h"
#include "train/isotonic.h"
#include "util/error.h"

#define SHRINK 30.0
#define KNOT_MASS_MIN 25.0
#define BAND_LO_ALL 1e-6 /* layer 2 attributes whatever it weighs, so that all of it can be seen */

/* What models say of the fold: [0] of its conversions as they are, [1] of them made organic. */
struct trial {
    cm_training *training;
    uint32_t *numbers; /* of the fold's labelled conversions */
    size_t count;
    cm_asking askings[2];
    cm_engine *engines[2];
    int sides;       /* 1: with a truth nothing needs to be made organic */
    double *weights; /* by group of device type: of each of its labels */
    cm_forecast *forecasts;
};

static void trial_destroy(struct trial *trial)
{
    for (int i = 0; i < 2; i++) {
        cm_engine_destroy(trial->engines[i]);
        free(trial->askings[i].answers);
    }
    free(trial->numbers);
    free(trial->weights);
    free(trial->forecasts);
}

static uint32_t type_of(const cm_training *training, size_t conversion)
{
    return training->rights.groupings[CM_GROUPING_DEVICE_TYPE].of[conversion];
}

/* Some device types lose more ids than others: each counts as often as it is without a label. Where
 * all conversions have labels, so does each of these. */
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
            trial->weights[i] =
                open > 0 ? trial->weights[i] * (double)trial->count / open / (double)labels[i] : 1;
    free(labels);
    return CM_OK;
}

static cm_status trial_init(struct trial *trial, cm_training *training, cm_error *error)
{
    size_t count = training->records.conversion_count + 1;
    *trial = (struct trial){.training = training,
                            .sides = training->has_truth ? 1 : 2,
                            .numbers = malloc(count * sizeof *trial->numbers),
                            .forecasts = malloc(2 * count * sizeof *trial->forecasts)};
    bool ready = trial->numbers != NULL && trial->forecasts != NULL;
    for (int i = 0; i < 2; i++) {
        trial->askings[i] = (cm_asking){.records = &training->records,
                                        .rights = &training->rights,
                                        .options = &training->options,
                                        .leaves_deleted_out = i == 1,
                                        .answers = malloc(count * sizeof(cm_answer))};
        ready = ready && trial->askings[i].answers != NULL;
    }
    if (!ready)
        return cm_error_memory(error, "forecasts", 2 * count * sizeof(cm_forecast));
    for (size_t i = 0; i < training->records.conversion_count; i++)
        if (cm_train_is_known(training, CM_FOLD_CALIBRATE, i))
            trial->numbers[trial->count++] = (uint32_t)i;
    return weigh_types(trial, error);
}

/* Have the model as it is now answer. */
static cm_status ask(struct trial *trial, cm_error *error)
{
    cm_model *model = NULL;
    cm_trained_round(&trial->training->trained);
    cm_status status = cm_trained_model(&trial->training->trained, &model, error);
    const cm_evaluated evaluated = {model, CM_RULE_MODEL};
    for (int i = 0; i < trial->sides && status == CM_OK; i++) {
        cm_engine **engine = &trial->engines[i];
        status = *engine == NULL ? cm_asking_load(&trial->askings[i], &evaluated, engine, error)
                                 : cm_engine_set_model(*engine, model, error);
        if (status == CM_OK)
            status =
                cm_asking_match(&trial->askings[i], trial->numbers, trial->count, *engine, error);
    }
    cm_model_destroy(model);
    return status;
}

/* How much a conversion counts, as it is or made organic. */
static double weight_of(const struct trial *trial, uint32_t number, int side)
{
    if (trial->training->has_truth)
        return 1.0;
    double organic = cm_train_organic(trial->training, number);
    return trial->weights[type_of(trial->training, number)] * (side == 1 ? organic : 1 - organic);
}

/* What a layer said, as forecasts, of those that count at all; labels: receives how many
 * conversions they are of. */
static size_t gather(const struct trial *trial, unsigned layer, uint64_t *labels)
{
    size_t count = 0;
    *labels = 0;
    for (size_t i = 0; i < trial->count; i++)
        for (int side = 0; side < trial->sides; side++) {
            uint32_t number = trial->numbers[i];
            cm_judged judged = cm_asking_judge_one(&trial->askings[side], number, side == 1);
            double weight = weight_of(trial, number, side);
            if (judged.weighed != layer || weight == 0)
                continue;
            trial->forecasts[count++] =
                (cm_forecast){judged.probability, weight, judged.verdict == CM_VERDICT_RIGHT_CLICK};
            *labels += side == 0;
        }
    return count;
}

/* ---- a layer's calibration ---- */

/* What is hardly possible at all stays so: 0 is 0. */
static cm_status set_knots(cm_layer_model *layer, const cm_knot *knots, size_t count,
                           cm_error *error)
{
    bool has_zero = count > 0 && knots[0].x > 0;
    free(layer->knots);
    layer->knot_count = 0;
    layer->knots = NULL;
    if (count == 0)
        return CM_OK;
    layer->knots = malloc((count + 1) * sizeof *knots);
    if (layer->knots == NULL)
        return cm_error_memory(error, "a calibration", count * sizeof *knots);
    if (has_zero)
        layer->knots[layer->knot_count++] = (cm_knot){0, 0};
    memcpy(layer->knots + layer->knot_count, knots, count * sizeof *knots);
    layer->knot_count += count;
    return CM_OK;
}

static cm_status calibrate_layer(struct trial *trial, enum cm_weighed_layer which,
                                 cm_layer_model *layer, cm_error *error)
{
    cm_knot knots[CM_ISOTONIC_KNOTS_MAX];
    cm_calibrated *calibrated = &trial->training->calibrated[which];
    size_t count = gather(trial, which == CM_WEIGH_FINGERPRINT ? 2 : 3, &calibrated->labels);
    calibrated->knot_count = 0;
    const cm_isotonic_options options = {SHRINK, KNOT_MASS_MIN};
    cm_status status = CM_OK;
    if (calibrated->labels >= CM_CALIBRATE_LABELS_MIN)
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
    if (status == CM_OK && !training->has_truth)
        status = cm_train_mask(training, CM_FOLD_CALIBRATE, true, error);
    if (status == CM_OK && trial.count > 0)
        status = calibrate(&trial, error);
    cm_trained_round(&training->trained);
    cm_summary_phase_add(&training->run.summary, "calibrate", cm_clock_seconds() - began,
                         2 * trial.count);
    trial_destroy(&trial);
    return status;
}
