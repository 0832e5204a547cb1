#include "io/reject_writer.h"

#include "io/csv_walk.h"
#include "io/text_writer.h"
#include "util/text.h"

#define ROW_BYTES_SHOWN ((size_t)64 * 1024) /* of a row too long to be one */

static void append_base64(cm_buffer *buffer, cm_slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    cm_buffer_append_char(buffer, '"');
    for (size_t at = 0; at < bytes.size; at += 3) {
        uint32_t group = 0;
        size_t left = bytes.size - at;
        for (size_t i = 0; i < 3; i++)
            group = group << 8 | (i < left ? (unsigned char)bytes.data[at + i] : 0u);
        char text[4] = {digits[group >> 18], digits[group >> 12 & 63], digits[group >> 6 & 63],
                        digits[group & 63]};
        if (left < 3)
            text[3] = '=';
        if (left < 2)
            text[2] = '=';
        cm_buffer_append(buffer, text, sizeof text);
    }
    cm_buffer_append_char(buffer, '"');
}

/* The start of a row that is too long, cut between characters if it is UTF-8. */
static cm_slice shown(cm_slice row)
{
    if (row.size <= CM_ROW_BYTES_MAX)
        return row;
    return cm_slice_of(row.data, cm_utf8_whole(cm_slice_of(row.data, ROW_BYTES_SHOWN)));
}

static bool is_text(cm_slice bytes)
{
    size_t characters;
    return cm_text_is_plain(bytes) ||
           (cm_utf8_count(bytes, &characters) && memchr(bytes.data, '\0', bytes.size) == NULL);
}

static void append_row(cm_buffer *buffer, cm_slice row)
{
    row = shown(row);
    if (is_text(row)) {
        cm_buffer_append_text(buffer, ",\"row\":");
        cm_json_append(buffer, row);
    } else {
        cm_buffer_append_text(buffer, ",\"row_base64\":");
        append_base64(buffer, row);
    }
}

void cm_reject_write(cm_buffer *buffer, const cm_reject_line *reject)
{
    cm_buffer_append_text(buffer, "{\"source\":");
    cm_json_append(buffer, cm_slice_of_text(reject->source));
    cm_buffer_append_text(buffer, ",\"line\":");
    cm_buffer_append_u64(buffer, reject->line);
    cm_buffer_append_text(buffer, ",\"byte\":");
    cm_buffer_append_u64(buffer, reject->byte);
    cm_buffer_append_text(buffer, ",\"field\":");
    if (reject->field == NULL)
        cm_buffer_append_text(buffer, "null");
    else
        cm_json_append(buffer, cm_slice_of_text(reject->field));
    cm_buffer_append_text(buffer, ",\"reason\":");
    cm_json_append(buffer, cm_slice_of_text(reject->reason));
    append_row(buffer, reject->row);
    cm_buffer_append_text(buffer, "}\n");
}
