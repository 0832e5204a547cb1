#include "cmd/cmd_evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/clock.h"
#include "cmd/evaluate.h"
#include "cmd/interrupt.h"
#include "cmd/paths.h"
#include "cmd/record_files.h"
#include "cmd/run.h"
#include "eval/report.h"
#include "util/error.h"

struct evaluate {
    cm_run run;
    cm_records records;
    cm_rights rights;
    cm_evaluation evaluation;
    cm_evaluate_options options;
    cm_answer *answers; /* of the model under way */
    cm_judged *judged;
    cm_judged *reference; /* the first model's; NULL: no reference was given */
};

/* ---- judging ---- */

static cm_status find_rights(struct evaluate *all, cm_error *error)
{
    const char *truth = cm_settings_text(all->run.settings, CM_OPTION_TRUTH);
    double mask_share = all->run.settings->values[CM_OPTION_MASK_AND_DELETE].share;
    cm_evaluation *evaluation = &all->evaluation;
    double began = cm_clock_seconds();
    cm_status status = cm_evaluate_layer_1(&all->records, &all->options, &all->rights, error);
    if (status != CM_OK)
        return status;
    evaluation->clicks = all->records.click_count;
    evaluation->conversions = all->records.conversion_count;
    for (size_t i = 0; i < all->records.conversion_count; i++)
        evaluation->by_layer_1 += all->rights.layer_1[i] != CM_NUMBER_NONE;
    if (truth != NULL)
        status = cm_evaluate_truth(truth, &all->records, &all->rights, evaluation, error);
    else
        status = cm_evaluate_labels(&all->records, mask_share, &all->options, &all->rights,
                                    evaluation, error);
    cm_summary_phase_add(&all->run.summary, "what is right", cm_clock_seconds() - began, 0);
    return status;
}

/* For the summary: what `match` would find with this model. */
static void count_methods(struct evaluate *all)
{
    static const cm_method methods[] = {CM_METHOD_UNATTRIBUTED, CM_METHOD_UNATTRIBUTED,
                                        CM_METHOD_FINGERPRINT, CM_METHOD_PROBABILISTIC};
    cm_match_counts *matched = &all->run.summary.matched;
    for (size_t i = 0; i < all->records.conversion_count; i++) {
        const cm_answer *answer = &all->answers[i];
        bool is_layer_1 = all->rights.layer_1[i] != CM_NUMBER_NONE;
        cm_method method = is_layer_1 ? CM_METHOD_URL_PARAM : methods[answer->accepted];
        matched->conversions++;
        matched->methods[method]++;
        matched->confidence_e4[method] += is_layer_1 ? 10000 : answer->confidence_e4;
    }
}

/* Judge one more. label: NULL: the model's own. */
static cm_status judge(struct evaluate *all, const cm_evaluated *evaluated, const char *label,
                       const char *role, cm_error *error)
{
    cm_judgement *judgement = &all->evaluation.judgements[all->evaluation.count++];
    judgement->role = role;
    judgement->regret = (cm_regret){.loss = (double)NAN, .share = (double)NAN};
    judgement->label = strdup(label == NULL ? cm_model_label(evaluated->model) : label);
    if (judgement->label == NULL)
        return cm_error_memory(error, "a label", 0);
    cm_status status = cm_evaluate_model(&all->records, &all->rights, evaluated, &all->options,
                                         judgement, all->answers, all->judged, error);
    if (status == CM_OK && judgement == all->evaluation.judgements) {
        all->run.summary.model = judgement->label;
        count_methods(all);
    }
    if (status != CM_OK || all->reference == NULL)
        return status;
    size_t count = all->evaluation.judged;
    if (judgement == all->evaluation.judgements)
        memcpy(all->reference, all->judged, count * sizeof *all->judged);
    judgement->regret = cm_regret_of(all->judged, all->reference, count);
    return CM_OK;
}

static cm_status judge_file(struct evaluate *all, const char *path, const char *role,
                            cm_error *error)
{
    cm_model *model = NULL;
    cm_status status = cm_run_model_file(path, &model, error);
    if (status == CM_OK)
        status = judge(all, &(cm_evaluated){model, CM_RULE_MODEL}, NULL, role, error);
    cm_model_destroy(model);
    return status;
}

static cm_status judge_baselines(struct evaluate *all, bool has_default, cm_error *error)
{
    cm_model *model = NULL;
    cm_status status = cm_run_model_file(NULL, &model, error);
    if (status == CM_OK && !has_default)
        status = judge(all, &(cm_evaluated){model, CM_RULE_MODEL}, NULL, "baseline", error);
    if (status == CM_OK)
        status = judge(all, &(cm_evaluated){model, CM_RULE_BLIND}, "blind to time and rivals",
                       "baseline", error);
    if (status == CM_OK)
        status = judge(all, &(cm_evaluated){model, CM_RULE_NEWEST}, "newest click of the key",
                       "baseline", error);
    cm_model_destroy(model);
    return status;
}

static cm_status make_room(struct evaluate *all, size_t judgements, cm_error *error)
{
    size_t count = all->records.conversion_count + 1;
    all->evaluation.judgements = calloc(judgements, sizeof(cm_judgement));
    all->answers = calloc(count, sizeof *all->answers);
    all->judged = calloc(count, sizeof *all->judged);
    bool ready = all->evaluation.judgements != NULL && all->answers != NULL && all->judged != NULL;
    if (cm_settings_text(all->run.settings, CM_OPTION_REFERENCE) != NULL) {
        all->reference = calloc(count, sizeof *all->reference);
        ready = ready && all->reference != NULL;
    }
    return ready ? CM_OK : cm_error_memory(error, "answers", count * sizeof *all->judged);
}

/* The reference first: regret is measured against it. */
static cm_status judge_all(struct evaluate *all, cm_error *error)
{
    const cm_settings *settings = all->run.settings;
    const cm_option_value *models = &settings->values[CM_OPTION_JUDGED_MODELS];
    const char *reference = cm_settings_text(settings, CM_OPTION_REFERENCE);
    double began = cm_clock_seconds();
    cm_status status = make_room(all, models->text_count + 5, error);
    if (status == CM_OK && reference != NULL)
        status = judge_file(all, reference, "reference", error);
    if (status == CM_OK && models->text_count == 0)
        status = judge_file(all, NULL, "model", error);
    for (size_t i = 0; i < models->text_count && status == CM_OK; i++)
        status = judge_file(all, models->texts[i], "model", error);
    if (status == CM_OK && cm_settings_flag(settings, CM_OPTION_BASELINES))
        status = judge_baselines(all, models->text_count == 0, error);
    cm_summary_phase_add(&all->run.summary, "judge", cm_clock_seconds() - began,
                         all->evaluation.judged * all->evaluation.count);
    return status;
}

/* ---- all of it ---- */

static cm_status write_report(const struct evaluate *all, cm_output *output,
                              void (*render)(const cm_evaluation *evaluation, cm_buffer *text),
                              cm_error *error)
{
    cm_buffer text = {0};
    cm_sink *sink = cm_output_sink(output);
    render(&all->evaluation, &text);
    cm_status status = text.failed ? cm_error_memory(error, "the report", text.size)
                                   : sink->write(sink->context, text.data, text.size, error);
    cm_buffer_destroy(&text);
    return status;
}

static cm_status report(struct evaluate *all, cm_error *error)
{
    bool is_json = cm_settings_number(all->run.settings, CM_OPTION_FORMAT_REPORT) == 1;
    cm_status status =
        write_report(all, all->run.output, is_json ? cm_report_json : cm_report_text, error);
    if (status == CM_OK && all->run.beside != NULL)
        status = write_report(all, all->run.beside, cm_report_html, error);
    return status;
}

static cm_status prepare(struct evaluate *all, cm_error *error)
{
    const cm_settings *settings = all->run.settings;
    all->options = (cm_evaluate_options){
        .threads = cm_run_threads(settings),
        .interrupted = cm_interrupt_flag(),
        .figures = {.bins = cm_settings_number(settings, CM_OPTION_BINS),
                    .rounds = cm_settings_number(settings, CM_OPTION_BOOTSTRAP),
                    .seed = 1,
                    .threads = cm_run_threads(settings)},
    };
    all->evaluation.bins = all->options.figures.bins;
    all->evaluation.rounds = all->options.figures.rounds;
    cm_status status = cm_run_random(&all->options.hash_seed, error);
    if (status == CM_OK)
        status = cm_output_open(cm_settings_text(settings, CM_OPTION_OUTPUT), NULL,
                                &all->run.output, error);
    const char *page = cm_settings_text(settings, CM_OPTION_HTML);
    const cm_output_options options = {.option = "--html"};
    if (status == CM_OK && page != NULL)
        status = cm_output_open(page, &options, &all->run.beside, error);
    return status;
}

static cm_status work(struct evaluate *all, cm_error *error)
{
    cm_status status = prepare(all, error);
    if (status == CM_OK)
        status = cm_record_files_read(&all->run, &all->records, error);
    if (status == CM_OK)
        status = find_rights(all, error);
    if (status == CM_OK)
        status = judge_all(all, error);
    return status == CM_OK ? report(all, error) : status;
}

static cm_status check(const cm_settings *settings, cm_error *error)
{
    static const cm_option inputs[] = {CM_OPTION_CLICKS, CM_OPTION_CONVERSIONS,
                                       CM_OPTION_JUDGED_MODELS, CM_OPTION_REFERENCE};
    if (cm_settings_text(settings, CM_OPTION_TRUTH) != NULL &&
        settings->values[CM_OPTION_MASK_AND_DELETE].share > 0)
        return cm_error_set(error, CM_ERROR_USAGE,
                            "--mask-and-delete makes organic conversions where there is no truth; "
                            "--truth knows some: leave one of them out");
    return cm_paths_check_stdin(settings, inputs, 4, error);
}

cm_status cm_cmd_evaluate(const cm_settings *settings, cm_log *log, cm_error *error)
{
    struct evaluate all = {0};
    cm_status status = check(settings, error);
    if (status != CM_OK)
        return status;
    status = cm_run_begin("evaluate", settings, NULL, log, &all.run, error);
    if (status == CM_OK)
        status = work(&all, error);
    status = cm_run_end(&all.run, status, error);
    cm_evaluation_destroy(&all.evaluation);
    cm_rights_destroy(&all.rights);
    cm_records_destroy(&all.records);
    free(all.answers);
    free(all.judged);
    free(all.reference);
    return status;
}
