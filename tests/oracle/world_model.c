#include "world_parts.h"

#include <string.h>

/* Parameters on their way: of the model itself or of a section. */
typedef struct drawing {
    world_random *random;
    const reference_model *model;
    unsigned percent; /* how likely each of them is changed */
    unsigned percent_extreme;
    bool is_grown; /* may have what old models have not */
    reference_parameters *to;
    reference_choice changed;
} drawing;

static bool takes(drawing *drawn, reference_choice one)
{
    if (!world_chance(drawn->random, drawn->percent))
        return false;
    drawn->changed |= one;
    return true;
}

static bool takes_own(drawing *drawn, reference_own_field field)
{
    return takes(drawn, REFERENCE_CHOICE_OWN(field));
}

/* A chance; now and then, in models for it, at a bound of what may be. */
static double draw_chance(drawing *drawn, double low, double high)
{
    static const double bounds[] = {1e-12, 1 - 0x1p-53};
    if (world_chance(drawn->random, drawn->percent_extreme))
        return bounds[world_below(drawn->random, LENGTH(bounds))];
    return world_between(drawn->random, low, high);
}

static double draw_rivals(drawing *drawn)
{
    static const double bounds[] = {1e-9, 1e308};
    if (world_chance(drawn->random, drawn->percent_extreme))
        return bounds[world_below(drawn->random, LENGTH(bounds))];
    return world_between(drawn->random, 0.01, 2);
}

static void draw_chances(drawing *drawn, double *values, double low, double high)
{
    for (size_t i = 0; i < drawn->model->bin_count; i++)
        values[i] = draw_chance(drawn, low, high);
}

/* Weights that sum to less than 1, some of them 0. */
static void draw_delay_m(drawing *drawn)
{
    double sum = 0.001, *values = drawn->to->delay_m;
    for (size_t i = 0; i < drawn->model->bin_count; i++) {
        values[i] = world_between(drawn->random, 0.01, 1);
        values[i] = world_chance(drawn->random, 8) ? 0 : values[i];
        sum += values[i];
    }
    double share = world_between(drawn->random, 0.5, 0.999);
    for (size_t i = 0; i < drawn->model->bin_count; i++)
        values[i] = values[i] / sum * share;
}

/* Both, or one where the other is there. */
static void draw_other_family(drawing *drawn, bool has_both)
{
    bool takes_m = takes_own(drawn, REFERENCE_IP_OTHER_M);
    if (takes_m && !has_both)
        drawn->changed |= REFERENCE_CHOICE_OWN(REFERENCE_IP_OTHER_U);
    bool takes_u = takes_m && !has_both;
    if (has_both)
        takes_u = takes_own(drawn, REFERENCE_IP_OTHER_U);
    if (takes_m)
        drawn->to->ip_other_m = draw_chance(drawn, 0.001, 0.999);
    if (takes_u)
        drawn->to->ip_other_u = draw_chance(drawn, 0.01, 0.95);
}

/* Knots whose x rise and whose y do not fall, all of them from 0 to 1. */
static void draw_knots(world_random *random, reference_knots *knots)
{
    knots->count = world_below(random, REFERENCE_KNOTS_MAX + 1);
    double x = world_between(random, 0, 0.2), y = world_between(random, 0, 0.3);
    for (size_t i = 0; i < knots->count; i++) {
        knots->at[i][0] = x;
        knots->at[i][1] = y;
        x += (1 - x) * world_between(random, 0.02, 0.6);
        if (!world_chance(random, 20))
            y += world_between(random, 0, 1 - y);
    }
}

static double draw_repeat(world_random *random)
{
    static const double repeats[] = {0, 0x1p-1074, 1e-6, 0.1, 0.8, 1, 3, 30, 1000};
    size_t place = world_below(random, LENGTH(repeats) + 3);
    return place < LENGTH(repeats) ? repeats[place] : world_between(random, 0, 20);
}

static void draw_layer(drawing *drawn, size_t number)
{
    world_random *random = drawn->random;
    reference_layer *to = number == 0 ? &drawn->to->fingerprint : &drawn->to->probabilistic;
    if (takes(drawn, REFERENCE_CHOICE_LAYER(number, REFERENCE_PRIOR)))
        to->prior = draw_chance(drawn, 0.05, 0.95);
    if (takes(drawn, REFERENCE_CHOICE_LAYER(number, REFERENCE_RIVALS)))
        to->rivals = draw_rivals(drawn);
    if (takes(drawn, REFERENCE_CHOICE_LAYER(number, REFERENCE_USER_AGENT_M)))
        to->user_agent_m = draw_chance(drawn, 0.5, 0.99);
    if (takes(drawn, REFERENCE_CHOICE_LAYER(number, REFERENCE_USER_AGENT_U)))
        to->user_agent_u = draw_chance(drawn, 0.01, 0.5);
    if (takes(drawn, REFERENCE_CHOICE_LAYER(number, REFERENCE_BAND))) {
        to->band[0] = world_chance(random, 20) ? 0 : world_between(random, 0, 0.7);
        to->band[1] = world_between(random, to->band[0] + 0.01, 0.999);
    }
    if (takes(drawn, REFERENCE_CHOICE_LAYER(number, REFERENCE_CALIBRATION)))
        draw_knots(random, &to->calibration);
    if (!drawn->is_grown)
        return;
    if (takes(drawn, REFERENCE_CHOICE_LAYER(number, REFERENCE_REPEAT)))
        to->repeat = draw_repeat(random);
    if (takes(drawn, REFERENCE_CHOICE_LAYER(number, REFERENCE_DELAY_U)))
        draw_chances(drawn, to->delay_u, 0.001, 0.999);
    for (size_t trait = 0; trait < REFERENCE_TRAIT_COUNT; trait++)
        if (takes(drawn, REFERENCE_CHOICE_LAYER(number, REFERENCE_TRAITS + trait))) {
            to->traits[trait][0] = draw_chance(drawn, 0.3, 0.999);
            to->traits[trait][1] = draw_chance(drawn, 0.01, 0.95);
        }
}

static void draw_parameters(drawing *drawn, bool has_both)
{
    if (takes_own(drawn, REFERENCE_DELAY_M))
        draw_delay_m(drawn);
    if (takes_own(drawn, REFERENCE_FINGERPRINT_M))
        draw_chances(drawn, drawn->to->fingerprint_m, 0.3, 0.99);
    if (takes_own(drawn, REFERENCE_IP_M))
        draw_chances(drawn, drawn->to->ip_m, 0.1, 0.95);
    if (takes_own(drawn, REFERENCE_FINGERPRINT_U))
        drawn->to->fingerprint_u = draw_chance(drawn, 0.001, 0.3);
    if (takes_own(drawn, REFERENCE_IP_U_MIN))
        drawn->to->ip_u_min = draw_chance(drawn, 0.0001, 0.2);
    if (drawn->is_grown)
        draw_other_family(drawn, has_both);
    for (size_t layer = 0; layer < 2; layer++)
        if (world_chance(drawn->random, 85))
            draw_layer(drawn, layer);
}

/* ---- Sections ---- */

static void draw_section(drawing *drawn, reference_model *model, const char *tenant,
                         const char *device_type)
{
    reference_section *section = &model->sections[model->section_count];
    const char *name = tenant != NULL ? tenant : "",
               *type = device_type != NULL ? device_type : "-";
    /* What holds where this section will change something. */
    reference_parameters before = reference_parameters_of(model, (cm_slice){name, strlen(name)},
                                                          (cm_slice){type, strlen(type)});
    *section = (reference_section){.tenant = tenant, .device_type = device_type};
    drawn->to = &section->to;
    drawn->changed = 0;
    drawn->percent = (unsigned)(5 + world_below(drawn->random, 40));
    draw_parameters(drawn, before.ip_other_m > 0);
    section->changed = drawn->changed;
    model->section_count++;
}

/* At most four of the words. */
static void draw_device_sections(drawing *drawn, reference_model *model, const char *tenant)
{
    static const char *const types[] = {"mobile",    "desktop",     "", "tablet", "phone",
                                        "m\xc3\xb6", "smart tv, 4k"};
    size_t count = 1 + world_below(drawn->random, 4),
           start = world_below(drawn->random, LENGTH(types));
    for (size_t i = 0; i < count; i++)
        draw_section(drawn, model, tenant, types[(start + i) % LENGTH(types)]);
}

static void draw_sections(drawing *drawn, reference_model *model)
{
    static const char *const tenants[] = {"a", "ab", "A", "\xc3\xa4", "nobody"};
    size_t count = world_below(drawn->random, 4);
    if (world_chance(drawn->random, 70))
        draw_device_sections(drawn, model, NULL);
    for (size_t i = 0; i < count; i++) {
        if (world_chance(drawn->random, 75))
            draw_section(drawn, model, tenants[i], NULL);
        if (world_chance(drawn->random, 60))
            draw_device_sections(drawn, model, tenants[i]);
    }
}

/* ---- Models ---- */

static void draw_bins(drawing *drawn, reference_model *model)
{
    double edge = 0;
    model->bin_count = 1 + world_below(drawn->random, 12);
    for (size_t i = 0; i < model->bin_count; i++) {
        edge *= world_between(drawn->random, 1.1, 3);
        edge += world_between(drawn->random, 0.01, 1);
        if (world_chance(drawn->random, 40)) /* whole hours */
            edge = (double)(int64_t)edge + 1;
        model->delay_hours[i] = edge;
    }
    draw_delay_m(drawn);
    draw_chances(drawn, drawn->to->fingerprint_m, 0.3, 0.99);
    draw_chances(drawn, drawn->to->ip_m, 0.1, 0.95);
    drawn->changed |= REFERENCE_CHOICE_OWN(REFERENCE_DELAY_M) |
                      REFERENCE_CHOICE_OWN(REFERENCE_FINGERPRINT_M) |
                      REFERENCE_CHOICE_OWN(REFERENCE_IP_M);
}

/* Any edge up to a limit; the first where all are above it. */
static double draw_window(world_random *random, const reference_model *model, double most)
{
    size_t count = 0;
    while (count < model->bin_count && model->delay_hours[count] <= most)
        count++;
    return model->delay_hours[count > 0 ? world_below(random, count) : 0];
}

static void draw_windows(world_random *random, reference_model *model)
{
    static const double retentions[] = {0, 1, 48, 0.001};
    if (world_chance(random, 60))
        model->retention_hours = retentions[world_below(random, LENGTH(retentions))];
    model->window_hours = draw_window(random, model, 720);
    if (world_chance(random, 60)) /* as a rule the longest */
        for (size_t i = 0; i < model->bin_count && model->delay_hours[i] <= 720; i++)
            model->window_hours = model->delay_hours[i];
    /* A longer window of layer 3 is allowed; beyond the retention it would find what is not
     * findable. */
    double most = model->window_hours;
    if (world_chance(random, 15))
        most += model->retention_hours;
    model->probabilistic_window_hours = draw_window(random, model, most < 720 ? most : 720);
}

static void draw_limits(world_random *random, reference_model *model)
{
    static const unsigned prefixes_4[] = {32, 32, 24, 16, 31, 1, 9};
    static const unsigned prefixes_6[] = {64, 64, 48, 56, 128, 63, 127, 1};
    if (world_chance(random, 85))
        model->max_candidates = 1 + world_below(random, world_chance(random, 50) ? 5 : 100);
    if (world_chance(random, 70)) {
        model->ipv4_prefix = prefixes_4[world_below(random, LENGTH(prefixes_4))];
        model->ipv6_prefix = prefixes_6[world_below(random, LENGTH(prefixes_6))];
    }
}

char *world_model(uint64_t seed, reference_model *model)
{
    world_random random = {seed ^ UINT64_C(0x6d6f64656c)};
    drawing drawn = {.random = &random, .model = model, .to = &model->own, .percent = 70};
    *model = reference_model_default;
    drawn.is_grown = world_chance(&random, 65);
    drawn.percent_extreme = world_chance(&random, 15) ? 30 : 0;
    if (world_chance(&random, 70))
        draw_bins(&drawn, model);
    draw_windows(&random, model);
    draw_limits(&random, model);
    drawn.percent = (unsigned)(10 + world_below(&random, 80));
    draw_parameters(&drawn, false);
    reference_choice changed = drawn.changed;
    if (drawn.is_grown && world_chance(&random, 60))
        draw_sections(&drawn, model);
    return world_model_text(model, changed, seed);
}
