/* The same work on several threads. */
#ifndef CM_UTIL_PARALLEL_H
#define CM_UTIL_PARALLEL_H

/**
 * Call a function once for each of a number of workers, side by side, and return when all have.
 * The calling thread is worker 0. Where a thread cannot be had, the others must do its share: its
 * call is left out, so work is to be taken from a common queue.
 *
 * @param workers  at least 1; more than CM_PARALLEL_MAX count as that
 */
void cm_parallel(unsigned workers, void (*work)(void *context, unsigned worker), void *context);

#define CM_PARALLEL_MAX 1024u

#endif
