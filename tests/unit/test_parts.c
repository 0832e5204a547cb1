/* Parts and manifests on a real disk: what was committed is there, and what is damaged is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/part_files.h"
#include "util/slice.h"

static int setup(void **state)
{
    (void)state;
    part_files_remove();
    return 0;
}

/* ---- what is there ---- */

static void test_commits(void **state)
{
    (void)state;
    cm_slice manifest;
    struct stat status;
    cm_parts *parts = part_files_open();
    assert_int_equal(cm_parts_found(parts, &manifest), 0);
    for (uint32_t i = 0; i < 12; i++)
        part_files_put(parts, i);
    part_files_commit(parts, 0, 12);
    part_files_put(parts, 12);
    part_files_commit(parts, 5, 13); /* parts 0 to 4 go */
    part_files_put(parts, 13);       /* of no commit */
    part_files_wait(parts);
    assert_true(cm_parts_is_idle(parts));
    assert_int_equal(cm_parts_committed(parts), 2);
    assert_true(cm_parts_has(parts, "part-5"));
    assert_false(cm_parts_has(parts, "part-4"));
    assert_true(part_files_exist("part-13.part"));
    assert_false(part_files_exist("part-4.part"));
    cm_parts_close(parts);
    assert_int_equal(stat(part_files_directory, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(stat(part_files_path("part-5.part"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    cm_buffer text = part_files_get_file("position.json");
    assert_memory_equal(text.data, "{\"end\": 13}\n", text.size);
    cm_buffer_destroy(&text);
    parts = part_files_open();
    assert_false(part_files_exist("part-13.part"));
    assert_int_equal(cm_parts_found(parts, &manifest), 2);
    assert_int_equal(cm_parts_committed(parts), 2);
    assert_int_equal(part_files_check(parts), 13);
    part_files_put(parts, 13);
    part_files_commit(parts, 12, 14);
    cm_parts_close(parts); /* writes what waits */
    assert_int_equal(part_files_check_again(), 14);
}

static void test_a_commit_of_nothing(void **state)
{
    (void)state;
    cm_parts *parts = part_files_open();
    part_files_put(parts, 1);
    part_files_commit(parts, 3, 3);
    cm_parts_close(parts);
    parts = part_files_open();
    assert_int_equal(part_files_check(parts), 3);
    assert_false(part_files_exist("part-1.part"));
    cm_parts_close(parts);
}

static void test_arguments(void **state)
{
    (void)state;
    cm_error error = {0};
    cm_parts *parts = part_files_open();
    static const char *const names[] = {
        "",       "A",   "../x",
        "a.part", "a/b", "a-name-of-fifty-six-characters-which-is-one-too-many-abc"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cm_buffer bytes = part_files_bytes(1);
        assert_int_equal(cm_parts_put(parts, names[i], &bytes, &error), CM_ERROR_ARGUMENT);
        assert_null(bytes.data);
    }
    part_files_put(parts, 1);
    cm_buffer again = part_files_bytes(2);
    assert_int_equal(cm_parts_put(parts, "part-1", &again, &error), CM_ERROR_ARGUMENT);
    assert_int_equal(part_files_try_commit(parts, 1, 3, &error), CM_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "part-2"));
    static const char *const texts[] = {"manifest", "clickmatch.lock", "x.part", "x.tmp", "../x"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const cm_commit text = {.text_name = texts[i]};
        assert_int_equal(cm_parts_commit(parts, &text, NULL, &error), CM_ERROR_ARGUMENT);
    }
    part_files_wait(parts);
    assert_int_equal(cm_parts_committed(parts), 0);
    cm_parts_close(parts);
}

static void test_room_and_spares(void **state)
{
    (void)state;
    cm_parts *parts = part_files_open();
    uint32_t i = 0;
    while (cm_parts_has_room(parts) && i < 500)
        part_files_put(parts, 5 * i++); /* large ones: faster than any disk */
    assert_in_range(i, 4, 499);
    part_files_wait(parts);
    assert_true(cm_parts_has_room(parts));
    cm_buffer spare = cm_parts_take_spare(parts);
    assert_non_null(spare.data);
    assert_int_equal(spare.size, 0);
    cm_buffer_destroy(&spare);
    cm_parts_close(parts);
}

/* ---- who may ---- */

static void test_one_process_at_a_time(void **state)
{
    (void)state;
    cm_parts *parts = part_files_open();
    part_files_refuse(CM_ERROR_IO,
                      "another process uses it; end that one or choose another --checkpoint");
    pid_t child = fork();
    if (child == 0) {
        cm_parts *second;
        _exit(cm_parts_open(part_files_directory, "--checkpoint", &second, NULL) == CM_ERROR_IO
                  ? 0
                  : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    cm_parts_close(parts);
    cm_parts_close(part_files_open());
}

static void test_directories_of_others(void **state)
{
    (void)state;
    assert_int_equal(mkdir(part_files_directory, 0755), 0);
    part_files_put_file("holiday.part", "x", 1);
    part_files_refuse(CM_ERROR_IO, "holds files that are not of a checkpoint");
    assert_true(part_files_exist("holiday.part"));
    assert_int_equal(unlink(part_files_path("holiday.part")), 0);
    cm_parts_close(part_files_open());
    part_files_remove();
    char before[sizeof part_files_directory];
    memcpy(before, part_files_directory, sizeof before);
    (void)snprintf(part_files_directory, sizeof part_files_directory, "%.40s/none/there", before);
    part_files_refuse(CM_ERROR_IO, "cannot create: No such file or directory; check the name");
    memcpy(part_files_directory, before, sizeof before);
}

/* What was being written, or is of no commit, goes; what is not ours stays. */
static void test_leftovers(void **state)
{
    (void)state;
    cm_parts *parts = part_files_open();
    part_files_put(parts, 1);
    part_files_commit(parts, 1, 2);
    cm_parts_close(parts);
    part_files_put_file("manifest.tmp", "x", 1);
    part_files_put_file("part-2.part.tmp", "x", 1);
    part_files_put_file("part-2.part", "x", 1);
    part_files_put_file("a-name-of-sixty-characters-which-is-more-than-a-part-can-have.part", "x",
                        1);
    part_files_put_file("notes.txt", "x", 1);
    parts = part_files_open();
    assert_int_equal(part_files_count(), 4);
    assert_true(part_files_exist("notes.txt"));
    assert_true(part_files_exist("position.json"));
    assert_true(part_files_exist("part-1.part"));
    cm_parts_close(parts);
}

/* ---- damage ---- */

/* Every byte of the manifest counts, and where it is cut off. Nothing is removed for it. */
static void test_damaged_manifests(void **state)
{
    (void)state;
    part_files_make_three();
    cm_buffer manifest = part_files_get_file("manifest");
    part_files_put_file("part-9.part", "x", 1);
    for (size_t i = 0; i < manifest.size; i++) {
        manifest.data[i] = (char)(manifest.data[i] ^ 1 << i % 8);
        part_files_put_file("manifest", manifest.data, manifest.size);
        part_files_refuse(CM_ERROR_FORMAT, "/manifest: ");
        manifest.data[i] = (char)(manifest.data[i] ^ 1 << i % 8);
        part_files_put_file("manifest", manifest.data, i);
        part_files_refuse(CM_ERROR_FORMAT, "/manifest: ");
    }
    part_files_put_file("manifest", "", 0);
    part_files_refuse(CM_ERROR_FORMAT,
                      "/manifest: cut off; restore the directory from a copy, or remove it");
    assert_true(part_files_exist("part-9.part"));
    part_files_put_file("manifest", manifest.data, manifest.size);
    cm_buffer_destroy(&manifest);
    assert_int_equal(part_files_check_again(), 4);
}

static void test_damaged_parts(void **state)
{
    (void)state;
    part_files_make_three();
    cm_buffer whole = part_files_get_file("part-2.part"), bytes = {0};
    part_files_put_file("part-2.part", whole.data, whole.size - 1);
    part_files_refuse(CM_ERROR_FORMAT, "/part-2.part: its size is another");
    for (size_t i = 0; i < whole.size; i += 1 + i / 8) {
        cm_error error = {0};
        whole.data[i] = (char)(whole.data[i] ^ 16);
        part_files_put_file("part-2.part", whole.data, whole.size);
        whole.data[i] = (char)(whole.data[i] ^ 16);
        cm_parts *parts = part_files_open();
        assert_int_equal(cm_parts_read(parts, "part-1", &bytes, &error), CM_OK);
        assert_int_equal(cm_parts_read(parts, "part-2", &bytes, &error), CM_ERROR_FORMAT);
        assert_non_null(strstr(error.message, "/part-2.part: its checksum is another; restore"));
        assert_int_equal(cm_parts_read(parts, "part-7", &bytes, &error), CM_ERROR_FORMAT);
        cm_parts_close(parts);
    }
    assert_int_equal(unlink(part_files_path("part-2.part")), 0);
    part_files_refuse(CM_ERROR_FORMAT,
                      "/part-2.part: missing; restore the directory from a copy, or remove");
    cm_buffer_destroy(&whole);
    cm_buffer_destroy(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_commits, setup),
        cmocka_unit_test_setup(test_a_commit_of_nothing, setup),
        cmocka_unit_test_setup(test_arguments, setup),
        cmocka_unit_test_setup(test_room_and_spares, setup),
        cmocka_unit_test_setup(test_one_process_at_a_time, setup),
        cmocka_unit_test_setup(test_directories_of_others, setup),
        cmocka_unit_test_setup(test_leftovers, setup),
        cmocka_unit_test_setup(test_damaged_manifests, setup),
        cmocka_unit_test_setup(test_damaged_parts, setup),
    };
    if (!part_files_begin())
        return 1;
    int failed = cmocka_run_group_tests_name("parts", tests, NULL, NULL);
    part_files_end();
    return failed;
}
