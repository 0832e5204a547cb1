#include "stream_source.h"

#include <stdio.h>
#include <time.h>

#include "harness.h"

#define DAY_SECONDS 86400
#define DATE_BYTES 10

static const char HEX[] = "0123456789abcdef";
static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The dates that lines of this turn can have. */
static void make_dates(stream_source *source)
{
    const stream_world *world = source->world;
    uint32_t count = world->turn_days + 1 + STREAM_OWN_EXPIRY_DAYS;
    for (uint32_t i = 0; i < count; i++) {
        struct tm tm;
        int64_t day = world->start_day + i + (int64_t)(source->turn * world->turn_days);
        time_t seconds = (time_t)(day * DAY_SECONDS);
        if (gmtime_r(&seconds, &tm) == NULL ||
            strftime(source->dates[i], sizeof source->dates[i], "%Y-%m-%d", &tm) != DATE_BYTES)
            bench_fail("the world lasts too long: its years have no four digits any more");
    }
}

void stream_source_init(stream_source *source, const stream_world *world)
{
    char digits[STREAM_SEQ_DIGITS + 1];
    *source = (stream_source){.world = world, .at = world->tape.data, .seq = STREAM_SEQ_FIRST};
    (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)source->seq);
    memcpy(source->seq_digits, digits, STREAM_SEQ_DIGITS);
    if (world->turn_days + 1 + STREAM_OWN_EXPIRY_DAYS > STREAM_DATES_MAX)
        bench_fail("the window has too many days");
    make_dates(source);
}

static void next_seq(stream_source *source)
{
    source->seq++;
    size_t at = STREAM_SEQ_DIGITS - 1;
    while (source->seq_digits[at] == '9')
        source->seq_digits[at--] = '0';
    source->seq_digits[at]++;
}

/* Ids of different turns differ in what of the turn's number is in them. */
static void patch_line(const stream_source *source, const stream_line *line, char *text)
{
    for (size_t i = 0; i < STREAM_PATCHES && line->dates[i].at != 0; i++)
        memcpy(text + line->dates[i].at, source->dates[line->dates[i].value], DATE_BYTES);
    for (size_t i = 0; i < STREAM_PATCHES && line->ids[i].at != 0; i++) {
        char *digits = text + line->ids[i].at;
        unsigned value = line->ids[i].value ^ (unsigned)(source->turn & 0xffff);
        digits[0] = HEX[value >> 12];
        digits[1] = HEX[value >> 8 & 15];
        digits[2] = HEX[value >> 4 & 15];
        digits[3] = HEX[value & 15];
    }
    for (size_t i = 0; i < STREAM_PATCHES && line->tokens[i].at != 0; i++) {
        char *digits = text + line->tokens[i].at;
        unsigned value = line->tokens[i].value ^ (unsigned)(source->turn & 0xfff);
        digits[0] = BASE64[value >> 6];
        digits[1] = BASE64[value & 63];
    }
}

static void put_event(stream_source *source, stream_chunk *chunk)
{
    const stream_line *line = (const stream_line *)(const void *)source->at;
    char *text = chunk->bytes + chunk->size;
    memcpy(text, line + 1, line->size);
    memcpy(text + line->seq_at, source->seq_digits, STREAM_SEQ_DIGITS);
    patch_line(source, line, text);
    if (line->is_conversion)
        chunk->conversion_seqs[chunk->conversions++] = source->seq;
    chunk->size += line->size;
    chunk->events++;
    next_seq(source);
    source->at += line->stride;
    if (source->at == source->world->tape.data + source->world->tape.size) {
        source->at = source->world->tape.data;
        source->turn++;
        make_dates(source);
    }
}

void stream_source_fill(stream_source *source, stream_chunk *chunk, uint64_t events_max)
{
    chunk->at = chunk->size = 0;
    chunk->events = chunk->conversions = 0;
    while (chunk->events < events_max && STREAM_CHUNK - chunk->size >= STREAM_LINE_MAX)
        put_event(source, chunk);
}

double stream_source_days(const stream_source *source)
{
    const cm_buffer *tape = &source->world->tape;
    double part = (double)(source->at - tape->data) / (double)tape->size;
    return ((double)source->turn + part) * source->world->turn_days;
}
