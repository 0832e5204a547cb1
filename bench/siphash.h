/*
 * SipHash-c-d (Aumasson, Bernstein), to compare with: the usual answer to crafted keys. Its key has
 * 128 bits and stands up to who sees hashes; our tables show none. Little-endian machines only.
 */
#ifndef CM_BENCH_SIPHASH_H
#define CM_BENCH_SIPHASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct siphash_state {
    uint64_t v0, v1, v2, v3;
} siphash_state;

static inline uint64_t siphash_rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void siphash_rounds(siphash_state *s, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
        s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
        s->v0 = siphash_rotate(s->v0, 32) + s->v3;
        s->v2 += s->v1;
        s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
        s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
        s->v2 = siphash_rotate(s->v2, 32);
    }
}

static inline void siphash_word(siphash_state *s, uint64_t word, unsigned rounds)
{
    s->v3 ^= word;
    siphash_rounds(s, rounds);
    s->v0 ^= word;
}

/** @param c, d  rounds per word of 8 bytes, and at the end: constants, so that loops unroll */
static inline uint64_t siphash(const char *bytes, size_t size, const uint64_t key[2], unsigned c,
                               unsigned d)
{
    siphash_state s = {0x736f6d6570736575U ^ key[0], 0x646f72616e646f6dU ^ key[1],
                       0x6c7967656e657261U ^ key[0], 0x7465646279746573U ^ key[1]};
    uint64_t word;
    size_t at = 0;
    for (; at + sizeof word <= size; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        siphash_word(&s, word, c);
    }
    word = (uint64_t)size << 56;
    for (unsigned shift = 0; at < size; at++, shift += 8)
        word |= (uint64_t)(uint8_t)bytes[at] << shift;
    siphash_word(&s, word, c);
    s.v2 ^= 0xff;
    siphash_rounds(&s, d);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

#endif
