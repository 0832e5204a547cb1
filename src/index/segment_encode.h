/*
 * A segment of the store as bytes that need nothing else (segment_format.h), made a few rows at a
 * time while the segment grows on: rows that were there at the beginning do not change.
 */
#ifndef CM_INDEX_SEGMENT_ENCODE_H
#define CM_INDEX_SEGMENT_ENCODE_H

#include "index/click_index.h"
#include "util/buffer.h"

#define CM_IMAGE_FINGERPRINTS CM_NAME_KIND_COUNT /* a further kind of name, in here only */
#define CM_IMAGE_KIND_COUNT (CM_NAME_KIND_COUNT + 1)

/** Numbers of one kind: which the image knows, and by what number. Forgotten by a new epoch. */
typedef struct cm_image_map {
    uint64_t *slots; /* made when first needed */
    uint32_t count;
} cm_image_map;

/**
 * Makes one image after the other. Zero-initialised is ready; owned by the thread that writes the
 * index. Its maps take up to 7 MiB, which it keeps; 12 where the model compares traits.
 */
typedef struct cm_segment_encoder {
    cm_image_map maps[CM_IMAGE_KIND_COUNT];
    cm_buffer names[CM_NAME_KIND_COUNT];
    uint32_t epoch;
    cm_buffer image;
    cm_click_index *index;     /* NULL: nothing begun */
    const cm_segment *segment; /* pinned */
    size_t place;
    uint32_t count;    /* rows to encode */
    uint32_t done;     /* of these */
    uint32_t unlisted; /* of these, at the front: those that were in no index */
    uint32_t expiries; /* written so far */
    size_t expiries_at, texts_at, fingerprints_at; /* in the image */
    unsigned kind;                                 /* whose names are copied in the end */
    size_t copied;                                 /* bytes of them */
} cm_segment_encoder;

/**
 * Take the memory of maps and names at once, so that no step has to. May be left out.
 *
 * @param model  of the indexes that it will be used with
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_segment_encoder_warm_up(cm_segment_encoder *encoder, const cm_model *model,
                                     cm_error *error);

/**
 * Begin with a segment. It is pinned until the image is taken or dropped; clicks may be appended to
 * it. What was begun before is dropped.
 *
 * Its clicks may be forgotten meanwhile. Those that are before they are encoded lose their names,
 * and encoder->unlisted says how many at the front were forgotten by then: an image can be used
 * with any later state of its segment, not with an earlier one.
 *
 * @param place  of the segment in the store
 * @param count  encode so many rows, at least one, at most those that are there
 * @param spare  a buffer whose memory is used for the image, and which is empty afterwards
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_segment_encode_begin(cm_segment_encoder *encoder, cm_click_index *index, size_t place,
                                  uint32_t count, cm_buffer *spare, cm_error *error);

/**
 * Go on with at most so many rows, or as many bytes of names as they would take.
 *
 * @param is_done  receives whether the image is whole
 * @return CM_OK or CM_ERROR_MEMORY: then begin again
 */
cm_status cm_segment_encode_step(cm_segment_encoder *encoder, uint32_t rows_max, bool *is_done,
                                 cm_error *error);

/** The image when it is done; the caller owns it. */
cm_buffer cm_segment_encode_take(cm_segment_encoder *encoder);

/** Drop what was begun. */
void cm_segment_encode_drop(cm_segment_encoder *encoder);

/** Free all, an image that is not done too; ready again. Before the index goes. */
void cm_segment_encoder_destroy(cm_segment_encoder *encoder);

#endif
