#include "reference_parts.h"

#include <stdlib.h>
#include <string.h>

static double reach(const reference_view *seen, const double *m, double window_hours)
{
    double sum = 0.0;
    for (size_t i = 0; i < seen->model->bin_count; i++)
        if (seen->model->delay_hours[i] <= window_hours)
            sum += seen->parameters.delay_m[i] * m[i];
    return sum;
}

static double calibrated(const reference_layer *layer, double p)
{
    const reference_knots *knots = &layer->calibration;
    if (knots->count == 0)
        return p;
    size_t last = knots->count - 1;
    if (p < knots->at[0][0])
        return knots->at[0][1];
    for (size_t i = 0; i < last; i++) {
        double x0 = knots->at[i][0], y0 = knots->at[i][1];
        double x1 = knots->at[i + 1][0], y1 = knots->at[i + 1][1];
        if (x0 <= p && p < x1)
            return y0 + (p - x0) * (y1 - y0) / (x1 - x0);
    }
    return knots->at[last][1];
}

static void set_click(const reference_view *seen, cm_result *result, cm_method method,
                      const reference_click *click)
{
    const cm_click *given = click->given;
    result->method = method;
    result->window_hours = (seen->time - click->time) / REFERENCE_HOUR_US;
    result->click = (cm_matched_click){
        .click_id = given->click_id,
        .campaign_id = given->campaign_id,
        .adset_id = given->adset_id,
        .ad_id = given->ad_id,
        .creative_id = given->creative_id,
        .reference = given->reference,
        .click_timestamp = given->click_timestamp,
    };
}

/* Bring the largest weight not yet chosen to `place`; the newest of equals, which come first. */
static void choose(reference_weighing *weighed, size_t place)
{
    size_t best = place;
    for (size_t i = place + 1; i < weighed->clicks.count; i++) {
        double w = weighed->weights[i], top = weighed->weights[best];
        if (w > top || (w == top && reference_compare_newest(weighed->clicks.items[i],
                                                             weighed->clicks.items[best]) < 0))
            best = i;
    }
    const reference_click *click = weighed->clicks.items[best];
    double weight = weighed->weights[best];
    weighed->clicks.items[best] = weighed->clicks.items[place];
    weighed->weights[best] = weighed->weights[place];
    weighed->clicks.items[place] = click;
    weighed->weights[place] = weight;
}

/* Fill the candidates and, where the best is good enough, the answer. */
static bool decide(const reference_view *seen, const reference_layer *layer, cm_method method,
                   reference_weighing *weighed, cm_result *result)
{
    memset(result->candidates, 0, sizeof result->candidates);
    result->candidate_count = 0;
    for (size_t i = 0; i < weighed->clicks.count && i < CM_RESULT_CANDIDATES_MAX; i++) {
        choose(weighed, i);
        reference_note(seen, REFERENCE_PATH_EQUAL_WEIGHTS,
                       i == 1 && !(weighed->weights[1] < weighed->weights[0]));
        result->candidates[i].click_id = weighed->clicks.items[i]->given->click_id;
        result->candidates[i].probability = calibrated(layer, weighed->weights[i] / weighed->total);
        result->candidate_count++;
    }
    double p = result->candidates[0].probability, lo = layer->band[0], hi = layer->band[1];
    if (p < lo)
        return false;
    set_click(seen, result, method, weighed->clicks.items[0]);
    result->probability = p;
    double raw = (lo + (hi - lo) * (p - lo) / (1 - lo)) * 10000 + 0.5;
    result->confidence = (double)(int64_t)raw / 10000;
    return true;
}

static bool contains(const reference_clicks *array, const reference_click *click)
{
    for (size_t i = 0; i < array->count; i++)
        if (array->items[i] == click)
            return true;
    return false;
}

static cm_layer_word layer_1(const reference_view *seen, const cm_conversion *given,
                             cm_result *result)
{
    const cm_slice values[3] = {given->click_id, reference_fbclid(given->fbclid), given->gclid};
    static const reference_key_kind kinds[3] = {BY_CLICK_ID, BY_FBCLID, BY_GCLID};
    bool expired = false, invalid = false;
    if (values[0].size + values[1].size + values[2].size == 0)
        return CM_LAYER_NO_PARAM;
    for (size_t kind = 0; kind < 3; kind++) {
        const reference_list *list =
            values[kind].size > 0
                ? reference_list_of(seen, kinds[kind], values[kind].data, values[kind].size)
                : NULL;
        const reference_click *newest = NULL;
        for (size_t i = 0; list != NULL && i < list->clicks.count; i++) {
            const reference_click *click = list->clicks.items[i];
            if (seen->time < click->time || seen->time >= click->findable_until)
                continue;
            if (!click->is_valid)
                invalid = true;
            else if (click->expires_at <= seen->time)
                expired = true;
            else if (newest == NULL || reference_compare_newest(click, newest) < 0)
                newest = click;
        }
        if (newest != NULL) {
            set_click(seen, result, CM_METHOD_URL_PARAM, newest);
            result->confidence = result->probability = 1;
            return CM_LAYER_SUCCESS;
        }
    }
    return expired ? CM_LAYER_EXPIRED : invalid ? CM_LAYER_INVALID : CM_LAYER_NO_MATCH;
}

/* Drop what cannot answer and make room for the weights; false where nothing is left. */
static bool weighing_prepare(const reference_view *seen, reference_weighing *weighed,
                             reference_same_device same)
{
    reference_drop_expired(seen, &weighed->clicks);
    reference_keep_devices(&weighed->clicks, same);
    weighed->weights =
        reference_claim(NULL, (weighed->clicks.count + 1) * sizeof *weighed->weights);
    return weighed->clicks.count > 0;
}

static void weighing_free(reference_weighing *weighed)
{
    free(weighed->clicks.items);
    free(weighed->weights);
}

/* Layer 2's A: the first K of F and those of the first K of G that share the fingerprint. */
static reference_clicks layer_2_candidates(const reference_view *seen, const reference_clicks *f,
                                           const reference_clicks *g)
{
    size_t limit = seen->model->max_candidates;
    reference_clicks result = {0};
    for (size_t i = 0; i < f->count && i < limit; i++)
        reference_array_push(&result, f->items[i]);
    for (size_t i = 0; i < g->count && i < limit; i++) {
        const reference_device *device = &g->items[i]->device;
        if (device->has_fingerprint && reference_same_fingerprint(device, &seen->device) &&
            !contains(&result, g->items[i]))
            reference_array_push(&result, g->items[i]);
    }
    reference_sort_newest(&result);
    return result;
}

static void layer_2_weigh(const reference_view *seen, reference_weighing *weighed, size_t left,
                          size_t near, size_t o)
{
    const reference_parameters *model = &seen->parameters;
    const reference_layer *layer = &model->fingerprint;
    double hours = seen->model->window_hours;
    double r = layer->rivals + (double)(weighed->clicks.count - 1 + left);
    double q = seen->device.bucket.version == 0 ? 1.0 : 1 - model->ip_m[o];
    double w0 = 1 - layer->prior * reach(seen, model->fingerprint_m, hours);
    size_t all = reference_tenant_count(seen, reference_hours_us(hours));
    reference_note(seen, REFERENCE_PATH_LEFT_BY_DELAY_U, left > 0 && layer->delay_u[o] > 0);
    for (size_t c = 0; c < weighed->clicks.count; c++) {
        const reference_device *click = &weighed->clicks.items[c]->device;
        size_t i = reference_bin_of(seen, weighed->clicks.items[c]);
        double ip = reference_address_ratio(seen, click, i, near, all);
        double agent = reference_user_agent_ratio(layer, seen, click);
        double w = layer->prior * model->fingerprint_m[i] / r *
                   reference_delay_ratio(layer, seen, i, hours) * ip * agent;
        weighed->weights[c] = reference_with_traits(layer, seen, click, w);
    }
    reference_weigh_older(seen, r, left, weighed);
    weighed->total = w0 + (double)left * (layer->prior * model->fingerprint_m[o] / r *
                                          reference_delay_ratio(layer, seen, o, hours) * q);
    for (size_t c = 0; c < weighed->clicks.count; c++)
        weighed->total += weighed->weights[c];
    reference_weigh_newer(seen, weighed);
}

static cm_layer_word layer_2(const reference_view *seen, cm_result *result)
{
    if (!seen->device.has_fingerprint)
        return CM_LAYER_NO_FINGERPRINT;
    const reference_model *model = seen->model;
    int64_t window_us = reference_hours_us(model->window_hours);
    const reference_list *list = reference_list_of(seen, BY_FINGERPRINT, seen->device.fingerprint,
                                                   sizeof seen->device.fingerprint);
    reference_clicks f = reference_recent(seen, list, window_us);
    if (f.count == 0)
        return CM_LAYER_NO_MATCH;
    reference_clicks g = reference_recent_at_address(seen, window_us);
    reference_weighing weighed = {.clicks = layer_2_candidates(seen, &f, &g)};
    size_t left = f.count - weighed.clicks.count;
    size_t cut = f.count < model->max_candidates ? f.count : model->max_candidates;
    size_t o = reference_bin_of(seen, f.items[cut - 1]);
    cm_layer_word word = CM_LAYER_NO_MATCH;
    if (weighing_prepare(seen, &weighed, reference_same_layer_2_device)) {
        layer_2_weigh(seen, &weighed, left, g.count, o);
        bool success =
            decide(seen, &seen->parameters.fingerprint, CM_METHOD_FINGERPRINT, &weighed, result);
        word = success ? CM_LAYER_SUCCESS : CM_LAYER_LOW_CONFIDENCE;
        result->layer_2_weighed = true;
        result->layer_2_probability = result->candidates[0].probability;
    }
    weighing_free(&weighed);
    free(f.items);
    free(g.items);
    return word;
}

static void layer_3_weigh(const reference_view *seen, reference_weighing *weighed, size_t left,
                          size_t o)
{
    const reference_parameters *model = &seen->parameters;
    const reference_layer *layer = &model->probabilistic;
    double hours = seen->model->probabilistic_window_hours;
    double r = layer->rivals + (double)(weighed->clicks.count - 1 + left);
    double w0 = 1 - layer->prior * reach(seen, model->ip_m, hours);
    reference_note(seen, REFERENCE_PATH_LEFT_BY_DELAY_U, left > 0 && layer->delay_u[o] > 0);
    weighed->total = w0 + (double)left * (layer->prior * model->ip_m[o] / r *
                                          reference_delay_ratio(layer, seen, o, hours));
    for (size_t c = 0; c < weighed->clicks.count; c++) {
        const reference_device *click = &weighed->clicks.items[c]->device;
        size_t i = reference_bin_of(seen, weighed->clicks.items[c]);
        double fingerprint = reference_fingerprint_ratio(seen, click, i);
        double agent = reference_user_agent_ratio(layer, seen, click);
        double w = layer->prior * model->ip_m[i] / r *
                   reference_delay_ratio(layer, seen, i, hours) * fingerprint * agent;
        weighed->weights[c] = reference_with_traits(layer, seen, click, w);
        weighed->total += weighed->weights[c];
    }
}

static cm_layer_word layer_3(const reference_view *seen, cm_result *result)
{
    if (seen->device.bucket.version == 0)
        return CM_LAYER_NO_SIGNAL;
    const reference_model *model = seen->model;
    reference_clicks f =
        reference_recent_at_address(seen, reference_hours_us(model->probabilistic_window_hours));
    if (f.count == 0) {
        free(f.items);
        return CM_LAYER_NO_CANDIDATES;
    }
    size_t left = f.count > model->max_candidates ? f.count - model->max_candidates : 0;
    f.count -= left;
    size_t o = reference_bin_of(seen, f.items[f.count - 1]);
    reference_weighing weighed = {.clicks = f};
    cm_layer_word word = CM_LAYER_NO_CANDIDATES;
    if (weighing_prepare(seen, &weighed, reference_same_layer_3_device)) {
        layer_3_weigh(seen, &weighed, left, o);
        bool success = decide(seen, &seen->parameters.probabilistic, CM_METHOD_PROBABILISTIC,
                              &weighed, result);
        word = success ? CM_LAYER_SUCCESS : CM_LAYER_LOW_PROBABILITY;
    }
    weighing_free(&weighed);
    return word;
}

void reference_match(const reference *matcher, const cm_conversion *conversion, cm_result *result)
{
    reference_view seen = {.matcher = matcher,
                           .model = &matcher->model,
                           .parameters =
                               reference_parameters_of(&matcher->model, conversion->tenant_id,
                                                       conversion->device.device_type),
                           .tenant_id = conversion->tenant_id,
                           .time = conversion->conversion_timestamp,
                           .device = reference_device_of(&matcher->model, &conversion->device)};
    memset(result, 0, sizeof *result);
    result->window_hours = -1;
    for (size_t i = 0; i < CM_LAYER_COUNT; i++)
        result->layers[i] = CM_LAYER_NOT_ATTEMPTED;
    result->layers[0] = layer_1(&seen, conversion, result);
    if (result->method == CM_METHOD_UNATTRIBUTED)
        result->layers[1] = layer_2(&seen, result);
    if (result->method == CM_METHOD_UNATTRIBUTED)
        result->layers[2] = layer_3(&seen, result);
}
