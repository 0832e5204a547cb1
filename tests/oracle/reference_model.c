#include "reference_parts.h"

#include <string.h>

const reference_model reference_model_default = {
    .window_hours = 168,
    .probabilistic_window_hours = 24,
    .retention_hours = 24,
    .max_candidates = 64,
    .ipv4_prefix = 32,
    .ipv6_prefix = 64,
    .bin_count = 7,
    .delay_hours = {0.016666666666666666, 0.16666666666666666, 1, 6, 24, 72, 168},
    .own = {.delay_m = {0.06, 0.19, 0.195, 0.105, 0.086, 0.214, 0.15},
            .fingerprint_m = {0.90, 0.90, 0.90, 0.88, 0.85, 0.80, 0.70},
            .ip_m = {0.80, 0.80, 0.80, 0.68, 0.62, 0.52, 0.48},
            .fingerprint_u = 0.01,
            .ip_u_min = 0.001,
            .fingerprint = {.prior = 0.5,
                            .rivals = 0.15,
                            .user_agent_m = 0.90,
                            .user_agent_u = 0.15,
                            .band = {0.6, 0.9}},
            .probabilistic = {.prior = 0.2,
                              .rivals = 0.30,
                              .user_agent_m = 0.90,
                              .user_agent_u = 0.05,
                              .band = {0.3, 0.6}}},
};

#define PLACE(type, member) offsetof(type, member), sizeof(((type *)NULL)->member)
#define OWN(member)                                                                                \
    {                                                                                              \
#member, PLACE(reference_parameters, member)                                               \
    }
#define LAYER(member)                                                                              \
    {                                                                                              \
#member, PLACE(reference_layer, member)                                                    \
    }
#define TRAIT(name, trait)                                                                         \
    {                                                                                              \
        name, PLACE(reference_layer, traits[trait])                                                \
    }

const reference_field reference_own_fields[REFERENCE_OWN_FIELDS] = {
    OWN(delay_m),  OWN(fingerprint_m), OWN(ip_m),       OWN(fingerprint_u),
    OWN(ip_u_min), OWN(ip_other_m),    OWN(ip_other_u),
};

const reference_field reference_layer_fields[REFERENCE_LAYER_FIELDS] = {
    LAYER(prior),
    LAYER(rivals),
    LAYER(user_agent_m),
    LAYER(user_agent_u),
    LAYER(band),
    LAYER(calibration),
    LAYER(repeat),
    LAYER(delay_u),
    TRAIT("os", REFERENCE_OS),
    TRAIT("browser", REFERENCE_BROWSER),
    TRAIT("screen", REFERENCE_SCREEN),
    TRAIT("timezone", REFERENCE_TIMEZONE),
};

static void copy_field(void *to, const void *from, reference_field field)
{
    memcpy((char *)to + field.at, (const char *)from + field.at, field.size);
}

void reference_parameters_change(reference_parameters *to, const reference_parameters *from,
                                 reference_choice changed)
{
    reference_layer *layers_to[2] = {&to->fingerprint, &to->probabilistic};
    const reference_layer *layers_from[2] = {&from->fingerprint, &from->probabilistic};
    for (size_t i = 0; i < REFERENCE_OWN_FIELDS; i++)
        if (changed & REFERENCE_CHOICE_OWN(i))
            copy_field(to, from, reference_own_fields[i]);
    for (size_t layer = 0; layer < 2; layer++)
        for (size_t i = 0; i < REFERENCE_LAYER_FIELDS; i++)
            if (changed & REFERENCE_CHOICE_LAYER(layer, i))
                copy_field(layers_to[layer], layers_from[layer], reference_layer_fields[i]);
}

/* The devices of the model, the tenant, the devices of the tenant: in this order. */
reference_parameters reference_parameters_of(const reference_model *model, cm_slice tenant,
                                             cm_slice device_type)
{
    static const struct {
        bool of_tenant, of_device;
    } turns[] = {{false, true}, {true, false}, {true, true}};
    reference_parameters result = model->own;
    for (size_t turn = 0; turn < sizeof turns / sizeof *turns; turn++)
        for (size_t i = 0; i < model->section_count; i++) {
            const reference_section *section = &model->sections[i];
            const char *name = section->tenant, *type = section->device_type;
            if ((name != NULL) != turns[turn].of_tenant || (type != NULL) != turns[turn].of_device)
                continue;
            if (name != NULL && !reference_same_bytes(tenant, (cm_slice){name, strlen(name)}))
                continue;
            if (type != NULL && !reference_same_word(device_type, (cm_slice){type, strlen(type)}))
                continue;
            reference_parameters_change(&result, &section->to, section->changed);
        }
    return result;
}
