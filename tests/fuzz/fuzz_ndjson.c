/*
 * NDJSON, and records of what it holds. A line is good where another library says that it is a JSON
 * object, and its values are those that the library finds.
 */
#include <jansson.h>

#include "fuzz/fuzz.h"
#include "fuzz/rows.h"

static bool is_text(const json_t *json, cm_slice text)
{
    return json_is_string(json) &&
           cm_slice_equal(cm_slice_of(json_string_value(json), json_string_length(json)), text);
}

static bool is_number(const json_t *json, cm_slice text)
{
    char room[512];
    if (!json_is_number(json) || text.size >= sizeof room)
        return json_is_number(json);
    memcpy(room, text.data, text.size);
    room[text.size] = '\0';
    return strtod(room, NULL) == json_number_value(json);
}

static bool is_same(const json_t *json, const cm_value *value)
{
    switch (value->kind) {
    case CM_VALUE_MISSING:
        return json == NULL || json_is_null(json);
    case CM_VALUE_TEXT:
        return is_text(json, value->text);
    case CM_VALUE_NUMBER:
        return is_number(json, value->text);
    case CM_VALUE_BOOLEAN:
        return json_is_boolean(json) && json_is_true(json) == (value->integer == 1);
    default:
        return json_is_object(json) || json_is_array(json);
    }
}

/* Are brackets no deeper than is read? */
static bool is_shallow(cm_slice line)
{
    size_t brackets = 0;
    for (size_t i = 0; i < line.size; i++)
        brackets += line.data[i] == '{' || line.data[i] == '[';
    return brackets < 64;
}

/* There are things that only jansson refuses. */
static bool is_comparable(const json_error_t *error, cm_slice line)
{
    enum json_error_code code = json_error_code(error);
    return is_shallow(line) && code != json_error_numeric_overflow &&
           code != json_error_null_byte_in_key && code != json_error_null_character;
}

static void compare_line(const cm_layout *layout, cm_slice line, const cm_row *row)
{
    json_error_t error = {0};
    size_t flags = JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
    json_t *json = json_loadb(line.data, line.size, flags, &error);
    bool is_good = row->malformed == NULL;
    if (line.size > 0 && memchr(line.data, '\0', line.size) != NULL)
        FUZZ_CHECK(!is_good);
    else if (json != NULL ? is_shallow(line) : is_comparable(&error, line))
        FUZZ_CHECK(is_good == json_is_object(json));
    for (size_t field = 0; json != NULL && is_good && field < layout->field_count; field++)
        FUZZ_CHECK(is_same(json_object_get(json, layout->names[field].data), &row->values[field]));
    json_decref(json);
}

static void look(void *context, const cm_layout *layout, const char *block, const cm_row *row)
{
    cm_arena *arena = context;
    compare_line(layout, cm_slice_of(block + row->start, row->end - row->start), row);
    if (row->malformed == NULL && layout->kind < CM_ROW_KIND_COUNT)
        fuzz_rows_build(layout->kind, row->values, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    unsigned choice = fuzz_choice(&bytes, &size);
    cm_buffer said = {0};
    cm_arena arena = {0};
    const fuzz_reading how = {.kind = (cm_row_kind)(choice & 1),
                              .options = {.is_ndjson = true},
                              .piece_bytes = SIZE_MAX,
                              .visit = look,
                              .context = &arena};
    cm_slice text = cm_slice_of((const char *)bytes, size);
    FUZZ_CHECK(fuzz_rows_try(text, &how, choice, &said) == CM_OK);
    cm_arena_destroy(&arena);
    cm_buffer_destroy(&said);
    return 0;
}
