/* An evaluation as one page: figures, diagrams, tables. Valid as XML, too. */
#include <math.h>

#include "eval/append.h"
#include "eval/report.h"
#include "eval/svg.h"

#define TENANTS_SHOWN ((size_t)20)

static const char STYLE[] =
    ":root{color-scheme:light dark;--ink:#1c2330;--soft:#5b6577;--page:#f6f7f9;--card:#fff;"
    "--line:#dfe3ea;--right:#2a7f62;--near:#8fc1a9;--wrong:#c8553d;--organic:#e3a857;"
    "--plain:#aab2c0;--mark:#2f5fb3}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#9aa5b8;--page:#12161d;"
    "--card:#1a202a;--line:#313a48;--right:#4fb08c;--near:#2f6a56;--wrong:#e0765e;"
    "--organic:#c98f3d;--plain:#586377;--mark:#7ea6f0}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
    "main{max-width:1080px;margin:0 auto;padding:32px 20px 64px}\n"
    "h1{font-size:26px;margin:0 0 4px}h2{font-size:20px;margin:40px 0 12px}"
    "h3{font-size:15px;margin:0 0 8px}\n"
    "p{margin:0 0 12px;color:var(--soft);max-width:78ch}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:12px;"
    "margin-bottom:12px}\n"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(420px,100%),1fr));"
    "gap:12px}\n"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px;"
    "min-width:0}\n"
    ".card b{display:block;font-size:24px;font-weight:600}.card span{color:var(--soft);"
    "font-size:13px}\n"
    ".wide{overflow-x:auto;margin:12px 0}\n"
    "table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:5px 8px;text-align:right;border-bottom:1px solid var(--line);"
    "white-space:nowrap}\n"
    "th{color:var(--soft);font-weight:500}th:first-child,td:first-child{text-align:left;"
    "white-space:normal;overflow-wrap:anywhere;min-width:9em}\n"
    "summary{cursor:pointer;color:var(--soft);margin:12px 0}\n"
    "svg{width:100%;height:auto;display:block}\n"
    "svg text{fill:var(--soft);font-size:12px}svg .name{font-size:12.5px}\n"
    ".grid{stroke:var(--line);fill:none}.axis{stroke:var(--soft);fill:none}\n"
    ".ideal{stroke:var(--soft);stroke-dasharray:5 5;fill:none}\n"
    ".line{stroke:var(--mark);stroke-width:2;fill:none;stroke-linejoin:round}\n"
    ".whisker{stroke:var(--mark);fill:none}.dot{fill:var(--mark);stroke:var(--card)}\n"
    ".right{fill:var(--right)}.near{fill:var(--near)}.wrong{fill:var(--wrong)}"
    ".organic{fill:var(--organic)}.plain{fill:var(--plain)}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:4px 14px;font-size:12px;color:var(--soft)}\n"
    ".legend i{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:5px}\n"
    ".legend .right{background:var(--right)}.legend .near{background:var(--near)}"
    ".legend .wrong{background:var(--wrong)}.legend .organic{background:var(--organic)}"
    ".legend .plain{background:var(--plain)}\n";

/* ---- pieces ---- */

static void append_cell(double value, cm_buffer *text)
{
    if (isnan(value))
        cm_buffer_append_text(text, "<td>&#8211;</td>");
    else
        cm_append(text, "<td>%.4f</td>", value);
}

static void append_count_cell(uint64_t count, cm_buffer *text)
{
    cm_buffer_append_text(text, "<td>");
    cm_append_count(text, count);
    cm_buffer_append_text(text, "</td>");
}

static void append_card(const char *name, const cm_figures *figures, cm_metric metric,
                        cm_buffer *text)
{
    cm_append(text, "<div class=\"card\">%s<b>", name);
    if (isnan(figures->values[metric]))
        cm_buffer_append_text(text, "&#8211;");
    else
        cm_append(text, "%.3f", figures->values[metric]);
    cm_buffer_append_text(text, "</b><span>");
    if (!isnan(figures->low[metric]))
        cm_append(text, "95 %%: %.3f to %.3f", figures->low[metric], figures->high[metric]);
    cm_buffer_append_text(text, "</span></div>\n");
}

static void begin_table(const char *heads, cm_buffer *text)
{
    cm_append(text, "<div class=\"card wide\"><table><thead><tr>%s</tr></thead><tbody>\n", heads);
}

static void end_table(cm_buffer *text)
{
    cm_buffer_append_text(text, "</tbody></table></div>\n");
}

/* ---- sections ---- */

static void append_head(const cm_evaluation *e, cm_buffer *text)
{
    cm_buffer_append_text(text, "<h1>How sure is it?</h1>\n<p>");
    cm_append_count(text, e->clicks);
    cm_buffer_append_text(text, " clicks, ");
    cm_append_count(text, e->conversions);
    cm_buffer_append_text(text, " conversions, ");
    cm_append_count(text, e->by_layer_1);
    cm_buffer_append_text(text, e->has_truth
                                    ? " of them with a click id that layer 1 knows. Judged by the "
                                      "truth are those that it leaves open: "
                                    : " of them with a click id that layer 1 knows. Judged are "
                                      "those, their ids hidden, by layer 1&#8217;s clicks: ");
    cm_append_count(text, e->judged);
    cm_buffer_append_text(text, ", of which ");
    cm_append_count(text, e->organic);
    cm_buffer_append_text(text, e->masked > 0 ? " were made organic by leaving clicks out.</p>\n"
                                              : " are organic.</p>\n");
}

static void append_models(const cm_evaluation *e, cm_buffer *text)
{
    static const cm_metric metrics[] = {CM_METRIC_PRECISION, CM_METRIC_RECALL, CM_METRIC_F_HALF,
                                        CM_METRIC_LOG_LOSS,  CM_METRIC_BRIER,  CM_METRIC_ECE,
                                        CM_METRIC_ECE_SWEEP};
    begin_table("<th>layers 2 and 3</th><th></th><th>attributed</th><th>precision</th>"
                "<th>recall</th><th>F0.5</th><th>log-loss</th><th>Brier</th>"
                "<th>calibration error</th><th>sweep</th><th>regret</th>",
                text);
    for (size_t i = 0; i < e->count; i++) {
        const cm_judgement *judgement = &e->judgements[i];
        const cm_figures *figures = &judgement->groups[0].figures[CM_SCOPE_BOTH];
        cm_buffer_append_text(text, "<tr><td>");
        cm_append_escaped(text, judgement->label);
        cm_append(text, "</td><td>%s</td>", judgement->role);
        append_count_cell(figures->tallies.attributed, text);
        for (size_t j = 0; j < sizeof metrics / sizeof *metrics; j++)
            append_cell(figures->values[metrics[j]], text);
        append_cell(judgement->regret.loss, text);
        cm_buffer_append_text(text, "</tr>\n");
    }
    end_table(text);
}

static void append_charts(const cm_evaluation *e, const cm_judgement *judgement, cm_buffer *text)
{
    const cm_figures *both = &judgement->groups[0].figures[CM_SCOPE_BOTH];
    cm_buffer_append_text(text, "<div class=\"charts\">\n<div class=\"card\"><h3>Does what it says "
                                "come true?</h3>\n");
    cm_svg_reliability(&judgement->curves, text);
    cm_buffer_append_text(text, "</div>\n<div class=\"card\"><h3>Precision and recall, were the "
                                "threshold another</h3>\n");
    cm_svg_precision_recall(&judgement->curves, both, text);
    cm_buffer_append_text(text, "</div>\n<div class=\"card\"><h3>How sure it was</h3>\n");
    cm_svg_histogram(&judgement->curves, text);
    cm_buffer_append_text(text, "<div class=\"legend\"><span><i class=\"right\"></i>right click"
                                "</span><span><i class=\"wrong\"></i>not the right click</span>"
                                "</div></div>\n<div class=\"card\"><h3>Recovery by layer</h3>\n");
    cm_svg_recovery(e, judgement, text);
    cm_buffer_append_text(
        text, "<div class=\"legend\"><span><i class=\"right\"></i>right click</span><span>"
              "<i class=\"near\"></i>another click of the device</span><span>"
              "<i class=\"wrong\"></i>another device&#8217;s click</span><span>"
              "<i class=\"organic\"></i>organic</span><span><i class=\"plain\"></i>unattributed, "
              "or not known"
              "</span></div></div>\n</div>\n");
}

static void append_reliability(const cm_curves *curves, cm_buffer *text)
{
    static const char *const names[CM_SCOPE_COUNT] = {"layer 2", "layer 3", "both"};
    cm_buffer_append_text(text, "<details><summary>Reliability by layer</summary>\n");
    begin_table("<th>weighed by</th><th>from</th><th>to</th><th>conversions</th><th>mean</th>"
                "<th>right</th><th>95 %, from</th><th>to</th><th>off by</th>",
                text);
    for (size_t scope = 0; scope < CM_SCOPE_COUNT; scope++)
        for (size_t i = 0; i < curves->bin_counts[scope]; i++) {
            const cm_bin *bin = &curves->bins[scope][i];
            cm_append(text, "<tr><td>%s</td><td>%.4f</td><td>%.4f</td>", names[scope], bin->from,
                      bin->to);
            append_count_cell(bin->count, text);
            cm_append(text, "<td>%.4f</td><td>%.4f</td><td>%.4f</td><td>%.4f</td>", bin->mean,
                      bin->share, bin->low, bin->high);
            cm_append(text, "<td>%+.4f</td></tr>\n", bin->share - bin->mean);
        }
    end_table(text);
    cm_buffer_append_text(text, "</details>\n");
}

static void append_groups(const cm_judgement *judgement, cm_buffer *text)
{
    static const cm_metric metrics[] = {
        CM_METRIC_PRECISION,   CM_METRIC_RECALL,       CM_METRIC_F_HALF,
        CM_METRIC_LOG_LOSS,    CM_METRIC_BRIER,        CM_METRIC_ECE,
        CM_METRIC_OTHER_CLICK, CM_METRIC_OTHER_DEVICE, CM_METRIC_ORGANIC_MATCHED};
    begin_table("<th>layers 2 and 3</th><th>conversions</th><th>attributed</th><th>precision</th>"
                "<th>recall</th><th>F0.5</th><th>log-loss</th><th>Brier</th>"
                "<th>ECE</th><th>other click</th><th>other device</th>"
                "<th>organic matched</th>",
                text);
    for (size_t i = 0; i < judgement->group_count; i++) {
        const cm_group *group = &judgement->groups[i];
        const cm_figures *figures = &group->figures[CM_SCOPE_BOTH];
        if (!cm_group_is_shown(judgement, i, TENANTS_SHOWN))
            continue;
        cm_buffer_append_text(text, "<tr><td>");
        cm_append_escaped(text, group->name == NULL ? "all" : group->name);
        cm_buffer_append_text(text, "</td>");
        append_count_cell(figures->tallies.conversions, text);
        append_count_cell(figures->tallies.attributed, text);
        for (size_t j = 0; j < sizeof metrics / sizeof *metrics; j++)
            append_cell(figures->values[metrics[j]], text);
        cm_buffer_append_text(text, "</tr>\n");
    }
    end_table(text);
}

static void append_masking(const cm_judgement *judgement, cm_buffer *text)
{
    static const cm_metric metrics[] = {CM_METRIC_PRECISION,     CM_METRIC_RECALL, CM_METRIC_F_HALF,
                                        CM_METRIC_LOG_LOSS,      CM_METRIC_BRIER,  CM_METRIC_ECE,
                                        CM_METRIC_EXPECTED_ERROR};
    static const char *const names[] = {"without masking", "with masking"};
    const cm_group *groups[] = {&judgement->unmasked, &judgement->groups[0]};
    if (judgement->unmasked.count == 0)
        return;
    begin_table("<th>layers 2 and 3</th><th>precision</th><th>recall</th><th>F0.5</th>"
                "<th>log-loss</th><th>Brier</th><th>calibration error</th>"
                "<th>the error it expects</th>",
                text);
    for (size_t i = 0; i < 2; i++) {
        cm_append(text, "<tr><td>%s</td>", names[i]);
        for (size_t j = 0; j < sizeof metrics / sizeof *metrics; j++)
            append_cell(groups[i]->figures[CM_SCOPE_BOTH].values[metrics[j]], text);
        cm_buffer_append_text(text, "</tr>\n");
    }
    end_table(text);
}

static void append_label_free(const cm_label_free *found, cm_buffer *text)
{
    begin_table("<th>without labels</th><th>layer 2</th><th>layer 3</th>", text);
    static const char *const names[] = {"attributed", "attributed, where the days after are known",
                                        "the same with clicks of the days after: chance"};
    const uint64_t *counts[] = {found->attributed, found->real, found->placebo};
    for (size_t i = 0; i < 3; i++) {
        uint64_t whole = i == 0 ? found->open : found->covered;
        cm_append(text, "<tr><td>%s</td>", names[i]);
        append_cell(cm_share_of(counts[i][0], whole), text);
        append_cell(cm_share_of(counts[i][1], whole), text);
        cm_buffer_append_text(text, "</tr>\n");
    }
    end_table(text);
}

static void append_judgement(const cm_evaluation *e, const cm_judgement *judgement, cm_buffer *text)
{
    const cm_figures *both = &judgement->groups[0].figures[CM_SCOPE_BOTH];
    cm_buffer_append_text(text, "<h2>");
    cm_append_escaped(text, judgement->label);
    cm_append(text, " <small>(%s)</small></h2>\n<div class=\"cards\">\n", judgement->role);
    append_card("precision", both, CM_METRIC_PRECISION, text);
    append_card("recall", both, CM_METRIC_RECALL, text);
    append_card("F0.5", both, CM_METRIC_F_HALF, text);
    append_card("calibration error", both, CM_METRIC_ECE, text);
    append_card("the error it expects", both, CM_METRIC_EXPECTED_ERROR, text);
    cm_buffer_append_text(text, "</div>\n");
    append_charts(e, judgement, text);
    append_masking(judgement, text);
    append_groups(judgement, text);
    append_reliability(&judgement->curves, text);
    append_label_free(&judgement->label_free, text);
}

void cm_report_html(const cm_evaluation *evaluation, cm_buffer *text)
{
    cm_buffer_append_text(text,
                          "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                          "<meta name=\"viewport\" content=\"width=device-width, "
                          "initial-scale=1\"/>\n<title>clickmatch: how sure is it?</title>\n"
                          "<style>\n");
    cm_buffer_append_text(text, STYLE);
    cm_buffer_append_text(text, "</style>\n</head>\n<body>\n<main>\n");
    append_head(evaluation, text);
    append_models(evaluation, text);
    for (size_t i = 0; i < evaluation->count; i++)
        append_judgement(evaluation, &evaluation->judgements[i], text);
    cm_buffer_append_text(text, "</main>\n</body>\n</html>\n");
}
