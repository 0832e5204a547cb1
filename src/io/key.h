/*
 * A name as it stands in JSON, found and compared in few instructions: by its first bytes and its
 * size it has a slot of its own, and what is there is compared at once.
 */
#ifndef CM_IO_KEY_H
#define CM_IO_KEY_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define CM_KEY_BYTES ((size_t)32)    /* what is compared */
#define CM_KEY_NAME_MAX ((size_t)29) /* bytes of a name; `":"` is behind it */
#define CM_KEY_SLOT_BITS 6
#define CM_KEY_SLOTS ((size_t)1 << CM_KEY_SLOT_BITS)

/** `name":"`. One that no bytes are: all bytes and bits set, as they would be no UTF-8. */
typedef struct cm_key {
    _Alignas(16) char bytes[CM_KEY_BYTES];
    uint32_t name_bits; /* one for each byte of the name and of the quote behind it */
    uint32_t text_bits; /* one for each byte of all */
    uint32_t field;
} cm_key;

static inline cm_key cm_key_of(const char *name, size_t size, size_t field)
{
    cm_key key;
    memset(&key, 0, sizeof key);
    key.name_bits = (2u << size) - 1;
    key.text_bits = (8u << size) - 1;
    key.field = (uint32_t)field;
    memcpy(key.bytes, name, size);
    memcpy(key.bytes + size, "\":\"", 3);
    return key;
}

/** Where a name is looked for, among CM_KEY_SLOTS. Four bytes are read: a shorter name has `":"`
 * behind it. */
static inline size_t cm_key_slot(const char *name, size_t size)
{
    uint32_t first;
    memcpy(&first, name, sizeof first);
    return ((le32toh(first) + (uint32_t)size) * 0x20539f51u) >> (32 - CM_KEY_SLOT_BITS);
}

static inline bool cm_key_is_at_portable(const cm_key *key, uint32_t bits, const char *bytes)
{
    size_t size = 0;
    while (size < CM_KEY_BYTES && (bits >> size & 1) != 0)
        size++;
    return memcmp(key->bytes, bytes, size) == 0;
}

#ifdef __SSE2__

/** Are the bytes the key's, where the bits say so? CM_KEY_BYTES of them are read. */
static inline bool cm_key_is_at(const cm_key *key, uint32_t bits, const char *bytes)
{
    const __m128i *known = (const __m128i *)(const void *)key->bytes;
    const __m128i *found = (const __m128i *)(const void *)bytes;
    __m128i low = _mm_cmpeq_epi8(_mm_load_si128(known), _mm_loadu_si128(found));
    __m128i high = _mm_cmpeq_epi8(_mm_load_si128(known + 1), _mm_loadu_si128(found + 1));
    uint32_t same = (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16;
    return (~same & bits) == 0;
}

#else

static inline bool cm_key_is_at(const cm_key *key, uint32_t bits, const char *bytes)
{
    return cm_key_is_at_portable(key, bits, bytes);
}

#endif

#endif
