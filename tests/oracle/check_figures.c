/*
 * Figures of judged conversions on standard input, one a line: probability, weighed, accepted,
 * verdict, has_click, same_ad, same_campaign. tests/unit/test_figures.py holds them against a slow
 * implementation.
 *
 *     check_figures BINS ROUNDS SEED THREADS
 */
#include <stdio.h>
#include <stdlib.h>

#include "eval/curves.h"
#include "util/grow.h"

static cm_judged *judged;
static size_t count, capacity;

static int read_all(void)
{
    double p;
    unsigned weighed, accepted, verdict, has_click, ad, campaign;
    while (scanf("%lf %u %u %u %u %u %u", &p, &weighed, &accepted, &verdict, &has_click, &ad,
                 &campaign) == 7) {
        cm_judged *grown = cm_grow(judged, &capacity, count + 1, sizeof *judged);
        if (grown == NULL)
            return 1;
        judged = grown;
        judged[count++] = (cm_judged){.probability = p,
                                      .weighed = (uint8_t)weighed,
                                      .accepted = (uint8_t)accepted,
                                      .verdict = (uint8_t)verdict,
                                      .has_click = has_click == 1,
                                      .same_ad = ad == 1,
                                      .same_campaign = campaign == 1};
    }
    return 0;
}

static void print_figures(const cm_figures *figures, unsigned scope)
{
    for (unsigned i = 0; i < CM_METRIC_COUNT; i++)
        printf("metric %u %s %.17g %.17g %.17g\n", scope, cm_metric_name((cm_metric)i),
               figures->values[i], figures->low[i], figures->high[i]);
    printf("sweep_bins %u %zu %zu\n", scope, figures->sweep_bins, figures->accepted_sweep_bins);
    printf("counts %u %llu %llu %llu\n", scope, (unsigned long long)figures->tallies.conversions,
           (unsigned long long)figures->tallies.weighed,
           (unsigned long long)figures->tallies.attributed);
}

static void print_curves(const cm_curves *curves)
{
    for (size_t scope = 0; scope < CM_SCOPE_COUNT; scope++)
        for (size_t i = 0; i < curves->bin_counts[scope]; i++) {
            const cm_bin *bin = &curves->bins[scope][i];
            printf("bin %zu %.17g %.17g %llu %llu %.17g %.17g %.17g\n", scope, bin->from, bin->to,
                   (unsigned long long)bin->count, (unsigned long long)bin->right, bin->mean,
                   bin->low, bin->high);
        }
    for (size_t i = 0; i < curves->point_count; i++)
        printf("point %.17g %.17g %.17g\n", curves->points[i].probability,
               curves->points[i].precision, curves->points[i].recall);
    for (size_t i = 0; i < CM_HISTOGRAM_BARS; i++)
        printf("bar %llu %llu %llu\n", (unsigned long long)curves->bars[i].count,
               (unsigned long long)curves->bars[i].right,
               (unsigned long long)curves->bars[i].accepted);
}

int main(int argc, char **argv)
{
    if (argc != 5 || read_all() != 0)
        return 2;
    cm_figures_options options = {.bins = strtoul(argv[1], NULL, 10),
                                  .rounds = strtoul(argv[2], NULL, 10),
                                  .seed = strtoull(argv[3], NULL, 10),
                                  .threads = (unsigned)strtoul(argv[4], NULL, 10)};
    static cm_figures figures[CM_SCOPE_COUNT];
    static cm_curves curves;
    if (cm_figures_make(judged, count, &options, figures, NULL) != CM_OK ||
        cm_curves_make(judged, count, options.bins, &curves, NULL) != CM_OK)
        return 1;
    for (unsigned scope = 0; scope < CM_SCOPE_COUNT; scope++)
        print_figures(&figures[scope], scope);
    print_curves(&curves);
    free(judged);
    return 0;
}
