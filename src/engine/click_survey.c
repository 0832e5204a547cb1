#include "engine/click_survey.h"

#include "util/grow.h"

static void swap(cm_surveyed *a, cm_surveyed *b)
{
    cm_surveyed kept = *a;
    *a = *b;
    *b = kept;
}

static bool push(cm_click_survey *survey, const cm_surveyed *click)
{
    cm_surveyed *heap =
        cm_grow(survey->heap, &survey->capacity, survey->count + 1, sizeof *survey->heap);
    if (heap == NULL)
        return false;
    survey->heap = heap;
    size_t at = survey->count++;
    heap[at] = *click;
    for (size_t up; at > 0 && heap[at].time_us < heap[up = (at - 1) / 2].time_us; at = up)
        swap(&heap[at], &heap[up]);
    return true;
}

static void pop(cm_click_survey *survey)
{
    cm_surveyed *heap = survey->heap;
    size_t count = --survey->count, at = 0;
    heap[0] = heap[count];
    for (;;) {
        size_t down = 2 * at + 1;
        if (down + 1 < count && heap[down + 1].time_us < heap[down].time_us)
            down++;
        if (down >= count || heap[at].time_us <= heap[down].time_us)
            return;
        swap(&heap[at], &heap[down]);
        at = down;
    }
}

/* The oldest of all, and all that are as old. */
static void drop_oldest(cm_click_survey *survey)
{
    int64_t oldest_us = survey->heap[0].time_us;
    while (survey->count > 0 && survey->heap[0].time_us == oldest_us) {
        survey->cost -= survey->heap[0].cost;
        survey->older++;
        pop(survey);
    }
    survey->from_us = oldest_us + 1;
}

bool cm_click_survey_add(cm_click_survey *survey, const cm_surveyed *clicks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (clicks[i].time_us < survey->from_us) {
            survey->older++;
            continue;
        }
        if (!push(survey, &clicks[i]))
            return false;
        survey->cost += clicks[i].cost;
        while (survey->cost > survey->cost_max)
            drop_oldest(survey);
    }
    return true;
}

void cm_click_survey_destroy(cm_click_survey *survey)
{
    free(survey->heap);
    *survey = (cm_click_survey){.cost_max = survey->cost_max};
}
