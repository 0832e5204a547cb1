/*
 * CSV, and which of CSV and NDJSON an input is. The first byte chooses the kind of row, whether a
 * good header stands before the others, and how they are cut. Rows that are good are written, and
 * must be the same when they are read again.
 */
#include "fuzz/fuzz.h"
#include "fuzz/rows.h"
#include "io/text_writer.h"

#define KINDS 4

typedef struct writing {
    cm_buffer rows, values;
    size_t count;
} writing;

/* The values alone, for what is read again from another place. */
static void note_values(void *context, const cm_layout *layout, const char *block,
                        const cm_row *row)
{
    writing *w = context;
    (void)block;
    if (row->malformed != NULL)
        return;
    for (size_t field = 0; field < layout->field_count; field++) {
        const cm_value *value = &row->values[field];
        bool is_text = value->kind == CM_VALUE_TEXT;
        cm_slice text = is_text ? value->text : cm_slice_of(NULL, 0);
        if (layout->format == CM_FORMAT_CSV)
            FUZZ_CHECK(is_text || value->kind == CM_VALUE_MISSING);
        cm_buffer_append_char(&w->rows, field == 0 ? '\n' : ',');
        cm_csv_append(&w->rows, text);
        cm_buffer_append_slice(&w->values, text);
        cm_buffer_append_char(&w->values, field + 1 < layout->field_count ? '|' : '\n');
    }
    w->count++;
}

static void append_header(cm_row_kind kind, cm_buffer *text)
{
    for (size_t field = 0; field < cm_field_count(kind); field++) {
        cm_buffer_append_text(text, field == 0 ? "" : ",");
        cm_buffer_append_text(text, cm_field_name(kind, field));
    }
}

static void try_written(const writing *wanted, cm_row_kind kind)
{
    writing again = {{0}, {0}, 0};
    cm_buffer text = {0}, said = {0};
    fuzz_reading how = {
        .kind = kind, .piece_bytes = SIZE_MAX, .visit = note_values, .context = &again};
    append_header(kind, &text);
    cm_buffer_append(&text, wanted->rows.data, wanted->rows.size);
    FUZZ_CHECK(fuzz_rows_read(cm_slice_of(text.data, text.size), &how, &said) == CM_OK);
    FUZZ_CHECK(again.count == wanted->count);
    FUZZ_CHECK(cm_slice_equal(cm_slice_of(again.values.data, again.values.size),
                              cm_slice_of(wanted->values.data, wanted->values.size)));
    cm_buffer_destroy(&again.rows);
    cm_buffer_destroy(&again.values);
    cm_buffer_destroy(&text);
    cm_buffer_destroy(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    unsigned choice = fuzz_choice(&bytes, &size);
    cm_row_kind kind = (cm_row_kind)(choice % KINDS);
    cm_buffer text = {0}, said = {0};
    writing good = {{0}, {0}, 0};
    if ((choice & KINDS) != 0) {
        for (size_t field = 0; field < CM_FIELD_REQUIRED_COUNT; field++) {
            cm_buffer_append_text(&text, cm_field_name(kind, field));
            cm_buffer_append_text(&text, field + 1 < CM_FIELD_REQUIRED_COUNT ? "," : "\n");
        }
    }
    cm_buffer_append(&text, (const char *)bytes, size);
    fuzz_reading how = {
        .kind = kind, .piece_bytes = SIZE_MAX, .visit = note_values, .context = &good};
    cm_status status = fuzz_rows_try(cm_slice_of(text.data, text.size), &how, choice, &said);
    FUZZ_CHECK(status == CM_OK || status == CM_ERROR_FORMAT);
    if (good.count > 0)
        try_written(&good, kind);
    cm_buffer_destroy(&good.rows);
    cm_buffer_destroy(&good.values);
    cm_buffer_destroy(&text);
    cm_buffer_destroy(&said);
    return 0;
}
