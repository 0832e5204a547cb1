#include "harness/visits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/random.h"
#include "util/slice.h"

#define BEGIN_US 1767225600000000 /* 2026-01-01 */
#define HOUR_US 3600000000.0
#define DAYS 12
#define TEXTS_EACH 4

const double visits_edges[VISITS_BINS] = {0.5, 4, 24, 72, 168};

struct making {
    const visits_options *options;
    visits *made;
    uint64_t random;
    size_t text_count;
    cm_click *clicks;
    cm_conversion *conversions;
    size_t click_count, conversion_count;
};

static double share(struct making *making)
{
    return (double)random_below(&making->random, 1u << 30) / (1u << 30);
}

static bool falls(struct making *making, double chance)
{
    return share(making) < chance;
}

static cm_slice text(struct making *making, const char *kind, uint64_t number)
{
    char *made = making->made->texts[making->text_count++];
    int size =
        snprintf(made, sizeof *making->made->texts, "%s-%llu", kind, (unsigned long long)number);
    return cm_slice_of(made, (size_t)size);
}

/* ---- devices ---- */

/* One of a version's. */
static cm_address address(struct making *making, bool is_ipv6)
{
    uint32_t number = random_below(&making->random, making->options->addresses);
    cm_address made = {.version = is_ipv6 ? 6 : 4, .bytes = {is_ipv6 ? 0x2a : 81}};
    for (size_t i = 1; i < 4; i++)
        made.bytes[i] = (uint8_t)(number >> 8 * (i - 1));
    return made;
}

static void set_fingerprint(cm_device *device, uint64_t number)
{
    device->has_fingerprint = true;
    memset(device->fingerprint, 0x5a, sizeof device->fingerprint);
    memcpy(device->fingerprint, &number, sizeof number);
}

static cm_device device(struct making *making)
{
    cm_device made = {.ip_address = address(making, falls(making, 0.3))};
    set_fingerprint(&made, random_below(&making->random, making->options->fingerprints));
    made.user_agent =
        text(making, "agent", random_below(&making->random, making->options->user_agents));
    made.device_type = falls(making, 0.7) ? CM_SLICE("mobile") : CM_SLICE("desktop");
    if (making->options->has_traits) {
        made.os = falls(making, 0.5) ? CM_SLICE("iOS") : CM_SLICE("Android");
        made.timezone = falls(making, 0.9) ? CM_SLICE("Europe/Paris") : CM_SLICE("Asia/Tokyo");
    }
    return made;
}

/* What a device looks like some time later. */
static cm_device changed(struct making *making, const cm_device *before)
{
    const visits_options *options = making->options;
    cm_device made = *before;
    if (!falls(making, options->fingerprint_kept))
        set_fingerprint(&made, 1000000 + making->conversion_count);
    if (!falls(making, options->address_kept)) {
        bool is_other = falls(making, options->other_family);
        made.ip_address = address(making, (before->ip_address.version == 6) != is_other);
    }
    if (!falls(making, options->user_agent_kept))
        made.user_agent = CM_SLICE("another agent");
    return made;
}

/* ---- visits ---- */

static int64_t at_hours(double hours)
{
    return BEGIN_US + (int64_t)(hours * HOUR_US);
}

static double add_click(struct making *making, const cm_device *clicking, double hours)
{
    size_t number = making->click_count++;
    making->clicks[number] = (cm_click){.tenant_id = CM_SLICE("shop"),
                                        .click_id = text(making, "click", number),
                                        .click_timestamp = at_hours(hours),
                                        .expires_at = CM_TIME_MISSING,
                                        .is_valid = true,
                                        .device = *clicking};
    return hours;
}

static double delay(struct making *making)
{
    double left = share(making);
    size_t bin = 0;
    while (bin + 1 < VISITS_BINS && left >= making->options->delays[bin])
        left -= making->options->delays[bin++];
    double before = bin == 0 ? 0 : visits_edges[bin - 1];
    return before + share(making) * (visits_edges[bin] - before);
}

static void add_conversion(struct making *making)
{
    const visits_options *options = making->options;
    size_t number = making->conversion_count;
    cm_device mine = device(making);
    double hours = (7 + share(making) * DAYS) * 24;
    cm_conversion *made = &making->conversions[number];
    *made = (cm_conversion){.tenant_id = CM_SLICE("shop"),
                            .conversion_id = text(making, "sale", number),
                            .device = mine};
    if (!falls(making, options->organic)) {
        double clicked = hours - delay(making);
        add_click(making, &mine, clicked);
        if (falls(making, options->labelled))
            made->click_id = making->clicks[making->click_count - 1].click_id;
        if (falls(making, options->twice)) {
            cm_device elsewhere = mine;
            elsewhere.ip_address = address(making, false);
            add_click(making, &elsewhere, hours - 168 * share(making));
        }
        made->device = changed(making, &mine);
    }
    made->conversion_timestamp = at_hours(hours);
    making->conversion_count++;
}

/* Fisher and Yates; both at once, by the same steps. */
static void shuffle(struct making *making)
{
    for (size_t i = making->click_count; i > 1; i--) {
        size_t j = random_below(&making->random, (uint32_t)i);
        cm_click kept = making->clicks[i - 1];
        making->clicks[i - 1] = making->clicks[j];
        making->clicks[j] = kept;
    }
    for (size_t i = making->conversion_count; i > 1; i--) {
        size_t j = random_below(&making->random, (uint32_t)i);
        cm_conversion kept = making->conversions[i - 1];
        making->conversions[i - 1] = making->conversions[j];
        making->conversions[j] = kept;
    }
}

static void add_records(struct making *making)
{
    uint64_t duplicates = 0;
    cm_records *records = &making->made->records;
    assert_int_equal(
        cm_records_add_clicks(records, making->clicks, making->click_count, &duplicates, NULL),
        CM_OK);
    assert_int_equal(cm_records_add_conversions(records, making->conversions,
                                                making->conversion_count, &duplicates, NULL),
                     CM_OK);
    assert_int_equal(duplicates, 0);
}

visits *visits_make(const visits_options *options)
{
    size_t room = 2 * options->conversions + options->idle;
    struct making making = {.options = options,
                            .random = options->seed,
                            .made = calloc(1, sizeof *making.made),
                            .clicks = calloc(room, sizeof *making.clicks),
                            .conversions = calloc(room, sizeof *making.conversions)};
    assert_non_null(making.made);
    assert_non_null(making.clicks);
    assert_non_null(making.conversions);
    making.made->texts = calloc(room * TEXTS_EACH, sizeof *making.made->texts);
    assert_non_null(making.made->texts);
    for (size_t i = 0; i < options->conversions; i++)
        add_conversion(&making);
    for (size_t i = 0; i < options->idle; i++) {
        cm_device idle = device(&making);
        add_click(&making, &idle, share(&making) * (7 + DAYS) * 24);
    }
    if (options->shuffles)
        shuffle(&making);
    add_records(&making);
    free(making.clicks);
    free(making.conversions);
    return making.made;
}

void visits_destroy(visits *made)
{
    cm_records_destroy(&made->records);
    free(made->texts);
    free(made);
}
