/*
 * Synthetic worlds: ad clicks, conversions, and the truth about which device made them.
 *
 * The world is one of people, not of the matching model, and shares no number with it. Streets of
 * 64 devices hold households of one to seven devices behind one address; ISPs renew addresses and
 * IPv6 prefixes, serve both protocols, or put many households behind one IPv4 address. Phones roam
 * between home, office, public networks and carriers whose gateways carry thousands; some users go
 * through relays with rotating egress. Phones of a model look alike, desktops are nearly unique,
 * and browsers update during the period. Ads opened inside an app are often converted in another
 * browser. Click ids are stripped, on iOS most of all. Bots click from data centres. Some
 * conversions are organic.
 *
 * Everything is a function of (seed, row number): nothing is remembered from row to row, so that a
 * world of any size needs the same few megabytes, any thread can write any part, and the same
 * configuration gives the same bytes on any number of threads.
 *
 * Outputs, each in time order (equal times may occur), each with a header row where it is CSV:
 *
 *     clicks            tenant_id, click_id, click_timestamp, expires_at, is_valid, fbclid, gclid,
 *                       campaign_id, adset_id, ad_id, creative_id, fingerprint_hash, ip_address,
 *                       user_agent, device_type, os, browser, screen_width, screen_height,
 *                       timezone, timezone_offset
 *     conversions       tenant_id, conversion_id, conversion_timestamp, click_id, fbclid, gclid,
 *                       conversion_fingerprint_hash, ip_address to timezone_offset as above,
 *                       conversion_type, conversion_value
 *     click truth       tenant_id, click_id, device
 *     conversion truth  tenant_id, conversion_id, device, click_id, organic
 *
 * In the truth of a conversion, `device` is the one that converted; `click_id` is the newest valid
 * click (is_valid not false) of that device in that tenant in the seven days up to the conversion
 * (later than conversion - 7 days, not after it), empty when there is none; `organic` is true when
 * there is none, else false. Devices are named d<number> (people) and b<number> (bots), the same in
 * both files; people use the same device in several tenants. A click's `expires_at` has no say in
 * the truth.
 *
 * NDJSON has the same names, one object a line, missing fields left out, sizes, offsets, values and
 * flags as JSON numbers and booleans, times as text, and "event": "click" or "conversion" in the
 * clicks and conversions.
 */
#ifndef CM_SIM_SIM_H
#define CM_SIM_SIM_H

#include "clickmatch.h"

typedef enum cm_sim_format {
    CM_SIM_CSV = 0,
    CM_SIM_NDJSON,
} cm_sim_format;

/**
 * Where bytes go.
 *
 * `write` takes all of `size` bytes (never 0, whole rows, up to a few megabytes) or returns an
 * error, filling `error` (never NULL); that ends the run with the same status. The bytes are
 * borrowed. Calls for all sinks of a run come one at a time and in order, but not always from the
 * same thread. `write` NULL: this output is not wanted.
 */
typedef struct cm_sim_sink {
    cm_status (*write)(void *context, const char *bytes, size_t size, cm_error *error);
    void *context; /* borrowed, handed to write */
} cm_sim_sink;

/** The four outputs. All clicks are written before the first conversion. */
typedef struct cm_sim_sinks {
    cm_sim_sink clicks;
    cm_sim_sink conversions;
    cm_sim_sink click_truth;
    cm_sim_sink conversion_truth;
} cm_sim_sinks;

#define CM_SIM_ROWS_MAX 1000000000000 /* clicks, and conversions */
#define CM_SIM_TENANTS_MAX 100000
#define CM_SIM_DAYS_MAX 3650
#define CM_SIM_THREADS_MAX 256

/** What world. Start from cm_sim_config_default. */
typedef struct cm_sim_config {
    uint64_t seed;
    /* Exactly so many rows; 0 to CM_SIM_ROWS_MAX. */
    uint64_t click_count;
    uint64_t conversion_count;
    /* Of conversions, 0 to 1; held on average. With too few clicks to follow there are more. */
    double organic_share;
    /* 1 to CM_SIM_TENANTS_MAX. Sizes fall as 1 / rank; shop-1 is the largest. */
    uint32_t tenant_count;
    /* The length, 1 to CM_SIM_DAYS_MAX. Conversions begin after an eighth of it, but at most a
     * day, so that there are clicks to follow. */
    uint32_t days;
    /* The first midnight, in microseconds since 1970 UTC. The world ends before 9999. */
    int64_t start_us;
    cm_sim_format format; /* of all four outputs */
    /* 1 to CM_SIM_THREADS_MAX, the caller's included. No output depends on it. */
    unsigned threads;
} cm_sim_config;

/**
 * Seed 1, 100,000 clicks, 10,000 conversions, 0.15 organic, 5 tenants, 14 days from 2026-03-01,
 * CSV, one thread.
 *
 * @param config  filled whole; not NULL
 */
void cm_sim_config_default(cm_sim_config *config);

/**
 * Write a world.
 *
 * @param config  borrowed, not NULL
 * @param sinks   borrowed, not NULL; what is not wanted is not made
 * @param error   filled on failure only; may be NULL
 * @return CM_OK; CM_ERROR_ARGUMENT where a value of config is out of its range (nothing was
 *         written); CM_ERROR_MEMORY; or what a sink returned. After a failure the outputs are a
 *         beginning of what they should be.
 *
 * Memory: about 3 MB a thread, 16 bytes an hour of the period, 8 bytes a tenant.
 *
 * Threads: no global state; runs do not disturb one another. Returns when all its threads have
 * ended.
 */
cm_status cm_sim_run(const cm_sim_config *config, const cm_sim_sinks *sinks, cm_error *error);

#endif
