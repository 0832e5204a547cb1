/* A challenger beside the champion, for programs. NULL where memory is short. */
#include <math.h>

#include "cmd/challenge.h"
#include "util/json.h"

static json_t *number(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *both(const uint64_t counts[2])
{
    return json_pack("{s:I,s:I}", "champion", (json_int_t)counts[CM_CHAMPION], "challenger",
                     (json_int_t)counts[CM_CHALLENGER]);
}

static json_t *both_numbers(const double values[2])
{
    return json_pack("{s:o,s:o}", "champion", number(values[CM_CHAMPION]), "challenger",
                     number(values[CM_CHALLENGER]));
}

static json_t *counts_json(const cm_challenge_counts *counts)
{
    return json_pack("{s:I,s:o,s:I,s:I,s:o}", "conversions", (json_int_t)counts->conversions,
                     "attributed", both(counts->attributed), "same_click",
                     (json_int_t)counts->same_click, "other_click", (json_int_t)counts->other_click,
                     "alone", both(counts->alone));
}

static json_t *groups_json(const cm_challenge *challenge, cm_grouping_kind kind)
{
    json_t *object = json_object();
    for (size_t i = 0; i < challenge->groupings[kind].count; i++)
        object = cm_json_with(object, challenge->groupings[kind].names[i],
                              counts_json(&challenge->groups[kind][i]));
    return object;
}

/* By the champion's method, then by the challenger's. */
static json_t *methods_json(const cm_challenge *challenge)
{
    json_t *object = json_object();
    for (int i = 0; i < CM_METHOD_COUNT; i++) {
        json_t *row = json_object();
        for (int j = 0; j < CM_METHOD_COUNT; j++)
            row = cm_json_with(row, cm_method_name((cm_method)j),
                               json_integer((json_int_t)challenge->methods[i][j]));
        object = cm_json_with(object, cm_method_name((cm_method)i), row);
    }
    return object;
}

static json_t *figures_json(const cm_paired *paired)
{
    json_t *object = json_object();
    for (int i = 0; i < CM_PAIRED_METRIC_COUNT; i++) {
        const cm_paired_figure *figure = &paired->figures[i];
        object = cm_json_with(object, cm_paired_name((cm_paired_metric)i),
                              json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "champion",
                                        number(figure->values[CM_CHAMPION]), "challenger",
                                        number(figure->values[CM_CHALLENGER]), "difference",
                                        number(figure->difference), "low", number(figure->low),
                                        "high", number(figure->high), "p", number(figure->p)));
    }
    return object;
}

static json_t *labelled_json(const cm_challenge *challenge)
{
    const cm_paired *paired = &challenge->paired;
    if (challenge->labelled == 0)
        return json_null();
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:f,s:o}", "conversions",
                     (json_int_t)paired->conversions, "devices", (json_int_t)paired->devices,
                     "masked", (json_int_t)challenge->masked, "clicks_left_out",
                     (json_int_t)challenge->deleted, "both_weighed",
                     (json_int_t)paired->both_weighed, "attributed", both(paired->attributed),
                     "right_click", both(paired->right_click), "correct", both(paired->correct),
                     "correct_alone", both(paired->correct_alone), "mcnemar_p", paired->mcnemar_p,
                     "figures", figures_json(paired));
}

json_t *cm_challenge_json(const cm_challenge *challenge)
{
    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:f}", "champion",
                     challenge->labels[CM_CHAMPION], "challenger", challenge->labels[CM_CHALLENGER],
                     "results", counts_json(&challenge->counts), "device_types",
                     groups_json(challenge, CM_GROUPING_DEVICE_TYPE), "tenants",
                     groups_json(challenge, CM_GROUPING_TENANT), "methods", methods_json(challenge),
                     "expected_error", both_numbers(challenge->expected_error), "labelled",
                     labelled_json(challenge), "clicks", (json_int_t)challenge->clicks, "seconds",
                     challenge->seconds);
}
