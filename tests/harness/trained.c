#include "harness/trained.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/bits.h"

cm_model *trained_base(const char *json)
{
    cm_model *model;
    cm_error error = {0};
    if (cm_model_create(json, strlen(json), &model, &error) != CM_OK)
        fail_msg("%s\n%s", error.message, json);
    return model;
}

char *trained_text(const cm_trained *trained)
{
    cm_buffer text = {0};
    cm_trained_write(trained, &text);
    cm_buffer_append_char(&text, '\0');
    assert_false(text.failed);
    return text.data;
}

/* What is written, read. */
cm_model *trained_read_back(const cm_trained *trained)
{
    char *text = trained_text(trained);
    cm_model *model = trained_base(text);
    free(text);
    return model;
}

const cm_parameters *trained_parameters(const cm_model *model, const char *type)
{
    return &model->parameters[cm_model_parameters_of(model, (cm_slice){0}, cm_slice_of_text(type))];
}

/* ---- the same numbers ---- */

void trained_assert_same(const double *a, const double *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!same_bits(a[i], b[i]))
            fail_msg("value %zu: %.17g, not %.17g", i, b[i], a[i]);
}

static void assert_same_layer(const cm_layer_model *a, const cm_layer_model *b, size_t bin_count)
{
    const double one[] = {a->prior,   a->rivals,  a->user_agent_m, a->user_agent_u,
                          a->band_lo, a->band_hi, a->repeat};
    const double other[] = {b->prior,   b->rivals,  b->user_agent_m, b->user_agent_u,
                            b->band_lo, b->band_hi, b->repeat};
    trained_assert_same(one, other, sizeof one / sizeof *one);
    for (size_t i = 0; i < CM_TRAIT_COUNT; i++) {
        assert_true(same_bits(a->traits[i].m, b->traits[i].m));
        assert_true(same_bits(a->traits[i].u, b->traits[i].u));
    }
    assert_int_equal(a->delay_u == NULL, b->delay_u == NULL);
    if (a->delay_u != NULL)
        trained_assert_same(a->delay_u, b->delay_u, bin_count);
}

static void assert_same_knots(const cm_layer_model *a, const cm_layer_model *b)
{
    assert_int_equal(a->knot_count, b->knot_count);
    for (size_t i = 0; i < a->knot_count; i++)
        trained_assert_same(&a->knots[i].x, &b->knots[i].x, 2);
}

void trained_assert_same_parameters(const cm_parameters *a, const cm_parameters *b,
                                    size_t bin_count)
{
    const double one[] = {a->fingerprint_u, a->ip_u_min, a->ip_other_m, a->ip_other_u};
    const double other[] = {b->fingerprint_u, b->ip_u_min, b->ip_other_m, b->ip_other_u};
    trained_assert_same(one, other, sizeof one / sizeof *one);
    trained_assert_same(a->delay_m, b->delay_m, bin_count);
    trained_assert_same(a->fingerprint_m, b->fingerprint_m, bin_count);
    trained_assert_same(a->ip_m, b->ip_m, bin_count);
    assert_same_layer(&a->fingerprint, &b->fingerprint, bin_count);
    assert_same_layer(&a->probabilistic, &b->probabilistic, bin_count);
}

/* A section's calibration is the whole's: it has none of its own. */
void trained_assert_same_model(const cm_trained *trained, const cm_model *model)
{
    const cm_model *base = trained->base;
    const double one[] = {base->window_hours, base->probabilistic_window_hours,
                          base->retention_hours};
    const double other[] = {model->window_hours, model->probabilistic_window_hours,
                            model->retention_hours};
    trained_assert_same(one, other, 3);
    assert_int_equal(model->max_candidates, base->max_candidates);
    assert_int_equal(model->ipv4_prefix, base->ipv4_prefix);
    assert_int_equal(model->ipv6_prefix, base->ipv6_prefix);
    assert_string_equal(model->label, base->label);
    assert_int_equal(model->bin_count, trained->bin_count);
    trained_assert_same(trained->delay_hours, model->delay_hours, trained->bin_count);
    trained_assert_same_parameters(&trained->own, model->parameters, trained->bin_count);
    assert_same_knots(&trained->own.fingerprint, &model->parameters->fingerprint);
    assert_same_knots(&trained->own.probabilistic, &model->parameters->probabilistic);
    assert_int_equal(model->devices.count, trained->section_count);
    assert_int_equal(model->tenant_count, 0);
    for (size_t i = 0; i < trained->section_count; i++)
        trained_assert_same_parameters(&trained->sections[i].parameters,
                                       trained_parameters(model, trained->sections[i].device_type),
                                       trained->bin_count);
}
