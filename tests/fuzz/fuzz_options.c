/* Command lines: a line is an argument, the first byte chooses the command. What is refused names
 * an option or what is wrong; what is taken is within what the table allows. */
#include "cmd/option_table.h"
#include "fuzz/fuzz.h"

#define ARGUMENTS_MAX 16

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
        FUZZ_CHECK(!is_count || (value->number >= row->low && value->number <= row->high));
        FUZZ_CHECK(row->kind != CM_KIND_SHARE || (value->share >= 0 && value->share <= 1));
        FUZZ_CHECK(row->kind != CM_KIND_TEXT || (value->text_count > 0 && value->texts[0][0] != 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    unsigned command = 1u << fuzz_choice(&bytes, &size) % 14;
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
