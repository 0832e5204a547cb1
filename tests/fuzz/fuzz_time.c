/*
 * Times as text, and JSON numbers: as times, whole numbers and decimals. What is read is what a
 * plain reading of docs/matching.md, one byte at a time, gives.
 */
#include <time.h>

#include "fuzz/fuzz.h"
#include "util/slice.h"
#include "util/text.h"
#include "util/time.h"

/* A text, read from the front. */
typedef struct plain {
    const char *at, *end;
    bool has_failed;
} plain;

static bool is_digit(const plain *p)
{
    return p->at < p->end && *p->at >= '0' && *p->at <= '9';
}

/* One of two bytes. */
static bool take(plain *p, char one, char other)
{
    bool is_there = p->at < p->end && (*p->at == one || *p->at == other);
    p->at += is_there;
    return is_there;
}

static void need(plain *p, char byte)
{
    p->has_failed |= !take(p, byte, byte);
}

static int need_digits(plain *p, int count)
{
    int number = 0;
    for (int i = 0; i < count; i++) {
        p->has_failed |= !is_digit(p);
        number = is_digit(p) ? number * 10 + (*p->at++ - '0') : number;
    }
    return number;
}

static int64_t take_fraction(plain *p)
{
    int64_t us = need_digits(p, 1) * 100000;
    for (int64_t place = 10000; is_digit(p); place /= 10)
        us += need_digits(p, 1) * place;
    return us;
}

static int64_t take_zone(plain *p)
{
    if (p->at == p->end || take(p, 'Z', 'z'))
        return 0;
    int64_t sign = take(p, '-', '-') ? -1 : 1;
    if (sign > 0)
        need(p, '+');
    int hours = need_digits(p, 2), minutes = 0;
    if (p->at < p->end) {
        (void)take(p, ':', ':');
        minutes = need_digits(p, 2);
    }
    p->has_failed |= hours > 23 || minutes > 59;
    return sign * (hours * 60 + minutes) * 60;
}

static bool read_plainly(cm_slice text, int64_t *time_us)
{
    plain p = {text.data, text.data + text.size, false};
    struct tm tm = {0};
    int64_t fraction = 0;
    tm.tm_year = need_digits(&p, 4) - 1900;
    need(&p, '-');
    tm.tm_mon = need_digits(&p, 2) - 1;
    need(&p, '-');
    tm.tm_mday = need_digits(&p, 2);
    if (!take(&p, 'T', 't'))
        need(&p, ' ');
    tm.tm_hour = need_digits(&p, 2);
    need(&p, ':');
    tm.tm_min = need_digits(&p, 2);
    need(&p, ':');
    tm.tm_sec = need_digits(&p, 2);
    if (!p.has_failed && take(&p, '.', '.'))
        fraction = take_fraction(&p);
    struct tm asked = tm;
    int64_t zone = p.has_failed ? 0 : take_zone(&p);
    if (p.has_failed || p.at != p.end || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
        return false;
    int64_t seconds = timegm(&tm); /* which makes another day of one that there is not */
    if (tm.tm_mday != asked.tm_mday || tm.tm_mon != asked.tm_mon)
        return false;
    *time_us = (seconds - zone) * 1000000 + fraction;
    return *time_us >= 0 && *time_us < INT64_C(253402300800) * 1000000;
}

static void try_time(cm_slice text)
{
    int64_t time_us, wanted = 0, again;
    bool is_good = cm_time_parse(text, &time_us);
    FUZZ_CHECK(read_plainly(text, &wanted) == is_good);
    if (!is_good)
        return;
    FUZZ_CHECK(time_us == wanted);
    char shown[48];
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm tm;
    size_t size = strftime(shown, sizeof shown, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
    (void)snprintf(shown + size, sizeof shown - size, ".%06dZ", (int)(time_us % 1000000));
    FUZZ_CHECK(cm_time_parse(cm_slice_of_text(shown), &again) && again == time_us);
}

/* ---- numbers ---- */

#define EXPONENT_MAX 60
#define DIGITS_MAX 64

/* A JSON number: 0.d1d2... * 10^point. False where it is none, or has more than the plain reading
 * is for: `is_over`. */
typedef struct plain_number {
    bool is_negative, is_over;
    char digits[DIGITS_MAX];
    int count, point;
} plain_number;

static void take_run(plain *p, plain_number *number, bool is_whole)
{
    for (; is_digit(p); p->at++) {
        number->is_over |= number->count == DIGITS_MAX;
        if (!number->is_over)
            number->digits[number->count++] = *p->at;
        number->point += is_whole;
    }
}

static bool parse_number(cm_slice text, plain_number *number)
{
    plain p = {text.data, text.data + text.size, false};
    *number = (plain_number){.is_negative = take(&p, '-', '-')};
    bool is_zero = p.at < p.end && *p.at == '0';
    p.has_failed |= !is_digit(&p);
    take_run(&p, number, true);
    p.has_failed |= is_zero && number->point > 1;
    if (take(&p, '.', '.')) {
        p.has_failed |= !is_digit(&p);
        take_run(&p, number, false);
    }
    if (take(&p, 'e', 'E')) {
        int sign = take(&p, '-', '-') ? -1 : 1, exponent = 0;
        if (sign > 0)
            (void)take(&p, '+', '+');
        p.has_failed |= !is_digit(&p);
        for (; is_digit(&p); p.at++)
            exponent = exponent > EXPONENT_MAX ? exponent : exponent * 10 + (*p.at - '0');
        number->is_over |= exponent > EXPONENT_MAX;
        number->point += sign * exponent;
    }
    return !p.has_failed && p.at == p.end;
}

/* The number times 10^decimals, and what is left of it in tenths. False where that is too large. */
static bool scale(const plain_number *number, int decimals, __int128 *scaled, int *tenths)
{
    *scaled = *tenths = 0;
    for (int i = 0; i <= number->point + decimals; i++) {
        int digit = i < number->count ? number->digits[i] - '0' : 0;
        if (i == number->point + decimals)
            *tenths = digit;
        else if (*scaled > INT64_MAX)
            return false;
        else
            *scaled = *scaled * 10 + digit;
    }
    return *scaled <= INT64_MAX;
}

static void try_decimal(cm_slice text, const plain_number *number, int decimals)
{
    __int128 wanted;
    int tenths;
    int64_t scaled;
    bool is_good = cm_decimal_scaled(text, (unsigned)decimals, &scaled);
    bool fits = scale(number, decimals, &wanted, &tenths);
    wanted += fits && tenths >= 5;
    fits = fits && wanted <= INT64_MAX;
    FUZZ_CHECK(is_good == fits);
    FUZZ_CHECK(!fits || scaled == (number->is_negative ? -wanted : wanted));
}

static void try_number_as_time(cm_slice text, const plain_number *number)
{
    __int128 wanted;
    int tenths;
    int64_t time_us;
    bool fits = scale(number, 3, &wanted, &tenths) && wanted < CM_TIME_END_US &&
                !(number->is_negative && wanted > 0);
    FUZZ_CHECK(cm_time_parse_number(text, &time_us) == fits);
    FUZZ_CHECK(!fits || time_us == wanted);
}

static void try_whole(cm_slice text)
{
    char room[CM_WHOLE_DIGITS_MAX + 1], again_room[CM_WHOLE_DIGITS_MAX + 1];
    cm_slice whole, again;
    int64_t a, b;
    if (!cm_whole_number(text, room, &whole))
        return;
    FUZZ_CHECK(cm_whole_number(whole, again_room, &again) && cm_slice_equal(whole, again));
    for (size_t i = 0; i < whole.size; i++)
        FUZZ_CHECK((whole.data[i] >= '0' && whole.data[i] <= '9') ||
                   (i == 0 && whole.data[i] == '-'));
    bool fits = cm_decimal_scaled(text, 0, &a);
    FUZZ_CHECK(cm_decimal_scaled(whole, 0, &b) == fits && (!fits || a == b));
}

static void try_number(cm_slice text)
{
    plain_number number;
    int64_t ignored;
    if (!parse_number(text, &number)) {
        char room[CM_WHOLE_DIGITS_MAX + 1];
        cm_slice whole;
        FUZZ_CHECK(!cm_decimal_scaled(text, 2, &ignored));
        FUZZ_CHECK(!cm_time_parse_number(text, &ignored));
        FUZZ_CHECK(!cm_whole_number(text, room, &whole));
        return;
    }
    try_whole(text);
    if (number.is_over) {
        (void)cm_decimal_scaled(text, 2, &ignored);
        (void)cm_time_parse_number(text, &ignored);
        return;
    }
    try_decimal(text, &number, 0);
    try_decimal(text, &number, 2);
    try_number_as_time(text, &number);
}

static void try_all(const char *bytes, size_t size)
{
    cm_slice text = cm_slice_of(bytes, size);
    try_time(text);
    try_number(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_each_prefix(bytes, size, try_all);
    return 0;
}
