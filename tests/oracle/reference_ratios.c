#include "reference_parts.h"

size_t reference_bin_of(const reference_view *seen, const reference_click *click)
{
    const reference_model *model = seen->model;
    int64_t delay = seen->time - click->time;
    for (size_t i = 0; i < model->bin_count; i++)
        if (delay < reference_hours_us(model->delay_hours[i]))
            return i;
    return model->bin_count - 1;
}

double reference_even_delay_ratio(const reference_view *seen, size_t i, double window_hours)
{
    const double *edges = seen->model->delay_hours;
    double before = i > 0 ? edges[i - 1] : 0.0;
    return seen->parameters.delay_m[i] / ((edges[i] - before) / window_hours);
}

double reference_delay_ratio(const reference_layer *layer, const reference_view *seen, size_t i,
                             double window_hours)
{
    if (layer->delay_u[i] == 0)
        return reference_even_delay_ratio(seen, i, window_hours);
    return seen->parameters.delay_m[i] / layer->delay_u[i];
}

double reference_user_agent_ratio(const reference_layer *layer, const reference_view *seen,
                                  const reference_device *click)
{
    if (click->user_agent.size == 0 || seen->device.user_agent.size == 0)
        return 1.0;
    if (reference_same_bytes(click->user_agent, seen->device.user_agent))
        return layer->user_agent_m / layer->user_agent_u;
    return (1 - layer->user_agent_m) / (1 - layer->user_agent_u);
}

double reference_address_ratio(const reference_view *seen, const reference_device *click, size_t i,
                               size_t near, size_t all)
{
    const reference_parameters *model = &seen->parameters;
    if (click->bucket.version == 0 || seen->device.bucket.version == 0)
        return 1.0;
    if (reference_shares_address(seen, click)) {
        double u = (double)(near - 1) / (double)all;
        return model->ip_m[i] / (u > model->ip_u_min ? u : model->ip_u_min);
    }
    if (model->ip_other_m == 0)
        return 1 - model->ip_m[i];
    bool is_other = click->bucket.version != seen->device.bucket.version;
    reference_note(seen, REFERENCE_PATH_OTHER_FAMILY, is_other);
    reference_note(seen, REFERENCE_PATH_OTHER_BUCKET, !is_other);
    if (is_other)
        return (1 - model->ip_m[i]) * model->ip_other_m / model->ip_other_u;
    return (1 - model->ip_m[i]) * (1 - model->ip_other_m) / (1 - model->ip_other_u);
}

double reference_fingerprint_ratio(const reference_view *seen, const reference_device *click,
                                   size_t i)
{
    double m = seen->parameters.fingerprint_m[i], u = seen->parameters.fingerprint_u;
    if (!click->has_fingerprint || !seen->device.has_fingerprint)
        return 1.0;
    return reference_same_fingerprint(click, &seen->device) ? m / u : (1 - m) / (1 - u);
}

static bool has_trait(const reference_device *device, reference_trait trait)
{
    switch (trait) {
    case REFERENCE_OS:
        return device->os.size > 0;
    case REFERENCE_BROWSER:
        return device->browser.size > 0;
    case REFERENCE_SCREEN:
        return device->screen_width.size > 0 && device->screen_height.size > 0;
    default:
        return device->timezone.size > 0;
    }
}

/* Also where one of the two was turned. */
static bool same_screen(const reference_device *a, const reference_device *b)
{
    return (reference_same_bytes(a->screen_width, b->screen_width) &&
            reference_same_bytes(a->screen_height, b->screen_height)) ||
           (reference_same_bytes(a->screen_width, b->screen_height) &&
            reference_same_bytes(a->screen_height, b->screen_width));
}

static bool same_trait(const reference_device *a, const reference_device *b, reference_trait trait)
{
    switch (trait) {
    case REFERENCE_OS:
        return reference_same_word(a->os, b->os);
    case REFERENCE_BROWSER:
        return reference_same_word(a->browser, b->browser);
    case REFERENCE_SCREEN:
        return same_screen(a, b);
    default:
        return reference_same_bytes(a->timezone, b->timezone);
    }
}

/* Equal, but not byte for byte. */
static void note_spelling(const reference_view *seen, const reference_device *click,
                          reference_trait trait)
{
    const reference_device *own = &seen->device;
    reference_note(seen, REFERENCE_PATH_OS_RESPELLED,
                   trait == REFERENCE_OS && !reference_same_bytes(click->os, own->os));
    reference_note(seen, REFERENCE_PATH_BROWSER_RESPELLED,
                   trait == REFERENCE_BROWSER &&
                       !reference_same_bytes(click->browser, own->browser));
    reference_note(seen, REFERENCE_PATH_SCREEN_TURNED,
                   trait == REFERENCE_SCREEN &&
                       !reference_same_bytes(click->screen_width, own->screen_width));
}

/* 1 where either side lacks it. */
static double trait_ratio(const reference_view *seen, const reference_device *click,
                          reference_trait trait, double m, double u)
{
    bool is_missing = !has_trait(click, trait) || !has_trait(&seen->device, trait);
    bool is_equal = !is_missing && same_trait(click, &seen->device, trait);
    reference_path equal = REFERENCE_PATH_OS_EQUAL + 3 * trait;
    reference_note(seen, is_missing ? equal + 2 : is_equal ? equal : equal + 1, true);
    if (is_equal)
        note_spelling(seen, click, trait);
    return is_missing ? 1.0 : is_equal ? m / u : (1 - m) / (1 - u);
}

double reference_with_traits(const reference_layer *layer, const reference_view *seen,
                             const reference_device *click, double w)
{
    for (reference_trait trait = 0; trait < REFERENCE_TRAIT_COUNT; trait++) {
        double m = layer->traits[trait][0], u = layer->traits[trait][1];
        if (m > 0)
            w *= trait_ratio(seen, click, trait, m, u);
    }
    return w;
}
