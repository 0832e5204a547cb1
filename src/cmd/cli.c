#include "cmd/cli.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd_batch.h"
#include "cmd/cmd_bench.h"
#include "cmd/cmd_match.h"
#include "cmd/cmd_migrate.h"
#include "cmd/cmd_simulate.h"
#include "cmd/cmd_stream.h"
#include "cmd/interrupt.h"
#include "cmd/log.h"
#include "cmd/options.h"
#include "cmd/report.h"
#include "util/error.h"

/** One command. */
typedef struct cm_command {
    const char *name;
    cm_command_bit bit;
    const char *synopsis;
    const char *line; /* what it does, in one line */
    const char *text; /* more about it */
    const char *example;
    cm_status (*run)(const cm_settings *settings, cm_log *log, cm_error *error);
} cm_command;

static const cm_command commands[] = {
    {
        "match",
        CM_COMMAND_MATCH,
        "clickmatch match --clicks FILE... --conversions FILE... [options]",
        "match the conversions of files to the clicks of files",
        "Reads clicks, then conversions, and writes one row per conversion, in their\n"
        "order: the click that brought it, how that was found, and how sure it is.\n",
        "clickmatch simulate --output world\n"
        "  clickmatch match --clicks world/clicks.csv \\\n"
        "      --conversions world/conversions.csv --output results.csv",
        cm_cmd_match,
    },
    {
        "simulate",
        CM_COMMAND_SIMULATE,
        "clickmatch simulate --output DIR [options]",
        "make a synthetic world of clicks and conversions with known truth",
        "Writes clicks, conversions, click_truth and conversion_truth to the directory.\n",
        "clickmatch simulate --output world --clicks-count 20000 --days 30 --seed 7",
        cm_cmd_simulate,
    },
    {
        "migrate",
        CM_COMMAND_MIGRATE,
        "clickmatch migrate [options]",
        "create or upgrade the tables in PostgreSQL",
        "Brings an empty database, the platform's own, or one of an older version to the\n"
        "current version, in place, losing nothing. At that version it does nothing.\n",
        "createdb clickmatch\n  clickmatch migrate --db dbname=clickmatch",
        cm_cmd_migrate,
    },
    {
        "batch",
        CM_COMMAND_BATCH,
        "clickmatch batch [options]",
        "match the conversions of a period in PostgreSQL anew",
        "Reads clicks and conversions in one snapshot, matches, and writes the results\n"
        "that change, in one transaction. Running it again changes nothing.\n",
        "clickmatch batch --db dbname=clickmatch --from 2026-03-01 --to 2026-03-08",
        cm_cmd_batch,
    },
    {
        "stream",
        CM_COMMAND_STREAM,
        "clickmatch stream [options]",
        "match conversions as they happen: events in, results out",
        "Reads events (NDJSON lines with \"event\":\"click\" or \"conversion\"), keeps the\n"
        "window of clicks in memory, and writes each conversion's result at once.\n"
        "docs/stream.md says more. SIGUSR1: status; SIGHUP: read the model again.\n",
        "clickmatch stream --clicks data/clicks.csv <events.ndjson >results.ndjson",
        cm_cmd_stream,
    },
    {
        "bench",
        CM_COMMAND_BENCH,
        "clickmatch bench [options]",
        "measure loading, matching, memory, latency and batch on this machine",
        "Makes worlds in memory and measures the engine on them, and with --db `batch` in\n"
        "databases of its own: no files, minutes. A table on standard output;\n"
        "docs/benchmark.md says what each figure is.\n",
        "clickmatch bench --quick --json bench.json",
        cm_cmd_bench,
    },
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

/* ---- help ---- */

static int print(cm_buffer *text)
{
    cm_log log = {0};
    cm_error error = {0};
    cm_status status = CM_OK;
    if (text->failed)
        status = cm_error_memory(&error, "a text", text->size);
    else if (fwrite(text->data, 1, text->size, stdout) != text->size || fflush(stdout) != 0)
        status =
            cm_error_set(&error, CM_ERROR_IO, "standard output: cannot write: %s", strerror(errno));
    cm_buffer_destroy(text);
    return cm_report(&log, status, &error);
}

static int print_help(void)
{
    cm_buffer text = {0};
    cm_buffer_append_text(&text, "clickmatch " CM_VERSION ": match conversions to ad clicks\n\n"
                                 "Usage: clickmatch COMMAND [options]\n\nCommands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char line[160];
        snprintf(line, sizeof line, "  %-10s %s\n", commands[i].name, commands[i].line);
        cm_buffer_append_text(&text, line);
    }
    cm_buffer_append_text(
        &text,
        "\nclickmatch COMMAND --help tells a command's options; each can also come from the\n"
        "environment: CLICKMATCH_MAX_REJECTS for --max-rejects.\n\n"
        "Exit status: 0 done; 1 failed; 2 wrong usage; 3 too many rejected rows;\n"
        "4 database refused or lost; 5 interrupted, state consistent.\n");
    return print(&text);
}

static int print_command_help(const cm_command *command)
{
    cm_buffer text = {0};
    cm_buffer_append_text(&text, "Usage: ");
    cm_buffer_append_text(&text, command->synopsis);
    cm_buffer_append_text(&text, "\n\n");
    cm_buffer_append_text(&text, command->text);
    cm_buffer_append_text(&text, "\nOptions:\n");
    cm_options_help(command->bit, &text);
    cm_buffer_append_text(&text, "\nExample:\n  ");
    cm_buffer_append_text(&text, command->example);
    cm_buffer_append_text(&text, "\n");
    return print(&text);
}

/* ---- running ---- */

static cm_status run(const cm_command *command, const cm_settings *settings, cm_log *log,
                     cm_error *error)
{
    cm_status status = cm_interrupt_install(error);
    return status == CM_OK ? command->run(settings, log, error) : status;
}

static int run_command(const cm_command *command, size_t count, char *const *arguments)
{
    cm_error error = {0};
    cm_settings settings;
    cm_status status =
        cm_settings_read(command->name, command->bit, count, arguments, &settings, &error);
    cm_log log = {
        .is_json = cm_settings_number(&settings, CM_OPTION_LOG_FORMAT) == 1,
        .is_quiet = cm_settings_flag(&settings, CM_OPTION_QUIET),
        .is_terminal = isatty(STDERR_FILENO) == 1,
    };
    int exit_status;
    if (status == CM_OK && settings.help) {
        exit_status = print_command_help(command);
    } else {
        if (status == CM_OK)
            status = run(command, &settings, &log, &error);
        exit_status = cm_report(&log, status, &error);
    }
    cm_settings_destroy(&settings);
    return exit_status;
}

static int refuse(const char *what, const char *name)
{
    cm_log log = {0};
    cm_error error;
    cm_error_set(&error, CM_ERROR_USAGE, "%s%.200s%s; clickmatch --help lists the commands", what,
                 name, name[0] == '\0' ? "" : "'");
    return cm_report(&log, CM_ERROR_USAGE, &error);
}

int cm_cli_run(int argc, char **argv)
{
    if (argc < 2)
        return refuse("no command is given", "");
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0)
        return print_help();
    if (strcmp(name, "--version") == 0) {
        cm_buffer text = {0};
        cm_buffer_append_text(&text, "clickmatch " CM_VERSION "\n");
        return print(&text);
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return run_command(&commands[i], (size_t)argc - 2, argv + 2);
    return refuse(name[0] == '-' ? "unknown option '" : "unknown command '", name);
}
