#include "reference_parts.h"

#include <stdlib.h>

/* A device that clicked here may be the one that clicked there before. */
void reference_weigh_older(const reference_view *seen, double r, size_t left,
                           reference_weighing *weighed)
{
    const reference_layer *layer = &seen->parameters.fingerprint;
    double older = 0, older_of_address = 0;
    if (!(layer->repeat > 0) || weighed->clicks.count < 2)
        return;
    double strangers = layer->rivals + (double)(weighed->clicks.count - 2 + left);
    double k = layer->repeat / layer->prior * (r / strangers);
    for (size_t c = weighed->clicks.count; c-- > 0;) {
        const reference_device *click = &weighed->clicks.items[c]->device;
        bool is_known = click->bucket.version != 0 && seen->device.bucket.version != 0;
        bool is_near = is_known && reference_shares_address(seen, click);
        size_t bin = reference_bin_of(seen, weighed->clicks.items[c]);
        double ratio = reference_delay_ratio(layer, seen, bin, seen->model->window_hours);
        double w = weighed->weights[c];
        weighed->weights[c] = w * (1 + k * (is_near ? older_of_address : older));
        reference_note(seen, REFERENCE_PATH_OLDER, older > 0);
        reference_note(seen, REFERENCE_PATH_OLDER_OF_ADDRESS, is_near && older > 0);
        if (ratio == 0)
            continue;
        bool is_far = is_known && !is_near;
        older += w * (1 / ratio);
        older_of_address += w * (is_far ? 1 / ratio / (1 - seen->parameters.ip_m[bin]) : 1 / ratio);
    }
}

/* The place of the largest weight, the newest of equals. */
static size_t best_of(const reference_weighing *weighed)
{
    size_t best = 0;
    for (size_t c = 1; c < weighed->clicks.count; c++)
        if (weighed->weights[c] > weighed->weights[best])
            best = c;
    return best;
}

/* B: what is newer on the conversion's address and may be the same device. */
static reference_clicks newer_clicks(const reference_view *seen, const reference_click *than)
{
    reference_clicks result = {0};
    /* recent() leaves its first microsecond out; here it belongs to it. */
    reference_clicks near = reference_recent_at_address(seen, seen->time - than->time + 1);
    reference_note(seen, REFERENCE_PATH_NEWER_CUT, near.count > seen->model->max_candidates);
    for (size_t i = 0; i < near.count && i < seen->model->max_candidates; i++) {
        const reference_device *device = &near.items[i]->device;
        if (reference_compare_newest(near.items[i], than) >= 0)
            continue;
        bool is_own = device->has_fingerprint && reference_same_fingerprint(device, &seen->device);
        reference_note(seen, REFERENCE_PATH_NEWER_OF_FINGERPRINT, is_own);
        if (!is_own)
            reference_array_push(&result, near.items[i]);
    }
    free(near.items);
    size_t count = result.count;
    reference_drop_expired(seen, &result);
    reference_note(seen, REFERENCE_PATH_NEWER_EXPIRED, result.count < count);
    count = result.count;
    reference_keep_devices(&result, reference_same_layer_3_device);
    reference_note(seen, REFERENCE_PATH_NEWER_SAME_DEVICE, result.count < count);
    return result;
}

/* What they are, and what became of them. */
static void note_newer(const reference_view *seen, const reference_clicks *newer,
                       const reference_click *than, const reference_weighing *weighed)
{
    size_t old_count = weighed->clicks.count - newer->count;
    reference_note(seen, REFERENCE_PATH_NEWER, newer->count > 0);
    reference_note(seen, REFERENCE_PATH_NEWER_OF_SEVERAL, newer->count > 1);
    reference_note(seen, REFERENCE_PATH_NEWER_WINS, best_of(weighed) >= old_count);
    for (size_t b = 0; b < newer->count; b++) {
        const reference_click *click = newer->items[b];
        reference_note(seen, REFERENCE_PATH_NEWER_SAME_TIME, click->time == than->time);
        reference_note(seen, REFERENCE_PATH_NEWER_WITHOUT_FINGERPRINT,
                       !click->device.has_fingerprint);
    }
}

static double newer_ratio(const reference_view *seen, const reference_click *click, double r)
{
    const reference_layer *layer = &seen->parameters.probabilistic;
    size_t i = reference_bin_of(seen, click);
    reference_note(seen, REFERENCE_PATH_NEWER_BESIDE_DELAY_U,
                   layer->delay_u[i] > 0 || seen->parameters.fingerprint.delay_u[i] > 0);
    double y = layer->repeat * seen->parameters.ip_m[i] / r *
               reference_even_delay_ratio(seen, i, seen->model->window_hours) *
               reference_fingerprint_ratio(seen, &click->device, i) *
               reference_user_agent_ratio(layer, seen, &click->device);
    return reference_with_traits(layer, seen, &click->device, y);
}

void reference_weigh_newer(const reference_view *seen, reference_weighing *weighed)
{
    const reference_layer *layer = &seen->parameters.probabilistic;
    if (!(layer->repeat > 0) || seen->device.bucket.version == 0)
        return;
    size_t best = best_of(weighed), old_count = weighed->clicks.count;
    double w = weighed->weights[best], all = 1;
    reference_clicks newer = newer_clicks(seen, weighed->clicks.items[best]);
    weighed->weights =
        reference_claim(weighed->weights, (old_count + newer.count + 1) * sizeof *weighed->weights);
    for (size_t b = 0; b < newer.count; b++) {
        double r = layer->rivals + (double)(newer.count - 1);
        double y = newer_ratio(seen, newer.items[b], r);
        reference_array_push(&weighed->clicks, newer.items[b]);
        weighed->weights[old_count + b] = y;
        all += y;
    }
    for (size_t b = 0; b < newer.count; b++)
        weighed->weights[old_count + b] = w * (weighed->weights[old_count + b] / all);
    weighed->weights[best] = w / all;
    note_newer(seen, &newer, weighed->clicks.items[best], weighed);
    free(newer.items);
}
