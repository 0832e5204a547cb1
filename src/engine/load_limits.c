#include "engine/load_limits.h"

#include "model/normal.h"

/*
 * What structures take of a click at most, where all its values are its own, arrays that grow by an
 * eighth have just done so, and tables are as empty as they get (tests/unit/test_load_limits.c
 * measures it):
 */
#define ROW_COST 64         /* row, place, header of its texts, an expiry of its own */
#define ID_COST 11          /* slot */
#define PARAM_COST 20       /* slot, list */
#define FINGERPRINT_COST 62 /* slot, group with 32 bytes and a list */
#define ADDRESS_COST 32     /* slot, lists of bucket and type */
#define TENANT_COST 16      /* list */
#define WIDE_COST 80        /* a bucket with more than 64 bits, as a name of its own */
#define LOOK_COST 120       /* a look of its own */

static bool has_fingerprint(const cm_device *device)
{
    return device->has_fingerprint || device->screen_width.size > 0 ||
           device->screen_height.size > 0 || device->timezone.size > 0 ||
           device->timezone_offset.size > 0;
}

size_t cm_click_cost(const cm_click *click, const cm_model *model)
{
    size_t texts =
        click->click_id.size + click->fbclid.size + click->gclid.size + click->reference.size;
    size_t cost = ROW_COST + ID_COST + TENANT_COST + texts + texts / 8;
    if (click->fbclid.size > 0)
        cost += PARAM_COST;
    if (click->gclid.size > 0)
        cost += PARAM_COST;
    if (has_fingerprint(&click->device))
        cost += FINGERPRINT_COST;
    unsigned version = click->device.ip_address.version;
    if (version != 0)
        cost += cm_bucket_is_wide(model, version) ? ADDRESS_COST + WIDE_COST : ADDRESS_COST;
    return model->has_traits ? cost + LOOK_COST : cost;
}

/* Of a click with all keys, beside its texts. */
static size_t keys_cost_most(const cm_model *model)
{
    size_t cost =
        ROW_COST + ID_COST + TENANT_COST + 2 * PARAM_COST + FINGERPRINT_COST + ADDRESS_COST;
    cost += cm_bucket_is_wide(model, 4) || cm_bucket_is_wide(model, 6) ? WIDE_COST : 0;
    return cost + (model->has_traits ? LOOK_COST : 0);
}

size_t cm_click_cost_most(const cm_click *click, const cm_model *model)
{
    size_t texts =
        click->click_id.size + click->fbclid.size + click->gclid.size + click->reference.size;
    return keys_cost_most(model) + texts + texts / 8;
}

uint64_t cm_engine_click_bytes(const cm_engine *engine)
{
    const cm_click_index *index = &engine->index;
    const cm_segment *open[] = {index->writer.segment, index->ahead.segment};
    uint64_t rows = index->catalog.store.closed_rows, bytes = index->catalog.store.closed_bytes;
    for (size_t i = 0; i < 2; i++)
        if (open[i] != NULL) {
            rows += open[i]->count;
            bytes += open[i]->heap_size;
        }
    return rows * keys_cost_most(engine->model) + bytes + bytes / 8;
}

/* Looks and wide buckets are in the clicks' costs. */
static bool is_counted(cm_name_kind kind)
{
    return kind != CM_NAME_LOOK && kind != CM_NAME_WIDE_BUCKET;
}

size_t cm_engine_name_bytes(const cm_engine *engine)
{
    size_t bytes = 0;
    for (cm_name_kind kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        if (is_counted(kind))
            bytes += cm_dictionary_cost(&engine->index.catalog.names[kind]);
    return bytes;
}

static cm_load_over judge(const cm_load_limits *limits, const cm_engine *engine)
{
    size_t tenants = engine->index.catalog.names[CM_NAME_TENANT].used;
    if (limits->click_bytes_max != 0 && limits->click_bytes > limits->click_bytes_max)
        return CM_OVER_CLICKS;
    if (limits->tenants_max != 0 && tenants > limits->tenants_max)
        return CM_OVER_TENANTS;
    if (limits->name_bytes_max != 0 && cm_engine_name_bytes(engine) > limits->name_bytes_max)
        return CM_OVER_NAMES;
    return CM_OVER_NOTHING;
}

void cm_load_limits_count(cm_load_limits *limits, const cm_engine *engine, size_t cost,
                          uint64_t left_out)
{
    limits->click_bytes += cost;
    limits->left_out += left_out;
    if (cm_load_limits_over(limits) == CM_OVER_NOTHING)
        atomic_store(&limits->over, (int)judge(limits, engine));
}

static void begin_anew(cm_load_limits *limits)
{
    limits->click_bytes = limits->left_out = 0;
    atomic_store(&limits->over, (int)CM_OVER_NOTHING);
}

cm_status cm_load_newest(cm_load_limits *limits, cm_status (*read)(void *context, cm_error *error),
                         void *context, cm_error *error)
{
    cm_click_survey survey = {.cost_max = limits->click_bytes_max == 0 ? UINT64_MAX
                                                                       : limits->click_bytes_max};
    limits->survey = &survey;
    begin_anew(limits);
    cm_status status = read(context, error);
    limits->survey = NULL;
    limits->from_us = survey.count == 0 ? survey.from_us : survey.heap[0].time_us;
    cm_click_survey_destroy(&survey);
    begin_anew(limits);
    return status == CM_OK ? read(context, error) : status;
}

void cm_engine_clear(cm_engine *engine)
{
    uint64_t seed = engine->index.rules.seed;
    cm_click_index_destroy(&engine->index);
    cm_click_index_init(&engine->index, engine->model, seed);
}
