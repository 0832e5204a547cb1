#include "world_parts.h"

#include <stdio.h>
#include <stdlib.h>

static void write_number(FILE *json, const char *name, double value)
{
    fprintf(json, ",\n \"%s\": %.17g", name, value);
}

static void write_numbers(FILE *json, const char *name, const double *values, size_t count)
{
    fprintf(json, ",\n \"%s\": [", name);
    for (size_t i = 0; i < count; i++)
        fprintf(json, "%s%.17g", i > 0 ? ", " : "", values[i]);
    fputs("]", json);
}

static void draw_numbers(world_random *random, double *values, size_t count, double low,
                         double high)
{
    for (size_t i = 0; i < count; i++)
        values[i] = world_between(random, low, high);
}

/* Weights that sum to less than 1, some of them 0. */
static void draw_delay_m(world_random *random, reference_model *model)
{
    double sum = 0.001;
    for (size_t i = 0; i < model->bin_count; i++) {
        double weight = world_between(random, 0.01, 1);
        model->delay_m[i] = world_chance(random, 8) ? 0 : weight;
        sum += model->delay_m[i];
    }
    double share = world_between(random, 0.5, 0.999);
    for (size_t i = 0; i < model->bin_count; i++)
        model->delay_m[i] = model->delay_m[i] / sum * share;
}

static void draw_bins(world_random *random, reference_model *model, FILE *json)
{
    model->bin_count = 1 + world_below(random, 12);
    double edge = 0;
    for (size_t i = 0; i < model->bin_count; i++) {
        edge *= world_between(random, 1.1, 3);
        edge += world_between(random, 0.01, 1);
        if (world_chance(random, 40)) /* whole hours */
            edge = (double)(int64_t)edge + 1;
        model->delay_hours[i] = edge;
    }
    draw_delay_m(random, model);
    draw_numbers(random, model->fingerprint_m, model->bin_count, 0.3, 0.99);
    draw_numbers(random, model->ip_m, model->bin_count, 0.1, 0.95);
    write_numbers(json, "delay_hours", model->delay_hours, model->bin_count);
    write_numbers(json, "delay_m", model->delay_m, model->bin_count);
    write_numbers(json, "fingerprint_m", model->fingerprint_m, model->bin_count);
    write_numbers(json, "ip_m", model->ip_m, model->bin_count);
}

/* Any edge up to a limit; the first where all are above it. */
static double draw_window(world_random *random, const reference_model *model, double most)
{
    size_t count = 0;
    while (count < model->bin_count && model->delay_hours[count] <= most)
        count++;
    return model->delay_hours[count > 0 ? world_below(random, count) : 0];
}

static void draw_windows(world_random *random, reference_model *model, FILE *json)
{
    if (world_chance(random, 60)) {
        static const double retentions[] = {0, 1, 48, 0.001};
        model->retention_hours = retentions[world_below(random, LENGTH(retentions))];
        write_number(json, "retention_hours", model->retention_hours);
    }
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
    write_number(json, "window_hours", model->window_hours);
    write_number(json, "probabilistic_window_hours", model->probabilistic_window_hours);
}

static void draw_limits(world_random *random, reference_model *model, FILE *json)
{
    static const unsigned prefixes_4[] = {32, 32, 24, 16, 31, 1, 9};
    static const unsigned prefixes_6[] = {64, 64, 48, 56, 128, 63, 127, 1};
    if (world_chance(random, 85)) {
        model->max_candidates = 1 + world_below(random, world_chance(random, 50) ? 5 : 100);
        write_number(json, "max_candidates", (double)model->max_candidates);
    }
    if (world_chance(random, 70)) {
        model->ipv4_prefix = prefixes_4[world_below(random, LENGTH(prefixes_4))];
        model->ipv6_prefix = prefixes_6[world_below(random, LENGTH(prefixes_6))];
        write_number(json, "ipv4_prefix", (double)model->ipv4_prefix);
        write_number(json, "ipv6_prefix", (double)model->ipv6_prefix);
    }
    if (world_chance(random, 70)) {
        model->fingerprint_u = world_between(random, 0.001, 0.3);
        model->ip_u_min = world_between(random, 0.0001, 0.2);
        write_number(json, "fingerprint_u", model->fingerprint_u);
        write_number(json, "ip_u_min", model->ip_u_min);
    }
}

/* Knots whose x rise and whose y do not fall, all of them from 0 to 1. */
static void draw_knots(world_random *random, reference_layer *layer, FILE *json)
{
    layer->knot_count = world_below(random, REFERENCE_KNOTS_MAX + 1);
    double x = world_between(random, 0, 0.2), y = world_between(random, 0, 0.3);
    fputs(",\n \"calibration\": [", json);
    for (size_t i = 0; i < layer->knot_count; i++) {
        layer->knots[i][0] = x;
        layer->knots[i][1] = y;
        fprintf(json, "%s[%.17g, %.17g]", i > 0 ? ", " : "", x, y);
        x += (1 - x) * world_between(random, 0.02, 0.6);
        if (!world_chance(random, 20))
            y += world_between(random, 0, 1 - y);
    }
    fputs("]", json);
}

static void draw_layer(world_random *random, const char *name, reference_layer *layer, FILE *json)
{
    fprintf(json, ",\n\"%s\": {\n \"rivals\": %.17g", name,
            layer->rivals = world_between(random, 0.01, 2));
    if (world_chance(random, 70))
        write_number(json, "prior", layer->prior = world_between(random, 0.05, 0.95));
    if (world_chance(random, 70)) {
        layer->user_agent_m = world_between(random, 0.5, 0.99);
        layer->user_agent_u = world_between(random, 0.01, 0.5);
        write_number(json, "user_agent_m", layer->user_agent_m);
        write_number(json, "user_agent_u", layer->user_agent_u);
    }
    if (world_chance(random, 70)) {
        layer->lo = world_chance(random, 20) ? 0 : world_between(random, 0, 0.7);
        layer->hi = world_between(random, layer->lo + 0.01, 0.999);
        write_numbers(json, "band", (double[]){layer->lo, layer->hi}, 2);
    }
    if (world_chance(random, 60))
        draw_knots(random, layer, json);
    fputs("}", json);
}

char *world_model(uint64_t seed, reference_model *model)
{
    world_random random = {seed ^ UINT64_C(0x6d6f64656c)};
    char *text = NULL;
    size_t size = 0;
    FILE *json = open_memstream(&text, &size);
    if (json == NULL)
        abort();
    *model = reference_model_default;
    fprintf(json, "{\"name\": \"random\", \"version\": \"%llu\"", (unsigned long long)seed);
    if (world_chance(&random, 70))
        draw_bins(&random, model, json);
    draw_windows(&random, model, json);
    draw_limits(&random, model, json);
    if (world_chance(&random, 85))
        draw_layer(&random, "fingerprint", &model->fingerprint, json);
    if (world_chance(&random, 85))
        draw_layer(&random, "probabilistic", &model->probabilistic, json);
    fputs("}\n", json);
    if (fclose(json) != 0)
        abort();
    return text;
}
