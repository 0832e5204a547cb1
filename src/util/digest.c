#include "util/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "util/check.h"

/* Parts are gathered before OpenSSL sees them: its calls cost more than copying. */
#define STAGE_BYTES ((size_t)512)

struct cm_digest {
    EVP_MD *algorithm;
    EVP_MD_CTX *context;
    size_t staged;
    char stage[STAGE_BYTES];
};

/* What OpenSSL allocates for an algorithm it allocates at the first init, kept for all later. */
static bool prepare(cm_digest *digest)
{
    digest->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    digest->context = EVP_MD_CTX_new();
    return digest->algorithm != NULL && digest->context != NULL &&
           EVP_DigestInit_ex2(digest->context, digest->algorithm, NULL) == 1;
}

cm_digest *cm_digest_create(void)
{
    cm_digest *digest = calloc(1, sizeof *digest);
    if (digest == NULL)
        return NULL;
    /* A failure leaves nothing in the caller's OpenSSL error queue. */
    ERR_set_mark();
    bool is_ready = prepare(digest);
    ERR_pop_to_mark();
    if (is_ready)
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

static void update(cm_digest *digest, const char *bytes, size_t size)
{
    CM_CHECK(EVP_DigestUpdate(digest->context, bytes, size) == 1);
}

static void add(cm_digest *digest, const char *bytes, size_t size)
{
    if (size > STAGE_BYTES - digest->staged) {
        update(digest, digest->stage, digest->staged);
        digest->staged = 0;
    }
    if (size > STAGE_BYTES) {
        update(digest, bytes, size);
    } else if (size > 0) {
        memcpy(digest->stage + digest->staged, bytes, size);
        digest->staged += size;
    }
}

void cm_digest_joined(cm_digest *digest, const cm_slice *parts, size_t count, char separator,
                      uint8_t hash[CM_DIGEST_BYTES])
{
    CM_CHECK(EVP_DigestInit_ex2(digest->context, digest->algorithm, NULL) == 1);
    digest->staged = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            add(digest, &separator, 1);
        add(digest, parts[i].data, parts[i].size);
    }
    update(digest, digest->stage, digest->staged);
    CM_CHECK(EVP_DigestFinal_ex(digest->context, hash, NULL) == 1);
}
