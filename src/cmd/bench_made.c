#include "cmd/bench_made.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/bench.h"
#include "cmd/clock.h"
#include "util/error.h"
#include "util/hash.h"

#define START_US INT64_C(1772323200000000) /* 2026-03-01 */
#define SPAN_US (INT64_C(7) * 24 * 3600 * 1000000)
#define DELAY_MAX_US (UINT64_C(6) * 3600 * 1000000)
#define CLICKS_PER_DEVICE 4
#define DEVICES_PER_ADDRESS 4
#define FIRST_ADDRESS UINT32_C(0x2c000000) /* 44.0.0.0: from here on addresses are evidence */
#define USER_AGENTS 300
#define CAMPAIGNS 200
#define BATCH 256

/* What random numbers are for. */
enum purpose {
    FOR_DEVICE,
    FOR_FINGERPRINT,
    FOR_ID,
    FOR_GCLID,
    FOR_AGENT,
    FOR_CAMPAIGN,
    FOR_CLICK,
    FOR_DELAY
};

/* Texts of one click. */
struct texts {
    char tenant[16], click_id[CM_BENCH_ID_BYTES + 1], gclid[32], campaign[32], user_agent[160];
};

static uint64_t random_of(const cm_bench_made *made, enum purpose purpose, uint64_t number)
{
    return cm_hash_pair(made->seed * 16 + purpose, number);
}

/* ---- devices ---- */

static uint64_t device_of(const cm_bench_made *made, uint64_t click)
{
    uint64_t devices = made->click_count / CLICKS_PER_DEVICE + 1;
    return random_of(made, FOR_DEVICE, click) % devices;
}

static void put_fingerprint(const cm_bench_made *made, uint64_t device, uint8_t fingerprint[32])
{
    for (uint64_t part = 0; part < 4; part++) {
        uint64_t word = random_of(made, FOR_FINGERPRINT, device * 4 + part);
        memcpy(fingerprint + 8 * part, &word, sizeof word);
    }
}

static cm_address address_of(uint64_t device)
{
    uint32_t number = FIRST_ADDRESS + (uint32_t)(device / DEVICES_PER_ADDRESS);
    return (cm_address){4,
                        {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                         (uint8_t)number}};
}

static cm_slice put_user_agent(const cm_bench_made *made, uint64_t device, char room[160])
{
    unsigned agent = (unsigned)(random_of(made, FOR_AGENT, device) % USER_AGENTS);
    int size = snprintf(room, 160,
                        "Mozilla/5.0 (Linux; Android %u; Pixel %u) AppleWebKit/537.36 (KHTML, like "
                        "Gecko) Chrome/%u.0.0.0 Mobile Safari/537.36",
                        10 + agent % 6, 3 + agent / 6 % 5, 120 + agent / 30);
    return (cm_slice){room, (size_t)size};
}

static cm_slice put_tenant(const cm_bench_made *made, uint64_t device, char room[16])
{
    unsigned tenant = made->tenants == 0 ? 0 : (unsigned)(device % made->tenants);
    return (cm_slice){room, (size_t)snprintf(room, 16, "shop-%u", tenant + 1)};
}

static void set_device(const cm_bench_made *made, uint64_t number, struct texts *texts,
                       cm_device *device)
{
    *device = (cm_device){
        .has_fingerprint = true,
        .ip_address = address_of(made->hot == CM_BENCH_HOT_ADDRESS ? 0 : number),
        .user_agent = put_user_agent(made, number, texts->user_agent),
        .device_type = {"mobile", 6},
    };
    put_fingerprint(made, made->hot == CM_BENCH_HOT_FINGERPRINT ? 0 : number, device->fingerprint);
}

/* ---- clicks ---- */

static int64_t time_of(const cm_bench_made *made, uint64_t click)
{
    return START_US + (int64_t)((double)click / (double)made->click_count * (double)SPAN_US);
}

static cm_slice put_click_id(const cm_bench_made *made, uint64_t click, char *room)
{
    if (made->ids == NULL) {
        int size = snprintf(room, CM_BENCH_ID_BYTES + 1, "k%016llx",
                            (unsigned long long)random_of(made, FOR_ID, click));
        return (cm_slice){room, (size_t)size};
    }
    cm_bench_id_put(made->ids, made->family, click, room);
    return (cm_slice){room, CM_BENCH_ID_BYTES};
}

static void make_click(const cm_bench_made *made, uint64_t number, struct texts *texts,
                       cm_click *click)
{
    uint64_t device = device_of(made, number);
    unsigned campaign = (unsigned)(random_of(made, FOR_CAMPAIGN, number) % CAMPAIGNS);
    snprintf(texts->campaign, sizeof texts->campaign, "%07u%07u%07u", campaign / 40, campaign / 4,
             campaign);
    snprintf(texts->gclid, sizeof texts->gclid, "Cj0KCQ%016llx",
             (unsigned long long)random_of(made, FOR_GCLID, number));
    *click = (cm_click){
        .tenant_id = put_tenant(made, device, texts->tenant),
        .click_id = put_click_id(made, number, texts->click_id),
        .click_timestamp = time_of(made, number),
        .expires_at = CM_TIME_MISSING,
        .is_valid = true,
        .gclid = {texts->gclid, number % 2 == 0 ? strlen(texts->gclid) : 0},
        .campaign_id = {texts->campaign, 7},
        .adset_id = {texts->campaign + 7, 7},
        .ad_id = {texts->campaign + 14, 7},
    };
    set_device(made, device, texts, &click->device);
}

/* A batch of clicks and what they point to. */
struct batch {
    cm_click clicks[BATCH];
    struct texts texts[BATCH];
};

static cm_status add_batch(const cm_bench_made *made, uint64_t first, struct batch *batch,
                           cm_engine *engine, double *core_seconds, cm_error *error)
{
    uint64_t left = made->click_count - first;
    size_t count = left < BATCH ? (size_t)left : BATCH;
    for (size_t i = 0; i < count; i++)
        make_click(made, made->order == NULL ? first + i : made->order[first + i], &batch->texts[i],
                   &batch->clicks[i]);
    double began = cm_clock_core_seconds();
    cm_status status = cm_engine_add(engine, batch->clicks, count, NULL, error);
    *core_seconds += cm_clock_core_seconds() - began;
    return status;
}

cm_status cm_bench_made_load(const cm_bench_made *made, cm_engine *engine, double *core_seconds,
                             cm_error *error)
{
    struct batch *batch = malloc(sizeof *batch);
    cm_status status = CM_OK;
    *core_seconds = 0;
    if (batch == NULL)
        return cm_error_memory(error, "clicks", sizeof *batch);
    for (uint64_t first = 0; first < made->click_count && status == CM_OK; first += BATCH) {
        status = cm_bench_go_on(error);
        if (status == CM_OK)
            status = add_batch(made, first, batch, engine, core_seconds, error);
    }
    free(batch);
    return status;
}

/* ---- conversions ---- */

static void keep_id(cm_device *device)
{
    device->has_fingerprint = false;
    device->ip_address.version = 0;
}

/* What of the click's device shows again. */
static void show(const cm_bench_made *made, uint64_t number, struct texts *texts, uint64_t click,
                 cm_conversion *conversion)
{
    unsigned kind = (unsigned)(number % 10);
    if (made->hot == CM_BENCH_HOT_ADDRESS)
        kind = 8;
    else if (made->hot == CM_BENCH_HOT_FINGERPRINT)
        kind = 5;
    if (made->ids != NULL || kind < 5)
        conversion->click_id = put_click_id(made, click, texts->click_id);
    if (made->ids != NULL)
        keep_id(&conversion->device);
    if (kind >= 8)
        conversion->device.has_fingerprint = false;
    if (kind == 9)
        conversion->device.ip_address = (cm_address){4, {9, 9, (uint8_t)(number >> 8), 9}};
}

static void make_conversion(const cm_bench_made *made, uint64_t number, struct texts *texts,
                            cm_conversion *conversion)
{
    uint64_t click = random_of(made, FOR_CLICK, number) % made->click_count;
    uint64_t delay_us = random_of(made, FOR_DELAY, number) % DELAY_MAX_US;
    uint64_t device = device_of(made, click);
    *conversion = (cm_conversion){
        .tenant_id = put_tenant(made, device, texts->tenant),
        .conversion_id = {"v", 1},
        .conversion_timestamp = time_of(made, click) + (int64_t)delay_us,
    };
    set_device(made, device, texts, &conversion->device);
    show(made, number, texts, click, conversion);
}

cm_status cm_bench_made_conversions(const cm_bench_made *made, size_t count, cm_arena *arena,
                                    cm_conversion *conversions, cm_error *error)
{
    for (size_t i = 0; i < count; i++) {
        struct texts *texts = cm_arena_take(arena, sizeof *texts);
        if (texts == NULL)
            return cm_error_memory(error, "conversions", count * sizeof *texts);
        make_conversion(made, i, texts, &conversions[i]);
    }
    return CM_OK;
}

uint32_t *cm_bench_made_shuffle(uint64_t seed, uint32_t count)
{
    uint32_t *order = malloc(((size_t)count + 1) * sizeof *order);
    for (uint32_t i = 0; order != NULL && i < count; i++) {
        uint32_t other = (uint32_t)(cm_hash_pair(seed, i) % (i + 1));
        order[i] = order[other];
        order[other] = i;
    }
    return order;
}
