#include <string.h>

#include "util/text.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* Is no byte of the word 0 or above 127? */
static bool is_plain_word(uint64_t word)
{
    return (((word - ONES) | word) & HIGHS) == 0;
}

#ifdef __SSE2__

/* Signed: what is above ASCII is negative. */
static int plain_bits(const char *text)
{
    __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)text);
    return _mm_movemask_epi8(_mm_cmpgt_epi8(chunk, _mm_setzero_si128()));
}

/* Text of at least 16 bytes; the last 16 overlap those before. */
static bool is_plain_long(cm_slice text)
{
    int bits = plain_bits(text.data + text.size - 16);
    for (size_t at = 0; at + 16 < text.size; at += 16)
        bits &= plain_bits(text.data + at);
    return bits == 0xFFFF;
}

#endif

bool cm_text_is_plain(cm_slice text)
{
    uint64_t word = ONES;
#ifdef __SSE2__
    if (text.size >= 16)
        return is_plain_long(text);
#endif
    if (text.size < sizeof word) {
        for (size_t i = 0; i < text.size; i++)
            word = word << 8 | (unsigned char)text.data[i];
        return is_plain_word(word);
    }
    /* The last word overlaps the one before it. */
    memcpy(&word, text.data + text.size - sizeof word, sizeof word);
    bool is_plain = is_plain_word(word);
    for (size_t at = 0; is_plain && at + sizeof word < text.size; at += sizeof word) {
        memcpy(&word, text.data + at, sizeof word);
        is_plain = is_plain_word(word);
    }
    return is_plain;
}

/* Length of the sequence that begins at bytes, of which count are there; 0 where it is malformed.
 */
static size_t sequence_length(const unsigned char *bytes, size_t count)
{
    /* The second byte's range tells overlong forms, surrogates and what is above U+10FFFF. */
    unsigned lead = bytes[0], least = 0x80, most = 0xBF;
    size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 1)
        return 1;
    if (lead < 0xC2 || lead > 0xF4 || length > count)
        return 0;
    if (lead == 0xE0)
        least = 0xA0;
    else if (lead == 0xED)
        most = 0x9F;
    else if (lead == 0xF0)
        least = 0x90;
    else if (lead == 0xF4)
        most = 0x8F;
    if (bytes[1] < least || bytes[1] > most)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

bool cm_utf8_count(cm_slice text, size_t *characters)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    *characters = 0;
    for (size_t at = 0, length; at < text.size; at += length) {
        length = sequence_length(bytes + at, text.size - at);
        if (length == 0)
            return false;
        (*characters)++;
    }
    return true;
}

static char folded(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

cm_slice cm_text_fold(cm_slice text, char *room)
{
    size_t at = 0;
    while (at < text.size && text.data[at] == folded(text.data[at]))
        at++;
    if (at == text.size)
        return text;
    for (size_t i = 0; i < text.size; i++)
        room[i] = folded(text.data[i]);
    return (cm_slice){room, text.size};
}

bool cm_text_equal_folded(cm_slice a, cm_slice b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (folded(a.data[i]) != folded(b.data[i]))
            return false;
    return true;
}

size_t cm_utf8_whole(cm_slice text)
{
    for (size_t back = 1; back <= 3 && back <= text.size; back++) {
        unsigned char byte = (unsigned char)text.data[text.size - back];
        size_t wanted = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
        if ((byte & 0xC0) != 0x80)
            return wanted > back ? text.size - back : text.size;
    }
    return text.size;
}
