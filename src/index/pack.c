#include "index/pack.h"

#include <endian.h>
#include <string.h>

/*
 * The first byte says what follows: 0, the text as it is; or 1 to 4, packed, the text's size being
 * that much modulo 4, so that the number of bytes leaves no doubt about it.
 */
#define AS_IT_IS 0

/* 0x80 marks what is of the alphabet. */
static const uint8_t values[256] = {
    ['-'] = 0x80 + 62, ['_'] = 0x80 + 63, ['0'] = 0x80 + 52, ['1'] = 0x80 + 53, ['2'] = 0x80 + 54,
    ['3'] = 0x80 + 55, ['4'] = 0x80 + 56, ['5'] = 0x80 + 57, ['6'] = 0x80 + 58, ['7'] = 0x80 + 59,
    ['8'] = 0x80 + 60, ['9'] = 0x80 + 61, ['A'] = 0x80 + 0,  ['B'] = 0x80 + 1,  ['C'] = 0x80 + 2,
    ['D'] = 0x80 + 3,  ['E'] = 0x80 + 4,  ['F'] = 0x80 + 5,  ['G'] = 0x80 + 6,  ['H'] = 0x80 + 7,
    ['I'] = 0x80 + 8,  ['J'] = 0x80 + 9,  ['K'] = 0x80 + 10, ['L'] = 0x80 + 11, ['M'] = 0x80 + 12,
    ['N'] = 0x80 + 13, ['O'] = 0x80 + 14, ['P'] = 0x80 + 15, ['Q'] = 0x80 + 16, ['R'] = 0x80 + 17,
    ['S'] = 0x80 + 18, ['T'] = 0x80 + 19, ['U'] = 0x80 + 20, ['V'] = 0x80 + 21, ['W'] = 0x80 + 22,
    ['X'] = 0x80 + 23, ['Y'] = 0x80 + 24, ['Z'] = 0x80 + 25, ['a'] = 0x80 + 26, ['b'] = 0x80 + 27,
    ['c'] = 0x80 + 28, ['d'] = 0x80 + 29, ['e'] = 0x80 + 30, ['f'] = 0x80 + 31, ['g'] = 0x80 + 32,
    ['h'] = 0x80 + 33, ['i'] = 0x80 + 34, ['j'] = 0x80 + 35, ['k'] = 0x80 + 36, ['l'] = 0x80 + 37,
    ['m'] = 0x80 + 38, ['n'] = 0x80 + 39, ['o'] = 0x80 + 40, ['p'] = 0x80 + 41, ['q'] = 0x80 + 42,
    ['r'] = 0x80 + 43, ['s'] = 0x80 + 44, ['t'] = 0x80 + 45, ['u'] = 0x80 + 46, ['v'] = 0x80 + 47,
    ['w'] = 0x80 + 48, ['x'] = 0x80 + 49, ['y'] = 0x80 + 50, ['z'] = 0x80 + 51,
};

#define IN_ALPHABET 0x80u

/* Three bytes of up to four characters; those that are not there count as the first of the
 * alphabet. Returns the marks of all of them, ANDed. */
static unsigned pack_four(const unsigned char *text, size_t count, char *packed)
{
    unsigned word = 0, marks = IN_ALPHABET;
    for (size_t i = 0; i < count; i++) {
        unsigned value = values[text[i]];
        marks &= value;
        word |= (value & 0x3F) << (6 * i);
    }
    packed[0] = (char)word;
    packed[1] = (char)(word >> 8);
    packed[2] = (char)(word >> 16);
    return marks;
}

/* Six bytes of eight characters, and two more that what follows overwrites. Most of a text. */
static unsigned pack_eight(const unsigned char *text, char *packed)
{
    uint64_t word = 0;
    unsigned marks = IN_ALPHABET;
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; i++) {
        unsigned value = values[text[i]];
        marks &= value;
        word |= (uint64_t)(value & 0x3F) << (6 * i);
    }
    word = htole64(word);
    memcpy(packed, &word, sizeof word);
    return marks;
}

size_t cm_pack(cm_slice text, char *packed)
{
    const unsigned char *from = (const unsigned char *)text.data;
    size_t at = 0, size = 1;
    unsigned marks = IN_ALPHABET;
    for (; text.size - at >= 8 && marks != 0; at += 8, size += 6)
        marks &= pack_eight(from + at, packed + size);
    for (; text.size - at >= 4 && marks != 0; at += 4, size += 3)
        marks &= pack_four(from + at, 4, packed + size);
    if (marks != 0 && at < text.size) {
        marks &= pack_four(from + at, text.size - at, packed + size);
        size += text.size - at; /* 6, 12 or 18 bits */
    }
    if (marks != 0) {
        packed[0] = (char)(1 + text.size % 4);
        return size;
    }
    packed[0] = AS_IT_IS;
    memcpy(packed + 1, text.data, text.size);
    return 1 + text.size;
}
