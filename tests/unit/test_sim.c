/* A synthetic world: rows that are valid and in order, shares as promised, a truth that holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/sim_output.h"

#define FIELDS_MAX 21
#define WEEK_US (INT64_C(7) * 86400 * 1000000)

/* Columns, as sim.h lists them. */
enum { TENANT, ID, TIME, EXPIRES, VALID, FBCLID, GCLID, CLICK_FINGERPRINT = 11 };
enum { V_CLICK_ID = 3, V_FBCLID, V_GCLID, V_FINGERPRINT };
/* From the fingerprint, in both. */
enum { FINGERPRINT, ADDRESS, AGENT, TYPE, OS, BROWSER, WIDTH, HEIGHT, ZONE, OFFSET };

/* ---- reading it back ---- */

typedef struct row {
    char *fields[FIELDS_MAX];
    size_t field_count;
} row;

typedef struct table {
    row *rows;
    size_t count;
} table;

/* Cut one line into terminated fields, in place; returns the next line. */
static char *cut(char *at, row *r)
{
    for (r->field_count = 0;;) {
        bool quoted = *at == '"';
        at += quoted ? 1 : 0;
        assert_true(r->field_count < FIELDS_MAX);
        r->fields[r->field_count++] = at;
        at += strcspn(at, quoted ? "\"" : ",\n");
        if (quoted)
            *at++ = '\0';
        char end = *at;
        *at++ = '\0';
        if (end == '\n')
            return at;
        assert_int_equal(end, ',');
    }
}

/* All rows but the header, which is checked for its number of fields. */
static table read_table(sim_output *b, size_t fields)
{
    table t = {.count = sim_line_count(b) - 1};
    row header;
    char *at = cut(b->data, &header);
    assert_int_equal(header.field_count, fields);
    t.rows = calloc(t.count + 1, sizeof *t.rows);
    assert_non_null(t.rows);
    for (size_t i = 0; i < t.count; i++) {
        at = cut(at, &t.rows[i]);
        assert_int_equal(t.rows[i].field_count, fields);
    }
    assert_ptr_equal(at, b->data + b->size);
    return t;
}

static int64_t time_of(const char *text)
{
    struct tm tm = {0};
    char fraction[8];
    assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%7[0-9]Z", &tm.tm_year, &tm.tm_mon,
                            &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, fraction),
                     7);
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    size_t digits = strlen(fraction);
    assert_true(digits == 3 || digits == 6);
    return (int64_t)timegm(&tm) * 1000000 + strtol(fraction, NULL, 10) * (digits == 3 ? 1000 : 1);
}

/* ---- one world for most tests ---- */

static struct {
    cm_sim_config config;
    sim_output outputs[OUTPUTS];
    table tables[OUTPUTS];
} world;

static int make_world(void **state)
{
    (void)state;
    world.config = sim_config_of(200000, 30000);
    sim_outputs_make(&world.config, world.outputs);
    const size_t fields[OUTPUTS] = {21, 18, 3, 5};
    for (int i = 0; i < OUTPUTS; i++)
        world.tables[i] = read_table(&world.outputs[i], fields[i]);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    sim_outputs_free(world.outputs);
    for (int i = 0; i < OUTPUTS; i++)
        free(world.tables[i].rows);
    return 0;
}

static char **click(size_t i)
{
    return world.tables[CLICKS].rows[i].fields;
}

static char **conversion(size_t i)
{
    return world.tables[CONVERSIONS].rows[i].fields;
}

static const char *click_device(size_t i)
{
    return world.tables[CLICK_TRUTH].rows[i].fields[2];
}

/* ---- rows ---- */

static void assert_id(const char *text, size_t size_max)
{
    size_t size = strlen(text);
    assert_true(size <= size_max);
    assert_int_equal(
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."), size);
}

static void assert_device(char **look)
{
    unsigned char address[16];
    if (*look[FINGERPRINT] != '\0') {
        assert_int_equal(strlen(look[FINGERPRINT]), 64);
        assert_int_equal(strspn(look[FINGERPRINT], "0123456789abcdef"), 64);
    }
    if (*look[ADDRESS] != '\0')
        assert_true(inet_pton(AF_INET, look[ADDRESS], address) == 1 ||
                    inet_pton(AF_INET6, look[ADDRESS], address) == 1);
    if (*look[TYPE] != '\0')
        assert_true(strcmp(look[TYPE], "mobile") == 0 || strcmp(look[TYPE], "desktop") == 0 ||
                    strcmp(look[TYPE], "tablet") == 0);
    assert_int_equal(strcspn(look[AGENT], "#^~\"\\"), strlen(look[AGENT]));
    assert_int_equal(strspn(look[WIDTH], "0123456789"), strlen(look[WIDTH]));
    assert_int_equal(strspn(look[OFFSET], "-0123456789"), strlen(look[OFFSET]));
}

static void test_clicks_are_valid_and_in_order(void **state)
{
    (void)state;
    int64_t last_us = world.config.start_us;
    assert_int_equal(world.tables[CLICKS].count, world.config.click_count);
    for (size_t i = 0; i < world.tables[CLICKS].count; i++) {
        char **c = click(i), **truth = world.tables[CLICK_TRUTH].rows[i].fields;
        int64_t time_us = time_of(c[TIME]);
        assert_true(time_us >= last_us);
        last_us = time_us;
        if (*c[EXPIRES] != '\0')
            assert_true(time_of(c[EXPIRES]) > time_us);
        assert_true(strcmp(c[VALID], "true") == 0 || strcmp(c[VALID], "false") == 0 ||
                    strcmp(c[VALID], "") == 0);
        assert_string_equal(c[TENANT], truth[TENANT]);
        assert_string_equal(c[ID], truth[ID]);
        assert_in_range(strlen(c[ID]), 17, 20);
        assert_true(*c[FBCLID] == '\0' || *c[GCLID] == '\0');
        assert_id(c[FBCLID], 64);
        assert_id(c[GCLID], 64);
        assert_device(c + CLICK_FINGERPRINT);
    }
    assert_true(last_us < world.config.start_us + 2 * WEEK_US);
    double row_bytes = (double)world.outputs[CLICKS].size / (double)world.config.click_count;
    assert_true(row_bytes > 280 && row_bytes < 345);
}

static void test_conversions_are_valid_and_in_order(void **state)
{
    (void)state;
    int64_t last_us = world.config.start_us;
    assert_int_equal(world.tables[CONVERSIONS].count, world.config.conversion_count);
    for (size_t i = 0; i < world.tables[CONVERSIONS].count; i++) {
        char **v = conversion(i), **truth = world.tables[CONVERSION_TRUTH].rows[i].fields;
        int64_t time_us = time_of(v[TIME]);
        assert_true(time_us >= last_us);
        last_us = time_us;
        assert_string_equal(v[TENANT], truth[TENANT]);
        assert_string_equal(v[ID], truth[ID]);
        assert_id(v[V_CLICK_ID], 20);
        assert_id(v[V_FBCLID], 96);
        assert_id(v[V_GCLID], 64);
        assert_device(v + V_FINGERPRINT);
    }
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void assert_unique_ids(const table *t)
{
    const char **ids = calloc(t->count, sizeof *ids);
    assert_non_null(ids);
    for (size_t i = 0; i < t->count; i++)
        ids[i] = t->rows[i].fields[ID];
    qsort(ids, t->count, sizeof *ids, compare_texts);
    for (size_t i = 1; i < t->count; i++)
        assert_string_not_equal(ids[i - 1], ids[i]);
    free(ids);
}

static void test_ids_are_unique(void **state)
{
    (void)state;
    assert_unique_ids(&world.tables[CLICKS]);
    assert_unique_ids(&world.tables[CONVERSIONS]);
}

/* ---- truth ---- */

/* A valid click, to be found by its device. */
typedef struct seen {
    const char *tenant, *device, *id;
    int64_t time_us;
} seen;

static int compare_seen(const void *left, const void *right)
{
    const seen *a = left, *b = right;
    int order = strcmp(a->tenant, b->tenant);
    order = order != 0 ? order : strcmp(a->device, b->device);
    return order != 0 ? order : (a->time_us > b->time_us) - (a->time_us < b->time_us);
}

static seen *valid_clicks(size_t *count)
{
    seen *all = calloc(world.tables[CLICKS].count, sizeof *all);
    assert_non_null(all);
    *count = 0;
    for (size_t i = 0; i < world.tables[CLICKS].count; i++)
        if (strcmp(click(i)[VALID], "false") != 0)
            all[(*count)++] =
                (seen){click(i)[TENANT], click_device(i), click(i)[ID], time_of(click(i)[TIME])};
    qsort(all, *count, sizeof *all, compare_seen);
    return all;
}

/* The newest click of a device not after a time and within the window; "" where there is none. */
static const char *newest(const seen *all, size_t count, const seen *key)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_seen(&all[middle], key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || strcmp(all[low - 1].tenant, key->tenant) != 0 ||
        strcmp(all[low - 1].device, key->device) != 0 ||
        all[low - 1].time_us <= key->time_us - WEEK_US)
        return "";
    return all[low - 1].id;
}

static void test_truth_is_the_newest_click_of_the_device(void **state)
{
    (void)state;
    size_t count;
    seen *all = valid_clicks(&count);
    for (size_t i = 0; i < world.tables[CONVERSIONS].count; i++) {
        char **truth = world.tables[CONVERSION_TRUTH].rows[i].fields;
        seen key = {
            .tenant = truth[TENANT], .device = truth[2], .time_us = time_of(conversion(i)[TIME])};
        const char *id = newest(all, count, &key);
        assert_string_equal(truth[3], id);
        assert_string_equal(truth[4], *id == '\0' ? "true" : "false");
    }
    free(all);
}

static double organic_share(double asked)
{
    sim_output outputs[OUTPUTS];
    cm_sim_config config = sim_config_of(50000, 20000);
    config.organic_share = asked;
    sim_outputs_make(&config, outputs);
    table truth = read_table(&outputs[CONVERSION_TRUTH], 5);
    size_t organic = 0;
    for (size_t i = 0; i < truth.count; i++)
        organic += strcmp(truth.rows[i].fields[4], "true") == 0;
    double share = (double)organic / (double)truth.count;
    free(truth.rows);
    sim_outputs_free(outputs);
    return share;
}

static void test_organic_share_is_as_asked(void **state)
{
    (void)state;
    for (int quarters = 0; quarters <= 4; quarters++) {
        double asked = quarters * 0.25, share = organic_share(asked);
        assert_true(share > asked - 0.01 && share < asked + 0.01);
    }
}

/* ---- the world ---- */

static bool carries_id(char **v)
{
    return *v[V_CLICK_ID] != '\0' || *v[V_FBCLID] != '\0' || *v[V_GCLID] != '\0';
}

/* Of the conversions that follow a click and whose user agent has a word: the share that lost all
 * ids. */
static double stripped_share(const char *word)
{
    size_t all = 0, stripped = 0;
    for (size_t i = 0; i < world.tables[CONVERSIONS].count; i++) {
        char **v = conversion(i);
        if (strcmp(world.tables[CONVERSION_TRUTH].rows[i].fields[4], "true") == 0 ||
            strstr(v[V_FINGERPRINT + AGENT], word) == NULL)
            continue;
        all++;
        stripped += !carries_id(v);
    }
    assert_true(all > 500);
    return (double)stripped / (double)all;
}

static void test_ios_strips_most(void **state)
{
    (void)state;
    double ios = stripped_share("iPhone"), android = stripped_share("Android");
    double windows = stripped_share("Windows");
    assert_true(ios > 0.5 && ios < 0.8);
    assert_true(android < ios - 0.2);
    assert_true(windows < android);
}

/* A value and a device that had it. */
typedef struct pair {
    const char *value, *device;
} pair;

static int compare_pairs(const void *left, const void *right)
{
    const pair *a = left, *b = right;
    int order = strcmp(a->value, b->value);
    return order != 0 ? order : strcmp(a->device, b->device);
}

static int compare_sizes(const void *left, const void *right)
{
    const size_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* How many people's devices of a type share each value of a column of clicks, rising. */
static size_t *sharers(size_t column, const char *type, size_t *count)
{
    pair *pairs = calloc(world.tables[CLICKS].count, sizeof *pairs);
    size_t *sizes = calloc(world.tables[CLICKS].count, sizeof *sizes), pair_count = 0;
    assert_non_null(pairs);
    assert_non_null(sizes);
    for (size_t i = 0; i < world.tables[CLICKS].count; i++)
        if (*click(i)[column] != '\0' && *click_device(i) == 'd' &&
            strcmp(click(i)[CLICK_FINGERPRINT + TYPE], type) == 0)
            pairs[pair_count++] = (pair){click(i)[column], click_device(i)};
    qsort(pairs, pair_count, sizeof *pairs, compare_pairs);
    *count = 0;
    for (size_t i = 0; i < pair_count; i++) {
        if (i > 0 && compare_pairs(&pairs[i - 1], &pairs[i]) == 0)
            continue;
        if (i == 0 || strcmp(pairs[i - 1].value, pairs[i].value) != 0)
            (*count)++;
        sizes[*count - 1]++;
    }
    qsort(sizes, *count, sizeof *sizes, compare_sizes);
    free(pairs);
    return sizes;
}

static void test_addresses_and_phones_are_shared_but_desktops_are_not(void **state)
{
    (void)state;
    size_t count;
    size_t *sizes = sharers(CLICK_FINGERPRINT + ADDRESS, "mobile", &count);
    assert_true(sizes[count - 1] > 100); /* a carrier's */
    assert_true(sizes[count - 1] < 5000);
    assert_int_equal(sizes[count / 2], 1);
    free(sizes);
    sizes = sharers(CLICK_FINGERPRINT, "mobile", &count);
    assert_true(sizes[count - 1] > 100);
    free(sizes);
    sizes = sharers(CLICK_FINGERPRINT, "desktop", &count);
    assert_int_equal(sizes[count / 2], 1);
    assert_true(sizes[count - 1] < 20);
    free(sizes);
}

static void test_the_hash_of_a_phone_is_of_its_components(void **state)
{
    (void)state;
    size_t checked = 0;
    for (size_t i = 0; i < world.tables[CLICKS].count; i++) {
        char **c = click(i) + CLICK_FINGERPRINT, text[256], hex[65];
        unsigned char digest[32];
        if (*c[FINGERPRINT] == '\0' || *c[WIDTH] == '\0' || *c[HEIGHT] == '\0' ||
            *c[ZONE] == '\0' || *c[OFFSET] == '\0' || strcmp(c[TYPE], "mobile") != 0 ||
            *c[OS] == '\0' || *c[BROWSER] == '\0')
            continue;
        int size = snprintf(text, sizeof text, "%s|%s|%s|%s|%s|%s|%s", c[WIDTH], c[HEIGHT], c[ZONE],
                            c[OFFSET], c[TYPE], c[OS], c[BROWSER]);
        assert_true(EVP_Digest(text, (size_t)size, digest, NULL, EVP_sha256(), NULL) == 1);
        for (size_t k = 0; k < sizeof digest; k++)
            snprintf(hex + 2 * k, 3, "%02x", digest[k]);
        assert_string_equal(c[FINGERPRINT], hex);
        checked++;
    }
    assert_true(checked > 1000);
}

static void test_tenants_differ_in_size_and_bots_are_few(void **state)
{
    (void)state;
    size_t tenants[2] = {0, 0}, bots = 0, invalid = 0, count = world.tables[CLICKS].count;
    for (size_t i = 0; i < count; i++) {
        tenants[0] += strcmp(click(i)[TENANT], "shop-1") == 0;
        tenants[1] += strcmp(click(i)[TENANT], "shop-5") == 0;
        bots += *click_device(i) == 'b';
        invalid += strcmp(click(i)[VALID], "false") == 0;
    }
    assert_true(tenants[0] > 4 * tenants[1] && tenants[1] > count / 20);
    assert_true(bots > count / 50 && bots < count / 25);
    assert_true(invalid > count / 50 && invalid < count / 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clicks_are_valid_and_in_order),
        cmocka_unit_test(test_conversions_are_valid_and_in_order),
        cmocka_unit_test(test_ids_are_unique),
        cmocka_unit_test(test_truth_is_the_newest_click_of_the_device),
        cmocka_unit_test(test_organic_share_is_as_asked),
        cmocka_unit_test(test_ios_strips_most),
        cmocka_unit_test(test_addresses_and_phones_are_shared_but_desktops_are_not),
        cmocka_unit_test(test_the_hash_of_a_phone_is_of_its_components),
        cmocka_unit_test(test_tenants_differ_in_size_and_bots_are_few),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
