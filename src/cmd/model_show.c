/* `clickmatch model list` and `show`: what is in the registry. */
#include "cmd/cmd_model.h"
#include "cmd/database.h"
#include "cmd/model_ref.h"
#include "cmd/report.h"
#include "model/model.h"
#include "pg/pg_registry.h"
#include "util/buffer.h"
#include "util/error.h"
#include "util/text.h"

#define COLUMNS 6
#define JSON 1 /* the second word of --format */

/* Whatever the tables hold: it is one line, and does nothing to a terminal. */
static void append_clean(cm_buffer *text, const char *field)
{
    for (; field != NULL && *field != '\0'; field++) {
        unsigned char byte = (unsigned char)*field;
        cm_buffer_append_char(text, byte < 0x20 || byte == 0x7F ? '?' : *field);
    }
}

static size_t width(const char *field)
{
    size_t characters = 0;
    if (field != NULL && !cm_utf8_count(cm_slice_of(field, strlen(field)), &characters))
        characters = strlen(field);
    return characters;
}

/* ---- list ---- */

static const char *const HEADS[COLUMNS] = {"name",          "version",        "champion",
                                           "created (UTC)", "promoted (UTC)", "metrics"};

static void append_row(cm_buffer *text, const char *const fields[COLUMNS],
                       const size_t widths[COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++) {
        append_clean(text, fields[i]);
        for (size_t k = width(fields[i]); i + 1 < COLUMNS && k < widths[i] + 2; k++)
            cm_buffer_append_char(text, ' ');
    }
    while (text->size > 0 && text->data[text->size - 1] == ' ')
        text->size--;
    cm_buffer_append_char(text, '\n');
}

static void append_table(cm_buffer *text, const cm_pg_answer *answer)
{
    size_t rows = cm_pg_answer_rows(answer);
    size_t widths[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) {
        widths[i] = width(HEADS[i]);
        for (size_t row = 0; row < rows; row++) {
            size_t own = width(cm_pg_answer_text(answer, row, i));
            widths[i] = own > widths[i] ? own : widths[i];
        }
    }
    append_row(text, HEADS, widths);
    for (size_t row = 0; row < rows; row++) {
        const char *fields[COLUMNS];
        for (size_t i = 0; i < COLUMNS; i++)
            fields[i] = cm_pg_answer_text(answer, row, i);
        append_row(text, fields, widths);
    }
}

cm_status cm_cmd_model_list(const cm_settings *settings, cm_log *log, cm_error *error)
{
    bool as_json = cm_settings_number(settings, CM_OPTION_FORMAT_MODELS) == JSON;
    cm_pg_answer answer = {NULL};
    cm_buffer text = {0};
    cm_pg pg;
    cm_status status = cm_database_check(settings, CM_OPTION_DB, error);
    if (status == CM_OK)
        status = cm_model_open_registry(settings, &pg, error);
    if (status != CM_OK)
        return status;
    status = cm_pg_model_list(&pg, as_json, &answer, error);
    cm_pg_close(&pg);
    if (status == CM_OK && as_json) {
        cm_buffer_append_text(&text, cm_pg_answer_text(&answer, 0, 0));
        cm_buffer_append_char(&text, '\n');
    } else if (status == CM_OK && cm_pg_answer_rows(&answer) > 0) {
        append_table(&text, &answer);
    } else if (status == CM_OK) {
        cm_log_info(log, "the registry is empty; clickmatch model add FILE adds a model");
    }
    if (status == CM_OK && (text.size > 0 || text.failed))
        status = cm_print(&text, error);
    cm_pg_answer_free(&answer);
    cm_buffer_destroy(&text);
    return status;
}

/* ---- show ---- */

static void append_line(cm_buffer *text, const char *head, const char *field)
{
    if (field == NULL)
        return;
    cm_buffer_append_text(text, head);
    append_clean(text, field);
    cm_buffer_append_char(text, '\n');
}

static void append_history(cm_buffer *text, const cm_pg_answer *history)
{
    for (size_t row = 0; row < cm_pg_answer_rows(history); row++) {
        cm_buffer_append_text(text, row == 0 ? "history   " : "          ");
        for (size_t i = 0; i < COLUMNS; i++) {
            const char *field = cm_pg_answer_text(history, row, i);
            const char *const before[COLUMNS] = {"", "  ", " ", " -> ", ", by ", ": "};
            if (field != NULL)
                cm_buffer_append_text(text, before[i]);
            append_clean(text, field);
        }
        cm_buffer_append_char(text, '\n');
    }
}

/* About the model on standard error, so that standard output is a model file. Programs that read
 * messages have --format json. */
static cm_status tell_about(cm_pg *pg, const cm_model *model, const cm_pg_answer *shown,
                            cm_log *log, cm_error *error)
{
    static const char *const heads[] = {NULL,         "champion  ", "created   ",
                                        "promoted  ", "from      ", "metrics   "};
    cm_pg_answer history = {NULL};
    cm_buffer text = {0};
    if (log->is_json)
        return CM_OK;
    cm_status status = cm_pg_model_history(pg, model->name, &history, error);
    if (status != CM_OK)
        return status;
    append_line(&text, "model     ", cm_model_label(model));
    for (size_t i = 1; i < sizeof heads / sizeof *heads; i++)
        append_line(&text, heads[i], cm_pg_answer_text(shown, 0, i));
    append_history(&text, &history);
    cm_buffer_append_char(&text, '\0');
    cm_pg_answer_free(&history);
    if (text.failed)
        status = cm_error_memory(error, "a text", text.size);
    else
        cm_log_data(log, text.data, "model", NULL);
    cm_buffer_destroy(&text);
    return status;
}

static cm_status show(const cm_settings *settings, cm_pg *pg, const cm_model *model, cm_log *log,
                      cm_error *error)
{
    bool as_json = cm_settings_number(settings, CM_OPTION_FORMAT_MODELS) == JSON;
    cm_pg_answer shown = {NULL};
    cm_buffer text = {0};
    cm_status status = cm_pg_model_show(pg, model->name, model->version, as_json, &shown, error);
    if (status == CM_OK && cm_pg_answer_rows(&shown) == 0)
        status = cm_error_set(error, CM_ERROR_MODEL, "%s has left the registry just now",
                              cm_model_label(model));
    if (status == CM_OK && !as_json)
        status = tell_about(pg, model, &shown, log, error);
    if (status == CM_OK) {
        cm_buffer_append_text(&text, cm_pg_answer_text(&shown, 0, 0));
        cm_buffer_append_char(&text, '\n');
        status = cm_print(&text, error);
    }
    cm_pg_answer_free(&shown);
    cm_buffer_destroy(&text);
    return status;
}

cm_status cm_cmd_model_show(const cm_settings *settings, cm_log *log, cm_error *error)
{
    cm_model_ref ref;
    cm_model *model = NULL;
    cm_pg pg;
    cm_status status = cm_database_check(settings, CM_OPTION_DB, error);
    if (status == CM_OK)
        status = cm_model_ref_read(cm_settings_text(settings, CM_OPTION_MODEL_SHOWN), &ref, error);
    if (status == CM_OK)
        status = cm_model_open_registry(settings, &pg, error);
    if (status != CM_OK)
        return status;
    status =
        cm_pg_model_get(&pg, ref.name, ref.version[0] == '\0' ? NULL : ref.version, &model, error);
    if (status == CM_OK)
        status = show(settings, &pg, model, log, error);
    cm_model_destroy(model);
    cm_pg_close(&pg);
    return status;
}
