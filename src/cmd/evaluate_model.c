/* A model's answers where ids are hidden, what they are worth, and what chance alone would give. */
#include <math.h>
#include <stdlib.h>

#include "cmd/evaluate_ask.h"
#include "util/error.h"

/* ---- what needs no labels ---- */

static int64_t last_click(const cm_records *records)
{
    int64_t last = INT64_MIN;
    for (size_t i = 0; i < records->click_count; i++)
        if (records->clicks[i].click_timestamp > last)
            last = records->clicks[i].click_timestamp;
    return last;
}

/* The sum of the earliest and the latest time, and one: mirrored times stay among those. */
static int64_t mirror(const cm_records *records)
{
    int64_t low = INT64_MAX, high = last_click(records);
    for (size_t i = 0; i < records->click_count; i++)
        if (records->clicks[i].click_timestamp < low)
            low = records->clicks[i].click_timestamp;
    for (size_t i = 0; i < records->conversion_count; i++) {
        int64_t t = records->conversions[i].conversion_timestamp;
        low = t < low ? t : low;
        high = t > high ? t : high;
    }
    return low + high + 1;
}

static bool is_open(const cm_rights *rights, size_t number)
{
    return rights->layer_1[number] == CM_NUMBER_NONE;
}

static void count_open(const cm_asking *asking, cm_label_free *found)
{
    uint64_t doubt = 0; /* in units of 2^-32, so that no order of adding matters */
    for (size_t i = 0; i < asking->records->conversion_count; i++) {
        if (!is_open(asking->rights, i))
            continue;
        const cm_answer *answer = &asking->answers[i];
        found->open++;
        if (answer->accepted == 0)
            continue;
        found->attributed[answer->accepted - 2]++;
        doubt += (uint64_t)((1 - answer->probability) * 0x1p32);
    }
    uint64_t attributed = found->attributed[0] + found->attributed[1];
    found->expected_error =
        attributed == 0 ? (double)NAN : (double)doubt * 0x1p-32 / (double)attributed;
}

static void count_placebo(const cm_asking *real, const cm_asking *placebo, const uint32_t *numbers,
                          cm_label_free *found)
{
    const cm_rights *rights = real->rights;
    for (size_t i = 0; i < found->covered; i++) {
        uint32_t number = numbers[i];
        const cm_answer *before = &real->answers[number];
        const cm_answer *after = &placebo->answers[number];
        if (before->accepted != 0)
            found->real[before->accepted - 2]++;
        if (after->accepted == 0)
            continue;
        found->placebo[after->accepted - 2]++;
        if (rights->click_owner != NULL && rights->conversion_owner[number] != CM_NUMBER_NONE &&
            rights->click_owner[after->click] == rights->conversion_owner[number])
            found->placebo_same_device[after->accepted - 2]++;
    }
}

/* numbers: receives those of the conversions that count. */
static cm_status ask_placebo(const cm_asking *real, cm_asking *placebo, const cm_evaluated *model,
                             uint32_t *numbers, cm_label_free *found, cm_error *error)
{
    const cm_records *records = real->records;
    int64_t last = last_click(records);
    size_t covered = 0;
    for (size_t i = 0; i < records->conversion_count; i++)
        if (is_open(real->rights, i) &&
            records->conversions[i].conversion_timestamp <= last - model->model->window_us)
            numbers[covered++] = (uint32_t)i;
    found->covered = covered;
    if (covered == 0)
        return CM_OK;
    cm_status status = cm_asking_ask(placebo, model, numbers, covered, error);
    if (status == CM_OK)
        count_placebo(real, placebo, numbers, found);
    return status;
}

static cm_status run_placebo(const cm_asking *real, const cm_evaluated *model, cm_label_free *found,
                             cm_error *error)
{
    size_t count = real->records->conversion_count;
    cm_asking placebo = *real;
    cm_status status;
    uint32_t *numbers = malloc((count + 1) * sizeof *numbers);
    placebo.answers = malloc((count + 1) * sizeof *placebo.answers);
    placebo.is_mirrored = true;
    placebo.mirror_us = mirror(real->records);
    if (numbers != NULL && placebo.answers != NULL)
        status = ask_placebo(real, &placebo, model, numbers, found, error);
    else
        status = cm_error_memory(error, "the placebo", count * sizeof *placebo.answers);
    free(placebo.answers);
    free(numbers);
    return status;
}

/* ---- all of it ---- */

static cm_status ask_all(cm_asking *asking, const cm_evaluated *model, cm_error *error)
{
    const cm_rights *rights = asking->rights;
    size_t count = asking->records->conversion_count;
    size_t asked = 0;
    uint32_t *numbers = malloc((count + 1) * sizeof *numbers);
    if (numbers == NULL)
        return cm_error_memory(error, "conversions to match", count * sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        if (rights->is_judged[i] || is_open(rights, i))
            numbers[asked++] = (uint32_t)i;
    cm_status status = cm_asking_ask(asking, model, numbers, asked, error);
    free(numbers);
    return status;
}

/* Keep what there is without masking; then have masked conversions answered where their devices'
 * clicks are left out. The others keep the answers that they have with all clicks. */
static cm_status judge_masked(cm_asking *asking, const cm_evaluated *model, const cm_judged *judged,
                              size_t judged_count, cm_judgement *judgement, cm_error *error)
{
    const cm_rights *rights = asking->rights;
    size_t count = asking->records->conversion_count;
    size_t masked = 0;
    judgement->unmasked = (cm_group){.kind = "all", .count = judged_count};
    cm_status status = cm_figures_make(judged, judged_count, &asking->options->figures,
                                       judgement->unmasked.figures, error);
    uint32_t *numbers = malloc((count + 1) * sizeof *numbers);
    if (numbers == NULL)
        return cm_error_memory(error, "conversions to match", count * sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        if (rights->is_masked[i])
            numbers[masked++] = (uint32_t)i;
    asking->leaves_deleted_out = true;
    if (status == CM_OK && masked > 0)
        status = cm_asking_ask(asking, model, numbers, masked, error);
    asking->leaves_deleted_out = false;
    free(numbers);
    return status;
}

cm_status cm_evaluate_model(const cm_records *records, const cm_rights *rights,
                            const cm_evaluated *model, const cm_evaluate_options *options,
                            cm_judgement *judgement, cm_answer *answers, cm_judged *judged,
                            cm_error *error)
{
    cm_asking asking = {
        .records = records, .rights = rights, .options = options, .answers = answers};
    cm_status status = ask_all(&asking, model, error);
    if (status != CM_OK)
        return status;
    count_open(&asking, &judgement->label_free);
    size_t count = cm_asking_judge(&asking, judged, false);
    if (rights->is_masked != NULL) {
        status = judge_masked(&asking, model, judged, count, judgement, error);
        count = cm_asking_judge(&asking, judged, true);
    }
    if (status == CM_OK)
        status =
            cm_groups_make(judged, count, rights->groupings, &options->figures, judgement, error);
    if (status == CM_OK)
        status = cm_curves_make(judged, count, options->figures.bins, &judgement->curves, error);
    if (status == CM_OK)
        status = run_placebo(&asking, model, &judgement->label_free, error);
    return status;
}
