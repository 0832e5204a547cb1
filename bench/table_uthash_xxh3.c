/* uthash with our keyed hash, as input that strangers write would need it. */
#include "util/hash.h"

#define HASH_FUNCTION(key, size, hash) (hash) = (unsigned)cm_hash_bytes(key, size, TABLE_SEED)
#define TABLE_IN_ARRAY 0
#define TABLE_KIND table_uthash_xxh3
#define TABLE_NAME "uthash, XXH3"

#include "table_uthash.h"
