/* jansson: a tree of each line. */
#include <jansson.h>

#include "parsers.h"

static void put(json_sink *sink, size_t field, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        sink_put_text(sink, field, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        sink_put_number(sink, field, (cm_slice){NULL, 0}, json_integer_value(value));
        break;
    case JSON_REAL:
        sink_put_number(sink, field, (cm_slice){NULL, 0}, (int64_t)json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        sink_put_boolean(sink, field, json_is_true(value));
        break;
    default:
        sink_put_kind(sink, field, json_is_null(value) ? CM_VALUE_MISSING : CM_VALUE_WRONG);
    }
}

static void read_lines(void *state, const char *block, size_t size, json_sink *sink)
{
    (void)state;
    size_t line_size;
    const char *next = block;
    for (const char *line; (line = json_next_line(&next, block + size, &line_size)) != NULL;) {
        json_t *object = json_loadb(line, line_size, JSON_ALLOW_NUL, NULL);
        if (!json_is_object(object)) {
            json_decref(object);
            sink->malformed++;
            continue;
        }
        sink_begin(sink);
        for (void *at = json_object_iter(object); at != NULL;
             at = json_object_iter_next(object, at)) {
            const char *key = json_object_iter_key(at);
            put(sink, sink_field(sink, key, strlen(key)), json_object_iter_value(at));
        }
        sink_end(sink);
        json_decref(object);
    }
}

const json_parser json_jansson = {"jansson", NULL, NULL, read_lines, NULL};
