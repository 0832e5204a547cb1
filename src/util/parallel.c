#include "util/parallel.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct part {
    pthread_t thread;
    bool started;
    unsigned worker;
    void (*work)(void *context, unsigned worker);
    void *context;
} part;

static void *run_part(void *context)
{
    const part *p = context;
    p->work(p->context, p->worker);
    return NULL;
}

void cm_parallel(unsigned workers, void (*work)(void *context, unsigned worker), void *context)
{
    if (workers > CM_PARALLEL_MAX)
        workers = CM_PARALLEL_MAX;
    part *parts = workers > 1 ? calloc(workers, sizeof *parts) : NULL;
    for (unsigned i = 1; parts != NULL && i < workers; i++) {
        parts[i] = (part){.worker = i, .work = work, .context = context};
        parts[i].started = pthread_create(&parts[i].thread, NULL, run_part, &parts[i]) == 0;
    }
    work(context, 0);
    for (unsigned i = 1; parts != NULL && i < workers; i++)
        if (parts[i].started)
            (void)pthread_join(parts[i].thread, NULL);
    free(parts);
}
