/* Where two models differ, in numbers. */
#include <math.h>
#include <stdlib.h>

#include "cmd/challenge.h"
#include "util/error.h"

/* ---- with ids ---- */

static void count_one(const cm_choice *champion, const cm_choice *challenger,
                      cm_challenge_counts *counts)
{
    bool is_first = champion->click != CM_NUMBER_NONE;
    bool is_second = challenger->click != CM_NUMBER_NONE;
    counts->conversions++;
    counts->attributed[CM_CHAMPION] += is_first;
    counts->attributed[CM_CHALLENGER] += is_second;
    counts->alone[CM_CHAMPION] += is_first && !is_second;
    counts->alone[CM_CHALLENGER] += is_second && !is_first;
    counts->same_click += is_first && champion->click == challenger->click;
    counts->other_click += is_first && is_second && champion->click != challenger->click;
}

/* Sums are of whole numbers, so that no order of adding matters. */
static double expected_error(const cm_choice *choices, size_t count)
{
    uint64_t doubt = 0, attributed = 0;
    for (size_t i = 0; i < count; i++) {
        if (choices[i].method == CM_METHOD_UNATTRIBUTED || choices[i].method == CM_METHOD_URL_PARAM)
            continue;
        attributed++;
        doubt += (uint64_t)((1 - choices[i].probability) * 0x1p32);
    }
    return attributed == 0 ? (double)NAN : (double)doubt * 0x1p-32 / (double)attributed;
}

cm_status cm_challenge_count(const cm_choice *const choices[2], size_t count,
                             cm_challenge *challenge, cm_error *error)
{
    for (size_t kind = 0; kind < CM_GROUPING_COUNT; kind++) {
        size_t groups = challenge->groupings[kind].count + 1;
        challenge->groups[kind] = calloc(groups, sizeof *challenge->groups[kind]);
        if (challenge->groups[kind] == NULL)
            return cm_error_memory(error, "groups", groups * sizeof *challenge->groups[kind]);
    }
    for (size_t i = 0; i < count; i++) {
        const cm_choice *champion = &choices[CM_CHAMPION][i];
        const cm_choice *challenger = &choices[CM_CHALLENGER][i];
        count_one(champion, challenger, &challenge->counts);
        challenge->methods[champion->method][challenger->method]++;
        for (size_t kind = 0; kind < CM_GROUPING_COUNT; kind++)
            count_one(champion, challenger,
                      &challenge->groups[kind][challenge->groupings[kind].of[i]]);
    }
    for (size_t side = 0; side < 2; side++)
        challenge->expected_error[side] = expected_error(choices[side], count);
    return CM_OK;
}
