#include "util/arena.h"

#include <stdint.h>
#include <stdlib.h>

#define BLOCK_BYTES_MIN ((size_t)16 * 1024)
#define BLOCK_BYTES_DOUBLING_MAX ((size_t)4 << 20)
#define ALIGNMENT ((size_t)16)

struct cm_arena_block {
    struct cm_arena_block *next;
    size_t size; /* bytes that follow this header */
    _Alignas(16) unsigned char bytes[];
};

static struct cm_arena_block *grow(cm_arena *arena, size_t bytes)
{
    size_t size = arena->blocks == NULL ? BLOCK_BYTES_MIN : arena->blocks->size * 2;
    if (size > BLOCK_BYTES_DOUBLING_MAX)
        size = BLOCK_BYTES_DOUBLING_MAX;
    if (size < bytes)
        size = bytes;
    struct cm_arena_block *block = malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->next = arena->blocks;
    block->size = size;
    arena->blocks = block;
    arena->used = 0;
    return block;
}

void *cm_arena_take(cm_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 4)
        return NULL;
    bytes = (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    struct cm_arena_block *block = arena->blocks;
    if (block == NULL || block->size - arena->used < bytes) {
        block = grow(arena, bytes);
        if (block == NULL)
            return NULL;
    }
    void *taken = block->bytes + arena->used;
    arena->used += bytes;
    return taken;
}

static void free_from(struct cm_arena_block *block)
{
    while (block != NULL) {
        struct cm_arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void cm_arena_reset(cm_arena *arena)
{
    if (arena->blocks != NULL) {
        free_from(arena->blocks->next);
        arena->blocks->next = NULL;
    }
    arena->used = 0;
}

size_t cm_arena_memory(const cm_arena *arena)
{
    size_t bytes = 0;
    for (const struct cm_arena_block *block = arena->blocks; block != NULL; block = block->next)
        bytes += sizeof *block + block->size;
    return bytes;
}

void cm_arena_destroy(cm_arena *arena)
{
    free_from(arena->blocks);
    arena->blocks = NULL;
    arena->used = 0;
}
