/* The summary for programs. Functions here return NULL where memory is short. */
#include <sys/resource.h>

#include "cmd/summary.h"
#include "cmd/time_text.h"
#include "util/json.h"
#include "util/slice.h"
#include "util/text.h"

static const char *const kinds[CM_ROW_KIND_COUNT] = {"clicks", "conversions"};

static const char *outcome_name(cm_status outcome)
{
    switch (outcome) {
    case CM_OK:
        return "done";
    case CM_ERROR_REJECTS:
        return "refused";
    case CM_ERROR_INTERRUPTED:
        return "interrupted";
    default:
        return "failed";
    }
}

static json_t *lenient_json(cm_row_kind kind, const cm_source_counts *counts)
{
    json_t *object = json_object();
    for (size_t i = 0; i < cm_field_count(kind); i++)
        if (counts->lenient[i] > 0)
            object = cm_json_with(object, cm_field_name(kind, i),
                                  json_integer((json_int_t)counts->lenient[i]));
    return object;
}

static json_t *counts_json(cm_row_kind kind, const cm_source_counts *counts)
{
    return json_pack("{s:I,s:I,s:I,s:o}", "rows", (json_int_t)counts->rows, "rejected",
                     (json_int_t)counts->rejected, "duplicates", (json_int_t)counts->duplicates,
                     "lenient", lenient_json(kind, counts));
}

/* File names need not be text. */
static json_t *name_json(const char *name)
{
    size_t characters;
    bool is_text = cm_utf8_count(cm_slice_of_text(name), &characters);
    return json_string(is_text ? name : "(no UTF-8)");
}

static json_t *sources_json(const cm_summary *summary)
{
    json_t *list = json_array();
    for (size_t i = 0; i < summary->source_count; i++) {
        const cm_summary_source *source = &summary->sources[i];
        json_t *object =
            json_pack("{s:o,s:s}", "name", name_json(source->name), "kind", kinds[source->kind]);
        object = cm_json_joined(object, counts_json(source->kind, &source->counts));
        list = cm_json_add(list, object);
    }
    return list;
}

static json_t *share_json(uint64_t part, uint64_t whole)
{
    return whole == 0 ? json_null() : json_real((double)part / (double)whole);
}

/* Sums are in units of 0.0001. */
static json_t *mean_json(uint64_t sum_e4, uint64_t count)
{
    return count == 0 ? json_null() : json_real((double)sum_e4 / (double)count / 10000);
}

static json_t *methods_json(const cm_match_counts *matched)
{
    json_t *object = json_object();
    for (int i = 0; i < CM_METHOD_COUNT; i++)
        object = cm_json_with(
            object, cm_method_name((cm_method)i),
            json_pack("{s:I,s:o,s:o}", "conversions", (json_int_t)matched->methods[i], "share",
                      share_json(matched->methods[i], matched->conversions), "mean_confidence",
                      mean_json(matched->confidence_e4[i], matched->methods[i])));
    return object;
}

static json_t *layers_json(const cm_match_counts *matched)
{
    json_t *list = json_array();
    for (size_t layer = 0; layer < CM_LAYER_COUNT; layer++) {
        json_t *words = json_object();
        for (int i = 0; i < CM_LAYER_WORD_COUNT; i++)
            if (matched->words[layer][i] > 0)
                words = cm_json_with(words, cm_layer_word_name((cm_layer_word)i),
                                     json_integer((json_int_t)matched->words[layer][i]));
        list = cm_json_add(list, words);
    }
    return list;
}

/* By layer: what the layer attributed, of all conversions. */
static json_t *recovery_json(const cm_summary *summary)
{
    const cm_match_counts *matched = &summary->matched;
    uint64_t all = matched->conversions;
    double rate = cm_summary_recovery(summary);
    return json_pack("{s:o,s:[o,o,o],s:f,s:b}", "rate", rate < 0 ? json_null() : json_real(rate),
                     "layers", share_json(matched->methods[CM_METHOD_URL_PARAM], all),
                     share_json(matched->methods[CM_METHOD_FINGERPRINT], all),
                     share_json(matched->methods[CM_METHOD_PROBABILISTIC], all), "target",
                     summary->recovery_target, "is_under_target",
                     rate >= 0 && rate < summary->recovery_target);
}

static json_t *attribution_json(const cm_summary *summary)
{
    const cm_match_counts *matched = &summary->matched;
    uint64_t sum_e4 = 0;
    for (size_t i = 0; i < CM_METHOD_COUNT; i++)
        sum_e4 += matched->confidence_e4[i];
    return json_pack(
        "{s:I,s:o,s:o,s:o,s:o}", "conversions", (json_int_t)matched->conversions, "methods",
        methods_json(matched), "mean_confidence",
        mean_json(sum_e4, matched->conversions - matched->methods[CM_METHOD_UNATTRIBUTED]),
        "layers", layers_json(matched), "recovery", recovery_json(summary));
}

static json_t *phases_json(const cm_summary *summary)
{
    json_t *list = json_array();
    for (size_t i = 0; i < summary->phase_count; i++) {
        const cm_phase *phase = &summary->phases[i];
        list = cm_json_add(
            list, json_pack("{s:s,s:f,s:I,s:o}", "name", phase->name, "seconds", phase->seconds,
                            "rows", (json_int_t)phase->rows, "rows_per_second",
                            phase->seconds > 0 ? json_real((double)phase->rows / phase->seconds)
                                               : json_null()));
    }
    return list;
}

json_t *cm_summary_memory_json(const cm_summary_memory *memory)
{
    char from[CM_TIME_TEXT_BYTES];
    cm_time_text(memory->left_out_us, from);
    return json_pack("{s:I,s:I,s:s?}", "max_bytes", (json_int_t)memory->max, "clicks_left_out",
                     (json_int_t)memory->left_out, "clicks_from",
                     memory->left_out == 0 ? NULL : from);
}

json_t *cm_summary_json(const cm_summary *summary)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    json_t *json = json_pack(
        "{s:s,s:s,s:s,s:s?,s:o,s:o,s:o,s:o,s:o,s:o,s:f,s:I,s:I,s:I}", "command", summary->command,
        "version", CM_VERSION, "outcome", outcome_name(summary->outcome), "model", summary->model,
        "sources", sources_json(summary), "clicks",
        counts_json(CM_ROW_CLICK, &summary->totals[CM_ROW_CLICK]), "conversions",
        counts_json(CM_ROW_CONVERSION, &summary->totals[CM_ROW_CONVERSION]), "rejects",
        cm_rejects_json(summary->rejects), "attribution",
        summary->has_no_results ? json_null() : attribution_json(summary), "phases",
        phases_json(summary), "seconds", summary->seconds, "engine_clicks",
        (json_int_t)summary->engine_clicks, "engine_bytes", (json_int_t)summary->engine_bytes,
        "peak_memory_bytes", (json_int_t)usage.ru_maxrss * 1024);
    if (summary->memory.max > 0)
        json = cm_json_with(json, "memory", cm_summary_memory_json(&summary->memory));
    return summary->details == NULL
               ? json
               : cm_json_with(json, summary->command, json_incref(summary->details));
}
