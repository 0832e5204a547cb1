/* gzip and zstd, recognised by their first bytes; anything else passes through unchanged. */
#ifndef CM_IO_UNPACK_H
#define CM_IO_UNPACK_H

#include "io/stream.h"

/**
 * Wrap a source in one that unpacks it. Nothing is read before the first read. Concatenated gzip
 * members, gzip's trailing zeros, concatenated and skippable zstd frames are read as one.
 *
 * @param packed    borrowed until cm_unpack_destroy
 * @param unpacked  receives the source: same name; read gives CM_ERROR_FORMAT, naming source and
 * packed byte, where data are damaged or end too early; progress is that of packed
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_unpack_create(cm_source *packed, cm_source *unpacked, cm_error *error);

/** Free what cm_unpack_create made (not packed). Zero-initialised is allowed. */
void cm_unpack_destroy(cm_source *unpacked);

#endif
