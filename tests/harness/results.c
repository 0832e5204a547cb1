#include "harness/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/bits.h"
#include "util/slice.h"

static bool same_click(const cm_matched_click *a, const cm_matched_click *b)
{
    return cm_slice_equal(a->click_id, b->click_id) &&
           cm_slice_equal(a->campaign_id, b->campaign_id) &&
           cm_slice_equal(a->adset_id, b->adset_id) && cm_slice_equal(a->ad_id, b->ad_id) &&
           cm_slice_equal(a->creative_id, b->creative_id) &&
           cm_slice_equal(a->reference, b->reference) && a->click_timestamp == b->click_timestamp;
}

bool results_same(const cm_result *a, const cm_result *b)
{
    if (a->method != b->method || memcmp(a->layers, b->layers, sizeof a->layers) != 0 ||
        a->window_hours != b->window_hours || a->layer_2_weighed != b->layer_2_weighed ||
        a->candidate_count != b->candidate_count || !same_click(&a->click, &b->click))
        return false;
    for (uint32_t i = 0; i < a->candidate_count; i++)
        if (!cm_slice_equal(a->candidates[i].click_id, b->candidates[i].click_id) ||
            !same_bits(a->candidates[i].probability, b->candidates[i].probability))
            return false;
    return same_bits(a->confidence, b->confidence) && same_bits(a->probability, b->probability) &&
           same_bits(a->layer_2_probability, b->layer_2_probability);
}

void results_assert_same(const cm_result *a, const cm_result *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!results_same(&a[i], &b[i]))
            fail_msg("conversion %zu: %s and %s", i, cm_method_name(a[i].method),
                     cm_method_name(b[i].method));
}
