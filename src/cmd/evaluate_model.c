/* A model's answers where ids are hidden, what they are worth, and what chance alone would give. */
#include <math.h>
#include <stdlib.h>

#include "cmd/evaluate.h"
#include "util/error.h"
#include "util/slice.h"

/* One matching of conversions. */
struct asking {
    const cm_records *records;
    const cm_rights *rights;
    const cm_evaluate_options *options;
    bool is_mirrored;  /* times are turned round */
    int64_t mirror_us; /* the sum of a click's time and its mirrored one */
    bool leaves_deleted_out;
    cm_answer *answers; /* by number of conversion */
};

static bool edit_click(void *context, uint32_t number, cm_click *click)
{
    const struct asking *asking = context;
    if (asking->leaves_deleted_out && asking->rights->is_deleted[number])
        return false;
    if (asking->is_mirrored) {
        click->click_timestamp = asking->mirror_us - click->click_timestamp;
        click->expires_at = CM_TIME_MISSING;
    }
    return true;
}

static void edit_conversion(void *context, uint32_t number, cm_conversion *conversion)
{
    (void)number;
    const struct asking *asking = context;
    conversion->click_id = conversion->fbclid = conversion->gclid = (cm_slice){0};
    /* A microsecond earlier, so that a click at the very time of the conversion, which is before it
     * as it stands, is not after it, too. */
    if (asking->is_mirrored)
        conversion->conversion_timestamp = asking->mirror_us - conversion->conversion_timestamp - 1;
}

static void take_answer(void *context, uint32_t number, const cm_result *result)
{
    const struct asking *asking = context;
    const cm_conversion *conversion = &asking->records->conversions[number];
    cm_answer answer = {.click = CM_NUMBER_NONE};
    if (result->candidate_count > 0) {
        bool is_layer_3 =
            result->layers[2] == CM_LAYER_SUCCESS || result->layers[2] == CM_LAYER_LOW_PROBABILITY;
        answer.weighed = is_layer_3 ? 3 : 2;
        answer.accepted = result->method == CM_METHOD_UNATTRIBUTED ? 0 : answer.weighed;
        answer.probability = result->candidates[0].probability;
        answer.confidence_e4 = (uint16_t)(result->confidence * 10000 + 0.5);
        answer.click = cm_records_click(asking->records, conversion->tenant_id,
                                        result->candidates[0].click_id);
    }
    asking->answers[number] = answer;
}

static cm_status ask(struct asking *asking, const cm_evaluated *model, const uint32_t *numbers,
                     size_t count, cm_error *error)
{
    const cm_evaluate_options *options = asking->options;
    const cm_records_pass pass = {.threads = options->threads,
                                  .interrupted = options->interrupted,
                                  .context = asking,
                                  .edit_click = edit_click,
                                  .edit_conversion = edit_conversion,
                                  .take = take_answer};
    const cm_options engine_options = {.hash_seed = options->hash_seed};
    cm_engine *engine = NULL;
    cm_status status = cm_engine_create(&engine_options, model->model, &engine, error);
    if (status == CM_OK)
        cm_engine_set_rule(engine, model->rule);
    if (status == CM_OK)
        status = cm_records_load(asking->records, &pass, engine, error);
    if (status == CM_OK)
        status = cm_records_match(asking->records, &pass, numbers, count, engine, error);
    cm_engine_destroy(engine);
    return status;
}

/* ---- answers judged ---- */

static bool is_same(cm_slice a, cm_slice b)
{
    return a.size > 0 && cm_slice_equal(a, b);
}

static cm_verdict verdict_of(const cm_rights *rights, uint32_t right, uint32_t click)
{
    if (click == CM_NUMBER_NONE)
        return CM_VERDICT_NONE;
    if (right == CM_NUMBER_NONE)
        return CM_VERDICT_ORGANIC;
    if (click == right)
        return CM_VERDICT_RIGHT_CLICK;
    return cm_rights_same_device(rights, click, right) ? CM_VERDICT_OTHER_CLICK
                                                       : CM_VERDICT_OTHER_DEVICE;
}

static cm_judged judge(const cm_records *records, const cm_rights *rights, uint32_t number,
                       uint32_t right, const cm_answer *answer)
{
    cm_judged judged = {
        .probability = answer->probability,
        .weighed = answer->weighed,
        .accepted = answer->accepted,
        .verdict = (uint8_t)verdict_of(rights, right, answer->click),
        .has_click = right != CM_NUMBER_NONE,
        .device_type = rights->groupings[CM_GROUPING_DEVICE_TYPE].of[number],
        .tenant = rights->groupings[CM_GROUPING_TENANT].of[number],
    };
    if (answer->click != CM_NUMBER_NONE && right != CM_NUMBER_NONE) {
        const cm_click *a = &records->clicks[answer->click];
        const cm_click *b = &records->clicks[right];
        judged.same_ad = answer->click == right || is_same(a->ad_id, b->ad_id);
        judged.same_campaign = answer->click == right || is_same(a->campaign_id, b->campaign_id);
    }
    return judged;
}

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

static void count_open(const struct asking *asking, cm_label_free *found)
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

static void count_placebo(const struct asking *real, const struct asking *placebo,
                          const uint32_t *numbers, cm_label_free *found)
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
static cm_status ask_placebo(const struct asking *real, struct asking *placebo,
                             const cm_evaluated *model, uint32_t *numbers, cm_label_free *found,
                             cm_error *error)
{
    const cm_records *records = real->records;
    int64_t last = last_click(records);
    for (size_t i = 0; i < records->conversion_count; i++)
        if (is_open(real->rights, i) &&
            records->conversions[i].conversion_timestamp <= last - model->model->window_us)
            numbers[found->covered++] = (uint32_t)i;
    if (found->covered == 0)
        return CM_OK;
    cm_status status = ask(placebo, model, numbers, found->covered, error);
    if (status == CM_OK)
        count_placebo(real, placebo, numbers, found);
    return status;
}

static cm_status run_placebo(const struct asking *real, const cm_evaluated *model,
                             cm_label_free *found, cm_error *error)
{
    size_t count = real->records->conversion_count;
    struct asking placebo = *real;
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

static cm_status ask_all(struct asking *asking, const cm_evaluated *model, cm_error *error)
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
    cm_status status = ask(asking, model, numbers, asked, error);
    free(numbers);
    return status;
}

/* masked: those of masked conversions are organic. */
static size_t judge_all(const struct asking *asking, cm_judged *judged, bool masked)
{
    const cm_rights *rights = asking->rights;
    size_t count = 0;
    for (size_t i = 0; i < asking->records->conversion_count; i++)
        if (rights->is_judged[i]) {
            bool is_organic = masked && rights->is_masked[i];
            uint32_t right = is_organic ? CM_NUMBER_NONE : rights->right[i];
            judged[count++] =
                judge(asking->records, rights, (uint32_t)i, right, &asking->answers[i]);
        }
    return count;
}

/* Keep what there is without masking; then have masked conversions answered where their devices'
 * clicks are left out. The others keep the answers that they have with all clicks. */
static cm_status judge_masked(struct asking *asking, const cm_evaluated *model,
                              const cm_judged *judged, size_t judged_count, cm_judgement *judgement,
                              cm_error *error)
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
        status = ask(asking, model, numbers, masked, error);
    asking->leaves_deleted_out = false;
    free(numbers);
    return status;
}

cm_status cm_evaluate_model(const cm_records *records, const cm_rights *rights,
                            const cm_evaluated *model, const cm_evaluate_options *options,
                            cm_judgement *judgement, cm_answer *answers, cm_judged *judged,
                            cm_error *error)
{
    struct asking asking = {
        .records = records, .rights = rights, .options = options, .answers = answers};
    cm_status status = ask_all(&asking, model, error);
    if (status != CM_OK)
        return status;
    count_open(&asking, &judgement->label_free);
    size_t count = judge_all(&asking, judged, false);
    if (rights->is_masked != NULL) {
        status = judge_masked(&asking, model, judged, count, judgement, error);
        count = judge_all(&asking, judged, true);
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
