/* Figures against values worked out by hand, and what becomes of reports and short memory. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "eval/regret.h"
#include "eval/report.h"
#include "harness/failing_malloc.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A conversion that a layer weighed; its best candidate is right, or another device's. */
static cm_judged weighed(double probability, uint8_t layer, bool accepted, bool right)
{
    return (cm_judged){.probability = probability,
                       .weighed = layer,
                       .accepted = accepted ? layer : 0,
                       .verdict = right ? CM_VERDICT_RIGHT_CLICK : CM_VERDICT_OTHER_DEVICE,
                       .has_click = true};
}

static void assert_near(double value, double wanted)
{
    if (fabs(value - wanted) > 1e-12)
        fail_msg("%.15g, not %.15g", value, wanted);
}

static void make(const cm_judged *judged, size_t count, size_t rounds, cm_figures *figures)
{
    const cm_figures_options options = {.rounds = rounds, .seed = 1, .threads = 2};
    assert_int_equal(cm_figures_make(judged, count, &options, figures, NULL), CM_OK);
}

/* ---- losses ---- */

static void test_log_loss(void **state)
{
    (void)state;
    assert_near(cm_log_loss(0.5, true), 0.6931471805599453);
    assert_near(cm_log_loss(0.8, true), 0.22314355131420976);
    assert_near(cm_log_loss(0.8, false), 1.6094379124341005);
    assert_true(fabs(cm_log_loss(0, true) - 34.538776394910684) < 1e-9);
    assert_true(cm_log_loss(1, false) > 34.5 && cm_log_loss(1, true) < 1e-14);
}

static void test_f_half(void **state)
{
    (void)state;
    assert_near(cm_f_half(0.8, 0.5), 0.7142857142857143); /* 1.25 * 0.4 / 0.7 */
    assert_near(cm_f_half(1, 1), 1);
    assert_near(cm_f_half(0, 0), 0);
    assert_true(isnan(cm_f_half((double)NAN, 0.5)));
}

static void test_wilson(void **state)
{
    (void)state;
    double low, high;
    cm_wilson_interval(5, 10, &low, &high);
    assert_true(fabs(low - 0.2365930) < 1e-6 && fabs(high - 0.7634070) < 1e-6);
    cm_wilson_interval(0, 10, &low, &high);
    assert_true(low == 0 && fabs(high - 0.2775328) < 1e-6);
    cm_wilson_interval(0, 0, &low, &high);
    assert_true(isnan(low) && isnan(high));
}

/* ---- calibration ---- */

static const cm_run_of_equal RUNS[] = {{0.1, 2, 0}, {0.3, 2, 1}, {0.6, 4, 1}, {0.9, 2, 2}};

static void test_bins(void **state)
{
    (void)state;
    cm_bin bins[CM_BINS_MAX];
    /* Halves of ten: the run that makes up five goes on to eight. */
    assert_int_equal(cm_bins_make(RUNS, COUNT(RUNS), 2, bins), 2);
    assert_int_equal(bins[0].count, 8);
    assert_int_equal(bins[0].right, 2);
    assert_near(bins[0].mean, (0.2 + 0.6 + 2.4) / 8);
    assert_near(bins[0].to, 0.6);
    assert_near(bins[1].share, 1);
    /* More bins than runs: a bin for each. */
    assert_int_equal(cm_bins_make(RUNS, COUNT(RUNS), 100, bins), 4);
    assert_int_equal(cm_bins_make(RUNS, 0, 10, bins), 0);
}

static void test_calibration_error(void **state)
{
    (void)state;
    /* |0 - 0.2| + |1 - 0.6| + |1 - 2.4| + |2 - 1.8|, of ten */
    assert_near(cm_calibration_error(RUNS, COUNT(RUNS), 100), 0.22);
    /* |2 - 3.2| + |2 - 1.8| */
    assert_near(cm_calibration_error(RUNS, COUNT(RUNS), 2), 0.14);
    assert_true(isnan(cm_calibration_error(RUNS, 0, 10)));
}

static void test_sweep(void **state)
{
    (void)state;
    cm_sweep_room room = {0};
    size_t bins;
    double error;
    /* 3 bins: 4, 4 and 2 of them, of which 1/4, 1/4 and 1 right; 4 bins end at 4, 8, 10 (the third
     * quarter is within the second bin); 5 bins: 2, 2, 4, 2, of which 0, 1/2, 1/4: no more. */
    assert_true(cm_calibration_sweep(RUNS, COUNT(RUNS), &room, &bins, &error));
    assert_int_equal(bins, 4);
    assert_near(error, (fabs(1 - 0.8) + fabs(1 - 2.4) + fabs(2 - 1.8)) / 10);
    /* Whatever rises goes on to the end. */
    static const cm_run_of_equal rising[] = {{0.1, 5, 0}, {0.5, 5, 2}, {0.9, 5, 5}};
    assert_true(cm_calibration_sweep(rising, 3, &room, &bins, &error));
    assert_int_equal(bins, 15);
    assert_near(error, (0.5 + 0.5 + 0.5) / 15);
    assert_true(cm_calibration_sweep(rising, 0, &room, &bins, &error));
    assert_true(bins == 0 && isnan(error));
    cm_sweep_room_destroy(&room);
}

/* ---- figures ---- */

static void test_figures(void **state)
{
    (void)state;
    cm_figures figures[CM_SCOPE_COUNT];
    cm_judged judged[] = {weighed(0.9, 2, true, true), weighed(0.8, 2, true, false),
                          weighed(0.5, 3, true, true), weighed(0.2, 2, false, true),
                          {.has_click = true},         weighed(0.7, 2, true, false)};
    judged[1].verdict = CM_VERDICT_OTHER_CLICK;
    judged[1].same_campaign = true;
    judged[5].verdict = CM_VERDICT_ORGANIC;
    judged[5].has_click = false;
    make(judged, COUNT(judged), 0, figures);
    const cm_figures *both = &figures[CM_SCOPE_BOTH];
    assert_int_equal(both->tallies.conversions, 6);
    assert_int_equal(both->tallies.weighed, 5);
    assert_int_equal(both->tallies.attributed, 4);
    assert_int_equal(figures[CM_SCOPE_LAYER_3].tallies.conversions, 3);
    assert_near(both->values[CM_METRIC_PRECISION], 0.5);
    assert_near(both->values[CM_METRIC_RECALL], 0.4);
    assert_near(both->values[CM_METRIC_OTHER_CLICK], 0.25);
    assert_near(both->values[CM_METRIC_OTHER_DEVICE], 0);
    assert_near(both->values[CM_METRIC_ORGANIC], 0.25);
    assert_near(both->values[CM_METRIC_ORGANIC_MATCHED], 1);
    assert_near(both->values[CM_METRIC_DEVICE_RECALL], 0.6);
    assert_near(both->values[CM_METRIC_CAMPAIGN_PRECISION], 0.25);
    assert_near(both->values[CM_METRIC_BRIER], (0.01 + 0.64 + 0.25 + 0.64 + 0.49) / 5);
    assert_near(both->values[CM_METRIC_ACCEPTED_BRIER], (0.01 + 0.64 + 0.25 + 0.49) / 4);
    assert_near(both->values[CM_METRIC_LOG_LOSS],
                -(log(0.9) + log(0.2) + log(0.5) + log(0.2) + log(0.3)) / 5);
    assert_near(both->values[CM_METRIC_EXPECTED_ERROR], (0.1 + 0.2 + 0.5 + 0.3) / 4);
    assert_near(figures[CM_SCOPE_LAYER_2].values[CM_METRIC_RECALL], 0.2);
    assert_near(figures[CM_SCOPE_LAYER_3].values[CM_METRIC_PRECISION], 1);
    assert_true(isnan(both->low[CM_METRIC_PRECISION]));
}

static void test_nothing(void **state)
{
    (void)state;
    cm_figures figures[CM_SCOPE_COUNT];
    make(NULL, 0, 10, figures);
    for (size_t i = 0; i < CM_METRIC_COUNT; i++)
        assert_true(isnan(figures[CM_SCOPE_BOTH].values[i]));
    /* Something to find, and nothing found: precision does not exist, F0.5 is 0. */
    const cm_judged one = {.has_click = true};
    make(&one, 1, 10, figures);
    assert_true(isnan(figures[CM_SCOPE_BOTH].values[CM_METRIC_PRECISION]));
    assert_near(figures[CM_SCOPE_BOTH].values[CM_METRIC_F_HALF], 0);
    assert_near(figures[CM_SCOPE_BOTH].high[CM_METRIC_RECALL], 0);
}

static void test_intervals_hold_the_value(void **state)
{
    (void)state;
    enum { N = 400 };
    static cm_judged judged[N];
    cm_figures figures[CM_SCOPE_COUNT];
    for (size_t i = 0; i < N; i++)
        judged[i] = weighed((double)(i % 40) / 40, i % 3 == 0 ? 3 : 2, i % 40 > 15, i % 5 != 0);
    make(judged, N, 500, figures);
    const cm_figures *both = &figures[CM_SCOPE_BOTH];
    double value = both->values[CM_METRIC_PRECISION];
    double low = both->low[CM_METRIC_PRECISION];
    double high = both->high[CM_METRIC_PRECISION];
    assert_true(low < value && value < high);
    /* The normal approximation, of 240 attributed. */
    double deviation = sqrt(value * (1 - value) / 240);
    assert_true(fabs((high - low) / (2 * 1.96 * deviation) - 1) < 0.15);
}

static void test_regret(void **state)
{
    (void)state;
    const cm_judged own[] = {
        weighed(0.8, 2, true, true), weighed(0.5, 3, true, false), {.weighed = 0}};
    const cm_judged other[] = {
        weighed(0.9, 2, true, true), {.weighed = 0}, weighed(0.5, 2, true, true)};
    cm_regret regret = cm_regret_of(own, other, 3);
    assert_int_equal(regret.count, 1);
    assert_true(fabs(regret.loss - (log(0.9) - log(0.8))) < 1e-8);
    assert_true(fabs(regret.share - (log(0.8) / log(0.9) - 1)) < 1e-6);
    regret = cm_regret_of(own, other, 0);
    assert_true(regret.count == 0 && isnan(regret.loss) && isnan(regret.share));
}

/* ---- reports ---- */

typedef void (*renderer)(const cm_evaluation *evaluation, cm_buffer *text);

/* One model and a tenant with a name that HTML would read as a tag. */
static void evaluate(cm_evaluation *evaluation)
{
    static const cm_judged judged[] = {
        {0.9, 2, 2, CM_VERDICT_RIGHT_CLICK, true, true, true, 0, 0},
        {0.4, 3, 3, CM_VERDICT_ORGANIC, false, false, false, 0, 0},
        {0, 0, 0, CM_VERDICT_NONE, true, false, false, 0, 0},
    };
    *evaluation = (cm_evaluation){.has_truth = true, .judged = 3, .bins = 10};
    cm_judgement *judgement = evaluation->judgements = calloc(1, sizeof *judgement);
    evaluation->count = 1;
    judgement->label = strdup("a&b@<1>");
    judgement->role = "model";
    judgement->groups = calloc(2, sizeof *judgement->groups);
    judgement->group_count = 2;
    for (size_t i = 0; i < 2; i++) {
        judgement->groups[i] = (cm_group){.kind = i == 0 ? "all" : "tenant", .count = 3};
        make(judged, 3, 5, judgement->groups[i].figures);
    }
    judgement->groups[1].name = strdup("<script>\"\n");
    assert_int_equal(cm_curves_make(judged, 3, 10, &judgement->curves, NULL), CM_OK);
}

static void test_reports_escape_names(void **state)
{
    (void)state;
    cm_evaluation evaluation;
    cm_buffer text = {0};
    evaluate(&evaluation);
    cm_report_html(&evaluation, &text);
    cm_buffer_append_char(&text, '\0');
    assert_false(text.failed);
    assert_non_null(strstr(text.data, "a&amp;b@&lt;1&gt;"));
    assert_non_null(strstr(text.data, "&lt;script&gt;&quot;?"));
    assert_null(strstr(text.data, "<script"));
    assert_null(strstr(text.data, "nan"));
    text.size = 0;
    cm_report_json(&evaluation, &text);
    cm_buffer_append_char(&text, '\0');
    assert_non_null(strstr(text.data, "\"<script>\\\"\\n\""));
    assert_null(strstr(text.data, ": nan"));
    text.size = 0;
    cm_report_text(&evaluation, &text);
    cm_buffer_append_char(&text, '\0');
    assert_null(strstr(text.data, " nan"));
    assert_non_null(strstr(text.data, "<script>\"?  "));
    cm_buffer_destroy(&text);
    cm_evaluation_destroy(&evaluation);
}

/* ---- short memory ---- */

/* Sorting and jansson can do without some of what they ask for: then nothing must be different. */
static void test_figures_without_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    enum { N = 50 };
    cm_judged judged[N];
    cm_figures figures[CM_SCOPE_COUNT];
    static cm_curves curves;
    const cm_figures_options options = {.rounds = 3, .threads = 1};
    for (size_t i = 0; i < N; i++)
        judged[i] = weighed((double)i / N, 2, i > 20, i % 3 != 0);
    ptrdiff_t live = failing_malloc_live();
    bool failed = true;
    size_t refused = 0;
    for (size_t n = 0; failed; n++) {
        failing_malloc_arm(n);
        cm_status status = cm_figures_make(judged, N, &options, figures, NULL);
        if (status == CM_OK)
            status = cm_curves_make(judged, N, 10, &curves, NULL);
        failed = failing_malloc_disarm();
        assert_true(status == CM_OK || (failed && status == CM_ERROR_MEMORY));
        refused += status != CM_OK;
        assert_int_equal(failing_malloc_live(), live);
        if (status == CM_OK)
            assert_near(figures[CM_SCOPE_BOTH].values[CM_METRIC_RECALL], 19.0 / 50);
    }
    assert_true(refused > 20);
}

static void render_without_memory(const cm_evaluation *evaluation, renderer render)
{
    cm_buffer whole = {0};
    ptrdiff_t live = failing_malloc_live();
    bool failed = true;
    size_t refused = 0;
    render(evaluation, &whole);
    ptrdiff_t held = failing_malloc_live();
    for (size_t n = 0; failed; n++) {
        cm_buffer text = {0};
        failing_malloc_arm(n);
        render(evaluation, &text);
        failed = failing_malloc_disarm();
        assert_true(text.failed ||
                    (text.size == whole.size && memcmp(text.data, whole.data, text.size) == 0));
        assert_true(failed || !text.failed);
        refused += text.failed;
        cm_buffer_destroy(&text);
        assert_int_equal(failing_malloc_live(), held);
    }
    assert_true(refused > 0);
    cm_buffer_destroy(&whole);
    assert_int_equal(failing_malloc_live(), live);
}

static void test_reports_without_memory(void **state)
{
    (void)state;
    static const renderer renderers[] = {cm_report_text, cm_report_json, cm_report_html};
    cm_evaluation evaluation;
    if (!failing_malloc_works)
        skip();
    evaluate(&evaluation);
    for (size_t i = 0; i < COUNT(renderers); i++)
        render_without_memory(&evaluation, renderers[i]);
    cm_evaluation_destroy(&evaluation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_loss),
        cmocka_unit_test(test_f_half),
        cmocka_unit_test(test_wilson),
        cmocka_unit_test(test_bins),
        cmocka_unit_test(test_calibration_error),
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_intervals_hold_the_value),
        cmocka_unit_test(test_regret),
        cmocka_unit_test(test_reports_escape_names),
        cmocka_unit_test(test_figures_without_memory),
        cmocka_unit_test(test_reports_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
