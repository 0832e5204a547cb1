/* What an engine sees of a few records, as a training set; and which clicks are a device's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "harness/failing_malloc.h"
#include "harness/trained.h"
#include "harness/visits.h"
#include "train/own_clicks.h"
#include "train/sampling.h"
#include "util/slice.h"

#define HOUR_US 3600000000
#define NOON_US (1767225600000000 + 200 * HOUR_US)
#define PEOPLE 60

/* Devices that click again do so often, and user agents tell them from strangers. */
#define MODEL                                                                                      \
    "{\"fingerprint_u\": 0.001, \"fingerprint\": {\"repeat\": 3, \"rivals\": 0.5,"                 \
    " \"user_agent_m\": 0.999, \"user_agent_u\": 0.001}}"

/*
 * Of each of 60 people: the click that a conversion names, at home; an older one of the same device
 * elsewhere; a stranger's of the same fingerprint. Every third conversion names no click.
 */
struct people {
    cm_records records;
    cm_model *model;
    cm_engine *engine;
    bool held_out[PEOPLE];
    char ids[4 * PEOPLE][16];
};

enum { LABEL, OLDER, STRANGER, CLICKS_EACH };

static cm_device device(size_t person, size_t place, const char *agent)
{
    cm_device made = {.has_fingerprint = true,
                      .ip_address = {4, {81, (uint8_t)person, (uint8_t)place, 1}},
                      .user_agent = cm_slice_of_text(agent)};
    memset(made.fingerprint, 1 + (int)person, sizeof made.fingerprint);
    return made;
}

static cm_slice id(struct people *people, size_t person, size_t which)
{
    char *text = people->ids[4 * person + which];
    int size = snprintf(text, sizeof *people->ids, "%zu-%zu", person, which);
    return cm_slice_of(text, (size_t)size);
}

static void add_person(struct people *people, size_t person)
{
    static const char *const agents[CLICKS_EACH] = {"one", "one", "another"};
    static const int64_t ages[CLICKS_EACH] = {2, 30, 40};
    uint64_t duplicates = 0;
    for (size_t i = 0; i < CLICKS_EACH; i++) {
        const cm_click click = {.tenant_id = CM_SLICE("shop"),
                                .click_id = id(people, person, i),
                                .click_timestamp = NOON_US - ages[i] * HOUR_US,
                                .expires_at = CM_TIME_MISSING,
                                .is_valid = true,
                                .device = device(person, i, agents[i])};
        assert_int_equal(cm_records_add_clicks(&people->records, &click, 1, &duplicates, NULL),
                         CM_OK);
    }
    cm_conversion conversion = {.tenant_id = CM_SLICE("shop"),
                                .conversion_id = id(people, person, CLICKS_EACH),
                                .conversion_timestamp = NOON_US,
                                .device = device(person, LABEL, "one")};
    if (person % 3 != 0)
        conversion.click_id = id(people, person, LABEL);
    people->held_out[person] = person % 3 == 1;
    assert_int_equal(
        cm_records_add_conversions(&people->records, &conversion, 1, &duplicates, NULL), CM_OK);
    assert_int_equal(duplicates, 0);
}

static struct people *people_make(void)
{
    struct people *people = calloc(1, sizeof *people);
    assert_non_null(people);
    people->model = trained_base(MODEL);
    for (size_t i = 0; i < PEOPLE; i++)
        add_person(people, i);
    const cm_records_pass pass = {.threads = 2};
    assert_int_equal(cm_engine_create(NULL, people->model, &people->engine, NULL), CM_OK);
    assert_int_equal(cm_records_load(&people->records, &pass, people->engine, NULL), CM_OK);
    return people;
}

static void people_destroy(struct people *people)
{
    cm_records_destroy(&people->records);
    cm_engine_destroy(people->engine);
    cm_model_destroy(people->model);
    free(people);
}

static cm_sampling sampling_of(const struct people *people)
{
    return (cm_sampling){.records = &people->records,
                         .held_out = people->held_out,
                         .engine = people->engine,
                         .threads = 1};
}

static cm_training_set sample(const cm_sampling *sampling)
{
    cm_training_set set;
    cm_error error = {0};
    if (cm_training_set_sample(sampling, &set, &error) != CM_OK)
        fail_msg("%s", error.message);
    assert_int_equal(set.count, sampling->records->conversion_count);
    return set;
}

/* Which of a person's clicks: LABEL, OLDER or STRANGER. */
static size_t which(const struct people *people, size_t person, uint32_t click)
{
    cm_slice found = cm_click_store_id(&people->engine->index.catalog.store, click);
    for (size_t i = 0; i < CLICKS_EACH; i++)
        if (cm_slice_equal(found, people->records.clicks[CLICKS_EACH * person + i].click_id))
            return i;
    return CLICKS_EACH;
}

/* ---- what is sampled ---- */

static void assert_layer_2(const struct people *people, const cm_train_conversion *conversion,
                           const cm_train_look *looks)
{
    const cm_train_layer *layer = &conversion->layers[CM_WEIGH_FINGERPRINT];
    const cm_comparison addresses[] = {CM_COMPARE_EQUAL, CM_COMPARE_DIFFERENT,
                                       CM_COMPARE_DIFFERENT};
    const cm_comparison agents[] = {CM_COMPARE_EQUAL, CM_COMPARE_EQUAL, CM_COMPARE_DIFFERENT};
    const size_t bins[] = {3, 5, 5}; /* of 2, 30 and 40 hours */
    assert_true(layer->is_attempted && layer->is_accepted && layer->probability > 0.9);
    assert_int_equal(layer->count, CLICKS_EACH);
    assert_int_equal(layer->left, 0);
    for (size_t i = 0; i < CLICKS_EACH; i++) {
        const cm_train_look *look = &looks[layer->first + i];
        assert_int_equal(which(people, conversion->number, look->click), i); /* newest first */
        assert_int_equal(look->evidence, addresses[i]);
        assert_int_equal(look->user_agent, agents[i]);
        assert_int_equal(look->bin, bins[i]);
    }
}

static void test_sample(void **state)
{
    (void)state;
    struct people *people = people_make();
    cm_sampling sampling = sampling_of(people);
    cm_training_set set = sample(&sampling);
    bool seen[PEOPLE] = {false};
    for (size_t i = 0; i < PEOPLE; i++) {
        const cm_train_conversion *conversion = &set.chunks[0].conversions[i];
        size_t person = conversion->number;
        bool is_labelled = person % 3 != 0;
        assert_false(seen[person]);
        seen[person] = true;
        assert_int_equal(conversion->label != CM_NUMBER_NONE, is_labelled);
        assert_int_equal(conversion->is_open, !is_labelled);
        assert_int_equal(conversion->is_held_out, person % 3 == 1);
        if (is_labelled) {
            assert_int_equal(which(people, person, conversion->label), LABEL);
            assert_int_equal(conversion->by_address.evidence, CM_COMPARE_EQUAL);
            assert_int_equal(conversion->by_address.bin, 3);
            assert_int_equal(conversion->label_fingerprint, CM_COMPARE_EQUAL);
        }
        assert_layer_2(people, conversion, set.chunks[0].looks);
        assert_int_equal(conversion->layers[CM_WEIGH_PROBABILISTIC].count, 1);
    }
    cm_training_set_destroy(&set);
    people_destroy(people);
}

/* Whose candidates are, as a truth says: person 0's conversion is right with its newest click, the
 * stranger's click is of person 1, and person 3's conversion is organic. */
static void test_truth(void **state)
{
    (void)state;
    struct people *people = people_make();
    bool is_open[PEOPLE] = {[0] = true, [3] = true};
    uint32_t right[PEOPLE], of_clicks[CLICKS_EACH * PEOPLE], of_conversions[PEOPLE];
    for (uint32_t i = 0; i < PEOPLE; i++) {
        right[i] = i == 3 ? CM_NUMBER_NONE : CLICKS_EACH * i + LABEL;
        of_conversions[i] = i;
        for (uint32_t j = 0; j < CLICKS_EACH; j++)
            of_clicks[CLICKS_EACH * i + j] = j == STRANGER || i == 3 ? PEOPLE : i;
    }
    const cm_train_truth truth = {is_open, right, of_clicks, of_conversions};
    cm_sampling sampling = sampling_of(people);
    sampling.truth = &truth;
    cm_training_set set = sample(&sampling);
    for (size_t i = 0; i < PEOPLE; i++) {
        const cm_train_conversion *conversion = &set.chunks[0].conversions[i];
        const cm_train_look *looks =
            set.chunks[0].looks + conversion->layers[CM_WEIGH_FINGERPRINT].first;
        const uint8_t own[] = {CM_WHOSE_NEWEST, CM_WHOSE_OLDER, CM_WHOSE_STRANGER};
        bool is_own = conversion->number == 0, is_organic = conversion->number == 3;
        assert_int_equal(conversion->is_open, is_own || is_organic);
        for (size_t j = 0; j < CLICKS_EACH; j++)
            assert_int_equal(looks[j].whose, is_own       ? own[j]
                                             : is_organic ? CM_WHOSE_STRANGER
                                                          : CM_WHOSE_UNKNOWN);
        if (is_own) /* though it names no click */
            assert_int_equal(which(people, 0, conversion->label), LABEL);
        if (is_organic)
            assert_int_equal(conversion->label, CM_NUMBER_NONE);
    }
    cm_training_set_destroy(&set);
    people_destroy(people);
}

/* ---- own clicks ---- */

/* The device's two clicks are found, the stranger's is left, of labelled conversions that were held
 * out. What else could be drawn has chances below one in a hundred. */
static void test_own_clicks(void **state)
{
    (void)state;
    struct people *people = people_make();
    cm_sampling sampling = sampling_of(people);
    cm_training_set set = sample(&sampling);
    cm_own_clicks own = {0};
    assert_int_equal(
        cm_own_clicks_list(&set, people->model, &people->records, people->engine, &own, NULL),
        CM_OK);
    size_t counts[CLICKS_EACH] = {0};
    for (size_t i = 0; i < own.count; i++) {
        assert_int_equal(own.items[i].conversion % 3, 1);
        assert_int_equal(own.items[i].click / CLICKS_EACH, own.items[i].conversion);
        counts[own.items[i].click % CLICKS_EACH]++;
    }
    assert_int_equal(counts[LABEL], PEOPLE / 3);
    assert_int_equal(counts[OLDER], PEOPLE / 3);
    assert_int_equal(counts[STRANGER], 0);
    cm_own_clicks_destroy(&own);
    cm_training_set_destroy(&set);
    people_destroy(people);
}

/* ---- threads, trouble ---- */

static void assert_same_look(const cm_train_look *a, const cm_train_look *b)
{
    assert_true(a->click == b->click && a->bin == b->bin && a->evidence == b->evidence &&
                a->user_agent == b->user_agent && a->traits == b->traits && a->whose == b->whose);
}

static void assert_same_conversion(const cm_train_conversion *a, const cm_train_conversion *b)
{
    assert_true(a->number == b->number && a->group == b->group && a->label == b->label);
    for (size_t i = 0; i < CM_WEIGHED_LAYER_COUNT; i++) {
        const cm_train_layer *one = &a->layers[i], *other = &b->layers[i];
        assert_true(one->first == other->first && one->count == other->count &&
                    one->newer_count == other->newer_count && one->left == other->left);
        assert_true(one->is_attempted == other->is_attempted &&
                    one->is_accepted == other->is_accepted);
        assert_true(one->u == other->u && one->probability == other->probability);
    }
    if (a->label != CM_NUMBER_NONE)
        assert_same_look(&a->by_address, &b->by_address);
}

static void assert_same_set(const cm_training_set *a, const cm_training_set *b)
{
    assert_int_equal(a->chunk_count, b->chunk_count);
    for (size_t at = 0; at < a->chunk_count; at++) {
        const cm_train_chunk *one = &a->chunks[at], *other = &b->chunks[at];
        assert_int_equal(one->count, other->count);
        assert_int_equal(one->look_count, other->look_count);
        for (size_t i = 0; i < one->count; i++)
            assert_same_conversion(&one->conversions[i], &other->conversions[i]);
        for (size_t i = 0; i < one->look_count; i++)
            assert_same_look(&one->looks[i], &other->looks[i]);
    }
}

static void test_threads(void **state)
{
    (void)state;
    const visits_options options = {.seed = 3,
                                    .conversions = 3 * CM_TRAIN_CHUNK,
                                    .idle = 1000,
                                    .organic = 0.5,
                                    .labelled = 0.5,
                                    .delays = {0.2, 0.2, 0.2, 0.2, 0.2},
                                    .fingerprint_kept = 0.8,
                                    .address_kept = 0.5,
                                    .user_agent_kept = 0.9,
                                    .fingerprints = 1000,
                                    .addresses = 1000,
                                    .user_agents = 5};
    visits *made = visits_make(&options);
    bool *held_out = calloc(options.conversions, sizeof *held_out);
    const cm_records_pass pass = {.threads = 2};
    cm_engine *engine;
    assert_non_null(held_out);
    assert_int_equal(cm_engine_create(NULL, NULL, &engine, NULL), CM_OK);
    assert_int_equal(cm_records_load(&made->records, &pass, engine, NULL), CM_OK);
    cm_sampling sampling = {&made->records, held_out, NULL, engine, 1, NULL};
    cm_training_set first = sample(&sampling);
    for (unsigned threads = 2; threads <= 5; threads += 3) {
        sampling.threads = threads;
        cm_training_set other = sample(&sampling);
        assert_same_set(&first, &other);
        cm_training_set_destroy(&other);
    }
    cm_training_set_destroy(&first);
    cm_engine_destroy(engine);
    free(held_out);
    visits_destroy(made);
}

static void test_interrupted(void **state)
{
    (void)state;
    struct people *people = people_make();
    atomic_bool interrupted = true;
    cm_sampling sampling = sampling_of(people);
    cm_training_set set;
    cm_error error = {0};
    sampling.threads = 3;
    sampling.interrupted = &interrupted;
    assert_int_equal(cm_training_set_sample(&sampling, &set, &error), CM_ERROR_INTERRUPTED);
    assert_int_equal(error.code, CM_ERROR_INTERRUPTED);
    cm_training_set_destroy(&set);
    people_destroy(people);
}

static cm_status sample_and_list(const struct people *people)
{
    cm_sampling sampling = sampling_of(people);
    cm_training_set set;
    cm_own_clicks own = {0};
    cm_status status = cm_training_set_sample(&sampling, &set, NULL);
    if (status == CM_OK)
        status =
            cm_own_clicks_list(&set, people->model, &people->records, people->engine, &own, NULL);
    cm_own_clicks_destroy(&own);
    cm_training_set_destroy(&set);
    return status;
}

static void test_without_memory(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    struct people *people = people_make();
    assert_int_equal(sample_and_list(people), CM_OK); /* OpenSSL makes what it keeps */
    ptrdiff_t live = failing_malloc_live();
    size_t failures = 0;
    bool has_failed = true;
    for (size_t n = 0; has_failed; n++) {
        failing_malloc_arm(n);
        cm_status status = sample_and_list(people);
        has_failed = failing_malloc_disarm();
        if (status != CM_OK) /* qsort can do without room */
            assert_true(has_failed && status == CM_ERROR_MEMORY);
        failures += status != CM_OK;
        assert_int_equal(failing_malloc_live(), live);
    }
    assert_true(failures > 10);
    people_destroy(people);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample),      cmocka_unit_test(test_truth),
        cmocka_unit_test(test_own_clicks),  cmocka_unit_test(test_threads),
        cmocka_unit_test(test_interrupted), cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests_name("train sampling", tests, NULL, NULL);
}
