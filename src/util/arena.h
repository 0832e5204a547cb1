/* A scratch arena: many small allocations, freed at once. */
#ifndef CM_UTIL_ARENA_H
#define CM_UTIL_ARENA_H

#include <stddef.h>

struct cm_arena_block;

/** Zero-initialised is empty and ready. Not thread-safe: one arena per thread or batch. */
typedef struct cm_arena {
    struct cm_arena_block *blocks; /* newest first */
    size_t used;                   /* bytes used of the newest block */
} cm_arena;

/**
 * Take bytes from the arena, aligned to 16.
 *
 * @return NULL when memory is short; what was taken before stays valid
 */
void *cm_arena_take(cm_arena *arena, size_t bytes);

/** Forget all that was taken; keeps the largest block for the next round. */
void cm_arena_reset(cm_arena *arena);

/** Bytes the arena holds, used or not. */
size_t cm_arena_memory(const cm_arena *arena);

/** Free everything; the arena is empty and ready again. */
void cm_arena_destroy(cm_arena *arena);

#endif
