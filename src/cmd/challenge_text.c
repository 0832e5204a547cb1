/* A challenger beside the champion, for people. */
#include <math.h>

#include "cmd/challenge.h"
#include "cmd/progress.h"
#include "eval/append.h"
#include "eval/report.h"

#define TENANTS_SHOWN ((size_t)20)

static const cm_method METHODS[CM_METHOD_COUNT] = {CM_METHOD_URL_PARAM, CM_METHOD_FINGERPRINT,
                                                   CM_METHOD_PROBABILISTIC, CM_METHOD_UNATTRIBUTED};

static void append_number(cm_buffer *text, uint64_t number)
{
    char room[CM_COUNT_BYTES];
    cm_append(text, " %13s", cm_count_text(number, room));
}

/* ---- where results differ ---- */

static void append_counts(cm_buffer *text, const char *name, const cm_challenge_counts *counts)
{
    cm_append(text, "  ");
    cm_append_padded(text, name, 15);
    append_number(text, counts->conversions);
    append_number(text, counts->attributed[CM_CHAMPION]);
    append_number(text, counts->attributed[CM_CHALLENGER]);
    append_number(text, counts->same_click);
    append_number(text, counts->other_click);
    append_number(text, counts->alone[CM_CHAMPION]);
    append_number(text, counts->alone[CM_CHALLENGER]);
    cm_append(text, "\n");
}

/* The largest of a kind, in the order of their names; of equal ones the first are the larger. */
static bool is_shown(const cm_challenge_counts *groups, size_t count, size_t at)
{
    size_t larger = 0;
    for (size_t i = 0; i < count && larger < TENANTS_SHOWN; i++)
        larger += groups[i].conversions > groups[at].conversions ||
                  (groups[i].conversions == groups[at].conversions && i < at);
    return larger < TENANTS_SHOWN;
}

static void append_groups(cm_buffer *text, const cm_challenge *challenge, cm_grouping_kind kind,
                          const char *title)
{
    const cm_grouping *grouping = &challenge->groupings[kind];
    if (grouping->count < 2)
        return;
    cm_append(text, "%s\n", title);
    for (size_t i = 0; i < grouping->count; i++)
        if (is_shown(challenge->groups[kind], grouping->count, i))
            append_counts(text, grouping->names[i], &challenge->groups[kind][i]);
}

static void append_methods(cm_buffer *text, const cm_challenge *challenge)
{
    cm_append(text, "%-17s", "by the champion");
    for (size_t i = 0; i < CM_METHOD_COUNT; i++)
        cm_append(text, " %13s", cm_method_name(METHODS[i]));
    cm_append(text, "  by the challenger\n");
    for (size_t i = 0; i < CM_METHOD_COUNT; i++) {
        cm_append(text, "  %-15s", cm_method_name(METHODS[i]));
        for (size_t j = 0; j < CM_METHOD_COUNT; j++)
            append_number(text, challenge->methods[METHODS[i]][METHODS[j]]);
        cm_append(text, "\n");
    }
}

/* ---- which is right ---- */

/* In a column, "-" where there is none. */
static void append_value(cm_buffer *text, double value)
{
    char number[32] = "-";
    if (!isnan(value))
        (void)snprintf(number, sizeof number, "%.4f", value);
    cm_append(text, " %13s", number);
}

static void append_paired(cm_buffer *text, const cm_challenge *challenge)
{
    char rooms[3][CM_COUNT_BYTES];
    cm_append(text,
              "%s conversions that layer 1 attributes, their ids hidden, of %s devices; "
              "%s of them made organic\n",
              cm_count_text(challenge->labelled, rooms[0]),
              cm_count_text(challenge->paired.devices, rooms[1]),
              cm_count_text(challenge->masked, rooms[2]));
    cm_paired_text(&challenge->paired, "champion", "challenger", text);
}

void cm_challenge_text(const cm_challenge *challenge, cm_buffer *text)
{
    cm_append(text,
              "challenger      %s beside the champion %s; what is written is the champion's\n",
              challenge->labels[CM_CHALLENGER], challenge->labels[CM_CHAMPION]);
    cm_append(text, "%-17s %13s %27s %13s %13s %27s\n", "", "", "attributed by    ", "both, same",
              "both, other", "by one alone    ");
    cm_append(text, "%-17s %13s %13s %13s %13s %13s %13s %13s\n", "results", "conversions",
              "champion", "challenger", "click", "click", "champion", "challenger");
    append_counts(text, "all", &challenge->counts);
    append_groups(text, challenge, CM_GROUPING_DEVICE_TYPE, "by device type");
    append_groups(text, challenge, CM_GROUPING_TENANT, "by tenant");
    append_methods(text, challenge);
    cm_append(text, "%-17s", "error expected");
    append_value(text, challenge->expected_error[CM_CHAMPION]);
    append_value(text, challenge->expected_error[CM_CHALLENGER]);
    cm_append(text, "  champion, challenger\n");
    if (challenge->labelled > 0)
        append_paired(text, challenge);
    else
        cm_append(text, "nothing is labelled: layer 1 attributes none of the conversions\n");
}
