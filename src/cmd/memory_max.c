#include "cmd/memory_max.h"

#include "file/machine_memory.h"
#include "util/error.h"

cm_memory_shares cm_memory_shares_of(const cm_settings *settings)
{
    const cm_option_value *any = &settings->values[CM_OPTION_MEMORY_MAX];
    const cm_option_value *value =
        any->given ? any : &settings->values[CM_OPTION_MEMORY_MAX_OR_NOTHING];
    uint64_t there = value->given ? UINT64_MAX : cm_machine_memory();
    uint64_t all = value->given ? value->number : there / 5 * 4;
    return (cm_memory_shares){.all = all,
                              .clicks = (size_t)(all / 4 * 3),
                              .names = (size_t)(all / 8),
                              .ids = (size_t)(all / 8),
                              .records = (size_t)(all / 8 * 3)};
}

cm_load_limits cm_memory_load_limits(const cm_settings *settings)
{
    cm_memory_shares shares = cm_memory_shares_of(settings);
    return (cm_load_limits){.click_bytes_max = shares.clicks,
                            .name_bytes_max = shares.names,
                            .tenants_max =
                                (size_t)cm_settings_number(settings, CM_OPTION_TENANTS_MAX)};
}

cm_status cm_memory_refuse_tenants(const cm_load_limits *limits, const char *source,
                                   cm_error *error)
{
    return cm_error_set(error, CM_ERROR_CAPACITY,
                        "%.200s: clicks of more than %zu tenants; is tenant_id the right column? "
                        "If so, give a larger --tenants-max",
                        source, limits->tenants_max);
}

cm_status cm_memory_refuse(const cm_load_limits *limits, const char *source, cm_error *error)
{
    switch (cm_load_limits_over(limits)) {
    case CM_OVER_TENANTS:
        return cm_memory_refuse_tenants(limits, source, error);
    case CM_OVER_NAMES:
        return cm_error_set(error, CM_ERROR_CAPACITY,
                            "%.200s: user agents, campaigns and other names that clicks share take "
                            "more than %zu MiB, an eighth of --memory-max; are there ids among "
                            "them? If not, give a larger --memory-max",
                            source, limits->name_bytes_max >> 20);
    default:
        return cm_error_set(error, CM_ERROR_CAPACITY,
                            "%.200s: the clicks take more than %zu MiB, three quarters of "
                            "--memory-max; the oldest are left out only where all come from files, "
                            "which are read again, or from PostgreSQL; give files, or a larger "
                            "--memory-max",
                            source, limits->click_bytes_max >> 20);
    }
}
