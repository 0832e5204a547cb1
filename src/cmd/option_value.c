/* The values of options: text into what the table says they are. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/option_table.h"
#include "util/error.h"
#include "util/grow.h"
#include "util/text.h"
#include "util/time.h"

#define DATE_BYTES 10 /* 2026-03-10 */

static cm_status refuse(const char *shown, const char *text, const char *allowed, cm_error *error)
{
    return cm_error_set(error, CM_ERROR_USAGE, "%s: '%.200s' is not allowed; give %s", shown, text,
                        allowed);
}

static cm_status read_text(const cm_option_row *row, const char *shown, const char *text,
                           cm_option_value *value, cm_error *error)
{
    if (text[0] == '\0')
        return cm_error_set(error, CM_ERROR_USAGE, "%s: the value is empty; give %s", shown,
                            row->value);
    if ((row->flags & CM_OPTION_LIST) == 0)
        value->text_count = 0;
    const char **texts =
        cm_grow(value->texts, &value->text_capacity, value->text_count + 1, sizeof *texts);
    if (texts == NULL)
        return cm_error_memory(error, shown, sizeof *texts);
    value->texts = texts;
    texts[value->text_count++] = text;
    return CM_OK;
}

static bool parse_count(const char *text, uint64_t *number)
{
    uint64_t sum = 0;
    for (const char *at = text; *at != '\0'; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (digit > 9 || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, digit, &sum))
            return false;
    }
    *number = sum;
    return text[0] != '\0';
}

static cm_status read_count(const cm_option_row *row, const char *shown, const char *text,
                            cm_option_value *value, cm_error *error)
{
    char allowed[128];
    value->none = row->kind == CM_KIND_COUNT_OR_NONE && strcmp(text, "none") == 0;
    if (value->none)
        return CM_OK;
    if (parse_count(text, &value->number) && value->number >= row->low &&
        value->number <= row->high)
        return CM_OK;
    snprintf(allowed, sizeof allowed, "a whole number from %llu to %llu%s",
             (unsigned long long)row->low, (unsigned long long)row->high,
             row->kind == CM_KIND_COUNT_OR_NONE ? ", or none" : "");
    return refuse(shown, text, allowed, error);
}

/* A whole number, and what follows it behind one space or none. */
static bool parse_quantity(const char *text, uint64_t *number, const char **unit)
{
    char digits[24];
    size_t size = strspn(text, "0123456789");
    if (size == 0 || size >= sizeof digits)
        return false;
    memcpy(digits, text, size);
    digits[size] = '\0';
    *unit = text + size + (text[size] == ' ');
    return parse_count(digits, number);
}

/* A whole number and its unit; none: seconds. */
static bool parse_duration(const char *text, uint64_t *duration_us)
{
    static const struct {
        const char *name;
        uint64_t us;
    } units[] = {{"ms", 1000},
                 {"s", CM_SECOND_US},
                 {"", CM_SECOND_US},
                 {"m", 60 * CM_SECOND_US},
                 {"min", 60 * CM_SECOND_US},
                 {"h", 3600 * CM_SECOND_US},
                 {"d", CM_DAY_US}};
    const char *unit;
    if (!parse_quantity(text, duration_us, &unit))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(unit, units[i].name) == 0)
            return !__builtin_mul_overflow(*duration_us, units[i].us, duration_us);
    return false;
}

static cm_status read_duration(const cm_option_row *row, const char *shown, const char *text,
                               cm_option_value *value, cm_error *error)
{
    char allowed[160];
    if (parse_duration(text, &value->number) && value->number >= row->low &&
        value->number <= row->high)
        return CM_OK;
    snprintf(allowed, sizeof allowed,
             "a duration from %.3g to %.0f s: a whole number and ms, s, m, h or d, such as 5m",
             (double)row->low / CM_SECOND_US, (double)row->high / CM_SECOND_US);
    return refuse(shown, text, allowed, error);
}

/* `2G`, `1.5 GB` is not: a whole number and a unit, powers of 1024; none: bytes. */
static bool parse_size(const char *text, uint64_t *bytes)
{
    static const char units[] = "KMGT";
    const char *unit;
    if (!parse_quantity(text, bytes, &unit))
        return false;
    if (*unit == '\0')
        return true;
    const char *found = isalpha((unsigned char)*unit) ? strchr(units, *unit & ~0x20) : NULL;
    if (found == NULL)
        return false;
    bool is_bare = unit[1] == '\0' || strcmp(unit + 1, "B") == 0 || strcmp(unit + 1, "iB") == 0;
    uint64_t factor = UINT64_C(1) << (10 * (found - units + 1));
    return is_bare && !__builtin_mul_overflow(*bytes, factor, bytes);
}

/* A size as people write it: the largest unit that fits. */
static void size_text(uint64_t bytes, char *text, size_t size)
{
    static const char *const units[] = {"", "K", "M", "G", "T"};
    size_t unit = 0;
    for (; unit < 4 && bytes >= 1024 && bytes % 1024 == 0; unit++)
        bytes /= 1024;
    snprintf(text, size, "%llu%s", (unsigned long long)bytes, units[unit]);
}

static cm_status read_size(const cm_option_row *row, const char *shown, const char *text,
                           cm_option_value *value, cm_error *error)
{
    char allowed[128], low[24], high[24];
    if (parse_size(text, &value->number) && value->number >= row->low && value->number <= row->high)
        return CM_OK;
    size_text(row->low, low, sizeof low);
    size_text(row->high, high, sizeof high);
    snprintf(allowed, sizeof allowed,
             "a size from %s to %s: a whole number and K, M or G, or bytes", low, high);
    return refuse(shown, text, allowed, error);
}

static cm_status read_share(const cm_option_row *row, const char *shown, const char *text,
                            cm_option_value *value, cm_error *error)
{
    char *end;
    value->share = strtod(text, &end);
    size_t size = strlen(text);
    if (size > 0 && strspn(text, "0123456789.") == size && *end == '\0' &&
        value->share >= (double)row->low && value->share <= (double)row->high)
        return CM_OK;
    return refuse(shown, text, "a number from 0 to 1, such as 0.85", error);
}

static cm_status read_time(const cm_option_row *row, const char *shown, const char *text,
                           cm_option_value *value, cm_error *error)
{
    char midnight[DATE_BYTES + 16];
    bool is_date = strlen(text) == DATE_BYTES;
    snprintf(midnight, sizeof midnight, "%.*sT00:00:00Z", DATE_BYTES, text);
    const char *time = is_date ? midnight : text;
    if ((is_date || row->kind == CM_KIND_TIME) &&
        cm_time_parse(cm_slice_of_text(time), &value->time_us))
        return CM_OK;
    return refuse(shown, text,
                  row->kind == CM_KIND_DATE ? "a date such as 2026-03-10"
                                            : "a time such as 2026-03-10T12:00:00Z, or a date",
                  error);
}

static cm_status read_choice(const cm_option_row *row, const char *shown, const char *text,
                             cm_option_value *value, cm_error *error)
{
    value->number = 0;
    for (const char *word = row->value;; value->number++) {
        size_t size = strcspn(word, "|");
        if (cm_slice_equal(cm_slice_of(word, size), cm_slice_of_text(text)))
            return CM_OK;
        if (word[size] == '\0')
            break;
        word += size + 1;
    }
    value->number = 0;
    return refuse(shown, text, row->value, error);
}

static cm_status read_flag(const char *shown, const char *text, cm_option_value *value,
                           cm_error *error)
{
    cm_slice word = cm_slice_of_text(text);
    value->number = text == NULL || cm_slice_equal(word, CM_SLICE("1")) ||
                    cm_text_equal_folded(word, CM_SLICE("true"));
    if (value->number != 0 || cm_slice_equal(word, CM_SLICE("0")) ||
        cm_text_equal_folded(word, CM_SLICE("false")))
        return CM_OK;
    return refuse(shown, text, "1 or 0", error);
}

cm_status cm_option_read(const cm_option_row *row, const char *shown, const char *text,
                         cm_option_value *value, cm_error *error)
{
    value->given = true;
    switch (row->kind) {
    case CM_KIND_FLAG:
        return read_flag(shown, text, value, error);
    case CM_KIND_COUNT:
    case CM_KIND_COUNT_OR_NONE:
        return read_count(row, shown, text, value, error);
    case CM_KIND_SIZE:
        return read_size(row, shown, text, value, error);
    case CM_KIND_SHARE:
        return read_share(row, shown, text, value, error);
    case CM_KIND_DURATION:
        return read_duration(row, shown, text, value, error);
    case CM_KIND_TIME:
    case CM_KIND_DATE:
        return read_time(row, shown, text, value, error);
    case CM_KIND_CHOICE:
        return read_choice(row, shown, text, value, error);
    case CM_KIND_TEXT:
        break;
    }
    return read_text(row, shown, text, value, error);
}
