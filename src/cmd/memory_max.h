/* --memory-max: what of it is for what. */
#ifndef CM_CMD_MEMORY_MAX_H
#define CM_CMD_MEMORY_MAX_H

#include "cmd/options.h"
#include "engine/load_limits.h"

/** Shares of it, in bytes. */
typedef struct cm_memory_shares {
    uint64_t all;
    size_t clicks;  /* three quarters: by cm_click_cost */
    size_t names;   /* an eighth: user agents, campaigns, tenants */
    size_t ids;     /* an eighth: of conversions */
    size_t records; /* three eighths: clicks and conversions held as they were read */
} cm_memory_shares;

/** --memory-max; without it 80 % of what there is (file/machine_memory.h). */
cm_memory_shares cm_memory_shares_of(const cm_settings *settings);

/** The limits of loading clicks: those shares, and --tenants-max. */
cm_load_limits cm_memory_load_limits(const cm_settings *settings);

/** The error where clicks that were loaded are over a limit, and leaving the oldest out does not
 * help, or cannot be done. */
cm_status cm_memory_refuse(const cm_load_limits *limits, const char *source, cm_error *error);

/** The one where it is --tenants-max. */
cm_status cm_memory_refuse_tenants(const cm_load_limits *limits, const char *source,
                                   cm_error *error);

#endif
