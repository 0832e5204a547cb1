#include "util/time.h"

#include <endian.h>
#include <string.h>

/*
 * The fixed part of a time, `YYYY-MM-DDThh:mm:ss`, is read eight bytes at a time. A word of text is
 * XORed with a pattern, which leaves 0 to 9 where the pattern has '0' and 0 where it has the same
 * separator. Adding 6 to the former and 15 to the latter then shows everything else in the high
 * half of its byte. Neighbouring digits are joined by one multiplication for all of them.
 */
#define FIXED_SIZE ((size_t)19) /* up to the seconds */
#define HIGH_HALVES 0xF0F0F0F0F0F0F0F0u

static uint64_t word_of(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return le64toh(word);
}

/* Digits where pattern has them. False where the text does not follow the pattern. */
static bool match(const char *text, const char *pattern, const char *slack, uint64_t *digits)
{
    *digits = word_of(text) ^ word_of(pattern);
    return ((*digits | (*digits + word_of(slack))) & HIGH_HALVES) == 0;
}

/* The two-digit number that begins at a byte of the word. */
static unsigned pair_at(uint64_t digits, unsigned byte)
{
    return (unsigned)((digits * 10 + (digits >> 8)) >> (8 * byte)) & 0xFF;
}

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days since 1970. The year is at least 1969: no zone lifts an earlier one to 1970. */
static bool days_since_1970(unsigned year, unsigned month, unsigned day, int64_t *days)
{
    static const uint16_t before[2][14] = {
        {0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
        {0, 0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366},
    };
    if (year < 1969 || month - 1 > 11)
        return false;
    const uint16_t *start = before[is_leap(year)];
    if (day - 1 >= (unsigned)start[month + 1] - start[month])
        return false;
    unsigned past = year - 1;
    *days = (int64_t)(past * 365 + past / 4 - past / 100 + past / 400 + start[month] + day - 1) -
            719162;
    return true;
}

static bool parse_date(const char *text, int64_t *days)
{
    uint64_t digits;
    unsigned tens = (unsigned)(unsigned char)text[8] - '0';
    unsigned ones = (unsigned)(unsigned char)text[9] - '0';
    if (!match(text, "0000-00-", "\x06\x06\x06\x06\x0F\x06\x06\x0F", &digits) || tens > 9 ||
        ones > 9)
        return false;
    return days_since_1970(pair_at(digits, 0) * 100 + pair_at(digits, 2), pair_at(digits, 5),
                           tens * 10 + ones, days);
}

static bool parse_clock(const char *text, int64_t *seconds)
{
    uint64_t digits;
    if (!match(text, "00:00:00", "\x06\x06\x0F\x06\x06\x0F\x06\x06", &digits))
        return false;
    unsigned hour = pair_at(digits, 0), minute = pair_at(digits, 3), second = pair_at(digits, 6);
    *seconds = hour * 3600 + minute * 60 + second;
    return hour <= 23 && minute <= 59 && second <= 59;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Any number of digits, the first six of which count. Moves at behind them. */
static int64_t parse_fraction(cm_slice text, size_t *at)
{
    int64_t microseconds = 0;
    size_t start = *at;
    uint64_t digits;
    /* The usual six: the word from the last digit of the seconds on. */
    if (text.size - start >= 6 &&
        match(text.data + start - 2, "0.000000", "\x06\x0F\x06\x06\x06\x06\x06\x06", &digits)) {
        *at = start + 6;
        microseconds = pair_at(digits, 2) * 10000 + pair_at(digits, 4) * 100 + pair_at(digits, 6);
    } else {
        for (int64_t place = 100000; *at < text.size && is_digit(text.data[*at]); place /= 10)
            microseconds += (text.data[(*at)++] - '0') * place;
    }
    while (*at < text.size && is_digit(text.data[*at]))
        (*at)++;
    return microseconds;
}

/* Two digits of at most a number. */
static bool parse_pair(const char *text, int64_t most, int64_t *number)
{
    *number = (text[0] - '0') * 10 + (text[1] - '0');
    return is_digit(text[0]) && is_digit(text[1]) && *number <= most;
}

/* Nothing, Z, ±hh, ±hhmm or ±hh:mm, up to 23:59. */
static bool parse_zone(cm_slice zone, int64_t *seconds)
{
    int64_t hours, minutes = 0;
    *seconds = 0;
    if (zone.size == 0)
        return true;
    if (zone.size == 1)
        return zone.data[0] == 'Z' || zone.data[0] == 'z';
    bool has_colon = zone.size == 6 && zone.data[3] == ':';
    if ((zone.data[0] != '+' && zone.data[0] != '-') ||
        !(zone.size == 3 || zone.size == 5 || has_colon))
        return false;
    if (!parse_pair(zone.data + 1, 23, &hours) ||
        (zone.size > 3 && !parse_pair(zone.data + zone.size - 2, 59, &minutes)))
        return false;
    *seconds = (hours * 60 + minutes) * (zone.data[0] == '-' ? -60 : 60);
    return true;
}

bool cm_time_parse(cm_slice text, int64_t *time_us)
{
    int64_t days, seconds, zone_seconds, microseconds = 0;
    size_t at = FIXED_SIZE;
    if (text.size < FIXED_SIZE ||
        (text.data[10] != 'T' && text.data[10] != 't' && text.data[10] != ' ') ||
        !parse_date(text.data, &days) || !parse_clock(text.data + 11, &seconds))
        return false;
    if (text.size > at + 1 && text.data[at] == '.' && is_digit(text.data[at + 1])) {
        at++;
        microseconds = parse_fraction(text, &at);
    }
    if (!parse_zone((cm_slice){text.data + at, text.size - at}, &zone_seconds))
        return false;
    *time_us = (days * 86400 + seconds - zone_seconds) * CM_SECOND_US + microseconds;
    return cm_time_is_in_range(*time_us);
}
