#include "cmd/retry_show.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/progress.h"
#include "util/json.h"

#define COLUMNS CM_PG_RETRY_COUNT_COLUMNS

static const char *const HEADS[COLUMNS] = {"source", "error_type", "status",
                                           "events", "due",        "given_up"};

/* Whatever the table holds: it is one line, and does nothing to a terminal. */
static void append_clean(cm_buffer *text, const char *field)
{
    for (; *field != '\0'; field++) {
        unsigned char byte = (unsigned char)*field;
        cm_buffer_append_char(text, byte < 0x20 || byte == 0x7F ? '?' : *field);
    }
}

static void append_row(cm_buffer *text, const char *const fields[COLUMNS],
                       const size_t widths[COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++) {
        bool is_number = i >= CM_PG_RETRY_COUNT_EVENTS;
        size_t size = strlen(fields[i]);
        for (size_t k = size; is_number && k < widths[i]; k++)
            cm_buffer_append_char(text, ' ');
        append_clean(text, fields[i]);
        for (size_t k = size; !is_number && k < widths[i]; k++)
            cm_buffer_append_char(text, ' ');
        cm_buffer_append_text(text, i + 1 < COLUMNS ? "  " : "\n");
    }
}

void cm_retry_counts_text(const cm_pg_answer *counts, cm_buffer *text)
{
    size_t rows = cm_pg_answer_rows(counts);
    size_t widths[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) {
        widths[i] = strlen(HEADS[i]);
        for (size_t row = 0; row < rows; row++) {
            size_t own = strlen(cm_pg_answer_text(counts, row, i));
            widths[i] = own > widths[i] ? own : widths[i];
        }
    }
    if (rows > 0)
        append_row(text, HEADS, widths);
    for (size_t row = 0; row < rows; row++) {
        const char *fields[COLUMNS];
        for (size_t i = 0; i < COLUMNS; i++)
            fields[i] = cm_pg_answer_text(counts, row, i);
        append_row(text, fields, widths);
    }
}

json_t *cm_retry_counts_json(const cm_pg_answer *counts)
{
    json_t *list = json_array();
    for (size_t row = 0; row < cm_pg_answer_rows(counts); row++) {
        json_t *object = json_object();
        for (size_t i = 0; i < COLUMNS; i++) {
            const char *text = cm_pg_answer_text(counts, row, i);
            object =
                cm_json_with(object, HEADS[i],
                             i < CM_PG_RETRY_COUNT_EVENTS ? json_string(text)
                                                          : json_integer(strtoll(text, NULL, 10)));
        }
        list = cm_json_add(list, object);
    }
    return list;
}

static json_t *methods_json(const cm_match_counts *matched)
{
    json_t *methods = json_object();
    for (int i = 0; i < CM_METHOD_COUNT; i++)
        methods = cm_json_with(methods, cm_method_name((cm_method)i),
                               json_integer((json_int_t)matched->methods[i]));
    return methods;
}

json_t *cm_retry_report_json(const cm_retry_report *report, cm_status outcome, bool dry_run,
                             const char *model)
{
    json_t *methods = dry_run ? json_null() : methods_json(&report->matched);
    return json_pack("{s:s,s:s,s:s,s:b,s:s?,s:I,s:I,s:I,s:I,s:I,s:o}", "command", "retry",
                     "version", CM_VERSION, "outcome", outcome == CM_OK ? "done" : "interrupted",
                     "dry_run", dry_run, "model", model, "taken", (json_int_t)report->taken,
                     "resolved", (json_int_t)report->resolved, "failed", (json_int_t)report->failed,
                     "ignored", (json_int_t)report->ignored, "left", (json_int_t)report->left,
                     "methods", methods);
}

void cm_retry_report_text(const cm_retry_report *report, bool dry_run, cm_buffer *text)
{
    char rooms[4][CM_COUNT_BYTES], line[256];
    (void)snprintf(line, sizeof line, "%-15s %s dead events: %s resolved, %s failed, %s ignored\n",
                   dry_run ? "would retry" : "retried", cm_count_text(report->taken, rooms[0]),
                   cm_count_text(report->resolved, rooms[1]),
                   cm_count_text(report->failed, rooms[2]),
                   cm_count_text(report->ignored, rooms[3]));
    cm_buffer_append_text(text, line);
}
