#include "cmd/cmd_stream.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/clock.h"
#include "cmd/database.h"
#include "cmd/interrupt.h"
#include "cmd/memory_max.h"
#include "cmd/stream_run.h"
#include "util/error.h"

#define OWN_MAP_BYTES (1 << 20) /* from this size on memory is mapped, and unmapped */
#define HEAP_SPARE_BYTES (4 << 20)

static int64_t duration_us(const cm_settings *settings, cm_option option)
{
    return (int64_t)cm_settings_number(settings, option);
}

/* ---- where results go ---- */

static bool is_sink(const cm_settings *settings, const char *name)
{
    const cm_option_value *sinks = &settings->values[CM_OPTION_SINK];
    for (size_t i = 0; i < sinks->text_count; i++)
        if (strcmp(sinks->texts[i], name) == 0)
            return true;
    return sinks->text_count == 0 && strcmp(name, "stdout") == 0;
}

/* What is rejected of the events is in the database; a row of a file is no event, and retrying it
 * would not bring the click to this stream. */
static cm_status check_rejects(const cm_settings *settings, cm_error *error)
{
    if (settings->values[CM_OPTION_WARM_CLICKS].text_count == 0 || !is_sink(settings, "db") ||
        cm_settings_text(settings, CM_OPTION_REJECTS) != NULL)
        return CM_OK;
    return cm_error_set(error, CM_ERROR_USAGE,
                        "--sink db keeps rejected events, but no rejected rows of --clicks; give "
                        "--rejects FILE, too, which keeps both");
}

static cm_status check_sinks(const cm_settings *settings, cm_error *error)
{
    const cm_option_value *sinks = &settings->values[CM_OPTION_SINK];
    for (size_t i = 0; i < sinks->text_count; i++)
        if (strcmp(sinks->texts[i], "stdout") != 0 && strcmp(sinks->texts[i], "db") != 0)
            return cm_error_set(error, CM_ERROR_USAGE,
                                "--sink: '%.200s' is not allowed; give stdout or db",
                                sinks->texts[i]);
    if (cm_settings_flag(settings, CM_OPTION_STORE_CLICKS) && !is_sink(settings, "db"))
        return cm_error_set(error, CM_ERROR_USAGE,
                            "--store-clicks stores them in PostgreSQL; give --sink db, too");
    if (cm_settings_text(settings, CM_OPTION_HASH_PII) != NULL && is_sink(settings, "db"))
        return cm_error_set(error, CM_ERROR_USAGE,
                            "--sink db writes events as they came, with addresses and user agents; "
                            "leave it or --hash-pii out");
    return check_rejects(settings, error);
}

/* Is there a database, to begin with or as a sink? */
static bool has_database(const cm_settings *settings)
{
    return settings->values[CM_OPTION_STREAM_DB].given || is_sink(settings, "db");
}

/* ---- before the events ---- */

static cm_status create_engine(cm_stream_run *run, cm_error *error)
{
    cm_options options = {0};
    cm_status status = cm_model_source_read(&run->source, cm_interrupt_flag(), &run->model,
                                            &run->begins_built_in, error);
    if (status != CM_OK)
        return status;
    run->run.summary.model = cm_model_label(run->model);
    status = cm_pii_take_model(run->run.pii, run->model, error);
    if (status == CM_OK)
        status = cm_run_random(&options.hash_seed, error);
    return status == CM_OK ? cm_engine_create(&options, run->model, &run->engine, error) : status;
}

static cm_status create_stream(cm_stream_run *run, cm_error *error)
{
    const cm_settings *settings = run->run.settings;
    const char *events = cm_settings_text(settings, CM_OPTION_EVENTS);
    cm_memory_shares shares = cm_memory_shares_of(settings);
    const cm_stream_options options = {
        .clock = {.lateness_us = duration_us(settings, CM_OPTION_LATENESS),
                  .grace_us = duration_us(settings, CM_OPTION_GRACE),
                  .max_future_us = duration_us(settings, CM_OPTION_MAX_FUTURE)},
        .build = cm_run_build_options(settings, run->run.pii),
        .line_bytes_max = cm_settings_number(settings, CM_OPTION_LINE_MAX),
        .click_bytes_max = shares.clicks,
        .name_bytes_max = shares.names,
        .tenants_max = cm_settings_number(settings, CM_OPTION_TENANTS_MAX),
        .source = events,
        .is_resumable = cm_settings_text(settings, CM_OPTION_CHECKPOINT) != NULL,
    };
    const cm_stream_listener listener = {
        .click = cm_settings_flag(settings, CM_OPTION_STORE_CLICKS) ? cm_stream_run_click : NULL,
        .results = cm_stream_run_results,
        .reject = cm_stream_run_reject,
        .needs_values = is_sink(settings, "db"),
        .context = run};
    run->run.summary.memory.max = shares.all;
    run->idle_ns = cm_settings_number(settings, CM_OPTION_IDLE) * 1000;
    return cm_stream_create(run->engine, &options, &listener, &run->stream, error);
}

/* A stream that goes on adds to what it has written. */
static cm_status open_output(cm_stream_run *run, bool goes_on, cm_error *error)
{
    const cm_settings *settings = run->run.settings;
    const cm_output_options options = {
        .is_growing = true, .is_fresh = !goes_on, .interrupt = cm_interrupt_flag()};
    cm_format format = cm_settings_number(settings, CM_OPTION_FORMAT_STREAM) == 0 ? CM_FORMAT_NDJSON
                                                                                  : CM_FORMAT_CSV;
    cm_status status = CM_OK;
    if (is_sink(settings, "stdout"))
        status = cm_output_open(cm_settings_text(settings, CM_OPTION_OUTPUT), &options,
                                &run->run.output, error);
    cm_stream_output_init(&run->output, run->run.output, format,
                          cm_settings_number(settings, CM_OPTION_LINGER), !goes_on);
    return status;
}

static cm_status open_sink(cm_stream_run *run, cm_error *error)
{
    uint64_t seed;
    if (!is_sink(run->run.settings, "db"))
        return CM_OK;
    cm_status status = cm_run_random(&seed, error);
    if (status != CM_OK)
        return status;
    run->sink.wait = cm_stream_run_wait;
    run->sink.context = run;
    return cm_stream_sink_open(&run->sink, run->run.settings, run->model, seed, error);
}

/* Without a checkpoint the window is anew, but the database may know how far an earlier run got. */
static void tell_position(cm_stream_run *run)
{
    cm_sink_figures sink = cm_stream_sink_figures(&run->sink);
    if (sink.is_used && sink.position_seq > 0)
        cm_log_info(run->run.log, "PostgreSQL has what came of all events up to seq %llu",
                    (unsigned long long)sink.position_seq);
}

/* ---- the run ---- */

static bool add_details(cm_summary *summary, const cm_stream_counts *counts)
{
    char rooms[5][CM_COUNT_BYTES];
    snprintf(summary->note, sizeof summary->note,
             "%-15s malformed lines %s, late conversions %s, clicks too old %s, events ahead %s, "
             "seen before %s",
             "events", cm_count_text(counts->malformed, rooms[0]),
             cm_count_text(counts->late, rooms[1]), cm_count_text(counts->too_old, rooms[2]),
             cm_count_text(counts->waited, rooms[3]), cm_count_text(counts->seen_before, rooms[4]));
    summary->details = json_pack(
        "{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "malformed_lines", (json_int_t)counts->malformed,
        "late_conversions", (json_int_t)counts->late, "clicks_too_old", (json_int_t)counts->too_old,
        "events_ahead", (json_int_t)counts->waited, "clicks_refused", (json_int_t)counts->refused,
        "clicks_dropped", (json_int_t)counts->dropped, "seen_before",
        (json_int_t)counts->seen_before, "seq_not_rising", (json_int_t)counts->disordered);
    return summary->details != NULL;
}

static cm_status summarize(cm_stream_run *run, double seconds, cm_error *error)
{
    const cm_stream_counts *counts = &run->stream->counts;
    cm_summary *summary = &run->run.summary;
    const char *name = run->input.file.source.name;
    uint64_t rows = counts->kinds[CM_ROW_CLICK].rows + counts->kinds[CM_ROW_CONVERSION].rows;
    cm_summary_phase_add(summary, "stream", seconds, rows);
    summary->matched = counts->matched;
    summary->engine_clicks = cm_engine_click_count(run->engine);
    summary->engine_bytes = cm_engine_memory(run->engine);
    summary->memory.left_out += counts->dropped;
    summary->memory.has_forgotten = counts->dropped > 0;
    if (counts->dropped > 0 && counts->dropped_us >= summary->memory.left_out_us)
        summary->memory.left_out_us = counts->dropped_us + 1;
    if (add_details(summary, counts) &&
        cm_summary_source_add(summary, name, CM_ROW_CLICK, &counts->kinds[CM_ROW_CLICK]) &&
        cm_summary_source_add(summary, name, CM_ROW_CONVERSION, &counts->kinds[CM_ROW_CONVERSION]))
        return CM_OK;
    return cm_error_memory(error, "the summary", sizeof *counts);
}

/* The window, from a checkpoint or from what there is to begin with. */
static cm_status open_window(cm_stream_run *run, bool *resumed, cm_error *error)
{
    const cm_settings *settings = run->run.settings;
    cm_status status = cm_stream_checkpoint_open(&run->checkpoint, settings, run->run.log,
                                                 run->stream, &run->sink, run->run.rejects.output,
                                                 cm_run_threads(settings), resumed, error);
    if (status == CM_OK && *resumed)
        cm_stream_fit(run->stream);
    if (status != CM_OK || *resumed)
        return status;
    tell_position(run);
    status = cm_stream_warm_up(run, error);
    if (status == CM_OK)
        status = cm_rejects_flush(&run->run.rejects, error);
    /* What the database has to begin with changes with the first click that is stored there. */
    return status == CM_OK ? cm_stream_checkpoint_start(&run->checkpoint, error) : status;
}

static cm_status prepare(cm_stream_run *run, cm_error *error)
{
    const cm_stream_pause pause = {cm_stream_run_pause, run};
    const char *events = cm_settings_text(run->run.settings, CM_OPTION_EVENTS);
    bool resumed = false;
    cm_status status = cm_interrupt_install_live(error);
    if (status == CM_OK)
        status = create_engine(run, error);
    if (status == CM_OK)
        status = create_stream(run, error);
    if (status == CM_OK)
        status = open_sink(run, error);
    if (status == CM_OK)
        status = cm_stream_tell_begin(run, error);
    if (status == CM_OK)
        cm_model_source_tell(&run->source, "model", run->model, run->begins_built_in, run->run.log);
    if (status == CM_OK)
        status = open_window(run, &resumed, error);
    if (status == CM_OK)
        status = open_output(run, resumed && run->stream->events > 0, error);
    if (status == CM_OK)
        status = cm_stream_input_open(events, &pause, &run->input, error);
    return status;
}

static cm_status work(cm_stream_run *run, cm_error *error)
{
    cm_error ignored;
    cm_status status = prepare(run, error);
    if (status != CM_OK)
        return status;
    cm_rejects_source(&run->run.rejects, "events");
    double began = cm_clock_seconds();
    status = cm_stream_run_all(run, error);
    cm_status told = summarize(run, cm_clock_seconds() - began, status == CM_OK ? error : &ignored);
    return status == CM_OK ? told : status;
}

/* Large arrays come, grow and go for days. In the heap they leave holes that are not quite as large
 * as the next one, and memory grows by a half in some hundred windows; in maps of their own they
 * leave nothing. */
static void set_up_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, OWN_MAP_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, HEAP_SPARE_BYTES);
}

cm_status cm_cmd_stream(const cm_settings *settings, cm_log *log, cm_error *error)
{
    set_up_memory();
    const cm_output_options rejects = {.is_growing = true,
                                       .is_fresh = !cm_stream_checkpoint_exists(settings)};
    cm_status status = cm_database_check(settings, CM_OPTION_STREAM_DB, error);
    if (status == CM_OK)
        status = check_sinks(settings, error);
    if (status != CM_OK)
        return status;
    cm_stream_run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return cm_error_memory(error, "a stream", sizeof *run);
    status = cm_model_source_init(settings, CM_OPTION_MODEL_OR_NAME, CM_OPTION_STREAM_DB,
                                  has_database(settings), &run->source, error);
    if (status != CM_OK) {
        free(run);
        return status;
    }
    status = cm_run_begin("stream", settings, &rejects, log, &run->run, error);
    if (status == CM_OK)
        status = work(run, error);
    cm_stream_tell_end(run);
    status = cm_run_end(&run->run, status, error);
    cm_stream_input_close(&run->input);
    cm_stream_checkpoint_close(&run->checkpoint);
    cm_stream_sink_close(&run->sink);
    cm_stream_output_destroy(&run->output);
    cm_model_reload_close(&run->reload);
    cm_stream_destroy(run->stream);
    cm_engine_destroy(run->engine);
    cm_model_destroy(run->model);
    free(run);
    return status;
}
