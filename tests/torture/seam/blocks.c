#include "torture/seam/blocks.h"

#include <stdint.h>
#include <stdlib.h>

#define BUCKETS ((size_t)1 << 16)

typedef struct node {
    struct node *next;
    seam_block block;
} node;

static node *buckets[BUCKETS];

void *__libc_malloc(size_t size);
void __libc_free(void *block);

static node **bucket_of(const void *at)
{
    return &buckets[((uintptr_t)at >> 4) * 0x9E3779B97F4A7C15u >> 48];
}

void seam_add_block(const seam_block *block)
{
    node **bucket = bucket_of(block->at), *made = __libc_malloc(sizeof *made);
    if (made == NULL)
        abort();
    *made = (node){.next = *bucket, .block = *block};
    *bucket = made;
}

void seam_remove_block(const void *at)
{
    for (node **link = bucket_of(at); *link != NULL; link = &(*link)->next) {
        if ((*link)->block.at != at)
            continue;
        node *found = *link;
        *link = found->next;
        __libc_free(found);
        return;
    }
}

void seam_each_block(void (*tell)(const seam_block *block))
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (const node *n = buckets[i]; n != NULL; n = n->next)
            tell(&n->block);
}
