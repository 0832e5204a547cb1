/* Two models' answers compared, as a table. */
#include <math.h>
#include <stdio.h>

#include "eval/append.h"
#include "eval/report.h"

/* In a column, "-" where there is none. */
static void append_value(cm_buffer *text, bool is_signed, double value)
{
    char number[32] = "-";
    if (!isnan(value))
        (void)snprintf(number, sizeof number, is_signed ? "%+.4f" : "%.4f", value);
    cm_append(text, " %13s", number);
}

static void append_figure(cm_buffer *text, const char *name, const cm_paired_figure *figure)
{
    cm_append(text, "  %-15s", name);
    append_value(text, false, figure->values[0]);
    append_value(text, false, figure->values[1]);
    append_value(text, true, figure->difference);
    append_value(text, true, figure->low);
    append_value(text, true, figure->high);
    append_value(text, false, figure->p);
    cm_append(text, "\n");
}

void cm_paired_text(const cm_paired *paired, const char *first, const char *second, cm_buffer *text)
{
    static const char *const names[CM_PAIRED_METRIC_COUNT] = {
        [CM_PAIRED_PRECISION] = "precision", [CM_PAIRED_RECALL] = "recall",
        [CM_PAIRED_F_HALF] = "F0.5",         [CM_PAIRED_CORRECT] = "answered right",
        [CM_PAIRED_LOG_LOSS] = "log-loss",   [CM_PAIRED_BRIER] = "Brier score",
    };
    cm_append(text, "%-17s %13s %13s %13s %13s %13s %13s\n", "layers 2 and 3", first, second,
              "difference", "95 % from", "to", "p");
    for (size_t i = 0; i < CM_PAIRED_METRIC_COUNT; i++)
        append_figure(text, names[i], &paired->figures[i]);
    cm_append(text, "  answered right by the %s alone ", first);
    cm_append_count(text, paired->correct_alone[0]);
    cm_append(text, ", by the %s alone ", second);
    cm_append_count(text, paired->correct_alone[1]);
    cm_append(text, ": McNemar's mid-p %s%.4f\n", paired->mcnemar_p < 0.0001 ? "below " : "",
              fmax(paired->mcnemar_p, 0.0001));
}
