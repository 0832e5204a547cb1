/* Bytes that only who has the secret can read: nonce, tag, and what AES-256-GCM makes of them. */
#include <openssl/evp.h>
#include <string.h>

#include "model/pii.h"
#include "util/slice.h"

#define NONCE_BYTES 12
#define TAG_BYTES 16
#define HEAD_BYTES (NONCE_BYTES + TAG_BYTES)
#define STEP_BYTES ((size_t)1 << 20)

/* From bytes to as many others, a part at a time: OpenSSL counts in int. */
static bool pass(EVP_CIPHER_CTX *context, const char *from, size_t size, char *to)
{
    for (size_t at = 0; at < size; at += STEP_BYTES) {
        int part = (int)(size - at < STEP_BYTES ? size - at : STEP_BYTES), done;
        if (EVP_CipherUpdate(context, (unsigned char *)to + at, &done,
                             (const unsigned char *)from + at, part) != 1 ||
            done != part)
            return false;
    }
    return true;
}

static bool run(const cm_pii *pii, bool is_sealing, char *head, const char *from, size_t size,
                char *to)
{
    unsigned char rest[TAG_BYTES];
    int none;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool done =
        context != NULL && EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, cm_pii_seal_key(pii),
                                             (unsigned char *)head, is_sealing) == 1;
    if (done && !is_sealing)
        done =
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, head + NONCE_BYTES) == 1;
    done = done && pass(context, from, size, to) && EVP_CipherFinal_ex(context, rest, &none) == 1;
    if (done && is_sealing)
        done =
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, head + NONCE_BYTES) == 1;
    EVP_CIPHER_CTX_free(context);
    return done;
}

/* The same bytes have the same nonce, others another one: none is used for two messages. */
static bool make_nonce(const cm_pii *pii, cm_slice bytes, char *nonce)
{
    const cm_slice parts[] = {cm_slice_of_text("nonce"), bytes};
    const cm_slice key = cm_slice_of((const char *)cm_pii_seal_key(pii), CM_DIGEST_BYTES);
    uint8_t hash[CM_DIGEST_BYTES];
    cm_digest *digest = cm_digest_create();
    bool done = digest != NULL && cm_digest_hmac(digest, key, parts, 2, hash);
    cm_digest_destroy(digest);
    if (done)
        memcpy(nonce, hash, NONCE_BYTES);
    return done;
}

bool cm_pii_seal(const cm_pii *pii, cm_slice bytes, cm_buffer *sealed)
{
    size_t at = sealed->size;
    const char head[HEAD_BYTES] = {0};
    cm_buffer_append(sealed, head, sizeof head);
    cm_buffer_append(sealed, bytes.data, bytes.size);
    if (sealed->failed)
        return false;
    char *room = sealed->data + at;
    return make_nonce(pii, bytes, room) &&
           run(pii, true, room, bytes.data, bytes.size, room + HEAD_BYTES);
}

bool cm_pii_unseal(const cm_pii *pii, cm_slice sealed, cm_buffer *bytes)
{
    char head[HEAD_BYTES];
    if (sealed.size < HEAD_BYTES)
        return false;
    memcpy(head, sealed.data, HEAD_BYTES);
    size_t size = sealed.size - HEAD_BYTES, at = bytes->size;
    cm_buffer_append(bytes, sealed.data + HEAD_BYTES, size);
    if (bytes->failed)
        return false;
    char none, *room = size == 0 ? &none : bytes->data + at; /* of nothing there is no data */
    return run(pii, false, head, sealed.data + HEAD_BYTES, size, room);
}
