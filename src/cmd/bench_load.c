/* Section load: the simulated clicks, CSV in memory, into an engine. */
#include "cmd/bench.h"

static const cm_bench_measure RATE = {"clicks loaded", "clicks/s", CM_BENCH_MORE};
static const cm_bench_measure BYTES = {"input read", "MB/s", CM_BENCH_MORE};
static const cm_bench_measure CORE = {"core time per click", "ns", CM_BENCH_LESS};

static cm_status load_once(cm_bench *bench, unsigned threads, cm_error *error)
{
    char of[CM_BENCH_CASE_BYTES];
    cm_bench_load_times times;
    cm_bench_world *world = &bench->world;
    cm_engine_destroy(world->engine); /* two would need twice the memory */
    world->engine = NULL;
    cm_status status = cm_bench_go_on(error);
    if (status == CM_OK)
        status = cm_bench_world_load(bench, NULL, threads, &world->engine, &times, error);
    if (status != CM_OK)
        return status;
    double clicks = (double)cm_engine_click_count(world->engine);
    cm_bench_threads_text(threads, of);
    cm_bench_note(&bench->record, of, &RATE, clicks / times.seconds);
    cm_bench_note(&bench->record, of, &BYTES, (double)world->clicks.size / times.seconds / 1e6);
    cm_bench_note(&bench->record, of, &CORE, times.core_seconds / clicks * 1e9);
    return CM_OK;
}

cm_status cm_bench_load(cm_bench *bench, cm_error *error)
{
    cm_status status = cm_bench_world_clicks(bench, error);
    if (status != CM_OK)
        return status;
    cm_bench_say(&bench->record, "%llu simulated clicks, %.1f bytes of CSV each, over %u days",
                 (unsigned long long)bench->sizes.clicks,
                 (double)bench->world.clicks.size / (double)bench->sizes.clicks, bench->sizes.days);
    for (unsigned i = 0; i < bench->sizes.repetitions && status == CM_OK; i++) {
        status = load_once(bench, 1, error);
        if (status == CM_OK && bench->sizes.threads > 1)
            status = load_once(bench, bench->sizes.threads, error);
    }
    return status;
}
