#include "world_parts.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define HOUR_US (3600 * SECOND_US)
#define DAY_US (24 * HOUR_US)
#define TIME_END_US (INT64_C(253402300800) * SECOND_US)
#define START_2026_US (INT64_C(1772323200) * SECOND_US)

static int64_t world_clamp(int64_t time)
{
    return time < 0 ? 0 : time >= TIME_END_US ? TIME_END_US - 1 : time;
}

static int64_t world_anchor(world_source *source)
{
    return source->anchors[world_below(&source->random, source->anchor_count)];
}

/* An edge, or a microsecond beside it. */
static int64_t world_edge(world_source *source)
{
    int64_t edge = source->edges[world_below(&source->random, source->edge_count)];
    return edge + (int64_t)world_below(&source->random, 3) - 1;
}

static int64_t world_click_time(world_source *source)
{
    int64_t anchor = world_anchor(source), longest = source->edges[source->edge_count - 1];
    switch (world_below(&source->random, 10)) {
    case 0:
    case 1:
        return world_clamp(anchor);
    case 2:
    case 3:
    case 4:
        return world_clamp(anchor - world_edge(source));
    case 5:
        return world_clamp(anchor - world_time(&source->random, 600) * SECOND_US);
    case 6:
    case 7:
        return world_clamp(anchor - world_time(&source->random, 4 * HOUR_US));
    case 8:
        return world_clamp(anchor - world_time(&source->random, 3 * DAY_US));
    default:
        return world_clamp(anchor - world_time(&source->random, longest));
    }
}

static int64_t world_expiry(world_source *source, int64_t click_time)
{
    int64_t time = click_time;
    if (world_chance(&source->random, 40) || world_leaves_out(source, WORLD_EXPIRES_AT))
        return CM_TIME_MISSING;
    switch (world_below(&source->random, 8)) {
    case 0:
        break;
    case 1:
        time += 1 + world_time(&source->random, HOUR_US);
        break;
    case 2:
    case 3:
        time = world_anchor(source);
        time += (int64_t)world_below(&source->random, 3) - 1;
        break;
    case 4:
        time += world_edge(source);
        break;
    case 5:
        time += 30 * DAY_US + (int64_t)world_below(&source->random, 3) - 1;
        break;
    default:
        time += world_time(&source->random, 40 * DAY_US);
        break;
    }
    return time < click_time ? click_time : world_clamp(time);
}

static void world_set_times(world_source *source)
{
    const reference_model *model =
        source->options->model != NULL ? source->options->model : &reference_model_default;
    int64_t retention_us = reference_hours_us(model->retention_hours);
    for (size_t i = 0; i < model->bin_count; i++)
        source->edges[source->edge_count++] = reference_hours_us(model->delay_hours[i]);
    source->edges[source->edge_count++] = reference_hours_us(model->probabilistic_window_hours);
    source->edges[source->edge_count++] = 30 * DAY_US;
    source->edges[source->edge_count++] = 30 * DAY_US + retention_us;
    source->edges[source->edge_count++] = reference_hours_us(model->window_hours);
    source->edges[source->edge_count++] = reference_hours_us(model->window_hours) + retention_us;
    int64_t start = START_2026_US;
    if (world_chance(&source->random, 12)) /* the ends of time */
        start = world_chance(&source->random, 50) ? 0 : TIME_END_US - 20 * DAY_US;
    source->anchor_count = 1 + world_below(&source->random, WORLD_ANCHORS_MAX);
    for (size_t i = 0; i < source->anchor_count; i++)
        source->anchors[i] = world_clamp(start + world_time(&source->random, 20 * DAY_US));
}

/* ---- Worlds ---- */

static void world_make_click(world_source *source, cm_click *click)
{
    click->tenant_id = world_tenant(source);
    click->click_id = world_click_id(source);
    click->click_timestamp = world_click_time(source);
    click->expires_at = world_expiry(source, click->click_timestamp);
    click->is_valid = !world_chance(&source->random, 8);
    if (!world_leaves_out(source, WORLD_FBCLID))
        click->fbclid = world_fbclid(source);
    if (!world_leaves_out(source, WORLD_GCLID))
        click->gclid = world_gclid(source);
    size_t number = world_below(&source->random, 1000);
    click->campaign_id = world_print(source, "c%zu, \"one\"", number % 10);
    click->adset_id = world_print(source, "%s", number % 3 == 0 ? "" : "set");
    click->ad_id = world_print(source, "a%zu\r\n", number);
    click->creative_id = world_print(source, "%s", number % 2 == 0 ? "" : "\xc3\xb1");
    click->reference = world_print(source, "r%zu", number);
    world_device(source, &click->device);
    if (world_chance(&source->random, source->people_percent))
        world_person(source, &click->tenant_id, &click->device);
}

static void world_take_components(cm_device *to, const cm_device *from)
{
    to->os = from->os;
    to->browser = from->browser;
    to->screen_width = from->screen_width;
    to->screen_height = from->screen_height;
    to->timezone = from->timezone;
}

/* Of those that are no person's seven in ten take part of what they show from one click; the rest
 * is drawn anew. */
static void world_make_conversion(world_source *source, cm_conversion *conversion, size_t number)
{
    world_random *random = &source->random;
    const world *made = source->made;
    conversion->tenant_id = world_tenant(source);
    conversion->conversion_id = world_print(source, "v%zu", number);
    conversion->conversion_timestamp = world_anchor(source);
    world_device(source, &conversion->device);
    if (world_chance(random, 35) && !world_leaves_out(source, WORLD_CLICK_ID))
        conversion->click_id = world_click_id(source);
    if (world_chance(random, 30) && !world_leaves_out(source, WORLD_FBCLID))
        conversion->fbclid = world_fbclid(source);
    if (world_chance(random, 30) && !world_leaves_out(source, WORLD_GCLID))
        conversion->gclid = world_gclid(source);
    if (world_chance(random, source->people_percent)) {
        world_person(source, &conversion->tenant_id, &conversion->device);
        if (world_chance(random, 80)) /* layer 1 leaves it to the others */
            conversion->click_id = conversion->fbclid = conversion->gclid = (cm_slice){NULL, 0};
        return;
    }
    if (made->click_count == 0 || world_chance(random, 30))
        return;
    const cm_click *click = &made->clicks[world_below(random, made->click_count)];
    conversion->tenant_id = click->tenant_id;
    if (world_chance(random, 15) && !world_leaves_out(source, WORLD_CLICK_ID))
        conversion->click_id = click->click_id;
    if (world_chance(random, 60)) {
        conversion->device.has_fingerprint = click->device.has_fingerprint;
        memcpy(conversion->device.fingerprint, click->device.fingerprint, 32);
    }
    if (world_chance(random, 60))
        conversion->device.ip_address = click->device.ip_address;
    if (world_chance(random, 60))
        conversion->device.device_type = click->device.device_type;
    if (world_chance(random, 60))
        conversion->device.user_agent = click->device.user_agent;
    if (world_chance(random, 30))
        world_take_components(&conversion->device, &click->device);
    if (world_chance(random, 15))
        world_turn_screen(&conversion->device);
    if (world_chance(random, 25))
        conversion->conversion_timestamp = world_clamp(click->click_timestamp + world_edge(source));
}

static void world_set_spaces(world_source *source)
{
    static const size_t dense[] = {1, 2, 3, 60};
    static const unsigned people[] = {0, 40, 90, 90};
    size_t clicks = source->options->click_count + 2;
    switch (source->options->shape) {
    case WORLD_DENSE:
        source->tenants = 1 + world_below(&source->random, 2);
        source->fingerprints = dense[world_below(&source->random, LENGTH(dense))];
        source->addresses = dense[world_below(&source->random, LENGTH(dense))];
        source->names = 2;
        source->missing = 8;
        source->people = 2;
        break;
    case WORLD_SPARSE:
        source->tenants = 1 + world_below(&source->random, 4);
        source->fingerprints = clicks;
        source->addresses = clicks;
        source->names = clicks;
        source->missing = 15;
        source->people = clicks / 5 + 1;
        break;
    default:
        source->tenants = 1 + world_below(&source->random, 4);
        source->fingerprints = 2 + world_below(&source->random, 12);
        source->addresses = 2 + world_below(&source->random, 16);
        source->names = 2 + world_below(&source->random, 10);
        source->missing = 30;
        source->people = 2 + world_below(&source->random, 12);
        break;
    }
    source->people_percent = people[world_below(&source->random, LENGTH(people))];
}

world *world_create(const world_options *options)
{
    world *made = world_claim(1, sizeof *made);
    world_source source = {.made = made, .random = {options->seed}, .options = options};
    world_set_spaces(&source);
    world_set_times(&source);
    made->clicks = world_claim(options->click_count, sizeof *made->clicks);
    made->conversions = world_claim(options->conversion_count, sizeof *made->conversions);
    for (; made->click_count < options->click_count; made->click_count++)
        world_make_click(&source, &made->clicks[made->click_count]);
    for (; made->conversion_count < options->conversion_count; made->conversion_count++)
        world_make_conversion(&source, &made->conversions[made->conversion_count],
                              made->conversion_count);
    return made;
}

world *world_numbered(uint64_t number, reference_model *model, char **json)
{
    static const struct {
        size_t clicks, conversions;
    } sizes[WORLD_SHAPE_COUNT] = {{250, 200}, {600, 60}, {300, 200}};
    world_options options = {.seed = number, .model = model};
    options.shape = (world_shape)(number / 2 % WORLD_SHAPE_COUNT);
    options.click_count = sizes[options.shape].clicks;
    options.conversion_count = sizes[options.shape].conversions;
    if (number / 6 % 3 == 2)
        options.without = 1u << number / 18 % WORLD_FIELD_COUNT;
    *json = world_model(number, model);
    if (number % 4 == 0) {
        free(*json);
        *json = NULL;
        *model = reference_model_default;
    }
    return world_create(&options);
}

void world_destroy(world *made)
{
    if (made == NULL)
        return;
    for (world_text *text = made->texts, *next; text != NULL; text = next) {
        next = text->next;
        free(text);
    }
    free(made->clicks);
    free(made->conversions);
    free(made);
}
