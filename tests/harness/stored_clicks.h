/*
 * Clicks in a store of their own, for what lies below the engine: lists and indexes. Times are on a
 * grid, so that many are equal and ids decide.
 */
#ifndef HARNESS_STORED_CLICKS_H
#define HARNESS_STORED_CLICKS_H

#include "store/click_store.h"

typedef struct stored_clicks {
    cm_click_store store;
    cm_click_writer writer;
    uint64_t random;
} stored_clicks;

void stored_clicks_init(stored_clicks *clicks, uint64_t seed);
void stored_clicks_destroy(stored_clicks *clicks);

/** Store a click of this time, with a random id; the row's other fields as given. Returns its
 * number: 0, 1, 2 ... */
uint32_t stored_clicks_add(stored_clicks *clicks, int64_t time, cm_click_row row);

/** Put numbers of clicks in the order of lists, oldest first. */
void stored_clicks_order(const stored_clicks *clicks, uint32_t *numbers, size_t count);

#endif
