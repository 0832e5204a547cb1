/* A checkpoint brought back. */
#include <stdlib.h>
#include <string.h>

#include "cmd/clock.h"
#include "cmd/progress.h"
#include "cmd/stream_checkpoint.h"
#include "cmd/stream_manifest.h"
#include "index/segment_load.h"
#include "stream/stream_image.h"
#include "util/error.h"

typedef struct restoring {
    cm_parts *parts;
    cm_stream_manifest manifest;
} restoring;

static cm_status read_part(const restoring *r, const char *kind, uint64_t number, cm_buffer *bytes,
                           cm_error *error)
{
    char name[CM_PART_NAME_MAX + 1];
    return cm_parts_read(r->parts, cm_part_name_of(kind, number, name), bytes, error);
}

static cm_status read_segment(void *context, size_t number, cm_buffer *bytes,
                              cm_segment_image *image, cm_error *error)
{
    const restoring *r = context;
    const cm_wanted_segment *segment = &r->manifest.segments[number];
    image->name = "a segment of clicks";
    image->place = segment->place;
    image->unlisted = segment->unlisted;
    return read_part(r, "clicks", segment->part, bytes, error);
}

static cm_status read_ids(void *context, uint64_t serial, cm_buffer *texts, cm_error *error)
{
    return read_part(context, "ids", serial, texts, error);
}

static cm_status load(restoring *r, cm_stream *stream, unsigned threads, cm_error *error)
{
    const cm_ids_source ids = {read_ids, r};
    const cm_segment_source segments = {r, r->manifest.segment_count, read_segment};
    cm_buffer state = {0};
    cm_status status = read_part(r, "state", r->manifest.state_part, &state, error);
    if (status == CM_OK)
        status = cm_stream_image_read(stream, cm_slice_of(state.data, state.size), &ids, error);
    cm_buffer_destroy(&state);
    if (status == CM_OK)
        status = cm_segments_load(&stream->engine->index, &segments, threads, error);
    return status;
}

/* What was read need not be written again. */
static cm_status remember(cm_stream_checkpoint *c, const cm_stream_manifest *manifest,
                          cm_error *error)
{
    const cm_click_store *store = &c->stream->engine->index.catalog.store;
    c->saved = calloc(store->segment_count + 1, sizeof *c->saved);
    if (c->saved == NULL)
        return cm_error_memory(error, "a checkpoint", store->segment_count * sizeof *c->saved);
    c->saved_capacity = store->segment_count + 1;
    for (size_t i = 0; i < manifest->segment_count; i++) {
        const cm_wanted_segment *segment = &manifest->segments[i];
        c->saved[segment->place] = (cm_saved_segment){
            segment->part, store->segments[segment->place]->generation, segment->count};
    }
    c->next_part = manifest->next_part;
    c->events = manifest->events;
    return CM_OK;
}

static void tell(const cm_stream_checkpoint *c, const char *path, const cm_stream *stream,
                 double seconds)
{
    char clicks[CM_COUNT_BYTES];
    cm_count_text(cm_engine_click_count(stream->engine), clicks);
    if (stream->events == 0)
        cm_log_info(c->log, "%.200s: %s clicks in %.2f s; no event yet, resume from the first",
                    path, clicks, seconds);
    else if (stream->last.has_seq)
        cm_log_info(c->log, "%.200s: %s clicks in %.2f s; resume from seq %llu", path, clicks,
                    seconds, (unsigned long long)stream->last.seq + 1);
    else
        cm_log_info(c->log,
                    "%.200s: %s clicks in %.2f s; the events had no seq: what comes twice is found "
                    "by its ids",
                    path, clicks, seconds);
}

/* Events without seq do not come again: what was said of them stays. */
static cm_status cut_back(const cm_stream_checkpoint *c, const cm_stream_manifest *manifest,
                          cm_error *error)
{
    if (!manifest->has_seq && manifest->events > 0)
        return CM_OK;
    return cm_output_cut_back(c->rejects, &manifest->rejects, error);
}

static cm_status restore(cm_stream_checkpoint *c, const char *path, cm_slice bytes,
                         unsigned threads, cm_error *error)
{
    double began = cm_clock_seconds();
    restoring r = {.parts = c->parts};
    cm_stream *stream = c->stream;
    cm_status status = cm_stream_manifest_read(bytes, &r.manifest, error);
    if (status == CM_OK)
        status = load(&r, stream, threads, error);
    if (status == CM_OK)
        status = remember(c, &r.manifest, error);
    if (status == CM_OK)
        status = cut_back(c, &r.manifest, error);
    free(r.manifest.segments);
    if (status != CM_OK)
        return status;
    stream->options.has_resume = stream->last.has_seq;
    stream->options.resume_seq = stream->last.seq;
    tell(c, path, stream, cm_clock_seconds() - began);
    return CM_OK;
}

bool cm_stream_checkpoint_exists(const cm_settings *settings)
{
    const char *path = cm_settings_text(settings, CM_OPTION_CHECKPOINT);
    return path != NULL && cm_parts_exist(path);
}

cm_status cm_stream_checkpoint_open(cm_stream_checkpoint *c, const cm_settings *settings,
                                    cm_log *log, cm_stream *stream, cm_stream_sink *sink,
                                    cm_output *rejects, unsigned threads, bool *resumed,
                                    cm_error *error)
{
    const char *path = cm_settings_text(settings, CM_OPTION_CHECKPOINT);
    cm_slice manifest;
    cm_error cause = {0};
    *resumed = false;
    *c = (cm_stream_checkpoint){
        .log = log,
        .stream = stream,
        .sink = sink,
        .rejects = rejects,
        .next_part = 1,
        .interval_ns = cm_settings_number(settings, CM_OPTION_CHECKPOINT_INTERVAL) * 1000,
        .begun_ns = cm_clock_ns(),
    };
    if (path == NULL)
        return CM_OK;
    stream->keeper.give_up = cm_stream_checkpoint_hurry;
    stream->keeper.context = c;
    cm_status status = cm_parts_open(path, "--checkpoint", &c->parts, error);
    if (status == CM_OK)
        status = cm_segment_encoder_warm_up(&c->encoder, stream->engine->model, error);
    if (status != CM_OK || cm_parts_found(c->parts, &manifest) == 0)
        return status;
    *resumed = true;
    status = restore(c, path, manifest, threads, &cause);
    bool says_where = strncmp(cause.message, path, strlen(path)) == 0;
    if ((status == CM_ERROR_FORMAT || status == CM_ERROR_MODEL) && !says_where)
        return cm_error_set(error, status,
                            "--checkpoint %.150s: %.300s; begin anew in another directory, or "
                            "bring this one back from a copy",
                            path, cause.message);
    if (status != CM_OK && error != NULL)
        *error = cause;
    return status;
}
