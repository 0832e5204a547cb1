/*
 * Kernels for x86-64. All are in the one binary: each function says which instructions it may use,
 * and is called only where the machine has them.
 */
#include "io/mark_x86.h"

#ifdef __x86_64__

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "io/mark_put.h"

#define CHUNK CM_MARK_CHUNK
#define INLINE CM_MARK_INLINE

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi2,bmi,bmi2,popcnt")))

/* Some groups of 8, or of 2, in most chunks? */
INLINE bool are_many(cm_marked marked)
{
    return marked != CM_MARKED_QUOTES;
}

/* --- SSE2 ------------------------------------------------------------------------------------- */

INLINE uint64_t bits_16(const char *bytes, cm_marked marked)
{
    __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    __m128i found = _mm_cmpeq_epi8(chunk, _mm_set1_epi8('"'));
    if (marked == CM_MARKED_CSV) {
        found = _mm_or_si128(found, _mm_cmpeq_epi8(chunk, _mm_set1_epi8(',')));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(chunk, _mm_set1_epi8('\n')));
    } else if (marked == CM_MARKED_JSON) { /* signed: what is above ASCII is below a space */
        found = _mm_or_si128(found, _mm_cmplt_epi8(chunk, _mm_set1_epi8(' ')));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(chunk, _mm_set1_epi8('\\')));
    }
    return (uint32_t)_mm_movemask_epi8(found);
}

INLINE uint64_t bits_sse2(const char *bytes, cm_marked marked)
{
    return bits_16(bytes, marked) | bits_16(bytes + 16, marked) << 16 |
           bits_16(bytes + 32, marked) << 32 | bits_16(bytes + 48, marked) << 48;
}

INLINE size_t mark_sse2(const char *bytes, size_t size, uint16_t *marks, cm_marked marked)
{
    uint16_t *next = marks;
    size_t at = 0;
    for (; at + CHUNK <= size; at += CHUNK)
        next = cm_mark_put(next, bits_sse2(bytes + at, marked), at, are_many(marked));
    if (at < size) {
        char padded[CHUNK];
        cm_mark_pad(padded, bytes + at, size - at);
        next = cm_mark_put(next, bits_sse2(padded, marked), at, are_many(marked));
    }
    return (size_t)(next - marks);
}

static size_t csv_sse2(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_sse2(bytes, size, marks, CM_MARKED_CSV);
}

static size_t quotes_sse2(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_sse2(bytes, size, marks, CM_MARKED_QUOTES);
}

static size_t json_sse2(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_sse2(bytes, size, marks, CM_MARKED_JSON);
}

/* --- AVX2 ------------------------------------------------------------------------------------- */

AVX2 INLINE uint64_t bits_32(const char *bytes, cm_marked marked)
{
    __m256i chunk = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
    __m256i found = _mm256_cmpeq_epi8(chunk, _mm256_set1_epi8('"'));
    if (marked == CM_MARKED_CSV) {
        found = _mm256_or_si256(found, _mm256_cmpeq_epi8(chunk, _mm256_set1_epi8(',')));
        found = _mm256_or_si256(found, _mm256_cmpeq_epi8(chunk, _mm256_set1_epi8('\n')));
    } else if (marked == CM_MARKED_JSON) {
        found = _mm256_or_si256(found, _mm256_cmpgt_epi8(_mm256_set1_epi8(' '), chunk));
        found = _mm256_or_si256(found, _mm256_cmpeq_epi8(chunk, _mm256_set1_epi8('\\')));
    }
    return (uint32_t)_mm256_movemask_epi8(found);
}

/* cm_mark_put_2 with an instruction that takes no bits, too. */
AVX2 INLINE uint64_t put_2_avx2(uint16_t *marks, uint64_t bits, size_t at)
{
    marks[0] = (uint16_t)(at + _tzcnt_u64(bits));
    bits &= bits - 1;
    marks[1] = (uint16_t)(at + _tzcnt_u64(bits));
    return bits & (bits - 1);
}

AVX2 INLINE uint64_t put_8_avx2(uint16_t *marks, uint64_t bits, size_t at)
{
    bits = put_2_avx2(marks, bits, at);
    bits = put_2_avx2(marks + 2, bits, at);
    bits = put_2_avx2(marks + 4, bits, at);
    return put_2_avx2(marks + 6, bits, at);
}

AVX2 INLINE uint16_t *put_avx2(uint16_t *marks, uint64_t bits, size_t at, bool are_many)
{
    uint16_t *end = marks + __builtin_popcountll(bits);
    for (uint16_t *next = marks; next < end; next += are_many ? 8 : 2)
        bits = are_many ? put_8_avx2(next, bits, at) : put_2_avx2(next, bits, at);
    return end;
}

AVX2 INLINE size_t mark_avx2(const char *bytes, size_t size, uint16_t *marks, cm_marked marked)
{
    uint16_t *next = marks;
    size_t at = 0;
    for (; at + CHUNK <= size; at += CHUNK) {
        uint64_t bits = bits_32(bytes + at, marked) | bits_32(bytes + at + 32, marked) << 32;
        next = put_avx2(next, bits, at, are_many(marked));
    }
    if (at < size) {
        char padded[CHUNK];
        cm_mark_pad(padded, bytes + at, size - at);
        uint64_t bits = bits_32(padded, marked) | bits_32(padded + 32, marked) << 32;
        next = put_avx2(next, bits, at, are_many(marked));
    }
    return (size_t)(next - marks);
}

AVX2 static size_t csv_avx2(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_avx2(bytes, size, marks, CM_MARKED_CSV);
}

AVX2 static size_t quotes_avx2(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_avx2(bytes, size, marks, CM_MARKED_QUOTES);
}

AVX2 static size_t json_avx2(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_avx2(bytes, size, marks, CM_MARKED_JSON);
}

/* --- AVX-512 ---------------------------------------------------------------------------------- */

/* Places of bytes in a chunk, and the same 16 bits wide for half of them. */
static const uint8_t PLACES[CHUNK] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

AVX512 INLINE uint64_t bits_64(__m512i chunk, cm_marked marked)
{
    uint64_t found = _mm512_cmpeq_epi8_mask(chunk, _mm512_set1_epi8('"'));
    if (marked == CM_MARKED_CSV)
        found |= _mm512_cmpeq_epi8_mask(chunk, _mm512_set1_epi8(',')) |
                 _mm512_cmpeq_epi8_mask(chunk, _mm512_set1_epi8('\n'));
    else if (marked == CM_MARKED_JSON)
        found |= _mm512_cmplt_epi8_mask(chunk, _mm512_set1_epi8(' ')) |
                 _mm512_cmpeq_epi8_mask(chunk, _mm512_set1_epi8('\\'));
    return found;
}

AVX512 INLINE void put_32(uint16_t *marks, __m256i places, size_t at)
{
    __m512i wide = _mm512_add_epi16(_mm512_cvtepu8_epi16(places), _mm512_set1_epi16((short)at));
    _mm512_storeu_si512(marks, wide);
}

AVX512 INLINE uint16_t *put_avx512(uint16_t *marks, uint64_t bits, size_t at)
{
    size_t count = (size_t)__builtin_popcountll(bits);
    __m512i places = _mm512_maskz_compress_epi8(bits, _mm512_loadu_si512(PLACES));
    put_32(marks, _mm512_castsi512_si256(places), at);
    if (count > 32)
        put_32(marks + 32, _mm512_extracti64x4_epi64(places, 1), at);
    return marks + count;
}

AVX512 INLINE size_t mark_avx512(const char *bytes, size_t size, uint16_t *marks, cm_marked marked)
{
    uint16_t *next = marks;
    size_t at = 0;
    for (; at + CHUNK <= size; at += CHUNK)
        next = put_avx512(next, bits_64(_mm512_loadu_si512(bytes + at), marked), at);
    if (at < size) {
        __mmask64 there = _bzhi_u64(UINT64_MAX, (unsigned)(size - at));
        __m512i tail = _mm512_mask_loadu_epi8(_mm512_set1_epi8(' '), there, bytes + at);
        next = put_avx512(next, bits_64(tail, marked), at);
    }
    return (size_t)(next - marks);
}

AVX512 static size_t csv_avx512(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_avx512(bytes, size, marks, CM_MARKED_CSV);
}

AVX512 static size_t quotes_avx512(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_avx512(bytes, size, marks, CM_MARKED_QUOTES);
}

AVX512 static size_t json_avx512(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_avx512(bytes, size, marks, CM_MARKED_JSON);
}

/* --- What the machine has --------------------------------------------------------------------- */

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt");
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

const cm_mark_kernel *cm_mark_kernel_x86(cm_mark_level level)
{
    static const cm_mark_kernel sse2 = {"SSE2", csv_sse2, quotes_sse2, json_sse2};
    static const cm_mark_kernel avx2 = {"AVX2", csv_avx2, quotes_avx2, json_avx2};
    static const cm_mark_kernel avx512 = {"AVX-512", csv_avx512, quotes_avx512, json_avx512};
    if (level == CM_MARK_AVX512 && has_avx512())
        return &avx512;
    if (level == CM_MARK_AVX2 && has_avx2())
        return &avx2;
    return level == CM_MARK_SSE2 ? &sse2 : NULL;
}

#else

const cm_mark_kernel *cm_mark_kernel_x86(cm_mark_level level)
{
    (void)level;
    return NULL;
}

#endif
