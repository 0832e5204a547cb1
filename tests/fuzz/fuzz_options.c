/* Command lines: a line is an argument, the first byte chooses the command. What is refused names
 * an option or what is wrong; what is taken is within what the table allows. */
#include "cmd/database.h"
#include "cmd/option_table.h"
#include "fuzz/fuzz.h"

#define ARGUMENTS_MAX 16

/* Which of the two says that a password is in it, the other may not show. */
static void check_database(const cm_settings *settings, cm_option option)
{
    cm_error error = {0};
    const char *text = cm_settings_text(settings, option);
    cm_status status = cm_database_check(settings, option, &error);
    FUZZ_CHECK(status == CM_OK || (status == CM_ERROR_USAGE && text != NULL));
    FUZZ_CHECK(status == CM_OK || cm_database_shown(text) != text);
}

/* Of the table: each command has an option, and the bits of commands have no gap. */
static unsigned command_count(void)
{
    unsigned commands = 0, count = 0;
    for (size_t i = 0; i < CM_OPTION_COUNT; i++)
        commands |= cm_option_rows[i].commands;
    while ((commands >> count & 1) != 0)
        count++;
    FUZZ_CHECK(count > 0 && commands >> count == 0);
    return count;
}

static void check_values(const cm_settings *settings, unsigned command)
{
    for (size_t i = 0; i < CM_OPTION_COUNT; i++) {
        const cm_option_row *row = &cm_option_rows[i];
        const cm_option_value *value = &settings->values[i];
        bool is_count = row->kind == CM_KIND_COUNT || row->kind == CM_KIND_DURATION ||
                        (row->kind == CM_KIND_COUNT_OR_NONE && !value->none);
        if (!value->given)
            continue;
        FUZZ_CHECK((row->commands & command) != 0);
        if (strcmp(row->name, "db") == 0)
            check_database(settings, (cm_option)i);
        FUZZ_CHECK(!is_count || (value->number >= row->low && value->number <= row->high));
        FUZZ_CHECK(row->kind != CM_KIND_SHARE || (value->share >= 0 && value->share <= 1));
        FUZZ_CHECK(row->kind != CM_KIND_TEXT || (value->text_count > 0 && value->texts[0][0] != 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    unsigned command = 1u << fuzz_choice(&bytes, &size) % command_count();
    char *text = malloc(size + 1), *arguments[ARGUMENTS_MAX];
    size_t count = 0;
    cm_settings settings;
    cm_error error = {0};
    FUZZ_CHECK(text != NULL);
    memcpy(text, bytes, size);
    text[size] = '\0';
    for (char *at = text; at != NULL && count < ARGUMENTS_MAX;)
        arguments[count++] = strsep(&at, "\n");
    cm_status status =
        cm_settings_read("command", (cm_command_bit)command, count, arguments, &settings, &error);
    FUZZ_CHECK(status == CM_OK || (status == CM_ERROR_USAGE && strlen(error.message) > 10));
    if (status == CM_OK && !settings.help)
        check_values(&settings, command);
    cm_settings_destroy(&settings);
    free(text);
    return 0;
}
