#include "stream_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stream_child.h"

#define WINDOW_DAYS 7
#define GRACE_DAYS 1 /* the matcher's retention: a click is kept so long after its window */
#define WINDOW_DAYS_MAX 365
#define LATENCY_RATE 300000
#define BATCH_US 50
#define EVENT_TIME_NS 1600
#define SECONDS 20
#define SLIDE_SECONDS 120

const char *const stream_mode_names[] = {"throughput", "latency",  "slide",
                                         "generator",  "stand-in", NULL};

static const char HELP[] =
    "Usage: bench_stream [OPTION...] [-- COMMAND... | -- OPTIONS OF build/clickmatch stream]\n"
    "Sends an endless world of clicks and conversions to a command that answers each conversion\n"
    "with a line, and measures it. Words after -- that begin with a dash are added to\n"
    "`build/clickmatch stream`; others are a command of their own.\n"
    "\n"
    "  --mode MODE                throughput (default): as fast as the command takes events\n"
    "                             latency: at a fixed rate, from when each event was due\n"
    "                             slide: throughput for minutes, for what happens to memory\n"
    "                             generator: what this program can send, to cat >/dev/null\n"
    "                             stand-in: be a command that does nothing but pass time\n"
    "  --active N                 clicks that the window holds (default: 5000000)\n"
    "  --window-days N            of the matcher; clicks are kept a day longer (default: 7)\n"
    "  --clicks-per-conversion N  (default: 10)\n"
    "  --seconds N                to measure, after the window is full (default: 20; slide: 120)\n"
    "  --events N                 to measure, if that is over sooner\n"
    "  --rate N                   events a second, of latency (default: 300000)\n"
    "  --batch-us N               of latency: how often events that are due are written, at most\n"
    "                             (default: 50)\n"
    "  --event-ns N               of a stand-in: time that an event takes (default: 1600)\n"
    "  --core N|none              the command runs there and this program elsewhere\n"
    "                             (default: the last core)\n"
    "  --seed N                   of the world (default: 1)\n"
    "  --json FILE                write the figures there, too\n"
    "  --quick                    a small world and a second, to see that it works\n"
    "  --help                     this text\n";

enum {
    MODE = 1,
    ACTIVE,
    WINDOW,
    RATIO,
    MEASURE_SECONDS,
    EVENTS,
    RATE,
    BATCH,
    EVENT_NS,
    CORE,
    SEED,
    JSON,
    QUICK,
    HELP_TEXT,
};

static const struct option OPTIONS[] = {
    {"mode", required_argument, NULL, MODE},
    {"active", required_argument, NULL, ACTIVE},
    {"window-days", required_argument, NULL, WINDOW},
    {"clicks-per-conversion", required_argument, NULL, RATIO},
    {"seconds", required_argument, NULL, MEASURE_SECONDS},
    {"events", required_argument, NULL, EVENTS},
    {"rate", required_argument, NULL, RATE},
    {"batch-us", required_argument, NULL, BATCH},
    {"event-ns", required_argument, NULL, EVENT_NS},
    {"core", required_argument, NULL, CORE},
    {"seed", required_argument, NULL, SEED},
    {"json", required_argument, NULL, JSON},
    {"quick", no_argument, NULL, QUICK},
    {"help", no_argument, NULL, HELP_TEXT},
    {NULL, 0, NULL, 0},
};

static _Noreturn void refuse(const char *what, const char *value)
{
    (void)fprintf(stderr, "bench_stream: %s%s; see --help\n", what, value);
    exit(2);
}

static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value < min || value > max)
        refuse("a number is none, or too small or too large: ", text);
    return value;
}

static stream_mode mode_of(const char *text)
{
    for (int i = 0; stream_mode_names[i] != NULL; i++)
        if (strcmp(text, stream_mode_names[i]) == 0)
            return (stream_mode)i;
    refuse("there is no mode ", text);
}

static void take(stream_options *options, int option, const char *value, int cores)
{
    stream_world_sizes *sizes = &options->sizes;
    switch (option) {
    case MODE:
        options->mode = mode_of(value);
        break;
    case ACTIVE:
        sizes->active = number(value, 100, 1000000000);
        break;
    case WINDOW:
        sizes->turn_days = (uint32_t)number(value, 1, WINDOW_DAYS_MAX) + GRACE_DAYS;
        break;
    case RATIO:
        sizes->clicks_per_conversion = number(value, 1, 1000000);
        break;
    case MEASURE_SECONDS:
        options->seconds = number(value, 1, 1000000);
        break;
    case EVENTS:
        options->events = number(value, 1, 1000000000000);
        break;
    case RATE:
        options->rate = number(value, 1, 100000000);
        break;
    case BATCH:
        options->batch_us = number(value, 0, 1000000);
        break;
    case EVENT_NS:
        options->event_ns = number(value, 0, 1000000000);
        break;
    case CORE:
        options->core = strcmp(value, "none") == 0 ? STREAM_NO_CORE
                                                   : (int)number(value, 0, (uint64_t)cores - 1);
        break;
    case SEED:
        sizes->seed = number(value, 0, UINT64_MAX);
        break;
    case JSON:
        options->json = value;
        break;
    case QUICK:
        sizes->active = 20000;
        options->seconds = 1;
        break;
    case HELP_TEXT:
        (void)fputs(HELP, stdout);
        exit(0);
    default: /* getopt has said what is wrong */
        exit(2);
    }
}

static void take_command(stream_options *options, char **words, int count)
{
    static char program[] = "build/clickmatch", stream[] = "stream", shell[] = "sh", run[] = "-c",
                sink[] = "exec cat >/dev/null";
    int at = 0;
    if (count > STREAM_COMMAND_WORDS_MAX - 3)
        refuse("the command has too many words", "");
    if (options->mode == STREAM_GENERATOR) {
        char *const words_of_sink[] = {shell, run, sink};
        for (; at < 3; at++)
            options->command[at] = words_of_sink[at];
        count = 0;
    } else if (count == 0 || words[0][0] == '-') {
        options->command[at++] = program;
        options->command[at++] = stream;
    }
    for (int i = 0; i < count; i++)
        options->command[at++] = words[i];
    options->command[at] = NULL;
}

void stream_options_read(stream_options *options, int argc, char **argv)
{
    int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    *options = (stream_options){
        .sizes = {.seed = 1,
                  .active = 5000000,
                  .clicks_per_conversion = 10,
                  .turn_days = WINDOW_DAYS + GRACE_DAYS,
                  .threads = (unsigned)cores},
        .rate = LATENCY_RATE,
        .batch_us = BATCH_US,
        .event_ns = EVENT_TIME_NS,
        .core = cores > 1 ? cores - 1 : STREAM_NO_CORE,
    };
    int option;
    while ((option = getopt_long(argc, argv, "+", OPTIONS, NULL)) != -1)
        take(options, option, optarg, cores);
    if (optind < argc && strcmp(argv[optind - 1], "--") != 0)
        refuse("the command stands after --, not: ", argv[optind]);
    if (options->seconds == 0)
        options->seconds = options->mode == STREAM_SLIDE ? SLIDE_SECONDS : SECONDS;
    take_command(options, argv + optind, argc - optind);
}
