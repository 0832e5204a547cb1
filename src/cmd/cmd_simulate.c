#include "cmd/cmd_simulate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/clock.h"
#include "cmd/interrupt.h"
#include "cmd/progress.h"
#include "cmd/run.h"
#include "file/output.h"
#include "sim/sim.h"
#include "util/error.h"

#define FILE_COUNT 4

struct world;

struct file {
    struct world *world;
    char *path;
    cm_output *output;
};

struct world {
    cm_log *log;
    const char *directory;
    bool made_directory;
    struct file files[FILE_COUNT];
    cm_progress progress;
    cm_source rows; /* stands for what is made, so that its progress can be shown */
    uint64_t rows_done, rows_total;
};

static const char *const names[FILE_COUNT] = {"clicks", "conversions", "click_truth",
                                              "conversion_truth"};

static void tell_rows(void *context, uint64_t *done, uint64_t *total)
{
    const struct world *world = context;
    *done = world->rows_done;
    *total = world->rows_total;
}

static void show_progress(struct world *world, const char *bytes, size_t size)
{
    if (!cm_log_has_progress(world->log))
        return;
    for (size_t i = 0; i < size; i++)
        world->rows_done += bytes[i] == '\n';
    cm_progress_update(&world->progress, world->rows_done);
}

static cm_status write_file(void *context, const char *bytes, size_t size, cm_error *error)
{
    struct file *file = context;
    if (atomic_load(cm_interrupt_flag()))
        return cm_error_set(error, CM_ERROR_INTERRUPTED,
                            "interrupted while simulating; no file was written");
    show_progress(file->world, bytes, size);
    cm_sink *sink = cm_output_sink(file->output);
    return sink->write(sink->context, bytes, size, error);
}

static cm_status make_directory(struct world *world, cm_error *error)
{
    world->made_directory = mkdir(world->directory, 0777) == 0;
    if (world->made_directory || errno == EEXIST)
        return CM_OK;
    return cm_error_set(error, CM_ERROR_IO,
                        "%.200s: cannot make this directory: %s; choose another --output",
                        world->directory, strerror(errno));
}

static cm_status open_file(struct file *file, const char *name, const char *suffix, cm_error *error)
{
    if (asprintf(&file->path, "%s/%s.%s", file->world->directory, name, suffix) < 0) {
        file->path = NULL;
        return cm_error_memory(error, "a file name", strlen(file->world->directory));
    }
    return cm_output_open(file->path, NULL, &file->output, error);
}

static cm_status open_files(struct world *world, cm_sim_format format, cm_error *error)
{
    const char *suffix = format == CM_SIM_CSV ? "csv" : "ndjson";
    cm_status status = make_directory(world, error);
    for (size_t i = 0; i < FILE_COUNT && status == CM_OK; i++) {
        world->files[i].world = world;
        status = open_file(&world->files[i], names[i], suffix, error);
    }
    return status;
}

static void close_files(struct world *world, cm_status status)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        cm_output_abort(world->files[i].output);
        free(world->files[i].path);
    }
    if (status != CM_OK && world->made_directory)
        rmdir(world->directory); /* stays where a file of it is there */
}

static cm_status commit_files(struct world *world, cm_error *error)
{
    cm_status status = CM_OK;
    for (size_t i = 0; i < FILE_COUNT && status == CM_OK; i++) {
        cm_output *output = world->files[i].output;
        world->files[i].output = NULL;
        status = cm_output_commit(output, error);
    }
    return status;
}

static cm_sim_config configure(const cm_settings *settings)
{
    cm_sim_config config;
    cm_sim_config_default(&config);
    config.seed = cm_settings_number(settings, CM_OPTION_SEED);
    config.click_count = cm_settings_number(settings, CM_OPTION_CLICKS_COUNT);
    config.conversion_count = cm_settings_number(settings, CM_OPTION_CONVERSIONS_COUNT);
    config.organic_share = settings->values[CM_OPTION_ORGANIC].share;
    config.tenant_count = (uint32_t)cm_settings_number(settings, CM_OPTION_TENANTS);
    config.days = (uint32_t)cm_settings_number(settings, CM_OPTION_DAYS);
    config.start_us = settings->values[CM_OPTION_START].time_us;
    config.format =
        cm_settings_number(settings, CM_OPTION_FORMAT_FILES) == 0 ? CM_SIM_CSV : CM_SIM_NDJSON;
    config.threads = cm_run_threads(settings);
    return config;
}

static void tell(const cm_sim_config *config, const struct world *world, double seconds)
{
    char rooms[2][CM_COUNT_BYTES];
    cm_log_info(world->log, "%s clicks and %s conversions of seed %llu in %.300s, in %.2f s",
                cm_count_text(config->click_count, rooms[0]),
                cm_count_text(config->conversion_count, rooms[1]), (unsigned long long)config->seed,
                world->directory, seconds);
}

static cm_status make(const cm_sim_config *config, struct world *world, cm_error *error)
{
    cm_sim_sink sinks[FILE_COUNT];
    for (size_t i = 0; i < FILE_COUNT; i++)
        sinks[i] = (cm_sim_sink){write_file, &world->files[i]};
    const cm_sim_sinks all = {sinks[0], sinks[1], sinks[2], sinks[3]};
    world->rows = (cm_source){world, world->directory, NULL, tell_rows};
    world->rows_total = 2 * (config->click_count + config->conversion_count); /* with the truth */
    cm_progress_init(&world->progress, world->log);
    cm_progress_phase(&world->progress, "simulate", world->rows_total);
    cm_progress_source(&world->progress, &world->rows);
    return cm_sim_run(config, &all, error);
}

cm_status cm_cmd_simulate(const cm_settings *settings, cm_log *log, cm_error *error)
{
    struct world world = {.log = log,
                          .directory = settings->values[CM_OPTION_OUTPUT_DIRECTORY].texts[0]};
    cm_sim_config config = configure(settings);
    double began = cm_clock_seconds();
    cm_status status = open_files(&world, config.format, error);
    if (status == CM_OK)
        status = make(&config, &world, error);
    if (status == CM_OK)
        status = commit_files(&world, error);
    close_files(&world, status);
    if (status == CM_OK)
        tell(&config, &world, cm_clock_seconds() - began);
    return status == CM_ERROR_ARGUMENT ? CM_ERROR_USAGE : status;
}
