#include "explain/say.h"
#include "explain/waterfall.h"
#include "explain/words.h"

static const char STYLE[] =
    "body{font:15px/1.45 system-ui,sans-serif;max-width:62em;margin:2em auto;padding:0 1em;"
    "color:#1c2430;background:#fff}"
    "h1{font-size:1.4em;overflow-wrap:anywhere}h2{font-size:1.15em;margin-top:2em;border-bottom:"
    "1px solid #cfd6de}h3{font-size:1em;margin:1.4em 0 .3em;overflow-wrap:anywhere}"
    "table{border-collapse:collapse}td,th{padding:.15em .9em .15em 0;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}th{font-weight:600;white-space:nowrap}"
    ".word{font-weight:normal;color:#55606e}.result{background:#eef3f8;padding:.6em 1em;"
    "border-radius:6px}ul{padding-left:1.2em;margin:.5em 0}"
    ".sub{margin-left:1.5em}svg{display:block;width:100%;max-width:820px;font-size:13px}svg "
    "text{fill:#1c2430}"
    "svg .note{fill:#55606e}svg .bits{text-anchor:end;font-variant-numeric:tabular-nums}"
    "svg line{stroke:#9aa5b1}svg .more{fill:#2e7d4f}svg .less{fill:#c0392b}svg .sum{fill:#33618f}";

/* Text that has no control characters any more, for an element's content. */
static void escape(cm_buffer *buffer, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '&')
            cm_buffer_append_text(buffer, "&amp;");
        else if (bytes[i] == '<')
            cm_buffer_append_text(buffer, "&lt;");
        else if (bytes[i] == '>')
            cm_buffer_append_text(buffer, "&gt;");
        else if (bytes[i] == '"')
            cm_buffer_append_text(buffer, "&quot;");
        else
            cm_buffer_append_char(buffer, bytes[i]);
    }
}

static void put_text(cm_buffer *buffer, cm_slice text)
{
    cm_buffer shown = {0};
    cm_words_text(&shown, text);
    escape(buffer, shown.data, shown.size);
    buffer->failed |= shown.failed;
    cm_buffer_destroy(&shown);
}

static void put_lines(cm_buffer *buffer, cm_buffer *lines)
{
    size_t at = 0;
    if (lines->size > 0)
        cm_words(buffer, "<ul>\n");
    while (at < lines->size) {
        const char *end = memchr(lines->data + at, '\n', lines->size - at);
        size_t size = (end == NULL ? lines->size : (size_t)(end - lines->data)) - at;
        cm_words(buffer, lines->data[at] == ' ' ? "<li class=\"sub\">" : "<li>");
        escape(buffer, lines->data + at, size);
        cm_words(buffer, "</li>\n");
        at += size + 1;
    }
    if (lines->size > 0)
        cm_words(buffer, "</ul>\n");
    buffer->failed |= lines->failed;
    lines->size = 0;
}

/* ---- what it carries ---- */

static void put_row(cm_buffer *buffer, const char *name, cm_slice value)
{
    cm_words(buffer, "<tr><th>%s</th><td>", name);
    put_text(buffer, value.size == 0 ? CM_SLICE("none") : value);
    cm_words(buffer, "</td></tr>\n");
}

/* As put_row, of words that were made for it. */
static void put_made_row(cm_buffer *buffer, const char *name, cm_buffer *words)
{
    put_row(buffer, name, cm_slice_of(words->data, words->size));
    buffer->failed |= words->failed;
    words->size = 0;
}

static void say_fingerprint(const cm_trace_device *device, cm_buffer *words)
{
    if (!device->has_fingerprint)
        return;
    cm_words_fingerprint(words, device->fingerprint, 8);
    cm_words(words, "...%s", device->is_fingerprint_made ? ", made of its components" : "");
}

static void say_address(const cm_explanation *explanation, const cm_trace_device *device,
                        cm_buffer *words)
{
    if (device->address.version == 0)
        return;
    if (explanation->show_pii)
        cm_words_address(words, &device->address, device->address_bits);
    else
        cm_words(words, "IPv%u, compared by %u bits", device->address.version,
                 device->address_bits);
}

static void put_device(cm_buffer *buffer, const cm_explanation *explanation,
                       const cm_trace_device *device)
{
    cm_buffer words = {0};
    say_fingerprint(device, &words);
    put_made_row(buffer, "fingerprint", &words);
    say_address(explanation, device, &words);
    put_made_row(buffer, "address", &words);
    put_row(buffer, "device type", device->device_type);
    if (explanation->show_pii || device->user_agent.size == 0)
        put_row(buffer, "user agent", device->user_agent);
    else
        put_row(buffer, "user agent", CM_SLICE("there"));
    for (cm_trait i = 0; i < CM_TRAIT_COUNT && explanation->model->has_traits; i++)
        put_row(buffer, cm_trait_names[i], device->traits[i]);
    cm_buffer_destroy(&words);
}

static void put_head(cm_buffer *buffer, const cm_explanation *explanation)
{
    const cm_conversion *conversion = explanation->conversion;
    cm_buffer words = {0};
    cm_words(buffer, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    put_text(buffer, conversion->conversion_id);
    cm_words(buffer, "</title>\n<style>");
    cm_buffer_append(buffer, STYLE, sizeof STYLE - 1);
    cm_words(buffer, "</style></head><body>\n<h1>Conversion ");
    put_text(buffer, conversion->conversion_id);
    cm_words(buffer, "</h1>\n<p class=\"result\">");
    cm_say_result(explanation, &words);
    escape(buffer, words.data, words.size);
    words.size = 0;
    cm_words(buffer, "</p>\n<table>\n");
    put_row(buffer, "tenant", conversion->tenant_id);
    cm_words_time(&words, conversion->conversion_timestamp);
    put_made_row(buffer, "time", &words);
    put_row(buffer, "model", cm_slice_of_text(cm_model_label(explanation->model)));
    put_row(buffer, "click_id", conversion->click_id);
    put_row(buffer, "fbclid", explanation->trace->fbclid);
    put_row(buffer, "gclid", conversion->gclid);
    put_device(buffer, explanation, &explanation->trace->device);
    cm_words(buffer, "</table>\n");
    buffer->failed |= words.failed;
    cm_buffer_destroy(&words);
}

/* ---- layers ---- */

static void put_candidate(cm_buffer *buffer, const cm_explanation *explanation,
                          const cm_trace_layer *layer, size_t number)
{
    const cm_trace_candidate *candidate = &layer->candidates[number];
    cm_words(buffer, "<h3>%zu. ", number + 1);
    put_text(buffer, candidate->click_id);
    cm_words(buffer, " <span class=\"word\">");
    cm_words_duration(buffer,
                      explanation->conversion->conversion_timestamp - candidate->click_timestamp);
    cm_words(buffer, " before, probability %.6f</span></h3>\n", candidate->probability);
    if (explanation->show_pii || explanation->model->has_traits) {
        cm_words(buffer, "<table>\n");
        put_device(buffer, explanation, &candidate->device);
        cm_words(buffer, "</table>\n");
    }
    cm_explain_waterfall(explanation, layer, candidate, buffer);
}

static void put_layer(cm_buffer *buffer, const cm_explanation *explanation, size_t at)
{
    const cm_trace_layer *layer = &explanation->trace->layers[at];
    cm_buffer lines = {0};
    cm_words(buffer, "<h2>%s <span class=\"word\">%s</span></h2>\n", cm_say_layer_name(at),
             cm_layer_word_name(layer->word));
    cm_say_found(explanation, at, &lines);
    cm_say_competition(explanation, at, &lines);
    cm_say_enough(explanation, at, &lines);
    put_lines(buffer, &lines);
    for (size_t i = 0; i < layer->candidate_count; i++)
        put_candidate(buffer, explanation, layer, i);
    cm_say_misses(explanation, at, &lines);
    put_lines(buffer, &lines);
    cm_buffer_destroy(&lines);
}

void cm_explain_html(const cm_explanation *explanation, cm_buffer *buffer)
{
    cm_buffer lines = {0};
    put_head(buffer, explanation);
    for (size_t i = 0; i < CM_LAYER_COUNT; i++)
        put_layer(buffer, explanation, i);
    cm_say_stored(explanation, &lines);
    if (lines.size > 0)
        cm_words(buffer, "<h2>Stored result</h2>\n");
    put_lines(buffer, &lines);
    cm_words(buffer, "</body></html>\n");
    cm_buffer_destroy(&lines);
}
