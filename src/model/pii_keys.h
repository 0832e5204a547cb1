/* The keys of a secret. Internal to pii.c and pii_seal.c. */
#ifndef CM_MODEL_PII_KEYS_H
#define CM_MODEL_PII_KEYS_H

#include <openssl/evp.h>

#include "model/pii.h"
#include "util/digest.h"

/** Room to make MACs in. One thread at a time. */
typedef struct cm_mac {
    EVP_MAC_CTX *context;
} cm_mac;

bool cm_mac_init(cm_mac *mac);
void cm_mac_destroy(cm_mac *mac);

/** HMAC-SHA-256 of parts, one after the other. False when memory is short. */
bool cm_mac_make(cm_mac *mac, cm_slice key, const cm_slice *parts, size_t count,
                 uint8_t hash[CM_DIGEST_BYTES]);

/** The key that events are sealed by. */
const uint8_t *cm_pii_seal_key(const cm_pii *pii);

#endif
