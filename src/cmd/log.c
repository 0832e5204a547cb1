#include "cmd/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"

#define LINE_BYTES_MAX 1024

static const char *const status_names[] = {
    [CM_OK] = "ok",
    [CM_ERROR_MEMORY] = "memory",
    [CM_ERROR_ARGUMENT] = "argument",
    [CM_ERROR_MODEL] = "model",
    [CM_ERROR_CAPACITY] = "capacity",
    [CM_ERROR_FORMAT] = "format",
    [CM_ERROR_IO] = "io",
    [CM_ERROR_USAGE] = "usage",
    [CM_ERROR_REJECTS] = "rejects",
    [CM_ERROR_DATABASE] = "database",
    [CM_ERROR_INTERRUPTED] = "interrupted",
};

/* File names may hold anything; a message is one line of text. */
static void clean(char *message)
{
    size_t characters;
    bool is_text = cm_utf8_count((cm_slice){message, strlen(message)}, &characters);
    for (char *at = message; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !is_text))
            *at = '?';
    }
}

static void clear_progress(cm_log *log)
{
    if (log->is_drawn)
        fputs("\r\033[K", stderr);
    log->is_drawn = false;
}

/* Takes the members. Where memory is short, the text is said all the same. */
static void say(cm_log *log, const char *level, char *message, json_t *members)
{
    clean(message);
    clear_progress(log);
    char *line = NULL;
    if (log->is_json) {
        json_t *object = json_pack("{s:s,s:s}", "level", level, "message", message);
        if (object != NULL && members != NULL)
            json_object_update(object, members);
        line = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
        json_decref(object);
    }
    if (line != NULL)
        fprintf(stderr, "%s\n", line);
    else
        fprintf(stderr, "clickmatch: %s%s\n", strcmp(level, "warning") == 0 ? "warning: " : "",
                message);
    free(line);
    json_decref(members);
}

void cm_log_error(cm_log *log, const cm_error *error)
{
    char message[LINE_BYTES_MAX];
    json_t *members = NULL;
    /* Some messages name their place themselves. */
    bool is_placed = error->line == 0 || strstr(error->message, "line ") != NULL;
    if (is_placed)
        snprintf(message, sizeof message, "%s", error->message);
    else
        snprintf(message, sizeof message, "%s (line %llu, byte %llu)", error->message,
                 (unsigned long long)error->line, (unsigned long long)error->byte);
    if (log->is_json)
        members = json_pack("{s:s}", "code", status_names[error->code]);
    if (members != NULL && error->line != 0) {
        json_object_set_new(members, "line", json_integer((json_int_t)error->line));
        json_object_set_new(members, "byte", json_integer((json_int_t)error->byte));
    }
    say(log, "error", message, members);
}

void cm_log_warning(cm_log *log, const char *format, ...)
{
    char message[LINE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    say(log, "warning", message, NULL);
}

void cm_log_info(cm_log *log, const char *format, ...)
{
    char message[LINE_BYTES_MAX];
    if (log->is_quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    say(log, "info", message, NULL);
}

void cm_log_answer(cm_log *log, const char *text)
{
    char message[LINE_BYTES_MAX];
    snprintf(message, sizeof message, "%s", text);
    say(log, "info", message, NULL);
}

void cm_log_data(cm_log *log, const char *text, const char *name, json_t *data)
{
    char message[LINE_BYTES_MAX];
    if (log->is_quiet)
        return;
    if (!log->is_json) {
        clear_progress(log);
        fputs(text, stderr);
        return;
    }
    snprintf(message, sizeof message, "%s", name);
    say(log, "info", message, data == NULL ? NULL : json_pack("{s:O}", name, data));
}

void cm_log_progress(cm_log *log, const char *line)
{
    if (!cm_log_has_progress(log))
        return;
    fprintf(stderr, "\r%s\033[K", line);
    log->is_drawn = true;
}
