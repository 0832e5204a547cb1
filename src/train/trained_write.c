/* A learned model as the text of a model file: docs/matching.md, section 5. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "train/trained.h"
#include "util/json.h"

/* An object being written: commas come between its fields, so many blanks before each. */
struct object {
    cm_buffer *text;
    unsigned depth;
    bool has_fields;
};

/* The shortest text that reads as the same number. */
static void put_number(cm_buffer *text, double number)
{
    char shortest[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(shortest, sizeof shortest, "%.*g", digits, number);
        if (strtod(shortest, NULL) == number)
            break;
    }
    cm_buffer_append_text(text, shortest);
}

static void put_string(cm_buffer *text, const char *string)
{
    json_t *value = json_string(string);
    (void)cm_json_write(value, JSON_ENCODE_ANY, text);
    json_decref(value);
}

static void begin_field(struct object *object, const char *name)
{
    cm_buffer_append_text(object->text, object->has_fields ? ",\n" : "{\n");
    for (unsigned i = 0; i <= object->depth; i++)
        cm_buffer_append_text(object->text, "  ");
    put_string(object->text, name);
    cm_buffer_append_text(object->text, ": ");
    object->has_fields = true;
}

static struct object begin_object(struct object *in, const char *name)
{
    begin_field(in, name);
    return (struct object){in->text, in->depth + 1, false};
}

static void end_object(struct object *object)
{
    cm_buffer_append_text(object->text, object->has_fields ? "\n" : "{");
    for (unsigned i = 0; object->has_fields && i < object->depth; i++)
        cm_buffer_append_text(object->text, "  ");
    cm_buffer_append_char(object->text, '}');
}

/* Of what may differ from what is known; NULL: nothing is. */
static void put_value(struct object *object, const char *name, double value, const double *known)
{
    if (known != NULL && value == *known)
        return;
    begin_field(object, name);
    put_number(object->text, value);
}

static void put_list(cm_buffer *text, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cm_buffer_append_text(text, i == 0 ? "[" : ", ");
        put_number(text, values[i]);
    }
    cm_buffer_append_char(text, ']');
}

static void put_values(struct object *object, const char *name, const double *values,
                       const double *known, size_t count)
{
    bool differs = known == NULL;
    for (size_t i = 0; i < count && !differs; i++)
        differs = values[i] != known[i];
    if (!differs)
        return;
    begin_field(object, name);
    put_list(object->text, values, count);
}

/* ---- a layer ---- */

static void put_knots(struct object *object, const cm_layer_model *layer)
{
    begin_field(object, "calibration");
    cm_buffer_append_char(object->text, '[');
    for (size_t i = 0; i < layer->knot_count; i++) {
        const double knot[] = {layer->knots[i].x, layer->knots[i].y};
        cm_buffer_append_text(object->text, i == 0 ? "" : ", ");
        put_list(object->text, knot, 2);
    }
    cm_buffer_append_char(object->text, ']');
}

static void put_traits(struct object *object, const cm_layer_model *layer,
                       const cm_layer_model *known)
{
    struct object traits = {object->text, object->depth + 1, false};
    bool is_there = false;
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++)
        is_there |=
            layer->traits[i].m > 0 && (known == NULL || layer->traits[i].m != known->traits[i].m ||
                                       layer->traits[i].u != known->traits[i].u);
    if (!is_there)
        return;
    begin_field(object, "traits");
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++) {
        const double chances[] = {layer->traits[i].m, layer->traits[i].u};
        const double usual[] = {known == NULL ? 0 : known->traits[i].m,
                                known == NULL ? 0 : known->traits[i].u};
        if (layer->traits[i].m > 0)
            put_values(&traits, cm_trait_names[i], chances, usual, 2);
    }
    end_object(&traits);
}

/* known: what holds where nothing is written; NULL: all is. */
static void put_layer(struct object *in, const char *name, const cm_layer_model *layer,
                      const cm_layer_model *known, size_t bin_count)
{
    const struct {
        const char *name;
        size_t offset;
    } fields[] = {
        {"prior", offsetof(cm_layer_model, prior)},
        {"rivals", offsetof(cm_layer_model, rivals)},
        {"user_agent_m", offsetof(cm_layer_model, user_agent_m)},
        {"user_agent_u", offsetof(cm_layer_model, user_agent_u)},
        {"repeat", offsetof(cm_layer_model, repeat)},
    };
    struct object object = begin_object(in, name);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *at = (const char *)layer + fields[i].offset;
        const char *usual = known == NULL ? NULL : (const char *)known + fields[i].offset;
        put_value(&object, fields[i].name, *(const double *)(const void *)at,
                  (const double *)(const void *)usual);
    }
    if (layer->delay_u != NULL)
        put_values(&object, "delay_u", layer->delay_u, known == NULL ? NULL : known->delay_u,
                   bin_count);
    const double band[] = {layer->band_lo, layer->band_hi};
    const double usual_band[] = {known == NULL ? 0 : known->band_lo,
                                 known == NULL ? 0 : known->band_hi};
    put_values(&object, "band", band, usual_band, 2);
    put_traits(&object, layer, known);
    if (layer->knot_count > 0)
        put_knots(&object, layer);
    end_object(&object);
}

/* ---- the whole ---- */

static void put_parameters(struct object *object, const cm_parameters *parameters,
                           const cm_parameters *known, size_t bin_count)
{
    bool is_whole = known == NULL;
    put_values(object, "delay_m", parameters->delay_m, is_whole ? NULL : known->delay_m, bin_count);
    put_values(object, "fingerprint_m", parameters->fingerprint_m,
               is_whole ? NULL : known->fingerprint_m, bin_count);
    put_values(object, "ip_m", parameters->ip_m, is_whole ? NULL : known->ip_m, bin_count);
    put_value(object, "fingerprint_u", parameters->fingerprint_u,
              is_whole ? NULL : &known->fingerprint_u);
    put_value(object, "ip_u_min", parameters->ip_u_min, is_whole ? NULL : &known->ip_u_min);
    if (parameters->ip_other_m > 0) {
        put_value(object, "ip_other_m", parameters->ip_other_m,
                  is_whole ? NULL : &known->ip_other_m);
        put_value(object, "ip_other_u", parameters->ip_other_u,
                  is_whole ? NULL : &known->ip_other_u);
    }
    put_layer(object, "fingerprint", &parameters->fingerprint,
              is_whole ? NULL : &known->fingerprint, bin_count);
    put_layer(object, "probabilistic", &parameters->probabilistic,
              is_whole ? NULL : &known->probabilistic, bin_count);
}

static void put_text(struct object *object, const char *name, const char *value)
{
    begin_field(object, name);
    put_string(object->text, value);
}

void cm_trained_write(const cm_trained *trained, cm_buffer *text)
{
    const cm_model *base = trained->base;
    struct object object = {text, 0, false};
    put_text(&object, "name", trained->name);
    put_text(&object, "version", trained->version);
    put_value(&object, "window_hours", base->window_hours, NULL);
    put_value(&object, "probabilistic_window_hours", base->probabilistic_window_hours, NULL);
    put_value(&object, "retention_hours", base->retention_hours, NULL);
    put_value(&object, "max_candidates", base->max_candidates, NULL);
    put_value(&object, "ipv4_prefix", base->ipv4_prefix, NULL);
    put_value(&object, "ipv6_prefix", base->ipv6_prefix, NULL);
    put_values(&object, "delay_hours", trained->delay_hours, NULL, trained->bin_count);
    put_parameters(&object, &trained->own, NULL, trained->bin_count);
    if (trained->section_count > 0) {
        struct object devices = begin_object(&object, "devices");
        for (size_t i = 0; i < trained->section_count; i++) {
            const cm_trained_section *section = &trained->sections[i];
            struct object changes = begin_object(&devices, section->device_type);
            put_parameters(&changes, &section->parameters, &trained->own, trained->bin_count);
            end_object(&changes);
        }
        end_object(&devices);
    }
    end_object(&object);
    cm_buffer_append_char(text, '\n');
}
