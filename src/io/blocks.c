#include "io/blocks.h"

#include <stdlib.h>

#include "io/scan.h"
#include "util/error.h"

#define READ_BYTES_MIN ((size_t)64 * 1024)
#define HEAD_BYTES_MAX (2 * (CM_ROW_BYTES_MAX + 1)) /* blank lines and a header */

void cm_block_destroy(cm_block *block)
{
    free(block->data);
    *block = (cm_block){0};
}

/* Make an array of bytes at least that large, keeping what is in it. */
static cm_status make_room(char **data, size_t *capacity, size_t bytes, cm_error *error)
{
    if (*capacity >= bytes)
        return CM_OK;
    char *moved = realloc(*data, bytes);
    if (moved == NULL)
        return cm_error_memory(error, "a block of input", bytes);
    *data = moved;
    *capacity = bytes;
    return CM_OK;
}

static cm_status read_some(cm_block_reader *reader, char *data, size_t capacity, size_t *size,
                           cm_error *error)
{
    size_t got = 0;
    cm_source *source = reader->source;
    cm_status status = source->read(source->context, data + *size, capacity - *size, &got, error);
    *size += got;
    reader->ended = status == CM_OK && got == 0;
    return status;
}

/* Read until the layout can be told. */
static cm_status read_head(cm_block_reader *reader, cm_error *error)
{
    cm_status status = CM_OK;
    while (status == CM_OK && !reader->ended && reader->rest_size < HEAD_BYTES_MAX &&
           !cm_layout_is_ready(reader->rest, reader->rest_size)) {
        if (reader->rest_size == reader->rest_capacity)
            status = make_room(&reader->rest, &reader->rest_capacity,
                               reader->rest_size + READ_BYTES_MIN, error);
        if (status == CM_OK)
            status =
                read_some(reader, reader->rest, reader->rest_capacity, &reader->rest_size, error);
    }
    return status;
}

static uint64_t count_lines(const char *bytes, size_t size)
{
    uint64_t lines = 0;
    for (size_t at = 0; (at = cm_scan_byte(bytes, at, size, '\n')) < size; at++)
        lines++;
    return lines;
}

/* Forget bytes at the front of the rest. */
static void drop_rest(cm_block_reader *reader, size_t bytes)
{
    if (bytes == 0)
        return;
    reader->rest_size -= bytes;
    memmove(reader->rest, reader->rest + bytes, reader->rest_size);
}

static cm_status open_layout(cm_block_reader *reader, cm_row_kind kind, cm_error *error)
{
    size_t skip = 0;
    cm_error cause = {0};
    cm_status status =
        cm_layout_read(kind, reader->rest, reader->rest_size, &reader->layout, &skip, &cause);
    if (status != CM_OK)
        return cm_error_set_at(error, status, cause.line, cause.byte, "%s: %.400s",
                               reader->source->name, cause.message);
    reader->first_line = 1 + count_lines(reader->rest, skip);
    reader->offset = skip;
    drop_rest(reader, skip);
    cm_cutter_init(&reader->cutter, reader->layout.format);
    return CM_OK;
}

cm_status cm_block_reader_open(cm_source *source, cm_row_kind kind, const cm_block_options *options,
                               cm_block_reader *reader, cm_error *error)
{
    *reader = (cm_block_reader){.source = source};
    if (options != NULL)
        reader->options = *options;
    if (reader->options.block_bytes == 0)
        reader->options.block_bytes = CM_BLOCK_BYTES;
    if (reader->options.is_ndjson) {
        cm_layout_ndjson(kind, &reader->layout);
        cm_cutter_init(&reader->cutter, CM_FORMAT_NDJSON);
        reader->first_line = 1;
        return CM_OK;
    }
    cm_status status = read_head(reader, error);
    if (status == CM_OK)
        status = open_layout(reader, kind, error);
    if (status != CM_OK)
        cm_block_reader_close(reader);
    return status;
}

void cm_block_reader_close(cm_block_reader *reader)
{
    cm_layout_destroy(&reader->layout);
    free(reader->rest);
    *reader = (cm_block_reader){0};
}

/* Begin a block with what is left of the last. */
static cm_status begin(cm_block_reader *reader, cm_block *block, cm_error *error)
{
    size_t bytes = reader->options.block_bytes;
    if (bytes < reader->rest_size)
        bytes = reader->rest_size;
    block->size = 0;
    block->lines_skipped = 0;
    block->offset = reader->offset;
    cm_status status = make_room(&block->data, &block->capacity, bytes, error);
    if (status != CM_OK)
        return status;
    if (reader->rest_size > 0)
        memcpy(block->data, reader->rest, reader->rest_size);
    block->size = reader->rest_size;
    reader->rest_size = 0;
    return CM_OK;
}

/* Fill a block until it can be cut. border 0: nothing, or the start of a row too long for any
 * block. */
static cm_status fill(cm_block_reader *reader, cm_block *block, size_t *border, cm_error *error)
{
    for (;;) {
        *border = 0;
        bool is_full = block->size >= reader->options.block_bytes;
        if (is_full || reader->ended || reader->options.eager) {
            *border = cm_cutter_border(&reader->cutter, block->data, block->size);
            if (*border > 0 || block->size > CM_ROW_BYTES_MAX || reader->ended)
                return CM_OK;
        }
        size_t capacity = block->capacity;
        if (capacity == block->size)
            capacity = capacity * 2 < CM_ROW_BYTES_MAX ? capacity * 2 : CM_ROW_BYTES_MAX + 1;
        cm_status status = make_room(&block->data, &block->capacity, capacity, error);
        if (status == CM_OK)
            status = read_some(reader, block->data, block->capacity, &block->size, error);
        if (status != CM_OK)
            return status;
    }
}

/* Keep what lies behind the border for the next block. */
static cm_status cut(cm_block_reader *reader, cm_block *block, size_t border, cm_error *error)
{
    size_t rest = block->size - border;
    cm_status status = make_room(&reader->rest, &reader->rest_capacity, rest, error);
    if (status != CM_OK)
        return status;
    if (rest > 0)
        memcpy(reader->rest, block->data + border, rest);
    reader->rest_size = rest;
    reader->offset += border;
    block->size = border;
    if (reader->ended)
        cm_cutter_init(&reader->cutter, reader->layout.format);
    else
        cm_cutter_take(&reader->cutter);
    return CM_OK;
}

/* Keep the start of a row without an end in sight, and skip to that end. */
static cm_status skip_row(cm_block_reader *reader, cm_block *block, cm_error *error)
{
    cm_status status = make_room(&reader->rest, &reader->rest_capacity, READ_BYTES_MIN, error);
    size_t size = 0, line_end = 0;
    reader->offset += block->size;
    block->size = CM_ROW_BYTES_MAX + 1;
    while (status == CM_OK && !reader->ended && line_end == size) {
        reader->offset += size;
        size = 0;
        status = read_some(reader, reader->rest, reader->rest_capacity, &size, error);
        line_end = cm_scan_byte(reader->rest, 0, size, '\n');
    }
    if (line_end < size) {
        block->lines_skipped = 1;
        reader->offset += line_end + 1;
        reader->rest_size = size;
        drop_rest(reader, line_end + 1);
    }
    cm_cutter_init(&reader->cutter, reader->layout.format);
    return status;
}

cm_status cm_block_reader_next(cm_block_reader *reader, cm_block *block, cm_error *error)
{
    size_t border = 0;
    cm_status status = begin(reader, block, error);
    if (status == CM_OK)
        status = fill(reader, block, &border, error);
    if (status == CM_OK && border == 0 && block->size > CM_ROW_BYTES_MAX)
        return skip_row(reader, block, error);
    if (status == CM_OK)
        status = cut(reader, block, reader->ended ? block->size : border, error);
    return status;
}
