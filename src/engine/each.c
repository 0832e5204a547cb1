/* Records of a source one by one, in input order: threads read, one at a time takes. */
#include "engine/block_run.h"
#include "util/grow.h"
#include "util/slice.h"

struct shared {
    cm_row_kind kind;
    cm_slice tenant;
    const cm_record_taker *taker;
};

struct each_worker {
    cm_block_worker base;
    const struct shared *shared;
    char *records; /* of the block: cm_click or cm_conversion */
    size_t count, capacity;
};

static struct each_worker *of(cm_block_worker *worker)
{
    return (struct each_worker *)worker;
}

static size_t record_bytes(const struct each_worker *each)
{
    return each->shared->kind == CM_ROW_CLICK ? sizeof(cm_click) : sizeof(cm_conversion);
}

static cm_status begin(cm_block_worker *worker, void *shared, cm_error *error)
{
    (void)error;
    of(worker)->shared = shared;
    return CM_OK;
}

static void end(cm_block_worker *worker)
{
    free(of(worker)->records);
}

static void start(cm_block_worker *worker)
{
    of(worker)->count = 0;
}

static cm_status build(cm_block_worker *worker, void *record, cm_reject *reject)
{
    const cm_build_options *options = &worker->run->options->build;
    if (of(worker)->shared->kind == CM_ROW_CLICK)
        return cm_click_build(worker->row.values, options, &worker->arena, worker->lenient, record,
                              reject);
    return cm_conversion_build(worker->row.values, options, &worker->arena, worker->lenient, record,
                               reject);
}

static cm_slice tenant_of(const struct each_worker *each, const void *record)
{
    return each->shared->kind == CM_ROW_CLICK ? ((const cm_click *)record)->tenant_id
                                              : ((const cm_conversion *)record)->tenant_id;
}

static cm_status take_row(cm_block_worker *worker, cm_reject *reject, cm_error *error)
{
    struct each_worker *each = of(worker);
    size_t bytes = record_bytes(each);
    char *records = cm_grow(each->records, &each->capacity, each->count + 1, bytes);
    if (records == NULL)
        return cm_error_memory(error, "a block of records", each->count * bytes);
    each->records = records;
    void *record = records + each->count * bytes;
    cm_status status = build(worker, record, reject);
    if (status == CM_ERROR_MEMORY)
        return cm_error_memory(error, "the values of a row", CM_ROW_BYTES_MAX);
    if (status != CM_OK)
        return status;
    cm_slice wanted = each->shared->tenant;
    each->count += wanted.size == 0 || cm_slice_equal(wanted, tenant_of(each, record));
    return CM_OK;
}

static cm_status give(cm_block_worker *worker, cm_error *error)
{
    const struct each_worker *each = of(worker);
    const cm_record_taker *taker = each->shared->taker;
    cm_status status = CM_OK;
    for (size_t i = 0; i < each->count && status == CM_OK; i++) {
        const void *record = each->records + i * record_bytes(each);
        status = each->shared->kind == CM_ROW_CLICK
                     ? taker->click(taker->context, record, error)
                     : taker->conversion(taker->context, record, error);
    }
    return status;
}

cm_status cm_pipeline_each(cm_source *source, cm_row_kind kind, cm_slice tenant,
                           const cm_record_taker *taker, const cm_pipeline_options *options,
                           cm_source_counts *counts, cm_error *error)
{
    struct shared shared = {kind, tenant, taker};
    const cm_block_work work = {
        .worker_bytes = sizeof(struct each_worker),
        .begin = begin,
        .start = start,
        .row = take_row,
        .input = give,
        .end = end,
        .shared = &shared,
    };
    return cm_block_run_all(source, kind, &work, options, counts, error);
}
