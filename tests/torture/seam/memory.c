/* Allocations. */
#include <errno.h>
#include <stdlib.h>

#include "torture/seam/seam.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *old);

static bool fails(const char *name, const void *caller)
{
    if (seam_meets(seam_is_program(caller) ? SEAM_ALLOC : SEAM_LIB, name) == NULL)
        return false;
    errno = ENOMEM;
    return true;
}

static void *born(void *block, size_t size, const void *caller)
{
    seam_born(block, size, caller);
    return block;
}

SEAM_SHOWN void *malloc(size_t size)
{
    const void *caller = SEAM_CALLER();
    return fails("malloc", caller) ? NULL : born(__libc_malloc(size), size, caller);
}

SEAM_SHOWN void *calloc(size_t count, size_t size)
{
    const void *caller = SEAM_CALLER();
    return fails("calloc", caller) ? NULL : born(__libc_calloc(count, size), count * size, caller);
}

SEAM_SHOWN void *aligned_alloc(size_t alignment, size_t size)
{
    const void *caller = SEAM_CALLER();
    if (fails("aligned_alloc", caller))
        return NULL;
    return born(__libc_memalign(alignment, size), size, caller);
}

SEAM_SHOWN void *memalign(size_t alignment, size_t size)
{
    const void *caller = SEAM_CALLER();
    return fails("memalign", caller) ? NULL : born(__libc_memalign(alignment, size), size, caller);
}

SEAM_SHOWN int posix_memalign(void **block, size_t alignment, size_t size)
{
    const void *caller = SEAM_CALLER();
    if (fails("posix_memalign", caller))
        return ENOMEM;
    *block = born(__libc_memalign(alignment, size), size, caller);
    return *block == NULL ? ENOMEM : 0;
}

/* Dead before another thread can be given the same address. */
SEAM_SHOWN void *realloc(void *old, size_t size)
{
    const void *caller = SEAM_CALLER();
    if (fails("realloc", caller))
        return NULL;
    seam_dies(old);
    return born(__libc_realloc(old, size), size, caller);
}

SEAM_SHOWN void *reallocarray(void *old, size_t count, size_t size)
{
    const void *caller = SEAM_CALLER();
    size_t bytes;
    if (fails("reallocarray", caller) || __builtin_mul_overflow(count, size, &bytes))
        return NULL;
    seam_dies(old);
    return born(__libc_realloc(old, bytes), bytes, caller);
}

SEAM_SHOWN void free(void *old)
{
    seam_dies(old);
    __libc_free(old);
}
