/*
 * Texts that are compared but never shown (fbclid, gclid) are kept packed: where all characters are
 * of the 64 of base64url, as those of Facebook and Google are, four of them take three bytes. Equal
 * texts have equal packed bytes, different ones different ones.
 */
#ifndef CM_INDEX_PACK_H
#define CM_INDEX_PACK_H

#include "clickmatch.h"

/** Bytes that cm_pack may need for a text. */
#define CM_PACK_ROOM(size) ((size) + 8)

/** Pack a text, which is not empty. Returns the number of bytes, at most one more than the text's.
 */
size_t cm_pack(cm_slice text, char *packed);

#endif
