/*
 * Asking the memory for what will be read.
 */
#ifndef CM_UTIL_PREFETCH_H
#define CM_UTIL_PREFETCH_H

/** Ask for the cache line of an address, which need not be valid. Any thread. */
static inline void cm_prefetch(const void *address)
{
    __builtin_prefetch(address);
    /* gcc takes a function that does nothing but this for one without effect, and drops its calls:
     * a statement that it may not touch keeps them. */
    __asm__ volatile("");
}

/** The same, to be written soon. */
static inline void cm_prefetch_write(const void *address)
{
    __builtin_prefetch(address, 1);
    __asm__ volatile("");
}

#endif
