/* The parts of a directory by name, and the manifest, which says which of them count. Internal to
 * src/file. */
#ifndef CM_FILE_PART_TABLE_H
#define CM_FILE_PART_TABLE_H

#include "file/parts.h"
#include "util/uthash_map.h"

#define CM_MANIFEST "manifest"
#define CM_PART_ENDING ".part"

typedef enum cm_part_state { CM_PART_QUEUED, CM_PART_WRITTEN, CM_PART_FAILED } cm_part_state;

typedef struct cm_part {
    char name[CM_PART_NAME_MAX + 1];
    uint64_t size, checksum; /* when it is written */
    cm_part_state state;
    uint64_t needed; /* the last commit that names it */
    UT_hash_handle hh;
} cm_part;

/** Zero-initialised is empty. */
typedef struct cm_part_table {
    cm_part *parts; /* uthash */
} cm_part_table;

bool cm_part_name_is_good(const char *name);

/** NULL where there is none. */
cm_part *cm_part_find(const cm_part_table *table, const char *name);

/** A new one, queued. NULL when memory is short. */
cm_part *cm_part_add(cm_part_table *table, const char *name);

void cm_part_remove(cm_part_table *table, cm_part *part);
void cm_part_table_destroy(cm_part_table *table);

/** What a manifest holds. */
typedef struct cm_manifest {
    uint64_t number;
    cm_slice bytes; /* the caller's; borrowed */
} cm_manifest;

/** Write a manifest that names these parts. False when memory is short. */
bool cm_manifest_write(const cm_manifest *manifest, cm_part *const *parts, size_t count,
                       cm_buffer *file);

/**
 * Read one, which may be any bytes.
 *
 * @param table     receives the parts, written and needed
 * @param manifest  its bytes are in the file's
 * @param what      receives what is wrong, static text
 * @return CM_OK, CM_ERROR_FORMAT or CM_ERROR_MEMORY
 */
cm_status cm_manifest_read(cm_slice file, cm_part_table *table, cm_manifest *manifest,
                           const char **what);

#endif
