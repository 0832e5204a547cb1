/*
 * Do the random worlds reach what a model that has grown can say? Agreement of engine and reference
 * on what never comes, or never changes a result, says nothing. The reference alone answers: it
 * counts its turns, and each feature is taken out of the models to see what it decided.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/bits.h"
#include "oracle/world.h"

#define WORLDS 150 /* as many as test_oracle holds the engine against */

/* ---- turns ---- */

static void test_every_turn_is_taken(void **state)
{
    (void)state;
#define NAME(name) #name,
    static const char *const names[] = {REFERENCE_PATHS(NAME)};
    size_t counts[REFERENCE_PATH_COUNT] = {0};
    for (uint64_t number = 0; number < WORLDS; number++) {
        reference_model model;
        char *json;
        world *made = world_numbered(number, &model, &json);
        reference *matcher = reference_create(&model);
        reference_add(matcher, made->clicks, made->click_count);
        reference_count(matcher, counts);
        for (size_t i = 0; i < made->conversion_count; i++)
            reference_match(matcher, &made->conversions[i], &(cm_result){0});
        reference_destroy(matcher);
        world_destroy(made);
        free(json);
    }
    for (size_t path = 0; path < REFERENCE_PATH_COUNT; path++)
        print_message("%-26s %8zu\n", names[path], counts[path]);
    for (size_t path = 0; path < REFERENCE_PATH_COUNT; path++)
        if (counts[path] < 20)
            fail_msg("%s came %zu times", names[path], counts[path]);
}

/* ---- features ---- */

/* What is taken out of a model: parameters everywhere, or in sections only, or sections. */
typedef struct feature {
    char name[60];
    reference_choice everywhere, in_sections;
    bool (*section)(const reference_section *section);
    size_t results, clicks; /* that were others */
} feature;

static bool is_of_device(const reference_section *section)
{
    return section->tenant == NULL && section->device_type[0] != '\0';
}

static bool is_of_no_device(const reference_section *section)
{
    return section->tenant == NULL && section->device_type[0] == '\0';
}

static bool is_of_tenant(const reference_section *section)
{
    return section->tenant != NULL && section->device_type == NULL;
}

static bool is_of_both(const reference_section *section)
{
    return section->tenant != NULL && section->device_type != NULL;
}

#define LAYER_FIELDS ((size_t)REFERENCE_LAYER_FIELDS)

static const char *const layers[2] = {"fingerprint", "probabilistic"};

static size_t list_features(feature *to)
{
    size_t count = 0;
    to[count++] = (feature){.name = "sections of devices", .section = is_of_device};
    to[count++] = (feature){.name = "sections of no device", .section = is_of_no_device};
    to[count++] = (feature){.name = "sections of tenants", .section = is_of_tenant};
    to[count++] = (feature){.name = "sections of both", .section = is_of_both};
    to[count++] = (feature){.name = "ip_other_m and ip_other_u",
                            .everywhere = REFERENCE_CHOICE_OWN(REFERENCE_IP_OTHER_M) |
                                          REFERENCE_CHOICE_OWN(REFERENCE_IP_OTHER_U)};
    for (size_t layer = 0; layer < 2; layer++)
        for (size_t i = REFERENCE_REPEAT; i < LAYER_FIELDS; i++) {
            to[count] = (feature){.everywhere = REFERENCE_CHOICE_LAYER(layer, i)};
            (void)snprintf(to[count++].name, sizeof to->name, "%s.%s", layers[layer],
                           reference_layer_fields[i].name);
        }
    for (size_t i = 0; i < REFERENCE_OWN_FIELDS; i++) {
        to[count] = (feature){.in_sections = REFERENCE_CHOICE_OWN(i)};
        (void)snprintf(to[count++].name, sizeof to->name, "%s of sections",
                       reference_own_fields[i].name);
    }
    for (size_t layer = 0; layer < 2; layer++)
        for (size_t i = 0; i < LAYER_FIELDS; i++) {
            to[count] = (feature){.in_sections = REFERENCE_CHOICE_LAYER(layer, i)};
            (void)snprintf(to[count++].name, sizeof to->name, "%s.%s of sections", layers[layer],
                           reference_layer_fields[i].name);
        }
    return count;
}

#define FEATURES_MAX 64

static bool has_one_of_two(const reference_model *model, const char *tenant, const char *type)
{
    reference_parameters of = reference_parameters_of(model, (cm_slice){tenant, strlen(tenant)},
                                                      (cm_slice){type, strlen(type)});
    return (of.ip_other_m > 0) != (of.ip_other_u > 0);
}

/* Would such a model be refused? What is left may be one of two that come together. */
static bool is_refused(const reference_model *model)
{
    bool is = has_one_of_two(model, "", "-");
    for (size_t i = 0; i < model->section_count; i++)
        for (size_t j = 0; j < model->section_count; j++) {
            const char *tenant = model->sections[i].tenant, *type = model->sections[j].device_type;
            is |= has_one_of_two(model, tenant != NULL ? tenant : "", type != NULL ? type : "-");
        }
    return is;
}

/* Whether there was anything to take out, and a model is left. */
static bool take_out(reference_model *model, const feature *out)
{
    const reference_parameters *usual = &reference_model_default.own;
    reference_parameters before = model->own;
    bool is_changed = false;
    size_t kept = 0;
    reference_parameters_change(&model->own, usual, out->everywhere);
    /* Padding is copied along: what is unchanged has the same bytes. */
    is_changed = memcmp((const char *)&before, (const char *)&model->own, sizeof before) != 0;
    for (size_t i = 0; i < model->section_count; i++) {
        reference_section *section = &model->sections[i];
        reference_choice choice = out->everywhere | out->in_sections;
        bool goes = out->section != NULL && out->section(section);
        is_changed |= goes || (section->changed & choice) != 0;
        section->changed &= ~choice;
        if (!goes)
            model->sections[kept++] = *section;
    }
    model->section_count = kept;
    return is_changed && !is_refused(model);
}

static cm_result *match_all(const world *made, const reference_model *model)
{
    cm_result *results = calloc(made->conversion_count, sizeof *results);
    reference *matcher = reference_create(model);
    assert_non_null(results);
    reference_add(matcher, made->clicks, made->click_count);
    for (size_t i = 0; i < made->conversion_count; i++)
        reference_match(matcher, &made->conversions[i], &results[i]);
    reference_destroy(matcher);
    return results;
}

static bool same_candidates(const cm_result *a, const cm_result *b)
{
    if (a->candidate_count != b->candidate_count)
        return false;
    for (size_t i = 0; i < a->candidate_count; i++)
        if (a->candidates[i].click_id.data != b->candidates[i].click_id.data ||
            !same_bits(a->candidates[i].probability, b->candidates[i].probability))
            return false;
    return true;
}

static void compare_all(const world *made, const cm_result *with, const cm_result *without,
                        feature *out)
{
    for (size_t i = 0; i < made->conversion_count; i++) {
        out->results += !same_candidates(&with[i], &without[i]) ||
                        !same_bits(with[i].confidence, without[i].confidence);
        out->clicks += with[i].click.click_id.data != without[i].click.click_id.data;
    }
}

static void try_features(uint64_t number, feature *features, size_t count)
{
    reference_model model, *without = malloc(sizeof *without);
    char *json;
    world *made = world_numbered(number, &model, &json);
    cm_result *with = match_all(made, &model);
    assert_non_null(without);
    for (size_t i = 0; i < count; i++) {
        *without = model;
        if (!take_out(without, &features[i]))
            continue;
        cm_result *others = match_all(made, without);
        compare_all(made, with, others, &features[i]);
        free(others);
    }
    free(with);
    free(without);
    free(json);
    world_destroy(made);
}

static void test_every_feature_decides(void **state)
{
    (void)state;
    feature features[FEATURES_MAX];
    size_t count = list_features(features);
    assert_true(count <= FEATURES_MAX);
    for (uint64_t number = 0; number < WORLDS; number++)
        try_features(number, features, count);
    for (size_t i = 0; i < count; i++)
        print_message("%-40s %6zu results, %6zu clicks\n", features[i].name, features[i].results,
                      features[i].clicks);
    for (size_t i = 0; i < count; i++)
        if (features[i].results < 10 || (features[i].everywhere != 0 && features[i].clicks < 5))
            fail_msg("%s decided %zu results and %zu clicks", features[i].name, features[i].results,
                     features[i].clicks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_turn_is_taken),
        cmocka_unit_test(test_every_feature_decides),
    };
    return cmocka_run_group_tests_name("reach", tests, NULL, NULL);
}
