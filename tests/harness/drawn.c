#include "harness/drawn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "harness/random.h"

#define KNOWN 0.9 /* of user agents and traits: that are there */

double drawn_share(uint64_t *random)
{
    return (double)random_below(random, 1u << 30) / (1u << 30);
}

static bool falls(double chance, uint64_t *random)
{
    return drawn_share(random) < chance;
}

/* Of n + 1 strangers there are (n + rivals) / (n + 1) as many chances as of n: almost, so that they
 * sum to something. */
size_t drawn_strangers(double rivals, uint64_t *random)
{
    double chances[DRAWN_MAX / 2] = {1}, sum = 1;
    for (size_t n = 0; n + 1 < DRAWN_MAX / 2; n++) {
        chances[n + 1] = 0.98 * chances[n] * ((double)n + rivals) / ((double)n + 1);
        sum += chances[n + 1];
    }
    double left = drawn_share(random) * sum;
    size_t n = 0;
    while (n + 1 < DRAWN_MAX / 2 && left >= chances[n])
        left -= chances[n++];
    return n;
}

/* ---- one click ---- */

static double edge_before(const cm_model *model, size_t bin)
{
    return bin == 0 ? 0 : model->delay_hours[bin - 1];
}

/* A bin by its chance, and a time in it; false where it is none of them. */
static bool draw_delay(const cm_model *model, const double *chances, size_t bins, uint64_t *random,
                       size_t *bin, double *delay)
{
    double left = drawn_share(random);
    for (*bin = 0; *bin < bins && left >= chances[*bin]; ++*bin)
        left -= chances[*bin];
    if (*bin == bins)
        return false;
    double from = edge_before(model, *bin);
    *delay = from + drawn_share(random) * (model->delay_hours[*bin] - from);
    return true;
}

/* Strangers' delays: as the model says, else spread evenly over the window. */
static void draw_stranger_delay(const cm_model *model, const double *delay_u, double window,
                                size_t bins, uint64_t *random, size_t *bin, double *delay)
{
    if (delay_u != NULL) {
        double sum = 0;
        for (size_t i = 0; i < bins; i++)
            sum += delay_u[i];
        assert_true(sum > 1 - 1e-9);
        while (!draw_delay(model, delay_u, bins, random, bin, delay))
            ;
        return;
    }
    *delay = drawn_share(random) * window;
    for (*bin = 0; *delay >= model->delay_hours[*bin];)
        ++*bin;
}

static uint8_t compare(double chance, double known, uint64_t *random)
{
    if (!falls(known, random))
        return CM_COMPARE_MISSING;
    return falls(chance, random) ? CM_COMPARE_EQUAL : CM_COMPARE_DIFFERENT;
}

static uint8_t compare_addresses(double equal, double other, uint64_t *random)
{
    if (falls(equal, random))
        return CM_COMPARE_EQUAL;
    return falls(other, random) ? CM_COMPARE_OTHER_FAMILY : CM_COMPARE_DIFFERENT;
}

static void compare_rest(const cm_layer_model *layer, bool is_own, uint64_t *random,
                         cm_candidate_look *look)
{
    look->user_agent = compare(is_own ? layer->user_agent_m : layer->user_agent_u, KNOWN, random);
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++)
        if (layer->traits[i].m > 0) {
            const cm_chances *trait = &layer->traits[i];
            cm_look_set_trait(look, i, compare(is_own ? trait->m : trait->u, KNOWN, random));
        }
}

/* In the order of their delays. */
static void add(drawn_looks *drawn, cm_candidate_look look, double delay)
{
    size_t at = drawn->count++;
    assert_true(drawn->count <= DRAWN_MAX);
    for (; at > 0 && drawn->delays[at - 1] > delay; at--) {
        drawn->items[at] = drawn->items[at - 1];
        drawn->delays[at] = drawn->delays[at - 1];
    }
    drawn->items[at] = look;
    drawn->delays[at] = delay;
}

/* `equal` is the chance that what the layer compares is the same: address, or fingerprint. */
static void add_compared(const cm_model *truth, enum cm_weighed_layer layer, double equal,
                         bool is_own, size_t bin, double delay, uint64_t *random,
                         drawn_looks *drawn)
{
    const cm_parameters *p = truth->parameters;
    cm_candidate_look look = {.click = (uint32_t)drawn->count, .bin = (uint32_t)bin};
    if (layer == CM_WEIGH_FINGERPRINT)
        look.evidence = compare_addresses(equal, is_own ? p->ip_other_m : p->ip_other_u, random);
    else
        look.evidence = compare(equal, 1, random);
    compare_rest(layer == CM_WEIGH_FINGERPRINT ? &p->fingerprint : &p->probabilistic, is_own,
                 random, &look);
    add(drawn, look, delay);
}

/* ---- a layer ---- */

static size_t bins_within(const cm_model *model, double window)
{
    size_t bins = 0;
    while (bins < model->bin_count && model->delay_hours[bins] <= window)
        bins++;
    return bins;
}

/* The device's newest click, and with the chance `repeat` an older one, at a stranger's delay; of
 * one address there is one of them. */
static void add_own(const cm_model *truth, enum cm_weighed_layer which, double window,
                    uint64_t *random, drawn_looks *drawn)
{
    const cm_parameters *p = truth->parameters;
    bool is_fingerprint = which == CM_WEIGH_FINGERPRINT;
    const cm_layer_model *layer = is_fingerprint ? &p->fingerprint : &p->probabilistic;
    const double *key_m = is_fingerprint ? p->fingerprint_m : p->ip_m;
    const double *equal_m = is_fingerprint ? p->ip_m : p->fingerprint_m;
    size_t bins = bins_within(truth, window), bin, other;
    double delay, older;
    if (!draw_delay(truth, p->delay_m, bins, random, &bin, &delay) || !falls(key_m[bin], random))
        return;
    drawn->has_own = true;
    add_compared(truth, which, equal_m[bin], true, bin, delay, random, drawn);
    bool is_here = is_fingerprint && drawn->items[0].evidence == CM_COMPARE_EQUAL;
    if (!falls(layer->repeat, random))
        return;
    draw_stranger_delay(truth, layer->delay_u, window, bins, random, &other, &older);
    drawn->has_older = older > delay && falls(key_m[other], random);
    if (drawn->has_older)
        add_compared(truth, which, is_here ? 0 : equal_m[other], true, other, older, random, drawn);
}

void drawn_candidates(const cm_model *truth, enum cm_weighed_layer which, double u,
                      uint64_t *random, drawn_looks *drawn)
{
    const cm_parameters *p = truth->parameters;
    bool is_fingerprint = which == CM_WEIGH_FINGERPRINT;
    const cm_layer_model *layer = is_fingerprint ? &p->fingerprint : &p->probabilistic;
    double window = is_fingerprint ? truth->window_hours : truth->probabilistic_window_hours;
    memset(drawn, 0, sizeof *drawn);
    if (falls(layer->prior, random))
        add_own(truth, which, window, random, drawn);
    for (size_t n = drawn_strangers(layer->rivals, random); n > 0; n--) {
        size_t bin;
        double delay;
        draw_stranger_delay(truth, layer->delay_u, window, bins_within(truth, window), random, &bin,
                            &delay);
        add_compared(truth, which, is_fingerprint ? u : p->fingerprint_u, false, bin, delay, random,
                     drawn);
    }
}

/* A click that kept the address: bins where that is likely have more of them. */
void drawn_newer(const cm_model *truth, bool is_own, uint64_t *random, drawn_looks *drawn)
{
    const cm_parameters *p = truth->parameters;
    size_t bins = bins_within(truth, truth->window_hours), bin;
    double delay;
    if (is_own)
        do
            while (!draw_delay(truth, p->delay_m, bins, random, &bin, &delay))
                ;
        while (!falls(p->ip_m[bin], random));
    else
        draw_stranger_delay(truth, NULL, truth->window_hours, bins, random, &bin, &delay);
    add_compared(truth, CM_WEIGH_PROBABILISTIC, is_own ? p->fingerprint_m[bin] : p->fingerprint_u,
                 is_own, bin, delay, random, drawn);
}
