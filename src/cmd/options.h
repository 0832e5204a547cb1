/*
 * One parser for the options of all commands; options.def is the table. A value comes from the
 * command line, else from the environment (CLICKMATCH_ and the name: CLICKMATCH_MAX_REJECTS), else
 * from the table.
 */
#ifndef CM_CMD_OPTIONS_H
#define CM_CMD_OPTIONS_H

#include "util/buffer.h"

typedef enum cm_option {
#define OPTION(id, ...) CM_OPTION_##id,
#include "cmd/options.def"
#undef OPTION
    CM_OPTION_COUNT
} cm_option;

/** Bits: an option may belong to several commands. */
typedef enum cm_command_bit {
    CM_COMMAND_MATCH = 1,
    CM_COMMAND_SIMULATE = 2,
    CM_COMMAND_MIGRATE = 4,
    CM_COMMAND_BATCH = 8,
    CM_COMMAND_BENCH = 16,
    CM_COMMAND_STREAM = 32,
    CM_COMMAND_MODEL_ADD = 64,
    CM_COMMAND_MODEL_LIST = 128,
    CM_COMMAND_MODEL_SHOW = 256,
    CM_COMMAND_MODEL_PROMOTE = 512,
    CM_COMMAND_MODEL_ROLLBACK = 1024,
    CM_COMMAND_EXPLAIN = 2048,
    CM_COMMAND_EVALUATE = 4096,
    CM_COMMAND_TRAIN = 8192,
    CM_COMMAND_PURGE = 16384,
    CM_COMMAND_RETRY = 32768,
} cm_command_bit;

/** The value of one option. Text is borrowed from the command line and the environment. */
typedef struct cm_option_value {
    bool given; /* by command line or environment */
    bool none;  /* COUNT_OR_NONE: "none" */
    const char **texts;
    size_t text_count, text_capacity; /* LIST: all of them; else at most one */
    uint64_t number; /* COUNT; CHOICE: the number of the word, from 0; FLAG: 0 or 1; DURATION:
                        microseconds; SIZE: bytes */
    double share;
    int64_t time_us;
} cm_option_value;

/** The values of all options. Zero-initialised is empty. */
typedef struct cm_settings {
    cm_option_value values[CM_OPTION_COUNT];
    bool help; /* --help was among the arguments; nothing else was checked then */
} cm_settings;

/**
 * Read a command's arguments.
 *
 * @param name       of the command, for messages
 * @param arguments  those after the command's name; borrowed until cm_settings_destroy
 * @param settings   receives the values; freed with cm_settings_destroy, also on failure. On
 * failure the other options are read, so that --log-format counts.
 * @return CM_OK, CM_ERROR_USAGE (which option, and what is allowed) or CM_ERROR_MEMORY
 */
cm_status cm_settings_read(const char *name, cm_command_bit command, size_t count,
                           char *const *arguments, cm_settings *settings, cm_error *error);

void cm_settings_destroy(cm_settings *settings);

/** Append the options of a command for its help, one paragraph each. */
void cm_options_help(cm_command_bit command, cm_buffer *text);

/** The text of an option; NULL where there is none. Of a LIST the first. */
static inline const char *cm_settings_text(const cm_settings *settings, cm_option option)
{
    const cm_option_value *value = &settings->values[option];
    return value->text_count == 0 ? NULL : value->texts[0];
}

static inline uint64_t cm_settings_number(const cm_settings *settings, cm_option option)
{
    return settings->values[option].number;
}

static inline bool cm_settings_flag(const cm_settings *settings, cm_option option)
{
    return settings->values[option].number != 0;
}

#endif
