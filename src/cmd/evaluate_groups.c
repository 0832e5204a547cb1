#include "cmd/evaluate_groups.h"

#include <stdlib.h>

#include "store/dictionary.h"
#include "util/buffer.h"
#include "util/grow.h"

/* ---- which conversion is in which group ---- */

static cm_slice name_of(const cm_conversion *conversion, cm_grouping_kind kind, cm_buffer *lower)
{
    if (kind == CM_GROUPING_TENANT)
        return conversion->tenant_id;
    cm_slice type = conversion->device.device_type;
    if (type.size == 0)
        return CM_SLICE(CM_GROUP_NO_TYPE);
    lower->size = 0;
    for (size_t i = 0; i < type.size; i++) {
        char byte = type.data[i];
        cm_buffer_append_char(lower, byte >= 'A' && byte <= 'Z' ? (char)(byte + 32) : byte);
    }
    return cm_slice_of(lower->data, lower->size);
}

struct named {
    cm_slice name;
    uint32_t number; /* in the dictionary */
};

static int compare(const void *left, const void *right)
{
    return cm_slice_compare(((const struct named *)left)->name,
                            ((const struct named *)right)->name);
}

static char *copy_text(cm_slice text)
{
    char *copy = malloc(text.size + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

/* Numbers in the order of appearance become numbers in the order of names. */
static bool sort_names(const cm_dictionary *found, size_t conversion_count, cm_grouping *grouping)
{
    size_t count = found->count == 0 ? 0 : found->count - 1; /* 0 is the missing text */
    struct named *named = malloc((count + 1) * sizeof *named);
    uint32_t *places = malloc((count + 2) * sizeof *places);
    grouping->names = calloc(count + 1, sizeof *grouping->names);
    bool done = named != NULL && places != NULL && grouping->names != NULL;
    for (size_t i = 0; done && i < count; i++)
        named[i] = (struct named){found->texts[i + 1], (uint32_t)i + 1};
    if (done)
        qsort(named, count, sizeof *named, compare);
    for (size_t i = 0; done && i < count; i++) {
        places[named[i].number] = (uint32_t)i;
        grouping->names[i] = copy_text(named[i].name);
        grouping->count = i + 1;
        done = grouping->names[i] != NULL;
    }
    for (size_t i = 0; done && i < conversion_count; i++)
        grouping->of[i] = places[grouping->of[i]];
    free(places);
    free(named);
    return done;
}

cm_status cm_grouping_make(const cm_records *records, cm_grouping_kind kind, cm_grouping *grouping,
                           cm_error *error)
{
    size_t count = records->conversion_count;
    cm_dictionary found = {0};
    cm_buffer lower = {0};
    *grouping = (cm_grouping){.of = malloc((count + 1) * sizeof *grouping->of)};
    bool done = grouping->of != NULL;
    for (size_t i = 0; done && i < count; i++) {
        cm_slice name = name_of(&records->conversions[i], kind, &lower);
        grouping->of[i] = cm_dictionary_intern(&found, name, cm_hash_slice(name, 0));
        done = !lower.failed && grouping->of[i] != CM_NUMBER_NONE;
    }
    done = done && sort_names(&found, count, grouping);
    cm_buffer_destroy(&lower);
    cm_dictionary_destroy(&found);
    return done ? CM_OK : cm_error_memory(error, "groups", count * sizeof *grouping->of);
}

void cm_grouping_destroy(cm_grouping *grouping)
{
    for (size_t i = 0; i < grouping->count; i++)
        free(grouping->names[i]);
    free(grouping->names);
    free(grouping->of);
    *grouping = (cm_grouping){0};
}

/* ---- figures of groups ---- */

static cm_status add_group(const cm_judged *judged, size_t count, const char *kind,
                           const char *name, const cm_figures_options *options,
                           cm_judgement *judgement, cm_error *error)
{
    cm_group *groups = cm_grow(judgement->groups, &judgement->group_capacity,
                               judgement->group_count + 1, sizeof *groups);
    if (groups == NULL)
        return cm_error_memory(error, "groups", judgement->group_count * sizeof *groups);
    judgement->groups = groups;
    cm_group *group = &groups[judgement->group_count];
    *group = (cm_group){.kind = kind, .count = count};
    group->name = name == NULL ? NULL : copy_text(cm_slice_of_text(name));
    judgement->group_count++;
    if (name != NULL && group->name == NULL)
        return cm_error_memory(error, "groups", strlen(name));
    return cm_figures_make(judged, count, options, group->figures, error);
}

static uint32_t group_of(const cm_judged *judged, cm_grouping_kind kind)
{
    return kind == CM_GROUPING_TENANT ? judged->tenant : judged->device_type;
}

/* Judged conversions side by side by group: a counting sort. */
static void part(const cm_judged *judged, size_t count, cm_grouping_kind kind, size_t *ends,
                 cm_judged *parted, size_t group_count)
{
    for (size_t i = 0; i < count; i++)
        ends[group_of(&judged[i], kind) + 1]++;
    for (size_t i = 0; i < group_count; i++)
        ends[i + 1] += ends[i];
    /* ends[g] is where g begins; taking its clicks moves it to where it ends. */
    for (size_t i = 0; i < count; i++)
        parted[ends[group_of(&judged[i], kind)]++] = judged[i];
}

static cm_status add_parts(const cm_judged *parted, const size_t *ends, cm_grouping_kind kind,
                           const cm_grouping *grouping, const cm_figures_options *options,
                           cm_judgement *judgement, cm_error *error)
{
    static const char *const kinds[] = {"device_type", "tenant"};
    cm_status status = CM_OK;
    size_t begin = 0;
    for (size_t i = 0; i < grouping->count && status == CM_OK; i++) {
        if (ends[i] > begin)
            status = add_group(parted + begin, ends[i] - begin, kinds[kind], grouping->names[i],
                               options, judgement, error);
        begin = ends[i];
    }
    return status;
}

static cm_status add_groups(const cm_judged *judged, size_t count, cm_grouping_kind kind,
                            const cm_grouping *grouping, const cm_figures_options *options,
                            cm_judgement *judgement, cm_error *error)
{
    cm_status status;
    size_t *ends = calloc(grouping->count + 1, sizeof *ends);
    cm_judged *parted = malloc((count + 1) * sizeof *parted);
    if (ends != NULL && parted != NULL) {
        part(judged, count, kind, ends, parted, grouping->count);
        status = add_parts(parted, ends, kind, grouping, options, judgement, error);
    } else {
        status = cm_error_memory(error, "groups", count * sizeof *parted);
    }
    free(parted);
    free(ends);
    return status;
}

cm_status cm_groups_make(const cm_judged *judged, size_t count, const cm_grouping *groupings,
                         const cm_figures_options *options, cm_judgement *judgement,
                         cm_error *error)
{
    cm_status status = add_group(judged, count, "all", NULL, options, judgement, error);
    for (unsigned kind = 0; kind < CM_GROUPING_COUNT && status == CM_OK; kind++)
        status = add_groups(judged, count, (cm_grouping_kind)kind, &groupings[kind], options,
                            judgement, error);
    return status;
}
