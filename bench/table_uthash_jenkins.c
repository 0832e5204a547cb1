/* uthash as it comes. */
#define TABLE_IN_ARRAY 0
#define TABLE_KIND table_uthash_jenkins
#define TABLE_NAME "uthash, Jenkins"

#include "table_uthash.h"
