#include "engine/block_run.h"

#include "util/grow.h"
#include "util/parallel.h"

/* Rows, records and keys of a block this size stay in a core's second-level cache. */
#define BLOCK_BYTES ((size_t)1 << 20)
#define NO_BLOCK UINT64_MAX

/* The threads of a run. */
struct crew {
    const cm_block_work *work;
    cm_block_worker **workers;
    unsigned count;
};

/* ---- taking blocks and turns ---- */

static void fail(cm_block_run *run, uint64_t block, const cm_error *error)
{
    pthread_mutex_lock(&run->mutex);
    if (block < run->failed_block) {
        run->failed_block = block;
        run->error = *error;
    }
    pthread_mutex_unlock(&run->mutex);
    pthread_mutex_lock(&run->read_mutex);
    run->ended = true;
    pthread_mutex_unlock(&run->read_mutex);
}

static bool has_failed(cm_block_run *run)
{
    pthread_mutex_lock(&run->mutex);
    bool failed = run->failed_block != NO_BLOCK;
    pthread_mutex_unlock(&run->mutex);
    return failed;
}

static bool is_interrupted(const cm_block_run *run)
{
    return run->options->interrupted != NULL && atomic_load(run->options->interrupted);
}

static bool take_block(cm_block_worker *worker, const cm_block_work *work)
{
    cm_block_run *run = worker->run;
    cm_error error = {0};
    cm_status status = CM_OK;
    if (work->is_full != NULL && work->is_full(work->shared))
        return false;
    pthread_mutex_lock(&run->read_mutex);
    bool taken = !run->ended;
    worker->number = run->blocks_read;
    if (taken && is_interrupted(run))
        status = cm_error_set(&error, CM_ERROR_INTERRUPTED, "interrupted while reading %s",
                              run->source_name);
    else if (taken)
        status = cm_block_reader_next(&run->reader, &worker->block, &error);
    if (status != CM_OK || (taken && worker->block.size == 0)) {
        run->ended = true;
        taken = false;
    }
    if (taken)
        run->blocks_read++;
    pthread_mutex_unlock(&run->read_mutex);
    if (status != CM_OK)
        fail(run, worker->number, &error);
    return taken;
}

static void enter(cm_block_run *run, enum cm_gate gate, uint64_t block)
{
    pthread_mutex_lock(&run->mutex);
    while (run->turns[gate] != block)
        pthread_cond_wait(&run->turned, &run->mutex);
    pthread_mutex_unlock(&run->mutex);
}

static void leave(cm_block_run *run, enum cm_gate gate)
{
    pthread_mutex_lock(&run->mutex);
    run->turns[gate]++;
    pthread_cond_broadcast(&run->turned);
    pthread_mutex_unlock(&run->mutex);
}

/* ---- rows ---- */

static cm_status keep_reject(cm_block_worker *worker, const cm_reject *reject, cm_error *error)
{
    const cm_block_run *run = worker->run;
    const cm_row *row = &worker->row;
    cm_reject_line *rejects = cm_grow(worker->rejects, &worker->reject_capacity,
                                      worker->reject_count + 1, sizeof *rejects);
    if (rejects == NULL)
        return cm_error_memory(error, "rejected rows", worker->reject_count * sizeof *rejects);
    worker->rejects = rejects;
    bool whole = reject->field == CM_FIELD_NONE;
    size_t byte = row->byte;
    if (!whole)
        byte = row->values[reject->field].kind == CM_VALUE_MISSING
                   ? row->start
                   : row->value_bytes[reject->field];
    rejects[worker->reject_count++] = (cm_reject_line){
        .source = run->source_name,
        .line = row->line,
        .byte = worker->block.offset + byte,
        .field = whole ? NULL : cm_field_name(run->reader.layout.kind, reject->field),
        .reason = reject->reason,
        .row = cm_slice_of(worker->block.data + row->start, row->end - row->start),
    };
    return CM_OK;
}

static cm_status read_row(cm_block_worker *worker, const cm_block_work *work, cm_error *error)
{
    size_t line_bytes_max = worker->run->options->line_bytes_max;
    cm_reject reject = {CM_FIELD_NONE, worker->row.malformed};
    worker->rows++;
    if (line_bytes_max != 0 && worker->row.malformed == NULL)
        reject.reason = cm_row_limit(&worker->row, line_bytes_max);
    if (reject.reason != NULL)
        return keep_reject(worker, &reject, error);
    cm_status status = work->row(worker, &reject, error);
    return status == CM_ERROR_FORMAT ? keep_reject(worker, &reject, error) : status;
}

static cm_status read_rows(cm_block_worker *worker, const cm_block_work *work, cm_error *error)
{
    cm_row_reader reader;
    worker->rows = 0;
    worker->reject_count = 0;
    memset(worker->lenient, 0, sizeof worker->lenient);
    cm_arena_reset(&worker->arena);
    if (work->start != NULL)
        work->start(worker);
    cm_row_reader_init(&reader, &worker->run->reader.layout, worker->block.data, worker->block.size,
                       &worker->arena);
    while (cm_row_reader_next(&reader, &worker->row)) {
        cm_status status = read_row(worker, work, error);
        if (status != CM_OK)
            return status;
    }
    worker->lines = reader.line + worker->block.lines_skipped;
    if (reader.out_of_memory)
        return cm_error_memory(error, "the values of a row", CM_ROW_BYTES_MAX);
    return work->finish == NULL ? CM_OK : work->finish(worker, error);
}

/* ---- the input gate ---- */

static cm_status report_rejects(cm_block_worker *worker, cm_error *error)
{
    const cm_pipeline_options *options = worker->run->options;
    cm_status status = CM_OK;
    for (size_t i = 0; i < worker->reject_count && status == CM_OK; i++) {
        worker->rejects[i].line += worker->run->line;
        if (options->reject != NULL)
            status = options->reject(options->context, &worker->rejects[i], error);
    }
    return status;
}

static cm_status pass_input(cm_block_worker *worker, const cm_block_work *work, cm_error *error)
{
    cm_block_run *run = worker->run;
    cm_source_counts *counts = run->counts;
    counts->rows += worker->rows;
    counts->rejected += worker->reject_count;
    for (size_t i = 0; i < CM_FIELD_COUNT_MAX; i++)
        counts->lenient[i] += worker->lenient[i];
    cm_status status = report_rejects(worker, error);
    run->line += worker->lines;
    if (status == CM_OK)
        status = work->input(worker, error);
    if (run->options->progress != NULL)
        run->options->progress(run->options->context, counts->rows);
    return status;
}

/* ---- threads ---- */

static cm_status gated(cm_block_worker *worker, const cm_block_work *work, enum cm_gate gate,
                       cm_status status, cm_error *error)
{
    cm_block_run *run = worker->run;
    enter(run, gate, worker->number);
    if (status == CM_OK && !has_failed(run))
        status =
            gate == CM_GATE_INPUT ? pass_input(worker, work, error) : work->output(worker, error);
    if (status != CM_OK)
        fail(run, worker->number, error);
    leave(run, gate);
    return status;
}

static void work_on_block(cm_block_worker *worker, const cm_block_work *work)
{
    cm_error error = {0};
    cm_status status = read_rows(worker, work, &error);
    status = gated(worker, work, CM_GATE_INPUT, status, &error);
    if (work->output == NULL)
        return;
    if (status == CM_OK && work->work != NULL && !has_failed(worker->run))
        status = work->work(worker, &error);
    gated(worker, work, CM_GATE_OUTPUT, status, &error);
}

static void run_worker(void *context, unsigned number)
{
    const struct crew *crew = context;
    while (take_block(crew->workers[number], crew->work))
        work_on_block(crew->workers[number], crew->work);
}

static void destroy_worker(cm_block_worker *worker, const cm_block_work *work)
{
    if (worker == NULL)
        return;
    work->end(worker);
    cm_block_destroy(&worker->block);
    cm_arena_destroy(&worker->arena);
    free(worker->rejects);
    free(worker);
}

static cm_status create_worker(cm_block_run *run, const cm_block_work *work,
                               cm_block_worker **worker, cm_error *error)
{
    *worker = calloc(1, work->worker_bytes);
    if (*worker == NULL)
        return cm_error_memory(error, "a worker", work->worker_bytes);
    (*worker)->run = run;
    return work->begin(*worker, work->shared, error);
}

/* Until the source ends, or is full: then what came of the blocks so far is emptied. */
static cm_status run_rounds(cm_block_run *run, struct crew *crew, cm_error *error)
{
    const cm_block_work *work = crew->work;
    cm_status status = CM_OK;
    bool more = true;
    while (status == CM_OK && more) {
        cm_parallel(crew->count, run_worker, crew);
        if (run->failed_block != NO_BLOCK) {
            if (error != NULL)
                *error = run->error;
            return run->error.code;
        }
        more = !run->ended;
        if (work->empty != NULL)
            status = work->empty(work->shared, run->counts, error);
    }
    return status;
}

static cm_status run_crew(cm_block_run *run, struct crew *crew, cm_error *error)
{
    cm_status status = CM_OK;
    crew->workers = calloc(crew->count, sizeof(cm_block_worker *));
    if (crew->workers == NULL)
        return cm_error_memory(error, "threads", crew->count * sizeof(cm_block_worker *));
    for (unsigned i = 0; i < crew->count && status == CM_OK; i++)
        status = create_worker(run, crew->work, &crew->workers[i], error);
    if (status == CM_OK)
        status = run_rounds(run, crew, error);
    for (unsigned i = 0; i < crew->count; i++)
        destroy_worker(crew->workers[i], crew->work);
    free(crew->workers);
    return status;
}

cm_status cm_block_run_all(cm_source *source, cm_row_kind kind, const cm_block_work *work,
                           const cm_pipeline_options *options, cm_source_counts *counts,
                           cm_error *error)
{
    cm_block_run run = {.options = options,
                        .source_name = source->name,
                        .counts = counts,
                        .failed_block = NO_BLOCK};
    *counts = (cm_source_counts){0};
    const cm_block_options block_options = {.block_bytes = BLOCK_BYTES};
    cm_status status = cm_block_reader_open(source, kind, &block_options, &run.reader, error);
    if (status != CM_OK)
        return status;
    run.line = run.reader.first_line;
    pthread_mutex_init(&run.read_mutex, NULL);
    pthread_mutex_init(&run.mutex, NULL);
    pthread_cond_init(&run.turned, NULL);
    struct crew crew = {.work = work};
    crew.count = options->threads < CM_PARALLEL_MAX ? options->threads : CM_PARALLEL_MAX;
    status = run_crew(&run, &crew, error);
    pthread_cond_destroy(&run.turned);
    pthread_mutex_destroy(&run.mutex);
    pthread_mutex_destroy(&run.read_mutex);
    cm_block_reader_close(&run.reader);
    return status;
}
