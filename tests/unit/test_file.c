/* Outputs on real files, pipes and devices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/output.h"

static char folder[] = "/tmp/clickmatch-test-XXXXXX";
static char path_room[512];

static const char *in_folder(const char *name)
{
    (void)snprintf(path_room, sizeof path_room, "%s/%s", folder, name);
    return path_room;
}

static void put_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void expect_file(const char *path, const char *text)
{
    char bytes[256] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes - 1, file);
    bytes[size] = '\0';
    (void)fclose(file);
    assert_string_equal(bytes, text);
}

/* Nothing temporary is left in the folder. */
static void expect_clean(void)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        assert_null(strstr(entry->d_name, ".tmp"));
    (void)closedir(dir);
}

static cm_output *open_output(const char *path, const cm_output_options *options)
{
    cm_output *output = NULL;
    cm_error error = {0};
    if (cm_output_open(path, options, &output, &error) != CM_OK)
        fail_msg("%s", error.message);
    return output;
}

static void put(cm_output *output, const char *text)
{
    cm_error error = {0};
    cm_sink *sink = cm_output_sink(output);
    if (sink->write(sink->context, text, strlen(text), &error) != CM_OK)
        fail_msg("%s", error.message);
}

static void expect_message(const cm_error *error, const char *start, const char *part)
{
    assert_int_equal(error->code, CM_ERROR_IO);
    assert_ptr_equal(strstr(error->message, start), error->message);
    if (strstr(error->message, part) == NULL)
        fail_msg("no '%s' in '%s'", part, error->message);
    assert_null(strchr(error->message, '\n'));
}

/* --- Regular files ---------------------------------------------------------------------------- */

static void test_output_appears_on_commit(void **state)
{
    (void)state;
    put_file(in_folder("out"), "old");
    cm_output *output = open_output(in_folder("out"), NULL);
    put(output, "new ");
    put(output, "text");
    expect_file(in_folder("out"), "old");
    assert_int_equal(cm_output_commit(output, NULL), CM_OK);
    expect_file(in_folder("out"), "new text");
    expect_clean();
}

static void test_output_disappears_on_abort(void **state)
{
    (void)state;
    cm_output *output = open_output(in_folder("dropped"), NULL);
    put(output, "text");
    cm_output_abort(output);
    assert_int_not_equal(access(in_folder("dropped"), F_OK), 0);
    expect_clean();
    cm_output_abort(NULL);
}

static void test_output_is_in_the_current_directory_by_a_bare_name(void **state)
{
    (void)state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    cm_output *output = open_output("bare", NULL);
    put(output, "x");
    assert_int_equal(cm_output_commit(output, NULL), CM_OK);
    assert_int_equal(chdir(before), 0);
    expect_file(in_folder("bare"), "x");
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

static void test_output_has_the_mode_asked_for(void **state)
{
    (void)state;
    mode_t mask = umask(022);
    assert_int_equal(cm_output_commit(open_output(in_folder("open"), NULL), NULL), CM_OK);
    assert_int_equal(mode_of(in_folder("open")), 0644);
    const cm_output_options options = {.is_private = true};
    assert_int_equal(cm_output_commit(open_output(in_folder("private"), &options), NULL), CM_OK);
    assert_int_equal(mode_of(in_folder("private")), 0600);
    (void)umask(mask);
}

static void test_output_follows_a_link_and_keeps_it(void **state)
{
    (void)state;
    char link[512];
    put_file(in_folder("real"), "old");
    (void)snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(symlink("real", link), 0);
    cm_output *output = open_output(link, NULL);
    put(output, "new");
    assert_int_equal(cm_output_commit(output, NULL), CM_OK);
    expect_file(in_folder("real"), "new");
    struct stat status;
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

static void test_outputs_of_one_name_do_not_mix(void **state)
{
    (void)state;
    cm_output *first = open_output(in_folder("twice"), NULL);
    cm_output *second = open_output(in_folder("twice"), NULL);
    put(first, "1");
    put(second, "2");
    assert_int_equal(cm_output_commit(second, NULL), CM_OK);
    expect_file(in_folder("twice"), "2");
    cm_output_abort(first);
    expect_file(in_folder("twice"), "2");
    expect_clean();
}

/* What a file holds after a line was added to what it held. */
static void expect_grown(const char *before, bool is_fresh, const char *after)
{
    const cm_output_options options = {.is_growing = true, .is_fresh = is_fresh};
    put_file(in_folder("growing"), before);
    cm_output *output = open_output(in_folder("growing"), &options);
    put(output, "c\n");
    expect_file(in_folder("growing"), after);
    assert_int_equal(cm_output_commit(output, NULL), CM_OK);
    expect_file(in_folder("growing"), after);
}

static void test_growing_output_goes_on_after_the_last_whole_line(void **state)
{
    (void)state;
    char begun[10000];
    expect_grown("", false, "c\n");
    expect_grown("a\nb\n", false, "a\nb\nc\n");
    expect_grown("a\nb", false, "a\nc\n");
    expect_grown("a", false, "c\n");
    expect_grown("a\nb", true, "c\n");
    /* A line that was begun, longer than what is looked at together. */
    memset(begun, 'b', sizeof begun);
    memcpy(begun, "a\n", 2);
    for (size_t size = 4094; size <= 4100; size++) {
        begun[size] = '\0';
        expect_grown(begun, false, "a\nc\n");
        begun[size] = 'b';
    }
    begun[sizeof begun - 1] = '\0';
    expect_grown(begun, false, "a\nc\n");
}

static void expect_refused(const char *path, const char *part)
{
    cm_output *output = NULL;
    cm_error error = {0};
    assert_int_equal(cm_output_open(path, NULL, &output, &error), CM_ERROR_IO);
    expect_message(&error, path, part);
    assert_null(output);
    expect_clean();
}

static void test_output_says_why_it_cannot_be_there(void **state)
{
    (void)state;
    expect_refused(folder, "cannot write: Is a directory; choose another --output");
    expect_refused(in_folder("none/out"), "cannot create: No such file or directory");
    expect_refused(in_folder("none/"), "cannot open: No such file or directory");
    expect_refused("", "cannot open: No such file or directory");
    put_file(in_folder("file"), "");
    expect_refused(in_folder("file/out"), "Not a directory; choose another --output");
    assert_int_equal(symlink("nowhere", in_folder("dangling")), 0);
    expect_refused(in_folder("dangling"), "No such file or directory");
    expect_refused("/proc/none", "cannot create");
}

/* --- No room ---------------------------------------------------------------------------------- */

static void test_output_reports_the_file_size_limit(void **state)
{
    (void)state;
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 10;
    put_file(in_folder("limited"), "old");
    cm_output *output = open_output(in_folder("limited"), NULL);
    cm_sink *sink = cm_output_sink(output);
    cm_error error = {0};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    cm_status status = sink->write(sink->context, "more than ten bytes", 19, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, CM_ERROR_IO);
    expect_message(&error, folder, "limited: cannot write: File too large; raise");
    assert_int_equal(cm_output_commit(output, &error), CM_ERROR_IO);
    expect_message(&error, folder, "left as it was");
    expect_file(in_folder("limited"), "old");
    expect_clean();
}

/* Needs the right to mount; without it there is nothing to see. */
static void test_output_reports_a_full_disk(void **state)
{
    (void)state;
    char disk[512];
    (void)snprintf(disk, sizeof disk, "%s/disk", folder);
    assert_int_equal(mkdir(disk, 0700), 0);
    if (mount("tmpfs", disk, "tmpfs", 0, "size=64k") != 0)
        skip();
    cm_output *output = open_output(in_folder("disk/results.csv"), NULL);
    static char bytes[128 * 1024];
    cm_error error = {0};
    cm_sink *sink = cm_output_sink(output);
    cm_status status = sink->write(sink->context, bytes, sizeof bytes, &error);
    cm_output_abort(output);
    (void)umount(disk);
    assert_int_equal(status, CM_ERROR_IO);
    expect_message(&error, disk,
                   "results.csv: cannot write: No space left on device; free space or choose "
                   "another --output");
}

static void test_device_without_room_is_reported_on_commit(void **state)
{
    (void)state;
    const cm_output_options options = {.option = "--rejects"};
    cm_output *output = open_output("/dev/full", &options);
    put(output, "text");
    cm_error error = {0};
    assert_int_equal(cm_output_commit(output, &error), CM_ERROR_IO);
    expect_message(&error, "/dev/full: cannot write: No space left on device",
                   "choose another --rejects");
}

/* --- Pipes and devices ------------------------------------------------------------------------ */

static void test_device_is_written_and_not_replaced(void **state)
{
    (void)state;
    cm_output *output = open_output("/dev/null", NULL);
    put(output, "text");
    assert_int_equal(cm_output_commit(output, NULL), CM_OK);
    struct stat status;
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

/* Run with standard output going to the given descriptor. */
static int divert(int to)
{
    (void)fflush(stdout);
    int before = dup(STDOUT_FILENO);
    assert_true(before >= 0);
    assert_true(dup2(to, STDOUT_FILENO) >= 0);
    return before;
}

static void restore(int before)
{
    assert_true(dup2(before, STDOUT_FILENO) >= 0);
    (void)close(before);
}

static void check_standard_output(const char *path, bool is_direct)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    int before = divert(ends[1]);
    const cm_output_options options = {.is_direct = is_direct};
    cm_output *output = open_output(path, &options);
    put(output, "text");
    char bytes[8];
    ssize_t early = read(ends[0], bytes, sizeof bytes);
    cm_status status = cm_output_commit(output, NULL);
    restore(before);
    assert_int_equal(status, CM_OK);
    assert_int_equal(early, is_direct ? 4 : -1);
    if (!is_direct)
        assert_int_equal(read(ends[0], bytes, sizeof bytes), 4);
    assert_memory_equal(bytes, "text", 4);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void test_standard_output_waits_for_commit(void **state)
{
    (void)state;
    check_standard_output("-", false);
    check_standard_output("/dev/stdout", false);
    check_standard_output("/dev/fd/1", false);
    check_standard_output("-", true);
}

static void test_standard_output_is_appended_to_a_file(void **state)
{
    (void)state;
    put_file(in_folder("log"), "before ");
    int file = open(in_folder("log"), O_WRONLY | O_APPEND);
    assert_true(file >= 0);
    int before = divert(file);
    cm_output *output = open_output("/dev/stdout", NULL);
    put(output, "after");
    cm_status status = cm_output_commit(output, NULL);
    restore(before);
    (void)close(file);
    assert_int_equal(status, CM_OK);
    expect_file(in_folder("log"), "before after");
}

static void test_nothing_reaches_a_pipe_on_abort(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    int before = divert(ends[1]);
    cm_output *output = open_output("-", NULL);
    put(output, "text");
    cm_output_abort(output);
    restore(before);
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    (void)close(ends[0]);
}

static void test_reader_that_went_away_is_reported(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    int before = divert(ends[1]);
    cm_output *output = open_output("-", NULL);
    put(output, "text");
    cm_error error = {0};
    cm_status status = cm_output_commit(output, &error);
    restore(before);
    (void)close(ends[1]);
    assert_int_equal(status, CM_ERROR_IO);
    expect_message(&error, "standard output: cannot write: Broken pipe", "has ended");
}

static void *read_fifo(void *path)
{
    static char bytes[8];
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, bytes, sizeof bytes - 1);
    bytes[size < 0 ? 0 : size] = '\0';
    (void)close(fd);
    return bytes;
}

static void test_fifo_is_written_on_commit(void **state)
{
    (void)state;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    pthread_t reader;
    void *bytes;
    assert_int_equal(pthread_create(&reader, NULL, read_fifo, path), 0);
    cm_output *output = open_output(path, NULL);
    put(output, "text");
    assert_int_equal(cm_output_commit(output, NULL), CM_OK);
    assert_int_equal(pthread_join(reader, &bytes), 0);
    assert_string_equal(bytes, "text");
}

static void test_spool_needs_its_folder(void **state)
{
    (void)state;
    cm_output *output = NULL;
    cm_error error = {0};
    assert_int_equal(setenv("TMPDIR", in_folder("none"), 1), 0);
    cm_status status = cm_output_open("/dev/null", NULL, &output, &error);
    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_int_equal(status, CM_ERROR_IO);
    expect_message(&error, folder, "TMPDIR");
}

static int make_folder(void **state)
{
    (void)state;
    /* As the program does. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return 1;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        (void)remove(in_folder(entry->d_name));
    (void)closedir(dir);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_appears_on_commit),
        cmocka_unit_test(test_output_disappears_on_abort),
        cmocka_unit_test(test_output_is_in_the_current_directory_by_a_bare_name),
        cmocka_unit_test(test_output_has_the_mode_asked_for),
        cmocka_unit_test(test_output_follows_a_link_and_keeps_it),
        cmocka_unit_test(test_outputs_of_one_name_do_not_mix),
        cmocka_unit_test(test_growing_output_goes_on_after_the_last_whole_line),
        cmocka_unit_test(test_output_says_why_it_cannot_be_there),
        cmocka_unit_test(test_output_reports_the_file_size_limit),
        cmocka_unit_test(test_output_reports_a_full_disk),
        cmocka_unit_test(test_device_without_room_is_reported_on_commit),
        cmocka_unit_test(test_device_is_written_and_not_replaced),
        cmocka_unit_test(test_standard_output_waits_for_commit),
        cmocka_unit_test(test_standard_output_is_appended_to_a_file),
        cmocka_unit_test(test_nothing_reaches_a_pipe_on_abort),
        cmocka_unit_test(test_reader_that_went_away_is_reported),
        cmocka_unit_test(test_fifo_is_written_on_commit),
        cmocka_unit_test(test_spool_needs_its_folder),
    };
    return cmocka_run_group_tests_name("file", tests, make_folder, remove_folder);
}
