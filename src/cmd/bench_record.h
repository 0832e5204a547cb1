/*
 * What `bench` measures: figures, each with the values of its repetitions, by section. Sections
 * note values; table and JSON are made of what was noted, so that nothing is printed that was not
 * measured.
 */
#ifndef CM_CMD_BENCH_RECORD_H
#define CM_CMD_BENCH_RECORD_H

#include <jansson.h>

#include "util/buffer.h"

#define CM_BENCH_CASE_BYTES 48

typedef enum cm_bench_better { CM_BENCH_NEITHER, CM_BENCH_LESS, CM_BENCH_MORE } cm_bench_better;

/** What is measured. Static. */
typedef struct cm_bench_measure {
    const char *name; /* "time per click" */
    const char *unit; /* "ns" */
    cm_bench_better better;
} cm_bench_measure;

/** One figure. */
typedef struct cm_bench_figure {
    char of[CM_BENCH_CASE_BYTES]; /* the case that it was measured in: "1 thread" */
    const cm_bench_measure *measure;
    double *values; /* of the repetitions; owned */
    size_t count, capacity;
} cm_bench_figure;

/** What one section found. */
typedef struct cm_bench_part {
    const char *name;         /* static */
    bool is_left_out;         /* nothing was measured; the notes say why */
    double seconds;           /* that the section took, all included */
    cm_buffer notes;          /* lines that say what was measured, each ended by a newline */
    cm_bench_figure *figures; /* owned */
    size_t figure_count, figure_capacity;
} cm_bench_part;

/** Zero-initialised is empty. One thread. */
typedef struct cm_bench_record {
    cm_bench_part *parts; /* owned */
    size_t part_count, part_capacity;
    bool failed; /* memory was short: what was noted since is lost */
} cm_bench_record;

/** Begin a section. name: static. */
void cm_bench_record_begin(cm_bench_record *record, const char *name);

/** End it. */
void cm_bench_record_end(cm_bench_record *record, double seconds);

/** Note that a section is left out. @param why  one line: what to give for it to be measured */
void cm_bench_record_leave_out(cm_bench_record *record, const char *name, const char *why);

/**
 * Note a value in the section under way. The same case and measure again is a repetition.
 *
 * @param of  the case; at most CM_BENCH_CASE_BYTES - 1 bytes of it are kept
 */
void cm_bench_note(cm_bench_record *record, const char *of, const cm_bench_measure *measure,
                   double value);

/** Say a line about the section under way: its sizes, what was left out. */
void cm_bench_say(cm_bench_record *record, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void cm_bench_record_destroy(cm_bench_record *record);

/** What repetitions come to. */
typedef struct cm_bench_spread {
    double median, min, max;
} cm_bench_spread;

/** Of at least one value; the mean of the middle two where their number is even. */
cm_bench_spread cm_bench_spread_of(const double *values, size_t count);

/** Append a section as a table for people. */
void cm_bench_part_text(const cm_bench_part *part, cm_buffer *text);

/** The sections as JSON; NULL when memory is short. */
json_t *cm_bench_record_json(const cm_bench_record *record);

#endif
