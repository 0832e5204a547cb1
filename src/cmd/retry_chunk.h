/* The dead events of one transaction. Shared by the parts of `retry`. */
#ifndef CM_CMD_RETRY_CHUNK_H
#define CM_CMD_RETRY_CHUNK_H

#include "cmd/retry_run.h"
#include "util/arena.h"

typedef enum cm_retry_outcome {
    CM_RETRY_OPEN,
    CM_RETRY_RESOLVED,
    CM_RETRY_IGNORED, /* there is nothing to feed in any more */
    CM_RETRY_FAILED,
    CM_RETRY_LATER, /* another turn is its */
} cm_retry_outcome;

/** One dead event. Texts live as long as the chunk. */
typedef struct cm_retry_event {
    const char *id;
    cm_row_kind kind;
    bool is_row;             /* stands for a row of a table, which is what is looked at, */
    char key[CM_UUID_BYTES]; /* by this key */
    bool is_stored;          /* the record is that of a row of the table */
    union {
        cm_click click;
        cm_conversion conversion;
    } of;
    cm_value type, value;              /* conversion_type, conversion_value */
    const struct cm_retry_event *twin; /* one of the same conversion, which goes first */
    cm_retry_outcome outcome;
    const char *error_type; /* of one that failed */
    cm_slice message;       /* why it failed or is ignored, or the note of what is resolved */
    cm_slice note;          /* that note, once it is known */
} cm_retry_event;

/** Zero-initialised is empty. */
typedef struct cm_retry_chunk {
    const cm_retry_config *config;
    cm_pg *pg;
    cm_pg_sink_shape *shape;
    cm_arena arena;
    cm_retry_event *events;
    size_t count;
    cm_pg_sink_batch batch;    /* of one kind at a time */
    cm_retry_event **in_batch; /* whose each of its rows is */
    bool out_of_memory;        /* for why one was refused */
    cm_match_counts matched;
    cm_retry_left_out left_out;
} cm_retry_chunk;

/* The note of one that comes after another of its conversion, whichever transaction that was in. */
#define CM_RETRY_DUPLICATE CM_SLICE("retried: the conversion is in conversion_tracking already")

/** Say what came of one. @param message  copied, or static with cm_slice_of_text */
void cm_retry_end_event(cm_retry_event *event, cm_retry_outcome outcome, const char *error_type,
                        cm_slice message);

/** One failed for a field, or NULL for the row as a whole. CM_OK or CM_ERROR_MEMORY. */
cm_status cm_retry_refuse(cm_retry_chunk *chunk, cm_retry_event *event, const char *error_type,
                          const char *field, const char *reason, cm_error *error);

/** Make records of what was taken. */
cm_status cm_retry_read(cm_retry_chunk *chunk, const cm_pg_answer *taken, cm_error *error);

/** Look up the rows of the tables that events stand for, and conversions that are there. */
cm_status cm_retry_look_up(cm_retry_chunk *chunk, cm_error *error);

/** Match the conversions that are open, and put them and their results into the batch. */
cm_status cm_retry_match(cm_retry_chunk *chunk, cm_error *error);

/** Put one into the batch; one that no row can hold has failed then. */
cm_status cm_retry_put(cm_retry_chunk *chunk, cm_retry_event *event, const cm_result *result,
                       uint32_t processing_ms, cm_error *error);

#endif
