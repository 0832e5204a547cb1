/* Clicks of a source into an engine. */
#include "engine/block_run.h"
#include "util/grow.h"

struct load_worker {
    cm_block_worker base;
    cm_engine *engine;
    cm_key_scratch scratch;
    cm_click *clicks;
    cm_click_keys *keys;
    uint32_t *numbers;
    size_t count, click_capacity, key_capacity, number_capacity;
};

static struct load_worker *of(cm_block_worker *worker)
{
    return (struct load_worker *)worker;
}

static cm_status begin(cm_block_worker *worker, void *shared, cm_error *error)
{
    (void)error;
    of(worker)->engine = shared;
    return CM_OK;
}

static void end(cm_block_worker *worker)
{
    struct load_worker *load = of(worker);
    cm_key_scratch_destroy(&load->scratch);
    free(load->clicks);
    free(load->keys);
    free(load->numbers);
}

static cm_status reserve(struct load_worker *load, cm_error *error)
{
    size_t needed = load->count + 1;
    cm_click *clicks = cm_grow(load->clicks, &load->click_capacity, needed, sizeof *clicks);
    if (clicks == NULL)
        return cm_error_memory(error, "a block of clicks", needed * sizeof *clicks);
    load->clicks = clicks;
    cm_click_keys *keys = cm_grow(load->keys, &load->key_capacity, needed, sizeof *keys);
    if (keys == NULL)
        return cm_error_memory(error, "a block of keys", needed * sizeof *keys);
    load->keys = keys;
    uint32_t *numbers = cm_grow(load->numbers, &load->number_capacity, needed, sizeof *numbers);
    if (numbers == NULL)
        return cm_error_memory(error, "a block of numbers", needed * sizeof *numbers);
    load->numbers = numbers;
    return CM_OK;
}

static void start(cm_block_worker *worker)
{
    of(worker)->count = 0;
    cm_arena_reset(&of(worker)->scratch.arena);
}

static cm_status take_row(cm_block_worker *worker, cm_reject *reject, cm_error *error)
{
    struct load_worker *load = of(worker);
    cm_status status = reserve(load, error);
    if (status != CM_OK)
        return status;
    cm_click *click = &load->clicks[load->count];
    status = cm_click_build(worker->row.values, &worker->run->options->build, &worker->arena,
                            worker->lenient, click, reject);
    if (status == CM_ERROR_MEMORY)
        return cm_error_memory(error, "the values of a click", CM_ROW_BYTES_MAX);
    if (status != CM_OK)
        return status;
    if (!cm_click_keys_make(&load->engine->index.rules, click, &load->scratch,
                            &load->keys[load->count]))
        return cm_error_memory(error, "the keys of a click", sizeof *load->keys);
    load->count++;
    return CM_OK;
}

/* In the input gate: in input order, so that the first of a click id stands. */
static cm_status register_clicks(cm_block_worker *worker, cm_error *error)
{
    struct load_worker *load = of(worker);
    return cm_click_index_register(&load->engine->index, load->clicks, load->keys, load->count,
                                   load->numbers, &worker->run->counts->duplicates, error);
}

/* In the output gate: while another thread registers the clicks of the next block. */
static cm_status list_clicks(cm_block_worker *worker, cm_error *error)
{
    struct load_worker *load = of(worker);
    return cm_click_index_list(&load->engine->index, load->clicks, load->keys, load->count,
                               load->numbers, error);
}

cm_status cm_pipeline_load(cm_engine *engine, cm_source *source, const cm_pipeline_options *options,
                           cm_source_counts *counts, cm_error *error)
{
    const cm_block_work work = {
        .worker_bytes = sizeof(struct load_worker),
        .begin = begin,
        .start = start,
        .row = take_row,
        .input = register_clicks,
        .output = list_clicks,
        .end = end,
        .shared = engine,
    };
    return cm_block_run_all(source, CM_ROW_CLICK, &work, options, counts, error);
}
