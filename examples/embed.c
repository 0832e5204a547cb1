/*
 * A program that links libclickmatch: two clicks, one conversion, one result.
 *
 *     cc -o embed embed.c $(pkg-config --cflags --libs clickmatch)
 */
#include <clickmatch.h>
#include <stdio.h>
#include <string.h>

static cm_slice text(const char *bytes)
{
    return (cm_slice){bytes, strlen(bytes)};
}

static int64_t time_of(const char *bytes)
{
    int64_t time_us = 0;
    if (!cm_time_parse(text(bytes), &time_us))
        fprintf(stderr, "not a time: %s\n", bytes);
    return time_us;
}

static cm_device phone(const char *address, const char *user_agent)
{
    cm_device device = {.user_agent = text(user_agent), .device_type = text("mobile")};
    if (!cm_address_parse(text(address), &device.ip_address))
        fprintf(stderr, "not an address: %s\n", address);
    return device;
}

static int fail(const cm_error *error)
{
    fprintf(stderr, "embed: %s\n", error->message);
    return 1;
}

int main(void)
{
    const cm_click clicks[] = {
        {.tenant_id = text("shop"),
         .click_id = text("k1"),
         .click_timestamp = time_of("2026-03-10T11:40:00Z"),
         .expires_at = CM_TIME_MISSING,
         .is_valid = true,
         .campaign_id = text("spring"),
         .device = phone("203.0.113.7", "UA-1")},
        {.tenant_id = text("shop"),
         .click_id = text("k2"),
         .click_timestamp = time_of("2026-03-10T11:50:00Z"),
         .expires_at = CM_TIME_MISSING,
         .is_valid = true,
         .campaign_id = text("summer"),
         .device = phone("198.51.100.20", "UA-1")},
    };
    const cm_conversion conversion = {
        .tenant_id = text("shop"),
        .conversion_id = text("order-1"),
        .conversion_timestamp = time_of("2026-03-10T12:00:00Z"),
        .device = phone("203.0.113.7", "UA-1"),
    };
    cm_engine *engine;
    cm_error error;
    cm_result result;
    if (cm_engine_create(NULL, NULL, &engine, &error) != CM_OK)
        return fail(&error);
    if (cm_engine_add(engine, clicks, 2, NULL, &error) != CM_OK ||
        cm_engine_match(engine, &conversion, 1, &result, &error) != CM_OK) {
        cm_engine_destroy(engine);
        return fail(&error);
    }
    printf("order-1: %s, click %.*s of campaign %.*s, confidence %.4f\n",
           cm_method_name(result.method), (int)result.click.click_id.size,
           result.click.click_id.data, (int)result.click.campaign_id.size,
           result.click.campaign_id.data, result.confidence);
    cm_engine_destroy(engine);
    return 0;
}
