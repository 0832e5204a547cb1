#include "world_parts.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t world_next(world_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

size_t world_below(world_random *random, size_t end)
{
    return (size_t)(world_next(random) % end);
}

bool world_chance(world_random *random, unsigned percent)
{
    return world_below(random, 100) < percent;
}

double world_between(world_random *random, double low, double high)
{
    return low + (high - low) * ((double)(world_next(random) >> 11) * 0x1p-53);
}

int64_t world_time(world_random *random, int64_t end)
{
    return (int64_t)(world_next(random) % (uint64_t)end);
}

void *world_claim(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory == NULL)
        abort();
    return memory;
}

cm_slice world_print(world_source *source, const char *format, ...)
{
    va_list arguments;
    char line[1100];
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof line)
        abort();
    world_text *text = world_claim(1, sizeof *text + (size_t)size + 1);
    memcpy(text->bytes, line, (size_t)size);
    text->next = source->made->texts;
    source->made->texts = text;
    return (cm_slice){text->bytes, (size_t)size};
}

bool world_leaves_out(world_source *source, world_field field)
{
    return world_chance(&source->random, source->missing) ||
           (source->options->without >> field & 1u) != 0;
}

static cm_slice pick(world_source *source, const char *const *words, size_t count)
{
    return world_print(source, "%s", words[world_below(&source->random, count)]);
}

cm_slice world_tenant(world_source *source)
{
    static const char *const names[] = {"a", "ab", "A", "\xc3\xa4"};
    return pick(source, names, source->tenants);
}

/* Ids whose order by bytes, by number and by character differ, some a prefix of others. */
cm_slice world_click_id(world_source *source)
{
    static const char xs[24] = "xxxxxxxxxxxxxxxxxxxxxxx";
    size_t number = world_below(&source->random, source->options->click_count * 3 + 1);
    switch (number % 8) {
    case 0:
        return world_print(source, "%zu", number);
    case 1:
        return world_print(source, "b%zu", number);
    case 2: /* each the start of the longer ones */
        return world_print(source, "k%.*s", (int)(number / 8 % LENGTH(xs)), xs);
    case 3:
        return world_print(source, "\xc3\xa9%zu", number);
    case 4:
        return world_print(source, "k%zu, \"x\"", number);
    case 5:
        return world_print(source, "%0255zu", number);
    default:
        return world_print(source, "k%zu", number);
    }
}

cm_slice world_fbclid(world_source *source)
{
    static const char *const odd[] = {
        "fb.1.2.",         "fb.1.x.IwAR1", "fb..1.IwAR1", "fb.1.2..IwAR1", "IWAR1",
        "fb.1.2.fb.1.2.z", "fb",           "fb.1.2",      "FB.1.2.IwAR1"};
    size_t number = world_below(&source->random, source->names);
    switch (world_below(&source->random, 8)) {
    case 0:
        return pick(source, odd, LENGTH(odd));
    case 1:
        return world_print(source, "fb.1.%zu.IwAR%zu.more.%zu", number + 7, number, number);
    case 2:
    case 3:
        return world_print(source, "fb.1.1700000000000.IwAR%zu", number);
    default:
        return world_print(source, "IwAR%zu", number);
    }
}

/* Also the values of other kinds, which must stay apart. */
cm_slice world_gclid(world_source *source)
{
    size_t number = world_below(&source->random, source->names);
    switch (world_below(&source->random, 6)) {
    case 0:
        return world_print(source, "IwAR%zu", number);
    case 1:
        return world_print(source, "fb.1.2.g%zu", number);
    default:
        return world_print(source, "g%zu", number);
    }
}

static void world_fingerprint(world_source *source, cm_device *device)
{
    static const char components[] = "390|844|Europe/Madrid|-60|mobile|iOS|Safari";
    uint8_t *bytes = device->fingerprint;
    size_t number = world_below(&source->random, source->fingerprints);
    device->has_fingerprint = true;
    if (world_chance(&source->random, 4))
        return; /* all zeros: missing */
    if (world_chance(&source->random, 2)) {
        if (EVP_Digest("", 0, bytes, NULL, EVP_sha256(), NULL) != 1)
            abort();
    } else if (number == 0) {
        if (EVP_Digest(components, sizeof components - 1, bytes, NULL, EVP_sha256(), NULL) != 1)
            abort();
    } else {
        /* Alike but for one end. */
        memset(bytes, 0x5a, 32);
        bytes[number % 2 == 0 ? 0 : 31] = (uint8_t)(number >> 8);
        bytes[number % 2 == 0 ? 1 : 30] = (uint8_t)number;
    }
}

/* Some of the systems and browsers are one but for the case of ASCII letters, some nearly. */
void world_components(world_source *source, cm_device *device)
{
    static const char *const zones[] = {"Europe/Madrid", "europe/madrid", "Asia/Tokyo", ""};
    static const char *const sides[] = {"390", "844", "1024", "768", "390.0", ""};
    static const char *const offsets[] = {"-60", "540", ""};
    static const char *const systems[] = {"iOS", "ios", "IOS", "iOS 17", "Android", "aNDROID", ""};
    static const char *const browsers[] = {"Safari", "SAFARI",     "safari",     "Chrome", "K[@Z",
                                           "k{`z",   "\xc3\x89pi", "\xc3\xa9pi", ""};
    if (world_chance(&source->random, 50)) {
        device->device_type = world_print(source, "mobile");
        device->screen_width = world_print(source, "390");
        device->screen_height = world_print(source, "844");
        device->timezone = world_print(source, "Europe/Madrid");
        device->timezone_offset = world_print(source, "-60");
        device->os = world_print(source, "iOS");
        device->browser = world_print(source, "Safari");
        return;
    }
    device->screen_width = pick(source, sides, LENGTH(sides));
    device->screen_height = pick(source, sides, LENGTH(sides));
    device->timezone = pick(source, zones, LENGTH(zones));
    device->timezone_offset = pick(source, offsets, LENGTH(offsets));
    device->os = pick(source, systems, LENGTH(systems));
    device->browser = pick(source, browsers, LENGTH(browsers));
}

/* Special addresses, and the last or first address beside a special range. */
static cm_address world_odd_address(world_source *source)
{
    static const cm_address odd[] = {
        {4, {0, 0, 0, 0}},
        {4, {10, 1, 2, 3}},
        {4, {100, 64, 0, 1}},
        {4, {127, 0, 0, 1}},
        {4, {169, 254, 1, 1}},
        {4, {172, 31, 255, 255}},
        {4, {192, 168, 1, 4}},
        {4, {224, 0, 0, 1}},
        {4, {255, 255, 255, 255}},
        {4, {9, 255, 255, 255}},
        {4, {11, 0, 0, 0}},
        {4, {100, 63, 255, 255}},
        {4, {100, 128, 0, 0}},
        {4, {172, 15, 0, 1}},
        {4, {172, 32, 0, 0}},
        {4, {192, 167, 255, 255}},
        {4, {223, 255, 255, 255}},
        {6, {0}},
        {6, {[15] = 1}},
        {6, {[15] = 2}},
        {6, {0xfe, 0x80, [15] = 1}},
        {6, {0xfe, 0xc0, [15] = 1}},
        {6, {0xfc, 0x00, [15] = 1}},
        {6, {0xfd, 0xff, [15] = 1}},
        {6, {0xfe, 0x00, [15] = 1}},
        {6, {0xff, 0x02, [15] = 1}},
        {6, {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}},
        {6, {[8] = 0xff, [9] = 0xff, [12] = 203, [14] = 113}},
    };
    return odd[world_below(&source->random, LENGTH(odd))];
}

cm_address world_address(world_source *source)
{
    size_t number = world_below(&source->random, source->addresses);
    uint8_t low = (uint8_t)number, high = (uint8_t)(number >> 8);
    if (world_chance(&source->random, 8))
        return world_odd_address(source);
    if (number % 3 == 2) {
        uint8_t host = (uint8_t)world_below(&source->random, 3);
        return (cm_address){6, {0x20, 0x01, 0x0d, 0xb8, 0, 1, high, low, host, [15] = host}};
    }
    if (world_chance(&source->random, 25)) /* the same, mapped into IPv6 */
        return (cm_address){6, {[10] = 0xff, 0xff, 203, 0, (uint8_t)(113 + high), low}};
    return (cm_address){4, {203, 0, (uint8_t)(113 + high), low}};
}

void world_device(world_source *source, cm_device *device)
{
    static const char *const agents[] = {"UA-1", "UA-2", "ua-1", "Mozilla/5.0 (X11; \"q\", x)"};
    static const char *const types[] = {"mobile",  "Mobile", "MOBILE",       "desktop",
                                        "Desktop", "tablet", "smart tv, 4k", "m\xc3\xb6"};
    if (!world_leaves_out(source, WORLD_FINGERPRINT))
        world_fingerprint(source, device);
    if (!world_leaves_out(source, WORLD_ADDRESS))
        device->ip_address = world_address(source);
    if (!world_leaves_out(source, WORLD_USER_AGENT))
        device->user_agent = pick(source, agents, LENGTH(agents));
    device->device_type = pick(source, types, LENGTH(types));
    if (world_chance(&source->random, 30) && !world_leaves_out(source, WORLD_COMPONENTS))
        world_components(source, device);
    if (world_leaves_out(source, WORLD_DEVICE_TYPE))
        device->device_type = (cm_slice){NULL, 0};
}
