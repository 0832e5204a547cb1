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

void cm_buffer_append_share(cm_buffer *buffer, double share, unsigned decimals)
{
    uint64_t unit = 1;
    for (unsigned i = 0; i < decimals; i++)
        unit *= 10;
    uint64_t scaled = (uint64_t)(share * (double)unit + 0.5);
    cm_buffer_append_u64(buffer, scaled / unit);
    if (decimals == 0)
        return;
    cm_buffer_append_char(buffer, '.');
    for (uint64_t rest = scaled % unit, place = unit / 10; place > 0; place /= 10) {
        cm_buffer_append_char(buffer, (char)('0' + rest / place));
        rest %= place;
    }
}
