/* Click ids that somebody made up to be slow: all of one length, in families that tables and hashes
 * without a secret key have trouble with. */
#ifndef CM_CMD_BENCH_IDS_H
#define CM_CMD_BENCH_IDS_H

#include "clickmatch.h"

#define CM_BENCH_ID_BYTES 64
#define CM_BENCH_IDS_MAX ((uint64_t)1 << 20) /* of those that collide */

typedef enum cm_bench_id_family {
    CM_BENCH_IDS_RANDOM,     /* hexadecimal digits of a hash: what others are compared with */
    CM_BENCH_IDS_SEQUENTIAL, /* a long common prefix and a decimal number */
    CM_BENCH_IDS_LOW_BITS,   /* a long common prefix and bytes that differ in their lowest bit */
    CM_BENCH_IDS_COLLIDING,  /* all with the same XXH64 of seed 0 */
    CM_BENCH_ID_FAMILY_COUNT
} cm_bench_id_family;

/** What the ids that collide are made of; about 32 KB. Filled by cm_bench_ids_init. */
typedef struct cm_bench_ids {
    uint64_t seed;
    uint64_t lanes[2][1024][2]; /* two lanes of the hash: 1024 pairs of words that give the same */
} cm_bench_ids;

void cm_bench_ids_init(cm_bench_ids *ids, uint64_t seed);

/**
 * Write the id of a number; different numbers have different ids.
 *
 * @param number  below CM_BENCH_IDS_MAX
 * @param id      receives CM_BENCH_ID_BYTES bytes: valid UTF-8 without NUL
 */
void cm_bench_id_put(const cm_bench_ids *ids, cm_bench_id_family family, uint64_t number, char *id);

#endif
