#include "harness/training.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

cm_training_set training_begin(size_t conversions)
{
    cm_training_set set;
    assert_true(cm_training_set_init(&set, conversions));
    set.count = 0;
    return set;
}

void training_add(cm_training_set *set, const cm_sample *sample, bool is_held_out)
{
    size_t chunk = set->count / CM_TRAIN_CHUNK;
    assert_true(chunk < set->chunk_count);
    assert_true(cm_train_chunk_add(&set->chunks[chunk], (uint32_t)set->count, is_held_out, sample));
    set->count++;
}

void training_add_labels(cm_training_set *set, const training_label *label, size_t count)
{
    cm_sample sample = {
        .label = 1,
        .parameters = label->group,
        .by_address = {.click = 1,
                       .evidence = (uint8_t)label->address,
                       .user_agent = (uint8_t)label->user_agent,
                       .bin = label->bin},
        .by_fingerprint = {.click = 1,
                           .evidence = (uint8_t)label->fingerprint,
                           .user_agent = (uint8_t)label->user_agent,
                           .bin = label->bin},
    };
    for (cm_trait i = 0; i < CM_TRAIT_COUNT; i++)
        cm_look_set_trait(&sample.by_fingerprint, i, label->trait);
    for (size_t i = 0; i < count; i++)
        training_add(set, &sample, label->is_held_out);
}
