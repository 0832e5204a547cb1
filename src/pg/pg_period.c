#include "pg/pg_period.h"

#include <stdio.h>
#include <time.h>

#include "util/time.h"

/* An expires_at that is later than this after the click counts as this: docs/matching.md, 1. */
#define EXPIRY_MAX_US (30 * CM_DAY_US)

void cm_pg_time_text(int64_t time_us, char text[CM_PG_TIME_BYTES])
{
    int64_t fraction = ((time_us % CM_SECOND_US) + CM_SECOND_US) % CM_SECOND_US;
    time_t seconds = (time_t)((time_us - fraction) / CM_SECOND_US);
    struct tm parts = {0};
    (void)gmtime_r(&seconds, &parts);
    size_t used = strftime(text, CM_PG_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &parts);
    (void)snprintf(text + used, CM_PG_TIME_BYTES - used, ".%06d+00", (int)fraction);
}

void cm_pg_array_add(cm_buffer *array, const char *element, size_t size)
{
    cm_buffer_append_text(array, array->size == 0 ? "{\"" : ",\"");
    for (size_t i = 0; i < size; i++) {
        if (element[i] == '"' || element[i] == '\\')
            cm_buffer_append_char(array, '\\');
        cm_buffer_append_char(array, element[i]);
    }
    cm_buffer_append_char(array, '"');
}

void cm_pg_array_end(cm_buffer *array)
{
    cm_buffer_append_text(array, array->size == 0 ? "{}" : "}");
    cm_buffer_append_char(array, '\0');
}

cm_status cm_pg_period_values_make(const cm_pg_period *period, cm_pg_period_values *values,
                                   cm_error *error)
{
    int64_t expiry_us = period->from_us - period->retention_us;
    int64_t window_us = period->from_us - period->reach_us;
    int64_t capped_us = expiry_us - EXPIRY_MAX_US;
    *values = (cm_pg_period_values){.only = period->only_unattributed ? "unattributed" : "all",
                                    .campaigns = period->with_campaigns ? "true" : "false"};
    cm_pg_time_text(period->from_us, values->from);
    cm_pg_time_text(period->to_us, values->to);
    cm_pg_time_text(expiry_us, values->expiry_after);
    cm_pg_time_text(window_us, values->window_after);
    cm_pg_time_text(capped_us < window_us ? capped_us : window_us, values->clicks_after);
    for (size_t i = 0; i < period->tenant_count; i++)
        cm_pg_array_add(&values->tenants, period->tenants[i], strlen(period->tenants[i]));
    cm_pg_array_end(&values->tenants);
    if (values->tenants.failed)
        return cm_error_memory(error, "the tenants", period->tenant_count);
    return CM_OK;
}

void cm_pg_period_values_destroy(cm_pg_period_values *values)
{
    cm_buffer_destroy(&values->tenants);
}
