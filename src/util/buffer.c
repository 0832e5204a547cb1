#include "util/buffer.h"

#include <stdlib.h>

#define CAPACITY_MIN ((size_t)4096)

bool cm_buffer_reserve(cm_buffer *buffer, size_t bytes)
{
    if (buffer->failed || bytes > SIZE_MAX / 4)
        return !(buffer->failed = true);
    if (buffer->capacity - buffer->size >= bytes)
        return true;
    size_t capacity = buffer->capacity * 2;
    if (capacity < CAPACITY_MIN)
        capacity = CAPACITY_MIN;
    if (capacity < buffer->size + bytes)
        capacity = buffer->size + bytes;
    char *data = realloc(buffer->data, capacity);
    if (data == NULL)
        return !(buffer->failed = true);
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void cm_buffer_destroy(cm_buffer *buffer)
{
    free(buffer->data);
    *buffer = (cm_buffer){0};
}

void cm_buffer_append_u64(cm_buffer *buffer, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    cm_buffer_append(buffer, digits + at, sizeof digits - at);
}

#define DECIMALS_MAX 9

void cm_buffer_append_share(cm_buffer *buffer, double share, unsigned decimals)
{
    static const uint32_t units[DECIMALS_MAX + 1] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
    char text[DECIMALS_MAX + 2]; /* the whole number, 0 or 1, a dot and the decimals */
    uint32_t unit = units[decimals];
    uint32_t scaled = (uint32_t)(share * (double)unit + 0.5);
    uint32_t rest = scaled % unit;
    text[0] = (char)('0' + scaled / unit);
    text[1] = '.';
    for (unsigned i = decimals; i > 0; i--, rest /= 10)
        text[i + 1] = (char)('0' + rest % 10);
    cm_buffer_append(buffer, text, decimals == 0 ? 1 : decimals + 2);
}
