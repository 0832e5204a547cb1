/*
 * The columns of clicks and conversions, in the order in which they are named and checked. Every
 * input (CSV, NDJSON, binary COPY) delivers one cm_value per column; cm_click_build and
 * cm_conversion_build make records of them.
 */
#ifndef CM_MODEL_FIELD_H
#define CM_MODEL_FIELD_H

#include "clickmatch.h"

enum cm_click_field {
    CM_CLICK_TENANT_ID,
    CM_CLICK_CLICK_ID,
    CM_CLICK_CLICK_TIMESTAMP,
    CM_CLICK_EXPIRES_AT,
    CM_CLICK_IS_VALID,
    CM_CLICK_FBCLID,
    CM_CLICK_GCLID,
    CM_CLICK_CAMPAIGN_ID,
    CM_CLICK_ADSET_ID,
    CM_CLICK_AD_ID,
    CM_CLICK_CREATIVE_ID,
    CM_CLICK_FINGERPRINT_HASH,
    CM_CLICK_IP_ADDRESS,
    CM_CLICK_USER_AGENT,
    CM_CLICK_DEVICE_TYPE,
    CM_CLICK_OS,
    CM_CLICK_BROWSER,
    CM_CLICK_SCREEN_WIDTH,
    CM_CLICK_SCREEN_HEIGHT,
    CM_CLICK_TIMEZONE,
    CM_CLICK_TIMEZONE_OFFSET,
    CM_CLICK_FIELD_COUNT
};

enum cm_conversion_field {
    CM_CONVERSION_TENANT_ID,
    CM_CONVERSION_CONVERSION_ID,
    CM_CONVERSION_CONVERSION_TIMESTAMP,
    CM_CONVERSION_CLICK_ID,
    CM_CONVERSION_FBCLID,
    CM_CONVERSION_GCLID,
    CM_CONVERSION_CONVERSION_FINGERPRINT_HASH,
    CM_CONVERSION_FINGERPRINT_HASH, /* another name of the same; counts where the first is empty */
    CM_CONVERSION_IP_ADDRESS,
    CM_CONVERSION_USER_AGENT,
    CM_CONVERSION_DEVICE_TYPE,
    CM_CONVERSION_OS,
    CM_CONVERSION_BROWSER,
    CM_CONVERSION_SCREEN_WIDTH,
    CM_CONVERSION_SCREEN_HEIGHT,
    CM_CONVERSION_TIMEZONE,
    CM_CONVERSION_TIMEZONE_OFFSET,
    CM_CONVERSION_FIELD_COUNT
};

/* What is known of a world: which device clicked, which one converted. */
enum cm_click_truth_field {
    CM_CLICK_TRUTH_TENANT_ID,
    CM_CLICK_TRUTH_CLICK_ID,
    CM_CLICK_TRUTH_DEVICE,
    CM_CLICK_TRUTH_FIELD_COUNT
};

enum cm_conversion_truth_field {
    CM_CONVERSION_TRUTH_TENANT_ID,
    CM_CONVERSION_TRUTH_CONVERSION_ID,
    CM_CONVERSION_TRUTH_DEVICE,
    CM_CONVERSION_TRUTH_FIELD_COUNT
};

#define CM_FIELD_COUNT_MAX 24
#define CM_FIELD_REQUIRED_COUNT 3 /* the first three of each */

/** The kinds of row: those that runs match and count, then what only evaluations read. */
typedef enum cm_row_kind {
    CM_ROW_CLICK,
    CM_ROW_CONVERSION,
    CM_ROW_CLICK_TRUTH,
    CM_ROW_CONVERSION_TRUTH,
} cm_row_kind;
#define CM_ROW_KIND_COUNT 2 /* clicks and conversions */

/** Name of a column, as in files. */
const char *cm_field_name(cm_row_kind kind, size_t field);

/** Number of columns of a kind. */
size_t cm_field_count(cm_row_kind kind);

/** How an input delivers a value. What a column makes of each kind: src/model/build.c. */
typedef enum cm_value_kind {
    CM_VALUE_MISSING = 0,
    CM_VALUE_TEXT,    /* text; an empty one is missing */
    CM_VALUE_NUMBER,  /* text is a JSON number as written */
    CM_VALUE_BOOLEAN, /* integer is 0 or 1 */
    CM_VALUE_INTEGER, /* integer; a database integer */
    CM_VALUE_TIME,    /* integer is microseconds since 1970 UTC; a database timestamp; INT64_MIN,
                         INT64_MAX: infinite */
    CM_VALUE_ADDRESS, /* address; a database inet, its mask dropped */
    CM_VALUE_WRONG,   /* of a type no column takes (a JSON object or array) */
} cm_value_kind;

/** One field of one row. Borrowed from the input's block. */
typedef struct cm_value {
    int64_t integer;
    cm_slice text;
    cm_value_kind kind;
    cm_address address;
} cm_value;

#endif
