/*
 * From the bytes of a CSV block to checked records: the marks of each level the machine has, the
 * cutter, the row reader, the records; and single values against what the C library offers.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "io/rows.h"
#include "model/build.h"
#include "model/column.h"
#include "util/buffer.h"
#include "util/time.h"

#define BLOCK_BYTES ((size_t)1 << 20)
#define VALUES ((size_t)1024)
#define CASES_MAX ((size_t)16)

/* --- A block of clicks as shops send them ----------------------------------------------------- */

static const char HEADER[] =
    "tenant_id,click_id,click_timestamp,expires_at,is_valid,fbclid,gclid,campaign_id,adset_id,"
    "ad_id,creative_id,fingerprint_hash,ip_address,user_agent,device_type,os,browser,screen_width,"
    "screen_height,timezone,timezone_offset\n";

static const char *const USER_AGENTS[] = {
    "\"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/144.0.0.0 Mobile Safari/537.36\",mobile",
    "\"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/144.0.0.0 Safari/537.36\",desktop",
    "\"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/26.0 Mobile/15E148 Safari/604.1\",mobile",
};

static uint64_t seed;

static uint64_t next_random(void)
{
    return bench_mix(seed++);
}

static void append_ipv4(cm_buffer *out)
{
    uint64_t bits = next_random();
    for (int i = 0; i < 4; i++, bits >>= 8) {
        cm_buffer_append_u64(out, i == 0 ? 32 + bits % 64 : bits % 256);
        if (i < 3)
            cm_buffer_append_char(out, '.');
    }
}

static void append_ipv6(cm_buffer *out)
{
    uint64_t high = next_random(), low = next_random();
    char text[64];
    snprintf(text, sizeof text, "2003:%x:%x:%x:%x:%x:%x:%x", (unsigned)(high & 0xFFFF),
             (unsigned)(high >> 16 & 0xFFFF), (unsigned)(high >> 32 & 0xFFFF),
             (unsigned)(high >> 48), (unsigned)(low & 0xFFFF), (unsigned)(low >> 16 & 0xFFFF),
             (unsigned)(low >> 32 & 0xFFFF));
    cm_buffer_append_text(out, text);
}

static void append_hex(cm_buffer *out, unsigned words)
{
    for (unsigned i = 0; i < words; i++) {
        char text[17];
        snprintf(text, sizeof text, "%016llx", (unsigned long long)next_random());
        cm_buffer_append_text(out, text);
    }
}

static void append_time(cm_buffer *out)
{
    char text[32];
    uint64_t bits = next_random();
    snprintf(text, sizeof text, "2026-03-%02uT%02u:%02u:%02u.%06uZ", 1 + (unsigned)(bits % 31),
             (unsigned)(bits >> 8 & 0xFF) % 24, (unsigned)(bits >> 16 & 0xFF) % 60,
             (unsigned)(bits >> 24 & 0xFF) % 60, (unsigned)(bits >> 32 & 0xFFFFF) % 1000000);
    cm_buffer_append_text(out, text);
}

static void append_row(cm_buffer *out)
{
    uint64_t bits = next_random();
    cm_buffer_append_text(out, "shop-");
    cm_buffer_append_u64(out, bits % 5);
    cm_buffer_append_text(out, ",k-");
    append_hex(out, 1);
    cm_buffer_append_char(out, ',');
    append_time(out);
    cm_buffer_append_text(out, bits >> 8 & 1 ? ",,true," : ",,,");
    static const char *const parameters[] = {"IwY2xjaw9jK5RT8r42JHfRT1fn,", ",", ",",
                                             ",Cj0KCQgBuaadHlSbuCCTISi"};
    cm_buffer_append_text(out, parameters[bits >> 9 & 3]);
    for (int i = 0; i < 4; i++) {
        cm_buffer_append_char(out, ',');
        cm_buffer_append_u64(out, 1000000 + next_random() % 8999999);
    }
    cm_buffer_append_char(out, ',');
    if ((bits >> 16 & 7) != 0)
        append_hex(out, 4);
    cm_buffer_append_char(out, ',');
    if ((bits >> 20) % 3 == 0)
        append_ipv6(out);
    else
        append_ipv4(out);
    cm_buffer_append_char(out, ',');
    cm_buffer_append_text(out, USER_AGENTS[(bits >> 32) % 3]);
    cm_buffer_append_text(out, ",,,,,,\n");
}

/* --- Whole blocks ----------------------------------------------------------------------------- */

typedef struct block {
    cm_layout layout;
    cm_buffer bytes;
    size_t rows;
} block;

static void make_block(block *made, size_t bytes)
{
    cm_error error;
    size_t skip;
    if (cm_layout_read(CM_ROW_CLICK, HEADER, sizeof HEADER - 1, &made->layout, &skip, &error) !=
        CM_OK)
        bench_fail(error.message);
    while (made->bytes.size < bytes) {
        append_row(&made->bytes);
        made->rows++;
    }
    if (made->bytes.failed)
        bench_fail("no memory for a block");
}

/* A level on a block. */
typedef struct work {
    const block *block;
    const cm_mark_kernel *kernel;
    cm_mark_function *mark;
} work;

static uint64_t run_marks(void *context, uint64_t rounds)
{
    const work *w = context;
    uint64_t sum = 0;
    uint16_t marks[CM_MARK_ROOM];
    for (; rounds > 0; rounds--) {
        const cm_buffer *bytes = &w->block->bytes;
        for (size_t at = 0; at < bytes->size; at += CM_STRETCH_BYTES) {
            size_t left = bytes->size - at;
            sum +=
                w->mark(bytes->data + at, left < CM_STRETCH_BYTES ? left : CM_STRETCH_BYTES, marks);
        }
    }
    return sum + marks[0];
}

static uint64_t run_walk(void *context, uint64_t rounds)
{
    const work *w = context;
    uint64_t sum = 0;
    for (; rounds > 0; rounds--) {
        cm_csv_walk walk = {0};
        size_t end;
        while (cm_csv_walk_row(&walk, w->block->bytes.data, w->block->bytes.size, false, &end) !=
               CM_CSV_END_UNKNOWN)
            sum += end;
    }
    return sum;
}

static uint64_t run_cutter(void *context, uint64_t rounds)
{
    const work *w = context;
    uint64_t sum = 0;
    for (; rounds > 0; rounds--) {
        cm_cutter cutter;
        cm_cutter_init(&cutter, CM_FORMAT_CSV);
        cutter.kernel = w->kernel;
        sum += cm_cutter_border(&cutter, w->block->bytes.data, w->block->bytes.size);
    }
    return sum;
}

static uint64_t read_rows(const work *w, uint64_t rounds, bool is_built)
{
    static const cm_build_options options = {0};
    static cm_row row;
    uint64_t sum = 0;
    for (; rounds > 0; rounds--) {
        cm_arena arena = {0};
        cm_row_reader reader;
        cm_row_reader_init(&reader, &w->block->layout, w->block->bytes.data, w->block->bytes.size,
                           &arena);
        reader.kernel = w->kernel;
        while (cm_row_reader_next(&reader, &row)) {
            cm_click click;
            cm_reject reject;
            if (is_built &&
                cm_click_build(row.values, &options, &arena, NULL, &click, &reject) != CM_OK)
                bench_fail(reject.reason);
            sum += is_built ? click.device.user_agent.size : row.end;
            bench_forget();
        }
        cm_arena_destroy(&arena);
    }
    return sum;
}

static uint64_t run_reader(void *context, uint64_t rounds)
{
    return read_rows(context, rounds, false);
}

static uint64_t run_records(void *context, uint64_t rounds)
{
    return read_rows(context, rounds, true);
}

/* One kind of work at every level the machine has. */
static size_t add_levels(bench_case *cases, size_t count, work *works, const block *rows,
                         const char *name, uint64_t (*run)(void *context, uint64_t rounds))
{
    for (int level = 0; level < CM_MARK_LEVEL_COUNT; level++) {
        const cm_mark_kernel *kernel = cm_mark_kernel_at((cm_mark_level)level);
        if (kernel == NULL)
            continue;
        bool is_quotes = strcmp(name, "marks, quotes alone") == 0;
        works[count] = (work){rows, kernel, is_quotes ? kernel->quotes : kernel->csv};
        cases[count] = (bench_case){
            name,          kernel->name,       run,
            &works[count], (double)rows->rows, (double)rows->bytes.size / (double)rows->rows};
        count++;
    }
    return count;
}

static void bench_blocks(bench *b)
{
    block rows = {0};
    work works[CASES_MAX];
    bench_case cases[CASES_MAX];
    make_block(&rows, b->quick ? BLOCK_BYTES / 16 : BLOCK_BYTES);
    bench_table(b, "Marks of a CSV block, per row");
    size_t count = add_levels(cases, 0, works, &rows, "marks", run_marks);
    count = add_levels(cases, count, works, &rows, "marks, quotes alone", run_marks);
    bench_run(b, cases, count);
    bench_table(b, "Where a CSV block may be cut, per row");
    count = add_levels(cases, 0, works, &rows, "cutter", run_cutter);
    cases[count] = cases[count - 1];
    cases[count].name = "every row walked";
    cases[count].variant = "-";
    cases[count++].run = run_walk;
    bench_run(b, cases, count);
    bench_table(b, "Rows of a CSV block, per row");
    count = add_levels(cases, 0, works, &rows, "reader", run_reader);
    count = add_levels(cases, count, works, &rows, "reader and records", run_records);
    bench_run(b, cases, count);
    cm_layout_destroy(&rows.layout);
    cm_buffer_destroy(&rows.bytes);
}

/* --- Values ----------------------------------------------------------------------------------- */

typedef struct values {
    cm_buffer bytes;
    cm_slice slices[VALUES];
} values;

/* Random values, a NUL behind each for who needs one. */
static void make_values(values *made, void (*append)(cm_buffer *out))
{
    size_t ends[VALUES + 1] = {0};
    for (size_t i = 0; i < VALUES; i++) {
        append(&made->bytes);
        cm_buffer_append_char(&made->bytes, '\0');
        ends[i + 1] = made->bytes.size;
    }
    if (made->bytes.failed)
        bench_fail("no memory for values");
    for (size_t i = 0; i < VALUES; i++)
        made->slices[i] = cm_slice_of(made->bytes.data + ends[i], ends[i + 1] - ends[i] - 1);
}

static void append_fingerprint(cm_buffer *out)
{
    append_hex(out, 4);
}

static void append_id(cm_buffer *out)
{
    cm_buffer_append_text(out, "k-");
    append_hex(out, 1);
}

static void append_wide_id(cm_buffer *out)
{
    cm_buffer_append_text(out, "caf\xC3\xA9-");
    append_hex(out, 1);
}

static uint64_t run_time(void *context, uint64_t rounds)
{
    const values *v = context;
    int64_t sum = 0;
    for (; rounds > 0; rounds--) {
        for (size_t i = 0; i < VALUES; i++) {
            int64_t time_us = 0;
            sum += cm_time_parse(v->slices[i], &time_us);
            sum ^= time_us;
        }
    }
    return (uint64_t)sum;
}

static uint64_t run_address(void *context, uint64_t rounds)
{
    const values *v = context;
    uint64_t sum = 0;
    for (; rounds > 0; rounds--) {
        for (size_t i = 0; i < VALUES; i++) {
            cm_address address = {0};
            sum += cm_address_parse(v->slices[i], &address);
            sum += address.bytes[3];
        }
    }
    return sum;
}

static uint64_t run_inet_pton(void *context, uint64_t rounds)
{
    const values *v = context;
    int family = memchr(v->slices[0].data, ':', v->slices[0].size) != NULL ? AF_INET6 : AF_INET;
    uint64_t sum = 0;
    for (; rounds > 0; rounds--) {
        for (size_t i = 0; i < VALUES; i++) {
            uint8_t address[16] = {0};
            sum += (uint64_t)inet_pton(family, v->slices[i].data, address);
            sum += address[3];
        }
    }
    return sum;
}

static uint64_t run_fingerprint(void *context, uint64_t rounds)
{
    const values *v = context;
    uint64_t sum = 0;
    for (; rounds > 0; rounds--) {
        for (size_t i = 0; i < VALUES; i++) {
            uint8_t fingerprint[32];
            sum += cm_fingerprint_parse(v->slices[i], fingerprint);
            sum += fingerprint[7];
        }
    }
    return sum;
}

static uint64_t run_id(void *context, uint64_t rounds)
{
    const values *v = context;
    uint64_t sum = 0;
    for (; rounds > 0; rounds--)
        for (size_t i = 0; i < VALUES; i++)
            sum += cm_id_fault(v->slices[i]) == NULL;
    return sum;
}

static void bench_values(bench *b)
{
    static values times, ipv4, ipv6, fingerprints, ids, wide_ids;
    make_values(&times, append_time);
    make_values(&ipv4, append_ipv4);
    make_values(&ipv6, append_ipv6);
    make_values(&fingerprints, append_fingerprint);
    make_values(&ids, append_id);
    make_values(&wide_ids, append_wide_id);
    const bench_case cases[] = {
        {"time", "microseconds", run_time, &times, VALUES, 0},
        {"IPv4", "cm_address", run_address, &ipv4, VALUES, 0},
        {"IPv4", "inet_pton", run_inet_pton, &ipv4, VALUES, 0},
        {"IPv6", "cm_address", run_address, &ipv6, VALUES, 0},
        {"IPv6", "inet_pton", run_inet_pton, &ipv6, VALUES, 0},
        {"fingerprint", "64 hex digits", run_fingerprint, &fingerprints, VALUES, 0},
        {"id check", "ASCII", run_id, &ids, VALUES, 0},
        {"id check", "UTF-8", run_id, &wide_ids, VALUES, 0},
    };
    bench_table(b, "Values, each");
    bench_run(b, cases, sizeof cases / sizeof *cases);
    values *all[] = {&times, &ipv4, &ipv6, &fingerprints, &ids, &wide_ids};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        cm_buffer_destroy(&all[i]->bytes);
}

int main(int argc, char **argv)
{
    bench b = bench_start(argc, argv, "CSV bytes to records.", NULL, 31);
    bench_blocks(&b);
    bench_values(&b);
    return 0;
}
