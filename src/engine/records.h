/*
 * Clicks and conversions held as records, as they were read: for work that passes over the same
 * data more than once (other models, hidden ids, times turned round), each time with an engine of
 * its own.
 *
 * A record takes some 350 bytes and what its row took in the file.
 */
#ifndef CM_ENGINE_RECORDS_H
#define CM_ENGINE_RECORDS_H

#include "engine/pipeline.h"
#include "util/table.h"

/** Zero-initialised is empty and ready. One writer, or any number of readers. */
typedef struct cm_records {
    cm_click *clicks; /* in input order, without duplicates */
    size_t click_count, click_capacity;
    cm_conversion *conversions;
    size_t conversion_count, conversion_capacity;
    cm_table click_ids, conversion_ids;
    struct cm_records_bytes *bytes; /* what the records' texts point into */
    size_t bytes_count, bytes_capacity;
    size_t bytes_max;  /* for all of that; 0: no limit */
    size_t bytes_held; /* blocks and arenas */
} cm_records;

/**
 * Read the rows of a source as records. A click or conversion id seen before is a duplicate: the
 * first stands.
 *
 * @param kind    CM_ROW_CLICK or CM_ROW_CONVERSION
 * @param counts  receives the source's counts, also on failure
 * @return as cm_pipeline_load; CM_ERROR_CAPACITY where they take more than bytes_max
 */
cm_status cm_records_read(cm_records *records, cm_row_kind kind, cm_source *source,
                          const cm_pipeline_options *options, cm_source_counts *counts,
                          cm_error *error);

/**
 * Add records. An id that is there already is a duplicate: the first stands.
 *
 * @param added       copied; what their texts point to must hold as long as the records
 * @param duplicates  is increased by their number
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_CAPACITY, which leaves some of them added
 */
cm_status cm_records_add_clicks(cm_records *records, const cm_click *added, size_t count,
                                uint64_t *duplicates, cm_error *error);
cm_status cm_records_add_conversions(cm_records *records, const cm_conversion *added, size_t count,
                                     uint64_t *duplicates, cm_error *error);

/** Take over what texts of added records point to; the arena is empty afterwards. CM_OK or
 * CM_ERROR_MEMORY, where it stays with the caller. */
cm_status cm_records_keep(cm_records *records, cm_arena *arena, cm_error *error);

/** The number of a click or conversion; CM_NUMBER_NONE where there is none of this id. */
uint32_t cm_records_click(const cm_records *records, cm_slice tenant_id, cm_slice click_id);
uint32_t cm_records_conversion(const cm_records *records, cm_slice tenant_id,
                               cm_slice conversion_id);

void cm_records_destroy(cm_records *records);

/** How to pass over records. */
typedef struct cm_records_pass {
    unsigned threads;               /* at least 1 */
    const atomic_bool *interrupted; /* raised from outside: stop; may be NULL */
    void *context;                  /* of all that follow, which any thread may call */
    /** Change a click before it is loaded; false: leave it out. May be NULL. */
    bool (*edit_click)(void *context, uint32_t number, cm_click *click);
    /** Change a conversion before it is matched. May be NULL. */
    void (*edit_conversion)(void *context, uint32_t number, cm_conversion *conversion);
    /** Take the result of a conversion; its slices hold as long as the engine. */
    void (*take)(void *context, uint32_t number, const cm_result *result);
} cm_records_pass;

/**
 * Load all clicks into an engine. After a failure it is good only for being destroyed.
 *
 * @return CM_OK, CM_ERROR_MEMORY, CM_ERROR_CAPACITY or CM_ERROR_INTERRUPTED
 */
cm_status cm_records_load(const cm_records *records, const cm_records_pass *pass, cm_engine *engine,
                          cm_error *error);

/**
 * Match conversions; results do not depend on the number of threads.
 *
 * @param numbers  of the conversions to match; NULL for all, which are then as many as there are
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_INTERRUPTED
 */
cm_status cm_records_match(const cm_records *records, const cm_records_pass *pass,
                           const uint32_t *numbers, size_t count, const cm_engine *engine,
                           cm_error *error);

#endif
