#include "harness/part_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "harness/random.h"

static char folder[] = "/tmp/clickmatch-test-XXXXXX";
char part_files_directory[64];

const char *part_files_path(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", part_files_directory, name);
    return path;
}

bool part_files_begin(void)
{
    if (mkdtemp(folder) == NULL)
        return false;
    (void)snprintf(part_files_directory, sizeof part_files_directory, "%s/checkpoint", folder);
    return true;
}

void part_files_remove(void)
{
    DIR *opened = opendir(part_files_directory);
    if (opened == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(opened)) != NULL;)
        (void)unlink(part_files_path(entry->d_name));
    (void)closedir(opened);
    assert_int_equal(rmdir(part_files_directory), 0);
}

void part_files_end(void)
{
    part_files_remove();
    (void)rmdir(folder);
}

/* Names in the directory, but for the lock. */
size_t part_files_count(void)
{
    size_t count = 0;
    DIR *opened = opendir(part_files_directory);
    assert_non_null(opened);
    for (const struct dirent *entry; (entry = readdir(opened)) != NULL;)
        count += entry->d_name[0] != '.' && strcmp(entry->d_name, "clickmatch.lock") != 0;
    (void)closedir(opened);
    return count;
}

bool part_files_exist(const char *name)
{
    return access(part_files_path(name), F_OK) == 0;
}

void part_files_put_file(const char *name, const char *bytes, size_t size)
{
    FILE *file = fopen(part_files_path(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

cm_buffer part_files_get_file(const char *name)
{
    cm_buffer bytes = {0};
    char piece[4096];
    FILE *file = fopen(part_files_path(name), "r");
    assert_non_null(file);
    for (size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0;)
        cm_buffer_append(&bytes, piece, got);
    assert_int_equal(fclose(file), 0);
    return bytes;
}

/* ---- parts ---- */

cm_parts *part_files_open(void)
{
    cm_parts *parts = NULL;
    cm_error error = {0};
    if (cm_parts_open(part_files_directory, "--checkpoint", &parts, &error) != CM_OK)
        fail_msg("%s", error.message);
    return parts;
}

void part_files_refuse(cm_status code, const char *what)
{
    cm_parts *parts = NULL;
    cm_error error = {0};
    assert_int_equal(cm_parts_open(part_files_directory, "--checkpoint", &parts, &error), code);
    if (strstr(error.message, what) == NULL || strchr(error.message, ';') == NULL)
        fail_msg("'%s' is not in '%s', or no remedy is", what, error.message);
}

/* Bytes that follow from the number; some of several megabytes. */
cm_buffer part_files_bytes(uint32_t number)
{
    cm_buffer bytes = {0};
    uint32_t words[1000];
    uint64_t random = number;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        words[i] = random_below(&random, UINT32_MAX);
    uint32_t size = random_below(&random, number % 5 == 0 ? 3000000 : 10000);
    while (bytes.size < size) {
        size_t left = size - bytes.size;
        cm_buffer_append(&bytes, (const char *)words, left < sizeof words ? left : sizeof words);
    }
    assert_false(bytes.failed);
    return bytes;
}

static void name_of(uint32_t number, char name[16])
{
    (void)snprintf(name, 16, "part-%u", number);
}

void part_files_put(cm_parts *parts, uint32_t number)
{
    char name[16];
    cm_buffer bytes = part_files_bytes(number);
    name_of(number, name);
    assert_int_equal(cm_parts_put(parts, name, &bytes, NULL), CM_OK);
    assert_null(bytes.data);
}

#define COMMIT_PARTS_MAX 64

/* Parts begin to end - 1, which the manifest's bytes say, too. */
cm_status part_files_try_commit(cm_parts *parts, uint32_t begin, uint32_t end, cm_error *error)
{
    static char names[COMMIT_PARTS_MAX][16];
    static const char *list[COMMIT_PARTS_MAX];
    const uint32_t range[2] = {begin, end};
    char text[32];
    assert_true(end - begin <= COMMIT_PARTS_MAX);
    for (uint32_t i = begin; i < end; i++) {
        name_of(i, names[i - begin]);
        list[i - begin] = names[i - begin];
    }
    (void)snprintf(text, sizeof text, "{\"end\": %u}\n", end);
    const cm_commit commit = {.manifest = cm_slice_of((const char *)range, sizeof range),
                              .names = list,
                              .count = end - begin,
                              .text_name = "position.json",
                              .text = cm_slice_of_text(text)};
    return cm_parts_commit(parts, &commit, NULL, error);
}

void part_files_commit(cm_parts *parts, uint32_t begin, uint32_t end)
{
    assert_int_equal(part_files_try_commit(parts, begin, end, NULL), CM_OK);
}

void part_files_wait(cm_parts *parts)
{
    cm_error error = {0};
    if (cm_parts_wait(parts, &error) != CM_OK)
        fail_msg("%s", error.message);
}

/* The commit that is found is whole: these parts, no others. Returns the end of the range. */
uint32_t part_files_check(cm_parts *parts)
{
    uint32_t range[2];
    cm_slice manifest;
    cm_buffer bytes = {0};
    if (cm_parts_found(parts, &manifest) == 0)
        return 0;
    assert_int_equal(manifest.size, sizeof range);
    memcpy(range, manifest.data, sizeof range);
    for (uint32_t i = range[0]; i < range[1]; i++) {
        char name[16];
        cm_error error = {0};
        cm_buffer expected = part_files_bytes(i);
        name_of(i, name);
        if (cm_parts_read(parts, name, &bytes, &error) != CM_OK)
            fail_msg("%s", error.message);
        assert_int_equal(bytes.size, expected.size);
        if (bytes.size > 0)
            assert_memory_equal(bytes.data, expected.data, bytes.size);
        cm_buffer_destroy(&expected);
    }
    assert_in_range(part_files_count(), range[1] - range[0] + 1, range[1] - range[0] + 2);
    cm_buffer_destroy(&bytes);
    return range[1];
}

uint32_t part_files_check_again(void)
{
    cm_parts *parts = part_files_open();
    uint32_t end = part_files_check(parts);
    cm_parts_close(parts);
    return end;
}

void part_files_make_three(void)
{
    cm_parts *parts = part_files_open();
    for (uint32_t i = 1; i < 4; i++)
        part_files_put(parts, i);
    part_files_commit(parts, 1, 4);
    cm_parts_close(parts);
}
