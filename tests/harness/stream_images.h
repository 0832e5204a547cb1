/* A stream as bytes: its state, its clicks, its full segments of ids; and back. In memory. */
#ifndef HARNESS_STREAM_IMAGES_H
#define HARNESS_STREAM_IMAGES_H

#include "harness/images.h"
#include "harness/streams.h"
#include "stream/stream_image.h"

typedef struct stream_images {
    cm_buffer state;
    images clicks;
    cm_buffer *ids; /* from the first segment on, but the last */
    uint64_t ids_first;
    size_t ids_count;
} stream_images;

/** All that a stream is between two blocks. */
stream_images stream_images_of(const streams_run *run);
void stream_images_destroy(stream_images *made);

/** Read a state into a new stream, whose ids come from the images. */
cm_status stream_images_read(streams_run *run, const stream_images *from, cm_slice state,
                             cm_error *error);

/** The clicks, too; fails the test where they cannot be read. */
void stream_images_load(streams_run *run, stream_images *from);

/** Go on as another process would: with an engine and a stream made of the images of these. What
 * was told stays. */
void stream_images_restart(streams_run *run, const char *model_json);

#endif
