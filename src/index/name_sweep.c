#include "index/name_sweep.h"

#include "model/normal.h"

/* A round looks at all names: it is worth its while when one segment of so many has been freed. */
#define SEGMENTS_PER_ROUND 8

/* A who names a tenant and a device type, a look a user agent and traits: they go before these. */
static const cm_name_kind turns[] = {
    CM_NAME_WHO,
    CM_NAME_TENANT,
    CM_NAME_DEVICE_TYPE,
    CM_NAME_LOOK,
    CM_NAME_USER_AGENT,
    CM_NAME_TRAIT + CM_TRAIT_OS,
    CM_NAME_TRAIT + CM_TRAIT_BROWSER,
    CM_NAME_TRAIT + CM_TRAIT_SCREEN,
    CM_NAME_TRAIT + CM_TRAIT_TIMEZONE,
    CM_NAME_CAMPAIGN,
    CM_NAME_WIDE_BUCKET,
};
_Static_assert(sizeof turns / sizeof *turns == CM_NAME_KIND_COUNT, "each kind has its turn");

bool cm_name_sweep_is_due(const cm_name_sweep *sweep, const cm_click_store *store)
{
    size_t freed = store->freed_count - sweep->freed_count;
    return sweep->is_under_way || (freed > 0 && freed * SEGMENTS_PER_ROUND >= store->live_count);
}

/* Where there are none but segments of clicks ahead, what those were stamped with must be older. */
static uint32_t choose_generation(cm_click_store *store)
{
    uint32_t oldest = cm_click_store_oldest_generation(store);
    return oldest < store->next_generation ? oldest : ++store->next_generation;
}

static void begin(cm_name_sweep *sweep, cm_click_store *store)
{
    *sweep = (cm_name_sweep){
        .freed_count = store->freed_count,
        .is_under_way = true,
        .generation = choose_generation(store),
    };
}

/* ---- rows of clicks ahead ---- */

static void stamp(const cm_name_sweep *sweep, const cm_catalog *catalog, cm_name_kind kind,
                  uint32_t number)
{
    if (number != CM_NUMBER_MISSING)
        cm_dictionary_stamp(cm_catalog_name(catalog, kind, number), sweep->generation);
}

static void stamp_look(const cm_name_sweep *sweep, const cm_catalog *catalog, uint32_t number)
{
    cm_look look = cm_catalog_look(catalog, number);
    stamp(sweep, catalog, CM_NAME_LOOK, number);
    stamp(sweep, catalog, CM_NAME_USER_AGENT, look.user_agent);
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++)
        stamp(sweep, catalog, cm_name_of_trait(i), look.traits[i]);
}

static void stamp_row(const cm_name_sweep *sweep, const cm_key_rules *rules,
                      const cm_catalog *catalog, const cm_click_row *row)
{
    if (row->who == CM_NUMBER_MISSING) /* forgotten before the segment was made again */
        return;
    cm_who who = cm_catalog_who(catalog, row->who);
    stamp(sweep, catalog, CM_NAME_WHO, row->who);
    stamp(sweep, catalog, CM_NAME_TENANT, who.tenant);
    stamp(sweep, catalog, CM_NAME_DEVICE_TYPE, who.device_type);
    if (rules->model->has_traits)
        stamp_look(sweep, catalog, row->look);
    else
        stamp(sweep, catalog, CM_NAME_USER_AGENT, row->look);
    stamp(sweep, catalog, CM_NAME_CAMPAIGN, row->campaign);
    unsigned kind = cm_click_row_address_kind(row);
    if (kind != 0 && cm_bucket_is_wide(rules->model, cm_row_address_version(kind)))
        stamp(sweep, catalog, CM_NAME_WIDE_BUCKET, (uint32_t)row->address);
}

/* Of one segment. Returns the budget that is left. */
static size_t stamp_rows(cm_name_sweep *sweep, const cm_key_rules *rules, const cm_catalog *catalog,
                         size_t budget)
{
    const cm_segment *segment = catalog->store.segments[sweep->segment];
    uint32_t count = segment == NULL || !segment->is_ahead ? 0 : segment->count;
    for (; sweep->row < count && budget > 0; sweep->row++, budget--)
        stamp_row(sweep, rules, catalog, &segment->rows[sweep->row]);
    if (sweep->row < count)
        return budget;
    sweep->segment++;
    sweep->row = 0;
    return budget;
}

/* ---- names ---- */

static void sweep_names(cm_name_sweep *sweep, const cm_key_rules *rules, cm_catalog *catalog,
                        size_t budget)
{
    while (budget > 0 && sweep->turn < CM_NAME_KIND_COUNT) {
        cm_dictionary *names = &catalog->names[turns[sweep->turn]];
        size_t left = names->count - sweep->number;
        size_t count = budget < left ? budget : left;
        sweep->number =
            cm_dictionary_sweep(names, sweep->number, count, sweep->generation, rules->seed);
        budget -= count;
        sweep->turn += sweep->number == 0;
    }
    sweep->is_under_way = sweep->turn < CM_NAME_KIND_COUNT;
}

void cm_name_sweep_go_on(cm_name_sweep *sweep, const cm_key_rules *rules, cm_catalog *catalog,
                         size_t budget)
{
    if (!sweep->is_under_way)
        begin(sweep, &catalog->store);
    while (budget > 0 && sweep->segment < catalog->store.segment_count)
        budget = stamp_rows(sweep, rules, catalog, budget);
    if (sweep->segment >= catalog->store.segment_count)
        sweep_names(sweep, rules, catalog, budget);
}
