#include "eval/curves.h"

#include <stdlib.h>
#include <string.h>

#include "eval/scored.h"

/* From the surest down; where there are too many runs, a point every so many forecasts. */
static void set_points(const cm_forecasts *set, uint64_t with_click, cm_curves *curves)
{
    uint64_t seen = 0, right = 0, next = 0;
    curves->point_count = 0;
    if (with_click == 0)
        return;
    for (size_t i = set->run_count; i-- > 0;) {
        seen += set->runs[i].count;
        right += set->runs[i].right;
        if (seen * (CM_CURVE_POINTS_MAX - 1) < next * set->count && i > 0)
            continue;
        next = seen * (CM_CURVE_POINTS_MAX - 1) / set->count + 1;
        curves->points[curves->point_count++] =
            (cm_curve_point){set->runs[i].probability, (double)right / (double)seen,
                             (double)right / (double)with_click};
    }
}

static void set_bars(const cm_forecasts *weighed, const cm_forecasts *accepted, cm_curves *curves)
{
    memset(curves->bars, 0, sizeof curves->bars);
    for (size_t i = 0; i < weighed->run_count + accepted->run_count; i++) {
        bool is_accepted = i >= weighed->run_count;
        const cm_run_of_equal *run =
            is_accepted ? &accepted->runs[i - weighed->run_count] : &weighed->runs[i];
        size_t at = (size_t)(run->probability * CM_HISTOGRAM_BARS);
        cm_bar *bar = &curves->bars[at < CM_HISTOGRAM_BARS ? at : CM_HISTOGRAM_BARS - 1];
        bar->count += is_accepted ? 0 : run->count;
        bar->right += is_accepted ? 0 : run->right;
        bar->accepted += is_accepted ? run->count : 0;
    }
}

cm_status cm_curves_make(const cm_judged *judged, size_t count, size_t bins, cm_curves *curves,
                         cm_error *error)
{
    cm_tally_room room;
    uint64_t with_click = 0;
    cm_scored *scored = cm_scored_make(judged, count);
    bool ready = cm_tally_room_init(&room, count) && scored != NULL;
    if (ready) {
        cm_tally_all(&room, scored, NULL, count);
        for (size_t i = 0; i < count; i++)
            with_click += judged[i].has_click;
        for (unsigned scope = 0; scope < CM_SCOPE_COUNT; scope++)
            curves->bin_counts[scope] = cm_bins_make(
                room.sets[scope].runs, room.sets[scope].run_count, bins, curves->bins[scope]);
        set_points(&room.sets[CM_SCOPE_BOTH], with_click, curves);
        set_bars(&room.sets[CM_SCOPE_BOTH], &room.sets[CM_SCOPE_COUNT + CM_SCOPE_BOTH], curves);
    }
    cm_tally_room_destroy(&room);
    free(scored);
    return ready ? CM_OK : cm_error_memory(error, "curves", count * sizeof *scored);
}
