/* How people name a model: paths, names, versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those it needs */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cmd/model_ref.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void test_paths(void **state)
{
    (void)state;
    static const char *const paths[] = {"-",      "/m",        "./m",        "a/b",
                                        "m.json", "m.json.gz", "m.json.zst", ".json"};
    static const char *const names[] = {"m",      "m@1",   "m@1.2", "json",
                                        "m.JSON", "m.csv", "--",    "m.json@2"};
    for (size_t i = 0; i < COUNT(paths); i++)
        if (!cm_model_ref_is_path(paths[i]))
            fail_msg("'%s' is no path", paths[i]);
    for (size_t i = 0; i < COUNT(names); i++)
        if (cm_model_ref_is_path(names[i]))
            fail_msg("'%s' is a path", names[i]);
}

static void check_read(const char *text, const char *name, const char *version)
{
    cm_model_ref ref;
    cm_error error = {0};
    if (cm_model_ref_read(text, &ref, &error) != CM_OK)
        fail_msg("%s", error.message);
    assert_string_equal(ref.name, name);
    assert_string_equal(ref.version, version);
}

static void check_refused(const char *text)
{
    cm_model_ref ref;
    cm_error error = {0};
    if (cm_model_ref_read(text, &ref, &error) != CM_ERROR_USAGE)
        fail_msg("'%s' is taken", text);
    assert_non_null(strstr(error.message, "names no model; give NAME or NAME@VERSION"));
}

static void test_names_and_versions(void **state)
{
    (void)state;
    check_read("m", "m", "");
    check_read("m@1", "m", "1");
    check_read("my model@2026-03 b", "my model", "2026-03 b");
    check_read("m@v@1", "m", "v@1");
    check_read("m@@", "m", "@");
    check_read("\xc3\xbc@\xc3\xbc", "\xc3\xbc", "\xc3\xbc");
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",     "@",    "@1",     "m@",     "m\n",
                                        "m@\t", "\x7f", "\xff@1", "m@\xc3", "\xed\xa0\x80"};
    for (size_t i = 0; i < COUNT(texts); i++)
        check_refused(texts[i]);
}

/* What a buffer holds and not a byte more. */
static void test_lengths(void **state)
{
    (void)state;
    enum { MAX = CM_MODEL_REF_BYTES - 1 };
    char part[MAX + 2];
    char text[2 * MAX + 4];
    memset(part, 'x', sizeof part);
    part[MAX] = '\0';
    (void)snprintf(text, sizeof text, "%s@%s", part, part);
    check_read(part, part, "");
    check_read(text, part, part);
    (void)snprintf(text, sizeof text, "%sx", part);
    check_refused(text);
    (void)snprintf(text, sizeof text, "%sx@1", part);
    check_refused(text);
    (void)snprintf(text, sizeof text, "m@%sx", part);
    check_refused(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_names_and_versions),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
