/* Help texts of options, from the table. */
#include <stdio.h>

#include "cmd/option_table.h"

#define HELP_COLUMN 27

static void append_blanks(cm_buffer *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cm_buffer_append_char(text, ' ');
}

static void append_row(const cm_option_row *row, cm_buffer *text)
{
    char head[64];
    if ((row->flags & CM_OPTION_OPERAND) != 0)
        snprintf(head, sizeof head, "  %s", row->value);
    else
        snprintf(head, sizeof head, "  --%s%s%s", row->name, row->value == NULL ? "" : " ",
                 row->value == NULL ? "" : row->value);
    size_t size = strlen(head);
    cm_buffer_append_text(text, head);
    if (size + 2 > HELP_COLUMN) {
        cm_buffer_append_char(text, '\n');
        size = 0;
    }
    append_blanks(text, HELP_COLUMN - size);
    for (const char *at = row->help; *at != '\0'; at++) {
        cm_buffer_append_char(text, *at);
        if (*at == '\n')
            append_blanks(text, HELP_COLUMN);
    }
    if (row->fallback != NULL) {
        cm_buffer_append_text(text, " (default: ");
        cm_buffer_append_text(text, row->fallback);
        cm_buffer_append_text(text, ")");
    }
    cm_buffer_append_char(text, '\n');
}

void cm_options_help(cm_command_bit command, cm_buffer *text)
{
    for (size_t i = 0; i < CM_OPTION_COUNT; i++)
        if ((cm_option_rows[i].commands & command) != 0)
            append_row(&cm_option_rows[i], text);
    cm_buffer_append_text(text, "  --help                   this text\n");
}
