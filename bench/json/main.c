/*
 * JSON parsers side by side: which pass a public conformance suite, and what an event costs them.
 *
 * Each does the same: from a block of lines to the values of the fields of clicks and conversions,
 * which must agree with those that cm_event_reader delivers. The cases of the suite go through the
 * very code that is measured, as the value of a member that no event has, and of one that it has.
 */
#include <stdio.h>
#include <stdlib.h>

#include "harness/json_cases.h"
#include "parsers.h"
#include "util/buffer.h"

#define PARSERS_MAX ((size_t)16)
#define CLICKS_PER_CONVERSION 10

/* --- Events ----------------------------------------------------------------------------------- */

/* A file of whole lines. */
static cm_buffer read_file(const char *path)
{
    cm_buffer text = {0};
    char bytes[4096];
    size_t size;
    FILE *file = fopen(path, "rb");
    if (file != NULL) {
        while ((size = fread(bytes, 1, sizeof bytes, file)) > 0)
            cm_buffer_append(&text, bytes, size);
        (void)fclose(file);
    } else {
        bench_fail("cannot read the events; make bench-json makes them");
    }
    return text;
}

static bool append_line(cm_buffer *out, const cm_buffer *from, size_t *at)
{
    size_t size;
    const char *next = from->data + *at;
    const char *line = json_next_line(&next, from->data + from->size, &size);
    if (line == NULL)
        return false;
    cm_buffer_append(out, line, size);
    cm_buffer_append_char(out, '\n');
    *at = (size_t)(next - from->data);
    return true;
}

/* Clicks with conversions between them. */
static cm_buffer mix_events(const char *clicks_path, const char *conversions_path)
{
    cm_buffer clicks = read_file(clicks_path), conversions = read_file(conversions_path);
    cm_buffer events = {0};
    size_t click = 0, conversion = 0;
    for (size_t i = 1; append_line(&events, &clicks, &click); i++)
        if (i % CLICKS_PER_CONVERSION == 0)
            append_line(&events, &conversions, &conversion);
    cm_buffer_destroy(&clicks);
    cm_buffer_destroy(&conversions);
    for (size_t i = 0; i < JSON_PADDING; i++)
        cm_buffer_append_char(&events, ' ');
    if (events.failed)
        bench_fail("no memory for the events");
    events.size -= JSON_PADDING;
    return events;
}

static uint64_t block_bytes = 1 << 16;

/* --- A parser --------------------------------------------------------------------------------- */

typedef struct work {
    const json_parser *parser;
    void *state;
    size_t accepted, rejected; /* of the suite's cases, as they must be */
    const char *failed[3];     /* the first that were not */
    size_t failed_count;
    bench_samples samples;
} work;

/* All events, a block at a time. */
static void read_all(const work *w, const cm_buffer *events, json_sink *sink)
{
    for (size_t at = 0; at < events->size;) {
        size_t end = events->size - at > block_bytes ? at + block_bytes : events->size;
        while (end > at && events->data[end - 1] != '\n')
            end--;
        if (end == at)
            bench_fail("a block is shorter than a line; give --block more");
        w->parser->read(w->state, events->data + at, end - at, sink);
        at = end;
    }
}

/* A case as a value. No value goes over a line end: it stands as a space, but where it is what the
 * case is about. */
static bool accepts(const work *w, const json_case *one, const char *before, const char *behind)
{
    static json_sink sink;
    cm_event_layouts_init(&sink.layouts);
    sink.events = sink.malformed = 0;
    bool is_kept = strcmp(one->name, "n_string_unescaped_newline") == 0;
    cm_buffer line = {0};
    cm_buffer_append_text(&line, before);
    for (size_t i = 0; i < one->size; i++)
        cm_buffer_append_char(&line, one->text[i] == '\n' && !is_kept ? ' ' : one->text[i]);
    cm_buffer_append_text(&line, behind);
    size_t size = line.size;
    for (size_t i = 0; i < JSON_PADDING; i++)
        cm_buffer_append_char(&line, ' ');
    if (line.failed)
        bench_fail("no memory for a case");
    w->parser->read(w->state, line.data, size, &sink);
    cm_buffer_destroy(&line);
    return sink.events == 1 && sink.malformed == 0;
}

static void try_case(work *w, const json_case *one)
{
    bool must_accept = one->verdict == JSON_MUST_ACCEPT;
    bool unknown = accepts(w, one, "{\"event\":\"click\",\"unknown\":", "}");
    bool known = accepts(w, one, "{\"event\":\"click\",\"os\":", ",\"ad_id\":\"1\"}");
    if (unknown != must_accept || known != must_accept) {
        if (w->failed_count < sizeof w->failed / sizeof *w->failed)
            w->failed[w->failed_count] = one->name;
        w->failed_count++;
    } else if (must_accept) {
        w->accepted++;
    } else {
        w->rejected++;
    }
}

static void try_suite(work *w, const json_cases *cases)
{
    for (size_t i = 0; i < cases->count; i++)
        if (cases->list[i].verdict != JSON_MAY_ACCEPT)
            try_case(w, &cases->list[i]);
}

static uint64_t checksum_of(const work *w, const cm_buffer *events, size_t *count)
{
    static json_sink sink;
    cm_event_layouts_init(&sink.layouts);
    sink.events = sink.malformed = 0;
    sink.checksum = 0;
    sink.is_checked = true;
    read_all(w, events, &sink);
    *count = sink.events;
    return sink.checksum + sink.malformed;
}

/* --- All of them ------------------------------------------------------------------------------ */

static size_t list_parsers(work *works)
{
    size_t count = 0;
    for (size_t i = 0; i < json_ours_count; i++)
        if (json_ours[i].is_there == NULL || json_ours[i].is_there())
            works[count++].parser = &json_ours[i];
    for (size_t i = 0; i < json_simdjson_count; i++)
        works[count++].parser = &json_simdjson[i];
    works[count++].parser = &json_jsmn;
    works[count++].parser = &json_yajl;
    works[count++].parser = &json_json_c;
    works[count++].parser = &json_jansson;
    for (size_t i = 0; i < count; i++)
        works[i].state = works[i].parser->open == NULL ? NULL : works[i].parser->open();
    return count;
}

static void measure(work *works, size_t count, const cm_buffer *events, size_t event_count,
                    size_t repetitions)
{
    static json_sink sink;
    cm_event_layouts_init(&sink.layouts);
    for (size_t repetition = 0; repetition < repetitions; repetition++) {
        for (size_t i = 0; i < count; i++) {
            double start = bench_clock_ns();
            read_all(&works[i], events, &sink);
            bench_add(&works[i].samples, bench_clock_ns() - start, (double)event_count);
        }
    }
    bench_keep(sink.events);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(const bench_samples *samples)
{
    double sorted[BENCH_REPETITIONS_MAX];
    memcpy(sorted, samples->ns, samples->count * sizeof *sorted);
    qsort(sorted, samples->count, sizeof *sorted, compare);
    return sorted[samples->count / 2];
}

static void print(const work *works, size_t count)
{
    (void)printf("%-30s %11s %11s %9s %6s\n", "parser", "must accept", "must reject", "ns/event",
                 "ratio");
    for (size_t i = 0; i < count; i++)
        (void)printf("%-30s %5zu of 95 %4zu of 188 %9.0f %6.1f\n", works[i].parser->name,
                     works[i].accepted, works[i].rejected, median(&works[i].samples),
                     median(&works[i].samples) / median(&works[0].samples));
    for (size_t i = 0; i < count; i++) {
        if (works[i].failed_count == 0)
            continue;
        (void)printf("%s fails %zu:", works[i].parser->name, works[i].failed_count);
        for (size_t j = 0; j < works[i].failed_count && j < 3; j++)
            (void)printf(" %s", works[i].failed[j]);
        (void)printf("%s\n", works[i].failed_count > 3 ? " ..." : "");
    }
}

int main(int argc, char **argv)
{
    static work works[PARSERS_MAX];
    if (argc < 3)
        bench_fail("give the files of clicks and of conversions, then options");
    static const bench_option options[] = {
        {"block", &block_bytes, "bytes of the blocks that are read, at least a line"}, {0}};
    bench b = bench_start(argc - 2, argv + 2, "JSON events to values.", options, 15);
    cm_buffer events = mix_events(argv[1], argv[2]);
    json_cases cases = json_cases_load();
    size_t count = list_parsers(works), event_count, events_of_one;
    uint64_t checksum = checksum_of(&works[0], &events, &event_count);
    for (size_t i = 0; i < count; i++) {
        if (checksum_of(&works[i], &events, &events_of_one) != checksum)
            bench_fail(works[i].parser->name);
        try_suite(&works[i], &cases);
    }
    measure(works, count, &events, event_count, b.quick ? 1 : b.repetitions);
    (void)printf("%zu events of %.0f bytes on average\n", event_count,
                 (double)events.size / (double)event_count);
    print(works, count);
    for (size_t i = 0; i < count; i++)
        if (works[i].parser->close != NULL)
            works[i].parser->close(works[i].state);
    json_cases_free(&cases);
    cm_buffer_destroy(&events);
    return 0;
}
