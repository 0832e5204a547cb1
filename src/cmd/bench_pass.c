#include "cmd/bench_pass.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "cmd/bench.h"
#include "cmd/bench_engine.h"
#include "cmd/clock.h"
#include "util/error.h"

#define BLOCK 1024 /* conversions that a thread takes at once */

struct pass {
    const cm_engine *engine;
    const cm_conversion *conversions;
    size_t count;
    uint8_t *outcomes;
    atomic_size_t next; /* the first conversion that nobody has taken */
};

struct worker {
    struct pass *pass;
    pthread_t id;
    cm_matcher *matcher;
    cm_result *results; /* BLOCK */
    cm_status status;
    cm_error error;
};

static cm_status match_block(struct worker *worker, size_t at)
{
    struct pass *pass = worker->pass;
    size_t count = pass->count - at < BLOCK ? pass->count - at : BLOCK;
    cm_status status = cm_bench_go_on(&worker->error);
    if (status == CM_OK)
        status = cm_bench_matcher_run(worker->matcher, pass->conversions + at, count,
                                      worker->results, &worker->error);
    for (size_t i = 0; i < count && status == CM_OK && pass->outcomes != NULL; i++)
        pass->outcomes[at + i] = (uint8_t)worker->results[i].method;
    return status;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct pass *pass = worker->pass;
    size_t at;
    while (worker->status == CM_OK && (at = atomic_fetch_add(&pass->next, BLOCK)) < pass->count)
        worker->status = match_block(worker, at);
    return NULL;
}

/* The caller is the first worker. */
static void run(struct worker *workers, unsigned count)
{
    unsigned started = 1;
    while (started < count &&
           pthread_create(&workers[started].id, NULL, work, &workers[started]) == 0)
        started++;
    work(&workers[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(workers[i].id, NULL);
    if (started < count && workers[0].status == CM_OK)
        workers[0].status =
            cm_error_set(&workers[0].error, CM_ERROR_MEMORY, "cannot start a thread");
}

static cm_status prepare(struct pass *pass, struct worker *worker, cm_error *error)
{
    worker->pass = pass;
    worker->results = malloc(BLOCK * sizeof *worker->results);
    if (worker->results == NULL)
        return cm_error_memory(error, "results", BLOCK * sizeof *worker->results);
    return cm_matcher_create(pass->engine, &worker->matcher, error);
}

static cm_status run_timed(struct worker *workers, unsigned count, cm_bench_pass_times *times,
                           cm_error *error)
{
    double began = cm_clock_seconds();
    double core_began = cm_clock_core_seconds();
    run(workers, count);
    times->seconds = cm_clock_seconds() - began;
    times->core_seconds = cm_clock_core_seconds() - core_began;
    for (unsigned i = 0; i < count; i++)
        if (workers[i].status != CM_OK) {
            *error = workers[i].error;
            return workers[i].status;
        }
    return CM_OK;
}

cm_status cm_bench_pass(const cm_engine *engine, const cm_conversion *conversions, size_t count,
                        unsigned threads, uint8_t *outcomes, cm_bench_pass_times *times,
                        cm_error *error)
{
    struct pass pass = {engine, conversions, count, outcomes, 0};
    struct worker *workers = calloc(threads, sizeof *workers);
    cm_status status = CM_OK;
    if (workers == NULL)
        return cm_error_memory(error, "threads", threads * sizeof *workers);
    for (unsigned i = 0; i < threads && status == CM_OK; i++)
        status = prepare(&pass, &workers[i], error);
    if (status == CM_OK)
        status = run_timed(workers, threads, times, error);
    for (unsigned i = 0; i < threads; i++) {
        cm_matcher_destroy(workers[i].matcher);
        free(workers[i].results);
    }
    free(workers);
    return status;
}
