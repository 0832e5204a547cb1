/*
 * A model read again while a stream runs. From a file it is read at once. From the registry a
 * thread reads it, as a server may take its time: events go on by the old model meanwhile.
 */
#ifndef CM_CMD_MODEL_RELOAD_H
#define CM_CMD_MODEL_RELOAD_H

#include <pthread.h>
#include <stdatomic.h>

#include "cmd/model_source.h"

/** A reading under way, or none: zero-initialised. One thread calls. */
typedef struct cm_model_reload {
    const cm_model_source *source;
    pthread_t thread;
    bool is_running, has_thread;
    bool again; /* it was asked for meanwhile */
    atomic_bool stop, is_done;
    uint64_t began_ns;
    cm_model *model; /* what the thread read */
    cm_status status;
    cm_error error;
} cm_model_reload;

/** Begin to read. While one is under way: once more after it, as what it reads may be old. */
void cm_model_reload_begin(cm_model_reload *reload, const cm_model_source *source, uint64_t now_ns);

/** Has it been begun, and not taken? */
static inline bool cm_model_reload_is_pending(const cm_model_reload *reload)
{
    return reload->is_running;
}

/**
 * Take what was read.
 *
 * @param status  receives CM_OK or what went wrong: CM_ERROR_DATABASE, too, where the server has
 * not answered for half a minute
 * @param model   receives the model; the caller frees it
 * @return false: not yet, or nothing was begun
 */
bool cm_model_reload_take(cm_model_reload *reload, uint64_t now_ns, cm_status *status,
                          cm_model **model, cm_error *error);

/** Give up what is under way. */
void cm_model_reload_close(cm_model_reload *reload);

#endif
