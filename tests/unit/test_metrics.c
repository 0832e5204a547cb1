/* --metrics: what it may name, and the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those it needs */
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd/clock.h"
#include "cmd/metrics.h"
#include "harness/metrics.h"

#define PATIENCE_SECONDS 20.0

static char folder[] = "/tmp/clickmatch-test-XXXXXX";
static char path[256];
static char text[65536];
static cm_histogram latency; /* too large for a stack */

static int enter(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "%s/clickmatch.prom", folder);
    (void)unlink(path);
    return 0;
}

static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* The file's text; "" where there is none. */
static const char *content(void)
{
    FILE *file = fopen(path, "r");
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    if (file != NULL)
        (void)fclose(file);
    return text;
}

static cm_metrics *open_file(void)
{
    cm_metrics *metrics = NULL;
    cm_error error = {0};
    if (cm_metrics_open(path, &metrics, &error) != CM_OK)
        fail_msg("%s", error.message);
    return metrics;
}

static void publish(cm_metrics *metrics, uint64_t written)
{
    cm_stream_figures figures = cm_test_figures(&latency);
    figures.results_written = written;
    assert_int_equal(cm_metrics_publish(metrics, &figures, NULL), CM_OK);
}

static bool shows(uint64_t written)
{
    char line[64];
    (void)snprintf(line, sizeof line, "\nclickmatch_stream_results_written_total %llu\n",
                   (unsigned long long)written);
    return strstr(content(), line) != NULL;
}

static void test_a_file_is_there_from_the_start(void **state)
{
    (void)state;
    cm_metrics *metrics = open_file();
    assert_true(shows(0));
    assert_string_equal(cm_metrics_place(metrics), path);
    assert_int_equal(cm_metrics_port(metrics), 0);
    cm_metrics_close(metrics);
}

static void test_a_file_is_written_at_most_once_a_second(void **state)
{
    (void)state;
    struct stat status;
    cm_metrics *metrics = open_file();
    double began = cm_clock_seconds();
    ino_t inode = 0;
    unsigned changes = 0;
    for (uint64_t i = 1; cm_clock_seconds() - began < 2.5; i++) {
        publish(metrics, i);
        assert_int_equal(stat(path, &status), 0); /* never away */
        changes += status.st_ino != inode;
        inode = status.st_ino;
        rest();
    }
    assert_in_range(changes, 2, 3); /* the first, and at 1 s and 2 s */
    publish(metrics, 12345);
    cm_metrics_close(metrics);
    assert_true(shows(12345));
    assert_true(cm_test_exposition_is_good(text, strlen(text)));
    assert_non_null(strstr(text, "\nclickmatch_process_resident_memory_bytes "));
}

/* node_exporter is another user, and reads only what ends with .prom. */
static void test_a_file_is_for_all_to_read(void **state)
{
    (void)state;
    struct stat status;
    mode_t before = umask(0077);
    FILE *old = fopen(path, "w");
    assert_non_null(old);
    assert_int_equal(fclose(old), 0);
    cm_metrics_close(open_file());
    (void)umask(before);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0644);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        assert_true(entry->d_name[0] == '.' || strcmp(entry->d_name, "clickmatch.prom") == 0);
    (void)closedir(dir);
}

/* A folder that goes away is told once, and all is well when it is back. */
static void test_trouble_is_told_once(void **state)
{
    (void)state;
    char away[300];
    unsigned told = 0;
    cm_stream_figures figures = cm_test_figures(&latency);
    cm_metrics *metrics = open_file();
    (void)snprintf(away, sizeof away, "%s.away", folder);
    assert_int_equal(rename(folder, away), 0);
    double began = cm_clock_seconds();
    for (; cm_clock_seconds() - began < (told == 0 ? PATIENCE_SECONDS : 2.5); rest()) {
        cm_error error;
        if (cm_metrics_publish(metrics, &figures, &error) == CM_OK)
            continue;
        told++;
        assert_int_equal(error.code, CM_ERROR_IO);
        assert_non_null(strstr(error.message, "clickmatch.prom: cannot "));
        assert_non_null(strstr(error.message, "--metrics"));
    }
    assert_int_equal(told, 1);
    assert_int_equal(rename(away, folder), 0);
    for (began = cm_clock_seconds(); !shows(160); rest())
        assert_true(cm_clock_seconds() - began < PATIENCE_SECONDS);
    assert_int_equal(cm_metrics_publish(metrics, &figures, NULL), CM_OK);
    cm_metrics_close(metrics);
}

static void expect_refused(const char *target, cm_status code, const char *part)
{
    cm_metrics *metrics = NULL;
    cm_error error = {0};
    if (cm_metrics_open(target, &metrics, &error) != code)
        fail_msg("'%s': %s", target, error.message);
    assert_int_equal(error.code, code);
    assert_null(metrics);
    if (strstr(error.message, part) == NULL || strchr(error.message, '\n') != NULL)
        fail_msg("'%s': no '%s' in '%s'", target, part, error.message);
}

static void test_what_is_neither_file_nor_port(void **state)
{
    (void)state;
    static const char *const targets[] = {
        "", "-", ":", "host:", ":65536", "::1:9464", ":123456", ":99999999999999999999", "[]:9464"};
    char host[400];
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        expect_refused(targets[i], CM_ERROR_USAGE, "neither a file nor a port");
    memset(host, 'h', sizeof host);
    memcpy(host + sizeof host - 6, ":9464", 6);
    expect_refused(host, CM_ERROR_USAGE, "neither a file nor a port");
}

static void test_files_that_cannot_be(void **state)
{
    (void)state;
    char other[300];
    (void)snprintf(other, sizeof other, "%s/none/clickmatch.prom", folder);
    expect_refused(other, CM_ERROR_IO, "check the name");
    expect_refused(folder, CM_ERROR_IO, "is no regular file");
    expect_refused("/dev/null", CM_ERROR_IO, "is no regular file");
    (void)snprintf(other, sizeof other, "%s/pipe", folder);
    assert_int_equal(mkfifo(other, 0600), 0);
    expect_refused(other, CM_ERROR_IO, "is no regular file");
    (void)unlink(other);
}

/* What ends with a colon and digits is a port; with a slash, or other letters, it is a file. */
static void test_files_with_colons(void **state)
{
    (void)state;
    static const char *const names[] = {"a:9464", "a:b", "a:94x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        cm_metrics_close(open_file());
        assert_true(shows(0));
        assert_int_equal(unlink(path), 0);
    }
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "%s/clickmatch.prom", folder);
    (void)unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_file_is_there_from_the_start, enter),
        cmocka_unit_test_setup(test_a_file_is_written_at_most_once_a_second, enter),
        cmocka_unit_test_setup(test_a_file_is_for_all_to_read, enter),
        cmocka_unit_test_setup(test_trouble_is_told_once, enter),
        cmocka_unit_test_setup(test_what_is_neither_file_nor_port, enter),
        cmocka_unit_test_setup(test_files_that_cannot_be, enter),
        cmocka_unit_test_setup(test_files_with_colons, enter),
    };
    return cmocka_run_group_tests_name("metrics", tests, make_folder, remove_folder);
}
