/*
 * Clicks of one fingerprint side by side. A conversion looks at the newest clicks of its
 * fingerprint: where these lie together, their rows come in half as many cache lines, one after
 * another. Clicks that are loaded in bulk are put so, a segment at a time, before any index knows
 * their numbers.
 */
#ifndef CM_STORE_CLUSTER_H
#define CM_STORE_CLUSTER_H

#include "store/click_store.h"

/** Room to work in, kept from segment to segment. Zero-initialised is ready. */
typedef struct cm_cluster_room {
    char *bytes;
    size_t capacity;
} cm_cluster_room;

/**
 * Order the clicks of a segment that are not in the indexes yet by row.fingerprint, those of equal
 * ones staying in their order. Threads may cluster different segments.
 *
 * @return CM_OK or CM_ERROR_MEMORY: they stay as they were
 */
cm_status cm_click_store_cluster(cm_click_store *store, size_t segment, cm_cluster_room *room,
                                 cm_error *error);

void cm_cluster_room_destroy(cm_cluster_room *room);

/** The number of a click now that had another before the clustering. */
static inline uint32_t cm_click_store_moved(const cm_click_store *store, uint32_t number)
{
    const cm_segment *segment = store->segments[number >> CM_SEGMENT_BITS];
    return (number & ~(CM_SEGMENT_ROWS - 1)) + segment->moved[number & (CM_SEGMENT_ROWS - 1)];
}

/** Forget what was moved: all clicks of the segment are in the indexes. */
void cm_click_store_settle(cm_click_store *store, size_t segment);

#endif
