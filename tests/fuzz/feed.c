/*
 * Gives a fuzz target the bytes of files, each once: what was found stays found with any compiler,
 * and coverage can be counted.
 *
 *     build/tests/fuzz_csv FILE...
 */
#include <stdbool.h>

#include "fuzz/fuzz.h"

/* Has the target look at a file: as many bytes as it has, so that a step beyond is seen. */
static bool feed(FILE *file)
{
    if (fseek(file, 0, SEEK_END) != 0)
        return false;
    long size = ftell(file);
    uint8_t *bytes = size < 0 ? NULL : malloc(size > 0 ? (size_t)size : 1);
    rewind(file);
    bool is_read = bytes != NULL && fread(bytes, 1, (size_t)size, file) == (size_t)size;
    if (is_read)
        (void)LLVMFuzzerTestOneInput(bytes, (size_t)size);
    free(bytes);
    return is_read;
}

static bool feed_path(const char *path)
{
    FILE *file = fopen(path, "rb");
    bool is_read = file != NULL && feed(file);
    if (!is_read)
        fprintf(stderr, "%s: cannot be read\n", path);
    if (file != NULL)
        (void)fclose(file);
    return is_read;
}

int main(int count, char **paths)
{
    int failed = 0;
    for (int i = 1; i < count; i++)
        failed |= !feed_path(paths[i]);
    return failed;
}
