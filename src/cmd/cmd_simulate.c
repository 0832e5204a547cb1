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

struct world {
    cm_log *log;
    cm_progress progress;
    const char *directory;
    bool made_directory;
    char *paths[FILE_COUNT];
    cm_output *outputs[FILE_COUNT];
};

static const char *const names[FILE_COUNT] = {"clicks", "conversions", "click_truth",
                                              "conversion_truth"};

static cm_status write_file(void *context, const char *bytes, size_t size, cm_error *error)
{
    if (atomic_load(cm_interrupt_flag()))
        return cm_error_set(error, CM_ERROR_INTERRUPTED, "interrupted; no file was written");
    cm_sink *sink = cm_output_sink(context);
    return sink->write(sink->context, bytes, size, error);
}

static cm_status make_directory(struct world *world, cm_error *error)
{
    world->made_directory = mkdir(world->directory, 0777) == 0;
    if (world->made_directory || errno == EEXIST)
        return CM_OK;
    return cm_error_set(error, CM_ERROR_IO,
                        "%.200s: cannot make this directory: %s; give another "
                        "with --output",
                        world->directory, strerror(errno));
}

static cm_status open_files(struct world *world, cm_sim_format format, cm_error *error)
{
    const char *suffix = format == CM_SIM_CSV ? "csv" : "ndjson";
    cm_status status = make_directory(world, error);
    for (size_t i = 0; i < FILE_COUNT && status == CM_OK; i++) {
        if (asprintf(&world->paths[i], "%s/%s.%s", world->directory, names[i], suffix) < 0) {
            world->paths[i] = NULL;
            return cm_error_memory(error, "a file name", strlen(world->directory));
        }
        status = cm_output_open(world->paths[i], NULL, &world->outputs[i], error);
    }
    return status;
}

static void close_files(struct world *world, cm_status status)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        cm_output_abort(world->outputs[i]);
        free(world->paths[i]);
    }
    if (status != CM_OK && world->made_directory)
        rmdir(world->directory); /* stays where a file of it is there */
}

static cm_status commit_files(struct world *world, cm_error *error)
{
    cm_status status = CM_OK;
    for (size_t i = 0; i < FILE_COUNT && status == CM_OK; i++) {
        cm_output *output = world->outputs[i];
        world->outputs[i] = NULL;
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

cm_status cm_cmd_simulate(const cm_settings *settings, cm_log *log, cm_error *error)
{
    struct world world = {.log = log,
                          .directory = cm_settings_text(settings, CM_OPTION_OUTPUT_DIRECTORY)};
    cm_sim_config config = configure(settings);
    double began = cm_clock_seconds();
    cm_status status = open_files(&world, config.format, error);
    if (status == CM_OK) {
        const cm_sim_sinks sinks = {{write_file, world.outputs[0]},
                                    {write_file, world.outputs[1]},
                                    {write_file, world.outputs[2]},
                                    {write_file, world.outputs[3]}};
        status = cm_sim_run(&config, &sinks, error);
    }
    if (status == CM_OK)
        status = commit_files(&world, error);
    close_files(&world, status);
    if (status == CM_OK)
        tell(&config, &world, cm_clock_seconds() - began);
    return status == CM_ERROR_ARGUMENT ? CM_ERROR_USAGE : status;
}
