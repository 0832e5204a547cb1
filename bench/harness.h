/*
 * What the micro-benchmarks share: options, repetitions, medians, output.
 *
 * What is to be compared is measured side by side: one repetition of each case, then the next of
 * each, so that a machine that is busy for a while slows them all and not one. Time is that of the
 * processor for this thread, so that waiting for a turn does not count; shared caches and memory
 * do. The minimum is what the work takes undisturbed, the median what it took here.
 *
 * Output is a table, or with --json one object per line and figure: program, table, case, variant,
 * unit, median, min, max, repetitions.
 */
#ifndef CM_BENCH_HARNESS_H
#define CM_BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_REPETITIONS_MAX 101

/** A number that a program lets be chosen: --name=N. */
typedef struct bench_option {
    const char *name;
    uint64_t *value;
    const char *help;
} bench_option;

typedef struct bench {
    const char *program;
    const char *table; /* the heading under which figures stand */
    bool quick;        /* to see that it works: under a second, the figures mean little */
    bool json;
    size_t repetitions;
} bench;

/** Times of the same work. */
typedef struct bench_samples {
    double ns[BENCH_REPETITIONS_MAX]; /* per operation */
    size_t count;
} bench_samples;

/** Work that can be done again and again. */
typedef struct bench_case {
    const char *name, *variant;
    /** Do it this many times. What is returned depends on all of it, so that none is left out. */
    uint64_t (*run)(void *context, uint64_t rounds);
    void *context;
    double operations; /* in one round; times are per operation */
    double bytes;      /* in one operation, to print MB/s; 0: not printed */
} bench_case;

/**
 * Read the options, or print them, or say what is wrong with them, and exit.
 *
 * @param options  the program's own, ended by a NULL name; may be NULL
 */
bench bench_start(int argc, char **argv, const char *what, const bench_option *options,
                  size_t repetitions);

/** Begin a table. Its title must live on. */
void bench_table(bench *b, const char *title);

/** A line below a table for who reads it; not in JSON. */
void bench_note(const bench *b, const char *text);

/** Measure cases side by side and print their figures. */
void bench_run(const bench *b, const bench_case *cases, size_t count);

/** Add a time of work that cannot be repeated as it is; see bench_clock_ns. */
void bench_add(bench_samples *samples, double ns, double operations);

/** Print the times of one case. */
void bench_print_times(const bench *b, const char *name, const char *variant,
                       const bench_samples *samples, double bytes);

/** Print a figure that is no time. */
void bench_print_value(const bench *b, const char *name, const char *variant, const char *unit,
                       double value);

/** The processor time of this thread, in nanoseconds. */
double bench_clock_ns(void);

/** Use a result, so that the compiler cannot leave out how it came to be. */
void bench_keep(uint64_t result);

/** Memory, zeroed; ends the program where there is none. For free(). */
void *bench_allocate(size_t count, size_t size);

/** End the program: one line that says what is wrong. */
_Noreturn void bench_fail(const char *what);

/** Random numbers that are the same in each run: a well-mixed bijection (splitmix64). */
static inline uint64_t bench_mix(uint64_t number)
{
    number += 0x9e3779b97f4a7c15U;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9U;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebU;
    return number ^ (number >> 31);
}

/** The compiler must take all memory for changed: what was read is read again. */
static inline void bench_forget(void)
{
    __asm__ volatile("" ::: "memory");
}

#endif
