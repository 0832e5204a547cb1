/* The parser of options: where values come from, and what is refused with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those it needs */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/option_table.h"
#include "cmd/options.h"

#define MATCH_NEEDS "--clicks", "c.csv", "--conversions", "v.csv"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static cm_status read_as(cm_command_bit command, const char *const *arguments, size_t count,
                         cm_settings *settings, cm_error *error)
{
    return cm_settings_read("match", command, count, (char *const *)(uintptr_t)arguments, settings,
                            error);
}

/* Read the arguments of a match, which must be right. */
static void read_match(const char *const *arguments, size_t count, cm_settings *settings)
{
    cm_error error = {0};
    cm_status status = read_as(CM_COMMAND_MATCH, arguments, count, settings, &error);
    if (status != CM_OK)
        fail_msg("%s", error.message);
}

/* Read arguments that must be refused with a message that holds some words. */
static void refuse_as(cm_command_bit command, const char *const *arguments, size_t count,
                      const char *words)
{
    cm_settings settings;
    cm_error error = {0};
    assert_int_equal(read_as(command, arguments, count, &settings, &error), CM_ERROR_USAGE);
    if (strstr(error.message, words) == NULL)
        fail_msg("no '%s' in: %s", words, error.message);
    assert_null(strchr(error.message, '\n'));
    cm_settings_destroy(&settings);
}

static void refuse(const char *option, const char *value, const char *words)
{
    const char *arguments[] = {MATCH_NEEDS, option, value};
    refuse_as(CM_COMMAND_MATCH, arguments, COUNT(arguments) - (value == NULL), words);
}

static void test_defaults(void **state)
{
    (void)state;
    const char *arguments[] = {MATCH_NEEDS};
    cm_settings settings;
    read_match(arguments, COUNT(arguments), &settings);
    assert_string_equal(cm_settings_text(&settings, CM_OPTION_OUTPUT), "-");
    assert_null(cm_settings_text(&settings, CM_OPTION_MODEL));
    assert_true(settings.values[CM_OPTION_RECOVERY_TARGET].share == 0.85);
    assert_false(settings.values[CM_OPTION_RECOVERY_TARGET].given);
    assert_false(settings.values[CM_OPTION_MAX_REJECTS].given);
    assert_false(cm_settings_flag(&settings, CM_OPTION_QUIET));
    assert_int_equal(cm_settings_number(&settings, CM_OPTION_LOG_FORMAT), 0);
    cm_settings_destroy(&settings);
}

static void test_both_ways_to_give_a_value(void **state)
{
    (void)state;
    const char *arguments[] = {MATCH_NEEDS,   "--threads=4", "--output", "out=1.csv",
                               "--model=a=b", "--lenient",   "--"};
    cm_settings settings;
    read_match(arguments, COUNT(arguments), &settings);
    assert_int_equal(cm_settings_number(&settings, CM_OPTION_THREADS), 4);
    assert_string_equal(cm_settings_text(&settings, CM_OPTION_OUTPUT), "out=1.csv");
    assert_string_equal(cm_settings_text(&settings, CM_OPTION_MODEL), "a=b");
    assert_true(cm_settings_flag(&settings, CM_OPTION_LENIENT));
    cm_settings_destroy(&settings);
}

static void test_lists_grow_and_the_last_of_others_counts(void **state)
{
    (void)state;
    const char *arguments[] = {MATCH_NEEDS, "--clicks", "d.csv",     "--clicks=-",
                               "--output",  "a.csv",    "--output",  "b.ndjson",
                               "--threads", "1",        "--threads", "2"};
    cm_settings settings;
    read_match(arguments, COUNT(arguments), &settings);
    const cm_option_value *clicks = &settings.values[CM_OPTION_CLICKS];
    assert_int_equal(clicks->text_count, 3);
    assert_string_equal(clicks->texts[0], "c.csv");
    assert_string_equal(clicks->texts[1], "d.csv");
    assert_string_equal(clicks->texts[2], "-");
    assert_int_equal(settings.values[CM_OPTION_OUTPUT].text_count, 1);
    assert_string_equal(cm_settings_text(&settings, CM_OPTION_OUTPUT), "b.ndjson");
    assert_int_equal(cm_settings_number(&settings, CM_OPTION_THREADS), 2);
    cm_settings_destroy(&settings);
}

static void test_values_that_look_like_options(void **state)
{
    (void)state;
    const char *arguments[] = {MATCH_NEEDS, "--output", "--quiet", "--rejects=--help"};
    cm_settings settings;
    read_match(arguments, COUNT(arguments), &settings);
    assert_string_equal(cm_settings_text(&settings, CM_OPTION_OUTPUT), "--quiet");
    assert_string_equal(cm_settings_text(&settings, CM_OPTION_REJECTS), "--help");
    assert_false(cm_settings_flag(&settings, CM_OPTION_QUIET));
    cm_settings_destroy(&settings);
}

static void clear_environment(void)
{
    static const char *const variables[] = {"CLICKMATCH_THREADS", "CLICKMATCH_MAX_REJECTS",
                                            "CLICKMATCH_QUIET",   "CLICKMATCH_LENIENT",
                                            "CLICKMATCH_MODEL",   "CLICKMATCH_ORGANIC"};
    for (size_t i = 0; i < COUNT(variables); i++)
        unsetenv(variables[i]);
}

static void test_environment(void **state)
{
    (void)state;
    const char *arguments[] = {MATCH_NEEDS, "--threads", "3"};
    cm_settings settings;
    setenv("CLICKMATCH_THREADS", "8", 1);
    setenv("CLICKMATCH_MAX_REJECTS", "none", 1);
    setenv("CLICKMATCH_QUIET", "TRUE", 1);
    setenv("CLICKMATCH_LENIENT", "0", 1);
    setenv("CLICKMATCH_MODEL", "", 1);
    setenv("CLICKMATCH_ORGANIC", "not of this command", 1);
    read_match(arguments, COUNT(arguments), &settings);
    assert_int_equal(cm_settings_number(&settings, CM_OPTION_THREADS), 3);
    assert_true(settings.values[CM_OPTION_MAX_REJECTS].given);
    assert_true(settings.values[CM_OPTION_MAX_REJECTS].none);
    assert_true(cm_settings_flag(&settings, CM_OPTION_QUIET));
    assert_false(cm_settings_flag(&settings, CM_OPTION_LENIENT));
    assert_null(cm_settings_text(&settings, CM_OPTION_MODEL));
    cm_settings_destroy(&settings);
    setenv("CLICKMATCH_MAX_REJECTS", "many", 1);
    refuse("--threads", "3", "CLICKMATCH_MAX_REJECTS: 'many' is not allowed; give a whole number");
    clear_environment();
}

static void test_an_error_does_not_hide_the_log_format(void **state)
{
    (void)state;
    const char *arguments[] = {"--threads", "none", "--nothing", "--log-format", "json"};
    cm_settings settings;
    cm_error error = {0};
    assert_int_equal(read_as(CM_COMMAND_MATCH, arguments, COUNT(arguments), &settings, &error),
                     CM_ERROR_USAGE);
    assert_non_null(strstr(error.message, "--threads: 'none'"));
    assert_int_equal(cm_settings_number(&settings, CM_OPTION_LOG_FORMAT), 1);
    cm_settings_destroy(&settings);
}

static void test_help_comes_first(void **state)
{
    (void)state;
    const char *arguments[] = {"--threads", "none", "--help"};
    cm_settings settings;
    read_match(arguments, COUNT(arguments), &settings);
    assert_true(settings.help);
    cm_settings_destroy(&settings);
}

static void test_refused_names(void **state)
{
    (void)state;
    refuse("--thread", "4", "unknown option '--thread'; clickmatch match --help lists");
    refuse("--=4", NULL, "unknown option '--'");
    refuse("--db", "x", "unknown option '--db'");
    refuse("-v", NULL, "'-v' is no option");
    refuse("clicks.csv", NULL, "'clicks.csv' is no option");
    refuse("--", "clicks.csv", "'clicks.csv' is no option");
    refuse("--quiet=1", NULL, "--quiet takes no value");
    refuse("--output", NULL, "--output needs a value: --output FILE");
    refuse("--output=", NULL, "--output: the value is empty; give FILE");
}

static void check_operand(const char *const *arguments, size_t count, const char *operand)
{
    cm_settings settings;
    cm_error error = {0};
    if (read_as(CM_COMMAND_MODEL_ADD, arguments, count, &settings, &error) != CM_OK)
        fail_msg("%s", error.message);
    assert_string_equal(cm_settings_text(&settings, CM_OPTION_MODEL_FILE), operand);
    cm_settings_destroy(&settings);
}

/* What stands alone: anywhere among the options, once, and after -- whatever it looks like. */
static void test_operands(void **state)
{
    (void)state;
    const char *first[] = {"m.json", "--name", "n"};
    const char *last[] = {"--name", "n", "m.json"};
    const char *dash[] = {"-"};
    const char *after[] = {"--quiet", "--", "--name"};
    const char *dashes[] = {"--", "--"};
    const char *two[] = {"a", "b"};
    const char *two_after[] = {"a", "--", "b"};
    const char *empty[] = {""};
    const char *none[] = {"--quiet", "--"};
    const char *shortened[] = {"-x"};
    const char *by_name[] = {"--file", "m.json"};
    check_operand(first, COUNT(first), "m.json");
    check_operand(last, COUNT(last), "m.json");
    check_operand(dash, COUNT(dash), "-");
    check_operand(after, COUNT(after), "--name");
    check_operand(dashes, COUNT(dashes), "--");
    refuse_as(CM_COMMAND_MODEL_ADD, two, COUNT(two), "'b' is one too many");
    refuse_as(CM_COMMAND_MODEL_ADD, two_after, COUNT(two_after), "'b' is one too many");
    refuse_as(CM_COMMAND_MODEL_ADD, empty, COUNT(empty), "FILE: the value is empty");
    refuse_as(CM_COMMAND_MODEL_ADD, none, COUNT(none), "match needs FILE; see");
    refuse_as(CM_COMMAND_MODEL_ADD, shortened, COUNT(shortened), "'-x' is no option");
    refuse_as(CM_COMMAND_MODEL_ADD, by_name, COUNT(by_name), "unknown option '--file'");
    refuse_as(CM_COMMAND_MODEL_LIST, dash, COUNT(dash), "'-' is no option");
}

/* A variable is no operand. */
static void test_operands_and_the_environment(void **state)
{
    (void)state;
    setenv("CLICKMATCH_FILE", "m.json", 1);
    refuse_as(CM_COMMAND_MODEL_ADD, NULL, 0, "match needs FILE; see");
    unsetenv("CLICKMATCH_FILE");
}

static void test_required(void **state)
{
    (void)state;
    const char *clicks[] = {"--clicks", "c.csv"};
    refuse_as(CM_COMMAND_MATCH, NULL, 0, "match needs --clicks FILE");
    refuse_as(CM_COMMAND_MATCH, clicks, COUNT(clicks), "match needs --conversions FILE");
    refuse_as(CM_COMMAND_SIMULATE, NULL, 0, "needs --output DIR");
}

static void test_refused_numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {"0",  "257", "-1",  "+1",  "1.0",
                                      " 1", "1 ",  "0x1", "one", "99999999999999999999999"};
    for (size_t i = 0; i < COUNT(bad); i++)
        refuse("--threads", bad[i], "is not allowed; give a whole number from 1 to 256");
    refuse("--max-rejects", "None", "give a whole number from 0 to 18446744073709551615, or none");
    refuse("--max-rejects", "18446744073709551616", "or none");
}

static void test_refused_shares(void **state)
{
    (void)state;
    static const char *const bad[] = {"1.01",  "-0.1", "85%", "0,85", ".",
                                      "0.1.2", "nan",  "inf", "1e0",  "0x0"};
    for (size_t i = 0; i < COUNT(bad); i++)
        refuse("--recovery-target", bad[i], "give a number from 0 to 1");
}

static void test_refused_words(void **state)
{
    (void)state;
    refuse("--format", "CSV", "--format: 'CSV' is not allowed; give csv|ndjson");
    refuse("--format", "csv|ndjson", "give csv|ndjson");
    refuse("--format", "cs", "give csv|ndjson");
    refuse("--log-format", "jso", "give text|json");
}

static void check_time(const char *option, const char *text, int64_t time_us)
{
    const char *arguments[] = {option, text};
    cm_settings settings;
    cm_error error = {0};
    if (time_us < 0) {
        refuse_as(CM_COMMAND_BATCH, arguments, 2, "give a time such as 2026-03-10T12:00:00Z");
        return;
    }
    assert_int_equal(read_as(CM_COMMAND_BATCH, arguments, 2, &settings, &error), CM_OK);
    assert_int_equal(settings.values[CM_OPTION_FROM].time_us, time_us);
    cm_settings_destroy(&settings);
}

static void test_times(void **state)
{
    (void)state;
    const char *date[] = {"--output", "d", "--start", "2026-03-10T00:00:00Z"};
    check_time("--from", "2026-03-10", 1773100800000000);
    check_time("--from", "2026-03-10T12:00:00.5+01:00", 1773140400500000);
    check_time("--from", "2026-02-30", -1);
    check_time("--from", "yesterday", -1);
    check_time("--from", "2026-03-1", -1);
    check_time("--from", "10/03/2026", -1);
    refuse_as(CM_COMMAND_SIMULATE, date, COUNT(date), "give a date such as 2026-03-10");
}

/* The table itself: what the parser and the help rely on. */
static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < CM_OPTION_COUNT; i++) {
        const cm_option_row *row = &cm_option_rows[i];
        assert_int_equal(row->value == NULL, row->kind == CM_KIND_FLAG);
        assert_true(row->commands != 0);
        assert_true((row->flags & CM_OPTION_OPERAND) == 0 ||
                    (row->kind == CM_KIND_TEXT && row->fallback == NULL));
        for (const char *line = row->help; *line != '\0';) {
            size_t size = strcspn(line, "\n");
            assert_true(size <= 52);
            line += size + (line[size] == '\n');
        }
        for (size_t j = 0; j < i; j++)
            if (strcmp(row->name, cm_option_rows[j].name) == 0)
                assert_int_equal(row->commands & cm_option_rows[j].commands, 0);
    }
}

static void test_help_lists_what_the_command_takes(void **state)
{
    (void)state;
    static const struct {
        cm_command_bit command;
        const char *with, *without;
    } cases[] = {
        {CM_COMMAND_MATCH, "  --max-rejects N|none ", "--db"},
        {CM_COMMAND_SIMULATE, "  --output DIR ", "--clicks FILE"},
        {CM_COMMAND_MIGRATE, "(default: public)", "--tenant"},
        {CM_COMMAND_BATCH, "  --only unattributed|all ", "--output"},
        {CM_COMMAND_BENCH, "(default: batch is left out)", "PGHOST"},
        {CM_COMMAND_MODEL_ADD, "\n  --name NAME ", "--file"},
        {CM_COMMAND_MODEL_PROMOTE, "  NAME@VERSION ", "--name"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cm_buffer text = {0};
        cm_options_help(cases[i].command, &text);
        cm_buffer_append_char(&text, '\0');
        assert_non_null(strstr(text.data, cases[i].with));
        assert_null(strstr(text.data, cases[i].without));
        assert_non_null(strstr(text.data, "  --help "));
        cm_buffer_destroy(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_both_ways_to_give_a_value),
        cmocka_unit_test(test_lists_grow_and_the_last_of_others_counts),
        cmocka_unit_test(test_values_that_look_like_options),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_an_error_does_not_hide_the_log_format),
        cmocka_unit_test(test_help_comes_first),
        cmocka_unit_test(test_refused_names),
        cmocka_unit_test(test_operands),
        cmocka_unit_test(test_operands_and_the_environment),
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_refused_numbers),
        cmocka_unit_test(test_refused_shares),
        cmocka_unit_test(test_refused_words),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_help_lists_what_the_command_takes),
    };
    clear_environment();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
