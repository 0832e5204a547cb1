/* Blocks of memory that live, by address. Not thread-safe: the caller holds a lock. */
#ifndef TORTURE_SEAM_BLOCKS_H
#define TORTURE_SEAM_BLOCKS_H

#include <stddef.h>

#define SEAM_FRAMES 16

typedef struct seam_block {
    const void *at;
    size_t size;
    const void *caller;
    int frame_count;
    void *frames[SEAM_FRAMES];
} seam_block;

void seam_add_block(const seam_block *block);
void seam_remove_block(const void *at);
void seam_each_block(void (*tell)(const seam_block *block));

#endif
