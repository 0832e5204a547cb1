/*
 * Finding the bytes that mean something to CSV or JSON, a stretch of a block at a time, with the
 * widest vectors the machine has. Every level gives the same marks; a reader holds the kernel of
 * the level it uses, chosen when it is set up. Nothing is remembered between calls, so that any
 * thread may call anything here at any time.
 */
#ifndef CM_IO_MARK_H
#define CM_IO_MARK_H

#include <stddef.h>
#include <stdint.h>

#define CM_STRETCH_BYTES ((size_t)4096)      /* at most; a mark's place fits 16 bits */
#define CM_MARK_ROOM (CM_STRETCH_BYTES + 64) /* marks are written in groups, the last beyond */

/**
 * Write down where the marks among some bytes stand.
 *
 * @param bytes  none is read beyond the last
 * @param size   at most CM_STRETCH_BYTES
 * @param marks  receives the places in rising order; what lies behind the last one is overwritten
 * @return the number of marks
 */
typedef size_t cm_mark_function(const char *bytes, size_t size, uint16_t marks[CM_MARK_ROOM]);

/** The functions of one level. */
typedef struct cm_mark_kernel {
    const char *name;
    cm_mark_function *csv;    /* separators, line ends and quotes */
    cm_mark_function *quotes; /* quotes alone */
    cm_mark_function *json;   /* what does not stand for itself in a JSON string: quotes,
                                 backslashes, control characters, bytes beyond ASCII */
} cm_mark_kernel;

typedef enum cm_mark_level {
    CM_MARK_PORTABLE, /* eight bytes at a time in plain C */
    CM_MARK_SSE2,     /* every x86-64 */
    CM_MARK_AVX2,     /* with BMI */
    CM_MARK_AVX512,   /* BW and VBMI2: Ice Lake, Zen 4 and later */
    CM_MARK_LEVEL_COUNT
} cm_mark_level;

/** The kernel of a level; NULL where this machine or this build has none. */
const cm_mark_kernel *cm_mark_kernel_at(cm_mark_level level);

/** The kernel of the highest level the machine has. */
const cm_mark_kernel *cm_mark_kernel_best(void);

#endif
