#include "cmd/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/database.h"
#include "cmd/option_table.h"
#include "util/error.h"

#define NAME_BYTES_MAX 64

enum {
    MATCH = CM_COMMAND_MATCH,
    SIMULATE = CM_COMMAND_SIMULATE,
    MIGRATE = CM_COMMAND_MIGRATE,
    BATCH = CM_COMMAND_BATCH,
    BENCH = CM_COMMAND_BENCH,
    STREAM = CM_COMMAND_STREAM,
    MODEL_ADD = CM_COMMAND_MODEL_ADD,
    MODEL_LIST = CM_COMMAND_MODEL_LIST,
    MODEL_SHOW = CM_COMMAND_MODEL_SHOW,
    MODEL_PROMOTE = CM_COMMAND_MODEL_PROMOTE,
    MODEL_ROLLBACK = CM_COMMAND_MODEL_ROLLBACK,
    EVALUATE = CM_COMMAND_EVALUATE,
    TRAIN = CM_COMMAND_TRAIN,
    EXPLAIN = CM_COMMAND_EXPLAIN,
    PURGE = CM_COMMAND_PURGE,
    RETRY = CM_COMMAND_RETRY,
    MODELS = MODEL_ADD | MODEL_LIST | MODEL_SHOW | MODEL_PROMOTE | MODEL_ROLLBACK,
    ALL = MATCH | SIMULATE | MIGRATE | BATCH | BENCH | STREAM | MODELS | EXPLAIN | EVALUATE |
          TRAIN | PURGE | RETRY,
};
#define NONE CM_OPTION_NONE
#define LIST CM_OPTION_LIST
#define REQUIRED CM_OPTION_REQUIRED
#define OPERAND CM_OPTION_OPERAND

const cm_option_row cm_option_rows[CM_OPTION_COUNT] = {
#define OPTION(id, name, kind, value, fallback, low, high, flags, commands, help)                  \
    {name, CM_KIND_##kind, value, fallback, low, high, flags, commands, help},
#include "cmd/options.def"
#undef OPTION
};

/* Where reading stands. */
struct reader {
    const char *name; /* of the command */
    unsigned command;
    char *const *arguments;
    size_t count, at;
    cm_settings *settings;
};

/* The first error is told; the others are not looked for. */
static cm_status first_of(cm_status status, cm_status later)
{
    return status != CM_OK ? status : later;
}

static cm_option find_option(unsigned command, cm_slice name)
{
    size_t i = 0;
    for (; i < CM_OPTION_COUNT; i++)
        if ((cm_option_rows[i].commands & command) != 0 &&
            (cm_option_rows[i].flags & CM_OPTION_OPERAND) == 0 &&
            cm_slice_equal(cm_slice_of_text(cm_option_rows[i].name), name))
            break;
    return (cm_option)i;
}

/* What the command takes beside its options, if anything: at most one row of the table. */
static cm_option find_operand(unsigned command)
{
    size_t i = 0;
    while (i < CM_OPTION_COUNT && ((cm_option_rows[i].commands & command) == 0 ||
                                   (cm_option_rows[i].flags & CM_OPTION_OPERAND) == 0))
        i++;
    return (cm_option)i;
}

static cm_status read_operand(struct reader *reader, const char *text, cm_error *error)
{
    cm_option operand = find_operand(reader->command);
    if (operand == CM_OPTION_COUNT)
        return cm_error_set(
            error, CM_ERROR_USAGE,
            "'%.200s' is no option, and %s takes nothing else; see clickmatch %s --help",
            cm_database_shown(text), reader->name, reader->name);
    const cm_option_row *row = &cm_option_rows[operand];
    cm_option_value *value = &reader->settings->values[operand];
    if (value->given)
        return cm_error_set(error, CM_ERROR_USAGE,
                            "'%.200s' is one too many: %s takes one %s; see clickmatch %s --help",
                            cm_database_shown(text), reader->name, row->value, reader->name);
    return cm_option_read(row, row->value, text, value, error);
}

static cm_status read_argument(struct reader *reader, cm_error *error)
{
    const char *argument = reader->arguments[reader->at++];
    bool is_short = argument[0] == '-' && argument[1] != '\0' && argument[1] != '-';
    if (is_short)
        return cm_error_set(error, CM_ERROR_USAGE,
                            "'%.200s' is no option; clickmatch %s --help lists the options",
                            cm_database_shown(argument), reader->name);
    if (strncmp(argument, "--", 2) != 0)
        return read_operand(reader, argument, error);
    const char *equals = strchr(argument, '=');
    size_t size = equals == NULL ? strlen(argument) : (size_t)(equals - argument);
    cm_option option = find_option(reader->command, cm_slice_of(argument + 2, size - 2));
    if (option == CM_OPTION_COUNT)
        return cm_error_set(error, CM_ERROR_USAGE,
                            "unknown option '%.*s'; clickmatch %s --help lists the options",
                            (int)(size < 200 ? size : 200), argument, reader->name);
    const cm_option_row *row = &cm_option_rows[option];
    char shown[NAME_BYTES_MAX];
    snprintf(shown, sizeof shown, "--%s", row->name);
    const char *text = equals == NULL ? NULL : equals + 1;
    if (row->kind == CM_KIND_FLAG && text != NULL)
        return cm_error_set(error, CM_ERROR_USAGE, "%s takes no value; write %s alone", shown,
                            shown);
    if (row->kind != CM_KIND_FLAG && text == NULL) {
        if (reader->at == reader->count)
            return cm_error_set(error, CM_ERROR_USAGE, "%s needs a value: %s %s", shown, shown,
                                row->value);
        text = reader->arguments[reader->at++];
    }
    return cm_option_read(row, shown, text, &reader->settings->values[option], error);
}

static cm_status read_arguments(struct reader *reader, cm_error *error)
{
    cm_status status = CM_OK;
    bool ended = false; /* by "--": only operands follow */
    while (reader->at < reader->count) {
        cm_error *wanted = status == CM_OK ? error : NULL;
        bool is_end = !ended && strcmp(reader->arguments[reader->at], "--") == 0;
        if (is_end)
            reader->at++;
        else if (ended)
            status =
                first_of(status, read_operand(reader, reader->arguments[reader->at++], wanted));
        else
            status = first_of(status, read_argument(reader, wanted));
        ended = ended || is_end;
    }
    return status;
}

static const char *environment_text(const cm_option_row *row, char *variable, size_t size)
{
    snprintf(variable, size, "CLICKMATCH_%s", row->name);
    for (char *at = variable; *at != '\0'; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    const char *text = getenv(variable);
    return text == NULL || text[0] == '\0' ? NULL : text;
}

/* What the command line left open: the environment, then the table. */
static cm_status read_rest(struct reader *reader, cm_error *error)
{
    cm_status status = CM_OK;
    for (size_t i = 0; i < CM_OPTION_COUNT; i++) {
        const cm_option_row *row = &cm_option_rows[i];
        cm_option_value *value = &reader->settings->values[i];
        char variable[NAME_BYTES_MAX];
        if ((row->commands & reader->command) == 0 || value->given ||
            (row->flags & CM_OPTION_OPERAND) != 0)
            continue;
        cm_error *wanted = status == CM_OK ? error : NULL;
        const char *text = environment_text(row, variable, sizeof variable);
        if (text != NULL)
            status = first_of(status, cm_option_read(row, variable, text, value, wanted));
        else if (row->fallback != NULL) {
            status = first_of(status, cm_option_read(row, row->name, row->fallback, value, wanted));
            value->given = false;
        }
    }
    return status;
}

static cm_status check_required(const struct reader *reader, cm_error *error)
{
    for (size_t i = 0; i < CM_OPTION_COUNT; i++) {
        const cm_option_row *row = &cm_option_rows[i];
        bool is_required =
            (row->commands & reader->command) != 0 && (row->flags & CM_OPTION_REQUIRED) != 0;
        bool is_operand = (row->flags & CM_OPTION_OPERAND) != 0;
        if (is_required && !reader->settings->values[i].given)
            return cm_error_set(error, CM_ERROR_USAGE,
                                "%s needs %s%s%s%s; see clickmatch %s --help", reader->name,
                                is_operand ? "" : "--", is_operand ? "" : row->name,
                                is_operand ? "" : " ", row->value, reader->name);
    }
    return CM_OK;
}

cm_status cm_settings_read(const char *name, cm_command_bit command, size_t count,
                           char *const *arguments, cm_settings *settings, cm_error *error)
{
    struct reader reader = {name, command, arguments, count, 0, settings};
    *settings = (cm_settings){0};
    for (size_t i = 0; i < count && strcmp(arguments[i], "--") != 0; i++)
        if (strcmp(arguments[i], "--help") == 0) {
            settings->help = true;
            return CM_OK;
        }
    cm_status status = read_arguments(&reader, error);
    status = first_of(status, read_rest(&reader, status == CM_OK ? error : NULL));
    return first_of(status, check_required(&reader, status == CM_OK ? error : NULL));
}

void cm_settings_destroy(cm_settings *settings)
{
    for (size_t i = 0; i < CM_OPTION_COUNT; i++)
        free(settings->values[i].texts);
    *settings = (cm_settings){0};
}
