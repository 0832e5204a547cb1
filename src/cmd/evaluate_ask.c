/* Conversions matched with their ids hidden, and what was answered judged. */
#include "cmd/evaluate_ask.h"

#include "util/slice.h"

static bool edit_click(void *context, uint32_t number, cm_click *click)
{
    const cm_asking *asking = context;
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
    const cm_asking *asking = context;
    conversion->click_id = conversion->fbclid = conversion->gclid = (cm_slice){0};
    /* A microsecond earlier, so that a click at the very time of the conversion, which is before it
     * as it stands, is not after it, too. */
    if (asking->is_mirrored)
        conversion->conversion_timestamp = asking->mirror_us - conversion->conversion_timestamp - 1;
}

static void take_answer(void *context, uint32_t number, const cm_result *result)
{
    const cm_asking *asking = context;
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

static cm_records_pass pass_of(cm_asking *asking)
{
    return (cm_records_pass){.threads = asking->options->threads,
                             .interrupted = asking->options->interrupted,
                             .context = asking,
                             .edit_click = edit_click,
                             .edit_conversion = edit_conversion,
                             .take = take_answer};
}

cm_status cm_asking_load(cm_asking *asking, const cm_evaluated *model, cm_engine **engine,
                         cm_error *error)
{
    const cm_records_pass pass = pass_of(asking);
    const cm_options options = {.hash_seed = asking->options->hash_seed};
    cm_status status = cm_engine_create(&options, model->model, engine, error);
    if (status != CM_OK)
        return status;
    cm_engine_set_rule(*engine, model->rule);
    return cm_records_load(asking->records, &pass, *engine, error);
}

cm_status cm_asking_match(cm_asking *asking, const uint32_t *numbers, size_t count,
                          const cm_engine *engine, cm_error *error)
{
    const cm_records_pass pass = pass_of(asking);
    return cm_records_match(asking->records, &pass, numbers, count, engine, error);
}

cm_status cm_asking_ask(cm_asking *asking, const cm_evaluated *model, const uint32_t *numbers,
                        size_t count, cm_error *error)
{
    cm_engine *engine = NULL;
    cm_status status = cm_asking_load(asking, model, &engine, error);
    if (status == CM_OK)
        status = cm_asking_match(asking, numbers, count, engine, error);
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

cm_judged cm_asking_judge_one(const cm_asking *asking, uint32_t number, bool is_organic)
{
    const cm_records *records = asking->records;
    const cm_rights *rights = asking->rights;
    const cm_answer *answer = &asking->answers[number];
    uint32_t right = is_organic ? CM_NUMBER_NONE : rights->right[number];
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

size_t cm_asking_judge(const cm_asking *asking, cm_judged *judged, bool masked)
{
    const cm_rights *rights = asking->rights;
    size_t count = 0;
    for (size_t i = 0; i < asking->records->conversion_count; i++)
        if (rights->is_judged[i])
            judged[count++] =
                cm_asking_judge_one(asking, (uint32_t)i, masked && rights->is_masked[i]);
    return count;
}
