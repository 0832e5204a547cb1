/* Labelled conversions made organic: what a model that never saw them says of conversions that no
 * click brought. Their devices' clicks are left out, strangers' stay. */
#include <stdlib.h>

#include "cmd/draw.h"
#include "cmd/train.h"
#include "util/error.h"

#define MASK_SEED 0x6d61736bu

bool cm_train_is_known(const cm_training *training, cm_fold fold, size_t conversion)
{
    const cm_rights *rights = &training->rights;
    return training->folds[conversion] == fold &&
           (training->has_truth ? rights->conversion_owner[conversion] != CM_NUMBER_NONE &&
                                      rights->layer_1[conversion] == CM_NUMBER_NONE
                                : rights->layer_1[conversion] != CM_NUMBER_NONE);
}

/* A group's section, or the whole. */
static const cm_parameters *parameters_of(const cm_training *training, size_t group)
{
    uint32_t section = training->section_of[group];
    return section == CM_NUMBER_NONE ? &training->trained.own
                                     : &training->trained.sections[section].parameters;
}

static cm_status expect_organic(cm_training *training, cm_error *error)
{
    const cm_grouping *types = &training->rights.groupings[CM_GROUPING_DEVICE_TYPE];
    training->organic = calloc(types->count + 1, sizeof *training->organic);
    if (training->organic == NULL)
        return cm_error_memory(error, "organic shares", types->count * sizeof(double));
    for (size_t i = 0; i < types->count; i++)
        training->organic[i] = 1 - parameters_of(training, i)->fingerprint.prior;
    return CM_OK;
}

double cm_train_organic(const cm_training *training, uint32_t conversion)
{
    return training->organic[training->rights.groupings[CM_GROUPING_DEVICE_TYPE].of[conversion]];
}

/* A candidate is a device's newest click of a spot: older ones there go with it. And where the
 * label was, another look may hide the same device. */
static void list_keys(const cm_training *training, cm_hash_list *spots, cm_hash_list *places)
{
    const cm_rights *rights = &training->rights;
    const cm_own_clicks *own = &training->learned.own_clicks;
    for (size_t i = 0; i < own->count; i++) {
        uint32_t click = own->items[i].click;
        if (!rights->is_masked[own->items[i].conversion])
            continue;
        cm_hash_list_add(spots, rights->spots[click]);
        if (click == rights->layer_1[own->items[i].conversion])
            cm_hash_list_add(places, rights->places[click]);
    }
    cm_hash_list_sort(spots);
    cm_hash_list_sort(places);
}

static cm_status delete_own(cm_training *training, cm_error *error)
{
    cm_rights *rights = &training->rights;
    const cm_own_clicks *own = &training->learned.own_clicks;
    cm_hash_list spots = {0}, places = {0};
    bool ready = cm_hash_list_init(&spots, own->count) && cm_hash_list_init(&places, own->count);
    if (ready) {
        list_keys(training, &spots, &places);
        for (size_t i = 0; i < training->records.click_count; i++)
            rights->is_deleted[i] = cm_hash_list_has(&spots, rights->spots[i]) ||
                                    cm_hash_list_has(&places, rights->places[i]);
        for (size_t i = 0; i < own->count; i++)
            if (rights->is_masked[own->items[i].conversion])
                rights->is_deleted[own->items[i].click] = true;
    }
    cm_hash_list_destroy(&spots);
    cm_hash_list_destroy(&places);
    return ready ? CM_OK
                 : cm_error_memory(error, "clicks to leave out", own->count * sizeof(uint64_t));
}

static cm_status make_room(cm_training *training, cm_error *error)
{
    cm_rights *rights = &training->rights;
    size_t conversions = training->records.conversion_count + 1;
    size_t clicks = training->records.click_count + 1;
    if (rights->is_masked == NULL)
        rights->is_masked = calloc(conversions, sizeof *rights->is_masked);
    if (rights->is_deleted == NULL)
        rights->is_deleted = calloc(clicks, sizeof *rights->is_deleted);
    if (rights->is_masked == NULL || rights->is_deleted == NULL)
        return cm_error_memory(error, "masked conversions", conversions + clicks);
    return training->organic == NULL ? expect_organic(training, error) : CM_OK;
}

cm_status cm_train_mask(cm_training *training, cm_fold fold, bool all, cm_error *error)
{
    cm_status status = make_room(training, error);
    if (status != CM_OK)
        return status;
    for (size_t i = 0; i < training->records.conversion_count; i++) {
        double share = all ? 2 : cm_train_organic(training, (uint32_t)i);
        training->rights.is_masked[i] =
            cm_train_is_known(training, fold, i) &&
            cm_draw(&training->records.conversions[i], MASK_SEED) < share;
    }
    return delete_own(training, error);
}
