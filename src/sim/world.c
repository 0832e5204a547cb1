#include "sim/world.h"

#include <stdlib.h>

#include "util/error.h"

void cm_sim_config_default(cm_sim_config *config)
{
    *config = (cm_sim_config){
        .seed = 1,
        .click_count = 100000,
        .conversion_count = 10000,
        .organic_share = 0.15,
        .tenant_count = 5,
        .days = 14,
        .start_us = INT64_C(1772323200) * CM_SIM_SECOND_US, /* 2026-03-01 */
        .format = CM_SIM_CSV,
        .threads = 1,
    };
}

static cm_status check_counts(const cm_sim_config *config, cm_error *error)
{
    if (config->click_count > CM_SIM_ROWS_MAX || config->conversion_count > CM_SIM_ROWS_MAX)
        return cm_error_set(error, CM_ERROR_ARGUMENT,
                            "simulate: at most %lld clicks and as many conversions can be made",
                            (long long)CM_SIM_ROWS_MAX);
    if (config->tenant_count < 1 || config->tenant_count > CM_SIM_TENANTS_MAX)
        return cm_error_set(error, CM_ERROR_ARGUMENT,
                            "simulate: %u tenants; the number must be 1 to %d",
                            config->tenant_count, CM_SIM_TENANTS_MAX);
    if (config->threads < 1 || config->threads > CM_SIM_THREADS_MAX)
        return cm_error_set(error, CM_ERROR_ARGUMENT,
                            "simulate: %u threads; the number must be 1 to %d", config->threads,
                            CM_SIM_THREADS_MAX);
    if (!(config->organic_share >= 0 && config->organic_share <= 1))
        return cm_error_set(error, CM_ERROR_ARGUMENT,
                            "simulate: the organic share is %g; it must be 0 to 1",
                            config->organic_share);
    return CM_OK;
}

static cm_status check_config(const cm_sim_config *config, cm_error *error)
{
    /* Expiries reach 30 days beyond the last click and must still be times. */
    const int64_t end_max_us = INT64_C(253370764800) * CM_SIM_SECOND_US; /* 9999-01-01 */
    if (config->days < 1 || config->days > CM_SIM_DAYS_MAX)
        return cm_error_set(error, CM_ERROR_ARGUMENT,
                            "simulate: %u days; the number must be 1 to %d", config->days,
                            CM_SIM_DAYS_MAX);
    if (config->start_us < 0 || config->start_us % CM_SIM_DAY_US != 0 ||
        config->start_us > end_max_us - (int64_t)config->days * CM_SIM_DAY_US)
        return cm_error_set(error, CM_ERROR_ARGUMENT,
                            "simulate: the start must be a midnight, UTC, from 1970 on, and the "
                            "world must end before 9999");
    if (config->format != CM_SIM_CSV && config->format != CM_SIM_NDJSON)
        return cm_error_set(error, CM_ERROR_ARGUMENT, "simulate: the format must be csv or ndjson");
    return check_counts(config, error);
}

static cm_status init_tenants(cm_sim_world *world, cm_error *error)
{
    size_t size = world->tenant_count * sizeof *world->tenant_weights;
    world->tenant_weights = malloc(size);
    if (world->tenant_weights == NULL)
        return cm_error_memory(error, "the tenants of a simulated world", size);
    uint64_t sum = 0;
    for (uint32_t rank = 0; rank < world->tenant_count; rank++) {
        sum += (UINT64_C(1) << 40) / (rank + 1);
        world->tenant_weights[rank] = sum;
    }
    return CM_OK;
}

cm_status cm_sim_world_init(cm_sim_world *world, const cm_sim_config *config, cm_error *error)
{
    cm_status status = check_config(config, error);
    if (status != CM_OK)
        return status;
    uint64_t hours = UINT64_C(24) * config->days;
    uint64_t head = hours / 8 < 24 ? hours / 8 : 24;
    uint64_t seed = cm_sim_mix(config->seed);
    *world = (cm_sim_world){
        .seed = seed,
        .format = config->format,
        .organic_share = config->organic_share,
        .clicks = {.seed = seed,
                   .purpose = CM_SIM_FOR_CLICK_TIME,
                   .start_us = config->start_us,
                   .hour_count = hours,
                   .row_count = config->click_count},
        .conversions = {.seed = seed,
                        .purpose = CM_SIM_FOR_CONVERSION_TIME,
                        .start_us = config->start_us + (int64_t)head * CM_SIM_HOUR_US,
                        .hour_count = hours - head,
                        .row_count = config->conversion_count},
        .traffic = cm_sim_traffic_make(seed, config->click_count, config->days),
        .tenant_count = config->tenant_count,
    };
    status = cm_sim_calendar_init(&world->clicks, error);
    if (status == CM_OK)
        status = cm_sim_calendar_init(&world->conversions, error);
    if (status == CM_OK)
        status = init_tenants(world, error);
    if (status != CM_OK)
        cm_sim_world_destroy(world);
    return status;
}

void cm_sim_world_destroy(cm_sim_world *world)
{
    cm_sim_calendar_destroy(&world->clicks);
    cm_sim_calendar_destroy(&world->conversions);
    free(world->tenant_weights);
    world->tenant_weights = NULL;
}

uint32_t cm_sim_world_tenant(const cm_sim_world *world, cm_sim_rng *rng)
{
    uint64_t at = cm_sim_below(rng, world->tenant_weights[world->tenant_count - 1]);
    uint32_t low = 0, high = world->tenant_count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (world->tenant_weights[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
