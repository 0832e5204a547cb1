/* Many images of segments into an index, by all threads. */
#ifndef CM_INDEX_SEGMENT_LOAD_H
#define CM_INDEX_SEGMENT_LOAD_H

#include "index/segment_adopt.h"
#include "util/buffer.h"

/** Where images come from. */
typedef struct cm_segment_source {
    void *context;
    size_t count; /* of images */
    /**
     * Read an image. Several threads may, different ones.
     *
     * @param number  below count; each is asked for once
     * @param bytes   room of the thread, used again and again; receives the bytes
     * @param image   receives all else
     */
    cm_status (*read)(void *context, size_t number, cm_buffer *bytes, cm_segment_image *image,
                      cm_error *error);
} cm_segment_source;

/**
 * Load segments into an index that has none, and build all that finds their clicks. Nobody may use
 * the index meanwhile; after a failure it is good only for being destroyed.
 *
 * @param threads  at least 1
 * @return CM_OK; what the source returns; CM_ERROR_FORMAT for what is no image, or where a click
 *         is in two of them; CM_ERROR_MEMORY or CM_ERROR_CAPACITY
 */
cm_status cm_segments_load(cm_click_index *index, const cm_segment_source *source, unsigned threads,
                           cm_error *error);

#endif
