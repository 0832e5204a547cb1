#include "util/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "util/check.h"

/* Parts are gathered before OpenSSL sees them: its calls cost more than copying. */
#define STAGE_BYTES ((size_t)512)

#define HMAC_KEY_BYTES 64

struct cm_digest {
    EVP_MD *algorithm;
    EVP_MD_CTX *context;
    size_t staged;
    char stage[STAGE_BYTES];
};

cm_digest *cm_digest_create(void)
{
    cm_digest *digest = calloc(1, sizeof *digest);
    if (digest == NULL)
        return NULL;
    /* A failure leaves nothing in the caller's OpenSSL error queue. Whoever asks for more after
     * OpenSSL could not set itself up is given a null pointer to follow, in version 3.0. */
    ERR_set_mark();
    if (OSSL_LIB_CTX_get0_global_default() != NULL) {
        digest->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
        digest->context = EVP_MD_CTX_new();
    }
    ERR_pop_to_mark();
    if (digest->algorithm != NULL && digest->context != NULL)
        return digest;
    cm_digest_destroy(digest);
    return NULL;
}

void cm_digest_destroy(cm_digest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->context);
    EVP_MD_free(digest->algorithm);
    free(digest);
}

static bool flush(cm_digest *digest)
{
    size_t size = digest->staged;
    digest->staged = 0;
    return EVP_DigestUpdate(digest->context, digest->stage, size) == 1;
}

static bool add(cm_digest *digest, const char *bytes, size_t size)
{
    if (size > STAGE_BYTES - digest->staged && !flush(digest))
        return false;
    if (size > STAGE_BYTES)
        return EVP_DigestUpdate(digest->context, bytes, size) == 1;
    if (size > 0)
        memcpy(digest->stage + digest->staged, bytes, size);
    digest->staged += size;
    return true;
}

bool cm_digest_joined(cm_digest *digest, const cm_slice *parts, size_t count, char separator,
                      uint8_t hash[CM_DIGEST_BYTES])
{
    /* No mark in the error queue here: it costs a fifth of a hash. */
    digest->staged = 0;
    bool done = EVP_DigestInit_ex2(digest->context, digest->algorithm, NULL) == 1;
    for (size_t i = 0; done && i < count; i++)
        done = (i == 0 || add(digest, &separator, 1)) && add(digest, parts[i].data, parts[i].size);
    return done && flush(digest) && EVP_DigestFinal_ex(digest->context, hash, NULL) == 1;
}

/* The key, each byte of it changed by one, and then the parts. */
static bool hash_behind_key(cm_digest *digest, cm_slice key, uint8_t change, const cm_slice *parts,
                            size_t count, uint8_t hash[CM_DIGEST_BYTES])
{
    char pad[HMAC_KEY_BYTES];
    memset(pad, change, sizeof pad);
    for (size_t i = 0; i < key.size; i++)
        pad[i] = (char)((uint8_t)key.data[i] ^ change);
    digest->staged = 0;
    bool done = EVP_DigestInit_ex2(digest->context, digest->algorithm, NULL) == 1 &&
                add(digest, pad, sizeof pad);
    for (size_t i = 0; done && i < count; i++)
        done = add(digest, parts[i].data, parts[i].size);
    return done && flush(digest) && EVP_DigestFinal_ex(digest->context, hash, NULL) == 1;
}

bool cm_digest_hmac(cm_digest *digest, cm_slice key, const cm_slice *parts, size_t count,
                    uint8_t hash[CM_DIGEST_BYTES])
{
    uint8_t inner[CM_DIGEST_BYTES];
    const cm_slice first = {(const char *)inner, sizeof inner};
    CM_CHECK(key.size <= HMAC_KEY_BYTES);
    return hash_behind_key(digest, key, 0x36, parts, count, inner) &&
           hash_behind_key(digest, key, 0x5c, &first, 1, hash);
}
