#include "harness/stream_images.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

stream_images stream_images_of(const streams_run *run)
{
    const cm_seen_ids *seen = &run->stream->seen;
    stream_images made = {.clicks = images_encode_all(run->engine, 100), .ids_first = seen->first};
    cm_stream_image_write(run->stream, &made.state);
    assert_false(made.state.failed);
    made.ids = calloc((size_t)(seen->end - seen->first) + 1, sizeof *made.ids);
    assert_non_null(made.ids);
    for (uint64_t serial = seen->first; serial + 1 < seen->end; serial++) {
        const cm_buffer *texts = &cm_seen_ids_at(seen, serial)->texts;
        cm_buffer_append(&made.ids[made.ids_count++], texts->data, texts->size);
    }
    return made;
}

void stream_images_destroy(stream_images *made)
{
    for (size_t i = 0; i < made->ids_count; i++)
        cm_buffer_destroy(&made->ids[i]);
    free(made->ids);
    cm_buffer_destroy(&made->state);
    images_destroy(&made->clicks);
}

static cm_status read_ids(void *context, uint64_t serial, cm_buffer *texts, cm_error *error)
{
    const stream_images *from = context;
    if (serial < from->ids_first || serial - from->ids_first >= from->ids_count)
        return cm_error_set(error, CM_ERROR_FORMAT, "there are no such ids");
    const cm_buffer *ids = &from->ids[serial - from->ids_first];
    cm_buffer_append(texts, ids->data, ids->size);
    return CM_OK;
}

cm_status stream_images_read(streams_run *run, const stream_images *from, cm_slice state,
                             cm_error *error)
{
    const cm_ids_source source = {read_ids, (void *)(uintptr_t)from};
    return cm_stream_image_read(run->stream, state, &source, error);
}

void stream_images_load(streams_run *run, stream_images *from)
{
    assert_int_equal(images_load(run->engine, &from->clicks, 2, NULL), CM_OK);
}

void stream_images_restart(streams_run *run, const char *model_json)
{
    stream_images made = stream_images_of(run);
    streams_run other;
    streams_begin(&other, &run->stream->options.clock, model_json);
    cm_slice state = cm_slice_of(made.state.data, made.state.size);
    assert_int_equal(stream_images_read(&other, &made, state, NULL), CM_OK);
    stream_images_load(&other, &made);
    stream_images_destroy(&made);
    other.line = run->line;
    other.byte = run->byte;
    other.results_count = run->results_count;
    other.results = run->results;
    other.rejects = run->rejects;
    other.clicks = run->clicks;
    run->results = run->rejects = run->clicks = (cm_buffer){0};
    streams_end(run);
    *run = other;
    run->stream->listener.context = run;
}
