/*
 * Outputs that appear whole or not at all, but for growing ones. A regular file is written beside
 * its place and renamed on commit. Standard output, pipes and devices cannot be taken back: what
 * goes there waits in an unlinked temporary file until commit.
 *
 * The program ignores SIGPIPE and SIGXFSZ, so that a reader that went away and a file size limit
 * are errors here.
 */
#ifndef CM_FILE_OUTPUT_H
#define CM_FILE_OUTPUT_H

#include <stdatomic.h>

#include "io/stream.h"

typedef struct cm_output cm_output;

/** How to write. Zero means the default. */
typedef struct cm_output_options {
    const char *option; /* the option that names the file, for messages: "--output" (the default),
                           "--rejects" */
    bool is_private;    /* readable by the owner only: the file holds personal data */
    bool is_public;     /* readable by all, whatever the umask and the mode of the file before */
    bool is_direct;     /* "-", pipes and devices: write at once, do not wait for commit */
    bool is_growing;    /* regular files, too: written at once, after the whole lines there */
    bool is_fresh;      /* growing: emptied first */
    bool is_unsynced;   /* written again soon: commit does not wait for the disk */
    const atomic_bool *interrupt; /* growing: a pipe's reader that reads nothing is given up 10 s
                                     after it is raised; NULL: is waited for. Borrowed */
} cm_output_options;

/**
 * Open an output.
 *
 * @param path     a file, "-" for standard output, a pipe or a device; borrowed until commit or
 * abort
 * @param options  copied; NULL for the defaults
 * @param output   receives the output; ended by commit or abort, which free it
 * @return CM_OK, CM_ERROR_IO (cannot be created there: what to do) or CM_ERROR_MEMORY
 */
cm_status cm_output_open(const char *path, const cm_output_options *options, cm_output **output,
                         cm_error *error);

/** Where to write; owned by the output. Writes are not buffered: give it many bytes at once. */
cm_sink *cm_output_sink(cm_output *output);

/**
 * Have what was written be safely on disk, so that commit only gives it its name: for files that
 * appear one after the other, of which none shall if one has no room. What cannot be taken back
 * still waits for commit. Nothing may be written afterwards.
 *
 * @return CM_OK; CM_ERROR_IO, also after a failed write: to be ended by abort
 */
cm_status cm_output_settle(cm_output *output, cm_error *error);

/** Make what was written appear, safely on disk, and free the output. After a failed write:
 * CM_ERROR_IO, as abort. */
cm_status cm_output_commit(cm_output *output, cm_error *error);

/** Which regular file a growing output is, and how far it goes. */
typedef struct cm_output_extent {
    uint64_t device, inode; /* inode 0: it is no such file */
    uint64_t bytes;
} cm_output_extent;

/** What is written so far. NULL is allowed, and is no file. */
cm_output_extent cm_output_extent_of(const cm_output *output);

/**
 * Take back what a growing output has beyond an earlier extent: whoever was killed comes to it
 * again. Where it is another file by now, or a shorter one, it stays as it is.
 *
 * @return CM_OK or CM_ERROR_IO
 */
cm_status cm_output_cut_back(cm_output *output, const cm_output_extent *extent, cm_error *error);

/** Drop what was written and free the output. NULL is allowed. */
void cm_output_abort(cm_output *output);

#endif
