/* Bytes that are no image of a segment are refused, whatever they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/engines.h"
#include "harness/failing_malloc.h"
#include "harness/images.h"
#include "harness/random.h"
#include "index/segment_format.h"

static void add(cm_engine *engine, const cm_click *clicks, size_t count)
{
    assert_int_equal(cm_engine_add(engine, clicks, count, NULL, NULL), CM_OK);
}

static images some_images(cm_engine **saved, const char *model)
{
    const world_options options = {.seed = 5, .click_count = 300, .shape = WORLD_MIXED};
    world *from = world_create(&options);
    *saved = images_engine(model, 1);
    images_add_in_bulk(*saved, from->clicks, from->click_count, 1);
    world_destroy(from);
    return images_encode_all(*saved, 1000);
}

static void expect_fault(images *from, const char *model, const char *what)
{
    cm_error error = {0};
    cm_engine *engine = images_engine(model, 9);
    assert_int_equal(images_load(engine, from, 1, &error), CM_ERROR_FORMAT);
    if (strstr(error.message, what) == NULL)
        fail_msg("'%s' is not in '%s'", what, error.message);
    assert_non_null(strchr(error.message, ';'));
    cm_engine_destroy(engine);
}

/* With a field of another value. */
static void expect_field_fault(images *from, const char *model, size_t offset, size_t size,
                               uint64_t value, const char *what)
{
    char before[8];
    memcpy(before, from->bytes[0].data + offset, size);
    memcpy(from->bytes[0].data + offset, &value, size);
    expect_fault(from, model, what);
    memcpy(from->bytes[0].data + offset, before, size);
}

#define HEADER(field, value, what)                                                                 \
    expect_field_fault(&made, model, offsetof(cm_image_header, field),                             \
                       sizeof((cm_image_header *)NULL)->field, value, what)
#define ROW(field, value, what)                                                                    \
    expect_field_fault(&made, model, sizeof(cm_image_header) + offsetof(cm_click_row, field),      \
                       sizeof((cm_click_row *)NULL)->field, value, what)

static void test_headers(void **state)
{
    (void)state;
    cm_engine *saved;
    const char *model = images_wide_model;
    images made = some_images(&saved, model);
    expect_fault(&made, images_traits_model, "image: made by a model that compares no traits; use");
    expect_fault(&made, images_narrow_model, "image: made with another ipv6_prefix; use the model");
    HEADER(magic, 0, "image: not a segment of clicks; the file is damaged");
    HEADER(byte_order, 0x04030201, "another byte order");
    HEADER(version, 77, "version 77, this program reads 3");
    HEADER(bytes, 1, "bytes are not what its header says");
    HEADER(rows, 0, "0 rows");
    HEADER(rows, CM_SEGMENT_ROWS + 1, "65537 rows");
    HEADER(rows, 299, "bytes are not what its header says");
    HEADER(unlisted, 301, "more of something");
    HEADER(unlisted, 300, "0 rows forgotten, where 300 of 300 were");
    HEADER(expiries, 1000, "more of something");
    HEADER(fingerprints, 1000, "more of something");
    HEADER(text_bytes, UINT64_MAX, "bytes are not what its header says");
    HEADER(wide_kinds, 1, "unknown flags");
    HEADER(is_ahead, 2, "unknown flags");
    HEADER(has_traits, 2, "unknown flags");
    HEADER(has_traits, 1, "made by a model that compares traits; use");
    HEADER(unused, 1, "unknown flags");
    HEADER(names[CM_NAME_WHO].count, 301, "301 names for 300 rows");
    HEADER(names[CM_NAME_WHO].count, 1, "names of kind 2: more than there are");
    HEADER(names[CM_NAME_TENANT].count, 0, "names of kind 0: more than there are");
    HEADER(names[CM_NAME_USER_AGENT].count, 299, "names of kind 3: cut off");
    HEADER(names[CM_NAME_USER_AGENT].bytes, UINT64_MAX, "bytes are not what its header says");
    images_destroy(&made);
    cm_engine_destroy(saved);
}

static void test_rows(void **state)
{
    (void)state;
    cm_engine *saved;
    const char *model = images_wide_model;
    images made = some_images(&saved, model);
    ROW(who, 0, "row 0: no such tenant and device type");
    ROW(who, 1000, "row 0: no such tenant and device type");
    ROW(look, 1000, "row 0: no such user agent");
    ROW(campaign, 1000, "row 0: no such campaign");
    ROW(fingerprint, 1000, "row 0: no such fingerprint");
    ROW(time, UINT64_MAX, "row 0: ");
    ROW(time, UINT64_MAX - CM_ROW_ADDRESS, "row 0: ");
    made.unlisted[0] = 301;
    expect_fault(&made, images_wide_model, "301 rows forgotten, where 0 of 300 were");
    made.unlisted[0] = 0;
    made.places[0] = CM_SEGMENT_COUNT_MAX;
    expect_fault(&made, images_wide_model, "place 32767, of 32767");
    images_destroy(&made);
    cm_engine_destroy(saved);
}

/* Where the first name of a kind is in an image. */
static size_t first_name(const images *made, cm_name_kind wanted)
{
    cm_image_header header;
    memcpy(&header, made->bytes[0].data, sizeof header);
    size_t at = made->bytes[0].size;
    for (unsigned kind = CM_NAME_KIND_COUNT; kind-- > wanted;)
        at -= header.names[kind].bytes;
    return at + sizeof(uint32_t); /* behind its size */
}

/* Numbers of names that there are not, in rows and in looks. */
static void test_looks(void **state)
{
    (void)state;
    cm_engine *saved;
    const char *model = images_traits_model;
    images made = some_images(&saved, model);
    size_t look = first_name(&made, CM_NAME_LOOK);
    cm_image_header header;
    memcpy(&header, made.bytes[0].data, sizeof header);
    ROW(look, header.names[CM_NAME_LOOK].count + 1, "row 0: no such look");
    HEADER(names[CM_NAME_LOOK].count, 1, "names of kind 8: more than there are");
    HEADER(names[CM_NAME_TRAIT].count, 301, "301 names for 300 rows");
    for (unsigned i = 0; i <= CM_TRAIT_COUNT; i++)
        expect_field_fault(&made, model, look + i * sizeof(uint32_t), sizeof(uint32_t),
                           header.names[CM_NAME_USER_AGENT + i].count + 1,
                           "name 1 of kind 8 is none");
    expect_field_fault(&made, model, look - sizeof(uint32_t), sizeof(uint32_t), sizeof(cm_look) - 1,
                       "name 1 of kind 8 is none");
    memset(made.bytes[0].data + look, 0, sizeof(cm_look));
    expect_fault(&made, model, "name 1 of kind 8 is none");
    images_destroy(&made);
    cm_engine_destroy(saved);
}

/* A screen is two sides, of which the first says how long it is. */
static void test_screens(void **state)
{
    (void)state;
    cm_engine *saved;
    images made = some_images(&saved, images_traits_model);
    size_t screen = first_name(&made, cm_name_of_trait(CM_TRAIT_SCREEN));
    const uint32_t sizes[] = {0, 1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        expect_field_fault(&made, images_traits_model, screen, sizeof(uint32_t), sizes[i],
                           "name 1 of kind 6 is none");
    images_destroy(&made);
    cm_engine_destroy(saved);
}

/* Two of the same. */
static void test_images_that_do_not_belong_together(void **state)
{
    (void)state;
    cm_engine *saved;
    images made = some_images(&saved, images_wide_model);
    made.bytes[1] = (cm_buffer){0};
    cm_buffer_append(&made.bytes[1], made.bytes[0].data, made.bytes[0].size);
    made.count = 2;
    expect_fault(&made, images_wide_model, "place 0 is taken by another");
    made.places[1] = 1;
    expect_fault(&made, images_wide_model, "are in the stored segments twice");
    images_destroy(&made);
    cm_engine_destroy(saved);
}

static void test_cut_off_anywhere(void **state)
{
    (void)state;
    cm_engine *saved;
    images made = some_images(&saved, images_wide_model);
    size_t size = made.bytes[0].size;
    for (made.bytes[0].size = 0; made.bytes[0].size < size;
         made.bytes[0].size += 1 + made.bytes[0].size / 16)
        expect_fault(&made, images_wide_model, "; the file is damaged");
    images_destroy(&made);
    cm_engine_destroy(saved);
}

/* Values that are likely to be taken for something else. */
static uint64_t hostile_value(uint64_t *random)
{
    static const uint64_t values[] = {0,     1,          2,         255,        65535,
                                      65536, UINT32_MAX, INT64_MAX, UINT64_MAX, 1u << 31};
    uint32_t which = random_below(random, 14);
    if (which < 10)
        return values[which];
    return (uint64_t)random_below(random, UINT32_MAX) << 32 | random_below(random, UINT32_MAX);
}

/* A few bytes, or numbers, of others. */
static cm_buffer mutated(const cm_buffer *whole, uint64_t *random)
{
    static const size_t widths[] = {1, 1, 2, 4, 8};
    cm_buffer image = {malloc(whole->size), whole->size, whole->size, false};
    assert_non_null(image.data);
    memcpy(image.data, whole->data, whole->size);
    for (uint32_t left = 1 + random_below(random, 3); left > 0; left--) {
        size_t width = widths[random_below(random, 5)];
        uint32_t area =
            random_below(random, 3) == 0 ? sizeof(cm_image_header) + 64 : (uint32_t)image.size;
        size_t at = random_below(random, area - 8);
        uint64_t value = hostile_value(random);
        if (random_below(random, 3) == 0)
            image.data[at] = (char)(image.data[at] ^ 1 << random_below(random, 8));
        else
            memcpy(image.data + at, &value, width);
    }
    return image;
}

/* What is adopted in spite of it is whole: it can be matched, added to, saved and forgotten. */
static void use(cm_engine *engine, const char *model, const world *from)
{
    engines_assert_same_matches(engine, engine, from);
    add(engine, from->clicks, from->click_count);
    cm_click_store_close(&engine->index.catalog.store, &engine->index.writer);
    images again = images_encode_all(engine, 100);
    cm_engine *other = images_engine(model, 4);
    assert_int_equal(images_load(other, &again, 1, NULL), CM_OK);
    engines_assert_same_matches(engine, other, from);
    engines_assert_nothing_left(other);
    engines_assert_nothing_left(engine);
    images_destroy(&again);
    cm_engine_destroy(other);
}

static void check_mutations(const char *model)
{
    const world_options options = {.seed = 8, .click_count = 60, .shape = WORLD_MIXED};
    world *from = world_create(&options);
    cm_engine *saved = images_engine(model, 1);
    size_t adopted = 0, rounds = 3000;
    images_add_in_bulk(saved, from->clicks, from->click_count, 1);
    images made = images_encode_all(saved, 1000);
    cm_buffer whole = made.bytes[0];
    for (uint64_t random = 0, round = 0; round < rounds; round++) {
        cm_error error = {0};
        cm_engine *engine = images_engine(model, round);
        made.bytes[0] = mutated(&whole, &random);
        cm_status status = images_load(engine, &made, 1, &error);
        assert_true(status == CM_OK || status == CM_ERROR_FORMAT);
        if (status == CM_OK && ++adopted % 8 == 0)
            use(engine, model, from);
        images_destroy(&made);
        cm_engine_destroy(engine);
    }
    assert_in_range(adopted, rounds / 20, rounds / 20 * 19); /* texts may be anything */
    cm_buffer_destroy(&whole);
    cm_engine_destroy(saved);
    world_destroy(from);
}

static void test_mutations(void **state)
{
    (void)state;
    check_mutations(images_wide_model);
    check_mutations(images_traits_model);
}

/* ---- no memory ---- */

/* Encodes and loads with one allocation that fails, if there are so many. False: there are not. */
static bool save_and_load(cm_engine *saved, size_t allocations)
{
    images made = {.count = 1};
    cm_segment_encoder encoder = {0};
    cm_buffer spare = {0};
    bool is_done = false;
    cm_engine *loaded = images_engine(images_traits_model, 2);
    failing_malloc_arm(allocations);
    cm_status status = cm_segment_encode_begin(&encoder, &saved->index, 0, 300, &spare, NULL);
    while (status == CM_OK && !is_done)
        status = cm_segment_encode_step(&encoder, 50, &is_done, NULL);
    if (status == CM_OK) {
        made.bytes[0] = cm_segment_encode_take(&encoder);
        status = images_load(loaded, &made, 1, NULL);
    }
    bool failed = failing_malloc_disarm();
    assert_true(status == CM_ERROR_MEMORY || (status == CM_OK && is_done));
    assert_true(failed || status == CM_OK);
    assert_int_equal(saved->index.catalog.store.segments[0]->pins, encoder.index != NULL);
    if (status == CM_OK)
        engines_assert_nothing_left(loaded);
    cm_segment_encoder_destroy(&encoder);
    assert_int_equal(saved->index.catalog.store.segments[0]->pins, 0);
    images_destroy(&made);
    cm_engine_destroy(loaded);
    return failed;
}

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    cm_engine *saved;
    images made = some_images(&saved, images_traits_model);
    size_t allocations = 1;
    while (save_and_load(saved, allocations))
        allocations += 1 + allocations / 100;
    assert_true(allocations > 50);
    images_destroy(&made);
    cm_engine_destroy(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_screens),
        cmocka_unit_test(test_images_that_do_not_belong_together),
        cmocka_unit_test(test_cut_off_anywhere),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_every_allocation_fails_once),
    };
    return cmocka_run_group_tests_name("segment_hostile", tests, NULL, NULL);
}
