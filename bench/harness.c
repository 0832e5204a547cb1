#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUND_NS_MIN 20e6 /* one repetition: long against the clock, short against a busy phase */
#define ROUND_NS_MIN_QUICK 2e4

static volatile uint64_t sink;

void bench_keep(uint64_t result)
{
    sink = sink + result;
}

void bench_fail(const char *what)
{
    (void)fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

void *bench_allocate(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory == NULL)
        bench_fail("memory is short");
    return memory;
}

double bench_clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* --- Options ---------------------------------------------------------------------------------- */

static void print_help(const char *program, const char *what, const bench_option *options)
{
    (void)printf("Usage: %s [OPTION...]\n%s\n\n", program, what);
    (void)printf("  --quick           under a second, to see that it works\n"
                 "  --json            one JSON object per line instead of tables\n"
                 "  --repetitions=N   how often each figure is measured, at most %d\n",
                 BENCH_REPETITIONS_MAX);
    for (; options != NULL && options->name != NULL; options++)
        (void)printf("  --%s=N%*s%s\n", options->name, (int)(14 - strlen(options->name)), "",
                     options->help);
}

/* `--name=N` of this name. */
static bool take_number(const char *argument, const char *name, uint64_t *value)
{
    size_t size = strlen(name);
    char *end;
    if (strncmp(argument, "--", 2) != 0 || strncmp(argument + 2, name, size) != 0 ||
        argument[2 + size] != '=')
        return false;
    const char *digits = argument + 3 + size;
    errno = 0;
    *value = strtoull(digits, &end, 10);
    return *digits >= '1' && *digits <= '9' && *end == '\0' && errno == 0;
}

static bool take_option(bench *b, const char *argument, const bench_option *options)
{
    uint64_t number;
    if (strcmp(argument, "--quick") == 0)
        return b->quick = true;
    if (strcmp(argument, "--json") == 0)
        return b->json = true;
    if (take_number(argument, "repetitions", &number) && number <= BENCH_REPETITIONS_MAX) {
        b->repetitions = number;
        return true;
    }
    for (; options != NULL && options->name != NULL; options++)
        if (take_number(argument, options->name, options->value))
            return true;
    return false;
}

bench bench_start(int argc, char **argv, const char *what, const bench_option *options,
                  size_t repetitions)
{
    const char *slash = strrchr(argv[0], '/');
    bench b = {.program = slash == NULL ? argv[0] : slash + 1, .repetitions = repetitions};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help(b.program, what, options);
            exit(0);
        }
        if (take_option(&b, argv[i], options))
            continue;
        (void)fprintf(stderr, "%s: '%s' is no option; see --help\n", b.program, argv[i]);
        exit(2);
    }
    if (b.quick)
        b.repetitions = 2;
    return b;
}

/* --- Figures ---------------------------------------------------------------------------------- */

void bench_table(bench *b, const char *title)
{
    b->table = title;
    if (!b->json)
        (void)printf("\n%s (%s%s)\n%-34s %-15s %10s %10s %10s\n", title, b->program,
                     b->quick ? " --quick" : "", "", "", "median", "min", "max");
}

void bench_note(const bench *b, const char *text)
{
    if (!b->json)
        (void)printf("%s\n", text);
}

void bench_add(bench_samples *samples, double ns, double operations)
{
    if (samples->count < BENCH_REPETITIONS_MAX)
        samples->ns[samples->count++] = ns / operations;
}

static int compare_times(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_json(const bench *b, const char *name, const char *variant, const char *unit)
{
    (void)printf("{\"program\": \"%s\", \"table\": \"%s\", \"case\": \"%s\", \"variant\": \"%s\", "
                 "\"unit\": \"%s\", ",
                 b->program, b->table, name, variant, unit);
}

void bench_print_times(const bench *b, const char *name, const char *variant,
                       const bench_samples *samples, double bytes)
{
    bench_samples sorted = *samples;
    qsort(sorted.ns, sorted.count, sizeof sorted.ns[0], compare_times);
    double median = sorted.ns[sorted.count / 2];
    double min = sorted.ns[0];
    double max = sorted.ns[sorted.count - 1];
    double mb_per_s = bytes * 1e3 / median;
    if (b->json) {
        print_json(b, name, variant, "ns");
        (void)printf("\"median\": %.6g, \"min\": %.6g, \"max\": %.6g, \"repetitions\": %zu", median,
                     min, max, sorted.count);
        if (bytes > 0)
            (void)printf(", \"mb_per_s\": %.6g", mb_per_s);
        (void)printf("}\n");
    } else {
        (void)printf("%-34s %-15s %10.2f %10.2f %10.2f ns", name, variant, median, min, max);
        if (bytes > 0)
            (void)printf(" %8.0f MB/s", mb_per_s);
        (void)printf("\n");
    }
    (void)fflush(stdout);
}

void bench_print_value(const bench *b, const char *name, const char *variant, const char *unit,
                       double value)
{
    if (b->json) {
        print_json(b, name, variant, unit);
        (void)printf("\"median\": %.6g, \"min\": %.6g, \"max\": %.6g, \"repetitions\": 1}\n", value,
                     value, value);
    } else {
        (void)printf("%-34s %-15s %10.2f %21s %s\n", name, variant, value, "", unit);
    }
    (void)fflush(stdout);
}

/* --- Repetitions ------------------------------------------------------------------------------ */

static double time_rounds(const bench_case *of, uint64_t rounds)
{
    double start = bench_clock_ns();
    bench_keep(of->run(of->context, rounds));
    return bench_clock_ns() - start;
}

/* How many rounds one repetition needs. Finding that out warms caches and predictors up. */
static uint64_t find_rounds(const bench_case *of, double ns_min)
{
    uint64_t rounds = 1;
    while (time_rounds(of, rounds) < ns_min)
        rounds *= 2;
    return rounds;
}

void bench_run(const bench *b, const bench_case *cases, size_t count)
{
    uint64_t *rounds = bench_allocate(count, sizeof *rounds);
    bench_samples *samples = bench_allocate(count, sizeof *samples);
    for (size_t i = 0; i < count; i++)
        rounds[i] = find_rounds(&cases[i], b->quick ? ROUND_NS_MIN_QUICK : ROUND_NS_MIN);
    for (size_t repetition = 0; repetition < b->repetitions; repetition++)
        for (size_t i = 0; i < count; i++)
            bench_add(&samples[i], time_rounds(&cases[i], rounds[i]),
                      (double)rounds[i] * cases[i].operations);
    for (size_t i = 0; i < count; i++)
        bench_print_times(b, cases[i].name, cases[i].variant, &samples[i], cases[i].bytes);
    free(samples);
    free(rounds);
}
