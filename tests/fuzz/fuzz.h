/* What the fuzz targets share. A target is a LLVMFuzzerTestOneInput: libFuzzer calls it, or feed.c
 * with the bytes of files. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** More than a crash: a promise that does not hold ends the run, which keeps the input. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #condition))

static inline void fuzz_broken(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/** Takes the first byte, which chooses how the others are read; 0 where there is none. */
static inline unsigned fuzz_choice(const uint8_t **bytes, size_t *size)
{
    if (*size == 0)
        return 0;
    (*size)--;
    return *(*bytes)++;
}

/**
 * For decoders of short text: try it and all that it begins with, each in memory of its own. Says
 * at the end of a run how many texts there were.
 */
void fuzz_each_prefix(const uint8_t *bytes, size_t size, void (*try_text)(const char *, size_t));

#endif
