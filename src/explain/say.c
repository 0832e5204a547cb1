#include "explain/say.h"

#include <math.h>

#include "explain/words.h"

const char *cm_say_layer_name(size_t layer)
{
    static const char *const NAMES[CM_LAYER_COUNT] = {
        "Layer 1, click id in the URL", "Layer 2, fingerprint", "Layer 3, address and timing"};
    return NAMES[layer];
}

void cm_say_result(const cm_explanation *explanation, cm_buffer *lines)
{
    const cm_result *result = &explanation->trace->result;
    if (result->method == CM_METHOD_UNATTRIBUTED) {
        cm_words(lines, "unattributed\n");
        return;
    }
    cm_words(lines, "%s, click ", cm_method_name(result->method));
    cm_words_text(lines, result->click.click_id);
    cm_words(lines, ", confidence %.4f, probability %.6f, ", result->confidence,
             result->probability);
    cm_words_duration(lines, explanation->conversion->conversion_timestamp -
                                 result->click.click_timestamp);
    cm_words(lines, " after the click\n");
}

/* ---- what a layer found ---- */

static void say_layer_1(const cm_explanation *explanation, cm_buffer *lines)
{
    const cm_trace *trace = explanation->trace;
    switch (trace->layers[0].word) {
    case CM_LAYER_SUCCESS:
        cm_words(lines, "The newest active click with its %s is ", trace->matched_by);
        cm_words_text(lines, trace->result.click.click_id);
        cm_words(lines, ": certain, so that no other layer is asked.\n");
        return;
    case CM_LAYER_NO_PARAM:
        cm_words(lines, "It carries no click id, fbclid or gclid.\n");
        return;
    case CM_LAYER_EXPIRED:
        cm_words(lines, "Clicks have an id that it carries, but had expired.\n");
        return;
    case CM_LAYER_INVALID:
        cm_words(lines, "Clicks have an id that it carries, but are flagged invalid.\n");
        return;
    default:
        cm_words(lines, "No click that could be found at that time has an id that it carries.\n");
    }
}

static void say_window(const cm_trace_layer *layer, cm_buffer *lines)
{
    cm_words(lines, " in the ");
    cm_words_duration(lines, layer->window_us);
    cm_words(lines, " before");
}

/* What the layer's clicks have in common with the conversion. */
static const char *key_of(size_t layer)
{
    return layer == 1 ? "its fingerprint" : "its address and a device type like its own";
}

static void say_cuts(const cm_explanation *explanation, const cm_trace_layer *layer,
                     cm_buffer *lines)
{
    if (layer->left > 0) {
        cm_words(lines, "Only the newest %u are looked at one by one; ",
                 explanation->model->max_candidates);
        cm_words_count(lines, layer->left);
        cm_words(lines, " are left and weigh together.\n");
    }
    if (layer->expired > 0) {
        cm_words_count(lines, layer->expired);
        cm_words(lines, " of them had expired.\n");
    }
    if (layer->repeats > 0) {
        cm_words_count(lines, layer->repeats);
        cm_words(lines, " of them %s older than another one of the same device, which counts.\n",
                 layer->repeats == 1 ? "is" : "are");
    }
}

static void say_clicks(const cm_explanation *explanation, size_t at, cm_buffer *lines)
{
    const cm_trace_layer *layer = &explanation->trace->layers[at];
    if (layer->clicks == 0)
        cm_words(lines, "No valid click");
    else
        cm_words_number_of(lines, layer->clicks, "valid click");
    cm_words(lines, "%s %s", layer->clicks > 1 ? " have" : " has", key_of(at));
    say_window(layer, lines);
    cm_words(lines, ".\n");
    say_cuts(explanation, layer, lines);
    if (at == 1 && explanation->trace->device.address.version != 0 && layer->clicks > 0) {
        cm_words_count(lines, layer->address_clicks);
        cm_words(lines, " of the tenant's ");
        cm_words_number_of(lines, layer->tenant_clicks, "click");
        cm_words(lines, " of that time %s on its address.\n",
                 layer->address_clicks == 1 ? "is" : "are");
    }
}

void cm_say_found(const cm_explanation *explanation, size_t layer, cm_buffer *lines)
{
    switch (layer == 0 ? CM_LAYER_SUCCESS : explanation->trace->layers[layer].word) {
    case CM_LAYER_NOT_ATTEMPTED:
        cm_words(lines, "Not attempted: the layer before has found the click.\n");
        return;
    case CM_LAYER_NO_FINGERPRINT:
        cm_words(lines, "It shows no fingerprint, and nothing to make one of.\n");
        return;
    case CM_LAYER_NO_SIGNAL:
        cm_words(lines, "It shows no address that could tell devices apart.\n");
        return;
    default:
        break;
    }
    if (layer == 0)
        say_layer_1(explanation, lines);
    else
        say_clicks(explanation, layer, lines);
}

/* ---- competition ---- */

static void say_calibration(const cm_layer_model *model, const cm_trace_layer *layer,
                            cm_buffer *lines)
{
    double raw = layer->candidates[0].weight / layer->total;
    cm_words(lines, "Probability of the first: w / total = %.6f", raw);
    if (model->knot_count > 0)
        cm_words(lines, ", by calibration %.6f", layer->probability);
    cm_words(lines, ".\n");
}

static void say_band(const cm_layer_model *model, const cm_trace_layer *layer, cm_buffer *lines)
{
    double lo = model->band_lo;
    if (layer->word != CM_LAYER_SUCCESS) {
        cm_words(lines, "That is below the threshold of %g by %.6f: not attributed here.\n", lo,
                 lo - layer->probability);
        return;
    }
    cm_words(lines,
             "That reaches the threshold of %g. Confidence: "
             "%g + (%g - %g) * (p - %g) / (1 - %g) = %.4f.\n",
             lo, lo, model->band_hi, lo, lo, lo, layer->confidence);
}

static void say_runner_up(const cm_trace_layer *layer, cm_buffer *lines)
{
    const cm_trace_candidate *first = &layer->candidates[0];
    const cm_trace_candidate *second = &layer->candidates[1];
    if (layer->candidate_count < 2) {
        cm_words(lines, "There is no other candidate.\n");
        return;
    }
    cm_words(lines, "The runner-up is ");
    cm_words_text(lines, second->click_id);
    cm_words(lines, ", probability %.6f: %.6f", second->probability,
             first->probability - second->probability);
    if (second->weight > 0)
        cm_words(lines, " or %.2f bits", first->bits - second->bits);
    cm_words(lines, " behind%s.\n",
             first->weight > second->weight ? "" : ", a tie that the newest wins");
}

void cm_say_competition(const cm_explanation *explanation, size_t at, cm_buffer *lines)
{
    const cm_trace_layer *layer = &explanation->trace->layers[at];
    double candidates = 0;
    if (layer->candidate_count == 0)
        return;
    for (size_t i = layer->candidate_count; i > 0; i--) /* the small ones first: they count, too */
        candidates += layer->candidates[i - 1].weight;
    cm_words(lines, "Total: %.6g for none of them (w0)", layer->nobody);
    if (layer->left > 0)
        cm_words(lines, " + %.6g for those left", layer->rest);
    cm_words(lines, " + %.6g for the ", candidates);
    cm_words_number_of(lines, layer->candidate_count, "candidate");
    cm_words(lines, " = %.6g.\n", layer->total);
    say_calibration(cm_explained_model(explanation, at), layer, lines);
    say_band(cm_explained_model(explanation, at), layer, lines);
    say_runner_up(layer, lines);
}

/* ---- what would have been enough ---- */

static void say_if(const cm_trace_candidate *candidate, const cm_trace_factor *factor,
                   cm_buffer *lines)
{
    cm_words(lines, "the same %s as click ",
             strcmp(factor->name, "user_agent") == 0 ? "user agent" : factor->name);
    cm_words_text(lines, candidate->click_id);
    cm_words(lines, ": probability %.6f", factor->p_if_equal);
}

void cm_say_enough(const cm_explanation *explanation, size_t at, cm_buffer *lines)
{
    const cm_trace_layer *layer = &explanation->trace->layers[at];
    const cm_trace_candidate *best_of = NULL;
    const cm_trace_factor *best = NULL;
    bool is_enough = false;
    if (layer->candidate_count == 0 || layer->word == CM_LAYER_SUCCESS)
        return;
    for (size_t i = 0; i < layer->candidate_count && i < CM_RESULT_CANDIDATES_MAX; i++)
        for (uint32_t j = 0; j < layer->candidates[i].factor_count; j++) {
            const cm_trace_factor *factor = &layer->candidates[i].factors[j];
            if (factor->p_if_equal < 0)
                continue;
            if (best == NULL || factor->p_if_equal > best->p_if_equal) {
                best = factor;
                best_of = &layer->candidates[i];
            }
            if (factor->p_if_equal < cm_explained_model(explanation, at)->band_lo)
                continue;
            cm_words(lines, "Enough would have been ");
            say_if(&layer->candidates[i], factor, lines);
            cm_words(lines, ".\n");
            is_enough = true;
        }
    if (is_enough)
        return;
    cm_words(lines, "No single comparison would have been enough");
    if (best != NULL) {
        cm_words(lines, "; the most is ");
        say_if(best_of, best, lines);
    }
    cm_words(lines, ".\n");
}

/* ---- factors ---- */

void cm_say_bin(const cm_model *model, size_t bin, cm_buffer *words)
{
    if (bin > 0) {
        cm_words_duration(words, model->delay_us[bin - 1]);
        cm_words(words, " to ");
    } else {
        cm_words(words, "less than ");
    }
    cm_words_duration(words, model->delay_us[bin]);
}

void cm_say_factor(const cm_explanation *explanation, const cm_trace_candidate *candidate,
                   const cm_trace_factor *factor, cm_buffer *words)
{
    static const char *const OUTCOMES[CM_COMPARISONS] = {"missing", "equal", "different",
                                                         "other family"};
    if (factor->is_comparison)
        cm_words(words, "%s", OUTCOMES[factor->outcome]);
    else if (strcmp(factor->name, "delay") == 0)
        cm_say_bin(explanation->model, candidate->delay_bin, words);
    else if (strcmp(factor->name, "prior") == 0)
        cm_words(words, "a click brought it");
    else if (strcmp(factor->name, "key") == 0)
        cm_words(words, "kept until then");
    else if (strcmp(factor->name, "rivals") == 0)
        cm_words(words, "strangers like it");
    else if (strcmp(factor->name, "repeat") == 0)
        cm_words(words, "a device clicks again");
    else if (strcmp(factor->name, "device") == 0)
        cm_words(words, "of the device so far");
    else if (strcmp(factor->name, "newest") == 0)
        cm_words(words, "its newest click");
}

void cm_say_quotient(const cm_trace_factor *factor, cm_buffer *words)
{
    cm_words(words, "%.4g", factor->same);
    if (factor->stranger != 1.0)
        cm_words(words, " / %.4g", factor->stranger);
}
