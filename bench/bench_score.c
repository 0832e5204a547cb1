/*
 * The scorer: from the weights of a layer's candidates to winner, probability and confidence, for
 * lists of several lengths. Many lists in turn, so that no branch learns one of them by heart.
 */
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"
#include "match/scorer.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define LISTS ((size_t)256)

static const size_t LENGTHS[] = {1, 2, 4, 16, 64};

typedef struct lists {
    cm_knot knots[4];
    cm_layer_model layer;
    cm_weighed *candidates; /* LISTS times length */
    size_t length;
} lists;

static uint64_t run_score(void *context, uint64_t rounds)
{
    const lists *l = context;
    uint64_t sum = 0;
    cm_score score;
    for (uint64_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < LISTS; i++) {
            const cm_weighed *candidates = l->candidates + i * l->length;
            double total = cm_total_weight(0.25, candidates, l->length);
            cm_score_candidates(&l->layer, total, candidates, l->length, &score);
            sum += score.best[score.best_count - 1] + (uint64_t)(score.confidence * 10000);
        }
    }
    return sum;
}

/* Weights over four orders of magnitude, as products of likelihood ratios are. */
static double weight(uint64_t number)
{
    static const double SCALES[] = {0.001, 0.01, 0.1, 1.0};
    double share = (double)(bench_mix(number) >> 11) / (double)(1ULL << 53);
    return share * SCALES[bench_mix(~number) % COUNT(SCALES)];
}

static void lists_init(lists *l, size_t length)
{
    *l = (lists){.knots = {{0, 0}, {0.3, 0.2}, {0.7, 0.75}, {1, 1}}, .length = length};
    l->layer = (cm_layer_model){
        .band_lo = 0.5, .band_hi = 0.95, .knot_count = COUNT(l->knots), .knots = l->knots};
    l->candidates = bench_allocate(LISTS * length, sizeof *l->candidates);
    for (size_t i = 0; i < LISTS * length; i++)
        l->candidates[i] = (cm_weighed){(uint32_t)i, weight(i)};
}

int main(int argc, char **argv)
{
    lists l[COUNT(LENGTHS)];
    bench_case cases[COUNT(LENGTHS)];
    char variants[COUNT(LENGTHS)][32];
    bench b = bench_start(argc, argv, "The scorer of layers 2 and 3.", NULL, 15);
    for (size_t i = 0; i < COUNT(LENGTHS); i++) {
        lists_init(&l[i], LENGTHS[i]);
        (void)snprintf(variants[i], sizeof variants[i], "%zu candidates", LENGTHS[i]);
        cases[i] = (bench_case){"cm_score_candidates", variants[i], run_score, &l[i], LISTS, 0};
    }
    bench_table(&b, "Scorer, per list of candidates");
    bench_run(&b, cases, COUNT(cases));
    for (size_t i = 0; i < COUNT(LENGTHS); i++)
        free(l[i].candidates);
    return 0;
}
