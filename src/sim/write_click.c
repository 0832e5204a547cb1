/* A click as a row. */
#include "sim/device.h"
#include "sim/ids.h"
#include "sim/output.h"

#define EXPIRY_GIVEN_SHARE 0.02
#define CREATIVE_LOST_SHARE 0.06
#define AD_LOST_SHARE 0.02
#define VALID_OMITTED_SHARE 0.21
#define CHANNEL_ID_LOST_SHARE 0.03

#define CAMPAIGNS_PER_TENANT 40
#define ADSETS_PER_CAMPAIGN 6
#define ADS_PER_ADSET 5
#define CREATIVES_PER_TENANT 30

const char cm_sim_click_header[] =
    "tenant_id,click_id,click_timestamp,expires_at,is_valid,fbclid,gclid,campaign_id,adset_id,"
    "ad_id,creative_id,fingerprint_hash,ip_address,user_agent,device_type,os,browser,screen_width,"
    "screen_height,timezone,timezone_offset\n";
const char cm_sim_click_truth_header[] = "tenant_id,click_id,device\n";

void cm_sim_write_look(cm_sim_rows *rows, const char *fingerprint_name, const cm_sim_look *look)
{
    cm_sim_row_text(rows, fingerprint_name, look->fingerprint);
    cm_sim_row_text(rows, "ip_address", look->ip_address);
    cm_sim_row_text(rows, "user_agent", look->user_agent);
    cm_sim_row_text(rows, "device_type", look->device_type);
    cm_sim_row_text(rows, "os", look->os);
    cm_sim_row_text(rows, "browser", look->browser);
    cm_sim_row_bare(rows, "screen_width", look->screen_width);
    cm_sim_row_bare(rows, "screen_height", look->screen_height);
    cm_sim_row_text(rows, "timezone", look->timezone);
    cm_sim_row_bare(rows, "timezone_offset", look->timezone_offset);
}

static void write_time(cm_sim_rows *rows, const char *name, int64_t time_us)
{
    char bytes[CM_SIM_ID_MAX];
    cm_sim_write_id(rows, name, bytes, cm_sim_put_time(bytes, time_us));
}

static void write_validity(cm_sim_rows *rows, const cm_sim_visit *visit, int64_t time_us,
                           cm_sim_rng *rng)
{
    static const uint8_t days[] = {1, 3, 14, 30};
    const cm_slice none = {NULL, 0}, yes = {"true", 4}, no = {"false", 5};
    write_time(rows, "click_timestamp", time_us);
    if (cm_sim_chance(rng, EXPIRY_GIVEN_SHARE))
        write_time(rows, "expires_at", time_us + days[cm_sim_below(rng, 4)] * CM_SIM_DAY_US);
    else
        cm_sim_row_text(rows, "expires_at", none);
    bool omitted = cm_sim_chance(rng, VALID_OMITTED_SHARE);
    cm_sim_row_bare(rows, "is_valid", !visit->valid ? no : omitted ? none : yes);
}

static void write_channel(cm_sim_rows *rows, const cm_sim_world *world, const cm_sim_visit *visit,
                          cm_sim_rng *rng)
{
    char bytes[CM_SIM_ID_MAX];
    bool lost = cm_sim_chance(rng, CHANNEL_ID_LOST_SHARE);
    bool facebook = visit->channel == CM_SIM_FACEBOOK && !lost;
    bool google = visit->channel == CM_SIM_GOOGLE && !lost;
    char *end = facebook ? cm_sim_put_fbclid(bytes, world, visit->click) : bytes;
    cm_sim_write_id(rows, "fbclid", bytes, end);
    end = google ? cm_sim_put_gclid(bytes, world, visit->click) : bytes;
    cm_sim_write_id(rows, "gclid", bytes, end);
}

/* The id of an ad, campaign and so on: a number that is always the same for the same thing. */
static void write_ad(cm_sim_rows *rows, const char *name, const cm_sim_world *world,
                     uint64_t parent, uint64_t number, bool lost)
{
    char bytes[CM_SIM_ID_MAX];
    uint64_t h = cm_sim_hash(world->seed, CM_SIM_FOR_ADS, parent, number);
    char *end = lost ? bytes : cm_sim_put_digits(bytes, h % 9000000 + 1000000, 7);
    cm_sim_write_id(rows, name, bytes, end);
}

/* A repeat is of the same ad as its origin. */
static void write_ads(cm_sim_rows *rows, const cm_sim_world *world, const cm_sim_visit *visit,
                      cm_sim_rng *rng)
{
    cm_sim_rng ads = cm_sim_rng_at(world->seed, CM_SIM_FOR_ADS, visit->origin, UINT64_MAX);
    uint64_t tenant = visit->tenant;
    uint64_t campaign = tenant << 8 | cm_sim_skewed(&ads, CAMPAIGNS_PER_TENANT);
    uint64_t adset = campaign << 8 | cm_sim_skewed(&ads, ADSETS_PER_CAMPAIGN);
    uint64_t ad = adset << 8 | cm_sim_skewed(&ads, ADS_PER_ADSET);
    uint64_t creative = tenant << 8 | cm_sim_skewed(&ads, CREATIVES_PER_TENANT);
    bool lost = cm_sim_chance(rng, AD_LOST_SHARE);
    write_ad(rows, "campaign_id", world, campaign, 1, lost);
    write_ad(rows, "adset_id", world, adset, 2, lost);
    write_ad(rows, "ad_id", world, ad, 3, lost);
    write_ad(rows, "creative_id", world, creative, 4,
             lost || cm_sim_chance(rng, CREATIVE_LOST_SHARE));
}

static bool write_truth(cm_sim_rows *rows, cm_slice tenant, cm_slice id, uint64_t device)
{
    char bytes[CM_SIM_ID_MAX];
    if (!cm_sim_row_begin(rows, NULL))
        return false;
    cm_sim_row_text(rows, "tenant_id", tenant);
    cm_sim_row_text(rows, "click_id", id);
    cm_sim_write_id(rows, "device", bytes, cm_sim_put_device(bytes, device));
    cm_sim_row_end(rows);
    return true;
}

static void look_at(const cm_sim_world *world, cm_sim_writer *writer, const cm_sim_visit *visit,
                    int64_t time_us, cm_sim_look *look)
{
    cm_sim_rng rng = cm_sim_rng_at(world->seed, CM_SIM_FOR_CLICK_LOOK, visit->click, 0);
    if (cm_sim_is_bot(visit->device)) {
        cm_sim_look_of_bot(world, visit->device, &rng, look);
        return;
    }
    cm_sim_device device = cm_sim_device_at(world->seed, visit->device);
    cm_sim_look_at(world, writer->digest, &device, time_us, visit->in_app, &rng, look);
}

bool cm_sim_write_click(const cm_sim_world *world, uint64_t click, cm_sim_writer *writer)
{
    cm_sim_rows *rows = &writer->events;
    cm_sim_visit visit = cm_sim_visit_at(world, click);
    int64_t time_us = cm_sim_calendar_time(&world->clicks, click);
    cm_sim_rng rng = cm_sim_rng_at(world->seed, CM_SIM_FOR_CLICK_ROW, click, 0);
    char tenant_bytes[CM_SIM_ID_MAX], id_bytes[CM_SIM_ID_MAX];
    cm_slice tenant = cm_sim_slice(tenant_bytes, cm_sim_put_tenant(tenant_bytes, visit.tenant));
    cm_slice id = cm_sim_slice(id_bytes, cm_sim_put_click_id(id_bytes, world, click));
    cm_sim_look look;
    look_at(world, writer, &visit, time_us, &look);
    if (look.has_failed || !cm_sim_row_begin(rows, "click"))
        return false;
    cm_sim_row_text(rows, "tenant_id", tenant);
    cm_sim_row_text(rows, "click_id", id);
    write_validity(rows, &visit, time_us, &rng);
    write_channel(rows, world, &visit, &rng);
    write_ads(rows, world, &visit, &rng);
    cm_sim_write_look(rows, "fingerprint_hash", &look);
    cm_sim_row_end(rows);
    return write_truth(&writer->truth, tenant, id, visit.device);
}
