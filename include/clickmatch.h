/**
 * clickmatch: match conversions to ad clicks.
 *
 * An engine holds clicks in memory and says, for each conversion, which click brought it and how
 * sure that is. Three layers run in order: the click id from the URL (certain), the device
 * fingerprint, and address + device + timing; the last two by a Fellegi-Sunter model.
 * docs/matching.md states the rules.
 *
 *     cm_engine *engine;
 *     cm_error error;
 *     if (cm_engine_create(NULL, NULL, &engine, &error) != CM_OK)
 *         fprintf(stderr, "%s\n", error.message);
 *     cm_engine_add(engine, clicks, click_count, NULL, &error);
 *     cm_engine_match(engine, conversions, conversion_count, results, &error);
 *     cm_engine_destroy(engine);
 *
 * Conventions
 * - Text is a cm_slice: bytes and their number, no terminator needed. An empty slice (size 0) is a
 * missing value.
 * - Time is microseconds since 1970-01-01 UTC, from 1970 to 9999. The library has no clock.
 * - Functions that can fail return a cm_status and fill the caller's cm_error, if given; on failure
 * they change nothing but what they say.
 * - No global state: engines are independent. An engine takes one writer (add, expire) at a time;
 * any number of threads may match at once while nobody writes.
 */
#ifndef CLICKMATCH_H
#define CLICKMATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CM_VERSION "0.1.0"

/* What the shared library shows; everything else in it is hidden. */
#define CM_PUBLIC __attribute__((visibility("default")))

/** What went wrong. The command line's exit status follows from it (README, Exit status). */
typedef enum cm_status {
    CM_OK = 0,
    CM_ERROR_MEMORY,      /* an allocation failed */
    CM_ERROR_ARGUMENT,    /* a value given by the caller is out of its range */
    CM_ERROR_MODEL,       /* a model is malformed (line and byte say where), or is not there */
    CM_ERROR_CAPACITY,    /* a fixed limit (2^31 clicks, 2^31 keys) is reached */
    CM_ERROR_FORMAT,      /* input cannot be read as what it should be; line and byte say where */
    CM_ERROR_IO,          /* a file cannot be opened, read or written */
    CM_ERROR_USAGE,       /* wrong command line */
    CM_ERROR_REJECTS,     /* more rejected rows than allowed */
    CM_ERROR_DATABASE,    /* PostgreSQL refused, or the connection was lost */
    CM_ERROR_INTERRUPTED, /* stopped by SIGINT or SIGTERM */
} cm_status;

/** One error: a code, a place and one line for a person. */
typedef struct cm_error {
    cm_status code;
    uint64_t line;     /* input line, counted from 1; 0 where there is none */
    uint64_t byte;     /* offset in the input, counted from 0; meaningful where line is not 0 */
    char message[512]; /* what went wrong, where, and what to do; no newline; NUL-terminated */
} cm_error;

/** Borrowed bytes. Not NUL-terminated. Size 0 is a missing value, whatever data points to. */
typedef struct cm_slice {
    const char *data;
    size_t size; /* bytes */
} cm_slice;

/** An IP address in network byte order. */
typedef struct cm_address {
    uint8_t version;   /* 4, 6, or 0 where missing */
    uint8_t bytes[16]; /* IPv4: the first 4, the rest zero */
} cm_address;

/** Marks a time that is missing. */
#define CM_TIME_MISSING INT64_MIN

/** What a device shows of itself; common to clicks and conversions. Every field may be missing. */
typedef struct cm_device {
    bool has_fingerprint;
    uint8_t fingerprint[32]; /* SHA-256; all zeros and the SHA-256 of nothing count as missing */
    cm_address ip_address;   /* private, loopback and other special addresses count as missing */
    cm_slice user_agent;
    cm_slice
        device_type; /* "mobile", "desktop", "tablet" or another word; ASCII case does not matter */
    /* From these the fingerprint is made where it is missing (SHA-256 of them joined by "|"). */
    cm_slice os, browser, screen_width, screen_height, timezone, timezone_offset;
} cm_device;

/** A click. tenant_id, click_id and click_timestamp are required. */
typedef struct cm_click {
    cm_slice tenant_id; /* ids: valid UTF-8, 1 to 255 characters, no NUL */
    cm_slice click_id;  /* unique within its tenant */
    int64_t click_timestamp;
    int64_t expires_at; /* CM_TIME_MISSING: click_timestamp + the model's window */
    bool is_valid;      /* false: flagged, never matched */
    cm_slice fbclid, gclid;
    cm_slice campaign_id, adset_id, ad_id, creative_id; /* carried to the result; any bytes */
    cm_slice
        reference; /* the caller's own key of the click, at most 255 bytes, carried to the result */
    cm_device device;
} cm_click;

/** A conversion. tenant_id, conversion_id and conversion_timestamp are required. */
typedef struct cm_conversion {
    cm_slice tenant_id;
    cm_slice conversion_id;
    int64_t conversion_timestamp;
    cm_slice click_id, fbclid, gclid; /* what the URL carried */
    cm_device device;
} cm_conversion;

typedef enum cm_method {
    CM_METHOD_UNATTRIBUTED = 0,
    CM_METHOD_URL_PARAM,
    CM_METHOD_FINGERPRINT,
    CM_METHOD_PROBABILISTIC,
} cm_method;
#define CM_METHOD_COUNT 4

/** The result of one layer. Which words a layer can give: docs/matching.md. */
typedef enum cm_layer_word {
    CM_LAYER_SUCCESS = 0,
    CM_LAYER_NOT_ATTEMPTED,
    CM_LAYER_NO_PARAM,
    CM_LAYER_NO_MATCH,
    CM_LAYER_EXPIRED,
    CM_LAYER_INVALID,
    CM_LAYER_NO_FINGERPRINT,
    CM_LAYER_LOW_CONFIDENCE,
    CM_LAYER_NO_SIGNAL,
    CM_LAYER_NO_CANDIDATES,
    CM_LAYER_LOW_PROBABILITY,
} cm_layer_word;
#define CM_LAYER_WORD_COUNT 11

#define CM_LAYER_COUNT 3
#define CM_RESULT_CANDIDATES_MAX 5

/** One click that was weighed. */
typedef struct cm_candidate {
    cm_slice click_id;
    double probability;
} cm_candidate;

/** The click a conversion is attributed to. */
typedef struct cm_matched_click {
    cm_slice click_id, campaign_id, adset_id, ad_id, creative_id, reference;
    int64_t click_timestamp;
} cm_matched_click;

/** The result of one conversion. Its slices point into the engine and hold until the engine's next
 * add or expire. */
typedef struct cm_result {
    cm_method method;
    cm_layer_word layers[CM_LAYER_COUNT];
    double confidence;      /* already rounded to 4 decimals; 1 for url_param, 0 for unattributed */
    double probability;     /* 1 for url_param, 0 for unattributed */
    int64_t window_hours;   /* whole hours from click to conversion; -1 when unattributed */
    cm_matched_click click; /* empty when unattributed */
    uint32_t candidate_count; /* of the last layer that weighed any */
    bool layer_2_weighed;
    cm_candidate candidates[CM_RESULT_CANDIDATES_MAX]; /* largest first, then newest */
    double layer_2_probability; /* of layer 2's best candidate, where it weighed any; else 0 */
} cm_result;

/** How a click's value compares with the conversion's. */
typedef enum cm_comparison {
    CM_COMPARE_MISSING = 0, /* one of them is missing: no evidence either way */
    CM_COMPARE_EQUAL,
    CM_COMPARE_DIFFERENT,
    CM_COMPARE_OTHER_FAMILY, /* of addresses: IPv4 and IPv6; where the model tells them apart */
} cm_comparison;
#define CM_COMPARISONS 4

/* ---- Explaining one conversion ---- */

#define CM_TRACE_FACTORS_MAX 16

/**
 * One factor of a candidate's weight w: how likely the same device is to look so, over how likely a
 * stranger is. w is the product of a candidate's factors, so the bits of all of them add up to
 * log2(w), but for rounding.
 */
typedef struct cm_trace_factor {
    const char *name;      /* static; in the words of docs/explain.md: "prior", "delay" ... */
    bool is_comparison;    /* of a value of the click with one of the conversion */
    cm_comparison outcome; /* of a comparison */
    double same, stranger; /* the factor is same / stranger */
    double bits;           /* its logarithm to base 2, for display: no result depends on it */
    double p_if_equal;     /* the candidate's probability if this one comparison came out equal;
                               -1 where that was not asked: it is equal, it is no comparison, or the
                               candidate is none of the first CM_RESULT_CANDIDATES_MAX */
} cm_trace_factor;

#define CM_TRACE_TRAITS 4

/** What a click or a conversion shows of its device, in the form in which it is compared. */
typedef struct cm_trace_device {
    bool has_fingerprint;
    bool is_fingerprint_made; /* of its components; known of a conversion only */
    uint8_t fingerprint[32];
    cm_address
        address; /* its bucket: bits beyond address_bits are zero; version 0: no usable one */
    unsigned address_bits;
    cm_slice device_type; /* lower case */
    cm_slice user_agent;
    cm_slice traits[CM_TRACE_TRAITS]; /* os, browser (lower case), screen ("390x844", the side that
                                         comes first as text first), timezone; empty where it shows
                                         none or no layer compares any */
} cm_trace_device;

/** A click that a layer weighed. */
typedef struct cm_trace_candidate {
    cm_slice click_id;
    int64_t click_timestamp; /* microseconds since 1970 UTC */
    uint32_t delay_bin;      /* of the model's, from 0 */
    uint32_t factor_count;
    cm_trace_factor factors[CM_TRACE_FACTORS_MAX]; /* in the order in which they are multiplied */
    double weight;                                 /* w */
    double bits;                                   /* log2(w); -INFINITY where w is 0 */
    double probability; /* w / total through calibration: to the bit as in a cm_result */
    cm_trace_device device;
} cm_trace_candidate;

/**
 * What a layer found. Of layer 1 the word alone; of layers 2 and 3, whichever was attempted and had
 * what it needs, also its clicks: those of the conversion's fingerprint (layer 2) or address and
 * device type (layer 3) in the layer's window, flagged ones left out.
 */
typedef struct cm_trace_layer {
    cm_layer_word word;
    int64_t window_us;
    uint64_t clicks;     /* all of them */
    uint64_t considered; /* the newest of them, at most max_candidates; layer 2 may add some that
                            are on the conversion's address */
    uint64_t left;       /* clicks less considered */
    uint64_t expired;    /* of the considered: at or after their expires_at */
    uint64_t newer;      /* layer 2: newer clicks on the conversion's address, which may be the
                            device's newest; they are among the candidates, and not considered */
    uint64_t repeats; /* of the considered: older clicks of a device that has a newer one there */
    uint64_t address_clicks, tenant_clicks; /* layer 2: n_ip and N of docs/matching.md */
    size_t candidate_count;                 /* what is left: weighed if there is any */
    cm_trace_candidate *candidates;         /* largest weight first, then newest */
    /* Where there are candidates: */
    uint32_t oldest_bin; /* the delay bin that rest is weighed by */
    double rivals;       /* r: strangers to be expected among the holders of the key */
    double nobody;       /* w0 */
    double rest;         /* weight of the clicks that are left */
    double total;        /* nobody, rest and all candidates' weights */
    double probability;  /* of the first candidate */
    double confidence;   /* 0 where it is below the layer's band */
} cm_trace_layer;

/** How a result came about. Slices point into the engine, or into the trace. */
typedef struct cm_trace {
    cm_result result;       /* as cm_engine_match gives it */
    const char *matched_by; /* layer 1: "click_id", "fbclid" or "gclid"; NULL: it found none */
    cm_slice fbclid;        /* what counts of the conversion's */
    cm_trace_device device; /* the conversion's */
    cm_trace_layer layers[CM_LAYER_COUNT];
} cm_trace;

/** Why a click that shares an id, a fingerprint or an address with a conversion did not count. */
typedef enum cm_miss_reason {
    CM_MISS_LATER = 0,  /* clicked after the conversion */
    CM_MISS_OUTSIDE,    /* layers 2 and 3: clicked before the layer's window began */
    CM_MISS_EXPIRED,    /* at or after its expires_at */
    CM_MISS_FLAGGED,    /* is_valid is false, and nothing else kept it out */
    CM_MISS_OTHER_TYPE, /* layer 3: of another device type, and nothing else kept it out */
} cm_miss_reason;
#define CM_MISS_REASON_COUNT 5
#define CM_MISSES_KEPT 8

/** Such a click, for one layer. */
typedef struct cm_miss {
    const char *key; /* what it shares: "click_id", "fbclid", "gclid", "fingerprint", "address" */
    cm_slice click_id;
    int64_t click_timestamp; /* microseconds since 1970 UTC */
    int64_t by_us;           /* how far off it was: LATER, OUTSIDE, EXPIRED; else 0 */
    bool is_flagged;
} cm_miss;

/** Collects the near misses of one conversion among clicks that are shown to it. */
typedef struct cm_misses cm_misses;

/** A scoring model; immutable. */
typedef struct cm_model cm_model;

/** An engine: clicks, their indexes and a model. */
typedef struct cm_engine cm_engine;

/** One thread's way to match without allocating: scratch and nothing else. */
typedef struct cm_matcher cm_matcher;

/** How to make an engine. Zero means the default. */
typedef struct cm_options {
    uint64_t hash_seed;     /* keys the hash tables; take it from a random source where input may be
                               hostile. No result depends on it. */
    size_t clicks_expected; /* sizes the tables; more may come */
} cm_options;

/** What became of the clicks of one cm_engine_add. */
typedef struct cm_add_counts {
    uint64_t added;
    uint64_t duplicates; /* their click id is already stored within the tenant; left out */
} cm_add_counts;

/**
 * Make a model from JSON text.
 *
 * @param json   a JSON object of docs/matching.md, section "The model"; what it leaves out keeps
 * its default. May be NULL when size is 0: the default model.
 * @param size   bytes of json
 * @param model  receives the model; the caller frees it with cm_model_destroy
 * @param error  filled on failure only; may be NULL. Names the field, and for a syntax error line
 * and byte.
 * @return CM_OK, CM_ERROR_MODEL or CM_ERROR_MEMORY
 */
CM_PUBLIC cm_status cm_model_create(const char *json, size_t size, cm_model **model,
                                    cm_error *error);

/** Free a model. NULL is allowed. Engines made with it have their own copy. */
CM_PUBLIC void cm_model_destroy(cm_model *model);

/** The model's "name@version", NUL-terminated; owned by the model. */
CM_PUBLIC const char *cm_model_label(const cm_model *model);

/**
 * Make an empty engine.
 *
 * @param options  borrowed; NULL for the defaults
 * @param model    borrowed and copied; NULL for the default model
 * @param engine   receives the engine; the caller frees it with cm_engine_destroy
 * @param error    filled on failure only; may be NULL
 * @return CM_OK or CM_ERROR_MEMORY
 */
CM_PUBLIC cm_status cm_engine_create(const cm_options *options, const cm_model *model,
                                     cm_engine **engine, cm_error *error);

/** Free an engine and all it holds. NULL is allowed. No other call may be running. */
CM_PUBLIC void cm_engine_destroy(cm_engine *engine);

/**
 * Copy clicks into the engine. Their order does not matter, but for duplicates: the first of a
 * click id stands.
 *
 * @param clicks  borrowed; their strings may be freed on return
 * @param count   number of clicks
 * @param counts  receives what became of them; may be NULL
 * @param error   filled on failure only; may be NULL. `line` is the number of the offending click,
 * counted from 1.
 * @return CM_OK; CM_ERROR_ARGUMENT where a click breaks a rule (nothing of the call is added);
 * CM_ERROR_MEMORY or CM_ERROR_CAPACITY (the clicks before `line` are added) Threads: one writer at
 * a time, and no reader meanwhile.
 */
CM_PUBLIC cm_status cm_engine_add(cm_engine *engine, const cm_click *clicks, size_t count,
                                  cm_add_counts *counts, cm_error *error);

/**
 * Match conversions against the clicks in the engine. Give many at once: a batch costs less than
 * its conversions one by one.
 *
 * @param conversions  borrowed
 * @param count        number of conversions
 * @param results      receives one result per conversion, in order
 * @param error        filled on failure only; may be NULL. `line` is the number of the offending
 * conversion, from 1.
 * @return CM_OK; CM_ERROR_ARGUMENT where a conversion breaks a rule; CM_ERROR_MEMORY
 * Threads: any number at once while nobody writes.
 */
CM_PUBLIC cm_status cm_engine_match(const cm_engine *engine, const cm_conversion *conversions,
                                    size_t count, cm_result *results, cm_error *error);

/**
 * Make a matcher of an engine: for a thread that matches often, or a few conversions at a time.
 *
 * @param engine   borrowed; must outlive the matcher. Clicks may be added and forgotten between the
 * matcher's calls.
 * @param matcher  receives it; the caller frees it with cm_matcher_destroy
 * @return CM_OK or CM_ERROR_MEMORY
 * Threads: a matcher serves one at a time.
 */
CM_PUBLIC cm_status cm_matcher_create(const cm_engine *engine, cm_matcher **matcher,
                                      cm_error *error);

/** Free a matcher. NULL is allowed. */
CM_PUBLIC void cm_matcher_destroy(cm_matcher *matcher);

/**
 * As cm_engine_match. Allocates nothing, but where a conversion's fingerprint must be made from its
 * components or texts are over 10 kB.
 */
CM_PUBLIC cm_status cm_matcher_match(cm_matcher *matcher, const cm_conversion *conversions,
                                     size_t count, cm_result *results, cm_error *error);

/**
 * Match one conversion and say how its result came about. Probabilities and words are those of
 * cm_engine_match, to the bit.
 *
 * @param conversion  borrowed; must live as long as the trace
 * @param trace       receives it; the caller frees it with cm_trace_destroy. It holds until the
 * engine's next add or expire.
 * @param error       filled on failure only; may be NULL
 * @return CM_OK; CM_ERROR_ARGUMENT where the conversion breaks a rule; CM_ERROR_MEMORY
 * Threads: as cm_engine_match.
 */
CM_PUBLIC cm_status cm_engine_explain(const cm_engine *engine, const cm_conversion *conversion,
                                      cm_trace **trace, cm_error *error);

/** Free a trace. NULL is allowed. */
CM_PUBLIC void cm_trace_destroy(cm_trace *trace);

/**
 * Begin to collect the clicks that would have mattered to a conversion but for one thing. An engine
 * cannot say: flagged clicks are in none of its lists of fingerprints and addresses.
 *
 * @param model       borrowed
 * @param conversion  borrowed; both must outlive the misses
 * @param misses      receives them; the caller frees them with cm_misses_destroy
 * @return CM_OK; CM_ERROR_ARGUMENT where the conversion breaks a rule; CM_ERROR_MEMORY
 */
CM_PUBLIC cm_status cm_misses_create(const cm_model *model, const cm_conversion *conversion,
                                     cm_misses **misses, cm_error *error);

/**
 * Show one click: no duplicate of one shown before. Those of other tenants are passed over.
 * What is kept does not depend on the order.
 *
 * @param click  borrowed for the call
 * @return CM_OK; CM_ERROR_ARGUMENT where the click breaks a rule; CM_ERROR_MEMORY
 * Threads: one at a time.
 */
CM_PUBLIC cm_status cm_misses_look(cm_misses *misses, const cm_click *click, cm_error *error);

/**
 * What was found.
 *
 * @param layer   1 to 3
 * @param nearest receives the nearest of them, at most CM_MISSES_KEPT, nearest first, then newest
 * first; may be NULL. They hold until the next look.
 * @return how many there were in all
 */
CM_PUBLIC uint64_t cm_misses_of(const cm_misses *misses, unsigned layer, cm_miss_reason reason,
                                const cm_miss **nearest);

/** Free them. NULL is allowed. */
CM_PUBLIC void cm_misses_destroy(cm_misses *misses);

/** The word of a reason: "later", "outside", "expired", "flagged", "other_type". Static,
 * NUL-terminated. */
CM_PUBLIC const char *cm_miss_reason_name(cm_miss_reason reason);

/**
 * Forget clicks that no conversion at or after a time can find. What is forgotten early never
 * changes a result at or after that time; storage goes in whole segments, so that some dead clicks
 * may stay a while, unseen.
 *
 * @param watermark  microseconds since 1970 UTC
 * @return the number of clicks forgotten
 * Threads: as cm_engine_add.
 */
CM_PUBLIC size_t cm_engine_expire(cm_engine *engine, int64_t watermark);

/** Number of clicks stored. */
CM_PUBLIC size_t cm_engine_click_count(const cm_engine *engine);

/** Bytes the engine has allocated, all included. */
CM_PUBLIC size_t cm_engine_memory(const cm_engine *engine);

/** The word of a method or a layer result as in result files: "url_param", "no_match". Static,
 * NUL-terminated. */
CM_PUBLIC const char *cm_method_name(cm_method method);
CM_PUBLIC const char *cm_layer_word_name(cm_layer_word word);

/**
 * Read a time: `YYYY-MM-DD`, then `T`, `t` or a space, `hh:mm:ss`, optionally a fraction and a
 * zone; no zone means UTC.
 *
 * @param time_us  receives microseconds since 1970 UTC
 * @return false where the text is anything else, or outside 1970 to 9999
 */
CM_PUBLIC bool cm_time_parse(cm_slice text, int64_t *time_us);

/** Read an IPv4 or IPv6 address; `/` and what follows is dropped; IPv4-mapped IPv6 becomes IPv4.
 * False if malformed. */
CM_PUBLIC bool cm_address_parse(cm_slice text, cm_address *address);

/** Read a fingerprint: 64 hex digits of either case. False if malformed. */
CM_PUBLIC bool cm_fingerprint_parse(cm_slice text, uint8_t fingerprint[32]);

#ifdef __cplusplus
}
#endif

#endif
