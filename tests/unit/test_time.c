/* Times out of text and JSON numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/slice.h"
#include "util/time.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define REFUSED (-1)
#define MARCH_10 1773144000000000 /* 2026-03-10T12:00:00Z */

static const struct {
    const char *text;
    int64_t time_us;
} TEXTS[] = {
    {"2026-03-10T12:00:00Z", MARCH_10},
    {"2026-03-10t12:00:00z", MARCH_10},
    {"2026-03-10 12:00:00", MARCH_10},
    {"2026-03-10T12:00:00.5", MARCH_10 + 500000},
    {"2026-03-10T12:00:00.123Z", MARCH_10 + 123000},
    {"2026-03-10T12:00:00.123456", MARCH_10 + 123456},
    {"2026-03-10T12:00:00.123456Z", MARCH_10 + 123456},
    {"2026-03-10T12:00:00.1234569Z", MARCH_10 + 123456},
    {"2026-03-10T12:00:00.00000099999999999999999999999999999", MARCH_10},
    {"2026-03-10T12:00:00.12345+00", MARCH_10 + 123450},
    {"2026-03-10T14:00:00+02", MARCH_10},
    {"2026-03-10T17:30:00+0530", MARCH_10},
    {"2026-03-10T17:30:00.000001+05:30", MARCH_10 + 1},
    {"2026-03-10T08:30:00-03:30", MARCH_10},
    {"2026-03-09T12:01:00-23:59", MARCH_10},
    {"2026-03-11T11:59:00+23:59", MARCH_10},
    {"2026-03-10T12:00:00-00:00", MARCH_10},
    {"1970-01-01T00:00:00", 0},
    {"1969-12-31T23:59:59.999999-00:01", 59999999},
    {"1970-01-01T00:00:59.999999+00:01", REFUSED},
    {"1969-12-31T23:59:59.999999", REFUSED},
    {"1969-12-30T00:00:00-23:59", REFUSED},
    {"0000-01-01T00:00:00", REFUSED},
    {"9999-12-31T23:59:59.999999", CM_TIME_END_US - 1},
    {"9999-12-31T23:59:59-00:01", REFUSED},
    {"2024-02-29T00:00:00", 1709164800000000},
    {"2000-02-29T00:00:00", 951782400000000},
    {"2023-02-29T00:00:00", REFUSED},
    {"2100-02-29T00:00:00", REFUSED},
    {"2026-04-31T00:00:00", REFUSED},
    {"2026-00-10T00:00:00", REFUSED},
    {"2026-13-10T00:00:00", REFUSED},
    {"2026-03-00T00:00:00", REFUSED},
    {"2026-03-32T00:00:00", REFUSED},
    {"2026-03-10T24:00:00", REFUSED},
    {"2026-03-10T12:60:00", REFUSED},
    {"2026-03-10T12:00:60", REFUSED},
    {"2026-03-10T12:00:00.", REFUSED},
    {"2026-03-10T12:00:00.Z", REFUSED},
    {"2026-03-10T12:00:00,5", REFUSED},
    {"2026-03-10T12:00:00.5.5", REFUSED},
    {"2026-03-10T12:00:00.123456 Z", REFUSED},
    {"2026-03-10T12:00:00 Z", REFUSED},
    {"2026-03-10T12:00:00ZZ", REFUSED},
    {"2026-03-10T12:00:00+", REFUSED},
    {"2026-03-10T12:00:00+2", REFUSED},
    {"2026-03-10T12:00:00+24", REFUSED},
    {"2026-03-10T12:00:00+02:60", REFUSED},
    {"2026-03-10T12:00:00+02:", REFUSED},
    {"2026-03-10T12:00:00+02:0", REFUSED},
    {"2026-03-10T12:00:00+020", REFUSED},
    {"2026-03-10T12:00:00+02-00", REFUSED},
    {"2026-03-10T12:00:00+02:000", REFUSED},
    {"2026-03-10T12:00:00 +02", REFUSED},
    {"2026-03-10T12:00", REFUSED},
    {"2026-03-10", REFUSED},
    {"2026-03-10T12:00:0", REFUSED},
    {"2026-03-10_12:00:00", REFUSED},
    {"2026/03/10T12:00:00", REFUSED},
    {"2026-3-10T12:00:00Z", REFUSED},
    {" 2026-03-10T12:00:00", REFUSED},
    {"2026-03-10T12:00:00 ", REFUSED},
    {"+2026-03-10T12:00:00", REFUSED},
    {"12026-03-10T12:00:00", REFUSED},
    {"1773144000000", REFUSED},
    {"infinity", REFUSED},
    {"", REFUSED},
};

static const struct {
    const char *number;
    int64_t time_us;
} NUMBERS[] = {
    {"1772366400000", 1772366400000000},
    {"1772366400000.1239", 1772366400000123},
    {"1772366400000.001", 1772366400000001},
    {"1772366400000.00099999999999999999999999999", 1772366400000000},
    {"1.7723664e12", 1772366400000000},
    {"1.7723664000001239E+12", 1772366400000123},
    {"17723664000001239e-4", 1772366400000123},
    {"0", 0},
    {"-0", 0},
    {"-0.0", 0},
    {"0.0009", 0},
    {"-0.0009", 0},
    {"-0.001", REFUSED},
    {"-1", REFUSED},
    {"0e99999999999999999999", 0},
    {"1e-99999999999999999999", 0},
    {"1e99999999999999999999", REFUSED},
    {"1e14", 100000000000000000},
    {"1e15", REFUSED},
    {"253402300799999", CM_TIME_END_US - 1000},
    {"253402300799999.9999999999999999999999", CM_TIME_END_US - 1},
    {"253402300800000", REFUSED},
    {"9223372036854775807", REFUSED},
    {"18446744073709551617", REFUSED},
    {"340282366920938463463374607431768211457", REFUSED},
    {"", REFUSED},
    {"-", REFUSED},
    {"1.", REFUSED},
    {"01", REFUSED},
    {"1e", REFUSED},
    {"1772366400000Z", REFUSED},
    {"NaN", REFUSED},
    {"Infinity", REFUSED},
};

static void reads_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        int64_t time_us = 0;
        bool is_read = cm_time_parse(cm_slice_of_text(TEXTS[i].text), &time_us);
        if ((is_read ? time_us : REFUSED) != TEXTS[i].time_us)
            fail_msg("%s: %lld", TEXTS[i].text, (long long)time_us);
    }
}

static void reads_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(NUMBERS); i++) {
        int64_t time_us = 0;
        bool is_read = cm_time_parse_number(cm_slice_of_text(NUMBERS[i].number), &time_us);
        if ((is_read ? time_us : REFUSED) != NUMBERS[i].time_us)
            fail_msg("%s: %lld", NUMBERS[i].number, (long long)time_us);
    }
}

static void takes_hostile_length(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    int64_t time_us;
    char *text = malloc(SIZE);
    assert_non_null(text);
    memset(text, '9', SIZE);
    assert_false(cm_time_parse(cm_slice_of(text, SIZE), &time_us));
    assert_false(cm_time_parse_number(cm_slice_of(text, SIZE), &time_us));
    memcpy(text, "2026-03-10T12:00:00.123456", 26);
    assert_true(cm_time_parse(cm_slice_of(text, SIZE), &time_us));
    assert_int_equal(time_us, MARCH_10 + 123456);
    memset(text, '0', SIZE);
    memcpy(text, "0.", 2);
    /* 0.000...0001e1048576: the 1 is digit 1048566 behind the point, so that this is 1e10. */
    memcpy(text + SIZE - 9, "1e1048576", 9);
    assert_true(cm_time_parse_number(cm_slice_of(text, SIZE), &time_us));
    assert_int_equal(time_us, 10000000000000);
    free(text);
}

static void refuses_nuls(void **state)
{
    (void)state;
    int64_t time_us;
    assert_false(cm_time_parse(CM_SLICE("2026-03-10T12:00:00\0"), &time_us));
    assert_false(cm_time_parse(CM_SLICE("2026-03-10T12:00:\0000"), &time_us));
    assert_false(cm_time_parse(CM_SLICE("2026-03-10T12:00:00.1234\000056"), &time_us));
    assert_false(cm_time_parse_number(CM_SLICE("1\0"), &time_us));
    assert_false(cm_time_parse((cm_slice){NULL, 0}, &time_us));
}

/* The number that a group of the pattern matched, at most some digits of it; 0 where nothing. */
static int group_number(const char *text, const regmatch_t *group, int digits_max)
{
    int number = 0;
    for (int at = group->rm_so; at >= 0 && at < group->rm_eo && digits_max > 0; digits_max--)
        number = number * 10 + (text[at++] - '0');
    return number;
}

/* The rules once more, by regular expression and timegm. */
static int64_t parse_slowly(const regex_t *pattern, const char *text)
{
    regmatch_t group[13];
    if (regexec(pattern, text, COUNT(group), group, 0) != 0)
        return REFUSED;
    int n[7];
    for (size_t i = 1; i < 7; i++)
        n[i] = group_number(text, &group[i], 4);
    struct tm given = {.tm_year = n[1] - 1900,
                       .tm_mon = n[2] - 1,
                       .tm_mday = n[3],
                       .tm_hour = n[4],
                       .tm_min = n[5],
                       .tm_sec = n[6]};
    struct tm normal = given;
    int64_t seconds = timegm(&normal);
    if (normal.tm_mon != given.tm_mon || normal.tm_mday != given.tm_mday ||
        normal.tm_hour != given.tm_hour || normal.tm_min != given.tm_min ||
        normal.tm_sec != given.tm_sec)
        return REFUSED;
    int microseconds = group_number(text, &group[8], 6);
    for (int digits = group[8].rm_eo - group[8].rm_so; digits < 6; digits++)
        microseconds *= 10;
    int hours = group_number(text, &group[10], 2), minutes = group_number(text, &group[12], 2);
    if (hours > 23 || minutes > 59)
        return REFUSED;
    bool is_west = group[9].rm_so >= 0 && text[group[9].rm_so] == '-';
    int64_t zone = (hours * 60 + minutes) * (is_west ? -60 : 60);
    int64_t time_us = (seconds - zone) * 1000000 + microseconds;
    return cm_time_is_in_range(time_us) ? time_us : REFUSED;
}

/* None, UTC, or hours and perhaps minutes. */
static void put_random_zone(char *text, size_t room)
{
    static const char *const words[] = {"", "Z", "z"};
    int kind = rand() % 7, hours = rand() % 25, minutes = rand() % 61;
    char sign = "+-"[rand() % 2];
    if (kind < 3)
        snprintf(text, room, "%s", words[kind]);
    else if (kind == 3)
        snprintf(text, room, "%c%02d", sign, hours);
    else
        snprintf(text, room, "%c%02d%s%02d", sign, hours, kind == 4 ? "" : ":", minutes);
}

/* A time as text with random digits, fraction and zone; sometimes one byte is changed. */
static void random_time_text(char *text, size_t room)
{
    static const char bytes[] = "0123456789-:.TtZz+ /;";
    int size = snprintf(text, room, "%04d-%02d-%02d%c%02d:%02d:%02d", 1969 + rand() % 8032,
                        1 + rand() % 12, 1 + rand() % 31, "Tt "[rand() % 3], rand() % 24,
                        rand() % 60, rand() % 60);
    if (rand() % 2 == 0)
        text[size++] = '.';
    for (int digits = text[size - 1] == '.' ? 1 + rand() % 9 : 0; digits > 0; digits--)
        text[size++] = (char)('0' + rand() % 10);
    put_random_zone(text + size, room - (size_t)size);
    if (rand() % 3 == 0)
        text[(size_t)rand() % strlen(text)] = bytes[(size_t)rand() % (sizeof bytes - 1)];
}

static void agrees_with_timegm(void **state)
{
    (void)state;
    regex_t pattern;
    size_t valid = 0;
    assert_int_equal(
        regcomp(&pattern,
                "^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
                "(\\.([0-9]+))?([Zz]|[+-]([0-9]{2})(:?([0-9]{2}))?)?$",
                REG_EXTENDED),
        0);
    srand(1);
    for (int i = 0; i < 100000; i++) {
        char text[64];
        int64_t time_us = 0;
        random_time_text(text, sizeof text);
        int64_t expected = parse_slowly(&pattern, text);
        bool is_read = cm_time_parse(cm_slice_of_text(text), &time_us);
        if ((is_read ? time_us : REFUSED) != expected)
            fail_msg("%s: %lld, not %lld", text, (long long)time_us, (long long)expected);
        valid += is_read;
    }
    regfree(&pattern);
    assert_in_range(valid, 50000, 95000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_text),           cmocka_unit_test(reads_numbers),
        cmocka_unit_test(takes_hostile_length), cmocka_unit_test(refuses_nuls),
        cmocka_unit_test(agrees_with_timegm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
