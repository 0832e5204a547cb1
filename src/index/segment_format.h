/*
 * The image of a segment, byte by byte. Everything lies behind the header in this order, without
 * gaps:
 *
 *     rows          32 bytes each, as cm_click_row; names and fingerprints by their number in here
 *     expiries      8 bytes for each row with CM_ROW_OWN_EXPIRY, in their order
 *     texts         of the rows, one behind the other, as they lie in the heap (click_text.h)
 *     fingerprints  32 bytes each; number 1 first
 *     names         kind by kind (catalog.h): size in 4 bytes, then the text; number 1 first
 *
 * Numbers are those of the machine that wrote it; byte_order tells whether that can be read here.
 * There is no checksum: a part file has one (file/parts.h).
 */
#ifndef CM_INDEX_SEGMENT_FORMAT_H
#define CM_INDEX_SEGMENT_FORMAT_H

#include "model/normal.h"
#include "store/catalog.h"

#define CM_IMAGE_MAGIC "CMSEGMNT"
#define CM_IMAGE_VERSION 3u
#define CM_IMAGE_BYTE_ORDER 0x01020304u
#define CM_IMAGE_FINGERPRINT_BYTES ((size_t)32)

typedef struct cm_image_names {
    uint64_t count, bytes;
} cm_image_names;

typedef struct cm_image_header {
    char magic[8];
    uint32_t byte_order, version;
    uint64_t bytes;    /* of the image */
    uint32_t rows;     /* 1 to CM_SEGMENT_ROWS */
    uint32_t unlisted; /* of the rows at the front, so many are in no index any more: some have no
                          names and fingerprints either */
    uint32_t expiries, fingerprints;
    uint64_t text_bytes;
    uint32_t generation;
    uint8_t wide_kinds; /* CM_ROW_IPV4, CM_ROW_IPV6: whose buckets are CM_NAME_WIDE_BUCKETs */
    uint8_t is_ahead;   /* it is one of clicks ahead of the others */
    uint8_t has_traits; /* rows have looks; else user agents */
    uint8_t unused;
    cm_image_names names[CM_NAME_KIND_COUNT];
} cm_image_header;

_Static_assert(sizeof(cm_image_header) == 56 + 16 * CM_NAME_KIND_COUNT, "a header without gaps");
_Static_assert(sizeof(cm_image_header) % 8 == 0, "rows are aligned");

/** wide_kinds of a model. */
static inline unsigned cm_image_wide_kinds(const cm_model *model)
{
    return (cm_bucket_is_wide(model, 4) ? CM_ROW_IPV4 : 0) |
           (cm_bucket_is_wide(model, 6) ? CM_ROW_IPV6 : 0);
}

#endif
