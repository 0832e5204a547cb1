#include "model/column.h"

#include <string.h>

#include "util/slice.h"
#include "util/text.h"
#include "util/time.h"

const char CM_FAULT_MEMORY[] = "out of memory";

static void *slot_of(const cm_filling *filling, const cm_column *column)
{
    return (char *)filling->record + column->offset;
}

/* Text of any bytes: compared or carried, never interpreted. */
const char *cm_read_text(const cm_filling *filling, const cm_column *column, const cm_value *value)
{
    cm_slice *slot = slot_of(filling, column);
    if (value->kind != CM_VALUE_TEXT)
        return "not text";
    *slot = value->text;
    return NULL;
}

const char *cm_read_id(const cm_filling *filling, const cm_column *column, const cm_value *value)
{
    const char *fault = value->kind == CM_VALUE_TEXT ? cm_id_fault(value->text) : NULL;
    return fault != NULL ? fault : cm_read_text(filling, column, value);
}

/* A time of any kind that can carry one. */
static const char *parse_time(const cm_value *value, int64_t *time_us)
{
    switch (value->kind) {
    case CM_VALUE_TEXT:
        return cm_time_parse(value->text, time_us) ? NULL : CM_FAULT_TIME;
    case CM_VALUE_NUMBER:
        return cm_time_parse_number(value->text, time_us) ? NULL : CM_FAULT_TIME_RANGE;
    case CM_VALUE_TIME:
        *time_us = value->integer;
        return cm_time_is_in_range(*time_us) ? NULL : CM_FAULT_TIME_RANGE;
    default:
        return CM_FAULT_TIME;
    }
}

const char *cm_read_time(const cm_filling *filling, const cm_column *column, const cm_value *value)
{
    return parse_time(value, slot_of(filling, column));
}

/* Columns are read in order, so that the click's time is known here. */
const char *cm_read_expiry(const cm_filling *filling, const cm_column *column,
                           const cm_value *value)
{
    const cm_click *click = filling->record;
    int64_t *slot = slot_of(filling, column), time_us;
    const char *fault = parse_time(value, &time_us);
    if (fault == NULL && time_us < click->click_timestamp)
        fault = CM_FAULT_EXPIRY;
    if (fault == NULL)
        *slot = time_us;
    return fault;
}

static bool is_one_of(cm_slice word, cm_slice long_form, cm_slice letter, cm_slice digit)
{
    return cm_text_equal_folded(word, long_form) || cm_text_equal_folded(word, letter) ||
           cm_text_equal_folded(word, digit);
}

const char *cm_read_flag(const cm_filling *filling, const cm_column *column, const cm_value *value)
{
    bool *slot = slot_of(filling, column);
    bool has_word = value->kind == CM_VALUE_TEXT || value->kind == CM_VALUE_NUMBER;
    if (value->kind == CM_VALUE_BOOLEAN)
        *slot = value->integer != 0;
    else if (has_word && is_one_of(value->text, CM_SLICE("true"), CM_SLICE("t"), CM_SLICE("1")))
        *slot = true;
    else if (has_word && is_one_of(value->text, CM_SLICE("false"), CM_SLICE("f"), CM_SLICE("0")))
        *slot = false;
    else
        return "neither true nor false";
    return NULL;
}

/* A conversion has two columns for it: the first that is there counts. */
const char *cm_read_fingerprint(const cm_filling *filling, const cm_column *column,
                                const cm_value *value)
{
    cm_device *device = slot_of(filling, column);
    uint8_t fingerprint[sizeof device->fingerprint];
    if (value->kind != CM_VALUE_TEXT)
        return "not text";
    if (!cm_fingerprint_parse(value->text, fingerprint))
        return "not 64 hex digits";
    if (!device->has_fingerprint)
        memcpy(device->fingerprint, fingerprint, sizeof fingerprint);
    device->has_fingerprint = true;
    return NULL;
}

const char *cm_read_address(const cm_filling *filling, const cm_column *column,
                            const cm_value *value)
{
    cm_address *slot = slot_of(filling, column), address;
    if (value->kind == CM_VALUE_ADDRESS)
        address = cm_address_unmapped(value->address);
    else if (value->kind != CM_VALUE_TEXT)
        return "not text";
    else if (!cm_address_parse(value->text, &address))
        return CM_FAULT_ADDRESS;
    *slot = address;
    return NULL;
}

static const char *keep(const cm_filling *filling, const cm_column *column, const char *bytes,
                        size_t size)
{
    char *kept = cm_arena_take(filling->arena, size);
    if (kept == NULL)
        return CM_FAULT_MEMORY;
    memcpy(kept, bytes, size);
    *(cm_slice *)slot_of(filling, column) = cm_slice_of(kept, size);
    return NULL;
}

static const char *read_integer(const cm_filling *filling, const cm_column *column, int64_t integer)
{
    char digits[20]; /* 19 and a sign */
    size_t at = sizeof digits;
    uint64_t rest = integer < 0 ? -(uint64_t)integer : (uint64_t)integer;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (integer < 0)
        digits[--at] = '-';
    return keep(filling, column, digits + at, sizeof digits - at);
}

static const char *read_number(const cm_filling *filling, const cm_column *column, cm_slice number)
{
    char room[CM_WHOLE_DIGITS_MAX + 1];
    cm_slice whole;
    if (!cm_whole_number(number, room, &whole))
        return "not a whole number";
    if (whole.data == room)
        return keep(filling, column, whole.data, whole.size);
    *(cm_slice *)slot_of(filling, column) = whole;
    return NULL;
}

/* Text as it stands; numbers as plain decimal integers. */
const char *cm_read_whole(const cm_filling *filling, const cm_column *column, const cm_value *value)
{
    if (value->kind == CM_VALUE_INTEGER)
        return read_integer(filling, column, value->integer);
    if (value->kind == CM_VALUE_NUMBER)
        return read_number(filling, column, value->text);
    if (value->kind != CM_VALUE_TEXT)
        return "not text or a whole number";
    return cm_read_text(filling, column, value);
}
