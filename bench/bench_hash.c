/*
 * Hash functions on the keys that indexes have: 8 bytes (two numbers), 18 (a click id), 32 (a
 * fingerprint), 61 (an fbclid), 130 (a user agent). One after the other, each on its own, as
 * batches of rows hash them; keys lie in the cache and have one length, so that nothing but the
 * arithmetic counts.
 */
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"
#include "siphash.h"
#include "util/check.h"
#include "util/hash.h"
#include "util/uthash_map.h"

#define KEYS ((size_t)256) /* of 130 bytes they fit the smallest cache */
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const size_t SIZES[] = {8, 18, 32, 61, 130};

typedef struct keys {
    char *bytes; /* KEYS times size */
    size_t size;
    uint64_t seed[2];
} keys;

static uint64_t fnv_1a(const char *bytes, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)bytes[i]) * 0x100000001b3U;
    return hash;
}

static uint64_t jenkins(const char *bytes, size_t size)
{
    unsigned hash;
    HASH_JEN(bytes, size, hash);
    return hash;
}

/* The assertion is for the static analyzer: XXH64 allows no key at all. */
static uint64_t xxh64(const char *bytes, size_t size, uint64_t seed)
{
    CM_ASSERT(bytes != NULL);
    return XXH64(bytes, size, seed);
}

static uint64_t xxh3_128(const char *bytes, size_t size, uint64_t seed)
{
    return XXH3_128bits_withSeed(bytes, size, seed).high64;
}

/* A round hashes all keys; the sum of hashes hangs on every one. */
#define DEFINE_RUN(name, hash)                                                                     \
    static uint64_t run_##name(void *context, uint64_t rounds)                                     \
    {                                                                                              \
        const keys *k = context;                                                                   \
        uint64_t sum = 0;                                                                          \
        for (uint64_t round = 0; round < rounds; round++) {                                        \
            bench_forget();                                                                        \
            for (size_t i = 0; i < KEYS; i++) {                                                    \
                const char *key = k->bytes + i * k->size;                                          \
                sum += (hash);                                                                     \
            }                                                                                      \
        }                                                                                          \
        return sum;                                                                                \
    }

DEFINE_RUN(xxh3_64, cm_hash_bytes(key, k->size, k->seed[0]))
DEFINE_RUN(xxh3_128, xxh3_128(key, k->size, k->seed[0]))
DEFINE_RUN(xxh64, xxh64(key, k->size, k->seed[0]))
DEFINE_RUN(siphash_1_3, siphash(key, k->size, k->seed, 1, 3))
DEFINE_RUN(siphash_2_4, siphash(key, k->size, k->seed, 2, 4))
DEFINE_RUN(fnv_1a, fnv_1a(key, k->size))
DEFINE_RUN(jenkins, jenkins(key, k->size))

static const struct {
    const char *name;
    uint64_t (*run)(void *context, uint64_t rounds);
} HASHES[] = {
    {"XXH3 64, seeded (ours)", run_xxh3_64},
    {"XXH3 128, seeded", run_xxh3_128},
    {"XXH64, seeded", run_xxh64},
    {"SipHash-1-3, keyed", run_siphash_1_3},
    {"SipHash-2-4, keyed", run_siphash_2_4},
    {"FNV-1a 64, no key", run_fnv_1a},
    {"Jenkins 32 of uthash, no key", run_jenkins},
};

/* A hash that is wrong may well be fast: SipHash-2-4's vector, and 1-3's as others compute it. */
static void check_siphash(void)
{
    static const uint64_t KEY[2] = {0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
    char bytes[15];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    if (siphash(bytes, sizeof bytes, KEY, 2, 4) != 0xa129ca6149be45e5U ||
        siphash(bytes, 0, KEY, 1, 3) != 0xabac0158050fc4dcU)
        bench_fail("SipHash is not what it should be");
}

static void measure_size(const bench *b, size_t size)
{
    char variant[32];
    keys k = {bench_allocate(KEYS, size), size, {bench_mix(1), bench_mix(2)}};
    bench_case cases[COUNT(HASHES)];
    for (size_t i = 0; i < KEYS * size; i++)
        k.bytes[i] = (char)bench_mix(i);
    (void)snprintf(variant, sizeof variant, "%zu bytes", size);
    for (size_t i = 0; i < COUNT(HASHES); i++)
        cases[i] = (bench_case){HASHES[i].name, variant, HASHES[i].run, &k, KEYS, (double)size};
    bench_run(b, cases, COUNT(HASHES));
    free(k.bytes);
}

int main(int argc, char **argv)
{
    bench b = bench_start(argc, argv, "Hash functions on keys of several sizes.", NULL, 9);
    check_siphash();
    bench_table(&b, "Hashes, per key");
    for (size_t i = 0; i < COUNT(SIZES); i++)
        measure_size(&b, SIZES[i]);
    return 0;
}
