#include "stream_report.h"

#include <stdio.h>

#include "harness.h"

#define FIGURES_MAX 40

typedef struct figure {
    const char *name, *unit;
    double value;
} figure;

typedef struct figures {
    figure list[FIGURES_MAX];
    size_t count;
} figures;

static void add(figures *f, const char *name, const char *unit, double value)
{
    if (f->count < FIGURES_MAX)
        f->list[f->count++] = (figure){name, unit, value};
}

/* --- Figures ---------------------------------------------------------------------------------- */

static void add_world(figures *f, const stream_run *run, const stream_options *options,
                      const stream_outcome *outcome)
{
    const stream_world *world = run->source.world;
    double events = (double)(world->clicks + world->conversions);
    add(f, "clicks in the window", "clicks", (double)world->clicks);
    add(f, "clicks per conversion", "clicks",
        (double)world->clicks / (double)(world->conversions > 0 ? world->conversions : 1));
    add(f, "bytes per event", "bytes", (double)world->text_bytes / events);
    add(f, "filling the window", "events/s",
        (double)outcome->warm_up.events / outcome->warm_up.seconds);
    if (options->mode == STREAM_LATENCY)
        add(f, "rate asked for", "events/s", (double)options->rate);
}

static double slowest_second(const stream_run *run)
{
    double slowest = 0;
    for (size_t i = 1; i < run->sample_count; i++) {
        const stream_sample *a = &run->samples[i - 1];
        const stream_sample *b = &run->samples[i];
        double rate = (double)(b->events - a->events) / (b->seconds - a->seconds);
        if (i == 1 || rate < slowest)
            slowest = rate;
    }
    return slowest;
}

static void add_speed(figures *f, const stream_run *run, const stream_outcome *outcome)
{
    const stream_stretch *m = &outcome->measured;
    double events = (double)m->events;
    add(f, "measured", "s", m->seconds);
    add(f, "events sent", "events", events);
    add(f, "event time that passed", "days", m->days);
    add(f, "throughput", "events/s", events / m->seconds);
    if (run->sample_count > 1)
        add(f, "throughput, slowest second", "events/s", slowest_second(run));
    add(f, "core time of the command", "ns/event", m->core_seconds * 1e9 / events);
    add(f, "cores the command kept busy", "cores", m->core_seconds / m->seconds);
    add(f, "core time of the generator", "ns/event", m->own_core_seconds * 1e9 / events);
}

static void add_memory(figures *f, const stream_run *run)
{
    uint64_t min = 0, max = 0, peak = 0;
    for (size_t i = 0; i < run->sample_count; i++) {
        stream_memory memory = run->samples[i].memory;
        if (memory.resident == 0)
            continue;
        if (min == 0 || memory.resident < min)
            min = memory.resident;
        if (memory.resident > max)
            max = memory.resident;
        if (memory.resident_peak > peak)
            peak = memory.resident_peak;
    }
    if (min == 0)
        return;
    add(f, "resident memory, least", "MB", (double)min / 1e6);
    add(f, "resident memory, most", "MB", (double)max / 1e6);
    add(f, "resident memory, most over least", "%", ((double)max / (double)min - 1) * 100);
    add(f, "resident memory, peak", "MB", (double)peak / 1e6);
}

static void add_latency(figures *f, const stream_run *run)
{
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"latency p50", 0.5},
                     {"latency p90", 0.9},
                     {"latency p99", 0.99},
                     {"latency p99.9", 0.999},
                     {"latency max", 1}};
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        add(f, quantiles[i].name, "us",
            (double)cm_histogram_quantile(&run->results.latency, quantiles[i].share) / 1e3);
    add(f, "results timed", "results", (double)run->results.latency.total);
    add(f, "sent late p50", "us", (double)cm_histogram_quantile(&run->late, 0.5) / 1e3);
    add(f, "sent late p99", "us", (double)cm_histogram_quantile(&run->late, 0.99) / 1e3);
    add(f, "sent late max", "us", (double)run->late.max / 1e3);
}

static void add_results(figures *f, const stream_run *run, const stream_outcome *outcome)
{
    const stream_results *results = &run->results;
    add(f, "conversions sent", "conversions", (double)results->awaited_end);
    add(f, "results in order", "results", (double)results->right);
    add(f, "results missing", "results", (double)results->missing);
    add(f, "results out of order", "results", (double)results->unordered);
    add(f, "lines without seq", "lines", (double)results->foreign);
    add(f, "results after the end of the input", "results", (double)outcome->late_results);
}

/* --- Telling ---------------------------------------------------------------------------------- */

bool stream_report_is_complete(const stream_run *run, const stream_options *options,
                               const stream_outcome *outcome)
{
    const stream_results *results = &run->results;
    if (options->mode == STREAM_GENERATOR)
        return outcome->succeeded;
    return outcome->succeeded && results->missing == 0 && results->unordered == 0 &&
           results->foreign == 0 && results->right == results->awaited_end;
}

static void print_table(const figures *f, const stream_options *options)
{
    (void)printf("%s:", stream_mode_names[options->mode]);
    for (char *const *word = options->command; *word != NULL; word++)
        (void)printf(" %s", *word);
    (void)printf("\n");
    for (size_t i = 0; i < f->count; i++)
        (void)printf("  %-36s %14.*f %s\n", f->list[i].name, f->list[i].value >= 1000 ? 0 : 2,
                     f->list[i].value, f->list[i].unit);
    (void)fflush(stdout);
}

static void write_text(FILE *file, const char *text)
{
    (void)fputc('"', file);
    for (; *text != '\0'; text++) {
        unsigned c = (unsigned char)*text;
        if (c < 0x20)
            (void)fprintf(file, "\\u%04x", c);
        else
            (void)fprintf(file, c == '"' || c == '\\' ? "\\%c" : "%c", (char)c);
    }
    (void)fputc('"', file);
}

static void write_json(FILE *file, const figures *f, const stream_options *options,
                       bool is_complete)
{
    (void)fprintf(file,
                  "{\"program\": \"bench_stream\", \"mode\": \"%s\", \"seed\": %llu, "
                  "\"core\": %d, \"command\": [",
                  stream_mode_names[options->mode], (unsigned long long)options->sizes.seed,
                  options->core);
    for (char *const *word = options->command; *word != NULL; word++) {
        (void)fputs(word == options->command ? "" : ", ", file);
        write_text(file, *word);
    }
    (void)fprintf(file, "], \"complete\": %s, \"figures\": [", is_complete ? "true" : "false");
    for (size_t i = 0; i < f->count; i++)
        (void)fprintf(file, "%s\n  {\"figure\": \"%s\", \"unit\": \"%s\", \"value\": %.9g}",
                      i == 0 ? "" : ",", f->list[i].name, f->list[i].unit, f->list[i].value);
    (void)fputs("\n]}\n", file);
}

void stream_report(const stream_run *run, const stream_options *options,
                   const stream_outcome *outcome)
{
    figures f = {.count = 0};
    add_world(&f, run, options, outcome);
    add_speed(&f, run, outcome);
    add_memory(&f, run);
    if (options->mode == STREAM_LATENCY)
        add_latency(&f, run);
    if (options->mode != STREAM_GENERATOR)
        add_results(&f, run, outcome);
    print_table(&f, options);
    if (options->json == NULL)
        return;
    FILE *file = fopen(options->json, "w");
    if (file != NULL)
        write_json(file, &f, options, stream_report_is_complete(run, options, outcome));
    if (file == NULL || fclose(file) != 0)
        bench_fail("the JSON cannot be written");
}
