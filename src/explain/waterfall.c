#include "explain/waterfall.h"

#include <math.h>

#include "explain/say.h"
#include "explain/words.h"

#define WIDTH 820
#define ROW 24
#define BARS_X 360     /* before it: labels */
#define BARS_WIDTH 360 /* behind it: bits */
#define BITS_MAX 200.0 /* a factor of zero has no logarithm; it ends at the edge */

/* From bits to pixels. */
struct scale {
    double low, high;
};

static double clamp(double bits)
{
    return bits < -BITS_MAX ? -BITS_MAX : bits > BITS_MAX ? BITS_MAX : bits;
}

static void stretch(struct scale *scale, double bits)
{
    scale->low = bits < scale->low ? bits : scale->low;
    scale->high = bits > scale->high ? bits : scale->high;
}

static double x_of(const struct scale *scale, double bits)
{
    double span = scale->high - scale->low;
    return BARS_X + (span > 0 ? (clamp(bits) - scale->low) / span : 0.0) * BARS_WIDTH;
}

static struct scale scale_of(const cm_trace_layer *layer, const cm_trace_candidate *candidate)
{
    struct scale scale = {0, 0};
    double sum = 0;
    for (uint32_t i = 0; i < candidate->factor_count; i++) {
        sum = clamp(sum + candidate->factors[i].bits);
        stretch(&scale, sum);
    }
    stretch(&scale, clamp(sum - log2(layer->total)));
    return scale;
}

/* One bar with its label and its bits. kind: of what colour. */
static void put_bar(cm_buffer *buffer, const struct scale *scale, size_t row, double from,
                    double to, const char *kind)
{
    double left = x_of(scale, from < to ? from : to);
    double right = x_of(scale, from < to ? to : from);
    double width = right - left < 1.5 ? 1.5 : right - left;
    cm_words(buffer, "<rect class=\"%s\" x=\"%.1f\" y=\"%zu\" width=\"%.1f\" height=\"%d\"/>", kind,
             left, row * ROW + 4, width, ROW - 8);
}

static void put_bits(cm_buffer *buffer, size_t row, double bits)
{
    cm_words(buffer, "<text class=\"bits\" x=\"%d\" y=\"%zu\">", WIDTH, row * ROW + ROW - 8);
    cm_words_bits(buffer, bits, 0, 2);
    cm_words(buffer, "</text>\n");
}

/* A name, then what is in words: both plain. */
static void put_label(cm_buffer *buffer, size_t row, const char *name, const cm_buffer *words)
{
    size_t y = row * ROW + ROW - 8;
    cm_words(buffer, "<text x=\"0\" y=\"%zu\">%s</text>", y, name);
    cm_words(buffer, "<text class=\"note\" x=\"80\" y=\"%zu\">%.*s</text>", y, (int)words->size,
             words->size == 0 ? "" : words->data);
}

static double put_factors(const cm_explanation *explanation, const cm_trace_candidate *candidate,
                          const struct scale *scale, cm_buffer *buffer)
{
    double sum = 0;
    for (uint32_t i = 0; i < candidate->factor_count; i++) {
        const cm_trace_factor *factor = &candidate->factors[i];
        cm_buffer words = {0};
        double next = clamp(sum + factor->bits);
        cm_say_factor(explanation, candidate, factor, &words);
        cm_words(&words, ": ");
        cm_say_quotient(factor, &words);
        if (factor->p_if_equal >= 0)
            cm_words(&words, " (equal: p %.4f)", factor->p_if_equal);
        put_label(buffer, i, factor->name, &words);
        put_bar(buffer, scale, i, sum, next, next < sum ? "less" : "more");
        put_bits(buffer, i, factor->bits);
        sum = next;
        buffer->failed |= words.failed;
        cm_buffer_destroy(&words);
    }
    return sum;
}

void cm_explain_waterfall(const cm_explanation *explanation, const cm_trace_layer *layer,
                          const cm_trace_candidate *candidate, cm_buffer *buffer)
{
    const struct scale scale = scale_of(layer, candidate);
    size_t rows = candidate->factor_count;
    double total = log2(layer->total);
    cm_buffer words = {0};
    cm_words(buffer, "<svg viewBox=\"0 0 %d %zu\" role=\"img\">", WIDTH, (rows + 3) * ROW + 2);
    cm_words(buffer, "<title>log2 of the weight, factor by factor</title>\n");
    cm_words(buffer, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%zu\"/>\n", x_of(&scale, 0),
             x_of(&scale, 0), (rows + 3) * ROW);
    double sum = put_factors(explanation, candidate, &scale, buffer);
    cm_words(&words, "%.6g", candidate->weight);
    put_label(buffer, rows, "= w", &words);
    put_bar(buffer, &scale, rows, 0, sum, "sum");
    put_bits(buffer, rows, candidate->bits);
    words.size = 0;
    cm_words(&words, "all that competes: 1 / %.6g", layer->total);
    put_label(buffer, rows + 1, "total", &words);
    put_bar(buffer, &scale, rows + 1, sum, sum - total, total > 0 ? "less" : "more");
    put_bits(buffer, rows + 1, -total);
    words.size = 0;
    cm_words(&words, "%.6f", candidate->weight / layer->total);
    put_label(buffer, rows + 2, "= w / total", &words);
    put_bar(buffer, &scale, rows + 2, 0, sum - total, "sum");
    put_bits(buffer, rows + 2, candidate->bits - total);
    cm_words(buffer, "</svg>\n");
    buffer->failed |= words.failed;
    cm_buffer_destroy(&words);
}
