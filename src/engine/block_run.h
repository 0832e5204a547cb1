/*
 * Threads over the blocks of one source. Each takes the next block, works on it alone, and passes
 * gates in block order:
 *
 *     thread 1   read 0 | parse 0 | gate A: 0 | work | gate B: 0 | read 2 ...
 *     thread 2          | read 1 | parse 1   | gate A: 1 | work   | gate B: 1 ...
 */
#ifndef CM_ENGINE_BLOCK_RUN_H
#define CM_ENGINE_BLOCK_RUN_H

#include <pthread.h>

#include "engine/pipeline.h"
#include "io/blocks.h"

enum cm_gate { CM_GATE_INPUT, CM_GATE_OUTPUT, CM_GATE_COUNT };

typedef struct cm_block_run {
    const cm_pipeline_options *options;
    cm_block_reader reader;
    const char *source_name;
    cm_source_counts *counts; /* changed within the input gate */
    uint64_t line;            /* of the next block to pass the input gate */
    pthread_mutex_t read_mutex;
    uint64_t blocks_read; /* under read_mutex */
    bool ended;           /* under read_mutex */
    pthread_mutex_t mutex;
    pthread_cond_t turned;
    uint64_t turns[CM_GATE_COUNT]; /* under mutex: the block that may pass */
    uint64_t failed_block;         /* under mutex: the first that failed */
    cm_error error;
} cm_block_run;

/** One thread's place in a run. */
typedef struct cm_block_worker {
    cm_block_run *run;
    cm_block block;
    uint64_t number; /* of the block */
    cm_arena arena;  /* reset for each block */
    cm_row row;
    cm_reject_line *rejects; /* of the block; line still counted from the block's first, from 0 */
    size_t reject_count, reject_capacity;
    uint64_t rows, lines;
    uint64_t lenient[CM_FIELD_COUNT_MAX];
} cm_block_worker;

/** What a kind of run does with a block. */
typedef struct cm_block_work {
    size_t worker_bytes; /* of a struct that begins with a cm_block_worker */
    cm_status (*begin)(cm_block_worker *worker, void *shared, cm_error *error); /* may be NULL */
    void (*start)(cm_block_worker *worker); /* of a block; may be NULL */
    cm_status (*row)(cm_block_worker *worker, cm_reject *reject, cm_error *error);
    /** After a block's last row, before the gate; may be NULL. */
    cm_status (*finish)(cm_block_worker *worker, cm_error *error);
    cm_status (*input)(cm_block_worker *worker, cm_error *error); /* in the input gate */
    cm_status (*work)(cm_block_worker *worker, cm_error *error);  /* between gates; may be NULL */
    cm_status (*output)(cm_block_worker *worker,
                        cm_error *error); /* in the output gate; may be NULL */
    /** Is it time to empty? No thread takes another block then. Both may be NULL. */
    bool (*is_full)(void *shared);
    /** When it is full and all threads wait, and at the end. */
    cm_status (*empty)(void *shared, cm_source_counts *counts, cm_error *error);
    void (*end)(cm_block_worker *worker);
    void *shared;
} cm_block_work;

/** Run a source's blocks through the work. */
cm_status cm_block_run_all(cm_source *source, cm_row_kind kind, const cm_block_work *work,
                           const cm_pipeline_options *options, cm_source_counts *counts,
                           cm_error *error);

#endif
