/* Records that outlive the block they were read from. */
#ifndef CM_MODEL_COPY_H
#define CM_MODEL_COPY_H

#include "clickmatch.h"
#include "util/arena.h"

/**
 * Copy a conversion and its texts.
 *
 * @param arena  takes the texts
 * @return false where memory is short
 */
bool cm_conversion_copy(const cm_conversion *conversion, cm_arena *arena, cm_conversion *copy);

/** The same of a click. */
bool cm_click_copy(const cm_click *click, cm_arena *arena, cm_click *copy);

#endif
