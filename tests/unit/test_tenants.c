/*
 * Tenants whose keys have the same 64-bit hash do not see one another. XXH3 is no cryptographic
 * hash: whoever knows the seed can make such tenants, and here the seed is chosen, too, so that
 * their ids are plain text. All hashes of a tenant's keys are seeded with the tenant's, so that the
 * same click id, parameter, fingerprint and address collide from end to end. What another tenant
 * has must change nothing.
 */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/bulk_load.h"
#include "engine/engine.h"
#include "engine/pipeline.h"
#include "index/keys.h"
#include "stream/seen_ids.h"
#include "util/hash.h"
#include "util/time.h"

#define T0 ((int64_t)1772366400 * 1000000) /* 2026-03-01T12:00:00Z */
#define TENANT_BYTES 16
#define CLICKS 50u /* of a tenant: enough that a bucket is split */

/* Two tenants, and the seed under which they collide. */
typedef struct twins {
    uint64_t seed;
    char ids[2][TENANT_BYTES];
} twins;

static uint64_t secret_word(size_t at)
{
    uint64_t word;
    memcpy(&word, XXH3_kSecret + at, sizeof word);
    return le64toh(word);
}

static void put_word(char *bytes, uint64_t word)
{
    word = htole64(word);
    memcpy(bytes, &word, sizeof word);
}

/*
 * Of 16 bytes, lo and hi, XXH3 makes a function of swap(l) + h + l * h with l = lo ^ (f + seed) and
 * h = hi ^ (g - seed). It is the same for l = 0, h = v and for l = swap(v), h = 0. The seed is such
 * that f + seed and g - seed are halves of f + g, byte by byte: no byte beyond ASCII.
 */
static twins make_twins(void)
{
    twins made;
    uint64_t f = secret_word(24) ^ secret_word(32), g = secret_word(40) ^ secret_word(48);
    uint64_t half = (f + g) >> 1 & 0x7f7f7f7f7f7f7f7fu, rest = f + g - half, v = 2;
    made.seed = half - f;
    put_word(made.ids[0], half);
    put_word(made.ids[0] + 8, rest ^ v);
    put_word(made.ids[1], half ^ __builtin_bswap64(v));
    put_word(made.ids[1] + 8, rest);
    return made;
}

/* Of 17 to 32 bytes, each half is multiplied as l * h alone: where l is 0, h does not matter. The
 * same tenants' ids with the same conversion id of 15 bytes. */
static twins make_stream_twins(void)
{
    twins made;
    memcpy(made.ids[0], "tenants:the-one.", TENANT_BYTES);
    memcpy(made.ids[1], "tenants:another.", TENANT_BYTES);
    uint64_t lo;
    memcpy(&lo, made.ids[0], sizeof lo);
    made.seed = le64toh(lo) - secret_word(0);
    return made;
}

static cm_slice id_of(const twins *of, unsigned tenant)
{
    return cm_slice_of(of->ids[tenant], TENANT_BYTES);
}

/* ---- clicks and conversions ---- */

/* The same keys for either tenant; the second one's clicks are newer, of other campaigns, and so
 * many that they would win if they were seen. */
static cm_click click_of(const twins *of, unsigned tenant, unsigned number, char id[8])
{
    (void)snprintf(id, 8, "k%u", number);
    cm_click click = {
        .tenant_id = id_of(of, tenant),
        .click_id = cm_slice_of_text(id),
        .click_timestamp = T0 + (int64_t)(number + 100 * tenant) * CM_SECOND_US,
        .expires_at = CM_TIME_MISSING,
        .is_valid = true,
        .fbclid = CM_SLICE("fbclid-of-both"),
        .gclid = CM_SLICE("gclid-of-both"),
        .campaign_id = tenant == 0 ? CM_SLICE("ours") : CM_SLICE("theirs"),
        .device = {.ip_address = {4, {203, 0, 113, 7}},
                   .device_type = number % 2 == 0 ? CM_SLICE("mobile") : CM_SLICE("desktop"),
                   .has_fingerprint = number % 5 == 0},
    };
    memset(click.device.fingerprint, 0x5a, sizeof click.device.fingerprint);
    return click;
}

enum { BY_CLICK_ID, BY_FBCLID, BY_GCLID, BY_FINGERPRINT, BY_ADDRESS, BY_TYPE, KEYS };

static cm_conversion conversion_of(const twins *of, unsigned key)
{
    cm_conversion made = {.tenant_id = id_of(of, 0),
                          .conversion_id = CM_SLICE("c"),
                          .conversion_timestamp = T0 + 600 * CM_SECOND_US};
    made.click_id = key == BY_CLICK_ID ? CM_SLICE("k7") : (cm_slice){0};
    made.fbclid = key == BY_FBCLID ? CM_SLICE("fbclid-of-both") : (cm_slice){0};
    made.gclid = key == BY_GCLID ? CM_SLICE("gclid-of-both") : (cm_slice){0};
    made.device.has_fingerprint = key == BY_FINGERPRINT;
    memset(made.device.fingerprint, 0x5a, sizeof made.device.fingerprint);
    if (key == BY_ADDRESS || key == BY_TYPE)
        made.device.ip_address = (cm_address){4, {203, 0, 113, 7}};
    if (key == BY_TYPE)
        made.device.device_type = CM_SLICE("desktop");
    return made;
}

static cm_engine *create(const twins *of)
{
    const cm_options options = {.hash_seed = of->seed};
    cm_engine *engine;
    assert_int_equal(cm_engine_create(&options, NULL, &engine, NULL), CM_OK);
    return engine;
}

static void add(cm_engine *engine, const twins *of, unsigned tenant)
{
    for (unsigned i = 0; i < CLICKS; i++) {
        char id[8];
        cm_add_counts counts = {0};
        cm_click click = click_of(of, tenant, i, id);
        assert_int_equal(cm_engine_add(engine, &click, 1, &counts, NULL), CM_OK);
        assert_int_equal(counts.duplicates, 0);
    }
}

/* The same in bulk: both tenants in one build, in turns. */
static void add_in_bulk(cm_engine *engine, const twins *of, unsigned tenants)
{
    cm_bulk_load load;
    cm_bulk_loader loader;
    uint64_t duplicates = 0;
    char ids[CLICKS][8];
    cm_bulk_load_init(&load, engine);
    cm_bulk_loader_init(&loader, &load);
    for (unsigned i = 0; i < CLICKS; i++)
        for (unsigned tenant = 0; tenant < 2; tenant++) {
            cm_click click = click_of(of, tenant, i, ids[i]);
            if ((tenants >> tenant & 1) != 0)
                assert_int_equal(cm_bulk_loader_add(&loader, &click, NULL), CM_OK);
        }
    assert_int_equal(cm_bulk_loader_end_block(&loader, NULL), CM_OK);
    assert_int_equal(cm_bulk_load_build(&load, 1, &duplicates, NULL), CM_OK);
    assert_int_equal(duplicates, 0);
    cm_bulk_loader_destroy(&loader);
    cm_bulk_load_destroy(&load);
}

static void assert_same_results(const cm_engine *one, const cm_engine *other, const twins *of)
{
    for (unsigned key = 0; key < KEYS; key++) {
        const cm_conversion conversion = conversion_of(of, key);
        cm_result a, b;
        assert_int_equal(cm_engine_match(one, &conversion, 1, &a, NULL), CM_OK);
        assert_int_equal(cm_engine_match(other, &conversion, 1, &b, NULL), CM_OK);
        assert_int_equal(a.method, b.method);
        assert_memory_equal(a.layers, b.layers, sizeof a.layers);
        assert_true(cm_slice_equal(a.click.click_id, b.click.click_id));
        assert_true(cm_slice_equal(a.click.campaign_id, b.click.campaign_id));
        assert_int_equal(a.candidate_count, b.candidate_count);
        for (uint32_t i = 0; i < a.candidate_count; i++)
            assert_true(a.candidates[i].probability == b.candidates[i].probability);
    }
}

/* ---- the tests ---- */

static void test_the_hashes_do_collide(void **state)
{
    (void)state;
    const twins of = make_twins();
    const cm_key_rules rules = {.seed = of.seed};
    const uint64_t hash = cm_text_hash(&rules, id_of(&of, 0));
    assert_memory_not_equal(of.ids[0], of.ids[1], TENANT_BYTES);
    assert_true(hash == cm_text_hash(&rules, id_of(&of, 1)));
    for (size_t i = 0; i < TENANT_BYTES; i++) /* an id as any input may have it */
        assert_true(of.ids[0][i] > 0 && of.ids[1][i] > 0);
}

static void test_each_index_compares_the_tenant(void **state)
{
    (void)state;
    const twins of = make_twins();
    cm_engine *empty = create(&of), *ours = create(&of), *theirs = create(&of), *both = create(&of);
    add(ours, &of, 0);
    add(theirs, &of, 1);
    add(both, &of, 1);
    add(both, &of, 0);
    assert_same_results(empty, theirs, &of);
    assert_same_results(ours, both, &of);
    cm_engine_destroy(empty);
    cm_engine_destroy(ours);
    cm_engine_destroy(theirs);
    cm_engine_destroy(both);
}

static void test_each_index_that_is_built_in_bulk(void **state)
{
    (void)state;
    const twins of = make_twins();
    cm_engine *empty = create(&of), *ours = create(&of), *theirs = create(&of), *both = create(&of);
    add(ours, &of, 0);
    add_in_bulk(theirs, &of, 2);
    add_in_bulk(both, &of, 3);
    assert_same_results(empty, theirs, &of);
    assert_same_results(ours, both, &of);
    assert_int_equal(cm_engine_click_count(both), 2 * CLICKS);
    cm_engine_destroy(empty);
    cm_engine_destroy(ours);
    cm_engine_destroy(theirs);
    cm_engine_destroy(both);
}

/* An answer by each key, so that the comparisons above are of something. */
static void test_our_own_clicks_are_found(void **state)
{
    (void)state;
    const twins of = make_twins();
    cm_engine *both = create(&of);
    add_in_bulk(both, &of, 3);
    for (unsigned key = 0; key <= BY_GCLID; key++) {
        const cm_conversion conversion = conversion_of(&of, key);
        cm_result result;
        assert_int_equal(cm_engine_match(both, &conversion, 1, &result, NULL), CM_OK);
        assert_int_equal(result.method, CM_METHOD_URL_PARAM);
        assert_true(cm_slice_equal(result.click.campaign_id, CM_SLICE("ours")));
    }
    for (unsigned key = BY_FINGERPRINT; key < KEYS; key++) {
        const cm_conversion conversion = conversion_of(&of, key);
        cm_result result;
        assert_int_equal(cm_engine_match(both, &conversion, 1, &result, NULL), CM_OK);
        assert_true(result.candidate_count > 0);
    }
    cm_engine_destroy(both);
}

static void test_the_ids_of_a_streams_conversions(void **state)
{
    (void)state;
    const twins of = make_stream_twins();
    const cm_slice id = CM_SLICE("conversion-0001");
    char texts[2][TENANT_BYTES + 16];
    bool is_new;
    cm_seen_ids seen;
    for (unsigned i = 0; i < 2; i++) {
        memcpy(texts[i], of.ids[i], TENANT_BYTES);
        texts[i][TENANT_BYTES] = '\0';
        memcpy(texts[i] + TENANT_BYTES + 1, id.data, id.size);
    }
    assert_true(cm_hash_bytes(texts[0], sizeof texts[0], of.seed) ==
                cm_hash_bytes(texts[1], sizeof texts[1], of.seed));
    cm_seen_ids_init(&seen, of.seed);
    for (unsigned again = 0; again < 2; again++)
        for (unsigned tenant = 0; tenant < 2; tenant++) {
            assert_int_equal(cm_seen_ids_add(&seen, id_of(&of, tenant), id, 0, &is_new, NULL),
                             CM_OK);
            assert_int_equal(is_new, again == 0);
        }
    cm_seen_ids_destroy(&seen);
}

/* ---- duplicates among files' conversions ---- */

static cm_status read_text(void *context, char *buffer, size_t size, size_t *got, cm_error *error)
{
    cm_slice *left = context;
    (void)error;
    *got = left->size < size ? left->size : size;
    memcpy(buffer, left->data, *got);
    *left = cm_slice_of(left->data + *got, left->size - *got);
    return CM_OK;
}

static cm_status write_nothing(void *context, const char *bytes, size_t size, cm_error *error)
{
    (void)context;
    (void)bytes;
    (void)size;
    (void)error;
    return CM_OK;
}

static void test_the_ids_of_files_conversions(void **state)
{
    (void)state;
    const twins of = make_stream_twins();
    char text[512];
    int size = snprintf(text, sizeof text,
                        "tenant_id,conversion_id,conversion_timestamp\n"
                        "%.16s,conversion-0001,2026-03-01T12:00:00Z\n"
                        "%.16s,conversion-0001,2026-03-01T12:00:00Z\n"
                        "%.16s,conversion-0001,2026-03-01T12:00:00Z\n",
                        of.ids[0], of.ids[1], of.ids[0]);
    cm_slice left = cm_slice_of(text, (size_t)size);
    cm_source source = {.context = &left, .name = "c.csv", .read = read_text};
    cm_sink sink = {.name = "output", .write = write_nothing};
    const cm_pipeline_options options = {.threads = 1};
    cm_conversion_ids ids = {0};
    cm_source_counts counts = {0};
    cm_match_counts matched = {0};
    cm_engine *engine = create(&of);
    assert_int_equal(cm_pipeline_match(engine, &ids, &source, CM_FORMAT_CSV, &sink, &options,
                                       &counts, &matched, NULL),
                     CM_OK);
    assert_int_equal(matched.conversions, 2);
    assert_int_equal(counts.duplicates, 1);
    cm_conversion_ids_destroy(&ids);
    cm_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_hashes_do_collide),
        cmocka_unit_test(test_each_index_compares_the_tenant),
        cmocka_unit_test(test_each_index_that_is_built_in_bulk),
        cmocka_unit_test(test_our_own_clicks_are_found),
        cmocka_unit_test(test_the_ids_of_a_streams_conversions),
        cmocka_unit_test(test_the_ids_of_files_conversions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
