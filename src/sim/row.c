#include "sim/row.h"

#include <stdlib.h>

#include "sim/text.h"

static void put_byte(cm_sim_rows *rows, char byte)
{
    rows->data[rows->size++] = byte;
}

static void put_bytes(cm_sim_rows *rows, const char *bytes, size_t size)
{
    memcpy(rows->data + rows->size, bytes, size);
    rows->size += size;
}

bool cm_sim_row_begin(cm_sim_rows *rows, const char *event)
{
    if (rows->capacity - rows->size < CM_SIM_ROW_MAX) {
        size_t capacity = 2 * rows->capacity + 64 * CM_SIM_ROW_MAX;
        char *data = realloc(rows->data, capacity);
        if (data == NULL)
            return false;
        rows->data = data;
        rows->capacity = capacity;
    }
    rows->first = true;
    if (rows->format == CM_SIM_NDJSON) {
        put_byte(rows, '{');
        if (event != NULL)
            cm_sim_row_text(rows, "event", (cm_slice){event, strlen(event)});
    }
    return true;
}

static void put_name(cm_sim_rows *rows, const char *name)
{
    if (!rows->first)
        put_byte(rows, ',');
    rows->first = false;
    put_byte(rows, '"');
    put_bytes(rows, name, strlen(name));
    put_bytes(rows, "\":", 2);
}

static void put_csv(cm_sim_rows *rows, cm_slice value, bool quoted)
{
    if (!rows->first)
        put_byte(rows, ',');
    rows->first = false;
    if (quoted)
        put_byte(rows, '"');
    if (value.size > 0)
        put_bytes(rows, value.data, value.size);
    if (quoted)
        put_byte(rows, '"');
}

void cm_sim_row_text(cm_sim_rows *rows, const char *name, cm_slice value)
{
    if (rows->format == CM_SIM_CSV) {
        put_csv(rows, value, value.size > 0 && memchr(value.data, ',', value.size) != NULL);
    } else if (value.size > 0) {
        put_name(rows, name);
        put_byte(rows, '"');
        put_bytes(rows, value.data, value.size);
        put_byte(rows, '"');
    }
}

void cm_sim_row_bare(cm_sim_rows *rows, const char *name, cm_slice value)
{
    if (rows->format == CM_SIM_CSV) {
        put_csv(rows, value, false);
    } else if (value.size > 0) {
        put_name(rows, name);
        put_bytes(rows, value.data, value.size);
    }
}

void cm_sim_row_end(cm_sim_rows *rows)
{
    if (rows->format == CM_SIM_NDJSON)
        put_byte(rows, '}');
    put_byte(rows, '\n');
}
