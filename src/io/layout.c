#include <stdlib.h>

#include "io/rows.h"
#include "io/scan.h"
#include "util/check.h"
#include "util/error.h"
#include "util/grow.h"

#define FOUND_BYTES_MAX ((size_t)320)           /* of the names that a message lists */
#define FOUND_BYTES_ROOM (FOUND_BYTES_MAX + 16) /* and ", ..." */

/* A place in the head of an input. */
typedef struct place {
    const char *head;
    size_t size, at;
    uint64_t line;
} place;

void cm_layout_add_name(cm_layout *layout, size_t field, cm_slice name)
{
    CM_CHECK(name.size <= CM_KEY_NAME_MAX);
    cm_key key = cm_key_of(name.data, name.size, field);
    cm_key *slot = &layout->keys[cm_key_slot(key.bytes, name.size)];
    CM_CHECK(slot->field == UINT32_MAX); /* another name's? choose the slots anew */
    *slot = key;
    layout->names[field] = name;
    if (layout->field_count <= field)
        layout->field_count = field + 1;
}

void cm_layout_ndjson(cm_row_kind kind, cm_layout *layout)
{
    *layout = (cm_layout){.format = CM_FORMAT_NDJSON, .kind = kind};
    memset(layout->keys, 0xFF, sizeof layout->keys);
    for (size_t field = 0; field < cm_field_count(kind); field++)
        cm_layout_add_name(layout, field, cm_slice_of_text(cm_field_name(kind, field)));
}

size_t cm_layout_field(const cm_layout *layout, const char *name, size_t size)
{
    char room[8];
    const char *first = name;
    if (size > CM_KEY_NAME_MAX)
        return CM_FIELD_COUNT_MAX;
    if (size < 4) {
        memcpy(room, name, size);
        memcpy(room + size, "\":\"", 4);
        first = room;
    }
    const cm_key *key = &layout->keys[cm_key_slot(first, size)];
    bool is_known = key->name_bits == (2u << size) - 1 && memcmp(key->bytes, name, size) == 0;
    return is_known ? key->field : CM_FIELD_COUNT_MAX;
}

void cm_layout_destroy(cm_layout *layout)
{
    free(layout->fields);
    layout->fields = NULL;
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Pass blank lines, and white space at the start of a line; returns where that line begins. */
static size_t skip_blank(place *p)
{
    size_t line_start = p->at;
    for (; p->at < p->size && is_space(p->head[p->at]); p->at++) {
        if (p->head[p->at] == '\n') {
            line_start = p->at + 1;
            p->line++;
        }
    }
    return line_start;
}

/* The next name of a header line that ends at `end`; steps to the separator behind it. */
static cm_slice next_name(const char *head, size_t *at, size_t end)
{
    size_t start = *at;
    if (start == end || head[start] != '"') {
        *at = cm_scan_byte(head, start, end, ',');
        return cm_slice_of(head + start, *at - start);
    }
    /* A name with quotes in it is none of ours: it may stay as it is. */
    size_t close = cm_scan_byte(head, start + 1, end, '"');
    while (close + 1 < end && head[close + 1] == '"')
        close = cm_scan_byte(head, close + 2, end, '"');
    *at = close + 1;
    return cm_slice_of(head + start + 1, close - start - 1);
}

static cm_status add_column(cm_layout *layout, size_t *capacity, cm_slice name, const place *p,
                            cm_error *error)
{
    int16_t *fields =
        cm_grow(layout->fields, capacity, layout->column_count + 1, sizeof *layout->fields);
    if (fields == NULL)
        return cm_error_memory(error, "columns", layout->column_count * sizeof *fields);
    layout->fields = fields;
    size_t field = cm_layout_field(layout, name.data, name.size);
    if (field == CM_FIELD_COUNT_MAX) {
        fields[layout->column_count++] = -1;
        return CM_OK;
    }
    for (size_t i = 0; i < layout->column_count; i++)
        if (fields[i] == (int16_t)field)
            return cm_error_set_at(error, CM_ERROR_FORMAT, p->line, p->at,
                                   "column %s is there twice (columns %zu and %zu); remove one",
                                   layout->names[field].data, i + 1, layout->column_count + 1);
    fields[layout->column_count++] = (int16_t)field;
    return CM_OK;
}

static bool has_field(const cm_layout *layout, size_t field)
{
    for (size_t i = 0; i < layout->column_count; i++)
        if (layout->fields[i] == (int16_t)field)
            return true;
    return false;
}

static void list_absent(cm_layout *layout)
{
    for (size_t field = 0; field < layout->field_count; field++)
        if (!has_field(layout, field))
            layout->absent[layout->absent_count++] = (uint8_t)field;
}

/* The names in a header line as one line of text for a message. */
static void list_names(const char *head, size_t at, size_t end, char text[FOUND_BYTES_ROOM])
{
    size_t size = 0;
    for (size_t column = 0; at <= end; column++, at++) {
        cm_slice name = next_name(head, &at, end);
        if (column > 0) {
            memcpy(text + size, ", ", 2);
            size += 2;
        }
        if (size + name.size > FOUND_BYTES_MAX) {
            memcpy(text + size, "...", 3);
            size += 3;
            break;
        }
        for (size_t i = 0; i < name.size; i++) {
            unsigned char byte = (unsigned char)name.data[i];
            text[size++] = byte < ' ' || byte == 0x7F ? '?' : (char)byte;
        }
    }
    text[size] = '\0';
}

static cm_status check_required(const cm_layout *layout, const place *p, size_t end,
                                cm_error *error)
{
    char missing[128] = "";
    size_t size = 0, count = 0;
    for (size_t field = 0; field < CM_FIELD_REQUIRED_COUNT; field++) {
        if (has_field(layout, field))
            continue;
        cm_slice name = layout->names[field];
        if (count++ > 0) {
            memcpy(missing + size, ", ", 2);
            size += 2;
        }
        memcpy(missing + size, name.data, name.size + 1);
        size += name.size;
    }
    if (count == 0)
        return CM_OK;
    char found[FOUND_BYTES_ROOM];
    list_names(p->head, p->at, end, found);
    return cm_error_set_at(error, CM_ERROR_FORMAT, p->line, p->at,
                           "required column%s missing: %s; found: %s", count > 1 ? "s" : "",
                           missing, found);
}

/* The header line, which begins at p->at. */
static cm_status read_header(const place *p, cm_layout *layout, size_t *skip, cm_error *error)
{
    cm_csv_walk walk = {.row = p->at, .at = p->at};
    size_t end, capacity = 0;
    if (cm_csv_walk_row(&walk, p->head, p->size, true, &end) != CM_CSV_END_GOOD)
        return cm_error_set_at(error, CM_ERROR_FORMAT, p->line, p->at,
                               "the CSV header is longer than %zu bytes or its quotes do not fit; "
                               "give the column names, separated by commas",
                               CM_ROW_BYTES_MAX);
    *skip = end + (end < p->size);
    if (end < p->size && end > p->at && p->head[end - 1] == '\r')
        end--;
    place column = *p;
    for (; column.at <= end; column.at++) {
        size_t next = column.at;
        cm_slice name = next_name(p->head, &next, end);
        cm_status status = add_column(layout, &capacity, name, &column, error);
        if (status != CM_OK)
            return status;
        column.at = next;
    }
    list_absent(layout);
    return check_required(layout, p, end, error);
}

/* At the input's first byte, after a byte-order mark. */
static place begin(const char *head, size_t size)
{
    bool has_mark = size >= 3 && memcmp(head, "\xEF\xBB\xBF", 3) == 0;
    return (place){head, size, has_mark ? 3 : 0, 1};
}

bool cm_layout_is_ready(const char *head, size_t size)
{
    place p = begin(head, size);
    size_t line_start = skip_blank(&p), end;
    if (p.at == size)
        return false;
    cm_csv_walk walk = {.row = line_start, .at = line_start};
    return head[p.at] == '{' || head[p.at] == '[' ||
           cm_csv_walk_row(&walk, head, size, false, &end) != CM_CSV_END_UNKNOWN;
}

cm_status cm_layout_read(cm_row_kind kind, const char *head, size_t size, cm_layout *layout,
                         size_t *skip, cm_error *error)
{
    place p = begin(head, size);
    *skip = p.at;
    cm_layout_ndjson(kind, layout);
    size_t line_start = skip_blank(&p);
    if (p.at == size)
        return cm_error_set_at(error, CM_ERROR_FORMAT, 1, 0,
                               "empty input; give a CSV header or NDJSON rows");
    if (head[p.at] == '{')
        return CM_OK;
    if (head[p.at] == '[')
        return cm_error_set_at(error, CM_ERROR_FORMAT, p.line, p.at,
                               "a JSON array; give one JSON object per line (NDJSON) or CSV");
    layout->format = CM_FORMAT_CSV;
    p.at = line_start;
    cm_status status = read_header(&p, layout, skip, error);
    if (status != CM_OK)
        cm_layout_destroy(layout);
    return status;
}
