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

/* ---- tasks: the shards of the indexes, and the tenants ---- */

typedef cm_status (*build_function)(cm_shard_builder *builder, unsigned shard);

typedef struct phase {
    const build_function *functions; /* each for all shards */
    size_t function_count;
    bool with_tenants;
    atomic_size_t next;
    atomic_bool failed;
    cm_shard_builder *builders; /* one a thread */
} phase;

/* The tenants come first: they are one task, and a long one. */
static cm_status run_task(const phase *p, size_t task, cm_shard_builder *builder)
{
    if (p->with_tenants && task-- == 0)
        return cm_build_tenants(builder);
    return p->functions[task / CM_SHARDS](builder, (unsigned)(task % CM_SHARDS));
}

static void run_tasks(void *context, unsigned worker)
{
    phase *p = context;
    cm_shard_builder *builder = &p->builders[worker];
    size_t count = p->function_count * CM_SHARDS + p->with_tenants;
    while (builder->status == CM_OK && !atomic_load(&p->failed)) {
        size_t task = atomic_fetch_add(&p->next, 1);
        if (task >= count)
            break;
        builder->status = run_task(p, task, builder);
    }
    if (builder->status != CM_OK)
        atomic_store(&p->failed, true);
}

static cm_status run_phase(phase *p, unsigned threads, cm_error *error)
{
    cm_parallel(threads, run_tasks, p);
    for (unsigned i = 0; i < threads; i++) {
        if (p->builders[i].status == CM_OK)
            continue;
        if (error != NULL)
            *error = p->builders[i].error;
        return p->builders[i].status;
    }
    return CM_OK;
}

static uint64_t count_duplicates(const cm_shard_builder *builders, unsigned threads)
{
    uint64_t duplicates = 0;
    for (unsigned i = 0; i < threads; i++)
        duplicates += builders[i].duplicates;
    return duplicates;
}

static cm_status build(cm_shard_builder *builders, unsigned threads, uint64_t *duplicates,
                       cm_error *error)
{
    static const build_function ids[] = {cm_build_ids};
    static const build_function others[] = {cm_build_fingerprints, cm_build_addresses,
                                            cm_build_fbclids, cm_build_gclids};
    phase first = {.functions = ids, .function_count = 1, .builders = builders};
    cm_status status = run_phase(&first, threads, error);
    if (status != CM_OK)
        return status;
    uint64_t found = count_duplicates(builders, threads);
    *duplicates += found;
    for (unsigned i = 0; i < threads; i++)
        builders[i].has_duplicates = found > 0;
    phase second = {
        .functions = others, .function_count = 4, .with_tenants = true, .builders = builders};
    return run_phase(&second, threads, error);
}

static void forget_logs(cm_click_bulk *bulk)
{
    for (size_t i = 0; i < bulk->count; i++)
        free(bulk->logs[i]);
    bulk->count = 0;
    bulk->bytes = 0;
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
    free(bulk->logs);
    *bulk = (cm_click_bulk){0};
}
