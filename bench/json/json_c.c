/* json-c: a tree of each line, as strict as it gets. */
#include <json-c/json.h>

#include "parsers.h"

static void put(json_sink *sink, size_t field, json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_string:
        sink_put_text(sink, field, json_object_get_string(value),
                      (size_t)json_object_get_string_len(value));
        break;
    case json_type_int:
    case json_type_double:
        sink_put_number(sink, field, (cm_slice){NULL, 0}, json_object_get_int64(value));
        break;
    case json_type_boolean:
        sink_put_boolean(sink, field, json_object_get_boolean(value) != 0);
        break;
    default:
        sink_put_kind(sink, field, value == NULL ? CM_VALUE_MISSING : CM_VALUE_WRONG);
    }
}

static void put_members(json_sink *sink, json_object *object)
{
    sink_begin(sink);
    for (struct lh_entry *entry = json_object_get_object(object)->head; entry != NULL;
         entry = entry->next) {
        const char *key = lh_entry_k(entry);
        put(sink, sink_field(sink, key, strlen(key)), (json_object *)lh_entry_v(entry));
    }
    sink_end(sink);
}

static void *open_tokener(void)
{
    json_tokener *tokener = json_tokener_new();
    if (tokener == NULL)
        bench_fail("json-c: no memory");
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    return tokener;
}

static void read_lines(void *state, const char *block, size_t size, json_sink *sink)
{
    json_tokener *tokener = state;
    size_t line_size;
    const char *at = block;
    for (const char *line; (line = json_next_line(&at, block + size, &line_size)) != NULL;) {
        json_object *object = json_tokener_parse_ex(tokener, line, (int)line_size);
        bool is_good = json_tokener_get_error(tokener) == json_tokener_success &&
                       json_tokener_get_parse_end(tokener) == line_size &&
                       json_object_is_type(object, json_type_object);
        if (is_good)
            put_members(sink, object);
        else
            sink->malformed++;
        json_object_put(object);
        json_tokener_reset(tokener);
    }
}

static void close_tokener(void *state)
{
    json_tokener_free(state);
}

const json_parser json_json_c = {"json-c", NULL, open_tokener, read_lines, close_tokener};
