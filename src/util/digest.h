/* SHA-256 by OpenSSL, with the algorithm looked up once and not for every hash. */
#ifndef CM_UTIL_DIGEST_H
#define CM_UTIL_DIGEST_H

#include "clickmatch.h"

#define CM_DIGEST_BYTES 32

/** Room to hash in. One thread at a time. */
typedef struct cm_digest cm_digest;

/** NULL when memory is short (or this OpenSSL has no SHA-256). */
cm_digest *cm_digest_create(void);

/** NULL is allowed. */
void cm_digest_destroy(cm_digest *digest);

/**
 * The SHA-256 of parts with a separator between them.
 *
 * @return false when memory is short: OpenSSL allocates a little for each hash
 */
bool cm_digest_joined(cm_digest *digest, const cm_slice *parts, size_t count, char separator,
                      uint8_t hash[CM_DIGEST_BYTES]);

/**
 * The HMAC-SHA-256 of parts, one after the other.
 *
 * @param key  of at most 64 bytes
 * @return as above
 */
bool cm_digest_hmac(cm_digest *digest, cm_slice key, const cm_slice *parts, size_t count,
                    uint8_t hash[CM_DIGEST_BYTES]);

#endif
