#include <endian.h>
#include <string.h>

#include "util/address_text.h"
#include "util/text.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define IPV4_SIZE_MIN ((size_t)7)
#define IPV4_SIZE_MAX ((size_t)15)

#if defined(__SSE2__) && defined(__x86_64__)

static uint64_t load_8(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return word;
}

static uint32_t load_4(const char *text)
{
    uint32_t word;
    memcpy(&word, text, sizeof word);
    return word;
}

/* All of the text, zeros behind it; no byte beyond it is read. */
static __m128i load_ipv4(const char *text, size_t size)
{
    uint64_t low, high = 0;
    if (size == IPV4_SIZE_MIN) {
        low = load_4(text) | (uint64_t)load_4(text + 3) << 24;
    } else {
        low = load_8(text);
        high = load_8(text + size - 8) >> (8 * (15 - size)) >> 8;
    }
    return _mm_set_epi64x((long long)high, (long long)low);
}

/* The number of one to three digits that are the last bytes of a word; above 255 where it is
 * malformed. */
static inline unsigned octet_of(uint32_t word, unsigned count)
{
    static const uint32_t masks[4] = {0, 0xFF000000, 0xFFFF0000, 0xFFFFFF00};
    static const uint8_t least[4] = {0, 0, 10, 100};
    if (count - 1 > 2)
        return 256;
    word = (word ^ 0x30303030) & masks[count];
    unsigned number = (word >> 8 & 0xFF) * 100 + (word >> 16 & 0xFF) * 10 + (word >> 24);
    return number < least[count] ? 256 : number;
}

/* The word that ends before a byte of the text, zeros for what would be before its start. */
static uint32_t word_before(const char *text, unsigned end)
{
    return end < 4 ? load_4(text) << (8 * (4 - end)) : load_4(text + end - 4);
}

/* The three dots are found at once, and the digits before each without a branch on their number. */
static bool parse_ipv4(cm_slice text, cm_address *address)
{
    if (text.size - IPV4_SIZE_MIN > IPV4_SIZE_MAX - IPV4_SIZE_MIN)
        return false;
    __m128i chunk = load_ipv4(text.data, text.size);
    __m128i number = _mm_sub_epi8(chunk, _mm_set1_epi8('0'));
    __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(number, _mm_set1_epi8(9)), number);
    __m128i is_dot = _mm_cmpeq_epi8(chunk, _mm_set1_epi8('.'));
    unsigned size = (unsigned)text.size, end = 1u << size;
    unsigned dots = (unsigned)_mm_movemask_epi8(is_dot);
    if (((unsigned)_mm_movemask_epi8(is_digit) | dots) != end - 1)
        return false;
    /* Where there are fewer dots the end stands for them, which makes the last number malformed. */
    unsigned first = (unsigned)__builtin_ctz(dots | end);
    dots &= dots - 1;
    unsigned second = (unsigned)__builtin_ctz(dots | end);
    dots &= dots - 1;
    unsigned third = (unsigned)__builtin_ctz(dots | end);
    if (first == 0 || (dots & (dots - 1)) != 0)
        return false;
    unsigned a = octet_of(word_before(text.data, first), first);
    unsigned b = octet_of(word_before(text.data, second), second - first - 1);
    unsigned c = octet_of(word_before(text.data, third), third - second - 1);
    unsigned d = octet_of(load_4(text.data + size - 4), size - third - 1);
    *address = (cm_address){4, {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d}};
    return (a | b | c | d) <= 255;
}

#else

/*
 * One of the four numbers: the digits that begin at text, four bytes of which can be read. The
 * digits are shifted to the end of the word, so that one to three of them need no branch.
 *
 * Returns their number; 0 where the number is malformed.
 */
static size_t parse_octet(const char *text, uint8_t *octet)
{
    uint32_t word;
    memcpy(&word, text, sizeof word);
    word = le32toh(word) ^ 0x30303030u;
    uint32_t others = (word | (word + 0x06060606u)) & 0xF0F0F0F0u;
    if (others == 0)
        return 0;
    unsigned count = (unsigned)__builtin_ctz(others) / 8;
    if (count == 0 || (count > 1 && (word & 0xFF) == 0))
        return 0;
    uint32_t digits = word << (32 - 8 * count);
    unsigned number = (digits >> 8 & 0xFF) * 100 + (digits >> 16 & 0xFF) * 10 + (digits >> 24);
    *octet = (uint8_t)number;
    return number <= 255 ? count : 0;
}

static bool parse_ipv4(cm_slice text, cm_address *address)
{
    char padded[IPV4_SIZE_MAX + 5] = {0};
    size_t at = 0;
    if (text.size > IPV4_SIZE_MAX)
        return false;
    memcpy(padded, text.data, text.size);
    *address = (cm_address){.version = 4};
    for (unsigned i = 0; i < 4; i++) {
        size_t digits = parse_octet(padded + at, &address->bytes[i]);
        at += digits;
        if (digits == 0 || (i < 3 && padded[at++] != '.'))
            return false;
    }
    return at == text.size;
}

#endif

bool cm_address_parse_ipv4(cm_slice text, cm_address *address)
{
    return parse_ipv4(text, address);
}

#define MAPPED_BYTES ((size_t)12)

/* Does an IPv6 address stand for an IPv4 address? */
static bool is_mapped(const uint8_t bytes[16])
{
    static const uint8_t prefix[MAPPED_BYTES] = {[10] = 0xFF, [11] = 0xFF};
    return memcmp(bytes, prefix, sizeof prefix) == 0;
}

static bool parse_ipv6(cm_slice text, cm_address *address)
{
    address->version = 6;
    if (!cm_address_parse_ipv6(text, address->bytes))
        return false;
    if (is_mapped(address->bytes))
        *address = cm_address_unmapped(*address);
    return true;
}

bool cm_address_parse(cm_slice text, cm_address *address)
{
    if (text.size == 0)
        return false;
    /* The usual ones, which have no slash. */
    if (text.size <= IPV4_SIZE_MAX ? parse_ipv4(text, address) : parse_ipv6(text, address))
        return true;
    const char *slash = memchr(text.data, '/', text.size);
    if (slash != NULL)
        text.size = (size_t)(slash - text.data);
    return parse_ipv4(text, address) || parse_ipv6(text, address);
}

cm_address cm_address_unmapped(cm_address address)
{
    if (address.version != 6 || !is_mapped(address.bytes))
        return address;
    cm_address unmapped = {.version = 4};
    memcpy(unmapped.bytes, address.bytes + MAPPED_BYTES, 4);
    return unmapped;
}
