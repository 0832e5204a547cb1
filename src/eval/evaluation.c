#include "eval/evaluation.h"

#include <stdlib.h>
#include <string.h>

static void destroy_judgement(cm_judgement *judgement)
{
    for (size_t i = 0; i < judgement->group_count; i++)
        free(judgement->groups[i].name);
    free(judgement->groups);
    free(judgement->label);
}

bool cm_group_is_shown(const cm_judgement *judgement, size_t at, size_t most)
{
    const cm_group *group = &judgement->groups[at];
    size_t larger = 0;
    for (size_t i = 0; i < judgement->group_count && larger < most; i++) {
        const cm_group *other = &judgement->groups[i];
        larger += strcmp(other->kind, group->kind) == 0 &&
                  (other->count > group->count || (other->count == group->count && i < at));
    }
    return larger < most;
}

void cm_evaluation_destroy(cm_evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->count; i++)
        destroy_judgement(&evaluation->judgements[i]);
    free(evaluation->judgements);
    *evaluation = (cm_evaluation){0};
}
