/* Section models: what the parts of a model that has grown cost, each beside the default model. */
#include "cmd/bench.h"
#include "cmd/bench_engine.h"
#include "cmd/bench_pass.h"

static const cm_bench_measure CORE = {"core time per conversion", "ns", CM_BENCH_LESS};
static const cm_bench_measure TIMES = {"matching, times the default", "times", CM_BENCH_LESS};
static const cm_bench_measure CANDIDATES = {"candidates, times the default", "times",
                                            CM_BENCH_NEITHER};
static const cm_bench_measure MEMORY = {"memory, times the default", "times", CM_BENCH_LESS};

struct grown {
    const char *name;
    const char *model; /* NULL: the default, against itself: what the figures are worth */
};

#define ALL_TRAITS                                                                                 \
    "\"traits\": {\"os\": [0.98, 0.4], \"browser\": [0.9, 0.3], \"screen\": [0.97, 0.1], "         \
    "\"timezone\": [0.99, 0.5]}"
#define FAMILIES "\"ip_other_m\": 0.15, \"ip_other_u\": 0.4"
#define DEVICE(type) "\"" type "\": {\"fingerprint\": {\"rivals\": 0.2}}"
#define DEVICES "\"devices\": {" DEVICE("mobile") ", " DEVICE("tablet") ", " DEVICE("desktop") "}"
#define TENANT(id) "\"" id "\": {\"fingerprint\": {\"prior\": 0.6}}"
#define TENANTS "\"tenants\": {" TENANT("shop-1") ", " TENANT("shop-2") ", " TENANT("shop-3") "}"
#define DELAYS "\"delay_u\": [0.0002, 0.002, 0.01, 0.06, 0.2, 0.35, 0.378]"

/* Chances are of no matter here, but that candidates stay as many as they are. */
static const struct grown GROWN[] = {
    {"default", NULL},
    {"traits, layer 2", "{\"fingerprint\": {" ALL_TRAITS "}}"},
    {"traits", "{\"fingerprint\": {" ALL_TRAITS "}, \"probabilistic\": {" ALL_TRAITS "}}"},
    {"sections", "{" DEVICES ", " TENANTS "}"},
    {"address families", "{" FAMILIES "}"},
    {"repeat, layer 2", "{\"fingerprint\": {\"repeat\": 0.8}}"},
    {"repeat", "{\"fingerprint\": {\"repeat\": 0.8}, \"probabilistic\": {\"repeat\": 0.1}}"},
    {"strangers' delays", "{\"fingerprint\": {" DELAYS "}}"},
    {"as trained", "{" FAMILIES ", \"fingerprint\": {\"repeat\": 0.8, " DELAYS "}, "
                   "\"probabilistic\": {\"repeat\": 0.1}, " DEVICES "}"},
    {"all", "{" FAMILIES ", \"fingerprint\": {\"repeat\": 0.8, " DELAYS ", " ALL_TRAITS "}, "
            "\"probabilistic\": {\"repeat\": 0.1, " ALL_TRAITS "}, " DEVICES ", " TENANTS "}"},
};

/* An engine with the default model, and one that has grown. */
struct pair {
    const struct grown *grown;
    cm_engine *engines[2];
};

static cm_status load(cm_bench *bench, struct pair *pair, cm_error *error)
{
    const char *models[2] = {NULL, pair->grown->model};
    cm_bench_load_times ignored; /* whoever loads first finds more memory at hand */
    cm_status status = cm_bench_world_clicks(bench, error);
    for (int i = 0; i < 2 && status == CM_OK; i++)
        status = cm_bench_world_load(bench, models[i], bench->sizes.threads, &pair->engines[i],
                                     &ignored, error);
    if (status != CM_OK)
        return status;
    cm_bench_note(&bench->record, pair->grown->name, &MEMORY,
                  (double)cm_engine_memory(pair->engines[1]) /
                      (double)cm_engine_memory(pair->engines[0]));
    return CM_OK;
}

/* A model decides which conversions come to layer 3, and which newer clicks are looked at. */
static cm_status count(cm_bench *bench, const struct pair *pair, cm_error *error)
{
    const cm_bench_world *world = &bench->world;
    double means[2];
    cm_status status = CM_OK;
    for (int i = 0; i < 2 && status == CM_OK; i++)
        status = cm_bench_candidates_mean(pair->engines[i], world->conversions,
                                          world->conversion_count, &means[i], error);
    if (status == CM_OK && means[0] > 0)
        cm_bench_note(&bench->record, pair->grown->name, &CANDIDATES, means[1] / means[0]);
    return status;
}

/* One after the other, each first in turn. */
static cm_status match(cm_bench *bench, const struct pair *pair, int first, cm_error *error)
{
    const cm_bench_world *world = &bench->world;
    double core_ns[2] = {0};
    cm_status status = cm_bench_go_on(error);
    for (int i = 0; i < 2 && status == CM_OK; i++) {
        cm_bench_pass_times times;
        int at = (first + i) % 2;
        status = cm_bench_pass(pair->engines[at], world->conversions, world->conversion_count, 1,
                               NULL, &times, error);
        if (status == CM_OK)
            core_ns[at] = times.core_seconds / (double)world->conversion_count * 1e9;
    }
    if (status != CM_OK)
        return status;
    cm_bench_note(&bench->record, pair->grown->name, &CORE, core_ns[1]);
    cm_bench_note(&bench->record, pair->grown->name, &TIMES, core_ns[1] / core_ns[0]);
    return CM_OK;
}

static cm_status measure(cm_bench *bench, const struct grown *grown, cm_error *error)
{
    struct pair pair = {.grown = grown};
    cm_status status = load(bench, &pair, error);
    if (status == CM_OK)
        status = count(bench, &pair, error);
    for (unsigned i = 0; i < bench->sizes.repetitions && status == CM_OK; i++)
        status = match(bench, &pair, (int)(i % 2), error);
    cm_engine_destroy(pair.engines[0]);
    cm_engine_destroy(pair.engines[1]);
    return status;
}

cm_status cm_bench_models(cm_bench *bench, cm_error *error)
{
    cm_bench_world *world = &bench->world;
    cm_status status = cm_bench_world_conversions(bench, error);
    cm_engine_destroy(world->engine); /* three would need half as much memory again */
    world->engine = NULL;
    cm_bench_say(&bench->record, "%zu conversions; each model in turn with the default one",
                 world->conversion_count);
    for (size_t i = 0; i < sizeof GROWN / sizeof *GROWN && status == CM_OK; i++)
        status = measure(bench, &GROWN[i], error);
    return status;
}
