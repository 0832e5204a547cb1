/* Inputs: files, what is none, and signals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/input.h"

static char folder[] = "/tmp/clickmatch-test-XXXXXX";
static char file_path[64];

static void expect_message(const cm_error *error, const char *start, const char *part)
{
    assert_int_equal(error->code, CM_ERROR_IO);
    assert_ptr_equal(strstr(error->message, start), error->message);
    if (strstr(error->message, part) == NULL)
        fail_msg("no '%s' in '%s'", part, error->message);
}

static void test_input_reads_a_file_and_tells_how_far(void **state)
{
    (void)state;
    FILE *file = fopen(file_path, "w");
    assert_non_null(file);
    assert_true(fputs("hello", file) >= 0);
    assert_int_equal(fclose(file), 0);
    cm_input input;
    cm_error error;
    assert_int_equal(cm_input_open(file_path, &input, &error), CM_OK);
    char bytes[8];
    size_t got;
    uint64_t done, total;
    assert_int_equal(input.source.read(input.source.context, bytes, 3, &got, &error), CM_OK);
    assert_int_equal(got, 3);
    assert_memory_equal(bytes, "hel", 3);
    input.source.progress(input.source.context, &done, &total);
    assert_int_equal(done, 3);
    assert_int_equal(total, 5);
    assert_int_equal(input.source.read(input.source.context, bytes, 8, &got, &error), CM_OK);
    assert_int_equal(got, 2);
    assert_int_equal(input.source.read(input.source.context, bytes, 8, &got, &error), CM_OK);
    assert_int_equal(got, 0);
    cm_input_close(&input);
}

static void test_input_says_what_is_wrong(void **state)
{
    (void)state;
    cm_input input;
    cm_error error;
    char none[64];
    (void)snprintf(none, sizeof none, "%s/none", folder);
    assert_int_equal(cm_input_open(none, &input, &error), CM_ERROR_IO);
    expect_message(&error, folder, "none: cannot open: No such file or directory; check the name");
    assert_int_equal(cm_input_open(folder, &input, &error), CM_ERROR_IO);
    expect_message(&error, folder, "is a directory");
    assert_int_equal(cm_input_open(none, &input, NULL), CM_ERROR_IO);
}

static void on_signal(int number)
{
    (void)number;
}

/* It is open before its writer is, and not at its end. */
static void test_input_does_not_wait_for_a_writer(void **state)
{
    (void)state;
    cm_input input;
    cm_error error;
    char path[64], byte;
    size_t got;
    (void)snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(cm_input_open(path, &input, &error), CM_OK);
    struct pollfd ready = {.fd = input.fd, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 0), 0);
    int writer = open(path, O_WRONLY);
    assert_true(writer >= 0);
    assert_int_equal(poll(&ready, 1, 0), 0);
    assert_int_equal(write(writer, "x", 1), 1);
    assert_int_equal(poll(&ready, 1, 0), 1);
    assert_int_equal(input.source.read(input.source.context, &byte, 1, &got, &error), CM_OK);
    assert_int_equal(got, 1);
    assert_int_equal(fcntl(input.fd, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(close(writer), 0);
    assert_int_equal(input.source.read(input.source.context, &byte, 1, &got, &error), CM_OK);
    assert_int_equal(got, 0);
    cm_input_close(&input);
    assert_int_equal(unlink(path), 0);
}

struct disturber {
    pthread_t reader;
    int end; /* of the pipe that the reader waits for */
};

/* Send signals to a thread that waits in read, then what it waits for. */
static void *disturb(void *context)
{
    const struct disturber *disturber = context;
    for (int i = 0; i < 3; i++) {
        (void)usleep(20000);
        (void)pthread_kill(disturber->reader, SIGUSR1);
    }
    return write(disturber->end, "x", 1) == 1 ? NULL : context;
}

static void test_input_goes_on_after_signals(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_signal};
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    cm_input input;
    cm_error error;
    char path[64], byte;
    size_t got;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    assert_int_equal(cm_input_open(path, &input, &error), CM_OK);
    assert_int_equal(input.total, 0);
    struct disturber disturber = {pthread_self(), ends[1]};
    pthread_t other;
    void *failed;
    assert_int_equal(pthread_create(&other, NULL, disturb, &disturber), 0);
    assert_int_equal(input.source.read(input.source.context, &byte, 1, &got, &error), CM_OK);
    assert_int_equal(got, 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(pthread_join(other, &failed), 0);
    assert_null(failed);
    cm_input_close(&input);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    (void)snprintf(file_path, sizeof file_path, "%s/in", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(file_path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input_reads_a_file_and_tells_how_far),
        cmocka_unit_test(test_input_says_what_is_wrong),
        cmocka_unit_test(test_input_does_not_wait_for_a_writer),
        cmocka_unit_test(test_input_goes_on_after_signals),
    };
    return cmocka_run_group_tests_name("input", tests, make_folder, remove_folder);
}
