/*
 * Lists' memory given back. A shard's pool is as large as its lists were at their largest; where
 * much of it has become free, its blocks move together.
 */
#ifndef CM_INDEX_LIST_TIDY_H
#define CM_INDEX_LIST_TIDY_H

#include "index/groups.h"

/**
 * Move all blocks of a pool together, if that is worth its while, and give back what is left over.
 * Takes a few microseconds for each thousand clicks.
 *
 * @param groups  all lists of the pool
 * @return whether they were moved; not where memory is short
 */
bool cm_lists_tidy(cm_lists *lists, const cm_groups *groups);

#endif
