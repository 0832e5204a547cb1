/* A conversion on its way through the layers: its keys, and the numbers that the index knows them
 * by. */
#ifndef CM_MATCH_QUERY_H
#define CM_MATCH_QUERY_H

#include "match/recent.h"

typedef struct cm_query {
    const cm_conversion *conversion; /* borrowed */
    cm_conversion_keys keys;
    int64_t t;            /* conversion_timestamp */
    uint32_t tenant;      /* CM_NUMBER_NONE: a tenant without clicks */
    uint32_t user_agent;  /* CM_NUMBER_MISSING; CM_NUMBER_NONE: one that no click has */
    uint32_t fingerprint; /* group; CM_NUMBER_NONE where it has none or no valid click shares it */
    uint32_t address_groups[2]; /* its device type's and the missing one's; CM_NUMBER_NONE where
                                   there is none */
    cm_list_set addresses;      /* the addresses' list */
} cm_query;

/** Ask the memory for what the first layer begins with. */
void cm_query_prefetch_ids(const cm_click_index *index, const cm_query *query);

/** Look up the tenant: enough for layer 1. */
void cm_query_find_tenant(const cm_click_index *index, cm_query *query);

/** Ask the memory for what layers 2 and 3 begin with. */
void cm_query_prefetch_device(const cm_click_index *index, const cm_query *query);

/** Look up fingerprint, address and user agent. */
void cm_query_find_device(const cm_click_index *index, cm_query *query);

/** Whether a click's address and device type put it in the conversion's addresses' list. */
bool cm_query_shares_address(const cm_click_index *index, const cm_query *query,
                             const cm_click_row *row);

#endif
