/* `explain` from PostgreSQL: one tenant's clicks around one conversion, within one snapshot. */
#include <stdlib.h>
#include <string.h>

#include "cmd/explain_stored.h"
#include "cmd/interrupt.h"
#include "cmd/run.h"
#include "io/pgcopy_writer.h"
#include "model/build.h"
#include "pg/pg_explain.h"
#include "pg/pg_snapshot.h"
#include "pg/pg_tenants.h"
#include "util/error.h"
#include "util/time.h"

struct reading {
    cm_explained *explained;
    cm_pg_snapshot snapshot;
    char *tenant; /* NUL-terminated; owned */
    int64_t t_us;
    char id[CM_UUID_BYTES]; /* the conversion's key */
    cm_buffer stored;       /* its result as encoded */
    cm_arena arena;         /* of a block of rows */
    uint64_t rejected;      /* clicks */
};

/* ---- rows ---- */

static cm_status refuse_conversion(const struct reading *reading, const cm_reject *reject,
                                   cm_error *error)
{
    const char *field =
        reject->field == CM_FIELD_NONE ? "row" : cm_field_name(CM_ROW_CONVERSION, reject->field);
    return cm_error_set(error, CM_ERROR_ARGUMENT,
                        "conversion '%.100s' is malformed and has no result: %s: %s; mend it, or "
                        "try --lenient",
                        reading->explained->conversion_id, field, reject->reason);
}

static cm_status take_conversion(struct reading *reading, const cm_build_options *options,
                                 const cm_pg_row *row, cm_error *error)
{
    cm_explained *explained = reading->explained;
    cm_conversion conversion;
    cm_reject reject;
    const cm_value *id = &row->values[CM_CONVERSION_CONVERSION_ID];
    if (!cm_slice_equal(id->text, cm_slice_of_text(explained->conversion_id)))
        return CM_OK; /* another one of the same microsecond */
    cm_status status =
        cm_conversion_build(row->values, options, &reading->arena, NULL, &conversion, &reject);
    if (status == CM_ERROR_FORMAT)
        return refuse_conversion(reading, &reject, error);
    if (status != CM_OK)
        return cm_error_memory(error, "a conversion", sizeof conversion);
    memcpy(reading->id, row->id, sizeof reading->id);
    cm_buffer_append_slice(&reading->stored, row->stored);
    return cm_explained_begin(explained, &conversion, error);
}

static cm_status take_click(struct reading *reading, const cm_build_options *options,
                            const cm_pg_row *row, cm_error *error)
{
    cm_click click;
    cm_reject reject;
    cm_status status = cm_click_build(row->values, options, &reading->arena, NULL, &click, &reject);
    if (status == CM_ERROR_FORMAT) {
        reading->rejected++;
        return CM_OK;
    }
    if (status != CM_OK)
        return cm_error_memory(error, "a click", sizeof click);
    click.reference = cm_slice_of(row->id, CM_UUID_BYTES);
    return cm_explained_add(reading->explained, &click, error);
}

static cm_status take_block(struct reading *reading, cm_row_kind kind, cm_pg_rows *rows,
                            cm_error *error)
{
    const cm_build_options options = cm_run_build_options(reading->explained->settings, NULL);
    cm_status status = CM_OK;
    bool found = true;
    cm_arena_reset(&reading->arena);
    while (status == CM_OK) {
        cm_pg_row row;
        status = cm_pg_rows_next(rows, &row, &found, error);
        if (status != CM_OK || !found)
            break;
        status =
            (kind == CM_ROW_CLICK ? take_click : take_conversion)(reading, &options, &row, error);
    }
    return status;
}

/* All rows of a kind in a period, over the one connection. */
static cm_status read_rows(struct reading *reading, cm_row_kind kind, const cm_pg_period *period,
                           cm_error *error)
{
    cm_pg_period_values values;
    cm_pg_parts parts;
    cm_pg_rows rows = {0};
    bool more = true;
    cm_status status = cm_pg_period_values_make(period, &values, error);
    if (status == CM_OK)
        status = cm_pg_snapshot_cut(&reading->snapshot, kind, &parts, error);
    if (status == CM_OK)
        status = cm_pg_snapshot_read(&reading->snapshot, 0, &parts, 0, &values, &rows, error);
    while (status == CM_OK) {
        status = cm_pg_rows_fetch(&rows, &more, error);
        if (status != CM_OK || !more)
            break;
        status = take_block(reading, kind, &rows, error);
    }
    cm_pg_rows_close(&rows);
    cm_pg_period_values_destroy(&values);
    return status;
}

/* ---- the conversion, then its clicks ---- */

static cm_status find(struct reading *reading, cm_error *error)
{
    const cm_explained *explained = reading->explained;
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_explain_find(&reading->snapshot.readers[0], explained->conversion_id,
                                          explained->tenant, &answer, error);
    if (status != CM_OK)
        return status;
    if (cm_pg_answer_rows(&answer) == 0)
        status = cm_explained_missing(explained, "conversion_tracking", error);
    else if (cm_pg_answer_rows(&answer) > 1)
        status =
            cm_explained_ambiguous(explained, cm_slice_of_text(cm_pg_answer_text(&answer, 0, 0)),
                                   cm_slice_of_text(cm_pg_answer_text(&answer, 1, 0)), error);
    else if (cm_pg_answer_text(&answer, 0, 1) == NULL)
        status = refuse_conversion(
            reading, &(cm_reject){CM_CONVERSION_CONVERSION_TIMESTAMP, "it is infinite"}, error);
    else {
        reading->t_us = strtoll(cm_pg_answer_text(&answer, 0, 1), NULL, 10);
        reading->tenant = strdup(cm_pg_answer_text(&answer, 0, 0));
        if (reading->tenant == NULL)
            status = cm_error_memory(error, "a tenant's name", 256);
    }
    cm_pg_answer_free(&answer);
    return status;
}

static cm_status read_conversion(struct reading *reading, cm_error *error)
{
    const char *const tenants[] = {reading->tenant};
    const cm_pg_period period = {.from_us = reading->t_us,
                                 .to_us = reading->t_us + 1,
                                 .tenants = tenants,
                                 .tenant_count = 1};
    cm_status status = read_rows(reading, CM_ROW_CONVERSION, &period, error);
    if (status == CM_OK && reading->stored.failed)
        return cm_error_memory(error, "the stored result", reading->stored.size);
    if (status == CM_OK && !reading->explained->is_found)
        return cm_explained_missing(reading->explained, "conversion_tracking", error);
    return status;
}

/* Those that could be found then, and a window more to either side, to say what was missed. */
static cm_status read_clicks(struct reading *reading, cm_error *error)
{
    const cm_model *model = reading->explained->model;
    const char *const tenants[] = {reading->tenant};
    int64_t findable_us = model->window_us + model->retention_us;
    int64_t lookback_us = model->probabilistic_window_us;
    int64_t from_us = reading->t_us - model->window_us;
    const cm_pg_period period = {
        .from_us = from_us > 0 ? from_us : 0,
        .to_us = reading->t_us + model->window_us,
        .tenants = tenants,
        .tenant_count = 1,
        .with_campaigns = true,
        .reach_us = findable_us > lookback_us ? findable_us : lookback_us,
        .retention_us = model->retention_us,
    };
    cm_status status = read_rows(reading, CM_ROW_CLICK, &period, error);
    if (status == CM_OK && reading->rejected > 0)
        cm_log_warning(reading->explained->log,
                       "%llu rows of click_tracking are malformed and take no part",
                       (unsigned long long)reading->rejected);
    return status;
}

static cm_status run(struct reading *reading, cm_error *error)
{
    const cm_settings *settings = reading->explained->settings;
    const cm_pg_options options = {.conninfo = cm_settings_text(settings, CM_OPTION_DB),
                                   .schema = cm_settings_text(settings, CM_OPTION_SCHEMA),
                                   .interrupt = cm_interrupt_flag(),
                                   .allow_superuser =
                                       cm_settings_flag(settings, CM_OPTION_ALLOW_SUPERUSER)};
    cm_pg *pg = &reading->snapshot.readers[0];
    cm_status status = cm_pg_snapshot_open(&options, 1, &reading->snapshot, error);
    if (status == CM_OK)
        status = cm_pg_engine_check(pg, &options, error);
    if (status == CM_OK)
        status = find(reading, error);
    if (status == CM_OK)
        status = read_conversion(reading, error);
    if (status == CM_OK)
        status = read_clicks(reading, error);
    if (status == CM_OK)
        status = cm_explained_end(reading->explained, error);
    if (status != CM_OK)
        return status;
    return cm_explain_stored(reading->explained, pg, reading->id,
                             cm_slice_of(reading->stored.data, reading->stored.size), error);
}

cm_status cm_explain_database(cm_explained *explained, cm_error *error)
{
    struct reading reading = {.explained = explained};
    cm_status status = run(&reading, error);
    cm_pg_snapshot_close(&reading.snapshot);
    cm_buffer_destroy(&reading.stored);
    cm_arena_destroy(&reading.arena);
    free(reading.tenant);
    return status;
}
