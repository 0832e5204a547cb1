/* Where two models differ: counts, and answers paired by device. */
#include <math.h>
#include <stdlib.h>

#include "cmd/challenge.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/slice.h"

/* ---- with ids ---- */

static void count_one(const cm_choice *champion, const cm_choice *challenger,
                      cm_challenge_counts *counts)
{
    bool is_first = champion->click != CM_NUMBER_NONE;
    bool is_second = challenger->click != CM_NUMBER_NONE;
    counts->conversions++;
    counts->attributed[CM_CHAMPION] += is_first;
    counts->attributed[CM_CHALLENGER] += is_second;
    counts->alone[CM_CHAMPION] += is_first && !is_second;
    counts->alone[CM_CHALLENGER] += is_second && !is_first;
    counts->same_click += is_first && champion->click == challenger->click;
    counts->other_click += is_first && is_second && champion->click != challenger->click;
}

/* Sums are of whole numbers, so that no order of adding matters. */
static double expected_error(const cm_choice *choices, size_t count)
{
    uint64_t doubt = 0, attributed = 0;
    for (size_t i = 0; i < count; i++) {
        if (choices[i].method == CM_METHOD_UNATTRIBUTED || choices[i].method == CM_METHOD_URL_PARAM)
            continue;
        attributed++;
        doubt += (uint64_t)((1 - choices[i].probability) * 0x1p32);
    }
    return attributed == 0 ? (double)NAN : (double)doubt * 0x1p-32 / (double)attributed;
}

cm_status cm_challenge_count(const cm_choice *const choices[2], size_t count,
                             cm_challenge *challenge, cm_error *error)
{
    for (size_t kind = 0; kind < CM_GROUPING_COUNT; kind++) {
        size_t groups = challenge->groupings[kind].count + 1;
        challenge->groups[kind] = calloc(groups, sizeof *challenge->groups[kind]);
        if (challenge->groups[kind] == NULL)
            return cm_error_memory(error, "groups", groups * sizeof *challenge->groups[kind]);
    }
    for (size_t i = 0; i < count; i++) {
        const cm_choice *champion = &choices[CM_CHAMPION][i];
        const cm_choice *challenger = &choices[CM_CHALLENGER][i];
        count_one(champion, challenger, &challenge->counts);
        challenge->methods[champion->method][challenger->method]++;
        for (size_t kind = 0; kind < CM_GROUPING_COUNT; kind++)
            count_one(champion, challenger,
                      &challenge->groups[kind][challenge->groupings[kind].of[i]]);
    }
    for (size_t side = 0; side < 2; side++)
        challenge->expected_error[side] = expected_error(choices[side], count);
    return CM_OK;
}

/* ---- without ids ---- */

/* A labelled conversion. What stands for its device is a hash by a random seed: it says which
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

/* Of the same device are clicks of one look, else of one place, as labels have it; else it is the
 * click's own. */
static uint64_t device_of(const cm_rights *rights, uint32_t number)
{
    uint32_t click = rights->right[number];
    uint64_t tenant = rights->groupings[CM_GROUPING_TENANT].of[number];
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

cm_status cm_challenge_pair(const cm_records *records, const cm_rights *rights,
                            cm_judged *const judged[2], const cm_figures_options *options,
                            cm_challenge *challenge, cm_error *error)
{
    size_t room = challenge->labelled + 1;
    struct pair *pairs = malloc(room * sizeof *pairs);
    struct device *devices = malloc(room * sizeof *devices);
    uint32_t *numbers = malloc(room * sizeof *numbers);
    cm_status status;
    if (pairs != NULL && devices != NULL && numbers != NULL) {
        size_t count = make_pairs(records, rights, judged, pairs);
        size_t device_count = number_devices(pairs, count, devices, numbers);
        for (size_t i = 0; i < count; i++)
            for (size_t side = 0; side < 2; side++)
                judged[side][i] = pairs[i].judged[side];
        status = cm_paired_make(judged[0], judged[1], numbers, count, device_count, options,
                                &challenge->paired, error);
    } else {
        status = cm_error_memory(error, "labelled conversions", room * sizeof *pairs);
    }
    free(pairs);
    free(devices);
    free(numbers);
    return status;
}
