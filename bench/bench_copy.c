/*
 * Binary COPY, without a database: encode rows of results as `batch` stages them, decode rows of
 * clicks and of conversions as it loads them.
 */
#include "harness.h"
#include "io/pgcopy_reader.h"
#include "io/pgcopy_writer.h"
#include "util/slice.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define ROWS ((size_t)256) /* of a round: 100 KB, so that they stay in the cache */
#define RESULT_COLUMNS 13
#define TIME_US 1772323200000000LL /* 2026-03-01 */

#define UUID CM_PGCOPY_UUID
#define TEXT CM_PGCOPY_TEXT
#define TIME CM_PGCOPY_TIMESTAMPTZ
#define BOOL CM_PGCOPY_BOOL
#define INET CM_PGCOPY_INET
#define INT4 CM_PGCOPY_INT4

/* A column: its type, and for texts what each row has there; "" is NULL. */
typedef struct column {
    cm_pgcopy_type type;
    const char *text;
} column;

static const char SHA[] = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
static const char AGENT[] = "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, "
                            "like Gecko) Chrome/122.0.0.0 Mobile Safari/537.36";

/* As the queries ask for them. */
static const column CLICK_COLUMNS[] = {
    {UUID, NULL},
    {TEXT, "tenant-1"},
    {TEXT, "click-00000012345"},
    {TIME, NULL},
    {TIME, NULL},
    {BOOL, NULL},
    {TEXT, "IwAR2xYbDq8jF0s1Kk3mVtPzQ9uWc7eLhNnRrGa5TfBvXyZ0aBcDeFgHiJkLm"},
    {TEXT, ""},
    {TEXT, SHA},
    {INET, NULL},
    {TEXT, AGENT},
    {TEXT, "mobile"},
    {TEXT, "Android"},
    {TEXT, "Chrome"},
    {INT4, NULL},
    {INT4, NULL},
    {TEXT, "Europe/Berlin"},
    {INT4, NULL},
};
static const column CONVERSION_COLUMNS[] = {
    {UUID, NULL},
    {TEXT, "tenant-1"},
    {TEXT, "conversion-000123"},
    {TIME, NULL},
    {TEXT, ""},
    {TEXT, ""},
    {TEXT, ""},
    {TEXT, SHA},
    {INET, NULL},
    {TEXT, AGENT},
    {TEXT, "mobile"},
    {TEXT, "Android"},
    {TEXT, "Chrome"},
    {INT4, NULL},
    {INT4, NULL},
    {TEXT, "Europe/Berlin"},
    {INT4, NULL},
};

/* Rows to be decoded, in one piece behind a header. */
typedef struct stream {
    cm_buffer bytes;
    cm_pgcopy_type types[CM_FIELD_COUNT_MAX];
    cm_pgcopy_columns columns;
} stream;

static void put_field(cm_buffer *rows, const column *of, uint64_t number)
{
    static const char INET_FIELD[] = "\0\0\0\10\2\40\0\4"; /* its size, IPv4, /32, no cidr, 4 */
    uint64_t random[2] = {bench_mix(number), bench_mix(~number)};
    switch (of->type) {
    case CM_PGCOPY_UUID:
        cm_pgcopy_put_uuid(rows, random);
        break;
    case CM_PGCOPY_TIMESTAMPTZ:
        cm_pgcopy_put_timestamptz(rows, TIME_US + (int64_t)number);
        break;
    case CM_PGCOPY_BOOL:
        cm_pgcopy_put_bool(rows, true);
        break;
    case CM_PGCOPY_INET:
        cm_buffer_append(rows, INET_FIELD, sizeof INET_FIELD - 1);
        cm_buffer_append(rows, (const char *)random, 4);
        break;
    case CM_PGCOPY_INT4:
        cm_pgcopy_put_int4(rows, (int32_t)(number % 4096));
        break;
    default:
        if (of->text[0] == '\0')
            cm_pgcopy_put_null(rows);
        else
            cm_pgcopy_put_text(rows, cm_slice_of_text(of->text));
    }
}

static void stream_init(stream *s, const column *columns, size_t count)
{
    *s = (stream){.columns = {s->types, (uint16_t)count, (uint16_t)count}};
    for (size_t i = 0; i < count; i++)
        s->types[i] = columns[i].type;
    cm_pgcopy_put_header(&s->bytes);
    for (size_t row = 0; row < ROWS; row++) {
        cm_pgcopy_put_row(&s->bytes, (uint16_t)count);
        for (size_t i = 0; i < count; i++)
            put_field(&s->bytes, &columns[i], row * count + i);
    }
    cm_pgcopy_put_trailer(&s->bytes);
    if (s->bytes.failed)
        bench_fail("memory is short");
}

static uint64_t run_read(void *context, uint64_t rounds)
{
    const stream *s = context;
    uint64_t sum = 0;
    cm_value values[CM_FIELD_COUNT_MAX];
    cm_slice rest;
    for (uint64_t round = 0; round < rounds; round++) {
        cm_pgcopy_step step = CM_PGCOPY_ROW;
        cm_pgcopy_reader reader;
        cm_pgcopy_reader_init(&reader, &s->columns);
        for (size_t at = 0, used; step == CM_PGCOPY_ROW; at += used) {
            if (cm_pgcopy_read(&reader, s->bytes.data + at, s->bytes.size - at, &used, &step,
                               values, &rest, NULL) != CM_OK)
                bench_fail("cm_pgcopy_read failed");
            sum += (uint64_t)values[3].integer + values[1].text.size;
        }
        if (reader.row != ROWS)
            bench_fail("rows are missing");
    }
    return sum;
}

static void put_result(cm_buffer *rows, uint64_t number)
{
    static const char CANDIDATES[] =
        "[{\"click_id\": \"click-00000012345\", \"probability\": 0.812345}, "
        "{\"click_id\": \"click-00000054321\", \"probability\": 0.101234}]";
    uint64_t ids[4] = {bench_mix(number), number, bench_mix(~number), number};
    cm_pgcopy_put_row(rows, RESULT_COLUMNS);
    cm_pgcopy_put_uuid(rows, ids);
    cm_pgcopy_put_uuid(rows, ids + 2);
    cm_pgcopy_put_text(rows, CM_SLICE("fingerprint"));
    cm_pgcopy_put_numeric(rows, (int64_t)(number * 39 % 10001), 4);
    cm_pgcopy_put_int4(rows, 168);
    cm_pgcopy_put_numeric(rows, (int64_t)(number * 41 % 10001), 4);
    cm_pgcopy_put_jsonb(rows, CM_SLICE(CANDIDATES));
    cm_pgcopy_put_numeric(rows, (int64_t)(number * 3901 % 1000001), 6);
    cm_pgcopy_put_text(rows, CM_SLICE("clickmatch-default@1"));
    cm_pgcopy_put_bool(rows, true);
    cm_pgcopy_put_text(rows, CM_SLICE("no_key"));
    cm_pgcopy_put_text(rows, CM_SLICE("success"));
    cm_pgcopy_put_text(rows, CM_SLICE("not_run"));
}

static uint64_t run_write(void *context, uint64_t rounds)
{
    cm_buffer *rows = context;
    for (uint64_t round = 0; round < rounds; round++) {
        rows->size = 0;
        for (size_t i = 0; i < ROWS; i++)
            put_result(rows, round + i);
        bench_forget();
    }
    return rows->failed ? 0 : rows->size;
}

int main(int argc, char **argv)
{
    stream clicks, conversions;
    cm_buffer results = {0};
    bench b = bench_start(argc, argv, "The codec of binary COPY.", NULL, 15);
    stream_init(&clicks, CLICK_COLUMNS, COUNT(CLICK_COLUMNS));
    stream_init(&conversions, CONVERSION_COLUMNS, COUNT(CONVERSION_COLUMNS));
    if (run_write(&results, 1) == 0)
        bench_fail("memory is short");
    const bench_case cases[] = {
        {"read clicks", "18 columns", run_read, &clicks, ROWS, (double)clicks.bytes.size / ROWS},
        {"read conversions", "17 columns", run_read, &conversions, ROWS,
         (double)conversions.bytes.size / ROWS},
        {"write results", "13 columns", run_write, &results, ROWS, (double)results.size / ROWS},
    };
    bench_table(&b, "Binary COPY, per row");
    bench_run(&b, cases, COUNT(cases));
    cm_buffer_destroy(&clicks.bytes);
    cm_buffer_destroy(&conversions.bytes);
    cm_buffer_destroy(&results);
    return 0;
}
