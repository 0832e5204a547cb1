#include "index/click_bulk.h"

#include <stdatomic.h>

#include "index/click_build.h"
#include "util/grow.h"
#include "util/parallel.h"

/* Logs are built when they take this much: several passes over the shards instead of one, but no
 * more memory than that beside the clicks. */
#define BYTES_MAX ((size_t)64 << 20)

bool cm_click_bulk_put(cm_click_bulk *bulk, cm_click_log *log)
{
    cm_click_log **logs = cm_grow(bulk->logs, &bulk->capacity, bulk->count + 1, sizeof *logs);
    if (logs == NULL) {
        free(log);
        return false;
    }
    bulk->logs = logs;
    logs[bulk->count++] = log;
    bulk->bytes += log->bytes;
    return true;
}

bool cm_click_bulk_is_full(const cm_click_bulk *bulk)
{
    return bulk->bytes >= BYTES_MAX;
}

/* ---- phases: tasks that threads take from a queue ---- */

typedef cm_status (*task_function)(cm_shard_builder *builder, size_t task);

typedef struct phase {
    task_function run;
    size_t count; /* of tasks */
    atomic_size_t next;
    atomic_bool failed;
    cm_shard_builder *builders; /* one a thread */
} phase;

static void run_tasks(void *context, unsigned worker)
{
    phase *p = context;
    cm_shard_builder *builder = &p->builders[worker];
    while (builder->status == CM_OK && !atomic_load(&p->failed)) {
        size_t task = atomic_fetch_add(&p->next, 1);
        if (task >= p->count)
            break;
        builder->status = p->run(builder, task);
    }
    if (builder->status != CM_OK)
        atomic_store(&p->failed, true);
}

static cm_status run_phase(cm_shard_builder *builders, unsigned threads, task_function run,
                           size_t count, cm_error *error)
{
    phase p = {.run = run, .count = count, .builders = builders};
    cm_parallel(threads, run_tasks, &p);
    for (unsigned i = 0; i < threads; i++) {
        if (builders[i].status == CM_OK)
            continue;
        if (error != NULL)
            *error = builders[i].error;
        return builders[i].status;
    }
    return CM_OK;
}

/* ---- what the tasks are ---- */

static cm_status build_ids(cm_shard_builder *builder, size_t shard)
{
    return cm_build_ids(builder, (unsigned)shard);
}

/* All else. The tenants come first: they are one task, and a long one. */
static cm_status build_others(cm_shard_builder *builder, size_t task)
{
    static cm_status (*const build[])(cm_shard_builder * builder, unsigned shard) = {
        cm_build_fingerprints, cm_build_addresses, cm_build_fbclids, cm_build_gclids};
    if (task == 0)
        return cm_build_tenants(builder);
    return build[(task - 1) / CM_SHARDS](builder, (unsigned)((task - 1) % CM_SHARDS));
}

#define OTHER_TASKS (1 + 4 * (size_t)CM_SHARDS)

/* Let all threads know what each has found. */
static uint64_t share_duplicates(cm_shard_builder *builders, unsigned threads)
{
    uint64_t duplicates = 0;
    for (unsigned i = 0; i < threads; i++)
        duplicates += builders[i].duplicates;
    for (unsigned i = 0; i < threads; i++)
        builders[i].has_duplicates = duplicates > 0;
    return duplicates;
}

static cm_status build(cm_shard_builder *builders, unsigned threads, uint64_t *duplicates,
                       cm_error *error)
{
    cm_status status = run_phase(builders, threads, build_ids, CM_SHARDS, error);
    if (status != CM_OK)
        return status;
    *duplicates += share_duplicates(builders, threads);
    return run_phase(builders, threads, build_others, OTHER_TASKS, error);
}

/* Their memory serves the next ones: fresh memory costs more than what is written to it. */
static void forget_logs(cm_click_bulk *bulk)
{
    for (size_t i = 0; i < bulk->count; i++) {
        bulk->logs[i]->next_spare = bulk->spare;
        bulk->spare = bulk->logs[i];
    }
    bulk->count = 0;
    bulk->bytes = 0;
}

cm_click_log *cm_click_bulk_take_spare(cm_click_bulk *bulk)
{
    cm_click_log *spare = bulk->spare;
    if (spare != NULL)
        bulk->spare = spare->next_spare;
    return spare;
}

cm_status cm_click_bulk_build(cm_click_bulk *bulk, cm_click_index *index, unsigned threads,
                              uint64_t *duplicates, cm_error *error)
{
    if (bulk->count == 0)
        return CM_OK;
    if (threads > CM_PARALLEL_MAX)
        threads = CM_PARALLEL_MAX;
    cm_shard_builder *builders = calloc(threads, sizeof *builders);
    if (builders == NULL)
        return cm_error_memory(error, "threads", threads * sizeof *builders);
    for (unsigned i = 0; i < threads; i++) {
        builders[i].index = index;
        builders[i].logs = bulk->logs;
        builders[i].log_count = bulk->count;
    }
    cm_status status = build(builders, threads, duplicates, error);
    for (unsigned i = 0; i < threads; i++)
        cm_shard_builder_destroy(&builders[i]);
    free(builders);
    forget_logs(bulk);
    return status;
}

void cm_click_bulk_destroy(cm_click_bulk *bulk)
{
    forget_logs(bulk);
    for (cm_click_log *log = cm_click_bulk_take_spare(bulk); log != NULL;
         log = cm_click_bulk_take_spare(bulk))
        free(log);
    free(bulk->logs);
    *bulk = (cm_click_bulk){0};
}
