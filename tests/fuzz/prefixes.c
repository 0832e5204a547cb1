#include "fuzz/fuzz.h"

static unsigned long long texts;

static void say_texts(void)
{
    fprintf(stderr, "%llu texts\n", texts);
}

void fuzz_each_prefix(const uint8_t *bytes, size_t size, void (*try_text)(const char *, size_t))
{
    if (texts == 0)
        (void)atexit(say_texts);
    for (size_t end = 0; end <= size; end++, texts++) {
        char *room = malloc(1 + end); /* which ends where the text does */
        FUZZ_CHECK(room != NULL);
        if (end > 0)
            memcpy(room + 1, bytes, end);
        try_text(room + 1, end);
        free(room);
    }
}
