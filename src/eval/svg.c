#include "eval/svg.h"

#include <math.h>

#include "eval/append.h"

/* The area of a diagram within its picture of 440 x 330. */
#define LEFT 70.0
#define RIGHT 424.0
#define TOP 16.0
#define BOTTOM 276.0

static void begin(const char *label, cm_buffer *text)
{
    cm_append(text, "<svg viewBox=\"0 0 440 330\" role=\"img\" aria-label=\"%s\">\n", label);
}

static void end(cm_buffer *text)
{
    cm_buffer_append_text(text, "</svg>\n");
}

static double x_of(double share)
{
    return LEFT + share * (RIGHT - LEFT);
}

static double y_of(double share)
{
    return BOTTOM - share * (BOTTOM - TOP);
}

static void append_names(const char *x_name, const char *y_name, cm_buffer *text)
{
    cm_append(text, "<text x=\"%.0f\" y=\"320\" class=\"name\" text-anchor=\"middle\">%s</text>\n",
              (LEFT + RIGHT) / 2, x_name);
    cm_append(text,
              "<text x=\"14\" y=\"%.0f\" class=\"name\" text-anchor=\"middle\" "
              "transform=\"rotate(-90 14 %.0f)\">%s</text>\n",
              (TOP + BOTTOM) / 2, (TOP + BOTTOM) / 2, y_name);
}

/* Lines and numbers along x from 0 to 1, and along y from 0 to `top`: shares, or counts. */
static void append_grid(double top, bool is_share, cm_buffer *text)
{
    for (int i = 0; i <= 5; i++) {
        double share = i / 5.0;
        cm_append(text, "<path d=\"M%.1f %.1fH%.1f\" class=\"grid\"/>\n", LEFT, y_of(share), RIGHT);
        cm_append(text, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 8,
                  y_of(share) + 4);
        if (is_share)
            cm_append(text, "%.1f", share * top);
        else
            cm_append_count(text, (uint64_t)(share * top + 0.5));
        cm_buffer_append_text(text, "</text>\n");
        cm_append(text, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.1f</text>\n",
                  x_of(share), BOTTOM + 20, share);
    }
    cm_append(text, "<path d=\"M%.1f %.1fH%.1f\" class=\"axis\"/>\n", LEFT, BOTTOM, RIGHT);
}

void cm_svg_reliability(const cm_curves *curves, cm_buffer *text)
{
    begin("Reliability: predicted probability against the share that was right", text);
    append_grid(1, true, text);
    cm_append(text, "<path d=\"M%.1f %.1fL%.1f %.1f\" class=\"ideal\"/>\n", x_of(0), y_of(0),
              x_of(1), y_of(1));
    const cm_bin *bins = curves->bins[CM_SCOPE_BOTH];
    size_t count = curves->bin_counts[CM_SCOPE_BOTH];
    for (size_t i = 0; i < count; i++)
        cm_append(text, "%s%.1f %.1f", i == 0 ? "<path class=\"line\" d=\"M" : "L",
                  x_of(bins[i].mean), y_of(bins[i].share));
    cm_buffer_append_text(text, count > 0 ? "\"/>\n" : "");
    for (size_t i = 0; i < count; i++) {
        double x = x_of(bins[i].mean);
        cm_append(text,
                  "<g><title>%llu weighed at %.4f to %.4f, mean %.4f: %.4f right, 95 %% %.4f to "
                  "%.4f</title>",
                  (unsigned long long)bins[i].count, bins[i].from, bins[i].to, bins[i].mean,
                  bins[i].share, bins[i].low, bins[i].high);
        cm_append(text,
                  "<path d=\"M%.1f %.1fV%.1fM%.1f %.1fh8M%.1f %.1fh8\" class=\"whisker\"/>"
                  "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" class=\"dot\"/></g>\n",
                  x, y_of(bins[i].low), y_of(bins[i].high), x - 4, y_of(bins[i].low), x - 4,
                  y_of(bins[i].high), x, y_of(bins[i].share));
    }
    append_names("probability that was said", "share that was right", text);
    end(text);
}

void cm_svg_precision_recall(const cm_curves *curves, const cm_figures *both, cm_buffer *text)
{
    double precision = both->values[CM_METRIC_PRECISION];
    double recall = both->values[CM_METRIC_RECALL];
    begin("Precision against recall", text);
    append_grid(1, true, text);
    for (size_t i = 0; i < curves->point_count; i++)
        cm_append(text, "%s%.1f %.1f", i == 0 ? "<path class=\"line\" d=\"M" : "L",
                  x_of(curves->points[i].recall), y_of(curves->points[i].precision));
    cm_buffer_append_text(text, curves->point_count > 0 ? "\"/>\n" : "");
    if (!isnan(precision) && !isnan(recall))
        cm_append(text,
                  "<g><title>attributed: precision %.4f, recall %.4f</title>"
                  "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" class=\"dot\"/></g>\n",
                  precision, recall, x_of(recall), y_of(precision));
    append_names("recall", "precision", text);
    end(text);
}

/* 1, 2 or 5 times a power of ten, times 5 or so lines: at least the number. */
static double round_up(uint64_t number)
{
    double step = 1;
    while (5 * step < (double)number) {
        static const double factors[] = {2, 2.5, 2};
        size_t at = (size_t)(log10(step) * 3 + 0.1) % 3;
        step *= factors[at];
    }
    return 5 * step;
}

static void append_bar(double x, double width, double from, double to, const char *class,
                       cm_buffer *text)
{
    cm_append(text, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>", x,
              y_of(to), width, y_of(from) - y_of(to), class);
}

void cm_svg_histogram(const cm_curves *curves, cm_buffer *text)
{
    uint64_t most = 1;
    for (size_t i = 0; i < CM_HISTOGRAM_BARS; i++)
        if (curves->bars[i].count > most)
            most = curves->bars[i].count;
    double top = round_up(most);
    begin("How often each probability was said, and was right", text);
    append_grid(top, false, text);
    for (size_t i = 0; i < CM_HISTOGRAM_BARS; i++) {
        const cm_bar *bar = &curves->bars[i];
        double x = x_of((double)i / CM_HISTOGRAM_BARS) + 1;
        double width = (RIGHT - LEFT) / CM_HISTOGRAM_BARS - 2;
        double right = (double)bar->right / top;
        cm_append(text, "<g><title>%.2f to %.2f: %llu weighed, %llu right, %llu attributed</title>",
                  (double)i / CM_HISTOGRAM_BARS, (double)(i + 1) / CM_HISTOGRAM_BARS,
                  (unsigned long long)bar->count, (unsigned long long)bar->right,
                  (unsigned long long)bar->accepted);
        append_bar(x, width, 0, right, "right", text);
        append_bar(x, width, right, (double)bar->count / top, "wrong", text);
        cm_buffer_append_text(text, "</g>\n");
    }
    append_names("probability that was said", "conversions", text);
    end(text);
}

/* ---- recovery ---- */

/* Conversions that ended somewhere, by what they are. */
struct ending {
    const char *name;
    uint64_t parts[4]; /* right, another click of the device, another device's, organic */
    uint64_t plain;    /* of which that is not known */
};

static const char *const part_names[4] = {"right click", "another click of the device",
                                          "another device's click", "organic"};
static const char *const part_classes[4] = {"right", "near", "wrong", "organic"};

static struct ending ending_of(const char *name, const cm_figures *figures)
{
    const uint64_t *by = figures->tallies.by_verdict;
    return (struct ending){.name = name,
                           .parts = {by[CM_VERDICT_RIGHT_CLICK], by[CM_VERDICT_OTHER_CLICK],
                                     by[CM_VERDICT_OTHER_DEVICE], by[CM_VERDICT_ORGANIC]}};
}

static uint64_t append_part(uint64_t before, uint64_t count, double scale, double y,
                            const char *class, const char *name, cm_buffer *text)
{
    if (count > 0)
        cm_append(text,
                  "<g><title>%s: %llu</title><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                  "height=\"34\" class=\"%s\"/></g>\n",
                  name, (unsigned long long)count, 96 + (double)before * scale, y,
                  fmax(0.5, (double)count * scale), class);
    return before + count;
}

static void append_ending(const struct ending *ending, size_t place, double scale, uint64_t all,
                          cm_buffer *text)
{
    double y = 24 + 62 * (double)place;
    uint64_t count = 0;
    cm_append(text, "<text x=\"88\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", y + 22,
              ending->name);
    for (size_t i = 0; i < 4; i++)
        count =
            append_part(count, ending->parts[i], scale, y, part_classes[i], part_names[i], text);
    count = append_part(count, ending->plain, scale, y, "plain", ending->name, text);
    cm_append(text, "<text x=\"%.1f\" y=\"%.1f\">", 102 + (double)count * scale, y + 22);
    cm_append_count(text, count);
    cm_append(text, " (%.1f %%)</text>\n", 100 * cm_share_of(count, all));
}

void cm_svg_recovery(const cm_evaluation *evaluation, const cm_judgement *judgement,
                     cm_buffer *text)
{
    const cm_figures *figures = judgement->groups[0].figures;
    uint64_t judged = figures[CM_SCOPE_BOTH].tallies.conversions;
    struct ending endings[4] = {{.name = "layer 1"},
                                ending_of("layer 2", &figures[CM_SCOPE_LAYER_2]),
                                ending_of("layer 3", &figures[CM_SCOPE_LAYER_3]),
                                {.name = "unattributed"}};
    uint64_t all = judged;
    if (evaluation->has_truth) {
        endings[0].parts[0] = evaluation->layer_1_right;
        endings[0].plain = evaluation->by_layer_1 - evaluation->layer_1_right;
        all += evaluation->by_layer_1;
    }
    endings[3].plain = judged - figures[CM_SCOPE_BOTH].tallies.attributed;
    uint64_t most = 1;
    for (size_t i = 0; i < 4; i++) {
        uint64_t count = endings[i].plain;
        for (size_t j = 0; j < 4; j++)
            count += endings[i].parts[j];
        most = count > most ? count : most;
    }
    size_t first = evaluation->has_truth ? 0 : 1; /* without one its ids are hidden */
    begin("What each layer attributes, and what of that is right", text);
    for (size_t i = first; i < 4; i++)
        append_ending(&endings[i], i - first, 216 / (double)most, all, text);
    end(text);
}
