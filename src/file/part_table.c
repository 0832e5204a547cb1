#include "file/part_table.h"

#include <stdlib.h>
#include <string.h>

#include "util/hash.h"

#define MAGIC "CMPARTS"
#define BYTE_ORDER_MARK 0x01020304u
#define VERSION 1u

/* The head, the parts, the caller's bytes, then a checksum of all of these. */
typedef struct head {
    char magic[8];
    uint32_t byte_order, version;
    uint64_t number, count, bytes;
} head;

typedef struct entry {
    char name[CM_PART_NAME_MAX + 1];
    uint64_t size, checksum;
} entry;

_Static_assert(sizeof(entry) == 72, "an entry without gaps");

bool cm_part_name_is_good(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    return size > 0 && size <= CM_PART_NAME_MAX && name[size] == '\0';
}

cm_part *cm_part_find(const cm_part_table *table, const char *name)
{
    cm_part *part;
    HASH_FIND_STR(table->parts, name, part);
    return part;
}

cm_part *cm_part_add(cm_part_table *table, const char *name)
{
    cm_part *part = calloc(1, sizeof *part);
    if (part == NULL)
        return NULL;
    memcpy(part->name, name, strlen(name));
    HASH_ADD_STR(table->parts, name, part);
    if (part->hh.tbl != NULL)
        return part;
    free(part);
    return NULL;
}

void cm_part_remove(cm_part_table *table, cm_part *part)
{
    HASH_DEL(table->parts, part);
    free(part);
}

void cm_part_table_destroy(cm_part_table *table)
{
    cm_part *part, *next;
    HASH_ITER(hh, table->parts, part, next)
    {
        cm_part_remove(table, part);
    }
}

bool cm_manifest_write(const cm_manifest *manifest, cm_part *const *parts, size_t count,
                       cm_buffer *file)
{
    const head h = {.magic = MAGIC,
                    .byte_order = BYTE_ORDER_MARK,
                    .version = VERSION,
                    .number = manifest->number,
                    .count = count,
                    .bytes = manifest->bytes.size};
    cm_buffer_append(file, (const char *)&h, sizeof h);
    for (size_t i = 0; i < count; i++) {
        entry e = {.size = parts[i]->size, .checksum = parts[i]->checksum};
        memcpy(e.name, parts[i]->name, sizeof e.name);
        cm_buffer_append(file, (const char *)&e, sizeof e);
    }
    cm_buffer_append_slice(file, manifest->bytes);
    if (file->failed)
        return false;
    uint64_t checksum = cm_hash_bytes(file->data, file->size, 0);
    cm_buffer_append(file, (const char *)&checksum, sizeof checksum);
    return !file->failed;
}

static const char *check(cm_slice file, const head *h)
{
    uint64_t checksum;
    size_t size = file.size - sizeof checksum;
    memcpy(&checksum, file.data + size, sizeof checksum);
    if (memcmp(h->magic, MAGIC, sizeof MAGIC) != 0)
        return "not a manifest";
    if (h->byte_order != BYTE_ORDER_MARK)
        return "written on a machine with another byte order";
    if (h->version != VERSION)
        return "written by another version of this program";
    if (checksum != cm_hash_bytes(file.data, size, 0))
        return "its checksum is another";
    size -= sizeof *h;
    if (h->count > size / sizeof(entry) || h->bytes != size - h->count * sizeof(entry))
        return "its size is another";
    return NULL;
}

/* A good name, and zeros up to the end of its room. */
static bool is_name(const char room[CM_PART_NAME_MAX + 1])
{
    static const char zeros[CM_PART_NAME_MAX + 1];
    size_t size = strnlen(room, CM_PART_NAME_MAX + 1);
    return memcmp(room + size, zeros, CM_PART_NAME_MAX + 1 - size) == 0 &&
           size <= CM_PART_NAME_MAX && cm_part_name_is_good(room);
}

/* Returns what is wrong with a part; failed: memory is short. */
static const char *read_part(const char *at, cm_part_table *table, uint64_t number, bool *failed)
{
    entry e;
    memcpy(&e, at, sizeof e);
    if (!is_name(e.name) || cm_part_find(table, e.name) != NULL)
        return "a name in it is none";
    cm_part *part = cm_part_add(table, e.name);
    *failed = part == NULL;
    if (part != NULL) {
        part->size = e.size;
        part->checksum = e.checksum;
        part->state = CM_PART_WRITTEN;
        part->needed = number;
    }
    return NULL;
}

cm_status cm_manifest_read(cm_slice file, cm_part_table *table, cm_manifest *manifest,
                           const char **what)
{
    head h;
    bool failed = false;
    *what = "cut off";
    if (file.size < sizeof h + sizeof(uint64_t))
        return CM_ERROR_FORMAT;
    memcpy(&h, file.data, sizeof h);
    *what = check(file, &h);
    const char *at = file.data + sizeof h;
    for (uint64_t i = 0; i < h.count && *what == NULL && !failed; i++, at += sizeof(entry))
        *what = read_part(at, table, h.number, &failed);
    if (failed)
        return CM_ERROR_MEMORY;
    if (*what != NULL)
        return CM_ERROR_FORMAT;
    *manifest = (cm_manifest){h.number, cm_slice_of(at, h.bytes)};
    return CM_OK;
}
