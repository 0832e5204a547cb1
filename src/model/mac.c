/* HMAC-SHA-256 by OpenSSL, set up once and not for every hash. */
#include <openssl/core_names.h>
#include <openssl/err.h>

#include "model/pii_keys.h"

bool cm_mac_init(cm_mac *mac)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    /* A failure leaves nothing in the caller's OpenSSL error queue. */
    ERR_set_mark();
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    mac->context = algorithm == NULL ? NULL : EVP_MAC_CTX_new(algorithm);
    EVP_MAC_free(algorithm);
    bool done = mac->context != NULL && EVP_MAC_CTX_set_params(mac->context, params) == 1;
    ERR_pop_to_mark();
    return done;
}

void cm_mac_destroy(cm_mac *mac)
{
    EVP_MAC_CTX_free(mac->context);
    mac->context = NULL;
}

bool cm_mac_make(cm_mac *mac, cm_slice key, const cm_slice *parts, size_t count,
                 uint8_t hash[CM_DIGEST_BYTES])
{
    size_t size;
    bool done = EVP_MAC_init(mac->context, (const unsigned char *)key.data, key.size, NULL) == 1;
    for (size_t i = 0; i < count && done; i++)
        done =
            EVP_MAC_update(mac->context, (const unsigned char *)parts[i].data, parts[i].size) == 1;
    return done && EVP_MAC_final(mac->context, hash, &size, CM_DIGEST_BYTES) == 1;
}
