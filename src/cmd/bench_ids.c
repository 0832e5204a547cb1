/*
 * How XXH64 comes to collide. Of 64 bytes it reads two stripes of four words; each of its four
 * lanes takes one word of each stripe: lane = round(round(start, a), b). A round can be undone, so
 * for any a there is a b that leads the lane where we want it. With 1024 such pairs for each of two
 * lanes, and the other two always the same, 1024 * 1024 ids have one hash. Whoever does not know
 * the lanes' starts, because a secret key is in them, cannot make such pairs.
 */
#include "cmd/bench_ids.h"

#include <stdio.h>
#include <string.h>

#include "util/hash.h"

#define PRIME_1 UINT64_C(0x9E3779B185EBCA87)
#define PRIME_2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define LANE_PAIRS 1024
#define WORD_BYTES 8
#define STRIPE_BYTES 32

/* ---- ids that collide ---- */

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static uint64_t xxh64_round(uint64_t lane, uint64_t word)
{
    return rotate(lane + word * PRIME_2, 31) * PRIME_1;
}

/* Of an odd number modulo 2^64: each step doubles the right bits. */
static uint64_t inverse(uint64_t odd)
{
    uint64_t x = odd;
    for (int step = 0; step < 5; step++)
        x *= 2 - odd * x;
    return x;
}

/* The word that takes a lane to a target. */
static uint64_t word_between(uint64_t lane, uint64_t target)
{
    return (rotate(target * inverse(PRIME_1), 64 - 31) - lane) * inverse(PRIME_2);
}

/* Eight ASCII characters other than NUL? */
static bool is_plain(uint64_t word)
{
    for (int i = 0; i < WORD_BYTES; i++, word >>= 8)
        if ((word & 0xff) == 0 || (word & 0x80) != 0)
            return false;
    return true;
}

static uint64_t plain_word(uint64_t random)
{
    uint64_t word = 0;
    for (int i = 0; i < WORD_BYTES; i++, random >>= 4)
        word = word << 8 | (uint64_t)(unsigned char)"0123456789abcdef"[random & 15];
    return word;
}

static void init_lane(uint64_t seed, uint64_t start, uint64_t pairs[LANE_PAIRS][2])
{
    uint64_t target = xxh64_round(xxh64_round(start, plain_word(seed)), plain_word(~seed));
    uint64_t tried = 0;
    for (size_t found = 0; found < LANE_PAIRS; tried++) {
        uint64_t first = plain_word(tried * PRIME_1);
        uint64_t second = word_between(xxh64_round(start, first), target);
        if (!is_plain(second))
            continue;
        pairs[found][0] = first;
        pairs[found][1] = second;
        found++;
    }
}

void cm_bench_ids_init(cm_bench_ids *ids, uint64_t seed)
{
    ids->seed = seed;
    init_lane(cm_hash_pair(seed, 0), PRIME_1 + PRIME_2, ids->lanes[0]);
    init_lane(cm_hash_pair(seed, 1), PRIME_2, ids->lanes[1]);
}

static void put_colliding(const cm_bench_ids *ids, uint64_t number, char *id)
{
    size_t pairs[2] = {number % LANE_PAIRS, number / LANE_PAIRS % LANE_PAIRS};
    memset(id, '.', CM_BENCH_ID_BYTES);
    for (size_t lane = 0; lane < 2; lane++)
        for (size_t stripe = 0; stripe < 2; stripe++)
            memcpy(id + stripe * STRIPE_BYTES + lane * WORD_BYTES,
                   &ids->lanes[lane][pairs[lane]][stripe], WORD_BYTES);
}

/* ---- the others ---- */

static void put_random(const cm_bench_ids *ids, uint64_t number, char *id)
{
    for (uint64_t part = 0; part < 4; part++) {
        char digits[17];
        snprintf(digits, sizeof digits, "%016llx",
                 (unsigned long long)cm_hash_pair(ids->seed + part, number));
        memcpy(id + part * 16, digits, 16);
    }
}

static void put_sequential(uint64_t number, char *id)
{
    char digits[13];
    snprintf(digits, sizeof digits, "%012llu", (unsigned long long)number);
    memset(id, 'c', CM_BENCH_ID_BYTES - 12);
    memcpy(id + CM_BENCH_ID_BYTES - 12, digits, 12);
}

static void put_low_bits(uint64_t number, char *id)
{
    memset(id, 'b', CM_BENCH_ID_BYTES);
    for (int bit = 0; bit < 20; bit++)
        id[CM_BENCH_ID_BYTES - 1 - bit] = (char)('b' + (number >> bit & 1));
}

void cm_bench_id_put(const cm_bench_ids *ids, cm_bench_id_family family, uint64_t number, char *id)
{
    switch (family) {
    case CM_BENCH_IDS_SEQUENTIAL:
        put_sequential(number, id);
        return;
    case CM_BENCH_IDS_LOW_BITS:
        put_low_bits(number, id);
        return;
    case CM_BENCH_IDS_COLLIDING:
        put_colliding(ids, number, id);
        return;
    case CM_BENCH_IDS_RANDOM:
    case CM_BENCH_ID_FAMILY_COUNT:
        break;
    }
    put_random(ids, number, id);
}
