#include "world_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct text {
    FILE *json;
    const reference_model *model;
    bool needs_comma;
} text;

static void put_name(text *to, const char *name)
{
    fprintf(to->json, "%s\n\"%s\": ", to->needs_comma ? "," : "", name);
    to->needs_comma = true;
}

static void open_object(text *to, const char *name)
{
    put_name(to, name);
    fputs("{", to->json);
    to->needs_comma = false;
}

static void close_object(text *to)
{
    fputs("}", to->json);
    to->needs_comma = true;
}

static void put_values(text *to, const double *values, size_t count)
{
    fputs("[", to->json);
    for (size_t i = 0; i < count; i++)
        fprintf(to->json, "%s%.17g", i > 0 ? ", " : "", values[i]);
    fputs("]", to->json);
}

static void put_number(text *to, const char *name, double value)
{
    put_name(to, name);
    fprintf(to->json, "%.17g", value);
}

static void put_knots(text *to, const reference_knots *knots)
{
    fputs("[", to->json);
    for (size_t i = 0; i < knots->count; i++) {
        fputs(i > 0 ? ", " : "", to->json);
        put_values(to, knots->at[i], 2);
    }
    fputs("]", to->json);
}

/* The first number of a field. */
static const double *value_at(const void *holder, const reference_field *field)
{
    const void *value = (const char *)holder + field->at;
    return value;
}

/* Of a field that is one row of numbers. */
static size_t value_count(const text *to, size_t field)
{
    return field == REFERENCE_DELAY_U ? to->model->bin_count : 2;
}

static void put_layer(text *to, const reference_layer *layer, reference_choice changed)
{
    bool has_traits = false;
    for (size_t i = 0; i < REFERENCE_LAYER_FIELDS; i++) {
        const reference_field *field = &reference_layer_fields[i];
        const double *value = value_at(layer, field);
        if ((changed >> i & 1) == 0)
            continue;
        if (i >= REFERENCE_TRAITS && !has_traits)
            open_object(to, "traits");
        has_traits = i >= REFERENCE_TRAITS;
        if (i == REFERENCE_CALIBRATION) {
            put_name(to, field->name);
            put_knots(to, &layer->calibration);
        } else if (field->size > sizeof(double)) {
            put_name(to, field->name);
            put_values(to, value, value_count(to, i));
        } else {
            put_number(to, field->name, *value);
        }
    }
    if (has_traits)
        close_object(to);
}

static void put_parameters(text *to, const reference_parameters *from, reference_choice changed)
{
    const reference_layer *layers[2] = {&from->fingerprint, &from->probabilistic};
    static const char *const names[2] = {"fingerprint", "probabilistic"};
    for (size_t i = 0; i < REFERENCE_OWN_FIELDS; i++) {
        const reference_field *field = &reference_own_fields[i];
        const double *value = value_at(from, field);
        if ((changed & REFERENCE_CHOICE_OWN(i)) == 0)
            continue;
        put_name(to, field->name);
        if (field->size > sizeof(double))
            put_values(to, value, to->model->bin_count);
        else
            fprintf(to->json, "%.17g", *value);
    }
    for (size_t layer = 0; layer < 2; layer++) {
        reference_choice of_layer =
            changed >> (REFERENCE_OWN_FIELDS + layer * REFERENCE_LAYER_FIELDS);
        of_layer &= (UINT32_C(1) << REFERENCE_LAYER_FIELDS) - 1;
        if (of_layer == 0)
            continue;
        open_object(to, names[layer]);
        put_layer(to, layers[layer], of_layer);
        close_object(to);
    }
}

static bool same_name(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The sections by device type of a tenant, or with NULL of the model. */
static void put_devices(text *to, const char *tenant)
{
    open_object(to, "devices");
    for (size_t i = 0; i < to->model->section_count; i++) {
        const reference_section *section = &to->model->sections[i];
        if (section->device_type == NULL || !same_name(section->tenant, tenant))
            continue;
        open_object(to, section->device_type);
        put_parameters(to, &section->to, section->changed);
        close_object(to);
    }
    close_object(to);
}

/* Sections of a tenant stand together, its own first. */
static void put_tenants(text *to)
{
    const char *last = NULL;
    open_object(to, "tenants");
    for (size_t i = 0; i < to->model->section_count; i++) {
        const reference_section *section = &to->model->sections[i];
        if (section->tenant == NULL || same_name(section->tenant, last))
            continue;
        last = section->tenant;
        open_object(to, last);
        put_devices(to, last);
        if (section->device_type == NULL)
            put_parameters(to, &section->to, section->changed);
        close_object(to);
    }
    close_object(to);
}

static void put_sections(text *to)
{
    put_tenants(to);
    put_devices(to, NULL);
}

static bool same_edges(const reference_model *a, const reference_model *b)
{
    for (size_t i = 0; i < LENGTH(a->delay_hours); i++)
        if (a->delay_hours[i] != b->delay_hours[i])
            return false;
    return true;
}

static void put_own(text *to)
{
    const reference_model *model = to->model, *usual = &reference_model_default;
    const struct {
        const char *name;
        double value, usual;
    } numbers[] = {
        {"retention_hours", model->retention_hours, usual->retention_hours},
        {"max_candidates", (double)model->max_candidates, (double)usual->max_candidates},
        {"ipv4_prefix", model->ipv4_prefix, usual->ipv4_prefix},
        {"ipv6_prefix", model->ipv6_prefix, usual->ipv6_prefix},
        {"window_hours", model->window_hours, usual->window_hours},
        {"probabilistic_window_hours", model->probabilistic_window_hours,
         usual->probabilistic_window_hours},
    };
    for (size_t i = 0; i < LENGTH(numbers); i++)
        if (numbers[i].value != numbers[i].usual)
            put_number(to, numbers[i].name, numbers[i].value);
    if (!same_edges(model, usual)) {
        put_name(to, "delay_hours");
        put_values(to, model->delay_hours, model->bin_count);
    }
}

char *world_model_text(const reference_model *model, reference_choice changed, uint64_t seed)
{
    char *result = NULL;
    size_t size = 0;
    text to = {.json = open_memstream(&result, &size), .model = model, .needs_comma = true};
    if (to.json == NULL)
        abort();
    fprintf(to.json, "{\"name\": \"random\", \"version\": \"%llu\"", (unsigned long long)seed);
    /* Their order in the file means nothing. */
    if (model->section_count > 0 && seed % 2 == 0)
        put_sections(&to);
    put_own(&to);
    put_parameters(&to, &model->own, changed);
    if (model->section_count > 0 && seed % 2 != 0)
        put_sections(&to);
    fputs("}\n", to.json);
    if (fclose(to.json) != 0)
        abort();
    return result;
}
