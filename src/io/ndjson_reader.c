/*
 * NDJSON rows of a block: one flat object a line, its values where they stand.
 *
 * What most members are made of, plain strings and short numbers, is read from mark to mark
 * (mark.h): where two quotes follow each other in the marks, what is between them is a string
 * without escapes, valid as it stands. A member that has anything else is left to the scanner
 * (json_scan.h), which alone says what is wrong. Both give the same for a member that both read.
 */
#include "io/codec.h"
#include "io/json_scan.h"
#include "io/scan.h"

/* A key longer than this, as written, is unknown even if it is all escapes. */
#define KEY_BYTES_MAX ((size_t)6 * 32)

/* A string value, its escapes undone. False where it is malformed or memory is short. */
static bool read_string(cm_row_reader *reader, cm_json *json, cm_value *value)
{
    bool is_escaped;
    if (!cm_json_string(json, &value->text, &is_escaped))
        return false;
    value->kind = CM_VALUE_TEXT;
    if (!is_escaped)
        return true;
    char *room = cm_arena_take(reader->arena, value->text.size);
    if (room == NULL) {
        reader->out_of_memory = true;
        return cm_json_fail(json, "out of memory");
    }
    value->text = cm_slice_of(room, cm_json_unescape(value->text, room));
    return true;
}

/* A number or a word. */
static inline bool read_bare(cm_json *json, cm_value *value)
{
    switch (cm_json_peek(json)) {
    case 't':
        value->kind = CM_VALUE_BOOLEAN;
        value->integer = 1;
        return cm_json_word(json, CM_SLICE("true"));
    case 'f':
        value->kind = CM_VALUE_BOOLEAN;
        value->integer = 0;
        return cm_json_word(json, CM_SLICE("false"));
    case 'n':
        value->kind = CM_VALUE_MISSING;
        return cm_json_word(json, CM_SLICE("null"));
    default:
        value->kind = CM_VALUE_NUMBER;
        return cm_json_number(json, &value->text);
    }
}

/* The value of a known key. */
static bool read_value(cm_row_reader *reader, cm_json *json, cm_value *value)
{
    switch (cm_json_peek(json)) {
    case '"':
        return read_string(reader, json, value);
    case '{':
    case '[':
        value->kind = CM_VALUE_WRONG;
        return cm_json_skip(json, 1);
    default:
        return read_bare(json, value);
    }
}

/* The field of the next key; CM_FIELD_COUNT_MAX for an unknown one. */
static bool read_key(const cm_layout *layout, cm_json *json, size_t *field)
{
    cm_slice key;
    bool is_escaped;
    char room[KEY_BYTES_MAX];
    if (!cm_json_key(json, &key, &is_escaped))
        return false;
    if (is_escaped && key.size <= sizeof room)
        key = cm_slice_of(room, cm_json_unescape(key, room));
    *field = cm_layout_field(layout, key.data, key.size);
    return true;
}

/* Any member, as the scanner reads it. */
static bool read_member(cm_row_reader *reader, cm_json *json, cm_row *row, bool *is_last)
{
    size_t field;
    if (!read_key(reader->layout, json, &field))
        return false;
    if (field < CM_FIELD_COUNT_MAX) {
        row->value_bytes[field] = (size_t)(json->at - reader->block);
        if (!read_value(reader, json, &row->values[field]))
            return false;
    } else if (!cm_json_skip(json, 1)) {
        return false;
    }
    return cm_json_separator(json, '}', is_last);
}

/* --- The usual members ------------------------------------------------------------------------ */

/* Kept out of the loop over members, which needs the registers for itself. */
#define OUTSIDE __attribute__((noinline))

#define USUAL_MARKS ((size_t)4) /* of a member: the quotes of its key and of its value */

/* Any number or word, as the scanner reads it. NULL where there is none. */
OUTSIDE static const char *take_scanned(const char *at, const char *end, cm_value *value)
{
    cm_json json = {at, end, NULL};
    return read_bare(&json, value) ? json.at : NULL;
}

static inline bool is_digit(char byte)
{
    return (unsigned char)(byte - '0') < 10;
}

/* A number or word; the byte behind it. NULL where there is none. A mark is behind it, so that no
 * digit is at the end. */
static inline const char *take_bare(const char *at, const char *end, cm_value *value)
{
    const char *behind = at;
    if (*at == 't' && memcmp(at, "true", 4) == 0) {
        value->kind = CM_VALUE_BOOLEAN;
        value->integer = 1;
        return at + 4;
    }
    while (is_digit(*behind))
        behind++;
    if (behind == at || *at == '0' || (*behind != ',' && *behind != '}'))
        return take_scanned(at, end, value);
    value->kind = CM_VALUE_NUMBER;
    value->text = cm_slice_of(at, (size_t)(behind - at));
    return behind;
}

/* What is behind a value: the next key's opening quote, the closing bracket, or NULL. */
static inline const char *pass_comma(const char *at)
{
    const char *key = at + 1 + (at[1] == ' ');
    if (*at == ',' && *key == '"')
        return key;
    return *at == '}' ? at : NULL;
}

/* Where the loop over members stands: at an opening quote, which is the next mark. */
typedef struct cursor {
    const char *block, *stretch;
    const char *at;
    const uint16_t *next;
} cursor;

/* The only key that a name can be; close is the mark behind it. */
static inline const cm_key *key_at(const cm_layout *layout, const char *at, const char *close)
{
    return &layout->keys[cm_key_slot(at + 1, (size_t)(close - at - 1))];
}

static inline void put_text(cm_row *row, size_t field, const char *block, const char *open,
                            const char *close)
{
    row->values[field].kind = CM_VALUE_TEXT;
    row->values[field].text = cm_slice_of(open + 1, (size_t)(close - open - 1));
    row->value_bytes[field] = (size_t)(open - block);
}

/*
 * Take a usual member that is not `"name":"text","` with a known name: it may be the last one, have
 * a space behind its colon or comma, or a value that is a number or word. False where it is not
 * even that.
 */
static inline bool take_other(cursor *c, const cm_layout *layout, cm_row *row)
{
    const char *close = c->stretch + c->next[1], *last = c->stretch + c->next[3];
    const char *value = close + 2 + (close[2] == ' '), *behind;
    const cm_key *key = key_at(layout, c->at, close);
    if (close[0] != '"' || close[1] != ':')
        return false;
    bool is_known = cm_key_is_at(key, key->name_bits, c->at + 1);
    if (*value == '"') {
        behind = pass_comma(last + 1);
        if (*last != '"' || behind == NULL)
            return false;
        if (is_known)
            put_text(row, key->field, c->block, value, last);
        c->next += 4;
    } else {
        cm_value unknown;
        behind = take_bare(value, last, is_known ? &row->values[key->field] : &unknown);
        behind = behind == NULL ? NULL : pass_comma(behind);
        if (behind == NULL)
            return false;
        if (is_known)
            row->value_bytes[key->field] = (size_t)(value - c->block);
        c->next += 2;
    }
    c->at = behind;
    return true;
}

/* Is there `","`? */
static inline bool is_separator(const char *at)
{
    uint32_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    return le32toh(bytes) << 8 == 0x222C2200;
}

/*
 * Take members as long as they are usual ones. at: a key's opening quote, which is the next mark.
 * Returns the opening quote of the first that is not usual, or the closing bracket.
 *
 * What a member is made of is a guess at each, its name seldom is. So that a wrong guess is seen
 * early, the marks are looked at first, then the bytes behind the value, then the name.
 */
OUTSIDE static const char *take_usual(cm_row_reader *reader, cm_row *row, const char *at)
{
    const cm_layout *layout = reader->layout;
    const uint16_t *end = reader->marks + reader->mark_count - (USUAL_MARKS - 1);
    cursor c = {.block = reader->block,
                .stretch = reader->block + reader->stretch,
                .at = at,
                .next = reader->marks + reader->mark_next};
    while (c.next < end) {
        const char *close = c.stretch + c.next[1], *last = c.stretch + c.next[3];
        const cm_key *key = key_at(layout, c.at, close);
        if (c.next[2] == c.next[1] + 2 && is_separator(last) &&
            cm_key_is_at(key, key->text_bits, c.at + 1)) {
            put_text(row, key->field, c.block, close + 2, last);
            c.next += 4;
            c.at = last + 2;
        } else if (!take_other(&c, layout, row) || *c.at == '}') {
            break;
        }
    }
    reader->mark_next = (size_t)(c.next - reader->marks);
    return c.at;
}

/*
 * Are there marks enough for a member that begins at `at`, with more of them made if need be? The
 * last bytes of a block have none: behind a mark, CM_KEY_BYTES can be read.
 */
static bool has_marks(cm_row_reader *reader, size_t at)
{
    size_t limit = reader->size < CM_KEY_BYTES ? 0 : reader->size - CM_KEY_BYTES;
    cm_row_seek(reader, at);
    if (reader->mark_count - reader->mark_next >= USUAL_MARKS)
        return true;
    if (reader->stretch_end >= limit || reader->stretch == at)
        return false;
    cm_row_mark(reader, reader->kernel->json, at, limit);
    return reader->mark_count >= USUAL_MARKS;
}

/* Take usual members from a key's opening quote on; returns as take_usual does. */
static const char *take_members(cm_row_reader *reader, cm_row *row, const char *at)
{
    const char *from;
    do {
        from = at;
        if (!has_marks(reader, (size_t)(at - reader->block)))
            break;
        at = take_usual(reader, row, at);
    } while (at > from && *at == '"');
    return at;
}

/* The members of the line's object; at stands behind its opening bracket. */
static bool read_members(cm_row_reader *reader, cm_json *json, cm_row *row)
{
    cm_json_space(json);
    if (cm_json_peek(json) == '}') {
        json->at++;
        return true;
    }
    for (bool is_last = false; !is_last;) {
        if (cm_json_peek(json) == '"') {
            json->at = take_members(reader, row, json->at);
            if (*json->at == '}') {
                json->at++;
                return true;
            }
        }
        if (!read_member(reader, json, row, &is_last))
            return false;
        cm_json_space(json);
    }
    return true;
}

/* An object and nothing else up to the line end. */
static bool read_object(cm_row_reader *reader, cm_json *json, cm_row *row)
{
    if (cm_json_peek(json) != '{')
        return cm_json_fail(json, "not a JSON object");
    json->at++;
    if (!read_members(reader, json, row))
        return false;
    cm_json_space(json);
    return cm_json_peek(json) == '\n' || cm_json_fail(json, "text after the object");
}

/* All places, known or not: their number is known to the compiler. */
static inline void forget_values(cm_row *row)
{
#pragma GCC unroll 24
    for (size_t i = 0; i < CM_FIELD_COUNT_MAX; i++)
        row->values[i].kind = CM_VALUE_MISSING;
}

bool cm_ndjson_next(cm_row_reader *reader, cm_row *row)
{
    while (reader->at < reader->size) {
        cm_json json = {reader->block + reader->at, reader->block + reader->size, NULL};
        cm_row_begin(reader, row);
        forget_values(row);
        cm_json_space(&json);
        bool is_blank = cm_json_peek(&json) == '\n';
        if (!is_blank && !read_object(reader, &json, row)) {
            row->malformed = json.problem;
            row->byte = (size_t)(json.at - reader->block);
        }
        if (reader->out_of_memory)
            return false;
        size_t line_end = (size_t)(json.at - reader->block);
        if (row->malformed != NULL)
            line_end = cm_scan_byte(reader->block, line_end, reader->size, '\n');
        cm_row_end(reader, row, line_end, 1);
        if (!is_blank)
            return true;
    }
    return false;
}
