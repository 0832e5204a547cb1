/*
 * Clicks out of the indexes. A click's keys are made again of what is stored; what is found by them
 * lies anywhere in memory, so that many clicks go at once, in steps, each of which asks for what
 * the next will read.
 */
#ifndef CM_INDEX_CLICK_UNLIST_H
#define CM_INDEX_CLICK_UNLIST_H

#include "index/click_index.h"

#define CM_UNLIST_BATCH 64u

/**
 * Take clicks out of all indexes.
 *
 * @param first  number of the first of them; they follow one another
 * @param count  at most CM_UNLIST_BATCH
 * @return how many were in any: all but the duplicates
 */
uint32_t cm_click_index_unlist(cm_click_index *index, uint32_t first, uint32_t count);

/** Ask the memory for rows and texts of clicks that will be unlisted soon. */
void cm_click_index_unlist_soon(const cm_click_index *index, uint32_t first, uint32_t count);

#endif
