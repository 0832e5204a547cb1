#include "harness/images.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/bulk_load.h"

const char images_wide_model[] = "{\"ipv6_prefix\": 72}";
const char images_narrow_model[] = "{\"ipv6_prefix\": 56}";
const char images_traits_model[] =
    "{\"ipv6_prefix\": 72,"
    " \"fingerprint\": {\"traits\": {\"os\": [0.9, 0.4], \"timezone\": [0.7, 0.3]}},"
    " \"probabilistic\": {\"traits\": {\"browser\": [0.8, 0.2], \"screen\": [0.97, 0.1]}}}";

cm_engine *images_engine(const char *json, uint64_t seed)
{
    cm_engine *engine;
    cm_model *model;
    const cm_options options = {.hash_seed = seed};
    assert_int_equal(cm_model_create(json, strlen(json), &model, NULL), CM_OK);
    assert_int_equal(cm_engine_create(&options, model, &engine, NULL), CM_OK);
    cm_model_destroy(model);
    return engine;
}

void images_add_in_bulk(cm_engine *engine, const cm_click *clicks, size_t count, size_t loaders)
{
    static cm_bulk_loader loader[IMAGES_MAX];
    cm_bulk_load bulk;
    size_t at = 0;
    uint64_t duplicates = 0;
    assert_in_range(loaders, 1, IMAGES_MAX);
    cm_bulk_load_init(&bulk, engine);
    for (size_t i = 0; i < loaders; i++)
        cm_bulk_loader_init(&loader[i], &bulk);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(cm_bulk_loader_add(&loader[at], &clicks[i], NULL), CM_OK);
        at = at + 1 < loaders ? at + 1 : 0;
    }
    for (size_t i = 0; i < loaders; i++) {
        assert_int_equal(cm_bulk_loader_end_block(&loader[i], NULL), CM_OK);
        cm_bulk_loader_destroy(&loader[i]);
    }
    assert_int_equal(cm_bulk_load_build(&bulk, 2, &duplicates, NULL), CM_OK);
    cm_bulk_load_destroy(&bulk);
}

cm_buffer images_encode(cm_segment_encoder *encoder, cm_engine *engine, size_t place, uint32_t step)
{
    bool is_done = false;
    cm_buffer none = {0};
    uint32_t count = engine->index.catalog.store.segments[place]->count;
    assert_int_equal(cm_segment_encode_begin(encoder, &engine->index, place, count, &none, NULL),
                     CM_OK);
    while (!is_done)
        assert_int_equal(cm_segment_encode_step(encoder, step, &is_done, NULL), CM_OK);
    return cm_segment_encode_take(encoder);
}

images images_encode_all(cm_engine *engine, uint32_t step)
{
    images made = {.count = 0};
    cm_segment_encoder encoder = {0};
    const cm_click_store *store = &engine->index.catalog.store;
    for (size_t i = 0; i < store->segment_count; i++) {
        if (store->segments[i] == NULL || store->segments[i]->count == 0)
            continue;
        assert_true(made.count < IMAGES_MAX);
        made.places[made.count] = i;
        made.unlisted[made.count] = store->segments[i]->unlisted;
        made.bytes[made.count++] = images_encode(&encoder, engine, i, step);
    }
    cm_segment_encoder_destroy(&encoder);
    return made;
}

void images_destroy(images *made)
{
    for (size_t i = 0; i < made->count; i++)
        cm_buffer_destroy(&made->bytes[i]);
}

static cm_status read_image(void *context, size_t number, cm_buffer *bytes, cm_segment_image *image,
                            cm_error *error)
{
    (void)error;
    const images *from = context;
    bytes->size = 0;
    cm_buffer_append(bytes, from->bytes[number].data, from->bytes[number].size);
    *image = (cm_segment_image){
        .name = "image", .place = from->places[number], .unlisted = from->unlisted[number]};
    return bytes->failed ? CM_ERROR_MEMORY : CM_OK;
}

cm_status images_load(cm_engine *engine, images *from, unsigned threads, cm_error *error)
{
    const cm_segment_source source = {from, from->count, read_image};
    return cm_segments_load(&engine->index, &source, threads, error);
}
