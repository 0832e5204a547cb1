/* Clicks, valid or not, by tenant and fbclid or gclid. A shard is a cm_postings. */
#ifndef CM_INDEX_PARAM_INDEX_H
#define CM_INDEX_PARAM_INDEX_H

#include "index/keys.h"
#include "index/postings.h"
#include "store/catalog.h"

/**
 * Find a value.
 *
 * @param value  packed
 * @param hash   cm_param_hash
 * @return its reference; CM_NUMBER_NONE where no click has it
 */
uint32_t cm_param_find(const cm_postings *shard, const cm_catalog *catalog, cm_param_kind kind,
                       uint32_t tenant, cm_slice value, uint64_t hash);

#endif
