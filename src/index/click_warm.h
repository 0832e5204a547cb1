/*
 * What inserting a click will read lies anywhere in memory: slots, what they lead to, the ends of
 * lists, the clicks there. For many clicks at once it is asked for in steps, each of which reads
 * what the one before has asked for.
 */
#ifndef CM_INDEX_CLICK_WARM_H
#define CM_INDEX_CLICK_WARM_H

#include "index/click_index.h"

#define CM_WARM_BATCH 64u

/** Ask for what inserting clicks with these keys reads; at most CM_WARM_BATCH. Nothing is changed.
 */
void cm_click_index_warm(const cm_click_index *index, const cm_click_keys *keys, size_t count);

#endif
