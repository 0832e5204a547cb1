/*
 * Every allocation of the values and models failed in turn: an error or a result, never a leak. The
 * sanitizers bring their own malloc, so there this test has nothing to do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "harness/failing_malloc.h"
#include "model/build.h"
#include "model/model.h"
#include "util/buffer.h"
#include "util/digest.h"

/*
 * Does work with the first, the second, the nth allocation failing, until none does. A library may
 * do without an allocation; our own code does not try.
 */
static void exhaust(cm_status (*work)(void), bool may_do_without)
{
    if (!failing_malloc_works)
        skip();
    assert_int_equal(work(), CM_OK); /* what libraries keep for good is there from now on */
    size_t round = 0;
    bool has_failed;
    do {
        ptrdiff_t before = failing_malloc_live();
        failing_malloc_arm(round++);
        cm_status status = work();
        has_failed = failing_malloc_disarm();
        assert_int_equal(failing_malloc_live(), before);
        if (status != CM_OK || !may_do_without)
            assert_int_equal(status, has_failed ? CM_ERROR_MEMORY : CM_OK);
    } while (has_failed);
    assert_true(round > 1);
}

/* No token has 16 bytes or more: jansson itself does not survive a failure to grow its token
 * buffer. */
static cm_status create_model(void)
{
    static const char json[] =
        "{\"name\": \"n\", \"version\": \"v\", \"window_hours\": 2, \"delay_hours\": [1, 2, 24],"
        " \"delay_m\": [0.5, 0.25, 0], \"fingerprint_m\": [0.5, 0.5, 0.5], \"ip_m\": [0.5, 0.5, "
        "0.5],"
        " \"fingerprint\": {\"calibration\": [[0, 0], [1, 1]], \"delay_u\": [0.5, 0.25, 0.125]}}";
    cm_model *model = NULL;
    cm_error error = {0};
    cm_status status = cm_model_create(json, sizeof json - 1, &model, &error);
    assert_int_equal(error.code, status);
    assert_int_equal(model != NULL, status == CM_OK);
    cm_model_destroy(model);
    return status;
}

static cm_status create_default_model(void)
{
    cm_model *model = NULL;
    cm_status status = cm_model_create(NULL, 0, &model, NULL);
    cm_model_destroy(model);
    return status;
}

static cm_model *original; /* what is copied */

static cm_status copy_model(void)
{
    cm_model *copy = cm_model_copy(original);
    cm_model_destroy(copy);
    return copy == NULL ? CM_ERROR_MEMORY : CM_OK;
}

static cm_status create_digest(void)
{
    cm_digest *digest = cm_digest_create();
    cm_digest_destroy(digest);
    return digest == NULL ? CM_ERROR_MEMORY : CM_OK;
}

static cm_status hash_with_digest(void)
{
    cm_digest *digest = cm_digest_create();
    uint8_t hash[CM_DIGEST_BYTES];
    cm_slice part = {"abc", 3};
    if (digest == NULL)
        return CM_ERROR_MEMORY;
    bool is_hashed = cm_digest_joined(digest, &part, 1, '|', hash);
    is_hashed = cm_digest_joined(digest, &part, 1, '|', hash) && is_hashed; /* as if nothing was */
    ERR_clear_error();
    cm_digest_destroy(digest);
    return is_hashed ? CM_OK : CM_ERROR_MEMORY;
}

static cm_status build_click(void)
{
    static const cm_build_options lenient = {.lenient = true};
    cm_value values[CM_CLICK_FIELD_COUNT] = {
        [CM_CLICK_TENANT_ID] = {.kind = CM_VALUE_TEXT, .text = {"t", 1}},
        [CM_CLICK_CLICK_ID] = {.kind = CM_VALUE_TEXT, .text = {"c", 1}},
        [CM_CLICK_CLICK_TIMESTAMP] = {.kind = CM_VALUE_TIME, .integer = 1},
        [CM_CLICK_SCREEN_WIDTH] = {.kind = CM_VALUE_INTEGER, .integer = 390},
        [CM_CLICK_TIMEZONE_OFFSET] = {.kind = CM_VALUE_NUMBER, .text = {"-6e1", 4}},
    };
    cm_arena arena = {0};
    cm_click click;
    cm_reject reject = {CM_FIELD_NONE, NULL};
    uint64_t counts[CM_CLICK_FIELD_COUNT] = {0};
    cm_status status = cm_click_build(values, &lenient, &arena, counts, &click, &reject);
    assert_null(reject.reason);
    assert_int_equal(counts[CM_CLICK_SCREEN_WIDTH], 0);
    cm_arena_destroy(&arena);
    return status;
}

static cm_status fill_buffer(void)
{
    cm_buffer buffer = {0};
    for (int i = 0; i < 10000; i++)
        cm_buffer_append_u64(&buffer, 1234567890);
    bool failed = buffer.failed;
    cm_buffer_destroy(&buffer);
    return failed ? CM_ERROR_MEMORY : CM_OK;
}

static void models_are_created_or_not(void **state)
{
    (void)state;
    exhaust(create_model, false);
    exhaust(create_default_model, false);
}

static void models_are_copied_or_not(void **state)
{
    (void)state;
    static const char json[] = "{\"fingerprint\": {\"calibration\": [[0, 0], [1, 1]]},"
                               " \"probabilistic\": {\"calibration\": [[0, 0], [1, 1]],"
                               "  \"delay_u\": [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]}}";
    assert_int_equal(cm_model_create(json, sizeof json - 1, &original, NULL), CM_OK);
    exhaust(copy_model, false);
    cm_model_destroy(original);
}

static void digests_are_created_or_not(void **state)
{
    (void)state;
    exhaust(create_digest, true);
    exhaust(hash_with_digest, true);
}

static void rows_are_no_rejects_when_memory_is_short(void **state)
{
    (void)state;
    exhaust(build_click, false);
}

static void buffers_say_that_they_failed(void **state)
{
    (void)state;
    exhaust(fill_buffer, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_created_or_not),
        cmocka_unit_test(models_are_copied_or_not),
        cmocka_unit_test(digests_are_created_or_not),
        cmocka_unit_test(rows_are_no_rejects_when_memory_is_short),
        cmocka_unit_test(buffers_say_that_they_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
