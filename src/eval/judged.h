/*
 * One conversion that was matched and whose right click is known: all that metrics need of it.
 * Right is the click it is to be attributed to; a conversion without one is organic.
 */
#ifndef CM_EVAL_JUDGED_H
#define CM_EVAL_JUDGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the best candidate is. */
typedef enum cm_verdict {
    CM_VERDICT_NONE = 0,     /* no layer weighed a candidate */
    CM_VERDICT_RIGHT_CLICK,  /* the right one */
    CM_VERDICT_OTHER_CLICK,  /* of the right device, but another click */
    CM_VERDICT_OTHER_DEVICE, /* of another device */
    CM_VERDICT_ORGANIC,      /* of any device; the conversion has no right click */
} cm_verdict;
#define CM_VERDICT_COUNT 5

typedef struct cm_judged {
    double probability; /* of the best candidate of the last layer that weighed any; else 0 */
    uint8_t weighed;    /* that layer, 2 or 3; 0 where none did */
    uint8_t accepted;   /* the layer that attributed the conversion to it, 2 or 3; else 0 */
    uint8_t verdict;    /* cm_verdict, of that candidate, accepted or not */
    bool has_click;     /* there is a right click; else the conversion is organic */
    bool same_ad;       /* that candidate's ad is the right click's; and its campaign */
    bool same_campaign;
    uint32_t device_type; /* groups: numbers that the caller gives */
    uint32_t tenant;
} cm_judged;

/** What a figure is about: one layer, or both. */
typedef enum cm_scope { CM_SCOPE_LAYER_2, CM_SCOPE_LAYER_3, CM_SCOPE_BOTH } cm_scope;
#define CM_SCOPE_COUNT 3

#endif
