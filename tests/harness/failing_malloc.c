#include "harness/failing_malloc.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "clickmatch.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_OWN_MALLOC 0
#endif
#endif
#if !defined(HAS_OWN_MALLOC) && (defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__))
#define HAS_OWN_MALLOC 0
#endif
#ifndef HAS_OWN_MALLOC
#define HAS_OWN_MALLOC 1
#endif

const bool failing_malloc_works = HAS_OWN_MALLOC;

static size_t allocations_left = SIZE_MAX; /* until one fails; counts down while below the most */
static size_t made;
static ptrdiff_t live;
static bool has_failed;

void failing_malloc_arm(size_t allocations)
{
    has_failed = false;
    allocations_left = allocations;
}

bool failing_malloc_disarm(void)
{
    allocations_left = SIZE_MAX;
    return has_failed;
}

size_t failing_malloc_made(void)
{
    return made;
}

ptrdiff_t failing_malloc_live(void)
{
    return live;
}

#if HAS_OWN_MALLOC

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *old);

/* CM_PUBLIC, because shared libraries must find these, too. */

static bool may_allocate(void)
{
    made++;
    if (allocations_left == SIZE_MAX || allocations_left-- > 0)
        return true;
    allocations_left = SIZE_MAX; /* one failure a round */
    has_failed = true;
    errno = ENOMEM;
    return false;
}

static void *counted(void *bytes)
{
    live += bytes != NULL;
    return bytes;
}

CM_PUBLIC void *malloc(size_t size)
{
    return may_allocate() ? counted(__libc_malloc(size)) : NULL;
}

CM_PUBLIC void *calloc(size_t count, size_t size)
{
    return may_allocate() ? counted(__libc_calloc(count, size)) : NULL;
}

CM_PUBLIC void *aligned_alloc(size_t alignment, size_t size)
{
    return may_allocate() ? counted(__libc_memalign(alignment, size)) : NULL;
}

CM_PUBLIC void *realloc(void *old, size_t size)
{
    if (!may_allocate())
        return NULL;
    void *bytes = __libc_realloc(old, size);
    live += old == NULL && bytes != NULL;
    return bytes;
}

CM_PUBLIC void free(void *old)
{
    live -= old != NULL;
    __libc_free(old);
}

#endif
