/* Section memory: what a click takes, by structure, and what the process grew by. */
#include "cmd/bench.h"
#include "engine/engine.h"

static const cm_bench_measure PER_CLICK = {"per click", "bytes", CM_BENCH_LESS};
static const cm_bench_measure TOTAL = {"in total", "MiB", CM_BENCH_LESS};

static void note(cm_bench *bench, const char *of, uint64_t bytes)
{
    double clicks = (double)cm_engine_click_count(bench->world.engine);
    cm_bench_note(&bench->record, of, &PER_CLICK, (double)bytes / clicks);
    cm_bench_note(&bench->record, of, &TOTAL, (double)bytes / (1 << 20));
}

cm_status cm_bench_memory(cm_bench *bench, cm_error *error)
{
    cm_memory_part parts[CM_MEMORY_PARTS_MAX];
    cm_status status = cm_bench_world_engine(bench, error);
    if (status != CM_OK)
        return status;
    const cm_engine *engine = bench->world.engine;
    double clicks = (double)cm_engine_click_count(engine);
    size_t count = cm_engine_memory_parts(engine, parts);
    cm_bench_say(&bench->record, "%.0f simulated clicks; click ids of %.1f bytes", clicks,
                 (double)bench->world.click_id_bytes / (double)bench->sizes.clicks);
    for (size_t i = 0; i < count; i++)
        note(bench, parts[i].name, parts[i].bytes);
    note(bench, "engine", cm_engine_memory(engine));
    if (bench->world.resident_grew > 0)
        note(bench, "resident, grown by loading", bench->world.resident_grew);
    return CM_OK;
}
