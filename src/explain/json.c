#include <jansson.h>
#include <math.h>

#include "explain/explanation.h"
#include "explain/words.h"
#include "util/json.h"
#include "util/slice.h"
#include "util/text.h"

/* Functions here return NULL where memory is short; json_pack takes what it is given either way. */

/* null stands for what JSON has no number for: the logarithm of zero. */
static json_t *real(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

static json_t *count(uint64_t number)
{
    return json_integer((json_int_t)number);
}

static json_t *words(cm_buffer *buffer)
{
    json_t *string = buffer->failed ? NULL : json_stringn(buffer->data, buffer->size);
    cm_buffer_destroy(buffer);
    return string;
}

/* Text from outside; missing is null, and what is no UTF-8 shows its bytes. */
static json_t *text(cm_slice slice)
{
    cm_buffer shown = {0};
    size_t characters;
    if (slice.size == 0)
        return json_null();
    if (cm_utf8_count(slice, &characters))
        return json_stringn(slice.data, slice.size);
    cm_words_text(&shown, slice);
    return words(&shown);
}

static json_t *time_text(int64_t time_us)
{
    cm_buffer buffer = {0};
    cm_words_time(&buffer, time_us);
    return words(&buffer);
}

static json_t *fingerprint(const cm_trace_device *device)
{
    cm_buffer buffer = {0};
    if (!device->has_fingerprint)
        return json_null();
    cm_words_fingerprint(&buffer, device->fingerprint, sizeof device->fingerprint);
    return words(&buffer);
}

static json_t *address(const cm_trace_device *device)
{
    cm_buffer buffer = {0};
    if (device->address.version == 0)
        return json_null();
    cm_words_address(&buffer, &device->address, device->address_bits);
    return words(&buffer);
}

static json_t *traits(const cm_trace_device *shown)
{
    json_t *object = json_object();
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++)
        object = cm_json_with(object, cm_trait_names[i], text(shown->traits[i]));
    return object;
}

/* Personal data only where it was asked for; that it is there can be said. */
static json_t *device(const cm_explanation *explanation, const cm_trace_device *shown)
{
    json_t *object =
        json_pack("{s:o,s:i,s:o,s:b}", "fingerprint", fingerprint(shown), "address_version",
                  shown->address.version, "device_type", text(shown->device_type), "has_user_agent",
                  shown->user_agent.size > 0);
    if (explanation->model->has_traits)
        object = cm_json_with(object, "traits", traits(shown));
    if (!explanation->show_pii)
        return object;
    return cm_json_joined(object, json_pack("{s:o,s:o}", "address", address(shown), "user_agent",
                                            text(shown->user_agent)));
}

/* ---- candidates ---- */

static json_t *factor(const cm_trace_factor *of)
{
    static const char *const OUTCOMES[CM_COMPARISONS] = {"missing", "equal", "different",
                                                         "other_family"};
    return json_pack("{s:s,s:s?,s:o,s:o,s:o,s:o}", "name", of->name, "outcome",
                     of->is_comparison ? OUTCOMES[of->outcome] : NULL, "same", real(of->same),
                     "stranger", real(of->stranger), "bits", real(of->bits), "p_if_equal",
                     of->p_if_equal < 0 ? json_null() : real(of->p_if_equal));
}

static json_t *candidate(const cm_explanation *explanation, const cm_trace_candidate *of)
{
    int64_t delay_us = explanation->conversion->conversion_timestamp - of->click_timestamp;
    json_t *factors = json_array();
    for (uint32_t i = 0; i < of->factor_count; i++)
        factors = cm_json_add(factors, factor(&of->factors[i]));
    return json_pack("{s:o,s:o,s:I,s:i,s:o,s:o,s:o,s:o,s:o}", "click_id", text(of->click_id),
                     "click_timestamp", time_text(of->click_timestamp), "delay_us",
                     (json_int_t)delay_us, "delay_bin", (int)of->delay_bin, "probability",
                     real(of->probability), "weight", real(of->weight), "bits", real(of->bits),
                     "factors", factors, "device", device(explanation, &of->device));
}

static json_t *candidates(const cm_explanation *explanation, const cm_trace_layer *layer)
{
    json_t *array = json_array();
    for (size_t i = 0; i < layer->candidate_count; i++)
        array = cm_json_add(array, candidate(explanation, &layer->candidates[i]));
    return array;
}

/* ---- layers ---- */

static json_t *miss(const cm_miss *of, cm_miss_reason reason)
{
    return json_pack("{s:o,s:o,s:s,s:s,s:I,s:b}", "click_id", text(of->click_id), "click_timestamp",
                     time_text(of->click_timestamp), "shares", of->key, "why",
                     cm_miss_reason_name(reason), "by_us", (json_int_t)of->by_us, "flagged",
                     of->is_flagged);
}

static json_t *misses(const cm_explanation *explanation, unsigned layer)
{
    json_t *counts = json_object();
    json_t *nearest = json_array();
    for (unsigned i = 0; i < CM_MISS_REASON_COUNT; i++) {
        const cm_miss *list;
        cm_miss_reason reason = (cm_miss_reason)i;
        uint64_t total = cm_misses_of(explanation->misses, layer, reason, &list);
        counts = cm_json_with(counts, cm_miss_reason_name(reason), count(total));
        for (size_t at = 0; at < total && at < CM_MISSES_KEPT; at++)
            nearest = cm_json_add(nearest, miss(&list[at], reason));
    }
    return json_pack("{s:o,s:o}", "counts", counts, "nearest", nearest);
}

static json_t *clicks(const cm_trace_layer *layer)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "in_window", count(layer->clicks),
                     "considered", count(layer->considered), "left", count(layer->left), "expired",
                     count(layer->expired), "repeats", count(layer->repeats), "on_address",
                     count(layer->address_clicks), "of_tenant", count(layer->tenant_clicks));
}

static json_t *knots(const cm_layer_model *model)
{
    json_t *array = json_array();
    for (size_t i = 0; i < model->knot_count; i++)
        array = cm_json_add(array,
                            json_pack("[o,o]", real(model->knots[i].x), real(model->knots[i].y)));
    return array;
}

static json_t *competition(const cm_explanation *explanation, size_t at)
{
    const cm_trace_layer *layer = &explanation->trace->layers[at];
    const cm_layer_model *model = cm_explained_model(explanation, at);
    bool is_close = layer->candidate_count > 1;
    if (layer->candidate_count == 0)
        return json_null();
    return json_pack(
        "{s:o,s:o,s:o,s:i,s:o,s:o,s:o,s:o,s:o,s:[o,o],s:o}", "rivals", real(layer->rivals),
        "nobody", real(layer->nobody), "rest", real(layer->rest), "rest_delay_bin",
        (int)layer->oldest_bin, "total", real(layer->total), "probability",
        real(layer->probability), "short_by",
        layer->word == CM_LAYER_SUCCESS ? json_null() : real(model->band_lo - layer->probability),
        "margin",
        is_close ? real(layer->probability - layer->candidates[1].probability) : json_null(),
        "confidence", real(layer->confidence), "band", real(model->band_lo), real(model->band_hi),
        "calibration", knots(model));
}

static json_t *layer_json(const cm_explanation *explanation, size_t at)
{
    const cm_trace_layer *layer = &explanation->trace->layers[at];
    if (at == 0)
        return json_pack("{s:i,s:s,s:s?,s:o}", "layer", 1, "word", cm_layer_word_name(layer->word),
                         "matched_by", explanation->trace->matched_by, "misses",
                         misses(explanation, 1));
    return json_pack("{s:i,s:s,s:I,s:o,s:o,s:o,s:o}", "layer", (int)at + 1, "word",
                     cm_layer_word_name(layer->word), "window_us", (json_int_t)layer->window_us,
                     "clicks", clicks(layer), "competition", competition(explanation, at),
                     "candidates", candidates(explanation, layer), "misses",
                     misses(explanation, (unsigned)at + 1));
}

/* ---- the whole ---- */

static json_t *conversion(const cm_explanation *explanation)
{
    const cm_conversion *of = explanation->conversion;
    const cm_trace *trace = explanation->trace;
    const char *source = trace->device.is_fingerprint_made ? "components"
                         : trace->device.has_fingerprint   ? "given"
                                                           : NULL;
    return json_pack(
        "{s:o,s:o,s:o,s:o,s:o,s:o,s:s?,s:b,s:o}", "conversion_id", text(of->conversion_id),
        "tenant_id", text(of->tenant_id), "conversion_timestamp",
        time_text(of->conversion_timestamp), "click_id", text(of->click_id), "fbclid",
        text(trace->fbclid), "gclid", text(of->gclid), "fingerprint_source", source, "has_address",
        of->device.ip_address.version != 0, "device", device(explanation, &trace->device));
}

static json_t *result(const cm_result *of)
{
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "attribution_method", cm_method_name(of->method),
                     "click_id", text(of->click.click_id), "campaign_id",
                     text(of->click.campaign_id), "attribution_confidence", real(of->confidence),
                     "match_probability", real(of->probability), "attribution_window_hours",
                     of->window_hours < 0 ? json_null() : json_integer(of->window_hours));
}

static json_t *stored(const cm_stored_view *view)
{
    json_t *differences = json_array();
    json_t *reasons = json_array();
    if (view == NULL) {
        json_decref(differences);
        json_decref(reasons);
        return json_null();
    }
    for (size_t i = 0; i < view->difference_count; i++) {
        const cm_stored_difference *of = &view->differences[i];
        differences =
            cm_json_add(differences, json_pack("{s:s,s:o,s:o}", "field", of->field, "stored",
                                               text(cm_slice_of_text(of->stored)), "now",
                                               text(cm_slice_of_text(of->now))));
    }
    for (size_t i = 0; i < view->reason_count; i++)
        reasons = cm_json_add(reasons, text(cm_slice_of_text(view->reasons[i])));
    return json_pack("{s:b,s:b,s:s?,s:s?,s:o,s:o}", "is_stored", view->is_stored, "agrees",
                     view->agrees, "model", view->model, "when", view->when, "differences",
                     differences, "reasons", reasons);
}

void cm_explain_json(const cm_explanation *explanation, cm_buffer *buffer)
{
    json_t *layers = json_array();
    for (size_t i = 0; i < CM_LAYER_COUNT; i++)
        layers = cm_json_add(layers, layer_json(explanation, i));
    json_t *whole =
        json_pack("{s:o,s:s,s:o,s:o,s:o}", "conversion", conversion(explanation), "model",
                  cm_model_label(explanation->model), "result", result(&explanation->trace->result),
                  "layers", layers, "stored", stored(explanation->stored));
    (void)cm_json_write(whole, JSON_INDENT(1) | JSON_REAL_PRECISION(17), buffer);
    cm_buffer_append_char(buffer, '\n');
    json_decref(whole);
}
