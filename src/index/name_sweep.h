/*
 * Names that no row uses any more go. Each bears the generation of the latest segment whose rows
 * use it (store/dictionary.h). When enough segments have been freed, those that are older than all
 * segments are swept: some at a time, in rounds over all names. Segments of clicks ahead would keep
 * a generation for long; their rows' names are stamped anew at the beginning of each round.
 */
#ifndef CM_INDEX_NAME_SWEEP_H
#define CM_INDEX_NAME_SWEEP_H

#include "index/keys.h"
#include "store/catalog.h"

/** Zero-initialised is no round under way. */
typedef struct cm_name_sweep {
    size_t freed_count;  /* of the store's segments when the last round began */
    bool is_under_way;   /* a round is */
    uint32_t generation; /* of the round: what is older goes */
    uint32_t segment;    /* whose rows are stamped; then all segments have been passed */
    uint32_t row;        /* of it */
    unsigned turn;       /* which kind of names is swept */
    uint32_t number;     /* of the next name of this kind to look at; 0: the first */
} cm_name_sweep;

/** Is there something to do? Cheap. */
bool cm_name_sweep_is_due(const cm_name_sweep *sweep, const cm_click_store *store);

/**
 * Do some of it.
 *
 * @param rules   whose seed the names' hashes were made with
 * @param budget  rows and names to look at, at most
 */
void cm_name_sweep_go_on(cm_name_sweep *sweep, const cm_key_rules *rules, cm_catalog *catalog,
                         size_t budget);

#endif
