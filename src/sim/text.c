#include "sim/text.h"

#include "sim/calendar.h"

static const char hex_digits[] = "0123456789abcdef";

char *cm_sim_put_digits(char *at, uint64_t number, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    return at + digits;
}

char *cm_sim_put_number(char *at, uint64_t number)
{
    unsigned digits = 1;
    for (uint64_t rest = number; rest >= 10; rest /= 10)
        digits++;
    return cm_sim_put_digits(at, number, digits);
}

char *cm_sim_put_signed(char *at, int64_t number)
{
    if (number >= 0)
        return cm_sim_put_number(at, (uint64_t)number);
    *at = '-';
    return cm_sim_put_number(at + 1, (uint64_t)-number);
}

char *cm_sim_put_hex(char *at, uint64_t number)
{
    for (int i = 15; i >= 0; i--, number >>= 4)
        at[i] = hex_digits[number & 15];
    return at + 16;
}

char *cm_sim_put_base64(char *at, uint64_t number, unsigned digits)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (unsigned i = 0; i < digits; i++, number >>= 6)
        at[i] = letters[number & 63];
    return at + digits;
}

/* The date of a day since 1970. Years begin in March, so that the leap day is a year's last. */
static char *put_date(char *at, int64_t day)
{
    uint64_t days = (uint64_t)day + 719468; /* since 0000-03-01 */
    uint64_t era = days / 146097, of_era = days % 146097;
    uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint64_t month = (5 * of_year + 2) / 153; /* from March */
    uint64_t of_month = of_year - (153 * month + 2) / 5;
    at = cm_sim_put_digits(at, year + 400 * era + (month >= 10 ? 1 : 0), 4);
    *at++ = '-';
    at = cm_sim_put_digits(at, month >= 10 ? month - 9 : month + 3, 2);
    *at++ = '-';
    return cm_sim_put_digits(at, of_month + 1, 2);
}

char *cm_sim_put_time(char *at, int64_t time_us)
{
    uint64_t of_day = (uint64_t)(time_us % CM_SIM_DAY_US);
    uint64_t seconds = of_day / (uint64_t)CM_SIM_SECOND_US;
    uint64_t fraction = of_day % (uint64_t)CM_SIM_SECOND_US;
    at = put_date(at, time_us / CM_SIM_DAY_US);
    *at++ = 'T';
    at = cm_sim_put_digits(at, seconds / 3600, 2);
    *at++ = ':';
    at = cm_sim_put_digits(at, seconds / 60 % 60, 2);
    *at++ = ':';
    at = cm_sim_put_digits(at, seconds % 60, 2);
    *at++ = '.';
    at = fraction % 1000 == 0 ? cm_sim_put_digits(at, fraction / 1000, 3)
                              : cm_sim_put_digits(at, fraction, 6);
    *at++ = 'Z';
    return at;
}

static char *put_group(char *at, unsigned group)
{
    for (int shift = 12; shift >= 0; shift -= 4)
        if (group >> shift != 0 || shift == 0)
            *at++ = hex_digits[group >> shift & 15];
    return at;
}

char *cm_sim_put_address(char *at, const cm_address *address)
{
    const uint8_t *bytes = address->bytes;
    unsigned parts = address->version == 4 ? 4 : 8;
    for (unsigned i = 0; i < parts; i++) {
        if (i > 0)
            *at++ = parts == 4 ? '.' : ':';
        at = parts == 4 ? cm_sim_put_number(at, bytes[i])
                        : put_group(at, (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1]);
    }
    return at;
}
