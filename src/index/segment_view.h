/* The parts of an image of a segment, checked as far as they can be without looking at rows. */
#ifndef CM_INDEX_SEGMENT_VIEW_H
#define CM_INDEX_SEGMENT_VIEW_H

#include "index/segment_format.h"

typedef struct cm_segment_view {
    const char *name; /* for messages; borrowed, as all else */
    cm_image_header header;
    const char *rows, *expiries, *texts, *fingerprints;
    const char *names[CM_NAME_KIND_COUNT];
} cm_segment_view;

/**
 * Look at an image, which may be any bytes.
 *
 * @param name   of the file, for messages
 * @return CM_OK or CM_ERROR_FORMAT
 */
cm_status cm_segment_view_open(cm_segment_view *view, const char *name, cm_slice image,
                               cm_error *error);

/**
 * The next name of a kind.
 *
 * @param at  bytes read so far, 0 at first
 * @return CM_OK, or CM_ERROR_FORMAT where it is cut off or empty
 */
cm_status cm_segment_view_name(const cm_segment_view *view, cm_name_kind kind, size_t *at,
                               cm_slice *text, cm_error *error);

/** The error for an image that is not as it was written. Returns CM_ERROR_FORMAT. */
cm_status cm_segment_view_fault(const cm_segment_view *view, cm_error *error, const char *format,
                                ...) __attribute__((format(printf, 3, 4)));

#endif
