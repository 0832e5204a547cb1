#include "io/text_writer.h"

#include "io/scan.h"
#include "util/text.h"

#define EACH UINT64_C(0x0101010101010101)

/* Is one of eight bytes this one? Where the byte is, its difference is zero, and taking 1 from it
 * borrows; a byte above may seem to be one too, but only where there is one. */
static uint64_t has_byte(uint64_t bytes, char byte)
{
    uint64_t difference = bytes ^ (EACH * (unsigned char)byte);
    return (difference - EACH) & ~difference & (EACH << 7);
}

static bool any_needs_quotes(const char *eight)
{
    uint64_t bytes;
    memcpy(&bytes, eight, sizeof bytes);
    return (has_byte(bytes, ',') | has_byte(bytes, '"') | has_byte(bytes, '\n') |
            has_byte(bytes, '\r')) != 0;
}

static bool needs_quotes(cm_slice text)
{
    char few[8] = {0};
    size_t at = 0;
    for (; at + 8 <= text.size; at += 8)
        if (any_needs_quotes(text.data + at))
            return true;
    if (at < text.size)
        memcpy(few, text.data + at, text.size - at);
    return any_needs_quotes(few);
}

void cm_csv_quote(cm_buffer *buffer, size_t start)
{
    if (buffer->failed)
        return;
    size_t quotes = 2, end = buffer->size;
    for (size_t i = start; i < end; i++)
        quotes += buffer->data[i] == '"';
    if (!cm_buffer_reserve(buffer, quotes))
        return;
    char *to = buffer->data + end + quotes;
    buffer->size = end + quotes;
    *--to = '"';
    for (size_t i = end; i > start; i--) {
        *--to = buffer->data[i - 1];
        if (*to == '"')
            *--to = '"';
    }
    *--to = '"';
}

void cm_csv_append(cm_buffer *buffer, cm_slice text)
{
    size_t start = buffer->size;
    cm_buffer_append_slice(buffer, text);
    if (needs_quotes(text))
        cm_csv_quote(buffer, start);
}

/* An ASCII byte that does not stand for itself. */
static void append_escape(cm_buffer *buffer, char byte)
{
    static const char letters[] = "\"\\bfnrt", bytes[] = "\"\\\b\f\n\r\t",
                      digits[] = "0123456789abcdef";
    const char *found = byte == '\0' ? NULL : strchr(bytes, byte);
    if (found != NULL) {
        char escape[2] = {'\\', letters[found - bytes]};
        cm_buffer_append(buffer, escape, sizeof escape);
    } else {
        char escape[6] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
        cm_buffer_append(buffer, escape, sizeof escape);
    }
}

/* A byte beyond ASCII and what belongs to it; returns how many bytes that are. */
static size_t append_wide(cm_buffer *buffer, const char *bytes, size_t size)
{
    unsigned char lead = (unsigned char)bytes[0];
    size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4, characters;
    if (length <= size && cm_utf8_count(cm_slice_of(bytes, length), &characters)) {
        cm_buffer_append(buffer, bytes, length);
        return length;
    }
    cm_buffer_append(buffer, "\xEF\xBF\xBD", 3);
    return 1;
}

void cm_json_append(cm_buffer *buffer, cm_slice text)
{
    cm_buffer_append_char(buffer, '"');
    for (size_t at = 0; at < text.size;) {
        size_t run = cm_scan_json(text.data + at, text.size - at);
        cm_buffer_append(buffer, text.data + at, run);
        at += run;
        if (at == text.size)
            break;
        if ((unsigned char)text.data[at] < 0x80)
            append_escape(buffer, text.data[at++]);
        else
            at += append_wide(buffer, text.data + at, text.size - at);
    }
    cm_buffer_append_char(buffer, '"');
}
