/**
 * What the parts of the world generator share: randomness and values (world_values.c), devices that
 * come again and again (world_people.c), times and records (world.c), models (world_model.c) and
 * their text (world_model_text.c).
 */
#ifndef WORLD_PARTS_H
#define WORLD_PARTS_H

#include "world.h"

#define WORLD_ANCHORS_MAX 8
#define WORLD_EDGES_MAX (REFERENCE_BINS_MAX + 8)
#define LENGTH(array) (sizeof(array) / sizeof *(array))

/** One string of a world; a list of them is all there is to free. */
typedef struct world_text {
    struct world_text *next;
    char bytes[];
} world_text;

/** splitmix64. Draws that stand in one expression would come in any order: draw them one by one. */
typedef struct world_random {
    uint64_t state;
} world_random;

uint64_t world_next(world_random *random);
size_t world_below(world_random *random, size_t end);
bool world_chance(world_random *random, unsigned percent);
double world_between(world_random *random, double low, double high);
int64_t world_time(world_random *random, int64_t end);

/** What a world draws from. */
typedef struct world_source {
    world *made;
    world_random random;
    const world_options *options;
    size_t tenants, fingerprints, addresses, names; /* sizes of the key spaces */
    unsigned missing;                               /* per cent of each optional field */
    size_t people;
    unsigned people_percent;            /* of clicks and conversions */
    int64_t anchors[WORLD_ANCHORS_MAX]; /* times that much happens around */
    size_t anchor_count;
    int64_t edges[WORLD_EDGES_MAX]; /* delays at which a rule changes its mind */
    size_t edge_count;
} world_source;

/** calloc that aborts. */
void *world_claim(size_t count, size_t size);

/** A string that the world owns. */
cm_slice world_print(world_source *source, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Whether a field is missing this time. */
bool world_leaves_out(world_source *source, world_field field);

/** A model file of version `seed` that says what differs from the default model, and of the
 * parameters those that are `changed`; the caller frees it. */
char *world_model_text(const reference_model *model, reference_choice changed, uint64_t seed);

cm_slice world_tenant(world_source *source);
cm_slice world_click_id(world_source *source);
cm_slice world_fbclid(world_source *source);
cm_slice world_gclid(world_source *source);
void world_device(world_source *source, cm_device *device);
void world_components(world_source *source, cm_device *device);
cm_address world_address(world_source *source);

/** One of the people: the device and the tenant are theirs, but each time they may be at another of
 * their addresses, and not all of them looks as before. */
void world_person(world_source *source, cm_slice *tenant, cm_device *device);

/** As it would look with the screen turned. */
void world_turn_screen(cm_device *device);

#endif
