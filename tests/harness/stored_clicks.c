#include "harness/stored_clicks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/random.h"

#define WINDOW_US 1000

void stored_clicks_init(stored_clicks *clicks, uint64_t seed)
{
    *clicks = (stored_clicks){.random = seed};
    cm_click_store_init(&clicks->store, WINDOW_US);
    assert_int_equal(cm_click_store_open(&clicks->store, &clicks->writer, NULL), CM_OK);
}

void stored_clicks_destroy(stored_clicks *clicks)
{
    cm_click_store_destroy(&clicks->store);
}

/* A random number, then one that no other click has. */
uint32_t stored_clicks_add(stored_clicks *clicks, int64_t time, cm_click_row row)
{
    char id[32];
    if (cm_click_writer_is_full(&clicks->writer))
        assert_int_equal(cm_click_store_open(&clicks->store, &clicks->writer, NULL), CM_OK);
    uint32_t number = clicks->writer.base + clicks->writer.segment->count;
    int size = snprintf(id, sizeof id, "%u-%u", random_below(&clicks->random, 5000), number);
    const cm_click_texts texts = {.click_id = cm_slice_of(id, (size_t)size)};
    row.time = cm_click_row_stamp(time, (unsigned)row.time);
    assert_int_equal(cm_click_writer_reserve(&clicks->writer, &texts, NULL), CM_OK);
    return cm_click_writer_append(&clicks->writer, WINDOW_US, &row, &texts, time + WINDOW_US, 0);
}

static int compare(const void *a, const void *b, void *store)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x == y ? 0 : cm_click_store_is_older(store, x, y) ? -1 : 1;
}

void stored_clicks_order(const stored_clicks *clicks, uint32_t *numbers, size_t count)
{
    cm_click_store store = clicks->store;
    if (count > 1)
        qsort_r(numbers, count, sizeof *numbers, compare, &store);
}
