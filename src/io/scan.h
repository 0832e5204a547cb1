/*
 * Looking for the next byte of a kind from where a codec stands. The kernel that knows the machine
 * has a portable twin that gives the same. For whole stretches: mark.h.
 */
#ifndef CM_IO_SCAN_H
#define CM_IO_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* How many bytes at the front stand for themselves in a JSON string: ASCII, no control character,
 * quote or backslash. */
static inline size_t cm_scan_json_portable(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\')
            return i;
    }
    return size;
}

#ifdef __SSE2__

/** How many bytes at the front stand for themselves in a JSON string. */
static inline size_t cm_scan_json(const char *bytes, size_t size)
{
    size_t at = 0;
    for (; at + 16 <= size; at += 16) {
        __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
        /* Signed: what is above ASCII is negative, so below a space as the control characters are.
         */
        __m128i odd = _mm_cmplt_epi8(chunk, _mm_set1_epi8(' '));
        odd = _mm_or_si128(odd, _mm_cmpeq_epi8(chunk, _mm_set1_epi8('"')));
        odd = _mm_or_si128(odd, _mm_cmpeq_epi8(chunk, _mm_set1_epi8('\\')));
        unsigned bits = (unsigned)_mm_movemask_epi8(odd);
        if (bits != 0)
            return at + (size_t)__builtin_ctz(bits);
    }
    return at + cm_scan_json_portable(bytes + at, size - at);
}

#else

static inline size_t cm_scan_json(const char *bytes, size_t size)
{
    return cm_scan_json_portable(bytes, size);
}

#endif

/** Offset of the first such byte from `at` on; size if there is none. */
static inline size_t cm_scan_byte(const char *bytes, size_t at, size_t size, char byte)
{
    const char *found = at < size ? memchr(bytes + at, byte, size - at) : NULL;
    return found == NULL ? size : (size_t)(found - bytes);
}

#endif
