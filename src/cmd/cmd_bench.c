#include "cmd/cmd_bench.h"

#include <stdio.h>

#include "cmd/bench_base.h"
#include "cmd/bench_machine.h"
#include "cmd/clock.h"
#include "cmd/database.h"
#include "cmd/report.h"
#include "cmd/run.h"
#include "cmd/summary.h"
#include "util/error.h"

/* What --quick makes of sizes that were not given. */
#define QUICK_CLICKS 20000
#define QUICK_CONVERSIONS 4000
#define QUICK_RATE 20000
#define QUICK_SCALE_MAX 5000
#define QUICK_REPETITIONS 2

#define WORLD_CLICK_BYTES 700.0
#define WORLD_CONVERSION_BYTES 1200.0

#define HOT_CLICKS 1000000
#define HOT_MATCH 50000
#define SCALE_MATCH 200000

#define BATCH_CLICKS 1000000
#define BATCH_CONVERSIONS 200000
#define BATCH_DAYS 14

/* ---- what is asked for ---- */

static uint64_t size_of(const cm_settings *settings, cm_option option, uint64_t quick)
{
    const cm_option_value *value = &settings->values[option];
    return cm_settings_flag(settings, CM_OPTION_QUICK) && !value->given ? quick : value->number;
}

/* The same where a section has a default of its own. */
static uint64_t own_size_of(const cm_settings *settings, cm_option option, uint64_t quick,
                            uint64_t usual)
{
    return settings->values[option].given || cm_settings_flag(settings, CM_OPTION_QUICK)
               ? size_of(settings, option, quick)
               : usual;
}

static cm_bench_sizes read_sizes(const cm_settings *settings)
{
    bool is_quick = cm_settings_flag(settings, CM_OPTION_QUICK);
    return (cm_bench_sizes){
        .seed = cm_settings_number(settings, CM_OPTION_SEED),
        .clicks = size_of(settings, CM_OPTION_BENCH_CLICKS, QUICK_CLICKS),
        .conversions = size_of(settings, CM_OPTION_BENCH_CONVERSIONS, QUICK_CONVERSIONS),
        .days = (uint32_t)cm_settings_number(settings, CM_OPTION_BENCH_DAYS),
        .threads = cm_run_threads(settings),
        .repetitions = (unsigned)size_of(settings, CM_OPTION_REPETITIONS, QUICK_REPETITIONS),
        .rate = size_of(settings, CM_OPTION_RATE, QUICK_RATE),
        .scale_max = size_of(settings, CM_OPTION_SCALE_MAX, QUICK_SCALE_MAX),
        .scale_match = is_quick ? QUICK_CONVERSIONS : SCALE_MATCH,
        .hot_clicks = is_quick ? QUICK_CLICKS : HOT_CLICKS,
        .hot_match = is_quick ? QUICK_CONVERSIONS : HOT_MATCH,
        .batch_clicks = own_size_of(settings, CM_OPTION_BENCH_CLICKS, QUICK_CLICKS, BATCH_CLICKS),
        .batch_conversions = own_size_of(settings, CM_OPTION_BENCH_CONVERSIONS, QUICK_CONVERSIONS,
                                         BATCH_CONVERSIONS),
        .batch_days = (uint32_t)own_size_of(settings, CM_OPTION_BENCH_DAYS, BATCH_DAYS, BATCH_DAYS),
        .is_quick = is_quick,
    };
}

static bool is_wanted(const cm_settings *settings, const char *name)
{
    const cm_option_value *only = &settings->values[CM_OPTION_ONLY_SECTIONS];
    for (size_t i = 0; i < only->text_count; i++)
        if (strcmp(only->texts[i], name) == 0)
            return true;
    return only->text_count == 0;
}

static cm_status refuse_section(const char *name, cm_error *error)
{
    char names[256] = "";
    for (size_t i = 0; i < cm_bench_section_count; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ",
                 cm_bench_sections[i].name);
    }
    return cm_error_set(error, CM_ERROR_USAGE, "--only: '%.200s' is no section; give one of %s",
                        name, names);
}

static cm_status check_sections(const cm_settings *settings, cm_error *error)
{
    const cm_option_value *only = &settings->values[CM_OPTION_ONLY_SECTIONS];
    for (size_t i = 0; i < only->text_count; i++) {
        size_t j = 0;
        while (j < cm_bench_section_count && strcmp(only->texts[i], cm_bench_sections[j].name) != 0)
            j++;
        if (j == cm_bench_section_count)
            return refuse_section(only->texts[i], error);
    }
    return CM_OK;
}

/* What is wrong with the server is told before anything is measured. */
static cm_status check_server(const cm_settings *settings, cm_error *error)
{
    cm_status status = cm_database_check(settings, CM_OPTION_BENCH_DB, error);
    for (size_t i = 0; i < cm_bench_section_count && status == CM_OK; i++) {
        const cm_bench_section *section = &cm_bench_sections[i];
        if (!section->needs_server || !is_wanted(settings, section->name))
            continue;
        if (cm_bench_base_is_given(settings))
            status = cm_bench_base_check(settings, error);
        else if (settings->values[CM_OPTION_ONLY_SECTIONS].given)
            status = cm_error_set(error, CM_ERROR_USAGE,
                                  "--only %s needs --db CONNINFO, a PostgreSQL server to make "
                                  "databases on; see clickmatch bench --help",
                                  section->name);
    }
    return status;
}

/* About what the simulated world takes when most of it is there: its CSV, the engine, records. */
static cm_status check_memory(const cm_bench *bench, cm_error *error)
{
    const double gib = 1 << 30;
    double needed = (double)bench->sizes.clicks * WORLD_CLICK_BYTES +
                    (double)bench->sizes.conversions * WORLD_CONVERSION_BYTES;
    uint64_t at_hand = cm_bench_memory_at_hand();
    bool is_needed = false;
    for (size_t i = 0; i < cm_bench_section_count; i++)
        is_needed |= cm_bench_sections[i].needs_world &&
                     is_wanted(bench->settings, cm_bench_sections[i].name);
    if (!is_needed || at_hand == 0 || needed < (double)at_hand)
        return CM_OK;
    return cm_error_set(error, CM_ERROR_MEMORY,
                        "the simulated world needs about %.1f GiB of memory, and %.1f are at hand; "
                        "give a smaller --clicks-count",
                        needed / gib, (double)at_hand / gib);
}

/* ---- output ---- */

static cm_status print_head(const cm_bench *bench, cm_error *error)
{
    cm_buffer text = {0};
    char line[256];
    cm_bench_machine_text(&text);
    snprintf(line, sizeof line, "sizes    %llu clicks, %llu conversions, seed %llu%s\n\n",
             (unsigned long long)bench->sizes.clicks, (unsigned long long)bench->sizes.conversions,
             (unsigned long long)bench->sizes.seed,
             bench->sizes.is_quick ? "; --quick: too small to measure" : "");
    cm_buffer_append_text(&text, line);
    return cm_print(&text, error);
}

/* A section is shown when it is done, not when all are: later ones may take minutes. */
static cm_status print_part(const cm_bench *bench, cm_error *error)
{
    cm_buffer text = {0};
    if (bench->record.failed)
        return cm_error_memory(error, "figures", 0);
    cm_bench_part_text(&bench->record.parts[bench->record.part_count - 1], &text);
    return cm_print(&text, error);
}

static json_t *sizes_json(const cm_bench_sizes *sizes)
{
    return json_pack("{s:I,s:I,s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:i,s:b}", "clicks",
                     (json_int_t)sizes->clicks, "conversions", (json_int_t)sizes->conversions,
                     "days", (int)sizes->days, "threads", (int)sizes->threads, "repetitions",
                     (int)sizes->repetitions, "rate", (json_int_t)sizes->rate, "scale_max",
                     (json_int_t)sizes->scale_max, "hot_clicks", (json_int_t)sizes->hot_clicks,
                     "batch_clicks", (json_int_t)sizes->batch_clicks, "batch_conversions",
                     (json_int_t)sizes->batch_conversions, "batch_days", (int)sizes->batch_days,
                     "quick", (int)sizes->is_quick);
}

static cm_status write_json(const cm_bench *bench, cm_output *output, cm_error *error)
{
    json_t *json =
        json_pack("{s:s,s:s,s:o,s:o,s:I,s:o,s:o}", "command", "bench", "version", CM_VERSION,
                  "machine", cm_bench_machine_json(), "build", cm_bench_build_json(), "seed",
                  (json_int_t)bench->sizes.seed, "sizes", sizes_json(&bench->sizes), "sections",
                  cm_bench_record_json(&bench->record));
    cm_status status = cm_summary_write(json, output, error);
    json_decref(json);
    return status;
}

/* ---- running ---- */

static cm_status run_section(cm_bench *bench, const cm_bench_section *section, cm_error *error)
{
    double began = cm_clock_seconds();
    if (section->needs_server && !cm_bench_base_is_given(bench->settings)) {
        cm_bench_record_leave_out(&bench->record, section->name,
                                  "not measured; give --db CONNINFO, a PostgreSQL server to make "
                                  "databases on");
        return CM_OK;
    }
    cm_log_info(bench->log, "measuring: %s", section->name);
    cm_bench_record_begin(&bench->record, section->name);
    if (bench->record.failed)
        return cm_error_memory(error, "figures", 0);
    cm_status status = section->run(bench, error);
    cm_bench_record_end(&bench->record, cm_clock_seconds() - began);
    return status;
}

static cm_status run_sections(cm_bench *bench, bool is_printed, cm_error *error)
{
    cm_status status = is_printed ? print_head(bench, error) : CM_OK;
    for (size_t i = 0; i < cm_bench_section_count && status == CM_OK; i++) {
        const cm_bench_section *section = &cm_bench_sections[i];
        if (!is_wanted(bench->settings, section->name))
            continue;
        if (!section->needs_world)
            cm_bench_world_destroy(&bench->world);
        status = run_section(bench, section, error);
        if (status == CM_OK && is_printed)
            status = print_part(bench, error);
    }
    cm_bench_world_destroy(&bench->world);
    return status;
}

cm_status cm_cmd_bench(const cm_settings *settings, cm_log *log, cm_error *error)
{
    cm_bench bench = {.settings = settings, .log = log, .sizes = read_sizes(settings)};
    const char *path = cm_settings_text(settings, CM_OPTION_JSON);
    const cm_output_options options = {.option = "--json"};
    cm_output *output = NULL;
    cm_status status = check_sections(settings, error);
    if (status == CM_OK)
        status = check_memory(&bench, error);
    if (status == CM_OK)
        status = check_server(settings, error);
    if (status == CM_OK && path != NULL)
        status = cm_output_open(path, &options, &output, error);
    if (status == CM_OK)
        status = run_sections(&bench, path == NULL || strcmp(path, "-") != 0, error);
    if (status == CM_OK && output != NULL)
        status = write_json(&bench, output, error);
    else
        cm_output_abort(output);
    cm_bench_record_destroy(&bench.record);
    return status;
}
