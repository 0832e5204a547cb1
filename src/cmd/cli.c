#include "cmd/cli.h"

#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd_batch.h"
#include "cmd/cmd_bench.h"
#include "cmd/cmd_evaluate.h"
#include "cmd/cmd_explain.h"
#include "cmd/cmd_match.h"
#include "cmd/cmd_migrate.h"
#include "cmd/cmd_model.h"
#include "cmd/cmd_purge.h"
#include "cmd/cmd_retry.h"
#include "cmd/cmd_simulate.h"
#include "cmd/cmd_stream.h"
#include "cmd/cmd_train.h"
#include "cmd/database.h"
#include "cmd/interrupt.h"
#include "cmd/log.h"
#include "cmd/options.h"
#include "cmd/report.h"
#include "util/error.h"

/** One command, or a group of commands. */
typedef struct cm_command {
    const char *name; /* of a group's command: "model add" */
    cm_command_bit bit;
    const char *synopsis;
    const char *line; /* what it does, in one line */
    const char *text; /* more about it */
    const char *example;
    cm_status (*run)(const cm_settings *settings, cm_log *log, cm_error *error);
    const struct cm_command *parts; /* of a group, which is nothing by itself: closed by a row
                                       without a name */
} cm_command;

static const cm_command model_commands[] = {
    {
        "model add",
        CM_COMMAND_MODEL_ADD,
        "clickmatch model add FILE [options]",
        "put a model file into the registry",
        "Checks the model and keeps it under its name and version, for good: adding the\n"
        "same again does nothing, adding another one under that version is refused.\n",
        "echo '{\"name\":\"default\",\"version\":\"2\"}' >model.json\n"
        "  clickmatch model add model.json --db dbname=clickmatch",
        cm_cmd_model_add,
        NULL,
    },
    {
        "model list",
        CM_COMMAND_MODEL_LIST,
        "clickmatch model list [options]",
        "list all versions: champions, dates, metrics",
        "Lists what is in the registry, a line each.\n",
        "clickmatch model list --db dbname=clickmatch",
        cm_cmd_model_list,
        NULL,
    },
    {
        "model show",
        CM_COMMAND_MODEL_SHOW,
        "clickmatch model show NAME[@VERSION] [options]",
        "write a model as a file; tell its metrics and history",
        "The model goes to standard output, ready for --model; what is known about it to\n"
        "standard error. With --format json all of it is one object.\n",
        "clickmatch model show default@2 --db dbname=clickmatch >model.json",
        cm_cmd_model_show,
        NULL,
    },
    {
        "model promote",
        CM_COMMAND_MODEL_PROMOTE,
        "clickmatch model promote NAME@VERSION [options]",
        "make a version the champion of its name",
        "batch and stream use the champion from their next start on, a running stream\n"
        "from the next SIGHUP on.\n",
        "clickmatch model promote default@2 --reason better --db dbname=clickmatch",
        cm_cmd_model_promote,
        NULL,
    },
    {
        "model rollback",
        CM_COMMAND_MODEL_ROLLBACK,
        "clickmatch model rollback NAME [options]",
        "go back to the champion before",
        "Takes back the last promotion that has not been taken back; again, the one\n"
        "before it.\n",
        "echo '{\"name\":\"default\",\"version\":\"3\"}' |\n"
        "      clickmatch model add - --db dbname=clickmatch\n"
        "  clickmatch model promote default@3 --db dbname=clickmatch\n"
        "  clickmatch model rollback default --db dbname=clickmatch",
        cm_cmd_model_rollback,
        NULL,
    },
    {0},
};

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
        NULL,
    },
    {
        "simulate",
        CM_COMMAND_SIMULATE,
        "clickmatch simulate --output DIR [options]",
        "make a synthetic world of clicks and conversions with known truth",
        "Writes clicks, conversions, click_truth and conversion_truth to the directory.\n",
        "clickmatch simulate --output world --clicks-count 20000 --days 30 --seed 7",
        cm_cmd_simulate,
        NULL,
    },
    {
        "migrate",
        CM_COMMAND_MIGRATE,
        "clickmatch migrate [options]",
        "create or upgrade the tables in PostgreSQL",
        "Brings an empty database, the platform's own, or one of an older version to the\n"
        "current version, in place, losing nothing. At that version it does nothing.\n",
        "createdb clickmatch\n"
        "  clickmatch migrate --db dbname=clickmatch\n"
        "  psql -d clickmatch -c 'CREATE ROLE engine LOGIN IN ROLE clickmatch_engine'",
        cm_cmd_migrate,
        NULL,
    },
    {
        "batch",
        CM_COMMAND_BATCH,
        "clickmatch batch [options]",
        "match the conversions of a period in PostgreSQL anew",
        "Reads clicks and conversions in one snapshot, matches, and writes the results\n"
        "that change, in one transaction. Running it again changes nothing.\n"
        "--challenger: docs/registry.md says what it shows, and what it cannot.\n",
        "clickmatch batch --db 'dbname=clickmatch user=engine' --from 2026-03-01",
        cm_cmd_batch,
        NULL,
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
        NULL,
    },
    {
        "purge",
        CM_COMMAND_PURGE,
        "clickmatch purge --older-than D [options]",
        "remove old clicks and personal data from PostgreSQL",
        "Deletes clicks that are older and expired, and dead events; of conversions, and\n"
        "of clicks that results refer to, it removes what is personal. Nobody waits for\n"
        "its small batches. Again, it does nothing; docs/schema.md says what goes.\n",
        "clickmatch purge --db dbname=clickmatch --older-than 30d --dry-run",
        cm_cmd_purge,
        NULL,
    },
    {
        "retry",
        CM_COMMAND_RETRY,
        "clickmatch retry [options]",
        "feed dead events in again, and count them",
        "Takes pending rows of dead_events, at most 10 times each and after 2 s, 4 s and\n"
        "so on, stores and matches what is well-formed now, and marks it resolved.\n"
        "docs/dead-letters.md says more.\n",
        "clickmatch retry --db dbname=clickmatch",
        cm_cmd_retry,
        NULL,
    },
    {
        "model",
        0,
        "clickmatch model COMMAND [options]",
        "keep models in PostgreSQL, and say which one is used",
        "The registry holds models by name and version; one version of each name is its\n"
        "champion. docs/registry.md says more.\n",
        NULL,
        NULL,
        model_commands,
    },
    {
        "explain",
        CM_COMMAND_EXPLAIN,
        "clickmatch explain CONVERSION_ID [options]",
        "say why a conversion was, or was not, attributed",
        "Shows what each layer found, every candidate with its weights in bits, what\n"
        "would have been enough, and the clicks that did not count; with PostgreSQL also\n"
        "whether the stored result is the same. docs/explain.md says how to read it.\n",
        "clickmatch explain v-fbe093d72574b999 --clicks data/clicks.csv \\\n"
        "      --conversions data/conversions.csv",
        cm_cmd_explain,
        NULL,
    },
    {
        "evaluate",
        CM_COMMAND_EVALUATE,
        "clickmatch evaluate --clicks FILE... --conversions FILE... [options]",
        "say how far a model's probabilities can be trusted",
        "Matches with click ids hidden, and compares with what is right: by a truth, or\n"
        "without one by layer 1's own matches. docs/evaluate.md says what each figure is.\n",
        "clickmatch simulate --output world\n"
        "  clickmatch evaluate --clicks world/clicks.csv \\\n"
        "      --conversions world/conversions.csv --truth world",
        cm_cmd_evaluate,
        NULL,
    },
    {
        "train",
        CM_COMMAND_TRAIN,
        "clickmatch train --clicks FILE... --conversions FILE... [options]",
        "learn a model from a period of data",
        "Learns from layer 1's matches how own devices compare, and from all conversions\n"
        "how strangers do, judges old and new model on conversions that were held out,\n"
        "and writes a model file. docs/train.md says how.\n",
        "clickmatch simulate --output world\n"
        "  clickmatch train --clicks world/clicks.csv \\\n"
        "      --conversions world/conversions.csv --output model.json",
        cm_cmd_train,
        NULL,
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
        NULL,
    },
    {0},
};

/* ---- help ---- */

static int print(cm_buffer *text)
{
    cm_log log = {0};
    cm_error error = {0};
    return cm_report(&log, cm_print(text, &error), &error);
}

static void append_commands(const cm_command *table, cm_buffer *text)
{
    cm_buffer_append_text(text, "\nCommands:\n");
    for (; table->name != NULL; table++) {
        char line[160];
        snprintf(line, sizeof line, "  %-*s %s\n", strchr(table->name, ' ') == NULL ? 10 : 15,
                 table->name, table->line);
        cm_buffer_append_text(text, line);
    }
}

static int print_help(void)
{
    cm_buffer text = {0};
    cm_buffer_append_text(&text, "clickmatch " CM_VERSION ": match conversions to ad clicks\n\n"
                                 "Usage: clickmatch COMMAND [options]\n");
    append_commands(commands, &text);
    cm_buffer_append_text(
        &text,
        "\nclickmatch COMMAND --help tells a command's options; each can also come from the\n"
        "environment: CLICKMATCH_MAX_REJECTS for --max-rejects.\n\n"
        "Exit status: 0 done; 1 failed; 2 wrong usage; 3 too many rejected rows;\n"
        "4 database refused or lost; 5 interrupted, state consistent.\n");
    return print(&text);
}

static int print_group_help(const cm_command *group)
{
    cm_buffer text = {0};
    cm_buffer_append_text(&text, "Usage: ");
    cm_buffer_append_text(&text, group->synopsis);
    cm_buffer_append_text(&text, "\n\n");
    cm_buffer_append_text(&text, group->text);
    append_commands(group->parts, &text);
    cm_buffer_append_text(&text, "\nclickmatch ");
    cm_buffer_append_text(&text, group->name);
    cm_buffer_append_text(&text, " COMMAND --help tells a command's options.\n");
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

/* group: "", or the name of the group that was looked through and a blank. */
static int refuse(const char *what, const char *name, const char *group)
{
    cm_log log = {0};
    cm_error error;
    cm_error_set(&error, CM_ERROR_USAGE, "%s%.200s%s; clickmatch %s--help lists the commands", what,
                 cm_database_shown(name), name[0] == '\0' ? "" : "'", group);
    return cm_report(&log, CM_ERROR_USAGE, &error);
}

/* The command whose name's last word is this one. */
static const cm_command *find_command(const cm_command *table, const char *word)
{
    for (; table->name != NULL; table++) {
        const char *blank = strrchr(table->name, ' ');
        if (strcmp(blank == NULL ? table->name : blank + 1, word) == 0)
            return table;
    }
    return NULL;
}

static int run_group(const cm_command *group, size_t count, char *const *arguments)
{
    char name[32];
    snprintf(name, sizeof name, "%s ", group->name);
    if (count == 0)
        return refuse("no command is given", "", name);
    if (strcmp(arguments[0], "--help") == 0)
        return print_group_help(group);
    const cm_command *command = find_command(group->parts, arguments[0]);
    if (command != NULL)
        return run_command(command, count - 1, arguments + 1);
    return refuse(arguments[0][0] == '-' ? "unknown option '" : "unknown command '", arguments[0],
                  name);
}

int cm_cli_run(int argc, char **argv)
{
    if (argc < 2)
        return refuse("no command is given", "", "");
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0)
        return print_help();
    if (strcmp(name, "--version") == 0) {
        cm_buffer text = {0};
        cm_buffer_append_text(&text, "clickmatch " CM_VERSION "\n");
        return print(&text);
    }
    const cm_command *command = find_command(commands, name);
    if (command == NULL)
        return refuse(name[0] == '-' ? "unknown option '" : "unknown command '", name, "");
    size_t count = (size_t)argc - 2;
    return command->parts != NULL ? run_group(command, count, argv + 2)
                                  : run_command(command, count, argv + 2);
}
