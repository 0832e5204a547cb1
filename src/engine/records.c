/* Records: reading them and finding them by id. */
#include "engine/records.h"

#include "engine/block_run.h"
#include "util/grow.h"
#include "util/hash.h"
#include "util/slice.h"

/* The block of rows and what had to be unescaped of it, taken over from the thread that read it. */
struct cm_records_bytes {
    cm_block block;
    cm_arena arena;
};

struct read_worker {
    cm_block_worker base;
    cm_records *records;
    cm_click *clicks;
    cm_conversion *conversions;
    size_t count, click_capacity, conversion_capacity;
};

static struct read_worker *of(cm_block_worker *worker)
{
    return (struct read_worker *)worker;
}

/* ---- ids ---- */

/* Files are no adversary here: whoever gives them only slows down their own evaluation. */
static uint64_t id_hash(cm_slice tenant_id, cm_slice id)
{
    return cm_hash_pair(cm_hash_slice(tenant_id, 1), cm_hash_slice(id, 2));
}

uint32_t cm_records_click(const cm_records *records, cm_slice tenant_id, cm_slice click_id)
{
    cm_probe probe = cm_table_probe(&records->click_ids, id_hash(tenant_id, click_id));
    for (;;) {
        uint32_t number = cm_table_next(&records->click_ids, &probe);
        if (number == CM_NUMBER_NONE ||
            (cm_slice_equal(records->clicks[number].click_id, click_id) &&
             cm_slice_equal(records->clicks[number].tenant_id, tenant_id)))
            return number;
    }
}

uint32_t cm_records_conversion(const cm_records *records, cm_slice tenant_id,
                               cm_slice conversion_id)
{
    cm_probe probe = cm_table_probe(&records->conversion_ids, id_hash(tenant_id, conversion_id));
    for (;;) {
        uint32_t number = cm_table_next(&records->conversion_ids, &probe);
        if (number == CM_NUMBER_NONE ||
            (cm_slice_equal(records->conversions[number].conversion_id, conversion_id) &&
             cm_slice_equal(records->conversions[number].tenant_id, tenant_id)))
            return number;
    }
}

/* ---- rows ---- */

static cm_status begin(cm_block_worker *worker, void *shared, cm_error *error)
{
    (void)error;
    of(worker)->records = shared;
    return CM_OK;
}

static void start(cm_block_worker *worker)
{
    of(worker)->count = 0;
}

static void end(cm_block_worker *worker)
{
    free(of(worker)->clicks);
    free(of(worker)->conversions);
}

static cm_status take_click(cm_block_worker *worker, cm_reject *reject, cm_error *error)
{
    struct read_worker *read = of(worker);
    cm_click *clicks =
        cm_grow(read->clicks, &read->click_capacity, read->count + 1, sizeof *clicks);
    if (clicks == NULL)
        return cm_error_memory(error, "a block of clicks", read->count * sizeof *clicks);
    read->clicks = clicks;
    cm_status status =
        cm_click_build(worker->row.values, &worker->run->options->build, &worker->arena,
                       worker->lenient, &clicks[read->count], reject);
    if (status == CM_ERROR_MEMORY)
        return cm_error_memory(error, "the values of a click", CM_ROW_BYTES_MAX);
    read->count += status == CM_OK;
    return status;
}

static cm_status take_conversion(cm_block_worker *worker, cm_reject *reject, cm_error *error)
{
    struct read_worker *read = of(worker);
    cm_conversion *conversions = cm_grow(read->conversions, &read->conversion_capacity,
                                         read->count + 1, sizeof *conversions);
    if (conversions == NULL)
        return cm_error_memory(error, "a block of conversions", read->count * sizeof *conversions);
    read->conversions = conversions;
    cm_status status =
        cm_conversion_build(worker->row.values, &worker->run->options->build, &worker->arena,
                            worker->lenient, &conversions[read->count], reject);
    if (status == CM_ERROR_MEMORY)
        return cm_error_memory(error, "the values of a conversion", CM_ROW_BYTES_MAX);
    read->count += status == CM_OK;
    return status;
}

/* ---- adding; the input gate lets blocks in in input order, so that an id's first stands ---- */

static cm_status check_room(const cm_records *records, cm_error *error)
{
    size_t bytes = records->bytes_held + records->click_capacity * sizeof(cm_click) +
                   records->conversion_capacity * sizeof(cm_conversion) +
                   cm_table_memory(&records->click_ids) + cm_table_memory(&records->conversion_ids);
    if (records->bytes_max == 0 || bytes <= records->bytes_max)
        return CM_OK;
    return cm_error_set(error, CM_ERROR_CAPACITY,
                        "%zu clicks and %zu conversions, held as they were read, take more than "
                        "%zu MiB, three eighths of --memory-max; give a larger one, or fewer days",
                        records->click_count, records->conversion_count, records->bytes_max >> 20);
}

static cm_status keep_bytes(cm_records *records, cm_block *block, cm_arena *arena, cm_error *error)
{
    struct cm_records_bytes *bytes =
        cm_grow(records->bytes, &records->bytes_capacity, records->bytes_count + 1, sizeof *bytes);
    if (bytes == NULL)
        return cm_error_memory(error, "the rows", records->bytes_count * sizeof *bytes);
    records->bytes = bytes;
    bytes[records->bytes_count++] = (struct cm_records_bytes){*block, *arena};
    records->bytes_held += block->capacity + cm_arena_memory(arena);
    *block = (cm_block){0};
    *arena = (cm_arena){0};
    return check_room(records, error);
}

cm_status cm_records_keep(cm_records *records, cm_arena *arena, cm_error *error)
{
    cm_block none = {0};
    return keep_bytes(records, &none, arena, error);
}

/* Room for the records, and for their ids one by one. */
cm_status cm_records_add_clicks(cm_records *records, const cm_click *added, size_t count,
                                uint64_t *duplicates, cm_error *error)
{
    size_t needed = records->click_count + count;
    cm_click *clicks = cm_grow(records->clicks, &records->click_capacity, needed, sizeof *clicks);
    if (clicks == NULL)
        return cm_error_memory(error, "the clicks", needed * sizeof *clicks);
    records->clicks = clicks;
    if (needed >= CM_NUMBER_NONE)
        return cm_error_set(error, CM_ERROR_CAPACITY, "more than 2^32 clicks");
    for (size_t i = 0; i < count; i++) {
        const cm_click *click = &added[i];
        if (cm_records_click(records, click->tenant_id, click->click_id) != CM_NUMBER_NONE) {
            ++*duplicates;
            continue;
        }
        if (!cm_table_reserve_one(&records->click_ids))
            return cm_error_memory(error, "the click ids", cm_table_memory(&records->click_ids));
        cm_table_insert(&records->click_ids, id_hash(click->tenant_id, click->click_id),
                        (uint32_t)records->click_count);
        clicks[records->click_count++] = *click;
    }
    return CM_OK;
}

cm_status cm_records_add_conversions(cm_records *records, const cm_conversion *added, size_t count,
                                     uint64_t *duplicates, cm_error *error)
{
    size_t needed = records->conversion_count + count;
    cm_conversion *conversions =
        cm_grow(records->conversions, &records->conversion_capacity, needed, sizeof *conversions);
    if (conversions == NULL)
        return cm_error_memory(error, "the conversions", needed * sizeof *conversions);
    records->conversions = conversions;
    if (needed >= CM_NUMBER_NONE)
        return cm_error_set(error, CM_ERROR_CAPACITY, "more than 2^32 conversions");
    for (size_t i = 0; i < count; i++) {
        const cm_conversion *one = &added[i];
        if (cm_records_conversion(records, one->tenant_id, one->conversion_id) != CM_NUMBER_NONE) {
            ++*duplicates;
            continue;
        }
        if (!cm_table_reserve_one(&records->conversion_ids))
            return cm_error_memory(error, "the conversion ids",
                                   cm_table_memory(&records->conversion_ids));
        cm_table_insert(&records->conversion_ids, id_hash(one->tenant_id, one->conversion_id),
                        (uint32_t)records->conversion_count);
        conversions[records->conversion_count++] = *one;
    }
    return CM_OK;
}

static cm_status keep_clicks(cm_block_worker *worker, cm_error *error)
{
    struct read_worker *read = of(worker);
    cm_status status = cm_records_add_clicks(read->records, read->clicks, read->count,
                                             &worker->run->counts->duplicates, error);
    return status == CM_OK ? keep_bytes(read->records, &read->base.block, &read->base.arena, error)
                           : status;
}

static cm_status keep_conversions(cm_block_worker *worker, cm_error *error)
{
    struct read_worker *read = of(worker);
    cm_status status = cm_records_add_conversions(read->records, read->conversions, read->count,
                                                  &worker->run->counts->duplicates, error);
    return status == CM_OK ? keep_bytes(read->records, &read->base.block, &read->base.arena, error)
                           : status;
}

cm_status cm_records_read(cm_records *records, cm_row_kind kind, cm_source *source,
                          const cm_pipeline_options *options, cm_source_counts *counts,
                          cm_error *error)
{
    const cm_block_work work = {
        .worker_bytes = sizeof(struct read_worker),
        .begin = begin,
        .start = start,
        .row = kind == CM_ROW_CLICK ? take_click : take_conversion,
        .input = kind == CM_ROW_CLICK ? keep_clicks : keep_conversions,
        .end = end,
        .shared = records,
    };
    return cm_block_run_all(source, kind, &work, options, counts, error);
}

void cm_records_destroy(cm_records *records)
{
    for (size_t i = 0; i < records->bytes_count; i++) {
        cm_block_destroy(&records->bytes[i].block);
        cm_arena_destroy(&records->bytes[i].arena);
    }
    free(records->bytes);
    free(records->clicks);
    free(records->conversions);
    cm_table_destroy(&records->click_ids);
    cm_table_destroy(&records->conversion_ids);
    *records = (cm_records){0};
}
