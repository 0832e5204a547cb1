/* uthash at its best: our keyed hash, no allocation per item. */
#include "util/hash.h"

#define HASH_FUNCTION(key, size, hash) (hash) = (unsigned)cm_hash_bytes(key, size, TABLE_SEED)
#define TABLE_IN_ARRAY 1
#define TABLE_KIND table_uthash_array
#define TABLE_NAME "uthash, XXH3, items in one array"

#include "table_uthash.h"
