/* JSON is built whole, or said not to be: whichever allocation fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/failing_malloc.h"
#include "util/json.h"

static const char WHOLE[] = "{\"name\":\"v\",\"list\":[1,null,0.5],\"more\":{\"a\":true}}";

static json_t *build(void)
{
    json_t *list = cm_json_add(json_array(), json_integer(1));
    list = cm_json_add(list, json_null());
    list = cm_json_add(list, json_real(0.5));
    json_t *object = cm_json_with(json_object(), "name", json_string("v"));
    object = cm_json_with(object, "list", list);
    return cm_json_joined(object, json_pack("{s:{s:b}}", "more", "a", 1));
}

static void test_json_is_whole(void **state)
{
    (void)state;
    cm_buffer text = {0};
    json_t *json = build();
    assert_true(cm_json_write(json, JSON_COMPACT, &text));
    assert_int_equal(text.size, sizeof WHOLE - 1);
    assert_memory_equal(text.data, WHOLE, text.size);
    json_decref(json);
    cm_buffer_destroy(&text);
}

static void test_nothing_stays_nothing(void **state)
{
    (void)state;
    cm_buffer text = {0};
    assert_null(cm_json_with(NULL, "a", json_true()));
    assert_null(cm_json_with(json_object(), "a", NULL));
    assert_null(cm_json_add(NULL, json_true()));
    assert_null(cm_json_add(json_array(), NULL));
    assert_null(cm_json_joined(NULL, json_object()));
    assert_null(cm_json_joined(json_object(), NULL));
    assert_false(cm_json_write(NULL, 0, &text));
    assert_true(text.failed);
    cm_buffer_destroy(&text);
}

static void test_no_failure_is_lost(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    bool has_failed = true;
    size_t refused = 0;
    for (size_t n = 0; has_failed; n++) {
        ptrdiff_t live = failing_malloc_live();
        cm_buffer text = {0};
        failing_malloc_arm(n);
        json_t *json = build();
        bool written = cm_json_write(json, JSON_COMPACT, &text);
        json_decref(json);
        has_failed = failing_malloc_disarm();
        assert_true(has_failed || written);
        refused += !written;
        if (written) {
            assert_int_equal(text.size, sizeof WHOLE - 1);
            assert_memory_equal(text.data, WHOLE, text.size);
        }
        cm_buffer_destroy(&text);
        assert_int_equal(failing_malloc_live(), live);
    }
    assert_in_range(refused, 15, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_is_whole),
        cmocka_unit_test(test_nothing_stays_nothing),
        cmocka_unit_test(test_no_failure_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
