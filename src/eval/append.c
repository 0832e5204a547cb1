#include "eval/append.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

void cm_append(cm_buffer *text, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    cm_buffer_append_text(text, line);
}

void cm_append_escaped(cm_buffer *text, const char *shown)
{
    for (const char *at = shown; *at != '\0'; at++)
        switch (*at) {
        case '&':
            cm_buffer_append_text(text, "&amp;");
            break;
        case '<':
            cm_buffer_append_text(text, "&lt;");
            break;
        case '>':
            cm_buffer_append_text(text, "&gt;");
            break;
        case '"':
            cm_buffer_append_text(text, "&quot;");
            break;
        default:
            cm_buffer_append_char(text, (unsigned char)*at < ' ' || *at == 0x7F ? '?' : *at);
        }
}

void cm_append_padded(cm_buffer *text, const char *shown, size_t width)
{
    size_t count = 0;
    for (const char *at = shown; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        cm_buffer_append_char(text, byte < ' ' || byte == 0x7F ? '?' : *at);
        count += (byte & 0xC0) != 0x80; /* no continuation of a character */
    }
    for (; count < width; count++)
        cm_buffer_append_char(text, ' ');
}

void cm_append_count(cm_buffer *text, uint64_t count)
{
    char digits[32];
    int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            cm_buffer_append_char(text, ',');
        cm_buffer_append_char(text, digits[i]);
    }
}

double cm_share_of(uint64_t part, uint64_t whole)
{
    return whole == 0 ? (double)NAN : (double)part / (double)whole;
}
