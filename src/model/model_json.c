/* The shape of a model file: its fields and sections. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/column.h"
#include "model/model_value.h"
#include "model/sections.h"
#include "util/error.h"
#include "util/grow.h"
#include "util/slice.h"
#include "util/text.h"

#define SHOWN_BYTES ((size_t)160) /* of what comes from the file, in a message */
#define SECTION_BYTES (3 * (SHOWN_BYTES + 4))

/* Text from the file made fit for a message: short, and on one line. */
static const char *shown(const char *text, char room[SHOWN_BYTES + 4])
{
    size_t size = strnlen(text, SHOWN_BYTES + 1);
    bool is_cut = size > SHOWN_BYTES;
    if (is_cut)
        size = cm_utf8_whole(cm_slice_of(text, SHOWN_BYTES));
    for (size_t i = 0; i < size; i++)
        room[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? '?' : text[i];
    memcpy(room + size, is_cut ? "..." : "", is_cut ? 4 : 1);
    return room;
}

/* Fields that an object may have, and what their values go into. */
struct part {
    const cm_model_field *fields;
    size_t count;
    void *base;
};

static const cm_model_field *find_field(const struct part *part, const char *name)
{
    for (size_t i = 0; i < part->count; i++)
        if (strcmp(part->fields[i].name, name) == 0)
            return &part->fields[i];
    return NULL;
}

static cm_status read_field(cm_model_draft *draft, const char *section, const struct part *parts,
                            size_t part_count, const char *name, const json_t *value)
{
    char room[SHOWN_BYTES + 4];
    for (size_t i = 0; i < part_count; i++) {
        cm_model_place place = {draft, section, find_field(&parts[i], name)};
        if (place.field != NULL)
            return place.field->read(&place, value, (char *)parts[i].base + place.field->offset);
    }
    return cm_error_set(draft->error, CM_ERROR_MODEL,
                        "model: %s%s: unknown field; check its spelling", section,
                        shown(name, room));
}

/* Fields are read in the order of the file, so that the first fault is the one reported. */
static cm_status read_object(cm_model_draft *draft, const char *section, const struct part *parts,
                             size_t part_count, const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        cm_status status = read_field(draft, section, parts, part_count, name, value);
        if (status != CM_OK)
            return status;
    }
    return CM_OK;
}

/* A part within the object that a place is in. */
static cm_status read_part(const cm_model_place *place, const json_t *value,
                           const cm_model_field *fields, size_t count, void *base)
{
    char section[SECTION_BYTES];
    struct part part = {fields, count, base};
    if (!json_is_object(value))
        return cm_model_refuse(place, "not an object");
    snprintf(section, sizeof section, "%s%s.", place->section, place->field->name);
    return read_object(place->draft, section, &part, 1, value);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static cm_status read_traits(const cm_model_place *place, const json_t *value, void *slot)
{
#define AT(trait) (CM_TRAIT_##trait * sizeof(cm_chances))
    static const cm_model_field fields[] = {
        {"os", cm_model_read_chances, AT(OS), 0},
        {"browser", cm_model_read_chances, AT(BROWSER), 0},
        {"screen", cm_model_read_chances, AT(SCREEN), 0},
        {"timezone", cm_model_read_chances, AT(TIMEZONE), 0},
    };
#undef AT
    return read_part(place, value, fields, COUNT(fields), slot);
}

/* The field's param: the cm_bins of its delay_u. */
static cm_status read_layer(const cm_model_place *place, const json_t *value, void *slot)
{
#define AT(member) offsetof(cm_layer_model, member)
    const cm_model_field fields[] = {
        {"prior", cm_model_read_probability, AT(prior), 0},
        {"rivals", cm_model_read_rivals, AT(rivals), 0},
        {"user_agent_m", cm_model_read_probability, AT(user_agent_m), 0},
        {"user_agent_u", cm_model_read_probability, AT(user_agent_u), 0},
        {"band", cm_model_read_band, 0, 0},
        {"calibration", cm_model_read_calibration, 0, 0},
        {"repeat", cm_model_read_repeat, AT(repeat), 0},
        {"traits", read_traits, AT(traits), 0},
        {"delay_u", cm_model_read_bins, AT(delay_u), place->field->param},
    };
#undef AT
    return read_part(place, value, fields, COUNT(fields), slot);
}

/* What a section may change, and the model has itself. */
static struct part parameters_part(cm_parameters *parameters)
{
#define AT(member) offsetof(cm_parameters, member)
    static const cm_model_field fields[] = {
        {"delay_m", cm_model_read_bins, AT(delay_m), CM_BINS_DELAY_M},
        {"fingerprint_m", cm_model_read_bins, AT(fingerprint_m), CM_BINS_FINGERPRINT_M},
        {"ip_m", cm_model_read_bins, AT(ip_m), CM_BINS_IP_M},
        {"fingerprint_u", cm_model_read_probability, AT(fingerprint_u), 0},
        {"ip_u_min", cm_model_read_probability, AT(ip_u_min), 0},
        {"ip_other_m", cm_model_read_probability, AT(ip_other_m), 0},
        {"ip_other_u", cm_model_read_probability, AT(ip_other_u), 0},
        {"fingerprint", read_layer, AT(fingerprint), CM_BINS_FINGERPRINT_DELAY_U},
        {"probabilistic", read_layer, AT(probabilistic), CM_BINS_PROBABILISTIC_DELAY_U},
    };
#undef AT
    return (struct part){fields, COUNT(fields), parameters};
}

/* Sections change what the model has: they are read after all of it. */
static cm_status read_later(const cm_model_place *place, const json_t *value, void *slot)
{
    (void)slot;
    return json_is_object(value) ? CM_OK : cm_model_refuse(place, "not an object");
}

static cm_status read_model(cm_model_draft *draft, const json_t *root)
{
#define AT(member) offsetof(cm_model, member)
    static const cm_model_field fields[] = {
        {"name", cm_model_read_text, AT(name), '@'},
        {"version", cm_model_read_text, AT(version), 0},
        {"window_hours", cm_model_read_hours, AT(window_hours), 0},
        {"probabilistic_window_hours", cm_model_read_hours, AT(probabilistic_window_hours), 0},
        {"retention_hours", cm_model_read_hours, AT(retention_hours), 0},
        {"max_candidates", cm_model_read_count, AT(max_candidates), CM_MAX_CANDIDATES_LIMIT},
        {"ipv4_prefix", cm_model_read_count, AT(ipv4_prefix), 32},
        {"ipv6_prefix", cm_model_read_count, AT(ipv6_prefix), 128},
        {"delay_hours", cm_model_read_bins, AT(delay_hours), CM_BINS_DELAY_HOURS},
        {"devices", read_later, 0, 0},
        {"tenants", read_later, 0, 0},
    };
#undef AT
    const struct part parts[] = {{fields, COUNT(fields), draft->model},
                                 parameters_part(&draft->model->parameters[0])};
    if (!json_is_object(root))
        return cm_error_set(draft->error, CM_ERROR_MODEL,
                            "model: not a JSON object; see docs/matching.md, section 5");
    return read_object(draft, "", parts, COUNT(parts), root);
}

/* ---- sections ---- */

/* Change parameters by a section. Its own devices' sections are not read here. */
static cm_status read_section(cm_model_draft *draft, const char *section, const json_t *object,
                              bool has_devices, cm_parameters *parameters)
{
    static const cm_model_field devices = {"devices", read_later, 0, 0};
    const struct part parts[] = {parameters_part(parameters), {&devices, 1, parameters}};
    size_t bins = draft->model->bin_count;
    for (size_t i = 0; i < CM_BINS_COUNT; i++)
        draft->bin_counts[i] = bins;
    if (!json_is_object(object))
        return cm_error_set(draft->error, CM_ERROR_MODEL, "model: %.*s: not an object",
                            (int)strlen(section) - 1, section);
    cm_status status = read_object(draft, section, parts, has_devices ? 2 : 1, object);
    if (status == CM_OK)
        status = cm_model_draft_check_counts(draft, section);
    if (status == CM_OK)
        status = cm_parameters_check(parameters, bins, section, draft->error);
    return status;
}

/* A copy of parameters that a section will change. */
static cm_status add_parameters(cm_model_draft *draft, uint32_t from, uint32_t *at)
{
    cm_model *model = draft->model;
    size_t count = model->parameter_count;
    bool failed = false;
    if (count == CM_PARAMETERS_MAX)
        return cm_error_set(draft->error, CM_ERROR_MODEL,
                            "model: more than %zu sections of tenants and devices, those counted "
                            "that a tenant and a device make together",
                            CM_PARAMETERS_MAX);
    cm_parameters *grown =
        cm_grow(model->parameters, &draft->parameter_capacity, count + 1, sizeof *grown);
    if (grown == NULL)
        return cm_error_memory(draft->error, "a model", (count + 1) * sizeof *grown);
    model->parameters = grown;
    cm_parameters_copy(&grown[count], &grown[from], model->bin_count, &failed);
    model->parameter_count++;
    *at = (uint32_t)count;
    return failed ? cm_error_memory(draft->error, "a model", sizeof *grown) : CM_OK;
}

static void name_section(char section[SECTION_BYTES], const char *before, const char *name)
{
    char room[SHOWN_BYTES + 4];
    snprintf(section, SECTION_BYTES, "%s%s.", before, shown(name, room));
}

/* Conversions' device types are folded before they are looked for. */
static cm_status check_device_type(cm_model_draft *draft, const char *section,
                                   const char *device_type)
{
    for (const char *at = device_type; *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z')
            return cm_error_set(draft->error, CM_ERROR_MODEL,
                                "model: %.*s: a device type in capital letters; write it small",
                                (int)strlen(section) - 1, section);
    return CM_OK;
}

/* The sections of device types that a model, or a tenant, has itself: from: what they change. */
static cm_status read_devices(cm_model_draft *draft, const char *before, const json_t *devices,
                              uint32_t from, cm_device_sections *sections)
{
    const char *name;
    json_t *object;
    json_object_foreach((json_t *)devices, name, object)
    {
        char section[SECTION_BYTES];
        uint32_t at = 0;
        const cm_device_section *known = cm_device_sections_find(sections, cm_slice_of_text(name));
        name_section(section, before, name);
        cm_status status = check_device_type(draft, section, name);
        if (status == CM_OK && known == NULL)
            status = add_parameters(draft, from, &at);
        if (status == CM_OK && known == NULL)
            status = cm_device_sections_add(sections, name, at, draft->error);
        at = known == NULL ? at : known->parameters;
        if (status == CM_OK)
            status = read_section(draft, section, object, false, &draft->model->parameters[at]);
        if (status != CM_OK)
            return status;
    }
    return CM_OK;
}

/* All devices' sections, changed by a tenant's. */
static cm_status inherit_devices(cm_model_draft *draft, const char *section, const json_t *object,
                                 cm_device_sections *sections)
{
    cm_status status = CM_OK;
    for (size_t i = 0; i < draft->model->devices.count && status == CM_OK; i++) {
        cm_device_section device = draft->model->devices.items[i];
        uint32_t at = 0;
        status = add_parameters(draft, device.parameters, &at);
        if (status == CM_OK)
            status = cm_device_sections_add(sections, device.device_type, at, draft->error);
        if (status == CM_OK)
            status = read_section(draft, section, object, true, &draft->model->parameters[at]);
    }
    return status;
}

/* Why no tenant can have this id; NULL: one can. */
static const char *id_fault(const char *name)
{
    return name[0] == '\0' ? "empty" : cm_id_fault(cm_slice_of_text(name));
}

static cm_status read_tenant(cm_model_draft *draft, const char *name, const json_t *object,
                             cm_tenant_section *tenant)
{
    char section[SECTION_BYTES], devices[SECTION_BYTES + sizeof "devices."];
    bool failed = false;
    const char *fault = id_fault(name);
    name_section(section, "tenants.", name);
    if (fault != NULL)
        return cm_error_set(draft->error, CM_ERROR_MODEL,
                            "model: %.*s: no tenant's id: %s; give it as conversions have it",
                            (int)strlen(section) - 1, section, fault);
    tenant->tenant_id = cm_copy_text(name, &failed);
    cm_status status = failed ? cm_error_memory(draft->error, "a model", strlen(name)) : CM_OK;
    if (status == CM_OK)
        status = add_parameters(draft, 0, &tenant->parameters);
    if (status == CM_OK)
        status = read_section(draft, section, object, true,
                              &draft->model->parameters[tenant->parameters]);
    if (status == CM_OK)
        status = inherit_devices(draft, section, object, &tenant->devices);
    snprintf(devices, sizeof devices, "%sdevices.", section);
    if (status == CM_OK)
        status = read_devices(draft, devices, json_object_get(object, "devices"),
                              tenant->parameters, &tenant->devices);
    return status;
}

static cm_status read_tenants(cm_model_draft *draft, const json_t *tenants)
{
    cm_model *model = draft->model;
    const char *name;
    json_t *object;
    cm_status status = CM_OK;
    if (json_object_size(tenants) == 0)
        return CM_OK;
    model->tenants = calloc(json_object_size(tenants), sizeof *model->tenants);
    if (model->tenants == NULL)
        return cm_error_memory(draft->error, "a model",
                               json_object_size(tenants) * sizeof *model->tenants);
    json_object_foreach((json_t *)tenants, name, object)
    {
        status = read_tenant(draft, name, object, &model->tenants[model->tenant_count++]);
        if (status != CM_OK)
            return status;
    }
    cm_sections_sort_tenants(model);
    return CM_OK;
}

static cm_status read_sections(cm_model_draft *draft, const json_t *root)
{
    cm_status status = read_devices(draft, "devices.", json_object_get(root, "devices"), 0,
                                    &draft->model->devices);
    return status == CM_OK ? read_tenants(draft, json_object_get(root, "tenants")) : status;
}

static cm_status syntax_error(cm_model_draft *draft, const json_error_t *error)
{
    char room[SHOWN_BYTES + 4];
    return cm_error_set_at(draft->error, CM_ERROR_MODEL, (uint64_t)error->line,
                           (uint64_t)error->position, "model: line %d, byte %d: %s", error->line,
                           error->position, shown(error->text, room));
}

/* jansson lets a NUL end a number, and goes on behind it. */
static bool has_nul(const char *json, size_t size, json_error_t *error)
{
    const char *nul = size == 0 ? NULL : memchr(json, '\0', size);
    if (nul == NULL)
        return false;
    *error = (json_error_t){.line = 1, .position = (int)(nul - json), .text = "a NUL byte"};
    for (const char *at = json; at < nul; at++)
        error->line += *at == '\n';
    return true;
}

cm_status cm_model_draft_read(cm_model_draft *draft, const char *json, size_t size)
{
    json_error_t error;
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY;
    /* jansson calls some allocations that fail an invalid token; errno tells. */
    int caller_errno = errno;
    errno = 0;
    json_t *root = json_loadb(json, size, flags, &error);
    bool is_out_of_memory = root == NULL && errno == ENOMEM;
    errno = caller_errno;
    if (is_out_of_memory)
        return cm_error_memory(draft->error, "a model", size);
    if (root == NULL || has_nul(json, size, &error)) {
        json_decref(root);
        return syntax_error(draft, &error);
    }
    cm_status status = read_model(draft, root);
    if (status == CM_OK)
        status = cm_model_draft_check(draft);
    if (status == CM_OK)
        status = read_sections(draft, root);
    json_decref(root);
    return status;
}
