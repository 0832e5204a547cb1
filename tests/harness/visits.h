/* Records of devices that click and convert, of which a test knows the chances: for what learns
 * from records. It shares no code with the simulator. What fails, fails the test. */
#ifndef HARNESS_VISITS_H
#define HARNESS_VISITS_H

#include "engine/records.h"

#define VISITS_BINS 5

/** Upper edges of the delay bins that conversions come in, in hours. */
extern const double visits_edges[VISITS_BINS];

/** By what chances. A conversion that is not organic has one device's click before it. */
typedef struct visits_options {
    uint64_t seed;
    size_t conversions, idle; /* idle: devices that click and do not convert */
    double organic, labelled; /* labelled: of those that are not organic */
    double delays[VISITS_BINS];
    double fingerprint_kept, address_kept, user_agent_kept;
    double other_family;   /* of addresses that were not kept */
    double twice;          /* devices that had clicked before, elsewhere */
    uint32_t fingerprints; /* that devices share; each has one of them */
    uint32_t addresses;    /* likewise */
    uint32_t user_agents;
    bool has_traits;
    bool shuffles; /* the same records, in another order */
} visits_options;

typedef struct visits {
    cm_records records;
    char (*texts)[24];
} visits;

visits *visits_make(const visits_options *options);

void visits_destroy(visits *made);

#endif
