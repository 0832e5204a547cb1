/*
 * uthash against open addressing for the hot indexes: tables of click ids of 18 bytes, filled in
 * the order of clicks, searched in no order.
 *
 *     insert   a key that is new, growing included
 *     at once  the same with all keys at hand, as a load has them: the table may choose the order
 *     hit      a key that is there, one search after the other
 *     miss     a key that is not there
 *     ahead    in batches of 16, whose lines are all asked for before the first is searched
 *
 * Bytes are all that the allocator gave out, its own included (mallinfo2): keys, items, tables.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "tables.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SEARCHES_MAX ((size_t)1 << 20)

enum { INSERT, INSERT_AT_ONCE, HIT, HIT_AHEAD, MISS, MISS_AHEAD, MEASURES };

static const char *const MEASURE_NAMES[MEASURES] = {
    "insert", "insert, at once", "hit", "hit, ahead", "miss", "miss, ahead",
};

static const table_kind *const KINDS[] = {
    &table_uthash_jenkins, &table_uthash_xxh3, &table_uthash_array, &table_open, &table_sorted,
};

typedef struct measured {
    bench_samples samples[MEASURES];
    double bytes; /* per entry */
} measured;

/* What is put in and what is searched for. */
typedef struct input {
    char *keys, *hits, *misses;
    size_t count, searches;
    uint64_t hits_sum; /* of number + 1 */
} input;

/* Of letters and digits, no two alike: the number itself is in it, well mixed. */
static void make_key(char *key, uint64_t number)
{
    static const char LETTERS[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    uint64_t mixed = bench_mix(number);
    uint64_t more = bench_mix(mixed);
    for (size_t i = 0; i < TABLE_KEY_BYTES; i++) {
        uint64_t bits = i < 11 ? mixed >> (6 * i) : more >> (6 * (i - 11));
        key[i] = LETTERS[bits % 64];
    }
}

static char *make_keys(uint64_t first, size_t count)
{
    char *keys = bench_allocate(count, TABLE_KEY_BYTES);
    for (size_t i = 0; i < count; i++)
        make_key(keys + i * TABLE_KEY_BYTES, first + i);
    return keys;
}

static input input_make(size_t count)
{
    input in = {.count = count, .searches = count < SEARCHES_MAX ? count : SEARCHES_MAX};
    in.keys = make_keys(0, count);
    in.misses = make_keys(count, in.searches);
    in.hits = bench_allocate(in.searches, TABLE_KEY_BYTES);
    for (size_t i = 0; i < in.searches; i++) {
        uint64_t number = bench_mix(~i) % count;
        memcpy(in.hits + i * TABLE_KEY_BYTES, in.keys + number * TABLE_KEY_BYTES, TABLE_KEY_BYTES);
        in.hits_sum += number + 1;
    }
    return in;
}

static void input_free(input *in)
{
    free(in->keys);
    free(in->hits);
    free(in->misses);
}

static double bytes_given_out(void)
{
    struct mallinfo2 info = mallinfo2();
    return (double)info.uordblks + (double)info.hblkhd;
}

/* A search is measured only with what it finds checked. */
static void measure_find(bench_samples *samples,
                         uint64_t (*find)(const void *table, const char *keys, size_t count),
                         const void *table, const char *keys, size_t count, uint64_t sum)
{
    if (find == NULL)
        return;
    double start = bench_clock_ns();
    uint64_t found = find(table, keys, count);
    bench_add(samples, bench_clock_ns() - start, (double)count);
    if (found != sum)
        bench_fail("a table does not find what it holds");
}

static void *measure_build(bench_samples *samples, void *(*build)(const char *keys, size_t count),
                           const input *in)
{
    double start = bench_clock_ns();
    void *table = build(in->keys, in->count);
    bench_add(samples, bench_clock_ns() - start, (double)in->count);
    return table;
}

static void measure_kind(const table_kind *kind, const input *in, measured *m)
{
    bench_samples *samples = m->samples;
    if (kind->build_at_once != NULL)
        kind->destroy(measure_build(&samples[INSERT_AT_ONCE], kind->build_at_once, in));
    double bytes = bytes_given_out();
    void *table = measure_build(&samples[INSERT], kind->build, in);
    m->bytes = (bytes_given_out() - bytes) / (double)in->count;
    measure_find(&samples[HIT], kind->find, table, in->hits, in->searches, in->hits_sum);
    measure_find(&samples[HIT_AHEAD], kind->find_ahead, table, in->hits, in->searches,
                 in->hits_sum);
    measure_find(&samples[MISS], kind->find, table, in->misses, in->searches, 0);
    measure_find(&samples[MISS_AHEAD], kind->find_ahead, table, in->misses, in->searches, 0);
    kind->destroy(table);
}

static void measure_count(bench *b, size_t count)
{
    char title[64];
    measured *m = bench_allocate(COUNT(KINDS), sizeof *m);
    input in = input_make(count);
    for (size_t repetition = 0; repetition < b->repetitions; repetition++)
        for (size_t kind = 0; kind < COUNT(KINDS); kind++)
            measure_kind(KINDS[kind], &in, &m[kind]);
    (void)snprintf(title, sizeof title, "Tables of %zu click ids, per id", count);
    bench_table(b, title);
    for (size_t measure = 0; measure < MEASURES; measure++)
        for (size_t kind = 0; kind < COUNT(KINDS); kind++)
            if (m[kind].samples[measure].count > 0)
                bench_print_times(b, KINDS[kind]->name, MEASURE_NAMES[measure],
                                  &m[kind].samples[measure], 0);
    for (size_t kind = 0; kind < COUNT(KINDS); kind++)
        bench_print_value(b, KINDS[kind]->name, "memory", "bytes", m[kind].bytes);
    b->table = NULL;
    input_free(&in);
    free(m);
}

int main(int argc, char **argv)
{
    uint64_t keys = 0;
    const bench_option options[] = {
        {"keys", &keys, "tables of so many click ids only (default 1000000 and 5000000)"},
        {NULL, NULL, NULL},
    };
    bench b = bench_start(argc, argv, "uthash against open addressing.", options, 5);
    if (keys > UINT32_MAX / 2)
        bench_fail("--keys: at most 2147483647");
    if (keys > 0 || b.quick) {
        measure_count(&b, keys > 0 ? keys : 10000);
    } else {
        measure_count(&b, 1000000);
        measure_count(&b, 5000000);
    }
    bench_note(&b, "uthash cannot be asked ahead: its interface shows no bucket, and a chain can "
                   "only be followed.");
    return 0;
}
