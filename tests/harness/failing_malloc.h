/*
 * A malloc that fails when told to, for a whole program that links this. The sanitizers bring their
 * own malloc: there failing_malloc_works is false and tests skip.
 */
#ifndef HARNESS_FAILING_MALLOC_H
#define HARNESS_FAILING_MALLOC_H

#include <stdbool.h>
#include <stddef.h>

extern const bool failing_malloc_works;

/** Let so many allocations succeed, then fail one; then all succeed again. */
void failing_malloc_arm(size_t allocations);

/** Let all succeed. True where one was failed since it was armed. */
bool failing_malloc_disarm(void);

/** Allocations made so far, freed or not. */
size_t failing_malloc_made(void);

/** Allocations not yet freed. */
ptrdiff_t failing_malloc_live(void);

#endif
