/*
 * Keys of one tenant with the same 64-bit hash are told apart. Under a seed that is known XXH3 of
 * 32 bytes does not depend on bytes 8 to 15 where the first eight cancel the secret: here these are
 * fingerprints, which are sought before they are compared, and device types, which are remembered
 * by their hashes. What the other one has must change nothing.
 */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/bits.h"
#include "index/keys.h"
#include "util/hash.h"
#include "util/slice.h"

#define T0 ((int64_t)1772366400 * 1000000) /* 2026-03-01T12:00:00Z */
#define KEY_BYTES 32
#define CLICKS 90u /* of a key: enough that its list is searched, not walked */
#define BATCH 6

/* Two keys, and the seed under which they collide. */
typedef struct twins {
    uint64_t seed;
    char keys[2][KEY_BYTES + 1];
} twins;

static uint64_t first_of_secret(void)
{
    uint64_t word;
    memcpy(&word, XXH3_kSecret, sizeof word);
    return le64toh(word);
}

static twins fingerprint_twins(void)
{
    twins made = {.seed = 7};
    const cm_key_rules rules = {.seed = made.seed};
    uint64_t cancels = htole64(first_of_secret() + cm_text_hash(&rules, CM_SLICE("t")));
    for (unsigned i = 0; i < 2; i++) {
        memset(made.keys[i], 0x5a, KEY_BYTES);
        memset(made.keys[i] + 8, i == 0 ? 0x11 : 0x22, 8);
        memcpy(made.keys[i], &cancels, sizeof cancels);
    }
    return made;
}

/* Any text will do, as the seed is chosen. */
static twins type_twins(void)
{
    twins made = {.keys = {"handset:with keyand all the rest", "handset:keyless and all the rest"}};
    uint64_t first;
    memcpy(&first, made.keys[0], sizeof first);
    made.seed = le64toh(first) - first_of_secret();
    return made;
}

static cm_device device_of(const twins *of, bool are_types, unsigned key)
{
    cm_device device = {.has_fingerprint = !are_types};
    if (are_types) {
        device.device_type = cm_slice_of(of->keys[key], KEY_BYTES);
        device.ip_address = (cm_address){4, {203, 0, 113, 7}};
    } else {
        memcpy(device.fingerprint, of->keys[key], KEY_BYTES);
    }
    return device;
}

/* Each click is a device of its own to the layer that finds it. */
static void add(cm_engine *engine, const twins *of, bool are_types, unsigned key)
{
    for (unsigned i = 0; i < CLICKS; i++) {
        char id[8], user_agent[8];
        (void)snprintf(id, sizeof id, "%c%u", 'a' + (int)key, i);
        (void)snprintf(user_agent, sizeof user_agent, "ua%u", i);
        cm_click click = {
            .tenant_id = CM_SLICE("t"),
            .click_id = cm_slice_of_text(id),
            .click_timestamp = T0 + (int64_t)(2 * i + key) * 1000,
            .expires_at = CM_TIME_MISSING,
            .is_valid = true,
            .device = device_of(of, are_types, key),
        };
        click.device.user_agent = cm_slice_of_text(user_agent);
        if (!are_types)
            click.device.ip_address = (cm_address){4, {198, 51, 100, (uint8_t)i}};
        assert_int_equal(cm_engine_add(engine, &click, 1, NULL, NULL), CM_OK);
    }
}

static cm_engine *create(const twins *of)
{
    const cm_options options = {.hash_seed = of->seed};
    cm_engine *engine;
    assert_int_equal(cm_engine_create(&options, NULL, &engine, NULL), CM_OK);
    return engine;
}

/* Of one batch, in which the two take turns. */
static void match(const cm_engine *engine, const twins *of, bool are_types, cm_result *results)
{
    cm_conversion conversions[BATCH];
    for (unsigned i = 0; i < BATCH; i++)
        conversions[i] = (cm_conversion){.tenant_id = CM_SLICE("t"),
                                         .conversion_id = CM_SLICE("c"),
                                         .conversion_timestamp = T0 + CM_HOUR_US,
                                         .device = device_of(of, are_types, i % 2)};
    assert_int_equal(cm_engine_match(engine, conversions, BATCH, results, NULL), CM_OK);
}

/* As where the other key has no clicks, to the bit, and of the layer that is meant. */
static void check(const twins *of, bool are_types, unsigned first)
{
    cm_engine *both = create(of);
    cm_engine *alone[2] = {create(of), create(of)};
    cm_result of_both[BATCH], of_one[BATCH];
    unsigned layer = are_types ? 2 : 1;
    add(both, of, are_types, first);
    add(both, of, are_types, 1 - first);
    match(both, of, are_types, of_both);
    for (unsigned key = 0; key < 2; key++) {
        add(alone[key], of, are_types, key);
        match(alone[key], of, are_types, of_one);
        for (unsigned i = key; i < BATCH; i += 2) {
            assert_int_equal(of_both[i].layers[layer], of_one[i].layers[layer]);
            assert_int_equal(of_both[i].candidate_count, CM_RESULT_CANDIDATES_MAX);
            for (size_t at = 0; at < CM_RESULT_CANDIDATES_MAX; at++) {
                const cm_candidate *got = &of_both[i].candidates[at];
                const cm_candidate *wanted = &of_one[i].candidates[at];
                assert_true(cm_slice_equal(got->click_id, wanted->click_id));
                assert_int_equal(got->click_id.data[0], 'a' + (int)key);
                assert_true(same_bits(got->probability, wanted->probability));
            }
        }
    }
    cm_engine_destroy(both);
    cm_engine_destroy(alone[0]);
    cm_engine_destroy(alone[1]);
}

static void test_the_hashes_do_collide(void **state)
{
    (void)state;
    const twins fingerprints = fingerprint_twins(), types = type_twins();
    const cm_key_rules of_fingerprints = {.seed = fingerprints.seed},
                       of_types = {.seed = types.seed};
    uint64_t tenant = cm_text_hash(&of_fingerprints, CM_SLICE("t"));
    assert_memory_not_equal(fingerprints.keys[0], fingerprints.keys[1], KEY_BYTES);
    assert_true(cm_fingerprint_hash(tenant, (const uint8_t *)fingerprints.keys[0]) ==
                cm_fingerprint_hash(tenant, (const uint8_t *)fingerprints.keys[1]));
    assert_memory_not_equal(types.keys[0], types.keys[1], KEY_BYTES);
    assert_true(cm_text_hash(&of_types, cm_slice_of(types.keys[0], KEY_BYTES)) ==
                cm_text_hash(&of_types, cm_slice_of(types.keys[1], KEY_BYTES)));
}

static void test_fingerprints(void **state)
{
    (void)state;
    const twins of = fingerprint_twins();
    check(&of, false, 0);
    check(&of, false, 1);
}

static void test_device_types(void **state)
{
    (void)state;
    const twins of = type_twins();
    check(&of, true, 0);
    check(&of, true, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_hashes_do_collide),
        cmocka_unit_test(test_fingerprints),
        cmocka_unit_test(test_device_types),
    };
    return cmocka_run_group_tests_name("collisions", tests, NULL, NULL);
}
