/*
 * The bits of 64 bytes as places, for the kernels without an instruction for it. Places are written
 * in groups of fixed size, whatever the number of bits: a branch on that number would be a guess,
 * and a wrong guess costs more than the writing. Internal to the kernels.
 */
#ifndef CM_IO_MARK_PUT_H
#define CM_IO_MARK_PUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CM_MARK_INLINE static inline __attribute__((always_inline))

/** What is marked: a member of cm_mark_kernel. Known when a kernel is compiled. */
typedef enum cm_marked { CM_MARKED_CSV, CM_MARKED_QUOTES, CM_MARKED_JSON } cm_marked;

#define CM_MARK_CHUNK ((size_t)64)

/* Less than a chunk, filled up with bytes that nothing marks. */
CM_MARK_INLINE void cm_mark_pad(char padded[CM_MARK_CHUNK], const char *bytes, size_t size)
{
    memset(padded, ' ', CM_MARK_CHUNK);
    memcpy(padded, bytes, size);
}

/* The number of bits, for machines that may count them slowly. */
CM_MARK_INLINE unsigned cm_mark_count(uint64_t bits)
{
    bits -= bits >> 1 & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
    bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (unsigned)(bits * 0x0101010101010101u >> 56);
}

/* The lowest two places; any where no bit is left. What is left of the bits. */
CM_MARK_INLINE uint64_t cm_mark_put_2(uint16_t *marks, uint64_t bits, size_t at)
{
    const uint64_t highest = UINT64_C(1) << 63;
    marks[0] = (uint16_t)(at + (size_t)__builtin_ctzll(bits | highest));
    bits &= bits - 1;
    marks[1] = (uint16_t)(at + (size_t)__builtin_ctzll(bits | highest));
    return bits & (bits - 1);
}

CM_MARK_INLINE uint64_t cm_mark_put_8(uint16_t *marks, uint64_t bits, size_t at)
{
    bits = cm_mark_put_2(marks, bits, at);
    bits = cm_mark_put_2(marks + 2, bits, at);
    bits = cm_mark_put_2(marks + 4, bits, at);
    return cm_mark_put_2(marks + 6, bits, at);
}

/* All places, in groups of 8 where there are many bits, of 2 where there are few. */
CM_MARK_INLINE uint16_t *cm_mark_put(uint16_t *marks, uint64_t bits, size_t at, bool are_many)
{
    uint16_t *end = marks + cm_mark_count(bits);
    for (uint16_t *next = marks; next < end; next += are_many ? 8 : 2)
        bits = are_many ? cm_mark_put_8(next, bits, at) : cm_mark_put_2(next, bits, at);
    return end;
}

#endif
