#include "train/sums.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "util/parallel.h"

struct summing {
    size_t chunk_count, sum_count;
    cm_chunk_adder *add;
    void *context;
    double *sums; /* chunk by chunk */
    atomic_size_t next;
};

static void work(void *context, unsigned worker)
{
    (void)worker;
    struct summing *summing = context;
    for (;;) {
        size_t chunk = atomic_fetch_add(&summing->next, 1);
        if (chunk >= summing->chunk_count)
            return;
        summing->add(summing->context, chunk, summing->sums + chunk * summing->sum_count);
    }
}

cm_status cm_sum_chunks(const cm_training_set *set, unsigned threads, cm_chunk_adder *add,
                        void *context, double *sums, size_t count, cm_error *error)
{
    struct summing summing = {
        .chunk_count = set->chunk_count,
        .sum_count = count,
        .add = add,
        .context = context,
        .sums = calloc(set->chunk_count * count + 1, sizeof *sums),
    };
    if (summing.sums == NULL)
        return cm_error_memory(error, "sums", set->chunk_count * count * sizeof *sums);
    cm_parallel(threads, work, &summing);
    for (size_t i = 0; i < count; i++) {
        sums[i] = 0.0;
        for (size_t chunk = 0; chunk < set->chunk_count; chunk++)
            sums[i] += summing.sums[chunk * count + i];
    }
    free(summing.sums);
    return CM_OK;
}
