#include "cmd/model_reload.h"

#include "util/error.h"

#define PATIENCE_SECONDS 30

static void read_model(cm_model_reload *reload)
{
    reload->status =
        cm_model_source_read(reload->source, &reload->stop, &reload->model, NULL, &reload->error);
    atomic_store(&reload->is_done, true);
}

static void *run_thread(void *context)
{
    read_model(context);
    return NULL;
}

void cm_model_reload_begin(cm_model_reload *reload, const cm_model_source *source, uint64_t now_ns)
{
    if (reload->is_running) {
        reload->again = true;
        return;
    }
    *reload = (cm_model_reload){.source = source, .is_running = true, .began_ns = now_ns};
    bool is_slow = source->path == NULL && source->has_registry;
    if (!is_slow) {
        read_model(reload);
        return;
    }
    int failure = pthread_create(&reload->thread, NULL, run_thread, reload);
    if (failure == 0) {
        reload->has_thread = true;
        return;
    }
    reload->status = cm_error_memory(&reload->error, "a thread", 1);
    atomic_store(&reload->is_done, true);
}

/* Wait for the thread's end. */
static void end(cm_model_reload *reload)
{
    if (reload->has_thread)
        (void)pthread_join(reload->thread, NULL);
    reload->has_thread = false;
    reload->is_running = false;
}

bool cm_model_reload_take(cm_model_reload *reload, uint64_t now_ns, cm_status *status,
                          cm_model **model, cm_error *error)
{
    if (!reload->is_running)
        return false;
    if (now_ns - reload->began_ns > PATIENCE_SECONDS * UINT64_C(1000000000))
        atomic_store(&reload->stop, true);
    if (!atomic_load(&reload->is_done))
        return false;
    end(reload);
    *status = reload->status;
    *model = reload->model;
    *error = reload->error;
    reload->model = NULL;
    if (*status == CM_ERROR_INTERRUPTED)
        *status = cm_error_set(error, CM_ERROR_DATABASE,
                               "PostgreSQL has not answered for %d s; send SIGHUP again when it "
                               "does",
                               PATIENCE_SECONDS);
    if (reload->again)
        cm_model_reload_begin(reload, reload->source, now_ns);
    return true;
}

void cm_model_reload_close(cm_model_reload *reload)
{
    if (!reload->is_running)
        return;
    atomic_store(&reload->stop, true);
    end(reload);
    cm_model_destroy(reload->model);
    reload->model = NULL;
}
