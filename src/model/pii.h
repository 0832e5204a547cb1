/*
 * Personal data as keyed hashes. What tells people apart, the address bucket and the user agent,
 * becomes HMAC-SHA-256 as soon as a record is made, so that what is stored of it, in memory and in
 * checkpoints, says who is equal to whom and nothing else. Only hashes made lately are kept in
 * memory with what they were made of.
 *
 * The key of a tenant is derived from the secret by HKDF (RFC 5869, SHA-256), so that tenants have
 * no hash in common:
 *
 *     PRK = HMAC("clickmatch hash-pii 1", secret)      key = HMAC(PRK, "tenant" | 0 | tenant | 1)
 *     user agent: HMAC(key, 2 | user agent), as 64 hex digits
 *     address:    HMAC(key, 4 or 6 | bucket), the bucket being 16 bytes of which the bits beyond
 *                 the model's prefix are zero; of the hash 15 bytes behind one that is no special
 *                 address's
 *
 * Matching asks what is equal, so it is the same bit for bit unless two buckets of a tenant share
 * 120 bits of a hash: of 10^9 buckets a chance of 4e-19.
 */
#ifndef CM_MODEL_PII_H
#define CM_MODEL_PII_H

#include "model/model.h"
#include "util/arena.h"
#include "util/buffer.h"
#include "util/digest.h"

#define CM_PII_SECRET_MIN 32 /* bytes */

/** A secret and what is derived from it. */
typedef struct cm_pii cm_pii;

/** @return CM_OK or CM_ERROR_MEMORY; freed with cm_pii_destroy */
cm_status cm_pii_create(const void *secret, size_t size, cm_pii **pii, cm_error *error);
void cm_pii_destroy(cm_pii *pii);

/** A number that tells secrets apart and says nothing else about them; 0 for none (NULL). */
uint64_t cm_pii_id(const cm_pii *pii);

/**
 * Make a model one of hashed addresses: its prefixes go to the hashes, and its buckets are whole
 * hashes. All models that records of one secret are matched by must have the same prefixes.
 *
 * @param pii  may be NULL: nothing is done
 * @return CM_OK or CM_ERROR_MODEL
 */
cm_status cm_pii_take_model(cm_pii *pii, cm_model *model, cm_error *error);

/**
 * Hash what a device shows; cm_pii_take_model comes first. Any thread.
 *
 * @param arena  takes the user agent's hash
 * @return false when memory is short
 */
bool cm_pii_hide(cm_pii *pii, cm_slice tenant, cm_arena *arena, cm_device *device);

/**
 * Append bytes encrypted (AES-256-GCM, the nonce a MAC of the bytes), so that only who has the
 * secret can read them: events that are held as they came.
 */
bool cm_pii_seal(const cm_pii *pii, cm_slice bytes, cm_buffer *sealed);

/** The same back. False where they are damaged, or memory is short. */
bool cm_pii_unseal(const cm_pii *pii, cm_slice sealed, cm_buffer *bytes);

/** The key that cm_pii_seal goes by. */
const uint8_t *cm_pii_seal_key(const cm_pii *pii);

#endif
