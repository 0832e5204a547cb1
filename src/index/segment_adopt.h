/*
 * Images of segments (segment_encode.h) back into a store. Threads adopt segments side by side;
 * each logs what the indexes need (click_log.h), and then all build them (click_bulk.h):
 *
 *     thread 1   adopt 0 | adopt 2 | ...      build
 *     thread 2   adopt 1 | adopt 3 | ...      build
 */
#ifndef CM_INDEX_SEGMENT_ADOPT_H
#define CM_INDEX_SEGMENT_ADOPT_H

#include "index/click_log.h"

/** A name of an image. */
typedef struct cm_adopted_name {
    const char *text;
    uint64_t hash; /* of the text; of a who, its tenant's */
    size_t size;
} cm_adopted_name;

/** The names of a kind, by their number in the image. */
typedef struct cm_adopted_names {
    cm_adopted_name *names;
    uint32_t *numbers; /* in the catalog: apart, as every row reads them */
    size_t name_capacity, number_capacity;
} cm_adopted_names;

/** One thread's part. Zero-initialised but for logger.rules and logger.names: catalog and lock. */
typedef struct cm_segment_adopter {
    cm_click_logger logger;
    cm_adopted_names kinds[CM_NAME_KIND_COUNT];
} cm_segment_adopter;

/** What to adopt. */
typedef struct cm_segment_image {
    const char *name;  /* of its file, for messages */
    cm_slice bytes;    /* any; may be freed afterwards */
    size_t place;      /* where in the store; no segment is there yet */
    uint32_t unlisted; /* rows at the front that are in no index (cm_segment): at least as many as
                            when it was made */
} cm_segment_image;

/**
 * Make a segment of an image: the same rows in the same order. It is given back to the store, and
 * one with room can be appended to. What the indexes need is in adopter->logger afterwards:
 * cm_click_logger_take.
 *
 * @return CM_OK; CM_ERROR_FORMAT where the bytes are no image, or not of an index with this model's
 *         width of IPv6 buckets; CM_ERROR_MEMORY. After a failure the index is good only for being
 *         destroyed.
 * Threads: several, each with its own adopter; nobody may use the index meanwhile.
 */
cm_status cm_segment_adopt(cm_segment_adopter *adopter, const cm_segment_image *image,
                           cm_error *error);

void cm_segment_adopter_destroy(cm_segment_adopter *adopter);

#endif
