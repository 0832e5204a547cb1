/*
 * Files through the engine: bytes are read in blocks of whole rows, threads make records and keys
 * of them side by side, and what must happen in input order (logging clicks, finding duplicates,
 * writing) takes turns by block. Results never depend on the number of threads.
 */
#ifndef CM_ENGINE_PIPELINE_H
#define CM_ENGINE_PIPELINE_H

#include <stdatomic.h>

#include "engine/load_limits.h"
#include "io/reject_writer.h"
#include "io/result_writer.h"
#include "io/stream.h"
#include "model/build.h"

/** How to run. */
typedef struct cm_pipeline_options {
    cm_build_options build;
    size_t line_bytes_max;          /* longer rows are rejected; 0: CM_ROW_BYTES_MAX */
    unsigned threads;               /* at least 1 */
    cm_load_limits *limits;         /* of cm_pipeline_load; borrowed; NULL: there are none */
    const atomic_bool *interrupted; /* raised from outside: stop reading; may be NULL */
    /** Called for each rejected row, in input order, from one thread at a time. May be NULL. A
     * failure ends the run. */
    cm_status (*reject)(void *context, const cm_reject_line *reject, cm_error *error);
    /** Called now and then, from one thread at a time. May be NULL. */
    void (*progress)(void *context, uint64_t rows);
    void *context; /* of both */
} cm_pipeline_options;

/** What became of the rows of one source. */
typedef struct cm_source_counts {
    uint64_t rows; /* all: accepted, rejected and duplicates */
    uint64_t rejected;
    uint64_t duplicates;
    uint64_t lenient[CM_FIELD_COUNT_MAX]; /* malformed optional fields taken as missing */
} cm_source_counts;

/** What became of conversions. Sums are whole numbers, so that they do not depend on the order of
 * adding. */
typedef struct cm_match_counts {
    uint64_t conversions;
    uint64_t methods[CM_METHOD_COUNT];
    uint64_t words[CM_LAYER_COUNT][CM_LAYER_WORD_COUNT];
    uint64_t confidence_e4[CM_METHOD_COUNT]; /* sum of confidences, in units of 0.0001 */
} cm_match_counts;

/** Count one result. */
void cm_match_counts_add(cm_match_counts *counts, const cm_result *result);

/** Add what a part of the work counted to the total. */
void cm_match_counts_sum(cm_match_counts *total, const cm_match_counts *part);

/**
 * Read the clicks of a source into an engine. Where options->limits->over is raised afterwards, the
 * engine is to be cleared. After a failure the engine is good only for being
 * destroyed.
 *
 * @param source  borrowed; CSV or NDJSON, unpacked
 * @param counts  receives the source's counts, also on failure
 * @return CM_OK; CM_ERROR_INTERRUPTED; CM_ERROR_FORMAT where the source as a whole cannot be read;
 * CM_ERROR_IO; CM_ERROR_MEMORY; CM_ERROR_CAPACITY
 */
cm_status cm_pipeline_load(cm_engine *engine, cm_source *source, const cm_pipeline_options *options,
                           cm_source_counts *counts, cm_error *error);

/** The conversions seen so far: one per run, for all its sources. */
typedef struct cm_conversion_ids {
    cm_dictionary seen;
    size_t bytes_max; /* for them; 0: no limit */
} cm_conversion_ids;

void cm_conversion_ids_destroy(cm_conversion_ids *ids);

/**
 * Match the conversions of a source and write their results in input order.
 *
 * @param ids     duplicates are found against these; updated
 * @param format  of the results
 * @param sink    receives the rows (no header)
 * @param matched receives what became of the conversions; added to
 * @return as cm_pipeline_load
 */
cm_status cm_pipeline_match(const cm_engine *engine, cm_conversion_ids *ids, cm_source *source,
                            cm_format format, cm_sink *sink, const cm_pipeline_options *options,
                            cm_source_counts *counts, cm_match_counts *matched, cm_error *error);

/** Takes records; the one of the kind that is read must be there. */
typedef struct cm_record_taker {
    cm_status (*click)(void *context, const cm_click *click, cm_error *error);
    cm_status (*conversion)(void *context, const cm_conversion *conversion, cm_error *error);
    void *context;
} cm_record_taker;

/**
 * Give the records of a source one by one, in input order, whatever the number of threads.
 *
 * @param tenant  whose; empty: all
 * @param taker   called from one thread at a time; a record holds for the call. What it returns but
 *                CM_OK ends the run.
 * @param counts  receives the source's counts, also on failure; duplicates are the taker's business
 * @return as cm_pipeline_load
 */
cm_status cm_pipeline_each(cm_source *source, cm_row_kind kind, cm_slice tenant,
                           const cm_record_taker *taker, const cm_pipeline_options *options,
                           cm_source_counts *counts, cm_error *error);

#endif
