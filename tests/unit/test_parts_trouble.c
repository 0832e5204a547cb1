/* Parts on a disk that is full, and a process that is killed: the last commit stays whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/part_files.h"
#include "harness/random.h"

static int setup(void **state)
{
    (void)state;
    part_files_remove();
    return 0;
}

/* ---- what fails ---- */

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A part that cannot be written: the commit before it stays, and the next one is made. */
static void test_a_write_that_fails(void **state)
{
    (void)state;
    cm_error error = {0};
    (void)signal(SIGXFSZ, SIG_IGN);
    part_files_make_three();
    cm_parts *parts = part_files_open();
    limit_files(1000);
    part_files_put(parts, 5);
    part_files_commit(parts, 1, 4); /* does not need it */
    assert_int_equal(cm_parts_wait(parts, &error), CM_ERROR_IO);
    limit_files(0);
    assert_non_null(strstr(error.message, "/part-5.part: cannot write: File too large; raise"));
    assert_int_equal(cm_parts_trouble(parts, &error), CM_OK); /* said once */
    assert_int_equal(cm_parts_committed(parts), 2);
    assert_false(cm_parts_has(parts, "part-5"));
    assert_false(part_files_exist("part-5.part.tmp"));
    part_files_put(parts, 4);
    part_files_wait(parts);
    limit_files(1000);
    part_files_put(parts, 5);
    cm_status status = part_files_try_commit(parts, 1, 6, &error); /* needs it */
    assert_true(status == CM_OK || status == CM_ERROR_ARGUMENT);   /* it has failed already */
    assert_int_equal(cm_parts_wait(parts, &error), CM_ERROR_IO);
    limit_files(0);
    assert_int_equal(cm_parts_committed(parts), 2);
    assert_int_equal(part_files_try_commit(parts, 1, 6, &error), CM_ERROR_ARGUMENT);
    part_files_put(parts, 5);
    part_files_commit(parts, 1, 6);
    part_files_wait(parts);
    assert_int_equal(cm_parts_committed(parts), status == CM_OK ? 4 : 3);
    cm_parts_close(parts);
    assert_int_equal(part_files_check_again(), 6);
}

static void test_a_manifest_that_fails(void **state)
{
    (void)state;
    cm_error error = {0};
    (void)signal(SIGXFSZ, SIG_IGN);
    part_files_make_three();
    cm_parts *parts = part_files_open();
    part_files_put(parts, 4);
    part_files_wait(parts);
    limit_files(100);
    part_files_commit(parts, 2, 5);
    assert_int_equal(cm_parts_wait(parts, &error), CM_ERROR_IO);
    limit_files(0);
    assert_non_null(strstr(error.message, "/manifest: cannot write"));
    assert_int_equal(cm_parts_committed(parts), 1);
    assert_true(part_files_exist("part-1.part"));
    part_files_commit(parts, 3, 5);
    part_files_wait(parts);
    cm_parts_close(parts);
    assert_int_equal(part_files_check_again(), 5);
}

/* ---- killed ---- */

/* Another process: commits on and on; says that it begins, and each that is safe. */
static int commit_for_ever(uint32_t end)
{
    cm_parts *parts = part_files_open();
    uint64_t last = cm_parts_committed(parts);
    while (write(STDOUT_FILENO, &last, sizeof last) == sizeof last) {
        for (; cm_parts_committed(parts) == last; usleep(100)) {
            if (!cm_parts_has_room(parts))
                continue;
            part_files_put(parts, end++);
            part_files_commit(parts, end < 7 ? 0 : end - 7, end);
        }
        last = cm_parts_committed(parts);
    }
    return 1;
}

/* The last commit that the child said was safe. */
static uint64_t last_told(int fd)
{
    uint64_t number, last = 0;
    while (read(fd, &number, sizeof number) == sizeof number)
        last = number;
    return last;
}

/* This program anew: threads do not outlive a fork. */
static pid_t start(uint32_t end, int *told)
{
    int ends[2];
    char number[16];
    (void)snprintf(number, sizeof number, "%u", end);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)close(ends[0]);
        (void)execl("/proc/self/exe", "test_parts_trouble", part_files_directory, number, NULL);
        _exit(1);
    }
    (void)close(ends[1]);
    *told = ends[0];
    return child;
}

/* Whenever the process dies, the last commit that it knew of is there, or a later one, whole. */
static void test_killed_anywhere(void **state)
{
    (void)state;
    uint32_t end = 0;
    uint64_t random = 3, found = 0;
    for (int round = 0; round < 60; round++) {
        int told, status;
        pid_t child = start(end, &told);
        uint64_t before;
        for (int commits = 0; commits <= round % 2; commits++) /* every second one makes some */
            assert_int_equal(read(told, &before, sizeof before), sizeof before);
        const struct timespec pause = {.tv_nsec = (long)random_below(&random, 40000000)};
        (void)nanosleep(&pause, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        uint64_t said = last_told(told);
        (void)close(told);
        cm_slice manifest;
        cm_parts *parts = part_files_open();
        uint64_t number = cm_parts_found(parts, &manifest);
        assert_true(number >= said && number >= found);
        found = number;
        end = part_files_check(parts);
        cm_parts_close(parts);
    }
    assert_true(found > 20);
}

int main(int count, char **arguments)
{
    if (count == 3) {
        (void)snprintf(part_files_directory, sizeof part_files_directory, "%s", arguments[1]);
        return commit_for_ever((uint32_t)strtoul(arguments[2], NULL, 10));
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_write_that_fails, setup),
        cmocka_unit_test_setup(test_a_manifest_that_fails, setup),
        cmocka_unit_test_setup(test_killed_anywhere, setup),
    };
    if (!part_files_begin())
        return 1;
    int failed = cmocka_run_group_tests_name("parts_trouble", tests, NULL, NULL);
    part_files_end();
    return failed;
}
