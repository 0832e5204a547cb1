/* Conversions of a source through an engine, their results to a sink. */
#include "engine/block_run.h"
#include "util/grow.h"

struct shared {
    const cm_engine *engine;
    cm_conversion_ids *ids;
    cm_format format;
    cm_sink *sink;
    cm_match_counts *matched;
};

struct match_worker {
    cm_block_worker base;
    const struct shared *shared;
    cm_matcher matcher;
    cm_conversion *conversions;
    cm_slice *ids; /* tenant and conversion id in one */
    uint64_t *id_hashes;
    size_t count, conversion_capacity, id_capacity, hash_capacity;
    cm_result results[CM_MATCH_BATCH];
    cm_match_counts matched; /* of the block */
    cm_buffer output;
};

static struct match_worker *of(cm_block_worker *worker)
{
    return (struct match_worker *)worker;
}

static cm_status begin(cm_block_worker *worker, void *shared, cm_error *error)
{
    (void)error;
    struct match_worker *match = of(worker);
    match->shared = shared;
    cm_matcher_init(&match->matcher, &match->shared->engine->index,
                    &match->shared->engine->scoring);
    return CM_OK;
}

static void end(cm_block_worker *worker)
{
    struct match_worker *match = of(worker);
    cm_matcher_release(&match->matcher);
    cm_buffer_destroy(&match->output);
    free(match->conversions);
    free(match->ids);
    free(match->id_hashes);
}

static bool reserve(struct match_worker *match)
{
    size_t needed = match->count + 1;
    cm_conversion *conversions =
        cm_grow(match->conversions, &match->conversion_capacity, needed, sizeof *conversions);
    if (conversions == NULL)
        return false;
    match->conversions = conversions;
    cm_slice *ids = cm_grow(match->ids, &match->id_capacity, needed, sizeof *ids);
    if (ids == NULL)
        return false;
    match->ids = ids;
    uint64_t *hashes = cm_grow(match->id_hashes, &match->hash_capacity, needed, sizeof *hashes);
    if (hashes == NULL)
        return false;
    match->id_hashes = hashes;
    return true;
}

/* Tenant, NUL, conversion id: no id holds a NUL, so two keys are equal only where both parts are.
 */
static bool make_id(struct match_worker *match, cm_arena *arena, const cm_conversion *conversion)
{
    cm_slice tenant = conversion->tenant_id;
    cm_slice id = conversion->conversion_id;
    char *key = cm_arena_take(arena, tenant.size + 1 + id.size);
    if (key == NULL)
        return false;
    memcpy(key, tenant.data, tenant.size);
    key[tenant.size] = '\0';
    memcpy(key + tenant.size + 1, id.data, id.size);
    match->ids[match->count] = cm_slice_of(key, tenant.size + 1 + id.size);
    match->id_hashes[match->count] =
        cm_text_hash(&match->shared->engine->index.rules, match->ids[match->count]);
    return true;
}

static void start(cm_block_worker *worker)
{
    of(worker)->count = 0;
}

static cm_status take_row(cm_block_worker *worker, cm_reject *reject, cm_error *error)
{
    struct match_worker *match = of(worker);
    if (!reserve(match))
        return cm_error_memory(error, "a block of conversions",
                               match->count * sizeof(cm_conversion));
    cm_conversion *conversion = &match->conversions[match->count];
    cm_status status = cm_conversion_build(worker->row.values, &worker->run->options->build,
                                           &worker->arena, worker->lenient, conversion, reject);
    if (status == CM_ERROR_FORMAT)
        return status;
    if (status != CM_OK || !make_id(match, &worker->arena, conversion))
        return cm_error_memory(error, "the values of a conversion", CM_ROW_BYTES_MAX);
    match->count++;
    return CM_OK;
}

/* Within the input gate, so that the first of a conversion id stands. */
static cm_status drop_duplicates(cm_block_worker *worker, cm_error *error)
{
    struct match_worker *match = of(worker);
    cm_dictionary *seen = &match->shared->ids->seen;
    size_t count = match->count;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + 8 < count)
            cm_table_prefetch(&seen->table, match->id_hashes[i + 8]);
        size_t before = seen->count;
        if (cm_dictionary_intern(seen, match->ids[i], match->id_hashes[i]) == CM_NUMBER_NONE)
            return cm_error_memory(error, "the conversion ids", cm_dictionary_memory(seen) / 2);
        if (seen->count > before)
            match->conversions[kept++] = match->conversions[i];
    }
    worker->run->counts->duplicates += count - kept;
    match->count = kept;
    size_t bytes_max = match->shared->ids->bytes_max;
    if (bytes_max == 0 || cm_dictionary_cost(seen) <= bytes_max)
        return CM_OK;
    return cm_error_set(error, CM_ERROR_CAPACITY,
                        "the ids of %zu conversions take more than %zu MiB, an eighth of "
                        "--memory-max; give a larger one, or match them in parts",
                        seen->used, bytes_max >> 20);
}

void cm_match_counts_add(cm_match_counts *counts, const cm_result *result)
{
    counts->conversions++;
    counts->methods[result->method]++;
    counts->confidence_e4[result->method] += (uint64_t)(result->confidence * 10000 + 0.5);
    for (size_t layer = 0; layer < CM_LAYER_COUNT; layer++)
        counts->words[layer][result->layers[layer]]++;
}

static void write_results(struct match_worker *match, const cm_conversion *conversions,
                          size_t count)
{
    const char *label = cm_model_label(match->shared->engine->model);
    for (size_t i = 0; i < count; i++) {
        cm_match_counts_add(&match->matched, &match->results[i]);
        cm_result_write(match->shared->format, &match->output, conversions[i].conversion_id,
                        conversions[i].tenant_id, &match->results[i], label);
    }
}

static cm_status match_block(cm_block_worker *worker, cm_error *error)
{
    struct match_worker *match = of(worker);
    size_t count = match->count;
    match->output.size = 0;
    match->matched = (cm_match_counts){0};
    for (size_t at = 0; at < count; at += CM_MATCH_BATCH) {
        size_t batch = count - at < CM_MATCH_BATCH ? count - at : CM_MATCH_BATCH;
        cm_status status =
            cm_matcher_run(&match->matcher, match->conversions + at, batch, match->results, error);
        if (status != CM_OK)
            return status;
        write_results(match, match->conversions + at, batch);
    }
    return match->output.failed ? cm_error_memory(error, "a block of results", match->output.size)
                                : CM_OK;
}

void cm_match_counts_sum(cm_match_counts *total, const cm_match_counts *part)
{
    total->conversions += part->conversions;
    for (size_t i = 0; i < CM_METHOD_COUNT; i++) {
        total->methods[i] += part->methods[i];
        total->confidence_e4[i] += part->confidence_e4[i];
    }
    for (size_t layer = 0; layer < CM_LAYER_COUNT; layer++)
        for (size_t i = 0; i < CM_LAYER_WORD_COUNT; i++)
            total->words[layer][i] += part->words[layer][i];
}

static cm_status write_block(cm_block_worker *worker, cm_error *error)
{
    struct match_worker *match = of(worker);
    cm_match_counts_sum(match->shared->matched, &match->matched);
    cm_sink *sink = match->shared->sink;
    return sink->write(sink->context, match->output.data, match->output.size, error);
}

void cm_conversion_ids_destroy(cm_conversion_ids *ids)
{
    cm_dictionary_destroy(&ids->seen);
}

cm_status cm_pipeline_match(const cm_engine *engine, cm_conversion_ids *ids, cm_source *source,
                            cm_format format, cm_sink *sink, const cm_pipeline_options *options,
                            cm_source_counts *counts, cm_match_counts *matched, cm_error *error)
{
    struct shared shared = {engine, ids, format, sink, matched};
    const cm_block_work work = {
        .worker_bytes = sizeof(struct match_worker),
        .begin = begin,
        .start = start,
        .row = take_row,
        .input = drop_duplicates,
        .work = match_block,
        .output = write_block,
        .end = end,
        .shared = &shared,
    };
    return cm_block_run_all(source, CM_ROW_CONVERSION, &work, options, counts, error);
}
