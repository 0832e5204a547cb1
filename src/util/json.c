#include "util/json.h"

/* What is not given on is freed. */
static json_t *given(json_t *whole, int failed)
{
    if (!failed)
        return whole;
    json_decref(whole);
    return NULL;
}

json_t *cm_json_with(json_t *object, const char *name, json_t *value)
{
    return given(object, json_object_set_new(object, name, value));
}

json_t *cm_json_joined(json_t *object, json_t *other)
{
    int failed = object == NULL || other == NULL || json_object_update(object, other) != 0;
    json_decref(other);
    return given(object, failed);
}

json_t *cm_json_add(json_t *array, json_t *value)
{
    return given(array, json_array_append_new(array, value));
}

static int take(const char *bytes, size_t size, void *context)
{
    cm_buffer *text = context;
    cm_buffer_append(text, bytes, size);
    return text->failed ? -1 : 0;
}

bool cm_json_write(const json_t *json, size_t flags, cm_buffer *text)
{
    if (json == NULL || json_dump_callback(json, take, text, flags) != 0)
        text->failed = true;
    return !text->failed;
}
