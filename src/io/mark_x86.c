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

#define CHUNK ((size_t)64)
#define INLINE CM_MARK_INLINE

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi2,bmi,bmi2,popcnt")))

/* --- SSE2 ------------------------------------------------------------------------------------- */

INLINE uint64_t bits_16(const char *bytes, bool is_csv)
{
    __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    __m128i found = _mm_cmpeq_epi8(chunk, _mm_set1_epi8('"'));
    if (is_csv) {
        found = _mm_or_si128(found, _mm_cmpeq_epi8(chunk, _mm_set1_epi8(',')));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(chunk, _mm_set1_epi8('\n')));
    }
    return (uint32_t)_mm_movemask_epi8(found);
}

INLINE uint64_t bits_sse2(const char *bytes, bool is_csv)
{
    return bits_16(bytes, is_csv) | bits_16(bytes + 16, is_csv) << 16 |
           bits_16(bytes + 32, is_csv) << 32 | bits_16(bytes + 48, is_csv) << 48;
}

INLINE size_t mark_sse2(const char *bytes, size_t size, uint16_t *marks, bool is_csv)
{
    uint16_t *next = marks;
    size_t at = 0;
    for (; at + CHUNK <= size; at += CHUNK)
        next = cm_mark_put(next, bits_sse2(bytes + at, is_csv), at, is_csv);
    if (at < size) {
        char padded[CHUNK] = {0};
        memcpy(padded, bytes + at, size - at);
        next = cm_mark_put(next, bits_sse2(padded, is_csv), at, is_csv);
    }
    return (size_t)(next - marks);
}

static size_t csv_sse2(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_sse2(bytes, size, marks, true);
}

static size_t quotes_sse2(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_sse2(bytes, size, marks, false);
}

/* --- AVX2 ------------------------------------------------------------------------------------- */

AVX2 INLINE uint64_t bits_32(const char *bytes, bool is_csv)
{
    __m256i chunk = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
    __m256i found = _mm256_cmpeq_epi8(chunk, _mm256_set1_epi8('"'));
    if (is_csv) {
        found = _mm256_or_si256(found, _mm256_cmpeq_epi8(chunk, _mm256_set1_epi8(',')));
        found = _mm256_or_si256(found, _mm256_cmpeq_epi8(chunk, _mm256_set1_epi8('\n')));
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

AVX2 INLINE size_t mark_avx2(const char *bytes, size_t size, uint16_t *marks, bool is_csv)
{
    uint16_t *next = marks;
    size_t at = 0;
    for (; at + CHUNK <= size; at += CHUNK) {
        uint64_t bits = bits_32(bytes + at, is_csv) | bits_32(bytes + at + 32, is_csv) << 32;
        next = put_avx2(next, bits, at, is_csv);
    }
    if (at < size) {
        char padded[CHUNK] = {0};
        memcpy(padded, bytes + at, size - at);
        uint64_t bits = bits_32(padded, is_csv) | bits_32(padded + 32, is_csv) << 32;
        next = put_avx2(next, bits, at, is_csv);
    }
    return (size_t)(next - marks);
}

AVX2 static size_t csv_avx2(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_avx2(bytes, size, marks, true);
}

AVX2 static size_t quotes_avx2(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_avx2(bytes, size, marks, false);
}

/* --- AVX-512 ---------------------------------------------------------------------------------- */

/* Places of bytes in a chunk, and the same 16 bits wide for half of them. */
static const uint8_t PLACES[CHUNK] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

AVX512 INLINE uint64_t bits_64(__m512i chunk, bool is_csv)
{
    uint64_t found = _mm512_cmpeq_epi8_mask(chunk, _mm512_set1_epi8('"'));
    if (is_csv)
        found |= _mm512_cmpeq_epi8_mask(chunk, _mm512_set1_epi8(',')) |
                 _mm512_cmpeq_epi8_mask(chunk, _mm512_set1_epi8('\n'));
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

AVX512 INLINE size_t mark_avx512(const char *bytes, size_t size, uint16_t *marks, bool is_csv)
{
    uint16_t *next = marks;
    size_t at = 0;
    for (; at + CHUNK <= size; at += CHUNK)
        next = put_avx512(next, bits_64(_mm512_loadu_si512(bytes + at), is_csv), at);
    if (at < size) {
        __m512i tail =
            _mm512_maskz_loadu_epi8(_bzhi_u64(UINT64_MAX, (unsigned)(size - at)), bytes + at);
        next = put_avx512(next, bits_64(tail, is_csv), at);
    }
    return (size_t)(next - marks);
}

AVX512 static size_t csv_avx512(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_avx512(bytes, size, marks, true);
}

AVX512 static size_t quotes_avx512(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_avx512(bytes, size, marks, false);
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
    static const cm_mark_kernel sse2 = {"SSE2", csv_sse2, quotes_sse2};
    static const cm_mark_kernel avx2 = {"AVX2", csv_avx2, quotes_avx2};
    static const cm_mark_kernel avx512 = {"AVX-512", csv_avx512, quotes_avx512};
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
