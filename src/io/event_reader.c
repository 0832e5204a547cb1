#include "io/event_reader.h"

#include "io/codec.h"
#include "util/text.h"

_Static_assert((int)CM_CLICK_FIELD_COUNT <= (int)CM_EVENT_KIND, "values do not overlap");
_Static_assert(CM_EVENT_CONVERSION_VALUE < CM_EVENT_KIND, "nor in conversions");

void cm_event_layouts_init(cm_event_layouts *layouts)
{
    for (int kind = CM_ROW_CLICK; kind <= CM_ROW_CONVERSION; kind++) {
        cm_layout *layout = &layouts->of[kind];
        cm_layout_ndjson((cm_row_kind)kind, layout);
        cm_layout_add_name(layout, CM_EVENT_KIND, CM_SLICE("event"));
        cm_layout_add_name(layout, CM_EVENT_SEQ, CM_SLICE("seq"));
    }
    cm_layout *conversions = &layouts->of[CM_ROW_CONVERSION];
    cm_layout_add_name(conversions, CM_EVENT_CONVERSION_TYPE, CM_SLICE("conversion_type"));
    cm_layout_add_name(conversions, CM_EVENT_CONVERSION_VALUE, CM_SLICE("conversion_value"));
}

void cm_event_reader_init(cm_event_reader *reader, const cm_event_layouts *layouts,
                          const char *block, size_t size, cm_arena *arena)
{
    reader->layouts = layouts;
    reader->kind = CM_ROW_CLICK;
    reader->out_of_memory = false;
    cm_row_reader_init(&reader->rows, &layouts->of[CM_ROW_CLICK], block, size, arena);
}

/* What most lines begin with. */
static void guess_kind(cm_event_reader *reader)
{
    static const char click[] = "{\"event\":\"cl", conversion[] = "{\"event\":\"co";
    const cm_row_reader *rows = &reader->rows;
    if (rows->size - rows->at < sizeof click)
        return;
    const char *line = rows->block + rows->at;
    if (memcmp(line, click, sizeof click - 1) == 0)
        reader->kind = CM_ROW_CLICK;
    else if (memcmp(line, conversion, sizeof conversion - 1) == 0)
        reader->kind = CM_ROW_CONVERSION;
}

/* Read a line as one of a kind. */
static bool read_as(cm_event_reader *reader, cm_row_kind kind, cm_row *row)
{
    reader->kind = kind;
    reader->rows.layout = &reader->layouts->of[kind];
    bool is_there = cm_ndjson_next(&reader->rows, row);
    reader->out_of_memory = reader->rows.out_of_memory;
    return is_there;
}

static void reject(cm_event *event, size_t field, const char *name, const char *reason)
{
    cm_row *row = &event->row;
    row->malformed = reason;
    if (row->values[field].kind != CM_VALUE_MISSING)
        row->byte = row->value_bytes[field];
    event->field = name;
}

/* What the line says it is. */
static bool find_kind(cm_event *event)
{
    const cm_value *value = &event->row.values[CM_EVENT_KIND];
    bool is_text = value->kind == CM_VALUE_TEXT;
    if (is_text && cm_slice_equal(value->text, CM_SLICE("click")))
        event->kind = CM_ROW_CLICK;
    else if (is_text && cm_slice_equal(value->text, CM_SLICE("conversion")))
        event->kind = CM_ROW_CONVERSION;
    else
        return false;
    return true;
}

/* Digits, the first of them not 0 unless it is alone, that fit 63 bits. */
static bool read_digits(cm_slice digits, uint64_t *number)
{
    uint64_t read = 0;
    if (digits.size > 19) /* of which 64 bits hold any */
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        unsigned char digit = (unsigned char)(digits.data[i] - '0');
        if (digit > 9)
            return false;
        read = read * 10 + digit;
    }
    *number = read;
    return read <= INT64_MAX;
}

/* A JSON number that is whole and fits 63 bits. */
static bool read_seq(const cm_value *value, uint64_t *seq)
{
    char room[CM_WHOLE_DIGITS_MAX + 1];
    cm_slice whole = value->text;
    if (value->kind != CM_VALUE_NUMBER)
        return false;
    if (read_digits(whole, seq))
        return true;
    return cm_whole_number(value->text, room, &whole) && read_digits(whole, seq);
}

static void find_seq(cm_event *event)
{
    const cm_value *value = &event->row.values[CM_EVENT_SEQ];
    event->has_seq = value->kind != CM_VALUE_MISSING;
    event->seq = 0;
    if (event->has_seq && !read_seq(value, &event->seq))
        reject(event, CM_EVENT_SEQ, "seq", "not a whole number from 0 to 9223372036854775807");
}

bool cm_event_reader_next(cm_event_reader *reader, cm_event *event)
{
    cm_row *row = &event->row;
    event->field = NULL;
    guess_kind(reader);
    if (!read_as(reader, reader->kind, row))
        return false;
    if (row->malformed != NULL)
        return true;
    if (!find_kind(event)) {
        reject(event, CM_EVENT_KIND, "event", "neither \"click\" nor \"conversion\"");
        return true;
    }
    if (event->kind != reader->kind) { /* the guess was wrong: the same line once more */
        cm_row_reader_return(&reader->rows, row);
        if (!read_as(reader, event->kind, row))
            return false;
    }
    find_seq(event);
    return true;
}
