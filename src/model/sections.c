#include "model/sections.h"

#include <stdlib.h>
#include <string.h>

#include "model/parameters.h"
#include "util/error.h"
#include "util/grow.h"
#include "util/slice.h"

static size_t place_of(const cm_device_sections *sections, cm_slice device_type)
{
    size_t low = 0;
    size_t high = sections->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        cm_slice at = cm_slice_of_text(sections->items[middle].device_type);
        if (cm_slice_compare(at, device_type) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const cm_device_section *cm_device_sections_find(const cm_device_sections *sections,
                                                 cm_slice device_type)
{
    size_t place = place_of(sections, device_type);
    if (place == sections->count ||
        !cm_slice_equal(cm_slice_of_text(sections->items[place].device_type), device_type))
        return NULL;
    return &sections->items[place];
}

cm_status cm_device_sections_add(cm_device_sections *sections, const char *device_type,
                                 uint32_t parameters, cm_error *error)
{
    size_t bytes = (sections->count + 1) * sizeof *sections->items;
    size_t place = place_of(sections, cm_slice_of_text(device_type));
    char *copy = strdup(device_type);
    cm_device_section *items =
        cm_grow(sections->items, &sections->capacity, sections->count + 1, sizeof *items);
    if (items != NULL)
        sections->items = items;
    if (copy == NULL || items == NULL) {
        free(copy);
        return cm_error_memory(error, "a model", bytes);
    }
    memmove(items + place + 1, items + place, (sections->count - place) * sizeof *items);
    items[place].device_type = copy;
    items[place].parameters = parameters;
    sections->count++;
    return CM_OK;
}

static void destroy_devices(cm_device_sections *sections)
{
    for (size_t i = 0; i < sections->count; i++)
        free(sections->items[i].device_type);
    free(sections->items);
    *sections = (cm_device_sections){0};
}

void cm_sections_destroy(cm_model *model)
{
    destroy_devices(&model->devices);
    for (size_t i = 0; i < model->tenant_count; i++) {
        free(model->tenants[i].tenant_id);
        destroy_devices(&model->tenants[i].devices);
    }
    free(model->tenants);
    model->tenants = NULL;
    model->tenant_count = 0;
}

static void copy_devices(cm_device_sections *copy, const cm_device_sections *sections, bool *failed)
{
    *copy = (cm_device_sections){0};
    for (size_t i = 0; i < sections->count && !*failed; i++)
        if (cm_device_sections_add(copy, sections->items[i].device_type,
                                   sections->items[i].parameters, NULL) != CM_OK)
            *failed = true;
}

void cm_sections_copy(cm_model *copy, const cm_model *model, bool *failed)
{
    copy->tenants = NULL;
    copy->tenant_count = 0;
    copy_devices(&copy->devices, &model->devices, failed);
    if (model->tenant_count == 0)
        return;
    copy->tenants = calloc(model->tenant_count, sizeof *copy->tenants);
    if (copy->tenants == NULL) {
        *failed = true;
        return;
    }
    copy->tenant_count = model->tenant_count;
    for (size_t i = 0; i < model->tenant_count; i++) {
        copy->tenants[i].tenant_id = cm_copy_text(model->tenants[i].tenant_id, failed);
        copy->tenants[i].parameters = model->tenants[i].parameters;
        copy_devices(&copy->tenants[i].devices, &model->tenants[i].devices, failed);
    }
}

static int compare_tenants(const void *a, const void *b)
{
    const cm_tenant_section *left = a, *right = b;
    return cm_slice_compare(cm_slice_of_text(left->tenant_id), cm_slice_of_text(right->tenant_id));
}

void cm_sections_sort_tenants(cm_model *model)
{
    if (model->tenant_count > 0)
        qsort(model->tenants, model->tenant_count, sizeof *model->tenants, compare_tenants);
}

static const cm_tenant_section *find_tenant(const cm_model *model, cm_slice tenant)
{
    size_t low = 0;
    size_t high = model->tenant_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = cm_slice_compare(cm_slice_of_text(model->tenants[middle].tenant_id), tenant);
        if (order == 0)
            return &model->tenants[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

uint32_t cm_model_parameters_of(const cm_model *model, cm_slice tenant, cm_slice device_type)
{
    const cm_tenant_section *of = find_tenant(model, tenant);
    const cm_device_sections *devices = of == NULL ? &model->devices : &of->devices;
    const cm_device_section *device = cm_device_sections_find(devices, device_type);
    if (device != NULL)
        return device->parameters;
    return of == NULL ? 0 : of->parameters;
}
