/**
 * Random worlds for property tests: clicks and conversions from key spaces so small that everything
 * collides, at times that sit on the edges of windows and bins. The same options give the same
 * world on every machine.
 */
#ifndef WORLD_H
#define WORLD_H

#include "reference.h"

typedef enum world_shape {
    WORLD_MIXED,  /* a few of everything */
    WORLD_DENSE,  /* hundreds of clicks on one key, more rivals than max_candidates */
    WORLD_SPARSE, /* keys mostly their own; a conversion often takes them from one click */
} world_shape;
#define WORLD_SHAPE_COUNT 3

/** What a world can be without, in all its clicks and conversions. */
typedef enum world_field {
    WORLD_CLICK_ID, /* of conversions only */
    WORLD_FBCLID,
    WORLD_GCLID,
    WORLD_FINGERPRINT, /* the hash; components may still make one */
    WORLD_COMPONENTS,
    WORLD_ADDRESS,
    WORLD_USER_AGENT,
    WORLD_DEVICE_TYPE,
    WORLD_EXPIRES_AT,
} world_field;
#define WORLD_FIELD_COUNT 9

typedef struct world_options {
    uint64_t seed;
    size_t click_count, conversion_count;
    world_shape shape;
    unsigned without;             /* bits 1u << world_field */
    const reference_model *model; /* whose edges the times sit on; NULL is the default */
} world_options;

typedef struct world {
    cm_click *clicks; /* some are duplicates of earlier ones */
    size_t click_count;
    cm_conversion *conversions;
    size_t conversion_count;
    struct world_text *texts; /* the strings */
} world;

/** Make a world, strings and all. Free it with world_destroy. Aborts where memory runs out. */
world *world_create(const world_options *options);

/**
 * Make world number n and its model: shapes, models and missing fields take turns.
 *
 * @param model  receives its numbers
 * @param json   receives its text, which the caller frees; NULL for the default model
 */
world *world_numbered(uint64_t number, reference_model *model, char **json);

/** Free a world. NULL is allowed. */
void world_destroy(world *made);

/**
 * Make a random valid model; about every third is none that has grown.
 *
 * @param model  receives its numbers
 * @return the same as JSON text with 17 significant digits, some fields that keep their default
 * left out; the caller frees it
 */
char *world_model(uint64_t seed, reference_model *model);

#endif
