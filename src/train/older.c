#include "train/older.h"

#include <math.h>

#include "match/newest.h"
#include "train/labels.h"
#include "train/sums.h"
#include "train/unit_weight.h"

#define ROUNDS 5 /* of the mean field */
#define LR_DELAY_MIN 1e-9
#define SMALLEST 1e-300 /* what a logarithm can be taken of */

/* ---- whose the candidates are ---- */

static double lr_delay(const cm_model *model, const cm_parameters *parameters, size_t bin)
{
    double delay_u = cm_unit_delay_u(model, parameters, CM_WEIGH_FINGERPRINT, bin);
    return fmax(parameters->delay_m[bin] / delay_u, LR_DELAY_MIN);
}

/* A candidate's weight as an older click, without prior and r. Returns that as the newest one. */
static double add_older(const cm_model *model, const cm_parameters *parameters,
                        const cm_train_look *look, double u, cm_older *older)
{
    double x = cm_unit_weight(model, parameters, CM_WEIGH_FINGERPRINT, look, u);
    double alone = x / lr_delay(model, parameters, look->bin);
    cm_older_add(older, look->evidence, alone, alone / (1 - parameters->ip_m[look->bin]));
    return x;
}

/* Where the label is no candidate, it is elsewhere. */
static unsigned evidence_of_label(const cm_train_look *looks, size_t count, uint32_t label)
{
    for (size_t i = 0; i < count; i++)
        if (looks[i].click == label)
            return looks[i].evidence;
    return CM_COMPARE_MISSING;
}

void cm_older_chances(const cm_train_chunk *chunk, const cm_train_conversion *conversion,
                      const cm_model *model, const cm_parameters *parameters, double *chances)
{
    const cm_train_layer *layer = &conversion->layers[CM_WEIGH_FINGERPRINT];
    const cm_train_look *looks = chunk->looks + layer->first;
    double unit[CM_CANDIDATES_MAX];
    double strangers = (double)layer->left;
    unsigned newest = evidence_of_label(looks, layer->count, conversion->label);
    for (uint32_t i = 0; i < layer->count; i++) {
        cm_older older = {0};
        add_older(model, parameters, &looks[i], layer->u, &older);
        unit[i] = parameters->fingerprint.repeat * cm_older_of(&older, newest);
        chances[i] = looks[i].click == conversion->label ? 1.0 : 0.5;
        strangers += 1 - chances[i];
    }
    for (int round = 0; round < ROUNDS; round++)
        for (uint32_t i = 0; i < layer->count; i++) {
            if (looks[i].click == conversion->label)
                continue;
            strangers -= 1 - chances[i];
            double odds = unit[i] / (parameters->fingerprint.rivals + strangers);
            chances[i] = odds / (1 + odds);
            strangers += 1 - chances[i];
        }
}

/* ---- how often devices click again ---- */

/* Steps of about a half: the likelihood is flat around its top. */
static const double SCALE[] = {0.0, 0.03, 0.05, 0.08, 0.12, 0.2,  0.3,  0.5, 0.8,
                               1.2, 2.0,  3.0,  5.0,  8.0,  12.0, 20.0, 50.0};
#define SCALE_COUNT (sizeof SCALE / sizeof *SCALE)

/* What is known before any label: the logarithm is about normal, two thirds of all data between a
 * quarter and once. Few labels leave the top so flat that it lies anywhere. */
#define USUAL 0.5
#define USUAL_SPREAD 0.7

struct estimate {
    const cm_training_set *set;
    const cm_model *model;
    const cm_parameters *parameters;
    uint32_t group;
};

/* By every repeat, how likely the label is to be the newest of its device's clicks. */
static void add_conversion(const struct estimate *estimate, const cm_train_chunk *chunk,
                           const cm_train_conversion *conversion, double *sums)
{
    const cm_train_layer *layer = &conversion->layers[CM_WEIGH_FINGERPRINT];
    const cm_parameters *parameters = estimate->parameters;
    double strangers = parameters->fingerprint.rivals + (double)(layer->count - 2 + layer->left);
    double whole[SCALE_COUNT] = {0}, label[SCALE_COUNT] = {0};
    cm_older older = {0}; /* over prior and r, which cancel but for one r */
    bool is_there = false;
    for (uint32_t i = layer->count; i-- > 0;) {
        const cm_train_look *look = &chunk->looks[layer->first + i];
        double before = cm_older_of(&older, look->evidence);
        double x = add_older(estimate->model, parameters, look, layer->u, &older);
        bool is_label = look->click == conversion->label;
        is_there |= is_label;
        for (size_t j = 0; j < SCALE_COUNT; j++) {
            double w = x * (1 + SCALE[j] * before / strangers);
            whole[j] += w;
            label[j] += is_label ? w : 0;
        }
    }
    if (!is_there)
        return;
    for (size_t j = 0; j < SCALE_COUNT; j++)
        sums[j] += log(fmax(label[j], SMALLEST) / fmax(whole[j], SMALLEST));
    sums[SCALE_COUNT] += 1;
}

static void add_chunk(void *context, size_t at, double *sums)
{
    const struct estimate *estimate = context;
    const cm_train_chunk *chunk = &estimate->set->chunks[at];
    for (size_t i = 0; i < chunk->count; i++) {
        const cm_train_conversion *conversion = &chunk->conversions[i];
        bool is_meant = estimate->group == CM_NUMBER_NONE || estimate->group == conversion->group;
        if (is_meant && !conversion->is_held_out && conversion->label != CM_NUMBER_NONE &&
            conversion->layers[CM_WEIGH_FINGERPRINT].count > 1)
            add_conversion(estimate, chunk, conversion, sums);
    }
}

/* Of none at all as of the least. */
static double log_prior(double repeat)
{
    double z = log(fmax(repeat, SCALE[1]) / USUAL) / USUAL_SPREAD;
    return -z * z / 2;
}

cm_status cm_older_estimate(const cm_training_set *set, const cm_model *model, uint32_t group,
                            double *delay_m, unsigned threads, cm_parameters *parameters,
                            cm_error *error)
{
    double sums[SCALE_COUNT + 1];
    cm_parameters of_labels = *parameters;
    of_labels.delay_m = delay_m;
    struct estimate estimate = {set, model, &of_labels, group};
    cm_status status =
        cm_sum_chunks(set, threads, add_chunk, &estimate, sums, SCALE_COUNT + 1, error);
    double least = group == CM_NUMBER_NONE ? CM_LABELS_MIN : CM_OLDER_SECTION_MIN;
    if (status != CM_OK || sums[SCALE_COUNT] < least)
        return status;
    size_t best = 0;
    for (size_t i = 1; i < SCALE_COUNT; i++)
        if (sums[i] + log_prior(SCALE[i]) > sums[best] + log_prior(SCALE[best]))
            best = i;
    parameters->fingerprint.repeat = SCALE[best];
    return CM_OK;
}
