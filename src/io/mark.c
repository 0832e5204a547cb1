/* The portable kernel, and which kernel a machine has. */
#include "io/mark.h"

#include <endian.h>
#include <string.h>

#include "io/mark_put.h"
#include "io/mark_x86.h"
#include "io/scan.h"

#define CHUNK CM_MARK_CHUNK
#define LOWS 0x7F7F7F7F7F7F7F7Fu
#define ONES 0x0101010101010101u

/* The highest bit of each byte of the word that is another one; exact for all eight. */
static inline uint64_t differ(uint64_t word, char byte)
{
    uint64_t odd = word ^ (ONES * (unsigned char)byte);
    return ((odd & LOWS) + LOWS) | odd;
}

/* The highest bit of each byte of the word that stands for itself in a JSON string. */
static inline uint64_t stand_for_themselves(uint64_t word)
{
    uint64_t at_least_space = (word & LOWS) + ONES * (0x80 - ' ');
    return at_least_space & ~word & differ(word, '"') & differ(word, '\\');
}

/* The bits of 64 bytes that are marks. */
CM_MARK_INLINE uint64_t bits_of(const char *bytes, cm_marked marked)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < CHUNK / 8; i++) {
        uint64_t word;
        memcpy(&word, bytes + (size_t)i * 8, sizeof word);
        word = le64toh(word);
        uint64_t others = marked == CM_MARKED_JSON
                              ? stand_for_themselves(word)
                              : differ(word, '"') & differ(word, ',') & differ(word, '\n');
        /* Bit 8 i of the factor's product with what is left goes to bit 56 + i. */
        bits |= ((~others & ~LOWS) >> 7) * 0x0102040810204080u >> 56 << (8 * i);
    }
    return bits;
}

CM_MARK_INLINE size_t mark_all(const char *bytes, size_t size, uint16_t *marks, cm_marked marked)
{
    uint16_t *next = marks;
    size_t at = 0;
    for (; at + CHUNK <= size; at += CHUNK)
        next = cm_mark_put(next, bits_of(bytes + at, marked), at, true);
    if (at < size) {
        char padded[CHUNK];
        cm_mark_pad(padded, bytes + at, size - at);
        next = cm_mark_put(next, bits_of(padded, marked), at, true);
    }
    return (size_t)(next - marks);
}

static size_t mark_csv(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_all(bytes, size, marks, CM_MARKED_CSV);
}

static size_t mark_json(const char *bytes, size_t size, uint16_t *marks)
{
    return mark_all(bytes, size, marks, CM_MARKED_JSON);
}

/* Quotes are few: the C library finds them faster, on any machine. */
static size_t mark_quotes(const char *bytes, size_t size, uint16_t *marks)
{
    uint16_t *next = marks;
    for (size_t at = 0; (at = cm_scan_byte(bytes, at, size, '"')) < size; at++)
        *next++ = (uint16_t)at;
    return (size_t)(next - marks);
}

const cm_mark_kernel *cm_mark_kernel_at(cm_mark_level level)
{
    static const cm_mark_kernel portable = {"portable", mark_csv, mark_quotes, mark_json};
    return level == CM_MARK_PORTABLE ? &portable : cm_mark_kernel_x86(level);
}

const cm_mark_kernel *cm_mark_kernel_best(void)
{
    cm_mark_level level = CM_MARK_LEVEL_COUNT - 1;
    while (cm_mark_kernel_at(level) == NULL)
        level--;
    return cm_mark_kernel_at(level);
}
