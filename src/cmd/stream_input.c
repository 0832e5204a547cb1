#include "cmd/stream_input.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "cmd/clock.h"
#include "cmd/interrupt.h"
#include "io/unpack.h"
#include "util/error.h"

#define BLOCK_BYTES ((size_t)256 << 10)
#define PIPE_BYTES (1 << 20)
#define ENOUGH_BYTES ((size_t)64 << 10)
#define GATHER_NS UINT64_C(200000)

static cm_status interrupted(const cm_stream_input *input, cm_error *error)
{
    return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted while reading %.300s",
                        input->file.source.name);
}

static cm_status pause_reading(cm_stream_input *input, int *timeout_ms, cm_error *error)
{
    cm_status status = input->pause.wait(input->pause.context, timeout_ms, error);
    input->pause_failed = status != CM_OK;
    return status;
}

/* Events that come one after the other cost less together: where little came the last time, and
 * just now, what follows is given a moment to gather. One that comes alone is read at once. */
static cm_status gather(cm_stream_input *input, cm_error *error)
{
    uint64_t passed_ns = cm_clock_ns() - input->read_ns;
    int timeout_ms;
    if (input->got >= ENOUGH_BYTES || passed_ns >= GATHER_NS)
        return CM_OK;
    cm_status status = pause_reading(input, &timeout_ms, error);
    const struct timespec moment = {.tv_nsec = (long)(GATHER_NS - passed_ns)};
    (void)nanosleep(&moment, NULL);
    return status;
}

/* Read; where that would wait, the pause comes first. */
static cm_status read_when_ready(void *context, char *buffer, size_t size, size_t *got,
                                 cm_error *error)
{
    cm_stream_input *input = context;
    cm_source *file = &input->file.source;
    int timeout_ms = 0;
    *got = 0;
    cm_status status = gather(input, error);
    while (status == CM_OK && !cm_interrupt_wait_for(input->file.fd, timeout_ms)) {
        if (atomic_load(cm_interrupt_flag()))
            return interrupted(input, error);
        status = pause_reading(input, &timeout_ms, error);
    }
    if (status != CM_OK)
        return status;
    if (atomic_load(cm_interrupt_flag()))
        return interrupted(input, error);
    status = file->read(file->context, buffer, size, got, error);
    input->read_ns = cm_clock_ns();
    input->got = *got;
    return status;
}

cm_status cm_stream_input_open(const char *path, const cm_stream_pause *pause,
                               cm_stream_input *input, cm_error *error)
{
    const cm_block_options options = {.block_bytes = BLOCK_BYTES, .eager = true, .is_ndjson = true};
    memset(input, 0, sizeof *input);
    cm_status status = cm_input_open(path, &input->file, error);
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
    if (input->file.source.name == NULL)
        return;
    if (input->unpacked.context != NULL) {
        cm_block_destroy(&input->block);
        cm_block_reader_close(&input->reader);
        cm_unpack_destroy(&input->unpacked);
    }
    cm_input_close(&input->file);
    input->unpacked.context = NULL;
    input->file.source.name = NULL;
}
