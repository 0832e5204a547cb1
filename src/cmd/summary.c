#include "cmd/summary.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/clock.h"
#include "cmd/time_text.h"
#include "util/error.h"
#include "util/grow.h"
#include "util/json.h"

void cm_summary_init(cm_summary *summary, const char *command, const cm_rejects *rejects)
{
    *summary =
        (cm_summary){.command = command, .rejects = rejects, .started_seconds = cm_clock_seconds()};
}

void cm_summary_destroy(cm_summary *summary)
{
    free(summary->sources);
    json_decref(summary->details);
    cm_buffer_destroy(&summary->more);
    summary->sources = NULL;
    summary->details = NULL;
}

bool cm_summary_source_add(cm_summary *summary, const char *name, cm_row_kind kind,
                           const cm_source_counts *counts)
{
    cm_summary_source *sources = cm_grow(summary->sources, &summary->source_capacity,
                                         summary->source_count + 1, sizeof *sources);
    if (sources == NULL)
        return false;
    summary->sources = sources;
    sources[summary->source_count++] = (cm_summary_source){name, kind, *counts};
    cm_source_counts *total = &summary->totals[kind];
    total->rows += counts->rows;
    total->rejected += counts->rejected;
    total->duplicates += counts->duplicates;
    for (size_t i = 0; i < CM_FIELD_COUNT_MAX; i++)
        total->lenient[i] += counts->lenient[i];
    return true;
}

void cm_summary_phase_add(cm_summary *summary, const char *name, double seconds, uint64_t rows)
{
    if (summary->phase_count < CM_PHASES_MAX)
        summary->phases[summary->phase_count++] = (cm_phase){name, seconds, rows};
}

void cm_summary_end(cm_summary *summary, cm_status outcome)
{
    summary->outcome = outcome;
    summary->seconds = cm_clock_seconds() - summary->started_seconds;
}

double cm_summary_recovery(const cm_summary *summary)
{
    const cm_match_counts *matched = &summary->matched;
    if (matched->conversions == 0)
        return -1;
    return (double)(matched->conversions - matched->methods[CM_METHOD_UNATTRIBUTED]) /
           (double)matched->conversions;
}

void cm_summary_tell_memory(const cm_summary_memory *memory, cm_log *log)
{
    char from[CM_TIME_TEXT_BYTES];
    if (memory->left_out == 0)
        return;
    cm_time_text(memory->left_out_us, from);
    unsigned long long count = memory->left_out, mib = memory->max >> 20;
    if (memory->has_forgotten)
        cm_log_warning(log,
                       "%llu clicks, all of before %s, were forgotten early: --memory-max %llu MiB "
                       "has no room for them; conversions after that did not find them",
                       count, from, mib);
    else
        cm_log_warning(log,
                       "%llu clicks, those before %s, were left out: --memory-max %llu MiB has no "
                       "room for them; results are as if they had never been",
                       count, from, mib);
}

void cm_summary_tell(const cm_summary *summary, cm_log *log)
{
    cm_buffer text = {0};
    json_t *json = log->is_json ? cm_summary_json(summary) : NULL;
    cm_summary_text(summary, &text);
    cm_buffer_append_char(&text, '\0');
    cm_log_data(log, text.failed ? "" : text.data, "summary", json);
    json_decref(json);
    cm_buffer_destroy(&text);
    cm_summary_tell_memory(&summary->memory, log);
    double recovery = cm_summary_recovery(summary);
    if (summary->outcome == CM_OK && recovery >= 0 && recovery < summary->recovery_target)
        cm_log_warning(log,
                       "the recovery rate is %.4f, under --recovery-target %g: %.1f %% of the "
                       "conversions are unattributed",
                       recovery, summary->recovery_target, 100 * (1 - recovery));
}

cm_status cm_summary_put(const json_t *json, cm_output *output, cm_error *error)
{
    cm_sink *sink = cm_output_sink(output);
    cm_buffer text = {0};
    (void)cm_json_write(json, JSON_INDENT(2) | JSON_REAL_PRECISION(9), &text);
    cm_buffer_append_char(&text, '\n');
    cm_status status = text.failed ? cm_error_memory(error, "the summary", 4096)
                                   : sink->write(sink->context, text.data, text.size, error);
    cm_buffer_destroy(&text);
    return status;
}

cm_status cm_summary_write(json_t *json, cm_output *output, cm_error *error)
{
    cm_status status = cm_summary_put(json, output, error);
    if (status == CM_OK)
        return cm_output_commit(output, error);
    cm_output_abort(output);
    return status;
}
