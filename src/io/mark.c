/* The portable kernel, and which kernel a machine has. */
#include "io/mark.h"

#include <endian.h>
#include <string.h>

#include "io/mark_x86.h"

#define LOWS 0x7F7F7F7F7F7F7F7Fu
#define ONES 0x0101010101010101u

/* The highest bit of each byte of the word that is such a byte; exact for all eight. */
static inline uint64_t find(uint64_t word, char byte)
{
    uint64_t odd = word ^ (ONES * (unsigned char)byte);
    return ~(((odd & LOWS) + LOWS) | odd | LOWS);
}

static inline uint64_t find_csv(uint64_t word)
{
    return find(word, ',') | find(word, '\n') | find(word, '"');
}

static inline uint64_t find_quotes(uint64_t word)
{
    return find(word, '"');
}

static inline size_t mark(const char *bytes, size_t size, uint16_t *marks,
                          uint64_t (*find_all)(uint64_t word))
{
    uint16_t *next = marks;
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, bytes + at, size - at < sizeof word ? size - at : sizeof word);
        for (uint64_t bits = find_all(le64toh(word)); bits != 0; bits &= bits - 1)
            *next++ = (uint16_t)(at + (size_t)__builtin_ctzll(bits) / 8);
    }
    return (size_t)(next - marks);
}

static size_t mark_csv(const char *bytes, size_t size, uint16_t *marks)
{
    return mark(bytes, size, marks, find_csv);
}

static size_t mark_quotes(const char *bytes, size_t size, uint16_t *marks)
{
    return mark(bytes, size, marks, find_quotes);
}

const cm_mark_kernel *cm_mark_kernel_at(cm_mark_level level)
{
    static const cm_mark_kernel portable = {"portable", mark_csv, mark_quotes};
    return level == CM_MARK_PORTABLE ? &portable : cm_mark_kernel_x86(level);
}

const cm_mark_kernel *cm_mark_kernel_best(void)
{
    cm_mark_level level = CM_MARK_LEVEL_COUNT - 1;
    while (cm_mark_kernel_at(level) == NULL)
        level--;
    return cm_mark_kernel_at(level);
}
