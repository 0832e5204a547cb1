/*
 * Scan kernels: the only code of the codecs that knows the machine. Each has a portable twin that
 * gives the same; a wider one can take its place behind the same function.
 */
#ifndef CM_IO_SCAN_H
#define CM_IO_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define CM_SCAN_BYTES ((size_t)64) /* one mark per bit of a word */

static inline uint64_t cm_scan_csv_portable(const char *bytes)
{
    uint64_t marks = 0;
    for (size_t i = 0; i < CM_SCAN_BYTES; i++) {
        unsigned is_mark = bytes[i] == ',' || bytes[i] == '\n' || bytes[i] == '"';
        marks |= (uint64_t)is_mark << i;
    }
    return marks;
}

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

/* The bits of 16 bytes that are separators, line ends or quotes. */
static inline uint64_t cm_scan_csv_16(const char *bytes)
{
    __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    __m128i comma = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(','));
    __m128i line_end = _mm_cmpeq_epi8(chunk, _mm_set1_epi8('\n'));
    __m128i quote = _mm_cmpeq_epi8(chunk, _mm_set1_epi8('"'));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(comma, line_end), quote));
}

/** Mark the separators, line ends and quotes among CM_SCAN_BYTES bytes: bit i for byte i. */
static inline uint64_t cm_scan_csv(const char *bytes)
{
    return cm_scan_csv_16(bytes) | cm_scan_csv_16(bytes + 16) << 16 |
           cm_scan_csv_16(bytes + 32) << 32 | cm_scan_csv_16(bytes + 48) << 48;
}

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

static inline uint64_t cm_scan_csv(const char *bytes)
{
    return cm_scan_csv_portable(bytes);
}

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
