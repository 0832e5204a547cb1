/* Conversions by what they have in common: their device type, their tenant. */
#ifndef CM_CMD_EVALUATE_GROUPS_H
#define CM_CMD_EVALUATE_GROUPS_H

#include "engine/records.h"
#include "eval/evaluation.h"

/** Groups in the order of their names. Zero-initialised is empty. */
typedef struct cm_grouping {
    char **names; /* owned, as each of them */
    size_t count;
    uint32_t *of; /* by number of conversion */
} cm_grouping;

typedef enum cm_grouping_kind { CM_GROUPING_DEVICE_TYPE, CM_GROUPING_TENANT } cm_grouping_kind;
#define CM_GROUPING_COUNT 2
#define CM_GROUP_NO_TYPE "(none)" /* the name of conversions without a device type */

/** Group all conversions. CM_OK or CM_ERROR_MEMORY; in any case to be destroyed. */
cm_status cm_grouping_make(const cm_records *records, cm_grouping_kind kind, cm_grouping *grouping,
                           cm_error *error);
void cm_grouping_destroy(cm_grouping *grouping);

/**
 * Make the figures of all judged conversions, and of each group of them.
 *
 * @param groupings  by cm_grouping_kind
 * @param judgement  receives the groups, also those made before a failure
 */
cm_status cm_groups_make(const cm_judged *judged, size_t count, const cm_grouping *groupings,
                         const cm_figures_options *options, cm_judgement *judgement,
                         cm_error *error);

#endif
