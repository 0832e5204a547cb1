#include <string.h>

#include "util/address_text.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BYTES ((size_t)16)
#define IPV6_SIZE_MAX ((size_t)45) /* with an IPv4 tail */

/* --- Any text --------------------------------------------------------------------------------- */

/* 16 for a byte that is no hex digit. */
static unsigned hex_digit(char byte)
{
    unsigned digit = (unsigned)(unsigned char)byte - '0';
    if (digit <= 9)
        return digit;
    unsigned letter = ((unsigned)(unsigned char)byte | 0x20) - 'a';
    return letter <= 5 ? letter + 10 : 16;
}

/* How many of up to four hex digits are at the front, and their number. */
static size_t take_group(const char *text, size_t size, unsigned *group)
{
    size_t count = 0;
    *group = 0;
    for (; count < size && count < 4; count++) {
        unsigned digit = hex_digit(text[count]);
        if (digit > 15)
            break;
        *group = *group << 4 | digit;
    }
    return count;
}

/* What follows where a group may begin. */
typedef struct groups {
    uint8_t bytes[BYTES];
    size_t count; /* of bytes */
    bool has_gap; /* a `::` */
    size_t gap;   /* bytes before it */
} groups;

/* Groups and single colons between them, a `::` at most once. False where the text is malformed. */
static bool take_groups(cm_slice text, groups *g)
{
    const char *at = text.data, *end = text.data + text.size;
    for (;;) {
        unsigned group;
        size_t digits = take_group(at, (size_t)(end - at), &group);
        if (digits == 0 || g->count + 2 > BYTES)
            return false;
        if (at + digits < end && at[digits] == '.') {
            cm_address tail;
            if (g->count + 4 > BYTES ||
                !cm_address_parse_ipv4((cm_slice){at, (size_t)(end - at)}, &tail))
                return false;
            memcpy(g->bytes + g->count, tail.bytes, 4);
            g->count += 4;
            return true;
        }
        g->bytes[g->count++] = (uint8_t)(group >> 8);
        g->bytes[g->count++] = (uint8_t)group;
        at += digits;
        if (at == end)
            return true;
        if (*at++ != ':' || at == end)
            return false;
        if (*at != ':')
            continue;
        if (g->has_gap)
            return false;
        g->has_gap = true;
        g->gap = g->count;
        if (++at == end)
            return true;
    }
}

static bool parse_any(cm_slice text, uint8_t bytes[16])
{
    groups g = {0};
    if (text.size < 2 || text.size > IPV6_SIZE_MAX)
        return false;
    if (text.data[0] == ':') {
        if (text.data[1] != ':')
            return false;
        g.has_gap = true;
        text = (cm_slice){text.data + 2, text.size - 2};
    }
    if (text.size > 0 && !take_groups(text, &g))
        return false;
    /* A `::` stands for one group or more. */
    if (g.has_gap == (g.count == BYTES))
        return false;
    size_t before = g.has_gap ? g.gap : g.count, behind = g.count - before;
    memset(bytes, 0, BYTES);
    memcpy(bytes, g.bytes, before);
    memcpy(bytes + BYTES - behind, g.bytes + before, behind);
    return true;
}

/* --- The usual text: eight groups, most of them of four digits -------------------------------- */

#ifdef __SSE2__

#define USUAL_SIZE_MIN ((size_t)32)
#define USUAL_SIZE_MAX ((size_t)39)

/* Which of 16 bytes are colons; true if the others are all hex digits. */
static bool find_colons(const char *text, unsigned *colons)
{
    __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i number = _mm_sub_epi8(chunk, _mm_set1_epi8('0'));
    __m128i letter = _mm_sub_epi8(_mm_or_si128(chunk, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    __m128i is_digit = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(number, _mm_set1_epi8(9)), number),
                                    _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter));
    __m128i is_colon = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(':'));
    *colons = (unsigned)_mm_movemask_epi8(is_colon);
    return _mm_movemask_epi8(_mm_or_si128(is_digit, is_colon)) == 0xFFFF;
}

/* One to four hex digits, the last four bytes of the word, as the two bytes they stand for. */
static void put_group(uint32_t word, unsigned digits, uint8_t bytes[2])
{
    word = (word & 0x0F0F0F0F) + 9 * (word >> 6 & 0x01010101);
    word &= UINT32_MAX << (32 - 8 * digits);
    word = word << 4 | word >> 8;
    bytes[0] = (uint8_t)word;
    bytes[1] = (uint8_t)(word >> 16);
}

/* The word that ends before a byte of the text, zeros for what would be before its start. */
static uint32_t word_before(const char *text, unsigned end)
{
    uint32_t word;
    memcpy(&word, text + (end < 4 ? 0 : end - 4), sizeof word);
    return end < 4 ? word << (8 * (4 - end)) : word;
}

/* False where the text is another one, or malformed. */
static bool parse_usual(const char *text, size_t size, uint8_t bytes[16])
{
    unsigned start, middle, last;
    bool is_clean = find_colons(text, &start);
    is_clean &= find_colons(text + 16, &middle);
    is_clean &= find_colons(text + size - 16, &last);
    uint64_t ends = (uint64_t)last << (size - 16) | (uint64_t)middle << 16 | start;
    /* Each group ends before a colon, the last one at the end. */
    ends |= UINT64_C(1) << size;
    if (!is_clean)
        return false;
    unsigned begin = 0;
    for (unsigned i = 0; i < 8; i++) {
        if (ends == 0)
            return false;
        unsigned end = (unsigned)__builtin_ctzll(ends), digits = end - begin;
        ends &= ends - 1;
        if (digits - 1 > 3)
            return false;
        put_group(word_before(text, end), digits, bytes + 2 * i);
        begin = end + 1;
    }
    return ends == 0;
}

#endif

bool cm_address_parse_ipv6(cm_slice text, uint8_t bytes[16])
{
#ifdef __SSE2__
    if (text.size - USUAL_SIZE_MIN <= USUAL_SIZE_MAX - USUAL_SIZE_MIN &&
        parse_usual(text.data, text.size, bytes))
        return true;
#endif
    return parse_any(text, bytes);
}
