/* What the files of parts share. Internal to src/file. */
#ifndef CM_FILE_PARTS_STATE_H
#define CM_FILE_PARTS_STATE_H

#include <pthread.h>
#include <stdlib.h>

#include "file/folder.h"
#include "file/part_table.h"
#include "util/error.h"

#define CM_PARTS_WAITING_MAX 4 /* parts to be written, before there is no more room */
#define CM_PARTS_SPARES (CM_PARTS_WAITING_MAX + 1) /* fresh memory would hold its owner up */

/* What the thread is to do: a part, or a commit. */
typedef struct cm_parts_job {
    struct cm_parts_job *next;
    cm_part *part;   /* NULL: a commit */
    cm_buffer bytes; /* the part's; the caller's bytes of the manifest */
    uint64_t number;
    cm_part **needs;
    size_t count;
    char *text_name; /* NULL: none */
    cm_buffer text;
} cm_parts_job;

struct cm_parts {
    cm_folder folder;
    cm_buffer manifest; /* the file as found */
    cm_manifest found;  /* in it */
    uint64_t last;      /* commit that was asked for */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t work, rest;
    cm_part_table table;
    cm_parts_job *first, **end; /* the queue */
    size_t waiting;             /* parts in it */
    bool is_busy, is_closing;
    uint64_t committed;
    cm_buffer spares[CM_PARTS_SPARES];
    cm_error error; /* code CM_OK: none that was not told */
};

/** The thread. */
void *cm_parts_work(void *parts);

/** The name of a part's file. */
void cm_part_file(const cm_part *part, char file[CM_FOLDER_NAME_MAX]);

void cm_parts_job_free(cm_parts_job *job);

#endif
