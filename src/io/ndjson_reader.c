/* NDJSON rows of a block: one flat object a line, its values where they stand. */
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

/* The members of the line's object; at stands behind its opening bracket. */
static bool read_members(cm_row_reader *reader, cm_json *json, cm_row *row)
{
    cm_json_space(json);
    if (cm_json_peek(json) == '}') {
        json->at++;
        return true;
    }
    for (bool is_last = false; !is_last;) {
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
        if (!cm_json_separator(json, '}', &is_last))
            return false;
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

bool cm_ndjson_next(cm_row_reader *reader, cm_row *row)
{
    while (reader->at < reader->size) {
        cm_json json = {reader->block + reader->at, reader->block + reader->size, NULL};
        cm_row_begin(reader, row);
        for (size_t i = 0; i < reader->layout->field_count; i++)
            row->values[i].kind = CM_VALUE_MISSING;
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
