#include "cmd/stream_input.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

#include "cmd/clock.h"
#include "cmd/interrupt.h"
#include "io/unpack.h"
#include "util/error.h"

#define BLOCK_BYTES ((size_t)256 << 10)
#define PIPE_BYTES (1 << 20)

static cm_status interrupted(const cm_stream_input *input, cm_error *error)
{
    return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted while reading %.300s",
                        input->file.source.name);
}

/* Read; where that would wait, the pause comes first. */
static cm_status read_when_ready(void *context, char *buffer, size_t size, size_t *got,
                                 cm_error *error)
{
    cm_stream_input *input = context;
    cm_source *file = &input->file.source;
    *got = 0;
    int timeout_ms = 0;
    while (!cm_interrupt_wait_for(input->file.fd, timeout_ms)) {
        if (atomic_load(cm_interrupt_flag()))
            return interrupted(input, error);
        cm_status status = input->pause.wait(input->pause.context, &timeout_ms, error);
        if (status != CM_OK) {
            input->pause_failed = true;
            return status;
        }
    }
    if (atomic_load(cm_interrupt_flag()))
        return interrupted(input, error);
    cm_status status = file->read(file->context, buffer, size, got, error);
    input->read_ns = cm_clock_ns();
    return status;
}

cm_status cm_stream_input_open(const char *path, const cm_stream_pause *pause,
                               cm_stream_input *input, cm_error *error)
{
    const cm_block_options options = {.block_bytes = BLOCK_BYTES, .eager = true, .is_ndjson = true};
    memset(input, 0, sizeof *input);
    cm_status status = cm_input_open(path, &input->file, error);
    if (status == CM_ERROR_IO && atomic_load(cm_interrupt_flag()))
        return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted while opening %.300s", path);
    if (status != CM_OK)
        return status;
    (void)fcntl(input->file.fd, F_SETPIPE_SZ, PIPE_BYTES); /* of a pipe; else it fails */
    input->pause = *pause;
    input->guarded = (cm_source){input, input->file.source.name, read_when_ready, NULL};
    status = cm_unpack_create(&input->guarded, &input->unpacked, error);
    if (status == CM_OK)
        status =
            cm_block_reader_open(&input->unpacked, CM_ROW_CLICK, &options, &input->reader, error);
    if (status != CM_OK)
        cm_stream_input_close(input);
    input->line = 1;
    return status;
}

/* A byte-order mark at the start is no part of the first line. */
static void drop_mark(cm_block *block)
{
    if (block->offset > 0 || block->size < 3 || memcmp(block->data, "\xEF\xBB\xBF", 3) != 0)
        return;
    block->size -= 3;
    block->offset += 3;
    memmove(block->data, block->data + 3, block->size);
}

cm_status cm_stream_input_next(cm_stream_input *input, cm_error *error)
{
    input->line += input->block.lines_skipped;
    cm_status status = cm_block_reader_next(&input->reader, &input->block, error);
    if (status == CM_OK)
        drop_mark(&input->block);
    return status;
}

void cm_stream_input_close(cm_stream_input *input)
{
    if (input->unpacked.context == NULL)
        return;
    cm_block_destroy(&input->block);
    cm_block_reader_close(&input->reader);
    cm_unpack_destroy(&input->unpacked);
    cm_input_close(&input->file);
    input->unpacked.context = NULL;
}
