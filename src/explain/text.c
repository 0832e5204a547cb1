#include <math.h>

#include "explain/say.h"
#include "explain/words.h"

/* Append lines, each after some blanks. */
static void indent(cm_buffer *buffer, const cm_buffer *lines, size_t blanks)
{
    size_t at = 0;
    while (at < lines->size) {
        const char *end = memchr(lines->data + at, '\n', lines->size - at);
        size_t next = end == NULL ? lines->size : (size_t)(end - lines->data) + 1;
        cm_words(buffer, "%*s", (int)blanks, "");
        cm_buffer_append(buffer, lines->data + at, next - at);
        at = next;
    }
    buffer->failed |= lines->failed;
}

/* ---- what it carries ---- */

static void put_id(cm_buffer *buffer, const char *name, cm_slice id)
{
    cm_words(buffer, "  %-14s", name);
    if (id.size == 0)
        cm_words(buffer, "none");
    cm_words_text(buffer, id);
    cm_words(buffer, "\n");
}

static void put_fingerprint(cm_buffer *buffer, const cm_trace_device *device)
{
    cm_words(buffer, "  %-14s", "fingerprint");
    if (!device->has_fingerprint) {
        cm_words(buffer, "none, and no components to make one of\n");
        return;
    }
    cm_words_fingerprint(buffer, device->fingerprint, 8);
    cm_words(buffer, "..., %s\n", device->is_fingerprint_made ? "made of its components" : "given");
}

static void put_address(cm_buffer *buffer, const cm_explanation *explanation)
{
    const cm_trace_device *device = &explanation->trace->device;
    cm_words(buffer, "  %-14s", "address");
    if (device->address.version == 0)
        cm_words(buffer, explanation->conversion->device.ip_address.version == 0
                             ? "none"
                             : "one that is not evidence (private or special)");
    else if (explanation->show_pii)
        cm_words_address(buffer, &device->address, device->address_bits);
    else
        cm_words(buffer, "IPv%u, compared by %u bits (--show-pii shows it)",
                 device->address.version, device->address_bits);
    cm_words(buffer, "\n");
}

static void put_user_agent(cm_buffer *buffer, const cm_explanation *explanation)
{
    cm_slice agent = explanation->trace->device.user_agent;
    cm_words(buffer, "  %-14s", "user agent");
    if (agent.size == 0)
        cm_words(buffer, "none");
    else if (explanation->show_pii)
        cm_words_text(buffer, agent);
    else
        cm_words(buffer, "there (--show-pii shows it)");
    cm_words(buffer, "\n");
}

static void put_carried(cm_buffer *buffer, const cm_explanation *explanation)
{
    const cm_trace *trace = explanation->trace;
    cm_words(buffer, "\nIt carries\n");
    put_id(buffer, "click_id", explanation->conversion->click_id);
    put_id(buffer, "fbclid", trace->fbclid);
    put_id(buffer, "gclid", explanation->conversion->gclid);
    put_fingerprint(buffer, &trace->device);
    put_address(buffer, explanation);
    put_id(buffer, "device type", trace->device.device_type);
    put_user_agent(buffer, explanation);
    for (cm_trait i = 0; i < CM_TRAIT_COUNT && explanation->model->has_traits; i++)
        put_id(buffer, cm_trait_names[i], trace->device.traits[i]);
}

/* ---- candidates ---- */

static void put_bits(cm_buffer *buffer, double bits)
{
    cm_words_bits(buffer, bits, 9, 3);
    cm_words(buffer, " bits");
}

static void put_factor(cm_buffer *buffer, const cm_explanation *explanation, size_t layer,
                       const cm_trace_candidate *candidate, const cm_trace_factor *factor)
{
    cm_buffer words = {0};
    cm_buffer quotient = {0};
    cm_say_factor(explanation, candidate, factor, &words);
    cm_say_quotient(factor, &quotient);
    cm_words(buffer, "       %-12s %-22.*s %-20.*s ", factor->name, (int)words.size, words.data,
             (int)quotient.size, quotient.data);
    put_bits(buffer, factor->bits);
    if (factor->p_if_equal >= 0)
        cm_words(buffer, "  equal: p %.6f%s", factor->p_if_equal,
                 factor->p_if_equal >= cm_explained_model(explanation, layer)->band_lo &&
                         candidate->probability < cm_explained_model(explanation, layer)->band_lo
                     ? ", enough"
                     : "");
    cm_words(buffer, "\n");
    buffer->failed |= words.failed || quotient.failed;
    cm_buffer_destroy(&words);
    cm_buffer_destroy(&quotient);
}

static void put_personal(cm_buffer *buffer, const cm_trace_device *device)
{
    cm_words(buffer, "       address ");
    if (device->address.version == 0)
        cm_words(buffer, "none");
    else
        cm_words_address(buffer, &device->address, device->address_bits);
    cm_words(buffer, ", user agent ");
    cm_words_text(buffer, device->user_agent.size == 0 ? CM_SLICE("none") : device->user_agent);
    cm_words(buffer, "\n");
}

static void put_traits(cm_buffer *buffer, const cm_trace_device *device)
{
    cm_words(buffer, "      ");
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++) {
        cm_words(buffer, "%s %s ", i == 0 ? "" : ",", cm_trait_names[i]);
        cm_words_text(buffer, device->traits[i].size == 0 ? CM_SLICE("none") : device->traits[i]);
    }
    cm_words(buffer, "\n");
}

static void put_sum(cm_buffer *buffer, const cm_trace_layer *layer,
                    const cm_trace_candidate *candidate)
{
    double total = log2(layer->total);
    cm_words(buffer, "       %-12s %-22s %-20.6g ", "= w", "", candidate->weight);
    put_bits(buffer, candidate->bits);
    cm_words(buffer, "\n       %-12s %-22s 1 / %-16.6g ", "total", "", layer->total);
    put_bits(buffer, -total);
    cm_words(buffer, "\n       %-12s %-22s %-20.6f ", "= w / total", "",
             candidate->weight / layer->total);
    put_bits(buffer, candidate->bits - total);
    cm_words(buffer, "\n");
}

static void put_candidate(cm_buffer *buffer, const cm_explanation *explanation, size_t at,
                          size_t number)
{
    const cm_trace_layer *layer = &explanation->trace->layers[at];
    const cm_trace_candidate *candidate = &layer->candidates[number];
    cm_words(buffer, "  %2zu. ", number + 1);
    cm_words_text(buffer, candidate->click_id);
    cm_words(buffer, ", ");
    cm_words_duration(buffer,
                      explanation->conversion->conversion_timestamp - candidate->click_timestamp);
    cm_words(buffer, " before, probability %.6f\n", candidate->probability);
    if (explanation->show_pii)
        put_personal(buffer, &candidate->device);
    if (explanation->model->has_traits)
        put_traits(buffer, &candidate->device);
    for (uint32_t i = 0; i < candidate->factor_count; i++)
        put_factor(buffer, explanation, at, candidate, &candidate->factors[i]);
    put_sum(buffer, layer, candidate);
}

static void put_layer(cm_buffer *buffer, const cm_explanation *explanation, size_t at)
{
    const cm_trace_layer *layer = &explanation->trace->layers[at];
    cm_buffer lines = {0};
    cm_words(buffer, "\n%s: %s\n", cm_say_layer_name(at), cm_layer_word_name(layer->word));
    cm_say_found(explanation, at, &lines);
    indent(buffer, &lines, 2);
    for (size_t i = 0; i < layer->candidate_count; i++)
        put_candidate(buffer, explanation, at, i);
    lines.size = 0;
    cm_say_competition(explanation, at, &lines);
    cm_say_enough(explanation, at, &lines);
    cm_say_misses(explanation, at, &lines);
    indent(buffer, &lines, 2);
    cm_buffer_destroy(&lines);
}

void cm_explain_text(const cm_explanation *explanation, cm_buffer *buffer)
{
    const cm_conversion *conversion = explanation->conversion;
    cm_buffer lines = {0};
    cm_words(buffer, "Conversion    ");
    cm_words_text(buffer, conversion->conversion_id);
    cm_words(buffer, " of tenant ");
    cm_words_text(buffer, conversion->tenant_id);
    cm_words(buffer, " at ");
    cm_words_time(buffer, conversion->conversion_timestamp);
    cm_words(buffer, "\nResult        ");
    cm_say_result(explanation, buffer);
    cm_words(buffer, "Model         %s\n", cm_model_label(explanation->model));
    put_carried(buffer, explanation);
    for (size_t i = 0; i < CM_LAYER_COUNT; i++)
        put_layer(buffer, explanation, i);
    cm_say_stored(explanation, &lines);
    if (lines.size > 0) {
        cm_words(buffer, "\nStored result\n");
        indent(buffer, &lines, 2);
    }
    buffer->failed |= lines.failed;
    cm_buffer_destroy(&lines);
}
