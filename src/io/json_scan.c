#include "io/json_scan.h"

#include "io/scan.h"
#include "util/text.h"

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* --- Strings ---------------------------------------------------------------------------------- */

static int hex_digit(char byte)
{
    if (is_digit(byte))
        return byte - '0';
    char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Four hex digits; -1 where they are not. */
static int32_t hex_unit(const char *bytes, size_t size)
{
    int32_t unit = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i < size ? hex_digit(bytes[i]) : -1;
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xDC00 && unit < 0xE000;
}

/*
 * The character that `\u` stands for, at bytes, and what follows it. Returns the bytes of the
 * escape (6, or 12 for a pair), 0 where it is malformed.
 */
static size_t read_unicode(const char *bytes, size_t size, uint32_t *character)
{
    int32_t unit = size < 6 ? -1 : hex_unit(bytes + 2, size - 2);
    if (unit < 0 || is_low_surrogate(unit))
        return 0;
    *character = (uint32_t)unit;
    if (!is_high_surrogate(unit))
        return 6;
    if (size < 12 || bytes[6] != '\\' || bytes[7] != 'u')
        return 0;
    int32_t low = hex_unit(bytes + 8, size - 8);
    if (!is_low_surrogate(low))
        return 0;
    *character = 0x10000u + (((uint32_t)unit - 0xD800u) << 10) + ((uint32_t)low - 0xDC00u);
    return 12;
}

/* The byte that a short escape stands for; -1 if there is no such escape. */
static int short_escape(char letter)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char *found = letter == '\0' ? NULL : strchr(letters, letter);
    return found == NULL ? -1 : bytes[found - letters];
}

static bool pass_escape(cm_json *json)
{
    size_t left = (size_t)(json->end - json->at);
    uint32_t character;
    size_t size = 0;
    if (left >= 2 && json->at[1] == 'u')
        size = read_unicode(json->at, left, &character);
    else if (left >= 2 && short_escape(json->at[1]) >= 0)
        size = 2;
    if (size == 0)
        return cm_json_fail(json, "malformed escape or lone surrogate in a string");
    json->at += size;
    return true;
}

/* A character beyond ASCII. */
static bool pass_wide(cm_json *json)
{
    unsigned char lead = (unsigned char)*json->at;
    size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4, characters;
    if (size > (size_t)(json->end - json->at) ||
        !cm_utf8_count(cm_slice_of(json->at, size), &characters))
        return cm_json_fail(json, "malformed UTF-8 in a string");
    json->at += size;
    return true;
}

bool cm_json_string(cm_json *json, cm_slice *text, bool *is_escaped)
{
    const char *start = ++json->at;
    *is_escaped = false;
    for (;;) {
        json->at += cm_scan_json(json->at, (size_t)(json->end - json->at));
        char byte = cm_json_peek(json);
        if (byte == '"') {
            *text = cm_slice_of(start, (size_t)(json->at++ - start));
            return true;
        }
        if (byte == '\\') {
            *is_escaped = true;
            if (!pass_escape(json))
                return false;
        } else if ((unsigned char)byte >= 0x80) {
            if (!pass_wide(json))
                return false;
        } else {
            return cm_json_fail(json, byte == '\n' ? "string without a closing quote"
                                                   : "control character in a string");
        }
    }
}

static size_t put_utf8(uint32_t character, char *room)
{
    if (character < 0x80) {
        room[0] = (char)character;
        return 1;
    }
    size_t size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        room[i] = (char)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    room[0] = (char)((0xF00u >> size & 0xF0u) | character);
    return size;
}

size_t cm_json_unescape(cm_slice text, char *room)
{
    size_t size = 0, at = 0;
    for (;;) {
        size_t escape = cm_scan_byte(text.data, at, text.size, '\\');
        memcpy(room + size, text.data + at, escape - at);
        size += escape - at;
        if (escape == text.size)
            return size;
        at = escape + 2;
        if (text.data[escape + 1] == 'u') {
            uint32_t character = 0;
            at = escape + read_unicode(text.data + escape, text.size - escape, &character);
            size += put_utf8(character, room + size);
        } else {
            room[size++] = (char)short_escape(text.data[escape + 1]);
        }
    }
}

/* --- Numbers and words ------------------------------------------------------------------------ */

static bool pass_digits(cm_json *json)
{
    if (!is_digit(cm_json_peek(json)))
        return cm_json_fail(json, "malformed number");
    while (is_digit(cm_json_peek(json)))
        json->at++;
    return true;
}

bool cm_json_number(cm_json *json, cm_slice *text)
{
    const char *start = json->at;
    if (cm_json_peek(json) == '-')
        json->at++;
    else if (!is_digit(cm_json_peek(json)))
        return cm_json_fail(json, "not a JSON value");
    if (cm_json_peek(json) == '0')
        json->at++; /* a digit that follows is a fault of what comes after the value */
    else if (!pass_digits(json))
        return false;
    if (cm_json_peek(json) == '.') {
        json->at++;
        if (!pass_digits(json))
            return false;
    }
    if ((cm_json_peek(json) | 0x20) == 'e') {
        json->at++;
        if (cm_json_peek(json) == '+' || cm_json_peek(json) == '-')
            json->at++;
        if (!pass_digits(json))
            return false;
    }
    *text = cm_slice_of(start, (size_t)(json->at - start));
    return true;
}

bool cm_json_word(cm_json *json, cm_slice word)
{
    if ((size_t)(json->end - json->at) < word.size || memcmp(json->at, word.data, word.size) != 0)
        return cm_json_fail(json, "not a JSON value");
    json->at += word.size;
    return true;
}

/* --- Values of any kind ----------------------------------------------------------------------- */

bool cm_json_key(cm_json *json, cm_slice *key, bool *is_escaped)
{
    cm_json_space(json);
    if (cm_json_peek(json) != '"')
        return cm_json_fail(json, "expected a key in quotes");
    if (!cm_json_string(json, key, is_escaped))
        return false;
    cm_json_space(json);
    if (cm_json_peek(json) != ':')
        return cm_json_fail(json, "expected ':'");
    json->at++;
    cm_json_space(json);
    return true;
}

bool cm_json_separator(cm_json *json, char close, bool *is_last)
{
    cm_json_space(json);
    char byte = cm_json_peek(json);
    *is_last = byte == close;
    if (byte != close && byte != ',')
        return cm_json_fail(json, close == ']' ? "expected ',' or ']'" : "expected ',' or '}'");
    json->at++;
    return true;
}

/* An object or array; at stands on its opening bracket. Recursion ends at CM_JSON_DEPTH_MAX. */
static bool skip_nested(cm_json *json, unsigned depth)
{
    if (depth >= CM_JSON_DEPTH_MAX)
        return cm_json_fail(json, "nested deeper than 64 levels");
    char close = *json->at++ == '{' ? '}' : ']';
    cm_json_space(json);
    if (cm_json_peek(json) == close) {
        json->at++;
        return true;
    }
    cm_slice key;
    bool is_escaped;
    for (bool is_last = false; !is_last;) {
        if (close == '}' && !cm_json_key(json, &key, &is_escaped))
            return false;
        cm_json_space(json);
        if (!cm_json_skip(json, depth + 1) || !cm_json_separator(json, close, &is_last))
            return false;
    }
    return true;
}

bool cm_json_skip(cm_json *json, unsigned depth)
{
    cm_slice text;
    bool is_escaped;
    switch (cm_json_peek(json)) {
    case '"':
        return cm_json_string(json, &text, &is_escaped);
    case '{':
    case '[':
        return skip_nested(json, depth);
    case 't':
        return cm_json_word(json, CM_SLICE("true"));
    case 'f':
        return cm_json_word(json, CM_SLICE("false"));
    case 'n':
        return cm_json_word(json, CM_SLICE("null"));
    default:
        return cm_json_number(json, &text);
    }
}
