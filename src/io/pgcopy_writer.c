#include "io/pgcopy_writer.h"

#include "io/pgcopy_reader.h"
#include "util/check.h"

/* A numeric is digits to the base 10000, `weight` of them before the point. */
#define NUMERIC_BASE 10000U
#define NUMERIC_DIGIT_DECIMALS 4U
#define NUMERIC_DIGITS_MAX 8 /* of an int64_t: at most 5 before the point, 3 after */
#define NUMERIC_NEGATIVE 0x4000U

#define INET_HEADER_BYTES 4 /* family, bits, is_cidr, number of address bytes */
#define INET_IPV4 2
#define INET_IPV6 3

static void put_u16(cm_buffer *buffer, uint16_t number)
{
    char bytes[2] = {(char)(number >> 8), (char)number};
    cm_buffer_append(buffer, bytes, sizeof bytes);
}

static void put_u32(cm_buffer *buffer, uint32_t number)
{
    char bytes[4] = {(char)(number >> 24), (char)(number >> 16), (char)(number >> 8), (char)number};
    cm_buffer_append(buffer, bytes, sizeof bytes);
}

static void put_u64(cm_buffer *buffer, uint64_t number)
{
    put_u32(buffer, (uint32_t)(number >> 32));
    put_u32(buffer, (uint32_t)number);
}

void cm_pgcopy_put_header(cm_buffer *buffer)
{
    static const char HEADER[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* no flags, no extension */
    cm_buffer_append(buffer, HEADER, sizeof HEADER);
}

void cm_pgcopy_put_row(cm_buffer *buffer, uint16_t column_count)
{
    put_u16(buffer, column_count);
}

void cm_pgcopy_put_trailer(cm_buffer *buffer)
{
    put_u16(buffer, UINT16_MAX);
}

void cm_pgcopy_put_null(cm_buffer *buffer)
{
    put_u32(buffer, UINT32_MAX);
}

void cm_pgcopy_put_bool(cm_buffer *buffer, bool value)
{
    put_u32(buffer, 1);
    cm_buffer_append_char(buffer, (char)value);
}

void cm_pgcopy_put_int4(cm_buffer *buffer, int32_t value)
{
    put_u32(buffer, sizeof value);
    put_u32(buffer, (uint32_t)value);
}

void cm_pgcopy_put_int8(cm_buffer *buffer, int64_t value)
{
    put_u32(buffer, sizeof value);
    put_u64(buffer, (uint64_t)value);
}

void cm_pgcopy_put_text(cm_buffer *buffer, cm_slice text)
{
    CM_CHECK(text.size < CM_PGCOPY_FIELD_BYTES_MAX);
    put_u32(buffer, (uint32_t)text.size);
    cm_buffer_append_slice(buffer, text);
}

void cm_pgcopy_put_bytes(cm_buffer *buffer, cm_slice bytes)
{
    cm_pgcopy_put_text(buffer, bytes);
}

void cm_pgcopy_put_inet(cm_buffer *buffer, const cm_address *address)
{
    bool is_ipv4 = address->version == 4;
    uint8_t size = is_ipv4 ? 4 : 16;
    const uint8_t header[INET_HEADER_BYTES] = {is_ipv4 ? INET_IPV4 : INET_IPV6, (uint8_t)(8 * size),
                                               0, size};
    put_u32(buffer, (uint32_t)sizeof header + size);
    cm_buffer_append(buffer, (const char *)header, sizeof header);
    cm_buffer_append(buffer, (const char *)address->bytes, size);
}

void cm_pgcopy_put_uuid(cm_buffer *buffer, const void *uuid)
{
    put_u32(buffer, CM_UUID_BYTES);
    cm_buffer_append(buffer, uuid, CM_UUID_BYTES);
}

void cm_pgcopy_put_timestamptz(cm_buffer *buffer, int64_t time_us)
{
    cm_pgcopy_put_int8(buffer, time_us - CM_PGCOPY_EPOCH_US);
}

void cm_pgcopy_put_jsonb(cm_buffer *buffer, cm_slice json)
{
    CM_CHECK(json.size < CM_PGCOPY_FIELD_BYTES_MAX - 1);
    put_u32(buffer, (uint32_t)json.size + 1);
    cm_buffer_append_char(buffer, 1); /* jsonb's version */
    cm_buffer_append_slice(buffer, json);
}

/* The digits of whole and fraction, the least first. Returns how many of them are decimals. */
static unsigned split_digits(uint64_t magnitude, unsigned scale, uint16_t *digits, unsigned *count)
{
    unsigned fraction_digits = (scale + NUMERIC_DIGIT_DECIMALS - 1) / NUMERIC_DIGIT_DECIMALS;
    uint64_t unit = 1, padding = 1;
    for (unsigned i = 0; i < scale; i++)
        unit *= 10;
    for (unsigned i = scale; i < fraction_digits * NUMERIC_DIGIT_DECIMALS; i++)
        padding *= 10;
    uint64_t whole = magnitude / unit, fraction = magnitude % unit * padding;
    for (*count = 0; *count < fraction_digits; fraction /= NUMERIC_BASE)
        digits[(*count)++] = (uint16_t)(fraction % NUMERIC_BASE);
    for (; whole > 0; whole /= NUMERIC_BASE)
        digits[(*count)++] = (uint16_t)(whole % NUMERIC_BASE);
    return fraction_digits;
}

void cm_pgcopy_put_numeric(cm_buffer *buffer, int64_t scaled, unsigned scale)
{
    uint16_t digits[NUMERIC_DIGITS_MAX];
    unsigned end, first = 0;
    uint64_t magnitude = scaled < 0 ? -(uint64_t)scaled : (uint64_t)scaled;
    CM_CHECK(scale <= 9);
    unsigned fraction_digits = split_digits(magnitude, scale, digits, &end);
    while (end > 0 && digits[end - 1] == 0)
        end--;
    while (first < end && digits[first] == 0)
        first++;
    int weight = end == 0 ? 0 : (int)end - (int)fraction_digits - 1;
    put_u32(buffer, 8 + 2 * (end - first));
    put_u16(buffer, (uint16_t)(end - first));
    put_u16(buffer, (uint16_t)weight);
    put_u16(buffer, scaled < 0 ? NUMERIC_NEGATIVE : 0);
    put_u16(buffer, (uint16_t)scale);
    while (end > first)
        put_u16(buffer, digits[--end]);
}
