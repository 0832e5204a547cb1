/* JSON numbers read exactly, digit by digit: a double would round what has more than 53 bits. */
#include <string.h>

#include "util/text.h"
#include "util/time.h"

/* An exponent beyond this means the same for a text of any size that memory holds. */
#define EXPONENT_LIMIT ((int64_t)1 << 40)

/* The number is 0.d1d2d3... * 10^point, the digits being whole followed by fraction. */
struct decimal {
    bool is_negative;
    bool is_plain; /* neither fraction nor exponent */
    cm_slice whole, fraction;
    int64_t point;
};

static cm_slice take_digits(cm_slice text, size_t *at)
{
    size_t start = *at;
    while (*at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9')
        (*at)++;
    return (cm_slice){text.data + start, *at - start};
}

static bool take_byte(cm_slice text, size_t *at, char byte)
{
    bool is_there = *at < text.size && text.data[*at] == byte;
    *at += is_there;
    return is_there;
}

static bool take_exponent(cm_slice text, size_t *at, int64_t *exponent)
{
    bool is_negative = take_byte(text, at, '-');
    if (!is_negative)
        take_byte(text, at, '+');
    cm_slice digits = take_digits(text, at);
    *exponent = 0;
    for (size_t i = 0; i < digits.size; i++)
        if (*exponent < EXPONENT_LIMIT)
            *exponent = *exponent * 10 + (digits.data[i] - '0');
    if (is_negative)
        *exponent = -*exponent;
    return digits.size > 0;
}

/* The grammar of JSON: no plus sign, no leading zeros, digits on both sides of a point. */
static bool parse_decimal(cm_slice text, struct decimal *decimal)
{
    size_t at = 0;
    int64_t exponent = 0;
    *decimal = (struct decimal){.is_plain = true};
    decimal->is_negative = take_byte(text, &at, '-');
    decimal->whole = take_digits(text, &at);
    if (decimal->whole.size == 0 || (decimal->whole.size > 1 && decimal->whole.data[0] == '0'))
        return false;
    if (take_byte(text, &at, '.')) {
        decimal->fraction = take_digits(text, &at);
        decimal->is_plain = false;
        if (decimal->fraction.size == 0)
            return false;
    }
    if (take_byte(text, &at, 'e') || take_byte(text, &at, 'E')) {
        decimal->is_plain = false;
        if (!take_exponent(text, &at, &exponent))
            return false;
    }
    decimal->point = (int64_t)decimal->whole.size + exponent;
    return at == text.size;
}

static char digit_at(const struct decimal *decimal, size_t place)
{
    return place < decimal->whole.size ? decimal->whole.data[place]
                                       : decimal->fraction.data[place - decimal->whole.size];
}

static size_t digit_count(const struct decimal *decimal)
{
    return decimal->whole.size + decimal->fraction.size;
}

/* The first digit that is not 0; digit_count where there is none. */
static size_t first_significant(const struct decimal *decimal)
{
    size_t place = 0;
    while (place < digit_count(decimal) && digit_at(decimal, place) == '0')
        place++;
    return place;
}

bool cm_time_parse_number(cm_slice number, int64_t *time_us)
{
    struct decimal decimal;
    if (!parse_decimal(number, &decimal))
        return false;
    size_t count = digit_count(&decimal), place = first_significant(&decimal);
    int64_t end = decimal.point + 3; /* digits before this one are whole microseconds */
    *time_us = 0;
    if (place == count)
        return true;
    for (; (int64_t)place < end && *time_us < CM_TIME_END_US; place++)
        *time_us = *time_us * 10 + (place < count ? digit_at(&decimal, place) - '0' : 0);
    return *time_us < CM_TIME_END_US && !(decimal.is_negative && *time_us > 0);
}

bool cm_whole_number(cm_slice number, char *room, cm_slice *whole)
{
    struct decimal decimal;
    if (!parse_decimal(number, &decimal))
        return false;
    size_t count = digit_count(&decimal), place = first_significant(&decimal), size = 0;
    if (place == count) {
        *whole = (cm_slice){"0", 1};
        return true;
    }
    *whole = number;
    if (decimal.is_plain)
        return true;
    int64_t digits = decimal.point - (int64_t)place;
    if (digits <= 0 || digits > (int64_t)CM_WHOLE_DIGITS_MAX)
        return false;
    if (decimal.is_negative)
        room[size++] = '-';
    for (; digits > 0; digits--, place++)
        room[size++] = place < count ? digit_at(&decimal, place) : '0';
    *whole = (cm_slice){room, size};
    while (place < count && digit_at(&decimal, place) == '0')
        place++;
    return place >= count;
}

bool cm_decimal_scaled(cm_slice number, unsigned decimals, int64_t *scaled)
{
    struct decimal decimal;
    if (!parse_decimal(number, &decimal))
        return false;
    size_t count = digit_count(&decimal), place = first_significant(&decimal);
    int64_t end = decimal.point + decimals; /* digits before this one stay */
    *scaled = 0;
    if (place == count)
        return true;
    for (; (int64_t)place < end; place++) {
        int digit = place < count ? digit_at(&decimal, place) - '0' : 0;
        if (__builtin_mul_overflow(*scaled, 10, scaled) ||
            __builtin_add_overflow(*scaled, digit, scaled))
            return false;
    }
    bool is_up = end >= 0 && end < (int64_t)count && digit_at(&decimal, (size_t)end) >= '5';
    if (is_up && __builtin_add_overflow(*scaled, 1, scaled))
        return false;
    if (decimal.is_negative)
        *scaled = -*scaled;
    return true;
}
