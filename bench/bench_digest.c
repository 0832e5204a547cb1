/*
 * SHA-256 of 64 bytes, what a fingerprint of a device comes from: with the algorithm looked up once
 * (as util/digest does), and looked up for every hash.
 */
#include <openssl/evp.h>

#include "harness.h"
#include "util/digest.h"
#include "util/slice.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define HASHES ((uint64_t)64) /* of a round */
#define MESSAGE_BYTES 64

typedef struct hashing {
    cm_digest *digest;
    EVP_MD *algorithm;
    EVP_MD_CTX *context;
    char message[MESSAGE_BYTES];
    uint8_t hash[CM_DIGEST_BYTES]; /* begins the next message: none can be left out */
} hashing;

static void next_message(hashing *h)
{
    memcpy(h->message, h->hash, sizeof h->hash);
}

static uint64_t run_joined(void *context, uint64_t rounds)
{
    hashing *h = context;
    for (uint64_t i = 0; i < rounds * HASHES; i++) {
        cm_slice message = cm_slice_of(h->message, MESSAGE_BYTES);
        if (!cm_digest_joined(h->digest, &message, 1, '|', h->hash))
            bench_fail("cm_digest_joined failed");
        next_message(h);
    }
    return h->hash[0];
}

static uint64_t run_fetched(void *context, uint64_t rounds)
{
    hashing *h = context;
    for (uint64_t i = 0; i < rounds * HASHES; i++) {
        if (EVP_DigestInit_ex2(h->context, h->algorithm, NULL) != 1 ||
            EVP_DigestUpdate(h->context, h->message, MESSAGE_BYTES) != 1 ||
            EVP_DigestFinal_ex(h->context, h->hash, NULL) != 1)
            bench_fail("EVP_DigestUpdate failed");
        next_message(h);
    }
    return h->hash[0];
}

static uint64_t run_unfetched(void *context, uint64_t rounds)
{
    hashing *h = context;
    for (uint64_t i = 0; i < rounds * HASHES; i++) {
        if (EVP_Digest(h->message, MESSAGE_BYTES, h->hash, NULL, EVP_sha256(), NULL) != 1)
            bench_fail("EVP_Digest failed");
        next_message(h);
    }
    return h->hash[0];
}

int main(int argc, char **argv)
{
    hashing h = {.digest = cm_digest_create(),
                 .algorithm = EVP_MD_fetch(NULL, "SHA256", NULL),
                 .context = EVP_MD_CTX_new()};
    const bench_case cases[] = {
        {"cm_digest_joined", "64 bytes", run_joined, &h, HASHES, MESSAGE_BYTES},
        {"EVP, fetched once", "64 bytes", run_fetched, &h, HASHES, MESSAGE_BYTES},
        {"EVP_Digest, EVP_sha256()", "64 bytes", run_unfetched, &h, HASHES, MESSAGE_BYTES},
    };
    bench b = bench_start(argc, argv, "SHA-256 of 64 bytes.", NULL, 15);
    if (h.digest == NULL || h.algorithm == NULL || h.context == NULL)
        bench_fail("this OpenSSL has no SHA-256, or memory is short");
    bench_table(&b, "SHA-256, per hash");
    bench_run(&b, cases, COUNT(cases));
    EVP_MD_CTX_free(h.context);
    EVP_MD_free(h.algorithm);
    cm_digest_destroy(h.digest);
    return 0;
}
