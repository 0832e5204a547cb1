#include "explain/words.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/text.h"
#include "util/time.h"

#define WORDS_BYTES 512

void cm_words(cm_buffer *buffer, const char *format, ...)
{
    char text[WORDS_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size > 0)
        cm_buffer_append(buffer, text, size < WORDS_BYTES ? (size_t)size : WORDS_BYTES - 1);
}

/* Bytes of the character that text begins with, if it may be shown as it is; else 0. */
static size_t shown_bytes(cm_slice text)
{
    unsigned char lead = (unsigned char)text.data[0];
    size_t characters;
    if (lead < 0x80)
        return lead >= 0x20 && lead != 0x7F;
    size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    bool is_c1 = lead == 0xC2 && text.size > 1 && (unsigned char)text.data[1] < 0xA0;
    if (is_c1 || size > text.size || !cm_utf8_count(cm_slice_of(text.data, size), &characters))
        return 0;
    return size;
}

void cm_words_text(cm_buffer *buffer, cm_slice text)
{
    while (text.size > 0) {
        size_t size = shown_bytes(text);
        if (size > 0)
            cm_buffer_append(buffer, text.data, size);
        else
            cm_words(buffer, "\\x%02x", (unsigned char)text.data[0]);
        size += size == 0;
        text.data += size;
        text.size -= size;
    }
}

void cm_words_time(cm_buffer *buffer, int64_t time_us)
{
    time_t seconds = (time_t)(time_us / CM_SECOND_US);
    int64_t rest = time_us % CM_SECOND_US;
    struct tm parts;
    char text[32] = "";
    if (rest < 0) { /* an edge of a window may lie before 1970 */
        rest += CM_SECOND_US;
        seconds--;
    }
    if (gmtime_r(&seconds, &parts) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    cm_buffer_append_text(buffer, text);
    if (rest != 0)
        cm_words(buffer, ".%06lld", (long long)rest);
    cm_buffer_append_char(buffer, 'Z');
}

void cm_words_duration(cm_buffer *buffer, int64_t duration_us)
{
    static const struct {
        const char *name;
        int64_t us;
    } UNITS[] = {{"d", CM_DAY_US},
                 {"h", 3600 * CM_SECOND_US},
                 {"min", 60 * CM_SECOND_US},
                 {"s", CM_SECOND_US},
                 {"ms", 1000},
                 {"us", 1}};
    size_t count = sizeof UNITS / sizeof *UNITS;
    size_t at = 0;
    while (at + 1 < count && duration_us < UNITS[at].us)
        at++;
    cm_words(buffer, "%lld %s", (long long)(duration_us / UNITS[at].us), UNITS[at].name);
    int64_t rest = duration_us % UNITS[at].us;
    if (at + 1 < count && rest >= UNITS[at + 1].us)
        cm_words(buffer, " %lld %s", (long long)(rest / UNITS[at + 1].us), UNITS[at + 1].name);
}

void cm_words_count(cm_buffer *buffer, uint64_t count)
{
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            cm_buffer_append_char(buffer, ',');
        cm_buffer_append_char(buffer, digits[i]);
    }
}

void cm_words_number_of(cm_buffer *buffer, uint64_t count, const char *noun)
{
    cm_words_count(buffer, count);
    cm_words(buffer, " %s%s", noun, count == 1 ? "" : "s");
}

void cm_words_bits(cm_buffer *buffer, double bits, int width, int decimals)
{
    char text[WORDS_BYTES];
    (void)snprintf(text, sizeof text, "%+.*f", decimals, bits);
    bool is_zero = text[1 + strspn(text + 1, "0.")] == '\0';
    cm_words(buffer, "%*s", width, text + is_zero);
}

void cm_words_fingerprint(cm_buffer *buffer, const uint8_t fingerprint[32], size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        cm_words(buffer, "%02x", fingerprint[i]);
}

void cm_words_address(cm_buffer *buffer, const cm_address *address, unsigned bits)
{
    char text[INET6_ADDRSTRLEN] = "";
    (void)inet_ntop(address->version == 4 ? AF_INET : AF_INET6, address->bytes, text, sizeof text);
    cm_words(buffer, "%s/%u", text, bits);
}
