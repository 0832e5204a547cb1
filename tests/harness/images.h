/* Segments of engines as images, in memory. */
#ifndef HARNESS_IMAGES_H
#define HARNESS_IMAGES_H

#include "engine/engine.h"
#include "index/segment_encode.h"
#include "index/segment_load.h"

#define IMAGES_MAX 8u

/** Two models that differ in what IPv6 addresses are to an engine; and the first, with traits. */
extern const char images_wide_model[], images_narrow_model[], images_traits_model[];

/** An engine of one of them. */
cm_engine *images_engine(const char *model, uint64_t seed);

/** Add clicks in bulk, by a number of loaders, so that as many segments are open afterwards;
 * duplicates are in them, and marked. */
void images_add_in_bulk(cm_engine *engine, const cm_click *clicks, size_t count, size_t loaders);

typedef struct images {
    cm_buffer bytes[IMAGES_MAX];
    size_t places[IMAGES_MAX];
    uint32_t unlisted[IMAGES_MAX];
    size_t count;
} images;

/** Encode a segment, some rows at a time. */
cm_buffer images_encode(cm_segment_encoder *encoder, cm_engine *engine, size_t place,
                        uint32_t step);

/** All segments of an engine. */
images images_encode_all(cm_engine *engine, uint32_t step);

/** Load them into an engine that has no clicks. */
cm_status images_load(cm_engine *engine, images *from, unsigned threads, cm_error *error);

void images_destroy(images *made);

#endif
