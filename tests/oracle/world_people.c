#include "world_parts.h"

void world_turn_screen(cm_device *device)
{
    cm_slice width = device->screen_width;
    device->screen_width = device->screen_height;
    device->screen_height = width;
}

/* The same in other letters. */
static cm_slice respell(world_source *source, cm_slice text)
{
    char line[64];
    size_t size = text.size < sizeof line ? text.size : sizeof line;
    for (size_t i = 0; i < size; i++) {
        char c = text.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        line[i] = (char)(is_letter && world_chance(&source->random, 50) ? c ^ 0x20 : c);
    }
    return world_print(source, "%.*s", (int)size, line);
}

/* Of a version, if there is one near. */
static cm_address draw_address(world_source *source, uint8_t version)
{
    cm_address address = world_address(source);
    for (int tries = 0; tries < 20 && address.version != version; tries++)
        address = world_address(source);
    return address;
}

/* At home by IPv4 or IPv6, or elsewhere. */
static void be_somewhere(world_source *source, world_source *born, cm_device *device)
{
    const cm_address addresses[] = {draw_address(born, 4), draw_address(born, 6),
                                    world_address(born)};
    device->ip_address = (cm_address){0};
    if (!world_leaves_out(source, WORLD_ADDRESS))
        device->ip_address = addresses[world_below(&source->random, LENGTH(addresses))];
}

static void change_looks(world_source *source, cm_device *device)
{
    world_random *random = &source->random;
    cm_device other = {0};
    world_device(source, &other);
    if (world_chance(random, 20)) {
        device->has_fingerprint = other.has_fingerprint;
        for (size_t i = 0; i < sizeof device->fingerprint; i++)
            device->fingerprint[i] = other.fingerprint[i];
    }
    if (world_chance(random, 20))
        device->user_agent = other.user_agent;
    if (world_chance(random, 15))
        device->device_type = other.device_type;
    if (world_chance(random, 40)) {
        device->os = respell(source, device->os);
        device->browser = respell(source, device->browser);
    }
    if (world_chance(random, 30))
        world_turn_screen(device);
    cm_slice *const traits[] = {&device->os, &device->browser, &device->screen_width,
                                &device->timezone, &device->device_type};
    for (size_t i = 0; i < LENGTH(traits); i++)
        if (world_chance(random, source->missing))
            *traits[i] = (cm_slice){NULL, 0};
}

void world_person(world_source *source, cm_slice *tenant, cm_device *device)
{
    /* What a person is made of depends on the number alone. */
    world_source born = *source;
    born.missing = 0;
    born.random.state =
        source->options->seed + 1000003 * world_below(&source->random, source->people);
    *device = (cm_device){0};
    world_device(&born, device);
    if ((source->options->without >> WORLD_COMPONENTS & 1u) == 0)
        world_components(&born, device);
    *tenant = world_tenant(&born);
    be_somewhere(source, &born, device);
    change_looks(source, device);
}
