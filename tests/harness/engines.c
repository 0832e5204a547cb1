#include "harness/engines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/results.h"

size_t engines_shard_sizes(const cm_click_index *index, size_t shard, size_t sizes[ENGINES_SIZES])
{
    const cm_address_shard *addresses = &index->addresses[shard];
    sizes[0] = index->click_ids[shard].count;
    sizes[1] = index->params[CM_PARAM_FBCLID][shard].table.count;
    sizes[2] = index->params[CM_PARAM_GCLID][shard].table.count;
    sizes[3] = index->params[CM_PARAM_FBCLID][shard].groups.used;
    sizes[4] = index->fingerprints[shard].groups.used;
    sizes[5] = addresses->buckets.table.count;
    sizes[6] = addresses->types.table.count;
    sizes[7] = addresses->types.groups.used;
    size_t total = 0;
    for (size_t i = 0; i < ENGINES_SIZES; i++)
        total += sizes[i];
    return total;
}

void engines_assert_nothing_left(cm_engine *engine)
{
    size_t sizes[ENGINES_SIZES], count = cm_engine_click_count(engine);
    assert_int_equal(cm_engine_expire(engine, INT64_MAX), count);
    assert_int_equal(cm_engine_click_count(engine), 0);
    for (size_t shard = 0; shard < CM_SHARDS; shard++)
        assert_int_equal(engines_shard_sizes(&engine->index, shard, sizes), 0);
    for (size_t tenant = 0; tenant < engine->index.tenants.count; tenant++)
        assert_int_equal(engine->index.tenants.of[tenant].count, 0);
}

/* Conversions that carry one key of one click, or its device, a while after it. */
static cm_conversion *conversions_of(const world *from, size_t *count)
{
    static const int64_t delays_us[] = {0, 1800000000, 5 * CM_HOUR_US, 700 * CM_HOUR_US};
    cm_conversion *conversions = calloc(4 * from->click_count, sizeof *conversions);
    assert_non_null(conversions);
    *count = 4 * from->click_count;
    for (size_t i = 0; i < *count; i++) {
        const cm_click *click = &from->clicks[i / 4];
        cm_conversion *conversion = &conversions[i];
        conversion->tenant_id = click->tenant_id;
        conversion->conversion_id = click->click_id;
        conversion->conversion_timestamp = click->click_timestamp;
        if (click->click_timestamp < INT64_C(253000000000000000))
            conversion->conversion_timestamp += delays_us[i / 4 * 7 % 4];
        if (i % 4 == 0)
            conversion->click_id = click->click_id;
        if (i % 4 == 1)
            conversion->fbclid = click->fbclid;
        if (i % 4 == 2)
            conversion->gclid = click->gclid;
        conversion->device = click->device;
        if (i % 8 == 3)
            conversion->device.has_fingerprint = false;
    }
    return conversions;
}

static void assert_same_of(const cm_engine *a, const cm_engine *b, const cm_conversion *conversions,
                           size_t count)
{
    cm_result *of_a = calloc(count + 1, sizeof *of_a), *of_b = calloc(count + 1, sizeof *of_b);
    assert_non_null(of_a);
    assert_non_null(of_b);
    assert_int_equal(cm_engine_match(a, conversions, count, of_a, NULL), CM_OK);
    assert_int_equal(cm_engine_match(b, conversions, count, of_b, NULL), CM_OK);
    results_assert_same(of_a, of_b, count);
    free(of_a);
    free(of_b);
}

void engines_assert_same_matches(const cm_engine *a, const cm_engine *b, const world *from)
{
    size_t count;
    cm_conversion *conversions = conversions_of(from, &count);
    assert_same_of(a, b, conversions, count);
    assert_same_of(a, b, from->conversions, from->conversion_count);
    free(conversions);
}
