/*
 * Where a parser under measurement delivers what it found: the values of an event's known fields,
 * as cm_event_reader delivers them. Read by C++ as well, so that every parser finds fields in the
 * same way and nothing is called per value.
 */
#ifndef JSON_SINK_H
#define JSON_SINK_H

#include "../harness.h"
#include "io/event_reader.h"

typedef struct json_sink {
    cm_event_layouts layouts;
    const cm_layout *layout; /* of the event being read, once its kind is known */
    cm_value values[CM_FIELD_COUNT_MAX];
    size_t events, malformed;
    uint64_t checksum; /* of what was delivered */
    bool is_checked;   /* make the checksum; not while time is taken */
} json_sink;

/* A new object. */
static inline void sink_begin(json_sink *sink)
{
    sink->layout = &sink->layouts.of[CM_ROW_CLICK];
    for (size_t i = 0; i < CM_FIELD_COUNT_MAX; i++)
        sink->values[i].kind = CM_VALUE_MISSING;
}

/* An event is complete. Values: CM_FIELD_COUNT_MAX of them. */
static inline void sink_take(json_sink *sink, const cm_value *values)
{
    sink->events++;
    bench_forget();
    for (size_t i = 0; i < CM_FIELD_COUNT_MAX && sink->is_checked; i++) {
        size_t size = values[i].kind == CM_VALUE_TEXT ? values[i].text.size : 1;
        if (values[i].kind != CM_VALUE_MISSING)
            sink->checksum = bench_mix(sink->checksum ^ (i << 32 | size));
    }
}

static inline void sink_end(json_sink *sink)
{
    sink_take(sink, sink->values);
}

/* The key that a name may be. */
static inline const cm_key *sink_key(const json_sink *sink, const char *name, size_t size)
{
    return &sink->layout->keys[cm_key_slot(name, size)];
}

/* The field of a name; CM_FIELD_COUNT_MAX if it has none. As fast as a parser can be served. */
static inline size_t sink_field(const json_sink *sink, const char *name, size_t size)
{
    if (size < 4 || size > CM_KEY_NAME_MAX)
        return cm_layout_field(sink->layout, name, size);
    const cm_key *key = sink_key(sink, name, size);
    bool is_known = key->name_bits == (2u << size) - 1 && memcmp(key->bytes, name, size) == 0;
    return is_known ? key->field : CM_FIELD_COUNT_MAX;
}

/* The same where CM_KEY_BYTES may be read from the name on. */
static inline size_t sink_field_padded(const json_sink *sink, const char *name, size_t size)
{
    if (size < 4 || size > CM_KEY_NAME_MAX)
        return cm_layout_field(sink->layout, name, size);
    const cm_key *key = sink_key(sink, name, size);
    bool is_known =
        key->name_bits == (2u << size) - 1 && cm_key_is_at(key, key->name_bits >> 1, name);
    return is_known ? key->field : CM_FIELD_COUNT_MAX;
}

static inline void sink_put_text(json_sink *sink, size_t field, const char *text, size_t size)
{
    if (field == CM_FIELD_COUNT_MAX)
        return;
    sink->values[field].kind = CM_VALUE_TEXT;
    sink->values[field].text = cm_slice_of(text, size);
    if (field == CM_EVENT_KIND && size == 10 && memcmp(text, "conversion", 10) == 0)
        sink->layout = &sink->layouts.of[CM_ROW_CONVERSION];
}

/* A number, as whatever the parser makes of it. */
static inline void sink_put_number(json_sink *sink, size_t field, cm_slice text, int64_t integer)
{
    if (field == CM_FIELD_COUNT_MAX)
        return;
    sink->values[field].kind = CM_VALUE_NUMBER;
    sink->values[field].text = text;
    sink->values[field].integer = integer;
}

static inline void sink_put_boolean(json_sink *sink, size_t field, bool is_true)
{
    if (field == CM_FIELD_COUNT_MAX)
        return;
    sink->values[field].kind = CM_VALUE_BOOLEAN;
    sink->values[field].integer = is_true;
}

/* CM_VALUE_MISSING for null, CM_VALUE_WRONG for an object or array. */
static inline void sink_put_kind(json_sink *sink, size_t field, cm_value_kind kind)
{
    if (field < CM_FIELD_COUNT_MAX)
        sink->values[field].kind = kind;
}

#endif
