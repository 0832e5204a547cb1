#include "fuzz/rows.h"

#include "fuzz/fuzz.h"
#include "fuzz/pieces.h"
#include "model/build.h"

#define WHOLE_BYTES                                                                                \
    ((size_t)16 << 10) /* a block that most inputs fit; the usual one is slow here */

static void say_number(cm_buffer *said, uint64_t number)
{
    cm_buffer_append_u64(said, number);
    cm_buffer_append_char(said, ' ');
}

static void say_value(cm_buffer *said, const cm_row *row, size_t field, uint64_t offset)
{
    const cm_value *value = &row->values[field];
    if (value->kind == CM_VALUE_MISSING)
        return;
    say_number(said, field);
    say_number(said, value->kind);
    say_number(said, offset + row->value_bytes[field]);
    if (value->kind == CM_VALUE_BOOLEAN)
        say_number(said, (uint64_t)value->integer);
    if (value->kind == CM_VALUE_TEXT || value->kind == CM_VALUE_NUMBER)
        cm_buffer_append_slice(said, value->text);
    cm_buffer_append_char(said, '|');
}

static void say_row(cm_buffer *said, const cm_layout *layout, const cm_row *row, uint64_t line,
                    uint64_t offset)
{
    say_number(said, line + row->line);
    say_number(said, offset + row->start);
    say_number(said, offset + row->end);
    if (row->malformed != NULL) {
        say_number(said, offset + row->byte);
        cm_buffer_append_text(said, row->malformed);
    }
    for (size_t field = 0; field < layout->field_count && row->malformed == NULL; field++)
        say_value(said, row, field, offset);
    cm_buffer_append_char(said, '\n');
}

/* A block without the bytes behind its end, so that sanitizers see any step beyond. */
static void read_block(const cm_block *block, const fuzz_reading *how, const cm_layout *layout,
                       uint64_t *line, cm_buffer *said)
{
    cm_arena arena = {0};
    cm_row_reader reader;
    cm_row row;
    char *exact = malloc(block->size);
    FUZZ_CHECK(exact != NULL);
    memcpy(exact, block->data, block->size);
    cm_row_reader_init(&reader, layout, exact, block->size, &arena);
    if (how->kernel != NULL)
        reader.kernel = how->kernel;
    while (cm_row_reader_next(&reader, &row)) {
        FUZZ_CHECK(row.start <= row.end && row.end <= block->size && row.byte <= block->size);
        say_row(said, layout, &row, *line, block->offset);
        if (how->visit != NULL)
            how->visit(how->context, layout, exact, &row);
    }
    FUZZ_CHECK(!reader.out_of_memory && cm_arena_memory(&arena) <= 2 * block->size + 65536);
    *line += reader.line + block->lines_skipped;
    cm_arena_destroy(&arena);
    free(exact);
}

cm_status fuzz_rows_read(cm_slice bytes, const fuzz_reading *how, cm_buffer *said)
{
    fuzz_pieces p = {bytes, how->piece_bytes};
    cm_source source = {&p, "pieces", fuzz_pieces_read, NULL};
    cm_block_reader blocks;
    cm_block block = {0};
    cm_error error = {0};
    cm_block_options options = how->options;
    if (options.block_bytes == 0)
        options.block_bytes = WHOLE_BYTES;
    cm_status status = cm_block_reader_open(&source, how->kind, &options, &blocks, &error);
    if (status != CM_OK) {
        cm_buffer_append_text(said, error.message);
        return status;
    }
    if (how->kernel != NULL)
        blocks.cutter.kernel = how->kernel;
    uint64_t line = blocks.first_line;
    for (;;) {
        FUZZ_CHECK(cm_block_reader_next(&blocks, &block, &error) == CM_OK);
        if (block.size == 0)
            break;
        FUZZ_CHECK(block.capacity <= 8 * CM_ROW_BYTES_MAX);
        read_block(&block, how, &blocks.layout, &line, said);
    }
    cm_block_destroy(&block);
    cm_block_reader_close(&blocks);
    FUZZ_CHECK(!said->failed);
    return CM_OK;
}

static void expect_same(cm_slice bytes, const fuzz_reading *how, cm_status status,
                        const cm_buffer *wanted)
{
    cm_buffer said = {0};
    FUZZ_CHECK(fuzz_rows_read(bytes, how, &said) == status);
    cm_slice got = cm_slice_of(said.data, said.size);
    FUZZ_CHECK(cm_slice_equal(got, cm_slice_of(wanted->data, wanted->size)));
    cm_buffer_destroy(&said);
}

cm_status fuzz_rows_try(cm_slice bytes, const fuzz_reading *how, unsigned choice, cm_buffer *said)
{
    fuzz_reading other = *how;
    cm_mark_level level = (cm_mark_level)(choice / 8 % CM_MARK_LEVEL_COUNT);
    other.visit = NULL;
    cm_status status = fuzz_rows_read(bytes, how, said);
    other.kernel = cm_mark_kernel_at(level);
    if (other.kernel != NULL)
        expect_same(bytes, &other, status, said);
    /* Blocks and pieces of some bytes. */
    other.kernel = cm_mark_kernel_at((cm_mark_level)(level ^ 1));
    other.options.block_bytes = 1 + choice * choice / 64;
    other.options.eager = (choice & 1) != 0;
    other.piece_bytes = 1 + choice / 4;
    expect_same(bytes, &other, status, said);
    return status;
}

void fuzz_rows_build(cm_row_kind kind, const cm_value *values, cm_arena *arena)
{
    cm_click click = {0};
    cm_conversion conversion = {0};
    cm_reject reject = {0};
    uint64_t counts[CM_FIELD_COUNT_MAX] = {0};
    for (int lenient = 0; lenient < 2; lenient++) {
        const cm_build_options options = {.lenient = lenient != 0};
        cm_status status =
            kind == CM_ROW_CLICK
                ? cm_click_build(values, &options, arena, counts, &click, &reject)
                : cm_conversion_build(values, &options, arena, counts, &conversion, &reject);
        if (status != CM_OK) {
            FUZZ_CHECK(status == CM_ERROR_FORMAT && reject.reason != NULL);
            FUZZ_CHECK(reject.field < cm_field_count(kind));
            FUZZ_CHECK(!options.lenient || reject.field < CM_FIELD_REQUIRED_COUNT);
            continue;
        }
        FUZZ_CHECK(kind == CM_ROW_CLICK ? cm_click_check(&click, &reject)
                                        : cm_conversion_check(&conversion, &reject));
    }
}
