/* Clicks of a source into an engine. */
#include "engine/block_run.h"
#include "engine/bulk_load.h"

struct shared {
    cm_bulk_load load;
    unsigned threads;
};

struct load_worker {
    cm_block_worker base;
    cm_bulk_loader loader;
    bool is_ready;
};

static struct load_worker *of(cm_block_worker *worker)
{
    return (struct load_worker *)worker;
}

static cm_status begin(cm_block_worker *worker, void *shared, cm_error *error)
{
    (void)error;
    cm_bulk_loader_init(&of(worker)->loader, &((struct shared *)shared)->load);
    of(worker)->is_ready = true;
    return CM_OK;
}

static void end(cm_block_worker *worker)
{
    if (of(worker)->is_ready)
        cm_bulk_loader_destroy(&of(worker)->loader);
}

static cm_status take_row(cm_block_worker *worker, cm_reject *reject, cm_error *error)
{
    cm_click click;
    cm_status status = cm_click_build(worker->row.values, &worker->run->options->build,
                                      &worker->arena, worker->lenient, &click, reject);
    if (status == CM_ERROR_MEMORY)
        return cm_error_memory(error, "the values of a click", CM_ROW_BYTES_MAX);
    return status == CM_OK ? cm_bulk_loader_add(&of(worker)->loader, &click, error) : status;
}

static cm_status finish_block(cm_block_worker *worker, cm_error *error)
{
    return cm_bulk_loader_finish_block(&of(worker)->loader, error);
}

/* In the input gate: blocks come in input order, so that the first of a click id stands. */
static cm_status end_block(cm_block_worker *worker, cm_error *error)
{
    return cm_bulk_loader_end_block(&of(worker)->loader, error);
}

static bool is_full(void *shared)
{
    return cm_bulk_load_is_full(&((struct shared *)shared)->load);
}

static cm_status build(void *context, cm_source_counts *counts, cm_error *error)
{
    struct shared *shared = context;
    return cm_bulk_load_build(&shared->load, shared->threads, &counts->duplicates, error);
}

cm_status cm_pipeline_load(cm_engine *engine, cm_source *source, const cm_pipeline_options *options,
                           cm_source_counts *counts, cm_error *error)
{
    struct shared shared = {.threads = options->threads};
    const cm_block_work work = {
        .worker_bytes = sizeof(struct load_worker),
        .begin = begin,
        .row = take_row,
        .finish = finish_block,
        .input = end_block,
        .is_full = is_full,
        .empty = build,
        .end = end,
        .shared = &shared,
    };
    cm_bulk_load_init(&shared.load, engine);
    shared.load.limits = options->limits;
    cm_status status = cm_block_run_all(source, CM_ROW_CLICK, &work, options, counts, error);
    cm_bulk_load_destroy(&shared.load);
    return status;
}
