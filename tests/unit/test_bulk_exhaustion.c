/* Loading in bulk with each allocation failed in turn: an error that says so, and an engine that
 * can be destroyed, with nothing lost; without a failure, all is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "engine/bulk_load.h"
#include "harness/failing_malloc.h"
#include "oracle/world.h"

#define LOADERS 2u

static cm_status load_blocks(cm_bulk_load *load, cm_bulk_loader *loaders, const world *from,
                             uint64_t *duplicates, cm_error *error)
{
    cm_status status = CM_OK;
    for (size_t i = 0; i < from->click_count && status == CM_OK; i++) {
        cm_bulk_loader *loader = &loaders[i / 40 % LOADERS];
        status = cm_bulk_loader_add(loader, &from->clicks[i], error);
        if (status == CM_OK && (i % 40 == 39 || i + 1 == from->click_count))
            status = cm_bulk_loader_end_block(loader, error);
        if (status == CM_OK && i == from->click_count / 2)
            status = cm_bulk_load_build(load, 1, duplicates, error);
    }
    return status;
}

static cm_status load_all(cm_engine *engine, const world *from, uint64_t *duplicates,
                          cm_error *error)
{
    cm_bulk_load load;
    cm_bulk_loader loaders[LOADERS];
    cm_bulk_load_init(&load, engine);
    for (unsigned i = 0; i < LOADERS; i++)
        cm_bulk_loader_init(&loaders[i], &load);
    cm_status status = load_blocks(&load, loaders, from, duplicates, error);
    for (unsigned i = 0; i < LOADERS; i++)
        cm_bulk_loader_destroy(&loaders[i]);
    if (status == CM_OK)
        status = cm_bulk_load_build(&load, 1, duplicates, error);
    cm_bulk_load_destroy(&load);
    return status;
}

/* Returns whether there was an allocation to fail. */
static bool load_without_memory(const world *from, size_t allocations, size_t *errors)
{
    ptrdiff_t before = failing_malloc_live();
    cm_engine *engine;
    cm_error error = {0};
    uint64_t duplicates = 0;
    assert_int_equal(cm_engine_create(NULL, NULL, &engine, NULL), CM_OK);
    failing_malloc_arm(allocations);
    cm_status status = load_all(engine, from, &duplicates, &error);
    bool has_failed = failing_malloc_disarm();
    ERR_clear_error();
    if (status == CM_OK) { /* caches, sorting and OpenSSL can do without some */
        assert_int_equal(cm_engine_click_count(engine), from->click_count - duplicates);
        assert_int_equal(cm_engine_expire(engine, INT64_MAX), from->click_count - duplicates);
    } else {
        assert_true(has_failed);
        assert_int_equal(status, CM_ERROR_MEMORY);
        assert_int_equal(error.code, CM_ERROR_MEMORY);
        assert_true(error.message[0] != '\0');
        (*errors)++;
    }
    cm_engine_destroy(engine);
    assert_int_equal(failing_malloc_live(), before);
    return has_failed;
}

static void check(world_shape shape, size_t clicks)
{
    const world_options options = {.seed = 3, .click_count = clicks, .shape = shape};
    world *from = world_create(&options);
    size_t rounds = 0, errors = 0;
    load_without_memory(from, SIZE_MAX, &errors); /* what OpenSSL keeps is there from now on */
    while (load_without_memory(from, rounds, &errors))
        rounds++;
    print_message("%zu allocations failed in turn, %zu errors\n", rounds, errors);
    assert_true(errors > 50 && errors <= rounds);
    world_destroy(from);
}

static void test_few_keys_with_long_lists(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    check(WORLD_DENSE, 700);
}

static void test_many_keys(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    check(WORLD_SPARSE, 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_keys_with_long_lists),
        cmocka_unit_test(test_many_keys),
    };
    return cmocka_run_group_tests_name("bulk_exhaustion", tests, NULL, NULL);
}
