/* `explain` from files: twice over the conversions' and clicks' rows, nothing kept but one tenant's
 * clicks. */
#include <stdio.h>
#include <string.h>

#include "cmd/explain_run.h"
#include "cmd/inputs.h"
#include "cmd/interrupt.h"
#include "cmd/rejects.h"
#include "cmd/run.h"
#include "util/error.h"
#include "util/slice.h"

struct reading {
    cm_explained *explained;
    cm_row_kind kind;
    cm_pipeline_options pipeline;
    uint64_t rows, rejected;
};

static cm_status take_conversion(void *context, const cm_conversion *conversion, cm_error *error)
{
    struct reading *reading = context;
    cm_explained *explained = reading->explained;
    if (!cm_slice_equal(conversion->conversion_id, cm_slice_of_text(explained->conversion_id)))
        return CM_OK;
    if (!explained->is_found)
        return cm_explained_begin(explained, conversion, error);
    /* Of one tenant the first stands, as for match. */
    if (cm_slice_equal(conversion->tenant_id, explained->conversion.tenant_id))
        return CM_OK;
    return cm_explained_ambiguous(explained, explained->conversion.tenant_id, conversion->tenant_id,
                                  error);
}

static cm_status take_click(void *context, const cm_click *click, cm_error *error)
{
    struct reading *reading = context;
    return cm_explained_add(reading->explained, click, error);
}

static cm_slice tenant_wanted(const struct reading *reading)
{
    return reading->kind == CM_ROW_CLICK ? reading->explained->conversion.tenant_id
                                         : cm_slice_of_text(reading->explained->tenant);
}

static cm_status read_file(struct reading *reading, const char *path, cm_error *error)
{
    const cm_settings *settings = reading->explained->settings;
    const cm_record_taker taker = {take_click, take_conversion, reading};
    cm_source_counts counts = {0};
    cm_opened opened;
    cm_status status = cm_opened_open(path, &opened, error);
    if (status != CM_OK)
        return status;
    status = cm_pipeline_each(&opened.unpacked, reading->kind, tenant_wanted(reading), &taker,
                              &reading->pipeline, &counts, error);
    if (status == CM_OK)
        status =
            cm_rejects_check(settings, opened.unpacked.name, counts.rows, counts.rejected, error);
    reading->rows += counts.rows;
    reading->rejected += counts.rejected;
    cm_opened_close(&opened);
    return status;
}

static cm_status read_files(struct reading *reading, const cm_option_value *paths, cm_error *error)
{
    cm_status status = CM_OK;
    for (size_t i = 0; i < paths->text_count && status == CM_OK; i++)
        status = read_file(reading, paths->texts[i], error);
    if (status == CM_OK && reading->rejected > 0)
        cm_log_warning(reading->explained->log,
                       "%llu rows of %s are malformed and take no part; match --rejects lists them",
                       (unsigned long long)reading->rejected, cm_rejects_kind_name(reading->kind));
    return status;
}

static cm_status find(cm_explained *explained, struct reading *reading, cm_error *error)
{
    char where[64];
    const cm_option_value *paths = &explained->settings->values[CM_OPTION_EXPLAIN_CONVERSIONS];
    cm_status status = read_files(reading, paths, error);
    if (status != CM_OK || explained->is_found)
        return status;
    (void)snprintf(where, sizeof where, "the %llu rows of --conversions",
                   (unsigned long long)reading->rows);
    return cm_explained_missing(explained, where, error);
}

cm_status cm_explain_files(cm_explained *explained, cm_error *error)
{
    const cm_settings *settings = explained->settings;
    struct reading reading = {
        .explained = explained,
        .kind = CM_ROW_CONVERSION,
        .pipeline = {.build = cm_run_build_options(settings, NULL),
                     .line_bytes_max = cm_settings_number(settings, CM_OPTION_LINE_MAX),
                     .threads = cm_run_threads(settings),
                     .interrupted = cm_interrupt_flag()},
    };
    cm_status status = find(explained, &reading, error);
    reading.kind = CM_ROW_CLICK;
    reading.rows = reading.rejected = 0;
    if (status == CM_OK)
        status = read_files(&reading, &settings->values[CM_OPTION_EXPLAIN_CLICKS], error);
    return status == CM_OK ? cm_explained_end(explained, error) : status;
}
