/*
 * The clicks, and the names that they share: each name is stored once and has a number. A click's
 * tenant and device type have one number together: `who`.
 */
#ifndef CM_STORE_CATALOG_H
#define CM_STORE_CATALOG_H

#include "store/click_store.h"
#include "store/dictionary.h"
#include "store/look.h"

typedef enum cm_name_kind {
    CM_NAME_TENANT,
    CM_NAME_DEVICE_TYPE,
    CM_NAME_WHO, /* text: a cm_who */
    CM_NAME_USER_AGENT,
    CM_NAME_TRAIT, /* the first of CM_TRAIT_COUNT kinds: cm_name_of_trait */
    CM_NAME_LOOK = CM_NAME_TRAIT + CM_TRAIT_COUNT, /* text: a cm_look */
    CM_NAME_CAMPAIGN,                              /* text: of cm_campaign_join */
    CM_NAME_WIDE_BUCKET, /* text: 16 bytes of an IPv6 bucket of more than 64 bits */
    CM_NAME_KIND_COUNT
} cm_name_kind;

/** The kind of a trait's texts: apart, so that a click has one name of a kind at most. */
static inline cm_name_kind cm_name_of_trait(cm_trait trait)
{
    return (cm_name_kind)(CM_NAME_TRAIT + trait);
}

/** Is a kind used only where the model compares traits? */
static inline bool cm_name_is_of_traits(cm_name_kind kind)
{
    return kind >= CM_NAME_TRAIT && kind <= CM_NAME_LOOK;
}

/** What a who stands for. */
typedef struct cm_who {
    uint32_t tenant, device_type; /* numbers; device type 0: missing */
} cm_who;

/** Zero-initialised names are none; the store has its own init. */
typedef struct cm_catalog {
    cm_click_store store;
    cm_dictionary names[CM_NAME_KIND_COUNT];
    cm_look *looks; /* the texts of CM_NAME_LOOK again, side by side: matching reads one for each
                       candidate; NULL: none was shown */
    size_t look_capacity;
} cm_catalog;

void cm_catalog_destroy(cm_catalog *catalog);

/**
 * The number of a name, a new one if need be: cm_dictionary_intern, and what the catalog keeps
 * beside.
 *
 * @return as there
 */
uint32_t cm_catalog_intern(cm_catalog *catalog, cm_name_kind kind, cm_slice text, uint64_t hash);

/** Bytes that the names of a kind take. */
size_t cm_catalog_memory(const cm_catalog *catalog, cm_name_kind kind);

static inline cm_slice cm_catalog_name(const cm_catalog *catalog, cm_name_kind kind,
                                       uint32_t number)
{
    return cm_dictionary_text(&catalog->names[kind], number);
}

static inline cm_who cm_catalog_who(const cm_catalog *catalog, uint32_t number)
{
    cm_who who;
    memcpy(&who, catalog->names[CM_NAME_WHO].texts[number].data, sizeof who);
    return who;
}

/** What a look stands for. */
static inline cm_look cm_catalog_look(const cm_catalog *catalog, uint32_t number)
{
    return number == CM_NUMBER_MISSING ? (cm_look){0} : catalog->looks[number];
}

/** The tenant of a click. */
static inline uint32_t cm_catalog_tenant(const cm_catalog *catalog, uint32_t click)
{
    return cm_catalog_who(catalog, cm_click_store_row(&catalog->store, click)->who).tenant;
}

static inline cm_slice cm_who_text(const cm_who *who)
{
    return cm_slice_of((const char *)who, sizeof *who);
}

#endif
