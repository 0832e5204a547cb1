#include "cmd/pairing.h"

#include <stdlib.h>

#include "util/error.h"
#include "util/hash.h"
#include "util/slice.h"

/* A judged conversion. What stands for its device is a hash by a random seed: it says which
 * conversions share a device, and never in what order they come. */
struct pair {
    const cm_conversion *conversion;
    uint64_t device;
    cm_judged judged[2];
};

/* A device of the pairs, which are in order; first its hash, then its place. */
struct device {
    uint64_t hash;
    uint32_t at;
};

static int compare_pairs(const void *left, const void *right)
{
    const cm_conversion *a = ((const struct pair *)left)->conversion;
    const cm_conversion *b = ((const struct pair *)right)->conversion;
    int order = cm_slice_compare(a->tenant_id, b->tenant_id);
    return order != 0 ? order : cm_slice_compare(a->conversion_id, b->conversion_id);
}

static int compare_devices(const void *left, const void *right)
{
    const struct device *a = left;
    const struct device *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

/* A truth knows the device. Of the same one are else clicks of one look, else of one place, as
 * labels have it; else it is the click's own. */
static uint64_t device_of(const cm_rights *rights, uint32_t number)
{
    uint32_t click = rights->right[number];
    uint64_t tenant = rights->groupings[CM_GROUPING_TENANT].of[number];
    if (rights->conversion_owner != NULL)
        return cm_hash_pair(rights->conversion_owner[number], tenant);
    if (rights->looks[click] != 0)
        return cm_hash_pair(rights->looks[click], tenant);
    if (rights->places[click] != 0)
        return cm_hash_pair(~rights->places[click], tenant);
    return cm_hash_pair(click, ~tenant);
}

static size_t make_pairs(const cm_records *records, const cm_rights *rights,
                         cm_judged *const judged[2], struct pair *pairs)
{
    size_t count = 0;
    for (size_t i = 0; i < records->conversion_count; i++) {
        if (!rights->is_judged[i])
            continue;
        pairs[count] = (struct pair){.conversion = &records->conversions[i],
                                     .device = device_of(rights, (uint32_t)i),
                                     .judged = {judged[0][count], judged[1][count]}};
        count++;
    }
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    return count;
}

/* Number the devices in the order of their first conversions. */
static size_t number_devices(const struct pair *pairs, size_t count, struct device *devices,
                             uint32_t *numbers)
{
    size_t device_count = 0;
    for (size_t i = 0; i < count; i++)
        devices[i] = (struct device){pairs[i].device, (uint32_t)i};
    qsort(devices, count, sizeof *devices, compare_devices);
    size_t first = 0; /* numbers[i]: the place of the device's first one */
    for (size_t i = 0; i < count; i++) {
        if (devices[i].hash != devices[first].hash)
            first = i;
        numbers[devices[i].at] = devices[first].at;
    }
    for (size_t i = 0; i < count; i++)
        numbers[i] = numbers[i] == i ? (uint32_t)device_count++ : numbers[numbers[i]];
    return device_count;
}

cm_status cm_pairing_make(const cm_records *records, const cm_rights *rights,
                          cm_judged *const judged[2], size_t count,
                          const cm_figures_options *options, cm_paired *paired, cm_error *error)
{
    struct pair *pairs = malloc((count + 1) * sizeof *pairs);
    struct device *devices = malloc((count + 1) * sizeof *devices);
    uint32_t *numbers = malloc((count + 1) * sizeof *numbers);
    cm_status status;
    if (pairs != NULL && devices != NULL && numbers != NULL) {
        (void)make_pairs(records, rights, judged, pairs);
        size_t device_count = number_devices(pairs, count, devices, numbers);
        for (size_t i = 0; i < count; i++)
            for (size_t side = 0; side < 2; side++)
                judged[side][i] = pairs[i].judged[side];
        status = cm_paired_make(judged[0], judged[1], numbers, count, device_count, options, paired,
                                error);
    } else {
        status = cm_error_memory(error, "judged conversions", count * sizeof *pairs);
    }
    free(pairs);
    free(devices);
    free(numbers);
    return status;
}
