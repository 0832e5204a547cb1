/* The shape of a model file: its fields and sections. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "model/model_value.h"
#include "util/error.h"

#define SHOWN_BYTES ((size_t)160) /* of what comes from the file, in a message */

/* Text from the file made fit for a message: short, and on one line. */
static const char *shown(const char *text, char room[SHOWN_BYTES + 4])
{
    size_t size = strnlen(text, SHOWN_BYTES + 1);
    bool is_cut = size > SHOWN_BYTES;
    if (is_cut)
        for (size = SHOWN_BYTES; size > 0 && (text[size] & 0xC0) == 0x80;)
            size--;
    for (size_t i = 0; i < size; i++)
        room[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? '?' : text[i];
    memcpy(room + size, is_cut ? "..." : "", is_cut ? 4 : 1);
    return room;
}

static cm_status read_object(cm_model_draft *draft, const char *section,
                             const cm_model_field *fields, size_t field_count, const json_t *object,
                             char *base);

static cm_status read_section(const cm_model_place *place, const json_t *value, void *slot)
{
#define AT(member) offsetof(cm_layer_model, member)
    static const cm_model_field fields[] = {
        {"prior", cm_model_read_probability, AT(prior), 0},
        {"rivals", cm_model_read_rivals, AT(rivals), 0},
        {"user_agent_m", cm_model_read_probability, AT(user_agent_m), 0},
        {"user_agent_u", cm_model_read_probability, AT(user_agent_u), 0},
        {"band", cm_model_read_band, 0, 0},
        {"calibration", cm_model_read_calibration, 0, 0},
    };
#undef AT
    char section[32];
    if (!json_is_object(value))
        return cm_model_refuse(place, "not an object");
    snprintf(section, sizeof section, "%s.", place->field->name);
    return read_object(place->draft, section, fields, sizeof fields / sizeof *fields, value, slot);
}

static const cm_model_field *find_field(const cm_model_field *fields, size_t count,
                                        const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* Fields are read in the order of the file, so that the first fault is the one reported. */
static cm_status read_object(cm_model_draft *draft, const char *section,
                             const cm_model_field *fields, size_t field_count, const json_t *object,
                             char *base)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        char room[SHOWN_BYTES + 4];
        cm_model_place place = {draft, section, find_field(fields, field_count, name)};
        if (place.field == NULL)
            return cm_error_set(draft->error, CM_ERROR_MODEL,
                                "model: %s%s: unknown field; check its spelling", section,
                                shown(name, room));
        cm_status status = place.field->read(&place, value, base + place.field->offset);
        if (status != CM_OK)
            return status;
    }
    return CM_OK;
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
        {"delay_m", cm_model_read_bins, AT(delay_m), CM_BINS_DELAY_M},
        {"fingerprint_m", cm_model_read_bins, AT(fingerprint_m), CM_BINS_FINGERPRINT_M},
        {"ip_m", cm_model_read_bins, AT(ip_m), CM_BINS_IP_M},
        {"fingerprint_u", cm_model_read_probability, AT(fingerprint_u), 0},
        {"ip_u_min", cm_model_read_probability, AT(ip_u_min), 0},
        {"fingerprint", read_section, AT(fingerprint), 0},
        {"probabilistic", read_section, AT(probabilistic), 0},
    };
#undef AT
    if (!json_is_object(root))
        return cm_error_set(draft->error, CM_ERROR_MODEL,
                            "model: not a JSON object; see docs/matching.md, section 5");
    return read_object(draft, "", fields, sizeof fields / sizeof *fields, root,
                       (char *)draft->model);
}

static cm_status syntax_error(cm_model_draft *draft, const json_error_t *error)
{
    char room[SHOWN_BYTES + 4];
    return cm_error_set_at(draft->error, CM_ERROR_MODEL, (uint64_t)error->line,
                           (uint64_t)error->position, "model: line %d, byte %d: %s", error->line,
                           error->position, shown(error->text, room));
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
    if (root == NULL)
        return syntax_error(draft, &error);
    cm_status status = read_model(draft, root);
    json_decref(root);
    return status;
}
