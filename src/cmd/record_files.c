#include "cmd/record_files.h"

#include "cmd/inputs.h"
#include "cmd/memory_max.h"
#include "cmd/run_files.h"
#include "store/dictionary.h"
#include "util/error.h"

struct reading {
    cm_run *run;
    cm_records *records;
    cm_pipeline_options pipeline;
};

static cm_status read_source(void *context, cm_row_kind kind, cm_source *source,
                             cm_source_counts *counts, cm_error *error)
{
    struct reading *all = context;
    return cm_records_read(all->records, kind, source, &all->pipeline, counts, error);
}

static cm_status read_files(struct reading *all, cm_row_kind kind, cm_option option,
                            const char *phase, cm_error *error)
{
    cm_run_files files = {
        .kind = kind, .phase = phase, .paths = &all->run->settings->values[option]};
    cm_status status =
        cm_inputs_check(files.paths->texts, files.paths->text_count, &files.bytes, error);
    return status == CM_OK ? cm_run_files_read(all->run, &files, read_source, all, error) : status;
}

/* As `match` counts them: whoever names another column tenant_id is told so here, too. */
static cm_status check_tenants(const cm_run *run, const cm_records *records, cm_error *error)
{
    cm_load_limits limits = cm_memory_load_limits(run->settings);
    cm_dictionary tenants = {0};
    uint64_t seed;
    cm_status status = cm_run_random(&seed, error);
    for (size_t i = 0; i < records->click_count && status == CM_OK; i++) {
        cm_slice tenant = records->clicks[i].tenant_id;
        if (i > 0 && cm_slice_equal(tenant, records->clicks[i - 1].tenant_id))
            continue;
        if (cm_dictionary_intern(&tenants, tenant, cm_hash_slice(tenant, seed)) == CM_NUMBER_NONE)
            status = cm_error_memory(error, "tenants", cm_dictionary_memory(&tenants));
        else if (tenants.used > limits.tenants_max)
            status = cm_memory_refuse_tenants(
                &limits, run->settings->values[CM_OPTION_CLICKS].texts[0], error);
    }
    cm_dictionary_destroy(&tenants);
    return status;
}

cm_status cm_record_files_read(cm_run *run, cm_records *records, cm_error *error)
{
    records->bytes_max = cm_memory_shares_of(run->settings).records;
    run->summary.memory.max = cm_memory_shares_of(run->settings).all;
    struct reading all = {.run = run, .records = records, .pipeline = cm_run_pipeline(run)};
    cm_status status = read_files(&all, CM_ROW_CLICK, CM_OPTION_CLICKS, "clicks", error);
    if (status == CM_OK)
        status = check_tenants(run, records, error);
    if (status == CM_OK)
        status = read_files(&all, CM_ROW_CONVERSION, CM_OPTION_CONVERSIONS, "conversions", error);
    return status;
}
