/* One engine against another, whatever way their clicks came in. */
#ifndef HARNESS_ENGINES_H
#define HARNESS_ENGINES_H

#include "engine/engine.h"
#include "oracle/world.h"

#define ENGINES_SIZES 8

/** Sizes of all that a shard has, one after another. Returns their sum. */
size_t engines_shard_sizes(const cm_click_index *index, size_t shard, size_t sizes[ENGINES_SIZES]);

/** Fails the test where two engines do not match a world's conversions, and some that each carry a
 * key of one of its clicks, alike. */
void engines_assert_same_matches(const cm_engine *a, const cm_engine *b, const world *from);

/** Forgets all clicks; fails the test where any are left, or any key of theirs. */
void engines_assert_nothing_left(cm_engine *engine);

#endif
