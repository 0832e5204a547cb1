/* A conversion as a row: what survived of the click it followed. */
#include "sim/delay.h"
#include "sim/device.h"
#include "sim/ids.h"
#include "sim/output.h"
#include "sim/purchase.h"

const char cm_sim_conversion_header[] =
    "tenant_id,conversion_id,conversion_timestamp,click_id,fbclid,gclid,"
    "conversion_fingerprint_hash,ip_address,user_agent,device_type,os,browser,screen_width,"
    "screen_height,timezone,timezone_offset,conversion_type,conversion_value\n";
const char cm_sim_conversion_truth_header[] = "tenant_id,conversion_id,device,click_id,organic\n";

/* Everything of the URL is lost: stripped, refused with the cookies, or left in another browser. */
#define LOST_BETWEEN_BROWSERS_SHARE 0.94
#define LOST_IOS_SHARE 0.53
#define LOST_ANDROID_SHARE 0.17
#define LOST_OTHER_SHARE 0.11
/* Safari forgets what scripts have kept. */
#define SAFARI_KEEPS_US (31 * CM_SIM_HOUR_US)
#define LOST_BY_SAFARI_SHARE 0.45
/* Where it is not, each id has a fate of its own. iOS removes the networks' ids by name. */
#define CLICK_ID_KEPT_SHARE 0.83
#define NETWORK_ID_KEPT_SHARE 0.79
#define NETWORK_ID_KEPT_IOS_SHARE 0.24
#define COOKIE_FORM_SHARE 0.63

static bool loses_all(const cm_sim_world *world, const cm_sim_purchase *purchase,
                      const cm_sim_device *device, cm_sim_rng *rng)
{
    if (!purchase->has_source)
        return true;
    double share = device->os == CM_SIM_IOS       ? LOST_IOS_SHARE
                   : device->os == CM_SIM_ANDROID ? LOST_ANDROID_SHARE
                                                  : LOST_OTHER_SHARE;
    if (cm_sim_chance(rng, share))
        return true;
    if (purchase->source.in_app && !purchase->in_app &&
        cm_sim_chance(rng, LOST_BETWEEN_BROWSERS_SHARE))
        return true;
    int64_t click_us = cm_sim_calendar_time(&world->clicks, purchase->source.click);
    return device->browser == CM_SIM_SAFARI && purchase->time_us - click_us > SAFARI_KEEPS_US &&
           cm_sim_chance(rng, LOST_BY_SAFARI_SHARE);
}

static void write_ids(cm_sim_rows *rows, const cm_sim_world *world, const cm_sim_purchase *purchase,
                      const cm_sim_device *device, cm_sim_rng *rng)
{
    char bytes[CM_SIM_ID_MAX], *end = bytes;
    uint64_t click = purchase->source.click;
    bool kept = !loses_all(world, purchase, device, rng);
    if (kept && cm_sim_chance(rng, CLICK_ID_KEPT_SHARE))
        end = cm_sim_put_click_id(bytes, world, click);
    cm_sim_write_id(rows, "click_id", bytes, end);
    kept = kept && cm_sim_chance(rng, device->os == CM_SIM_IOS ? NETWORK_ID_KEPT_IOS_SHARE
                                                               : NETWORK_ID_KEPT_SHARE);
    end = bytes;
    if (kept && purchase->source.channel == CM_SIM_FACEBOOK)
        end = cm_sim_chance(rng, COOKIE_FORM_SHARE) ? cm_sim_put_fb_cookie(bytes, world, click)
                                                    : cm_sim_put_fbclid(bytes, world, click);
    cm_sim_write_id(rows, "fbclid", bytes, end);
    end = bytes;
    if (kept && purchase->source.channel == CM_SIM_GOOGLE)
        end = cm_sim_put_gclid(bytes, world, click);
    cm_sim_write_id(rows, "gclid", bytes, end);
}

static void write_goods(cm_sim_rows *rows, cm_sim_rng *rng)
{
    static const cm_slice types[] = {
        {"purchase", 8}, {"lead", 4}, {"signup", 6}, {"subscribe", 9}, {NULL, 0}};
    static const uint8_t percents[] = {61, 16, 12, 9, 2};
    unsigned type = cm_sim_pick(rng, percents);
    char bytes[CM_SIM_ID_MAX], *end = bytes;
    if (type == 0 || type == 3) {
        uint64_t cents = cm_sim_amount(rng);
        end = cm_sim_put_number(end, cents / 100);
        *end++ = '.';
        end = cm_sim_put_digits(end, cents, 2);
    }
    cm_sim_row_text(rows, "conversion_type", types[type]);
    cm_sim_row_bare(rows, "conversion_value", cm_sim_slice(bytes, end));
}

static bool write_truth(cm_sim_rows *rows, const cm_sim_world *world, cm_slice tenant, cm_slice id,
                        const cm_sim_purchase *purchase)
{
    const cm_slice yes = {"true", 4}, no = {"false", 5};
    char bytes[CM_SIM_ID_MAX], *end;
    if (!cm_sim_row_begin(rows, NULL))
        return false;
    cm_sim_row_text(rows, "tenant_id", tenant);
    cm_sim_row_text(rows, "conversion_id", id);
    cm_sim_write_id(rows, "device", bytes, cm_sim_put_device(bytes, purchase->device));
    end = purchase->organic ? bytes : cm_sim_put_click_id(bytes, world, purchase->newest.click);
    cm_sim_write_id(rows, "click_id", bytes, end);
    cm_sim_row_bare(rows, "organic", purchase->organic ? yes : no);
    cm_sim_row_end(rows);
    return true;
}

static void look_at(const cm_sim_world *world, cm_sim_writer *writer, uint64_t conversion,
                    const cm_sim_purchase *purchase, const cm_sim_device *device, cm_sim_look *look)
{
    cm_sim_rng rng = cm_sim_rng_at(world->seed, CM_SIM_FOR_CONVERSION_LOOK, conversion, 0);
    if (cm_sim_is_bot(purchase->device)) {
        cm_sim_look_of_bot(world, purchase->device, &rng, look);
        return;
    }
    cm_sim_look_at(world, writer->digest, device, purchase->time_us, purchase->in_app, &rng, look);
}

bool cm_sim_write_conversion(const cm_sim_world *world, uint64_t conversion, cm_sim_writer *writer)
{
    cm_sim_rows *rows = &writer->events;
    cm_sim_purchase purchase = cm_sim_purchase_at(world, conversion);
    cm_sim_device device = {.os = CM_SIM_LINUX}; /* a bot's */
    if (!cm_sim_is_bot(purchase.device))
        device = cm_sim_device_at(world->seed, purchase.device);
    cm_sim_rng rng = cm_sim_rng_at(world->seed, CM_SIM_FOR_CONVERSION_ROW, conversion, 0);
    char tenant_bytes[CM_SIM_ID_MAX], id_bytes[CM_SIM_ID_MAX], bytes[CM_SIM_ID_MAX];
    cm_slice tenant = cm_sim_slice(tenant_bytes, cm_sim_put_tenant(tenant_bytes, purchase.tenant));
    cm_slice id = cm_sim_slice(id_bytes, cm_sim_put_conversion_id(id_bytes, world, conversion));
    cm_sim_look look;
    look_at(world, writer, conversion, &purchase, &device, &look);
    if (look.has_failed || !cm_sim_row_begin(rows, "conversion"))
        return false;
    cm_sim_row_text(rows, "tenant_id", tenant);
    cm_sim_row_text(rows, "conversion_id", id);
    cm_sim_write_id(rows, "conversion_timestamp", bytes, cm_sim_put_time(bytes, purchase.time_us));
    write_ids(rows, world, &purchase, &device, &rng);
    cm_sim_write_look(rows, "conversion_fingerprint_hash", &look);
    write_goods(rows, &rng);
    cm_sim_row_end(rows);
    return write_truth(&writer->truth, world, tenant, id, &purchase);
}
