/* Sums over a training set, chunk by chunk: the same bits on any number of threads. */
#ifndef CM_TRAIN_SUMS_H
#define CM_TRAIN_SUMS_H

#include "train/training_set.h"
#include "util/error.h"

/** Add up a chunk: sums are zero before. Called on any thread, once for each chunk. */
typedef void cm_chunk_adder(void *context, size_t chunk, double *sums);

/**
 * Add up all chunks.
 *
 * @param sums  receives `count` sums
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_sum_chunks(const cm_training_set *set, unsigned threads, cm_chunk_adder *add,
                        void *context, double *sums, size_t count, cm_error *error);

#endif
