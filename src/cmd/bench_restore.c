/* Section restore: the simulated clicks as images of their segments, written to a directory of
 * parts and loaded again, from files that the page cache has. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/bench.h"
#include "cmd/bench_engine.h"
#include "cmd/clock.h"
#include "engine/engine.h"
#include "file/parts.h"
#include "index/segment_encode.h"
#include "index/segment_load.h"
#include "util/error.h"

#define STEP_ROWS 1024u
#define OPTION "TMPDIR"

static const cm_bench_measure ENCODE = {"encoding, per click", "ns", CM_BENCH_LESS};
static const cm_bench_measure STEP = {"longest step", "us", CM_BENCH_LESS};
static const cm_bench_measure BYTES = {"image, per click", "bytes", CM_BENCH_LESS};
static const cm_bench_measure WRITE = {"until it is safe on disk", "s", CM_BENCH_LESS};
static const cm_bench_measure SECONDS = {"loading", "s", CM_BENCH_LESS};
static const cm_bench_measure CORE = {"core time per click", "ns", CM_BENCH_LESS};

typedef struct restore {
    cm_bench *bench;
    char directory[128];
    cm_parts *parts;
    size_t segments;
    const char **names; /* of segments' parts; owned */
    char (*rooms)[32];
    double encode_ns, longest_ns, bytes;
} restore;

/* ---- saving ---- */

static cm_status encode(restore *r, cm_segment_encoder *encoder, size_t place, cm_error *error)
{
    bool is_done = false;
    cm_click_index *index = &r->bench->world.engine->index;
    cm_buffer spare = cm_parts_take_spare(r->parts);
    cm_status status = cm_segment_encode_begin(
        encoder, index, place, index->catalog.store.segments[place]->count, &spare, error);
    while (status == CM_OK && !is_done) {
        double began = cm_clock_thread_ns();
        status = cm_segment_encode_step(encoder, STEP_ROWS, &is_done, error);
        double ns = cm_clock_thread_ns() - began;
        r->encode_ns += ns;
        r->longest_ns = ns > r->longest_ns ? ns : r->longest_ns;
    }
    if (status != CM_OK)
        return status;
    cm_buffer image = cm_segment_encode_take(encoder);
    r->bytes += (double)image.size;
    while (!cm_parts_has_room(r->parts))
        (void)sched_yield();
    return cm_parts_put(r->parts, r->names[place], &image, error);
}

static cm_status save_all(restore *r, cm_error *error)
{
    cm_segment_encoder encoder = {0};
    cm_status status = cm_segment_encoder_warm_up(&encoder, r->bench->world.engine->model, error);
    for (size_t i = 0; i < r->segments && status == CM_OK; i++)
        status = encode(r, &encoder, i, error);
    cm_segment_encoder_destroy(&encoder);
    const cm_commit commit = {.names = r->names, .count = r->segments};
    if (status == CM_OK)
        status = cm_parts_commit(r->parts, &commit, NULL, error);
    return status == CM_OK ? cm_parts_wait(r->parts, error) : status;
}

static cm_status save(restore *r, cm_error *error)
{
    double clicks = (double)cm_engine_click_count(r->bench->world.engine);
    double began = cm_clock_seconds();
    cm_status status = save_all(r, error);
    if (status != CM_OK)
        return status;
    cm_bench_record *record = &r->bench->record;
    cm_bench_note(record, "save", &ENCODE, r->encode_ns / clicks);
    cm_bench_note(record, "save", &STEP, r->longest_ns / 1e3);
    cm_bench_note(record, "save", &BYTES, r->bytes / clicks);
    cm_bench_note(record, "save", &WRITE, cm_clock_seconds() - began);
    return CM_OK;
}

/* ---- loading ---- */

static cm_status read_image(void *context, size_t number, cm_buffer *bytes, cm_segment_image *image,
                            cm_error *error)
{
    const restore *r = context;
    *image = (cm_segment_image){.name = r->names[number], .place = number};
    return cm_parts_read(r->parts, r->names[number], bytes, error);
}

static cm_status load_once(restore *r, unsigned threads, cm_error *error)
{
    cm_engine *engine;
    char of[CM_BENCH_CASE_BYTES];
    cm_bench *bench = r->bench;
    const cm_segment_source source = {r, r->segments, read_image};
    cm_status status = cm_bench_engine_create(bench->sizes.seed + 1, &engine, error);
    if (status != CM_OK)
        return status;
    double began = cm_clock_seconds(), core_began = cm_clock_core_seconds();
    status = cm_segments_load(&engine->index, &source, threads, error);
    double seconds = cm_clock_seconds() - began, core = cm_clock_core_seconds() - core_began;
    size_t clicks = cm_engine_click_count(engine);
    if (status == CM_OK && clicks != cm_engine_click_count(bench->world.engine))
        status = cm_error_set(error, CM_ERROR_FORMAT, "%zu clicks were loaded", clicks);
    if (status == CM_OK) {
        cm_bench_threads_text(threads, of);
        cm_bench_note(&bench->record, of, &SECONDS, seconds);
        cm_bench_note(&bench->record, of, &CORE, core / (double)clicks * 1e9);
    }
    cm_engine_destroy(engine);
    return status;
}

static cm_status reopen(restore *r, cm_error *error)
{
    cm_parts_close(r->parts);
    r->parts = NULL;
    return cm_parts_open(r->directory, OPTION, &r->parts, error);
}

static cm_status run(restore *r, cm_error *error)
{
    cm_status status = save(r, error);
    if (status == CM_OK)
        status = reopen(r, error);
    for (unsigned i = 0; i < r->bench->sizes.repetitions && status == CM_OK; i++) {
        status = cm_bench_go_on(error);
        if (status == CM_OK)
            status = load_once(r, 1, error);
        if (status == CM_OK && r->bench->sizes.threads > 1)
            status = load_once(r, r->bench->sizes.threads, error);
    }
    return status;
}

/* ---- the directory ---- */

static cm_status create(restore *r, cm_error *error)
{
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(r->directory, sizeof r->directory, "%.80s/clickmatch-bench-XXXXXX",
                   temporary == NULL || *temporary == '\0' ? "/tmp" : temporary);
    r->segments = r->bench->world.engine->index.catalog.store.segment_count;
    r->names = calloc(r->segments + 1, sizeof *r->names);
    r->rooms = calloc(r->segments + 1, sizeof *r->rooms);
    if (r->names == NULL || r->rooms == NULL)
        return cm_error_memory(error, "names of parts", r->segments * sizeof *r->rooms);
    for (size_t i = 0; i < r->segments; i++) {
        (void)snprintf(r->rooms[i], sizeof *r->rooms, "segment-%zu", i);
        r->names[i] = r->rooms[i];
    }
    if (mkdtemp(r->directory) == NULL)
        return cm_error_set(error, CM_ERROR_IO, "%s: cannot be made; choose another " OPTION,
                            r->directory);
    return cm_parts_open(r->directory, OPTION, &r->parts, error);
}

static void destroy(restore *r)
{
    static const char *const files[] = {"manifest", "clickmatch.lock"};
    char path[256];
    const cm_commit nothing = {0};
    if (r->parts != NULL) {
        (void)cm_parts_commit(r->parts, &nothing, NULL, NULL); /* all parts go */
        cm_parts_close(r->parts);
        for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
            (void)snprintf(path, sizeof path, "%s/%s", r->directory, files[i]);
            (void)unlink(path);
        }
        (void)rmdir(r->directory);
    }
    free(r->names);
    free(r->rooms);
}

cm_status cm_bench_restore(cm_bench *bench, cm_error *error)
{
    restore r = {.bench = bench};
    cm_status status = cm_bench_world_engine(bench, error);
    if (status == CM_OK)
        status = create(&r, error);
    if (status == CM_OK) {
        cm_bench_say(&bench->record, "%zu simulated clicks in %zu segments; in steps of %u",
                     cm_engine_click_count(bench->world.engine), r.segments, STEP_ROWS);
        status = run(&r, error);
    }
    destroy(&r);
    return status;
}
