/* Where an engine's memory is. */
#include "engine/engine.h"

static const char *const name_of_names[CM_NAME_KIND_COUNT] = {
    [CM_NAME_TENANT] = "tenants",
    [CM_NAME_DEVICE_TYPE] = "device types",
    [CM_NAME_WHO] = "tenants with device types",
    [CM_NAME_USER_AGENT] = "user agents",
    [CM_NAME_TRAIT + CM_TRAIT_OS] = "operating systems",
    [CM_NAME_TRAIT + CM_TRAIT_BROWSER] = "browsers",
    [CM_NAME_TRAIT + CM_TRAIT_SCREEN] = "screens",
    [CM_NAME_TRAIT + CM_TRAIT_TIMEZONE] = "time zones",
    [CM_NAME_LOOK] = "user agents with traits",
    [CM_NAME_CAMPAIGN] = "campaigns",
    [CM_NAME_WIDE_BUCKET] = "IPv6 buckets over 64 bits",
};

size_t cm_engine_memory_parts(const cm_engine *engine, cm_memory_part *parts)
{
    cm_index_memory memory = cm_click_index_memory(&engine->index);
    const cm_memory_part own[] = {
        {"rows", memory.store.rows},
        {"texts: ids, fbclid, gclid, reference", memory.store.texts},
        {"places of texts", memory.store.places},
        {"expiries", memory.store.expiries},
        {"click id table", memory.click_ids},
        {"fbclid and gclid table", memory.param_table},
        {"fbclid and gclid lists", memory.param_lists},
        {"fingerprint table", memory.fingerprint_table},
        {"fingerprints", memory.fingerprint_groups},
        {"fingerprint lists", memory.fingerprint_lists},
        {"address table", memory.address_table},
        {"address lists", memory.address_lists},
        {"tenant lists", memory.tenant_lists},
        {"fixed", sizeof *engine - sizeof engine->index + memory.shards + memory.store.other +
                      cm_scoring_memory(&engine->scoring)},
    };
    size_t count = 0;
    for (; count < sizeof own / sizeof *own; count++)
        parts[count] = own[count];
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        parts[count++] = (cm_memory_part){name_of_names[kind], memory.names[kind]};
    return count;
}
