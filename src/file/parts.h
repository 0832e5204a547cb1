/*
 * A directory of part files that never change, and one manifest that names those that count. A
 * commit replaces the manifest when all parts it names are safe on disk: whenever the process or
 * the machine stops, there is the last commit, whole.
 *
 *     put a    put b    commit 1 (a, b)    put c    commit 2 (b, c)     a goes
 *
 * A thread does the writing, in the order of the calls; the caller never waits for the disk, but in
 * cm_parts_wait and cm_parts_close. What fails is reported once, by cm_parts_trouble; the commit
 * that needed it is left out, the one before stays, and a later one may succeed.
 *
 *     clickmatch.lock   keeps other processes out
 *     manifest          what was committed, with sizes and checksums of its parts, and its own
 *     NAME.part         the parts
 *     *.tmp             what is being written
 */
#ifndef CM_FILE_PARTS_H
#define CM_FILE_PARTS_H

#include "util/buffer.h"

#define CM_PART_NAME_MAX ((size_t)55) /* characters: a-z, 0-9, '-' and '_' */

/** One thread calls, but where it is said. */
typedef struct cm_parts cm_parts;

/**
 * Open a directory, and the commit that is in it. What no commit names is removed.
 *
 * @param path    made, readable by its owner only, where it is not there; one that holds anything
 *                else is refused
 * @param option  that names it, for messages: "--checkpoint"; borrowed
 * @param parts   receives it; the caller ends it with cm_parts_close
 * @return CM_OK; CM_ERROR_IO where it cannot be used, another process uses it or a part is missing;
 *         CM_ERROR_FORMAT where the manifest or the size of a part is not as it was written:
 *         nothing is removed then; CM_ERROR_MEMORY
 */
cm_status cm_parts_open(const char *path, const char *option, cm_parts **parts, cm_error *error);

/** Is there a commit in a directory? Nothing is opened. */
bool cm_parts_exist(const char *path);

/** The number of the commit that was found, 0: there is none; the bytes given to it hold until
 * cm_parts_close. */
uint64_t cm_parts_found(const cm_parts *parts, cm_slice *manifest);

/**
 * Read a part of the commit that was found. Any threads may, before the first put.
 *
 * @param bytes  receives them, instead of what it held
 * @return CM_OK; CM_ERROR_FORMAT where they are not those that were written, or no such part was;
 *         CM_ERROR_IO or CM_ERROR_MEMORY
 */
cm_status cm_parts_read(cm_parts *parts, const char *name, cm_buffer *bytes, cm_error *error);

/** Is there a part of this name, written or about to be? False for one that could not be written.
 */
bool cm_parts_has(cm_parts *parts, const char *name);

/** Should more be put now? Not while much waits to be written. */
bool cm_parts_has_room(cm_parts *parts);

/**
 * Write a part. A commit must name it, or it goes with the next one.
 *
 * @param name   of no part that there is
 * @param bytes  taken over, and empty afterwards; freed after a failure, too
 * @return CM_OK, CM_ERROR_ARGUMENT for a name that is none or is taken, or CM_ERROR_MEMORY
 */
cm_status cm_parts_put(cm_parts *parts, const char *name, cm_buffer *bytes, cm_error *error);

/** A buffer that was written, whose memory can be used again; an empty one where there is none. */
cm_buffer cm_parts_take_spare(cm_parts *parts);

/** What to commit. All is copied. */
typedef struct cm_commit {
    cm_slice manifest;        /* any bytes, of the caller's own */
    const char *const *names; /* of the parts it needs; each was put, or is of the commit before */
    size_t count;
    const char *text_name; /* a file for others to read, replaced after the manifest: one that does
                              not end in ".part" or ".tmp"; NULL: none */
    cm_slice text;
} cm_commit;

/**
 * Commit, when all that was put before is written. Then parts that it does not name go.
 *
 * @param number  receives the commit's: one more than that of the last call
 * @return CM_OK; CM_ERROR_ARGUMENT where a part is not there (cm_parts_has); CM_ERROR_MEMORY
 */
cm_status cm_parts_commit(cm_parts *parts, const cm_commit *commit, uint64_t *number,
                          cm_error *error);

/** The last commit that is safe on disk. */
uint64_t cm_parts_committed(cm_parts *parts);

/** Is there nothing left to write? Then the commits that cm_parts_committed, asked afterwards, does
 * not tell of have failed. */
bool cm_parts_is_idle(cm_parts *parts);

/** What failed since the last call, the first of it: CM_ERROR_IO or CM_ERROR_MEMORY; CM_OK. */
cm_status cm_parts_trouble(cm_parts *parts, cm_error *error);

/** Wait until all is written; then as cm_parts_trouble. */
cm_status cm_parts_wait(cm_parts *parts, cm_error *error);

/** Write what waits, and end. NULL is allowed. */
void cm_parts_close(cm_parts *parts);

#endif
