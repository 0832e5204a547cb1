/* Checkpoints while the stream runs. How one is brought back: stream_restore.c. */
#include "cmd/stream_checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/clock.h"
#include "cmd/stream_manifest.h"
#include "stream/stream_image.h"
#include "util/error.h"
#include "util/grow.h"

#define ROWS_PER_STEP 512 /* 30 to 50 us */
#define STEPS_PER_TICK 4  /* a tick comes with each block of input, some 450 events */
#define WRITER_MS 5       /* between looks at what the writer has done */
#define REST_SHARE 8      /* for each step so many times as long without one: events come first */
#define REST_MS 1         /* longer than that rest, where no events come */

static const cm_click_store *store_of(const cm_stream_checkpoint *c)
{
    return &c->stream->engine->index.catalog.store;
}

/* ---- trouble ---- */

/* The earlier checkpoint stands; the next one is tried when its time comes. */
static void give_up(cm_stream_checkpoint *c, const cm_error *error)
{
    cm_segment_encode_drop(&c->encoder);
    c->stream->keeper.from_us = CM_KEEPS_NONE;
    c->is_under_way = false;
    c->failed++;
    cm_error cause = *error;
    (void)cm_parts_trouble(c->parts, &cause); /* what the writer says is why */
    cm_log_warning(c->log, "no checkpoint this time, the one before stands: %s", cause.message);
}

/* ---- what it shows ---- */

static bool is_saved(const cm_stream_checkpoint *c, const cm_wanted_segment *wanted)
{
    char name[CM_PART_NAME_MAX + 1];
    const cm_saved_segment *saved = &c->saved[wanted->place];
    return wanted->place < c->saved_capacity && saved->part != 0 &&
           saved->generation == wanted->generation && saved->count == wanted->count &&
           cm_parts_has(c->parts, cm_part_name_of("clicks", saved->part, name));
}

static bool reserve(cm_stream_checkpoint *c, size_t places)
{
    size_t before = c->saved_capacity;
    cm_saved_segment *saved = cm_grow(c->saved, &c->saved_capacity, places, sizeof *saved);
    if (saved == NULL)
        return false;
    c->saved = saved;
    memset(saved + before, 0, (c->saved_capacity - before) * sizeof *saved);
    cm_wanted_segment *wanted = cm_grow(c->wanted, &c->wanted_capacity, places, sizeof *c->wanted);
    c->wanted = wanted == NULL ? c->wanted : wanted;
    return wanted != NULL;
}

/* A segment is not dismantled before it is encoded. */
static void keep(cm_stream_checkpoint *c, const cm_segment *segment)
{
    int64_t dies_us = segment->is_dying ? CM_KEEPS_ALL : segment->last_findable;
    if (dies_us < c->stream->keeper.from_us)
        c->stream->keeper.from_us = dies_us;
}

static void want(cm_stream_checkpoint *c, size_t place, const cm_segment *segment)
{
    const cm_wanted_segment wanted = {.place = (uint32_t)place,
                                      .generation = segment->generation,
                                      .count = segment->count,
                                      .unlisted = segment->unlisted};
    if (segment->unlisted == segment->count)
        return;
    c->wanted[c->wanted_count++] = wanted;
    if (!is_saved(c, &wanted))
        keep(c, segment);
}

static int by_age(const void *a, const void *b)
{
    const cm_wanted_segment *first = a, *second = b;
    return (first->generation > second->generation) - (first->generation < second->generation);
}

/* Oldest first: whoever loads them so finds clicks in the order of their times, nearly. */
static cm_status list_segments(cm_stream_checkpoint *c, cm_error *error)
{
    const cm_click_store *store = store_of(c);
    c->wanted_count = c->wanted_at = 0;
    if (!reserve(c, store->segment_count + 1))
        return cm_error_memory(error, "a checkpoint", store->segment_count * sizeof *c->wanted);
    for (size_t place = 0; place < store->segment_count; place++)
        if (store->segments[place] != NULL)
            want(c, place, store->segments[place]);
    qsort(c->wanted, c->wanted_count, sizeof *c->wanted, by_age);
    return CM_OK;
}

/* Full segments of ids that were not written yet, or could not be. */
static cm_status put_ids(cm_stream_checkpoint *c, cm_error *error)
{
    const cm_seen_ids *seen = &c->stream->seen;
    cm_status status = CM_OK;
    for (uint64_t serial = seen->first; serial + 1 < seen->end && status == CM_OK; serial++) {
        char name[CM_PART_NAME_MAX + 1];
        cm_buffer texts = {0};
        if (cm_parts_has(c->parts, cm_part_name_of("ids", serial, name)))
            continue;
        cm_buffer_append(&texts, cm_seen_ids_at(seen, serial)->texts.data,
                         cm_seen_ids_at(seen, serial)->texts.size);
        if (texts.failed)
            return cm_error_memory(error, "a checkpoint", texts.size);
        status = cm_parts_put(c->parts, name, &texts, error);
    }
    return status;
}

static cm_status put_state(cm_stream_checkpoint *c, cm_error *error)
{
    char name[CM_PART_NAME_MAX + 1];
    cm_buffer state = {0};
    cm_stream_image_write(c->stream, &state);
    if (state.failed) {
        cm_buffer_destroy(&state);
        return cm_error_memory(error, "a checkpoint", state.size);
    }
    c->state_part = c->next_part++;
    return cm_parts_put(c->parts, cm_part_name_of("state", c->state_part, name), &state, error);
}

static void begin(cm_stream_checkpoint *c, uint64_t now_ns)
{
    cm_error error = {0};
    c->begun_ns = now_ns;
    c->events = c->stream->events;
    c->is_under_way = true;
    c->is_encoded = false;
    c->commit = 0;
    c->manifest = (cm_stream_manifest){.has_seq = c->stream->last.has_seq,
                                       .seq = c->stream->last.seq,
                                       .events = c->stream->events,
                                       .rejects = cm_output_extent_of(c->rejects),
                                       .first_ids = c->stream->seen.first,
                                       .end_ids = c->stream->seen.end};
    c->sink_rows = cm_stream_sink_rows(c->sink);
    cm_status status = list_segments(c, &error);
    if (status == CM_OK)
        status = put_ids(c, &error);
    if (status == CM_OK)
        status = put_state(c, &error);
    if (status != CM_OK)
        give_up(c, &error);
}

/* ---- its segments ---- */

/* Go on with the image at hand. is_done: it was put. */
static cm_status step(cm_stream_checkpoint *c, const cm_wanted_segment *wanted, bool *is_done,
                      cm_error *error)
{
    char name[CM_PART_NAME_MAX + 1];
    cm_status status = cm_segment_encode_step(&c->encoder, ROWS_PER_STEP, is_done, error);
    if (status != CM_OK || !*is_done)
        return status;
    cm_buffer image = cm_segment_encode_take(&c->encoder);
    uint64_t part = c->next_part++;
    status = cm_parts_put(c->parts, cm_part_name_of("clicks", part, name), &image, error);
    if (status == CM_OK)
        c->saved[wanted->place] = (cm_saved_segment){part, wanted->generation, wanted->count};
    return status;
}

static cm_status encode(cm_stream_checkpoint *c, const cm_wanted_segment *wanted, bool *is_done,
                        cm_error *error)
{
    *is_done = false;
    if (c->encoder.index == NULL) {
        if (!cm_parts_has_room(c->parts))
            return CM_OK; /* not before the writer has written some */
        cm_buffer spare = cm_parts_take_spare(c->parts);
        cm_status status = cm_segment_encode_begin(&c->encoder, &c->stream->engine->index,
                                                   wanted->place, wanted->count, &spare, error);
        cm_buffer_destroy(&spare);
        if (status != CM_OK)
            return status;
    }
    return step(c, wanted, is_done, error);
}

/* Pass what is saved; what is not is kept from being dismantled, and what is may be from now on. */
static void look_wanted(cm_stream_checkpoint *c)
{
    const cm_click_store *store = store_of(c);
    while (c->wanted_at < c->wanted_count && is_saved(c, &c->wanted[c->wanted_at]))
        c->wanted_at++;
    c->is_encoded = c->wanted_at == c->wanted_count;
    c->stream->keeper.from_us = CM_KEEPS_NONE;
    for (size_t i = c->wanted_at; i < c->wanted_count; i++)
        if (!is_saved(c, &c->wanted[i]))
            keep(c, store->segments[c->wanted[i].place]);
}

/* More rows than can have come since the last time: it ends. */
static cm_status encode_wanted(cm_stream_checkpoint *c, cm_error *error)
{
    bool is_done;
    cm_status status = CM_OK;
    for (int i = 0; i < STEPS_PER_TICK && !c->is_encoded && status == CM_OK; i++) {
        if (c->encoder.index == NULL)
            look_wanted(c);
        if (!c->is_encoded)
            status = encode(c, &c->wanted[c->wanted_at], &is_done, error);
    }
    return status;
}

void cm_stream_checkpoint_hurry(void *context, int64_t until_us)
{
    cm_stream_checkpoint *c = context;
    cm_error error = {0};
    cm_status status = CM_OK;
    while (status == CM_OK && c->stream->keeper.from_us <= until_us) {
        if (c->encoder.index == NULL && !cm_parts_has_room(c->parts))
            cm_clock_sleep_ms(1);
        status = encode_wanted(c, &error);
    }
    if (status != CM_OK)
        give_up(c, &error);
}

/* ---- its end ---- */

static cm_status commit(cm_stream_checkpoint *c, cm_error *error)
{
    cm_manifest_names names = {0};
    cm_buffer manifest = {0}, position = {0};
    c->manifest.state_part = c->state_part;
    c->manifest.next_part = c->next_part;
    for (size_t i = 0; i < c->wanted_count; i++)
        c->wanted[i].part = c->saved[c->wanted[i].place].part;
    c->manifest.segments = c->wanted;
    c->manifest.segment_count = c->wanted_count;
    cm_stream_manifest_write(&c->manifest, &manifest);
    cm_stream_manifest_position(&c->manifest, &position);
    cm_status status = cm_stream_manifest_names(&c->manifest, &names, error);
    if (status == CM_OK && (manifest.failed || position.failed))
        status = cm_error_memory(error, "a checkpoint", manifest.size);
    if (status == CM_OK) {
        const cm_commit made = {.manifest = cm_slice_of(manifest.data, manifest.size),
                                .names = names.names,
                                .count = names.count,
                                .text_name = "position.json",
                                .text = cm_slice_of(position.data, position.size)};
        status = cm_parts_commit(c->parts, &made, &c->commit, error);
    }
    cm_manifest_names_destroy(&names);
    cm_buffer_destroy(&manifest);
    cm_buffer_destroy(&position);
    return status;
}

/* Is it safe on disk, or has it failed? */
static void look_committed(cm_stream_checkpoint *c)
{
    cm_error error = {0};
    bool is_idle = cm_parts_is_idle(c->parts); /* asked first: the commit may end meanwhile */
    if (cm_parts_committed(c->parts) >= c->commit) {
        c->is_under_way = false;
        c->done++;
        c->took_seconds = (double)(cm_clock_ns() - c->begun_ns) / 1e9;
        c->done_us = cm_clock_now_us();
        return;
    }
    if (!is_idle)
        return;
    (void)cm_error_set(&error, CM_ERROR_IO, "it could not be written");
    give_up(c, &error);
}

static void go_on(cm_stream_checkpoint *c)
{
    cm_error error = {0};
    cm_status status = CM_OK;
    if (!c->is_encoded)
        status = encode_wanted(c, &error);
    if (status == CM_OK && c->is_encoded && c->commit == 0 &&
        cm_stream_sink_has_settled(c->sink, c->sink_rows))
        status = commit(c, &error);
    if (status != CM_OK)
        give_up(c, &error);
    else if (c->commit != 0)
        look_committed(c);
}

bool cm_stream_checkpoint_is_due(const cm_stream_checkpoint *c, uint64_t now_ns)
{
    return c->parts != NULL && !c->is_under_way && c->stream->events != c->events &&
           now_ns - c->begun_ns >= c->interval_ns;
}

void cm_stream_checkpoint_tick(cm_stream_checkpoint *c, uint64_t now_ns)
{
    if (cm_stream_checkpoint_is_due(c, now_ns)) {
        begin(c, now_ns);
    } else if (c->is_under_way && now_ns >= c->rest_until_ns) {
        uint64_t start_ns = cm_clock_ns(); /* since now_ns a reader may have been waited for */
        go_on(c);
        uint64_t end_ns = cm_clock_ns();
        c->rest_until_ns = end_ns + REST_SHARE * (end_ns - start_ns);
    }
}

int cm_stream_checkpoint_timeout_ms(const cm_stream_checkpoint *c, uint64_t now_ns)
{
    if (c->parts == NULL || (!c->is_under_way && c->stream->events == c->events))
        return -1;
    if (c->is_under_way)
        return c->is_encoded || !cm_parts_has_room(c->parts) ? WRITER_MS : REST_MS;
    uint64_t passed_ns = now_ns - c->begun_ns;
    return passed_ns >= c->interval_ns ? 0 : (int)((c->interval_ns - passed_ns) / 1000000) + 1;
}

/* Write one, and wait for it. */
static bool write_now(cm_stream_checkpoint *c)
{
    uint64_t failed = c->failed;
    if (c->is_under_way)
        cm_segment_encode_drop(&c->encoder);
    begin(c, cm_clock_ns());
    while (c->is_under_way) {
        go_on(c);
        if (c->is_under_way && (c->is_encoded || !cm_parts_has_room(c->parts)))
            cm_clock_sleep_ms(WRITER_MS);
    }
    return c->failed == failed;
}

cm_status cm_stream_checkpoint_start(cm_stream_checkpoint *c, cm_error *error)
{
    if (c->parts == NULL || write_now(c))
        return CM_OK;
    return cm_error_set(error, CM_ERROR_IO,
                        "there is no checkpoint to begin with; free space or give another "
                        "--checkpoint");
}

cm_status cm_stream_checkpoint_finish(cm_stream_checkpoint *c, cm_error *error)
{
    if (c->parts == NULL || write_now(c))
        return CM_OK;
    return cm_error_set(error, CM_ERROR_IO,
                        "the last checkpoint could not be written; the one before stands: free "
                        "space, and run again from the position it names");
}

cm_checkpoint_figures cm_stream_checkpoint_figures(const cm_stream_checkpoint *c)
{
    return (cm_checkpoint_figures){.done = c->done,
                                   .failed = c->failed,
                                   .last_us = c->done_us,
                                   .duration_seconds = c->took_seconds};
}

void cm_stream_checkpoint_close(cm_stream_checkpoint *c)
{
    cm_segment_encoder_destroy(&c->encoder);
    cm_parts_close(c->parts);
    free(c->saved);
    free(c->wanted);
    *c = (cm_stream_checkpoint){0};
}
