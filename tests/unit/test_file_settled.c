/* Outputs that are whole before any of them has its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/output.h"

static char folder[] = "/tmp/clickmatch-test-XXXXXX";

static cm_output *begin(const char *path, const cm_output_options *options)
{
    cm_output *output;
    assert_int_equal(cm_output_open(path, options, &output, NULL), CM_OK);
    return output;
}

static cm_status put(cm_output *output, const char *text)
{
    cm_sink *sink = cm_output_sink(output);
    return sink->write(sink->context, text, strlen(text), NULL);
}

/* Settled twice, too: the second time there is nothing to do. */
static void test_waits_for_its_name(void **state)
{
    (void)state;
    cm_output *output = begin("kept", NULL);
    struct stat status;
    assert_int_equal(put(output, "text"), CM_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cm_output_settle(output, NULL), CM_OK);
        assert_int_not_equal(stat("kept", &status), 0);
    }
    assert_int_equal(put(output, "x"), CM_ERROR_IO); /* closed: no room is needed any more */
    cm_output_abort(output);
    assert_int_not_equal(stat("kept", &status), 0);

    output = begin("kept", NULL);
    assert_int_equal(put(output, "text"), CM_OK);
    assert_int_equal(cm_output_settle(output, NULL), CM_OK);
    assert_int_equal(cm_output_commit(output, NULL), CM_OK);
    assert_int_equal(stat("kept", &status), 0);
    assert_int_equal(status.st_size, 4);
    assert_int_equal(unlink("kept"), 0);
}

static void test_refused_after_a_failed_write(void **state)
{
    (void)state;
    const cm_output_options options = {.is_direct = true};
    cm_output *output = begin("/dev/full", &options);
    cm_error error = {0};
    assert_int_equal(put(output, "x"), CM_ERROR_IO);
    assert_int_equal(cm_output_settle(output, &error), CM_ERROR_IO);
    assert_string_equal(error.message,
                        "/dev/full: left as it was, as not all could be written; run again");
    cm_output_abort(output);
}

static void test_spool_goes_on_waiting(void **state)
{
    (void)state;
    cm_output *output = begin("/dev/full", NULL);
    assert_int_equal(put(output, "x"), CM_OK);
    assert_int_equal(cm_output_settle(output, NULL), CM_OK);
    assert_int_equal(cm_output_commit(output, NULL), CM_ERROR_IO);
}

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : chdir(folder);
}

/* It is empty: nothing temporary is left. */
static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_for_its_name),
        cmocka_unit_test(test_refused_after_a_failed_write),
        cmocka_unit_test(test_spool_goes_on_waiting),
    };
    return cmocka_run_group_tests_name("file settled", tests, enter_folder, remove_folder);
}
