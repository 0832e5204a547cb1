/* The base model and the new one, side by side on conversions that nothing was learned from: some
 * as they are, some made organic, in the proportion in which both are expected. */
#include <stdlib.h>

#include "cmd/clock.h"
#include "cmd/evaluate_ask.h"
#include "cmd/pairing.h"
#include "cmd/train.h"
#include "util/error.h"

/* Of the old model's log-loss: by less nothing is worse, but another sum of the same. */
#define LOSS_SLACK 0.005

struct judging {
    cm_training *training;
    uint32_t *numbers, *masked; /* of conversions */
    size_t count, masked_count;
    cm_answer *answers;
    cm_judged *judged[2];
};

static void judging_destroy(struct judging *judging)
{
    free(judging->numbers);
    free(judging->masked);
    free(judging->answers);
    free(judging->judged[0]);
    free(judging->judged[1]);
}

static cm_status judging_init(struct judging *judging, cm_training *training, cm_error *error)
{
    size_t count = training->records.conversion_count + 1;
    *judging = (struct judging){
        .training = training,
        .numbers = malloc(count * sizeof *judging->numbers),
        .masked = malloc(count * sizeof *judging->masked),
        .answers = malloc(count * sizeof *judging->answers),
        .judged = {malloc(count * sizeof(cm_judged)), malloc(count * sizeof(cm_judged))}};
    if (judging->numbers == NULL || judging->masked == NULL || judging->answers == NULL ||
        judging->judged[0] == NULL || judging->judged[1] == NULL)
        return cm_error_memory(error, "answers", count * 2 * sizeof(cm_judged));
    return CM_OK;
}

/* Which conversions are judged, and which of them are made organic. */
static cm_status choose(struct judging *judging, cm_error *error)
{
    cm_training *training = judging->training;
    cm_rights *rights = &training->rights;
    cm_status status = CM_OK;
    if (!training->has_truth)
        status = cm_train_mask(training, CM_FOLD_JUDGE, false, error);
    for (size_t i = 0; i < training->records.conversion_count && status == CM_OK; i++) {
        rights->is_judged[i] = cm_train_is_known(training, CM_FOLD_JUDGE, i);
        if (!rights->is_judged[i])
            continue;
        judging->numbers[judging->count++] = (uint32_t)i;
        if (rights->is_masked != NULL && rights->is_masked[i])
            judging->masked[judging->masked_count++] = (uint32_t)i;
    }
    return status;
}

static cm_status make_figures(const struct judging *judging, size_t side, cm_figures *figures,
                              cm_error *error)
{
    cm_figures all[CM_SCOPE_COUNT];
    cm_figures_options options = judging->training->options.figures;
    options.rounds = 0; /* intervals are those of the differences */
    cm_status status = cm_figures_make(judging->judged[side], judging->count, &options, all, error);
    if (status == CM_OK)
        *figures = all[CM_SCOPE_BOTH];
    return status;
}

static cm_status ask(struct judging *judging, size_t side, const cm_model *model, cm_error *error)
{
    cm_training *training = judging->training;
    cm_judged_pair *pair = &training->pair;
    const cm_evaluated evaluated = {model, CM_RULE_MODEL};
    cm_asking asking = {.records = &training->records,
                        .rights = &training->rights,
                        .options = &training->options,
                        .answers = judging->answers};
    cm_status status = cm_asking_ask(&asking, &evaluated, judging->numbers, judging->count, error);
    if (status != CM_OK)
        return status;
    (void)cm_asking_judge(&asking, judging->judged[side], false);
    status = make_figures(judging, side, &pair->as_labelled[side], error);
    if (status != CM_OK || judging->masked_count == 0)
        return status;
    asking.leaves_deleted_out = true;
    status = cm_asking_ask(&asking, &evaluated, judging->masked, judging->masked_count, error);
    if (status == CM_OK)
        (void)cm_asking_judge(&asking, judging->judged[side], true);
    return status;
}

static cm_status judge(struct judging *judging, cm_error *error)
{
    cm_training *training = judging->training;
    cm_judged_pair *pair = &training->pair;
    cm_model *made = NULL;
    cm_status status = choose(judging, error);
    pair->conversions = judging->count;
    pair->masked = judging->masked_count;
    if (status == CM_OK)
        status = cm_trained_model(&training->trained, &made, error);
    const cm_model *const models[2] = {training->base, made};
    for (size_t side = 0; side < 2 && status == CM_OK; side++) {
        status = ask(judging, side, models[side], error);
        if (status == CM_OK)
            status = make_figures(judging, side, &pair->figures[side], error);
    }
    if (status == CM_OK)
        status = cm_pairing_make(&training->records, &training->rights, judging->judged,
                                 judging->count, &training->options.figures, &pair->paired, error);
    cm_model_destroy(made);
    return status;
}

cm_status cm_train_judge(cm_training *training, cm_error *error)
{
    struct judging judging;
    double began = cm_clock_seconds();
    cm_status status = judging_init(&judging, training, error);
    if (status == CM_OK)
        status = judge(&judging, error);
    cm_summary_phase_add(&training->run.summary, "judge", cm_clock_seconds() - began,
                         2 * judging.count);
    judging_destroy(&judging);
    return status;
}

bool cm_train_is_worse(const cm_training *training)
{
    const cm_paired_figure *figures = training->pair.paired.figures;
    const cm_paired_figure *loss = &figures[CM_PAIRED_LOG_LOSS];
    return loss->difference > LOSS_SLACK * loss->values[0] || figures[CM_PAIRED_F_HALF].high < 0;
}
