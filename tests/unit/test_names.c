/* Names to numbers, by one thread or several: a name has one number, whoever asks and whatever a
 * thread has forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/failing_malloc.h"
#include "harness/random.h"
#include "store/names.h"

#define TEXT_BYTES 24

static cm_slice name_of(uint32_t number, char *text)
{
    return cm_slice_of(text, (size_t)snprintf(text, TEXT_BYTES, "name %u", number));
}

/* Three names have one hash. */
static uint32_t intern(cm_names *names, cm_name_kind kind, uint32_t number)
{
    char text[TEXT_BYTES];
    uint64_t hash = number / 3 * 0x9e3779b97f4a7c15u;
    cm_names_prefetch(names, kind, hash);
    cm_names_prefetch_text(names, kind, hash);
    return cm_names_intern(names, kind, name_of(number, text), hash);
}

static void assert_is(const cm_catalog *catalog, cm_name_kind kind, uint32_t name, uint32_t number)
{
    char text[TEXT_BYTES];
    assert_true(cm_slice_equal(cm_catalog_name(catalog, kind, number), name_of(name, text)));
}

static void destroy(cm_names *names, cm_catalog *catalog)
{
    cm_names_destroy(names);
    cm_catalog_destroy(catalog);
}

static void test_alone_nothing_is_kept(void **state)
{
    (void)state;
    cm_catalog catalog = {0};
    cm_names names = {.catalog = &catalog};
    assert_int_equal(cm_names_intern(&names, CM_NAME_CAMPAIGN, (cm_slice){0}, 1),
                     CM_NUMBER_MISSING);
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t name = 0; name < 100; name++)
            assert_int_equal(intern(&names, CM_NAME_CAMPAIGN, name), name + 1);
    assert_int_equal(names.caches[CM_NAME_CAMPAIGN].size, 0);
    destroy(&names, &catalog);
}

/* The same name of two kinds is two names. */
static void test_kinds_are_apart(void **state)
{
    (void)state;
    cm_catalog catalog = {0};
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    cm_names names = {.catalog = &catalog, .lock = &lock};
    assert_int_equal(intern(&names, CM_NAME_USER_AGENT, 8), 1);
    assert_int_equal(intern(&names, CM_NAME_CAMPAIGN, 7), 1);
    assert_int_equal(intern(&names, CM_NAME_CAMPAIGN, 8), 2);
    assert_int_equal(intern(&names, CM_NAME_USER_AGENT, 7), 2);
    assert_int_equal(intern(&names, CM_NAME_USER_AGENT, 8), 1);
    assert_int_equal(cm_names_intern(&names, CM_NAME_USER_AGENT, (cm_slice){0}, 1),
                     CM_NUMBER_MISSING);
    destroy(&names, &catalog);
}

/* A name that has just been met is not asked for: it is found while another holds the lock. */
static void test_known_names_need_no_lock(void **state)
{
    (void)state;
    cm_catalog catalog = {0};
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    cm_names names = {.catalog = &catalog, .lock = &lock};
    for (uint32_t name = 0; name < 3000; name++) {
        assert_int_equal(intern(&names, CM_NAME_USER_AGENT, name), name + 1);
        pthread_mutex_lock(&lock);
        assert_int_equal(intern(&names, CM_NAME_USER_AGENT, name), name + 1);
        pthread_mutex_unlock(&lock);
    }
    destroy(&names, &catalog);
}

/* Names that are met in turn and share their place drive each other out, and are never mixed up. */
static void test_names_of_one_hash_are_apart(void **state)
{
    (void)state;
    cm_catalog catalog = {0};
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    cm_names names = {.catalog = &catalog, .lock = &lock};
    for (uint32_t round = 0; round < 5; round++)
        for (uint32_t name = 9; name < 12; name++) /* of two sizes */
            assert_int_equal(intern(&names, CM_NAME_USER_AGENT, name), name - 8);
    assert_int_equal(names.caches[CM_NAME_USER_AGENT].used, 1);
    destroy(&names, &catalog);
}

/* ---- two threads ---- */

#define SHARED 6000u

struct asker {
    pthread_t thread;
    cm_names names;
    uint64_t random;
    uint32_t numbers[SHARED];
    bool disagrees;
};

static void *ask(void *context)
{
    struct asker *asker = context;
    for (unsigned step = 0; step < 6 * SHARED; step++) {
        uint32_t name = step < 5 * SHARED ? random_below(&asker->random, SHARED) : step % SHARED;
        uint32_t number = intern(&asker->names, CM_NAME_CAMPAIGN, name);
        if (asker->numbers[name] != 0 && asker->numbers[name] != number)
            asker->disagrees = true;
        asker->numbers[name] = number;
    }
    return NULL;
}

static void test_two_threads_agree_with_the_catalog(void **state)
{
    (void)state;
    static struct asker askers[2];
    cm_catalog catalog = {0};
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    for (unsigned i = 0; i < 2; i++) {
        askers[i] = (struct asker){.names = {.catalog = &catalog, .lock = &lock}, .random = i};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++)
        pthread_join(askers[i].thread, NULL);
    assert_int_equal(catalog.names[CM_NAME_CAMPAIGN].count, SHARED + 1);
    for (uint32_t name = 0; name < SHARED; name++) {
        assert_int_equal(askers[0].numbers[name], askers[1].numbers[name]);
        assert_is(&catalog, CM_NAME_CAMPAIGN, name, askers[0].numbers[name]);
    }
    assert_false(askers[0].disagrees || askers[1].disagrees);
    cm_names_destroy(&askers[0].names);
    destroy(&askers[1].names, &catalog);
}

/* ---- a cache that is full ---- */

#define LINES_MAX (1u << 16)
#define MORE_THAN_FIT (3 * LINES_MAX * CM_NAMES_PER_LINE)

static void test_a_cache_grows_up_to_its_most(void **state)
{
    (void)state;
    cm_catalog catalog = {0};
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    cm_names names = {.catalog = &catalog, .lock = &lock};
    const cm_name_cache *cache = &names.caches[CM_NAME_CAMPAIGN];
    for (uint32_t name = 0; name < MORE_THAN_FIT; name++) {
        assert_int_equal(intern(&names, CM_NAME_CAMPAIGN, name), name + 1);
        assert_true(cache->used <= cache->size * CM_NAMES_PER_LINE && cache->size <= LINES_MAX);
    }
    assert_int_equal(cache->size, LINES_MAX);
    for (uint32_t name = 0; name < MORE_THAN_FIT; name += 7) /* many are forgotten */
        assert_int_equal(intern(&names, CM_NAME_CAMPAIGN, name), name + 1);
    assert_is(&catalog, CM_NAME_CAMPAIGN, 4711, 4712);
    destroy(&names, &catalog);
}

/* ---- memory ---- */

/* Each allocation failed in turn: the name has no number, or its own; asked again it has. */
static void test_names_without_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    size_t round = 0, without = 0;
    for (bool has_failed = true; has_failed; round++) {
        ptrdiff_t before = failing_malloc_live();
        cm_catalog catalog = {0};
        pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        cm_names names = {.catalog = &catalog, .lock = &lock};
        failing_malloc_arm(round);
        for (uint32_t name = 0; name < 900; name++) {
            uint32_t number = intern(&names, CM_NAME_CAMPAIGN, name);
            without += number == CM_NUMBER_NONE;
            assert_true(number == name + 1 || number == CM_NUMBER_NONE);
            assert_int_equal(intern(&names, CM_NAME_CAMPAIGN, name), name + 1);
        }
        has_failed = failing_malloc_disarm();
        destroy(&names, &catalog);
        assert_int_equal(failing_malloc_live(), before);
    }
    assert_in_range(without, 5, round - 2); /* the cache does without */
}

/* Pairs whose hashes are the same are told apart; and a pair met in one generation bears the next
 * one's, too, once it is asked for. */
static void test_tenants_with_device_types(void **state)
{
    (void)state;
    for (int is_locked = 0; is_locked < 2; is_locked++) {
        cm_catalog catalog = {0};
        pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        cm_names names = {.catalog = &catalog, .lock = is_locked ? &lock : NULL};
        uint32_t numbers[40][5];
        char texts[2][16];
        for (uint32_t round = 0; round < 3; round++)
            for (uint32_t i = 0; i < 200; i++) {
                uint32_t tenant = i / 5, type = i % 5;
                cm_who who;
                names.generation = round + 1;
                snprintf(texts[0], 16, "t%u", tenant);
                snprintf(texts[1], 16, "%.*u", (int)type, type);
                const cm_who_names shown = {cm_slice_of_text(texts[0]),
                                            cm_slice_of_text(type == 0 ? "" : texts[1]), tenant / 2,
                                            type / 2};
                uint32_t number = cm_names_intern_who(&names, &shown, 5, &who);
                assert_int_equal(number, round == 0 ? i + 1 : numbers[tenant][type]);
                numbers[tenant][type] = number;
                assert_true(cm_slice_equal(cm_catalog_name(&catalog, CM_NAME_TENANT, who.tenant),
                                           shown.tenant));
                assert_true(
                    cm_slice_equal(cm_catalog_name(&catalog, CM_NAME_DEVICE_TYPE, who.device_type),
                                   shown.device_type));
                cm_slice text = cm_catalog_name(&catalog, CM_NAME_WHO, number);
                assert_int_equal(atomic_load(cm_dictionary_stamp_of(text)), round + 1);
            }
        destroy(&names, &catalog);
    }
}

/* The number of a look of which each part is missing, "1" or "2". */
static uint32_t intern_numbered_look(cm_names *names, uint32_t i, cm_slice parts[])
{
    static const char *const texts[] = {"", "1", "2"};
    cm_shown_traits traits;
    for (uint32_t j = 0, rest = i; j <= CM_TRAIT_COUNT; j++, rest /= 3)
        parts[j] = cm_slice_of_text(texts[rest % 3]);
    for (uint32_t j = 0; j < CM_TRAIT_COUNT; j++) {
        traits.texts[j] = parts[j + 1];
        traits.hashes[j] = 4;
    }
    return cm_names_intern_look(names, parts[0], 4, &traits, 5);
}

static void assert_is_stamped(const cm_catalog *catalog, cm_name_kind kind, uint32_t number,
                              cm_slice wanted, uint32_t generation)
{
    cm_slice text = cm_catalog_name(catalog, kind, number);
    assert_true(cm_slice_equal(text, wanted));
    if (text.size > 0)
        assert_int_equal(atomic_load(cm_dictionary_stamp_of(text)), generation);
}

/* Parts whose hashes are the same are told apart; each asking stamps the look and what it names;
 * where nothing is shown there is no look. */
static void test_user_agents_with_traits(void **state)
{
    (void)state;
    for (int is_locked = 0; is_locked < 2; is_locked++) {
        cm_catalog catalog = {0};
        pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        cm_names names = {.catalog = &catalog, .lock = is_locked ? &lock : NULL};
        for (uint32_t round = 1; round <= 3; round++)
            for (uint32_t i = 0; i < 243; i++) {
                cm_slice parts[1 + CM_TRAIT_COUNT];
                names.generation = round;
                assert_int_equal(intern_numbered_look(&names, i, parts), i);
                cm_look look = cm_catalog_look(&catalog, i);
                assert_is_stamped(&catalog, CM_NAME_USER_AGENT, look.user_agent, parts[0], round);
                for (cm_trait j = 0; j < CM_TRAIT_COUNT; j++)
                    assert_is_stamped(&catalog, cm_name_of_trait(j), look.traits[j], parts[j + 1],
                                      round);
                assert_is_stamped(&catalog, CM_NAME_LOOK, i,
                                  i == 0 ? (cm_slice){0} : cm_look_text(&look), round);
            }
        destroy(&names, &catalog);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_nothing_is_kept),
        cmocka_unit_test(test_kinds_are_apart),
        cmocka_unit_test(test_known_names_need_no_lock),
        cmocka_unit_test(test_names_of_one_hash_are_apart),
        cmocka_unit_test(test_two_threads_agree_with_the_catalog),
        cmocka_unit_test(test_a_cache_grows_up_to_its_most),
        cmocka_unit_test(test_names_without_memory),
        cmocka_unit_test(test_tenants_with_device_types),
        cmocka_unit_test(test_user_agents_with_traits),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
