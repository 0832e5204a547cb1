/*
 * What a stream knows beside its clicks, as bytes: its time, the events that wait, the conversion
 * ids. Ids of full segments never change: they are kept apart, so that each is written once.
 */
#ifndef CM_STREAM_STREAM_IMAGE_H
#define CM_STREAM_STREAM_IMAGE_H

#include "stream/stream.h"

/** Append the image. Nothing may be in the stream's batch: cm_stream_take has returned. Failure:
 * image->failed. */
void cm_stream_image_write(const cm_stream *stream, cm_buffer *image);

/** Where full segments of ids come from. */
typedef struct cm_ids_source {
    cm_status (*read)(void *context, uint64_t serial, cm_buffer *texts, cm_error *error);
    void *context;
} cm_ids_source;

/**
 * Bring a stream back to where it was. The options are its own, not those of the image.
 *
 * @param stream  new
 * @param image   any bytes
 * @return CM_OK; CM_ERROR_FORMAT where that is no image; CM_ERROR_MODEL where it was made by a
 *         model with another window; CM_ERROR_MEMORY; what the source returns. After a failure the
 *         stream is good only for being destroyed.
 */
cm_status cm_stream_image_read(cm_stream *stream, cm_slice image, const cm_ids_source *ids,
                               cm_error *error);

#endif
