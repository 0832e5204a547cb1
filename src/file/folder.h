/*
 * A directory that one process has for itself, and whole files in it. Internal to src/file.
 */
#ifndef CM_FILE_FOLDER_H
#define CM_FILE_FOLDER_H

#include "util/buffer.h"

#define CM_FOLDER_LOCK "clickmatch.lock"
#define CM_FOLDER_TEMPORARY ".tmp"
#define CM_FOLDER_NAME_MAX ((size_t)96)

typedef struct cm_folder {
    char *path;         /* owned */
    const char *option; /* that names it, for messages; borrowed */
    int fd, lock;       /* -1: not open */
} cm_folder;

/**
 * Open a directory, make it (for its owner only) where it is not there, and lock it. One that is
 * not empty must have been locked before: what is in it may be removed.
 *
 * @param folder  receives it; closed by cm_folder_close, after a failure too
 * @return CM_OK, CM_ERROR_IO (what to do is said) or CM_ERROR_MEMORY
 */
cm_status cm_folder_open(cm_folder *folder, const char *path, const char *option, cm_error *error);
void cm_folder_close(cm_folder *folder);

/**
 * Write a file, or replace one, so that it is there whole or not at all, whenever the machine
 * stops. The disk begins with it while it is written. Its name is safe after cm_folder_sync.
 *
 * @param checksum  receives that of the bytes; NULL
 * @return CM_OK or CM_ERROR_IO
 */
cm_status cm_folder_write(const cm_folder *folder, const char *name, cm_slice bytes,
                          uint64_t *checksum, cm_error *error);

/** Make the names of files safe. */
cm_status cm_folder_sync(const cm_folder *folder, cm_error *error);

/**
 * Read a file whole.
 *
 * @param bytes     receives them, instead of what it held
 * @param checksum  receives theirs
 * @return CM_OK, CM_ERROR_IO, or CM_ERROR_MEMORY; where there is none, CM_OK with found false
 */
cm_status cm_folder_read(const cm_folder *folder, const char *name, cm_buffer *bytes,
                         uint64_t *checksum, bool *found, cm_error *error);

/** The size of a file; found false where there is none. CM_OK or CM_ERROR_IO. */
cm_status cm_folder_size(const cm_folder *folder, const char *name, uint64_t *size, bool *found,
                         cm_error *error);

/** Call a function for each name but those of directories. */
cm_status cm_folder_walk(const cm_folder *folder, void (*visit)(void *context, const char *name),
                         void *context, cm_error *error);

/** Remove a file. That it could not be is no error: it is tried again when the folder is opened. */
void cm_folder_remove(const cm_folder *folder, const char *name);

bool cm_folder_ends_with(const char *name, const char *ending);

#endif
