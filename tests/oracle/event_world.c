#include "event_world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/time_text.h"
#include "io/text_writer.h"
#include "world_parts.h"

#define YEAR_US (365 * INT64_C(86400) * 1000000)
#define TIME_END_US (INT64_C(253402300800) * 1000000)

static const char *const junk_lines[] = {
    "nonsense",
    "{\"event\":\"click\",\"tenant_id\":\"t\"",
    "{\"event\":\"view\",\"seq\":1}",
    "{\"tenant_id\":\"t\"}",
    "[1,2]",
    "{\"event\":\"click\",\"seq\":\"7\"}",
    "{\"event\":\"click\",\"tenant_id\":\"t\",\"click_id\":\"k\",\"click_timestamp\":"
    "\"yesterday\"}",
    "{\"event\":\"conversion\",\"tenant_id\":\"t\",\"conversion_id\":\"\"}",
    "{\"event\":\"conversion\",\"tenant_id\":\"t\",\"conversion_id\":\"v0\","
    "\"conversion_timestamp\":0,\"ip_address\":\"1.2.3.4.5\"}",
};

int64_t event_time(const world_event *event)
{
    return event->kind == EVENT_CLICK ? event->click.click_timestamp
                                      : event->conversion.conversion_timestamp;
}

/* ---- as text ---- */

static void put_member(cm_buffer *text, const char *name, cm_slice value)
{
    if (value.size == 0)
        return;
    cm_buffer_append_text(text, ",\"");
    cm_buffer_append_text(text, name);
    cm_buffer_append_text(text, "\":");
    cm_json_append(text, value);
}

static void put_time(cm_buffer *text, const char *name, int64_t time_us)
{
    if (time_us == CM_TIME_MISSING)
        return;
    cm_buffer_append_text(text, ",\"");
    cm_buffer_append_text(text, name);
    cm_buffer_append_text(text, "\":");
    time_text_append(text, time_us);
}

static void put_device(cm_buffer *text, const cm_device *device)
{
    char room[2 * 32 + 1] = "";
    for (size_t i = 0; device->has_fingerprint && i < 32; i++)
        (void)snprintf(room + 2 * i, 3, "%02x", device->fingerprint[i]);
    put_member(text, "fingerprint_hash", cm_slice_of_text(room));
    room[0] = '\0';
    if (device->ip_address.version != 0)
        (void)inet_ntop(device->ip_address.version == 4 ? AF_INET : AF_INET6,
                        device->ip_address.bytes, room, sizeof room);
    put_member(text, "ip_address", cm_slice_of_text(room));
    put_member(text, "user_agent", device->user_agent);
    put_member(text, "device_type", device->device_type);
    put_member(text, "os", device->os);
    put_member(text, "browser", device->browser);
    put_member(text, "screen_width", device->screen_width);
    put_member(text, "screen_height", device->screen_height);
    put_member(text, "timezone", device->timezone);
    put_member(text, "timezone_offset", device->timezone_offset);
}

static void put_click(cm_buffer *text, const cm_click *click)
{
    put_member(text, "tenant_id", click->tenant_id);
    put_member(text, "click_id", click->click_id);
    put_time(text, "click_timestamp", click->click_timestamp);
    put_time(text, "expires_at", click->expires_at);
    cm_buffer_append_text(text, click->is_valid ? "" : ",\"is_valid\":false");
    put_member(text, "fbclid", click->fbclid);
    put_member(text, "gclid", click->gclid);
    put_member(text, "campaign_id", click->campaign_id);
    put_member(text, "adset_id", click->adset_id);
    put_member(text, "ad_id", click->ad_id);
    put_member(text, "creative_id", click->creative_id);
    put_device(text, &click->device);
}

static void put_conversion(cm_buffer *text, const cm_conversion *conversion)
{
    put_member(text, "tenant_id", conversion->tenant_id);
    put_member(text, "conversion_id", conversion->conversion_id);
    put_time(text, "conversion_timestamp", conversion->conversion_timestamp);
    put_member(text, "click_id", conversion->click_id);
    put_member(text, "fbclid", conversion->fbclid);
    put_member(text, "gclid", conversion->gclid);
    put_device(text, &conversion->device);
}

static void put_event(cm_buffer *text, world_event *event)
{
    event->start = text->size;
    if (event->kind == EVENT_JUNK) {
        cm_buffer_append_text(text, event->junk);
    } else if (event->kind != EVENT_PAUSE) {
        bool is_click = event->kind == EVENT_CLICK;
        cm_buffer_append_text(text,
                              is_click ? "{\"event\":\"click\"" : "{\"event\":\"conversion\"");
        cm_buffer_append_text(text, ",\"seq\":");
        cm_buffer_append_u64(text, event->seq);
        if (is_click)
            put_click(text, &event->click);
        else
            put_conversion(text, &event->conversion);
        cm_buffer_append_char(text, '}');
    }
    if (event->kind != EVENT_PAUSE)
        cm_buffer_append_char(text, '\n');
    event->end = text->size;
}

/* ---- in their order ---- */

typedef struct placed {
    int64_t key; /* what they are sorted by */
    size_t number;
    world_event event;
} placed;

static int compare_placed(const void *a, const void *b)
{
    const placed *one = a, *other = b;
    if (one->key != other->key)
        return one->key < other->key ? -1 : 1;
    return one->number < other->number ? -1 : 1;
}

static bool is_known(const world *made, size_t number)
{
    const cm_click *click = &made->clicks[number];
    for (size_t i = 0; i < number; i++)
        if (cm_slice_equal(made->clicks[i].tenant_id, click->tenant_id) &&
            cm_slice_equal(made->clicks[i].click_id, click->click_id))
            return true;
    return false;
}

/* A clock that is years ahead, or as far as time goes. */
static int64_t break_clock(world_random *random, int64_t time)
{
    int64_t broken = time + (1 + (int64_t)world_below(random, 3)) * YEAR_US;
    return broken < TIME_END_US ? broken : time;
}

static size_t place_all(const event_world_options *options, const world *from, placed *to,
                        world_random *random)
{
    size_t count = 0;
    for (size_t i = 0; i < from->click_count; i++)
        if (!is_known(from, i))
            to[count++].event = (world_event){.kind = EVENT_CLICK, .click = from->clicks[i]};
    for (size_t i = 0; i < from->conversion_count; i++)
        to[count++].event =
            (world_event){.kind = EVENT_CONVERSION, .conversion = from->conversions[i]};
    for (size_t i = 0; i < count; i++) {
        world_event *event = &to[i].event;
        to[i].number = i;
        to[i].key = event_time(event) + world_time(random, options->disorder_us + 1);
        if (!world_chance(random, options->broken_percent))
            continue;
        if (event->kind == EVENT_CONVERSION)
            event->conversion.conversion_timestamp = break_clock(random, event_time(event));
        else if (event->click.expires_at == CM_TIME_MISSING)
            event->click.click_timestamp = break_clock(random, event_time(event));
    }
    qsort(to, count, sizeof *to, compare_placed);
    return count;
}

static void add(event_world *made, const world_event *event)
{
    made->events[made->count++] = *event;
}

/* Each placed event, and between them what else there is. */
static void spread(event_world *made, const event_world_options *options, const placed *from,
                   size_t count, world_random *random)
{
    const size_t junk_count = sizeof junk_lines / sizeof *junk_lines;
    for (size_t i = 0; i < count; i++) {
        add(made, &from[i].event);
        if (world_chance(random, options->copies_percent))
            add(made, &from[i - world_below(random, i < 3 ? i + 1 : 3)].event);
        if (world_chance(random, options->junk_percent))
            add(made, &(world_event){.kind = EVENT_JUNK,
                                     .junk = junk_lines[world_below(random, junk_count)]});
        if (world_chance(random, options->pauses_percent))
            add(made, &(world_event){.kind = EVENT_PAUSE});
    }
    for (size_t i = 0; i < made->count; i++) {
        made->events[i].seq = 2 * i;
        put_event(&made->text, &made->events[i]);
    }
}

event_world *event_world_create(const event_world_options *options)
{
    event_world *made = world_claim(1, sizeof *made);
    world_random random = {options->world.seed ^ 0x5eed};
    made->world = world_create(&options->world);
    size_t most = made->world->click_count + made->world->conversion_count;
    placed *order = world_claim(most + 1, sizeof *order);
    made->events = world_claim(4 * most + 1, sizeof *made->events);
    size_t count = place_all(options, made->world, order, &random);
    spread(made, options, order, count, &random);
    free(order);
    return made;
}

void event_world_destroy(event_world *made)
{
    if (made == NULL)
        return;
    cm_buffer_destroy(&made->text);
    free(made->events);
    world_destroy(made->world);
    free(made);
}
