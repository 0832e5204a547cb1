/*
 * Gives a fuzz target the bytes of files, each once: what was found stays found with any compiler,
 * and coverage can be counted.
 *
 *     build/tests/fuzz_csv FILE...
 */
#include "fuzz/fuzz.h"

/* As many bytes as the file has, so that a step beyond is seen. */
static int feed(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    long size = ftell(file);
    uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
    rewind(file);
    if (bytes == NULL || size < 0 || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput(bytes, (size_t)size);
    free(bytes);
    return 0;
}

int main(int count, char **paths)
{
    int failed = 0;
    for (int i = 1; i < count; i++)
        failed |= feed(paths[i]);
    return failed;
}
