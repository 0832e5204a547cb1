#include <string.h>

#include "clickmatch.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define FINGERPRINT_BYTES ((size_t)32)

#ifdef __SSE2__

/* The eight bytes that 16 hex digits stand for, each in 16 bits. Clears bits of all where a byte is
 * no digit. */
static inline __attribute__((always_inline)) __m128i bytes_of(const char *hex, __m128i *all)
{
    __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)hex);
    __m128i number = _mm_sub_epi8(chunk, _mm_set1_epi8('0'));
    __m128i letter = _mm_sub_epi8(_mm_or_si128(chunk, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    __m128i is_number = _mm_cmpeq_epi8(_mm_min_epu8(number, _mm_set1_epi8(9)), number);
    __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);
    *all = _mm_and_si128(*all, _mm_or_si128(is_number, is_letter));
    __m128i digits = _mm_add_epi8(_mm_and_si128(chunk, _mm_set1_epi8(0x0F)),
                                  _mm_and_si128(is_letter, _mm_set1_epi8(9)));
    __m128i pairs = _mm_or_si128(_mm_slli_epi16(digits, 4), _mm_srli_epi16(digits, 8));
    return _mm_and_si128(pairs, _mm_set1_epi16(0x00FF));
}

bool cm_fingerprint_parse(cm_slice text, uint8_t fingerprint[32])
{
    if (text.size != 2 * FINGERPRINT_BYTES)
        return false;
    __m128i all = _mm_set1_epi8(-1);
    for (size_t i = 0; i < FINGERPRINT_BYTES; i += 16) {
        __m128i low = bytes_of(text.data + 2 * i, &all);
        __m128i high = bytes_of(text.data + 2 * i + 16, &all);
        _mm_storeu_si128((__m128i *)(void *)(fingerprint + i), _mm_packus_epi16(low, high));
    }
    return _mm_movemask_epi8(all) == 0xFFFF;
}

#else

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* Which bytes of a word, all below 128, are at least some number: their highest bits. */
static uint64_t at_least(uint64_t word, unsigned number)
{
    return (word + ONES * (128 - number)) & HIGHS;
}

/* The digits at hex, eight at a time, as numbers. The result has no bit where all are digits. */
static uint64_t digits_of(const char *hex, uint64_t *digits)
{
    uint64_t word;
    memcpy(&word, hex, sizeof word);
    uint64_t plain = word & ~HIGHS, lower = plain | ONES * 0x20;
    uint64_t number = at_least(plain, '0') & ~at_least(plain, '9' + 1);
    uint64_t letter = at_least(lower, 'a') & ~at_least(lower, 'f' + 1);
    *digits = (word & ONES * 0x0F) + (letter >> 7) * 9;
    return (~(number | letter) | word) & HIGHS;
}

bool cm_fingerprint_parse(cm_slice text, uint8_t fingerprint[32])
{
    uint64_t others = 0, digits;
    if (text.size != 2 * FINGERPRINT_BYTES)
        return false;
    for (size_t i = 0; i < FINGERPRINT_BYTES; i += 4) {
        others |= digits_of(text.data + 2 * i, &digits);
        uint8_t each[8];
        memcpy(each, &digits, sizeof each);
        for (size_t k = 0; k < 4; k++)
            fingerprint[i + k] = (uint8_t)(each[2 * k] << 4 | each[2 * k + 1]);
    }
    return others == 0;
}

#endif
