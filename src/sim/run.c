/*
 * The run: chunks of rows are made in any order and written in turn.
 *
 * Each thread takes the next chunk, makes its rows in its own buffers, waits until all chunks
 * before are written, writes, and takes another. So at most one chunk a thread is in memory, and
 * the bytes do not depend on the number of threads.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sim/output.h"
#include "sim/world.h"
#include "util/error.h"

#define CHUNK_ROWS 4096

typedef bool (*write_row)(const cm_sim_world *world, uint64_t row, cm_sim_writer *writer);

/* Half of the run: clicks or conversions, with their truth. */
typedef struct half {
    write_row write;
    uint64_t row_count;
    const cm_sim_sink *events;
    const cm_sim_sink *truth;
} half;

typedef struct run {
    const cm_sim_world *world;
    half half;
    uint64_t chunk_count;
    pthread_mutex_t mutex;     /* guards what follows */
    pthread_cond_t turn_comes; /* turn or status has changed */
    uint64_t next;             /* the first chunk that nobody has taken */
    uint64_t turn;             /* the first chunk that is not written */
    cm_status status;
    cm_error error; /* where status is not CM_OK */
} run;

static bool wanted(const half *h)
{
    return h->events->write != NULL || h->truth->write != NULL;
}

static cm_status write_rows(const cm_sim_sink *sink, const cm_sim_rows *rows, cm_error *error)
{
    if (sink->write == NULL || rows->size == 0)
        return CM_OK;
    return sink->write(sink->context, rows->data, rows->size, error);
}

static bool make_chunk(const run *r, uint64_t chunk, cm_sim_writer *writer)
{
    uint64_t row = chunk * CHUNK_ROWS, left = r->half.row_count - row;
    uint64_t end = row + (left < CHUNK_ROWS ? left : CHUNK_ROWS);
    writer->events.size = writer->truth.size = 0;
    for (; row < end; row++)
        if (!r->half.write(r->world, row, writer))
            return false;
    return true;
}

/* Write a chunk that is made, or report that it is not; with the turn, so without the mutex. */
static cm_status finish_chunk(const run *r, bool made, const cm_sim_writer *writer, cm_error *error)
{
    if (!made)
        return cm_error_memory(error, "rows of a simulated world", CM_SIM_ROW_MAX);
    cm_status status = write_rows(r->half.events, &writer->events, error);
    if (status == CM_OK)
        status = write_rows(r->half.truth, &writer->truth, error);
    return status;
}

/* Take the next chunk; false where there is none, or the run has failed. */
static bool take_chunk(run *r, uint64_t *chunk)
{
    pthread_mutex_lock(&r->mutex);
    bool taken = r->status == CM_OK && r->next < r->chunk_count;
    if (taken)
        *chunk = r->next++;
    pthread_mutex_unlock(&r->mutex);
    return taken;
}

static void pass_turn(run *r, uint64_t chunk, bool made, const cm_sim_writer *writer)
{
    cm_error error = {0};
    pthread_mutex_lock(&r->mutex);
    while (r->turn != chunk && r->status == CM_OK)
        pthread_cond_wait(&r->turn_comes, &r->mutex);
    bool failed = r->status != CM_OK;
    pthread_mutex_unlock(&r->mutex);
    if (failed)
        return;
    cm_status status = finish_chunk(r, made, writer, &error);
    pthread_mutex_lock(&r->mutex);
    r->turn++;
    r->status = status;
    r->error = error;
    pthread_cond_broadcast(&r->turn_comes);
    pthread_mutex_unlock(&r->mutex);
}

static bool writer_init(cm_sim_writer *writer, cm_sim_format format)
{
    *writer = (cm_sim_writer){.events.format = format, .truth.format = format};
    writer->digest = cm_digest_create();
    return writer->digest != NULL;
}

static void writer_free(cm_sim_writer *writer)
{
    cm_digest_destroy(writer->digest);
    free(writer->events.data);
    free(writer->truth.data);
}

static void work(run *r, cm_sim_writer *writer)
{
    uint64_t chunk;
    while (take_chunk(r, &chunk))
        pass_turn(r, chunk, make_chunk(r, chunk, writer), writer);
}

/* A helper; where it has no memory, the others do its part. */
static void *help(void *argument)
{
    run *r = argument;
    cm_sim_writer writer;
    if (writer_init(&writer, r->world->format))
        work(r, &writer);
    writer_free(&writer);
    return NULL;
}

/* The caller works as well, so that the run gets done however few threads can be had. */
static void work_together(run *r, unsigned thread_count, cm_sim_writer *writer)
{
    pthread_t threads[CM_SIM_THREADS_MAX];
    unsigned started = 0;
    while (started + 1 < thread_count && started + 1 < r->chunk_count &&
           pthread_create(&threads[started], NULL, help, r) == 0)
        started++;
    work(r, writer);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static cm_status run_half(const cm_sim_world *world, half h, unsigned thread_count, cm_error *error)
{
    if (!wanted(&h) || h.row_count == 0)
        return CM_OK;
    run r = {.world = world, .half = h, .chunk_count = (h.row_count - 1) / CHUNK_ROWS + 1};
    cm_sim_writer writer;
    if (!writer_init(&writer, world->format))
        return cm_error_memory(error, "the digests of a simulated world", sizeof writer);
    pthread_mutex_init(&r.mutex, NULL);
    pthread_cond_init(&r.turn_comes, NULL);
    work_together(&r, thread_count, &writer);
    pthread_cond_destroy(&r.turn_comes);
    pthread_mutex_destroy(&r.mutex);
    writer_free(&writer);
    if (r.status != CM_OK && error != NULL)
        *error = r.error;
    return r.status;
}

static cm_status write_header(const cm_sim_sink *sink, const char *header, cm_error *error)
{
    if (sink->write == NULL)
        return CM_OK;
    cm_error scratch;
    return sink->write(sink->context, header, strlen(header), error != NULL ? error : &scratch);
}

static cm_status write_headers(const cm_sim_sinks *sinks, cm_error *error)
{
    cm_status status = write_header(&sinks->clicks, cm_sim_click_header, error);
    if (status == CM_OK)
        status = write_header(&sinks->click_truth, cm_sim_click_truth_header, error);
    if (status == CM_OK)
        status = write_header(&sinks->conversions, cm_sim_conversion_header, error);
    if (status == CM_OK)
        status = write_header(&sinks->conversion_truth, cm_sim_conversion_truth_header, error);
    return status;
}

cm_status cm_sim_run(const cm_sim_config *config, const cm_sim_sinks *sinks, cm_error *error)
{
    cm_sim_world world;
    cm_status status = cm_sim_world_init(&world, config, error);
    if (status != CM_OK)
        return status;
    half clicks = {cm_sim_write_click, config->click_count, &sinks->clicks, &sinks->click_truth};
    half conversions = {cm_sim_write_conversion, config->conversion_count, &sinks->conversions,
                        &sinks->conversion_truth};
    if (config->format == CM_SIM_CSV)
        status = write_headers(sinks, error);
    if (status == CM_OK)
        status = run_half(&world, clicks, config->threads, error);
    if (status == CM_OK)
        status = run_half(&world, conversions, config->threads, error);
    cm_sim_world_destroy(&world);
    return status;
}
