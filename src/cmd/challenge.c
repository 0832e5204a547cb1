#include "cmd/challenge.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/clock.h"
#include "cmd/evaluate_ask.h"
#include "cmd/pairing.h"
#include "util/error.h"

struct work {
    const cm_records *records;
    const cm_challenge_options *options;
    cm_challenge *challenge;
    cm_rights rights;
    cm_evaluation evaluation;
    cm_choice *choices[2];
    cm_judged *judged[2];
    cm_answer *answers;          /* of the model under way */
    uint32_t *labelled, *masked; /* numbers of conversions */
};

/* ---- with ids: what each model says of all ---- */

struct taking {
    const cm_records *records;
    cm_choice *choices;
};

static void take_choice(void *context, uint32_t number, const cm_result *result)
{
    const struct taking *taking = context;
    cm_slice tenant = taking->records->conversions[number].tenant_id;
    cm_choice choice = {result->probability, CM_NUMBER_NONE, (uint8_t)result->method};
    if (result->method != CM_METHOD_UNATTRIBUTED)
        choice.click = cm_records_click(taking->records, tenant, result->click.click_id);
    taking->choices[number] = choice;
}

static cm_status match_all(const struct work *work, size_t side, const cm_engine *engine,
                           cm_error *error)
{
    struct taking taking = {work->records, work->choices[side]};
    const cm_records_pass pass = {.threads = work->options->evaluate.threads,
                                  .interrupted = work->options->evaluate.interrupted,
                                  .context = &taking,
                                  .take = take_choice};
    return cm_records_match(work->records, &pass, NULL, work->records->conversion_count, engine,
                            error);
}

/* ---- without ids: which of them finds what layer 1 knows ---- */

static size_t list(const bool *flags, size_t count, uint32_t *numbers)
{
    size_t listed = 0;
    for (size_t i = 0; flags != NULL && i < count; i++)
        if (flags[i])
            numbers[listed++] = (uint32_t)i;
    return listed;
}

static cm_status find_labels(struct work *work, cm_error *error)
{
    const cm_evaluate_options *options = &work->options->evaluate;
    cm_challenge *challenge = work->challenge;
    cm_status status = cm_evaluate_layer_1(work->records, options, &work->rights, error);
    if (status != CM_OK)
        return status;
    for (size_t i = 0; i < work->records->conversion_count; i++)
        challenge->labelled += work->rights.layer_1[i] != CM_NUMBER_NONE;
    if (challenge->labelled > 0)
        status = cm_evaluate_labels(work->records, work->options->mask_share, options,
                                    &work->rights, &work->evaluation, error);
    challenge->masked = work->evaluation.masked;
    challenge->deleted = work->evaluation.deleted;
    return status;
}

/* One engine answers with ids and without; the masked have one of fewer clicks. */
static cm_status ask(struct work *work, size_t side, const cm_model *model, cm_error *error)
{
    const cm_rights *rights = &work->rights;
    size_t count = work->records->conversion_count;
    size_t labelled = list(rights->is_judged, count, work->labelled);
    size_t masked = list(rights->is_masked, count, work->masked);
    const cm_evaluated evaluated = {model, CM_RULE_MODEL};
    cm_asking asking = {.records = work->records,
                        .rights = rights,
                        .options = &work->options->evaluate,
                        .answers = work->answers};
    cm_engine *engine = NULL;
    cm_status status = cm_asking_load(&asking, &evaluated, &engine, error);
    if (status == CM_OK)
        status = match_all(work, side, engine, error);
    if (status == CM_OK)
        status = cm_asking_match(&asking, work->labelled, labelled, engine, error);
    cm_engine_destroy(engine);
    asking.leaves_deleted_out = true;
    if (status == CM_OK && masked > 0)
        status = cm_asking_ask(&asking, &evaluated, work->masked, masked, error);
    if (status == CM_OK)
        (void)cm_asking_judge(&asking, work->judged[side], masked > 0);
    return status;
}

/* ---- all of it ---- */

static cm_status make_room(struct work *work, const cm_model *const models[2], cm_error *error)
{
    size_t count = work->records->conversion_count + 1;
    bool ready = true;
    for (size_t side = 0; side < 2; side++) {
        work->choices[side] = calloc(count, sizeof *work->choices[side]);
        work->judged[side] = calloc(count, sizeof *work->judged[side]);
        work->challenge->labels[side] = strdup(cm_model_label(models[side]));
        ready = ready && work->choices[side] != NULL && work->judged[side] != NULL &&
                work->challenge->labels[side] != NULL;
    }
    work->answers = calloc(count, sizeof *work->answers);
    work->labelled = malloc(count * sizeof *work->labelled);
    work->masked = malloc(count * sizeof *work->masked);
    if (ready && work->answers != NULL && work->labelled != NULL && work->masked != NULL)
        return CM_OK;
    return cm_error_memory(error, "what two models say", count * 2 * sizeof(cm_judged));
}

static cm_status run(struct work *work, const cm_model *const models[2], cm_error *error)
{
    cm_challenge *challenge = work->challenge;
    cm_status status = make_room(work, models, error);
    if (status == CM_OK)
        status = find_labels(work, error);
    for (size_t side = 0; side < 2 && status == CM_OK; side++)
        status = ask(work, side, models[side], error);
    if (status == CM_OK && challenge->labelled > 0)
        status = cm_pairing_make(work->records, &work->rights, work->judged, challenge->labelled,
                                 &work->options->evaluate.figures, &challenge->paired, error);
    if (status != CM_OK)
        return status;
    memcpy(challenge->groupings, work->rights.groupings, sizeof challenge->groupings);
    memset(work->rights.groupings, 0, sizeof work->rights.groupings);
    const cm_choice *const choices[2] = {work->choices[0], work->choices[1]};
    return cm_challenge_count(choices, work->records->conversion_count, challenge, error);
}

cm_status cm_challenge_make(const cm_records *records, const cm_model *const models[2],
                            const cm_challenge_options *options, cm_challenge *challenge,
                            cm_error *error)
{
    struct work work = {.records = records, .options = options, .challenge = challenge};
    double began = cm_clock_seconds();
    *challenge = (cm_challenge){.clicks = records->click_count};
    cm_status status = run(&work, models, error);
    for (size_t side = 0; side < 2; side++) {
        free(work.choices[side]);
        free(work.judged[side]);
    }
    free(work.answers);
    free(work.labelled);
    free(work.masked);
    cm_rights_destroy(&work.rights);
    cm_evaluation_destroy(&work.evaluation);
    challenge->seconds = cm_clock_seconds() - began;
    return status;
}

void cm_challenge_destroy(cm_challenge *challenge)
{
    for (size_t side = 0; side < 2; side++)
        free(challenge->labels[side]);
    for (size_t kind = 0; kind < CM_GROUPING_COUNT; kind++) {
        free(challenge->groups[kind]);
        cm_grouping_destroy(&challenge->groupings[kind]);
    }
    *challenge = (cm_challenge){0};
}
