/*
 * A stream into the database, for test_sink.sh: events of a file through the engine into the sink.
 *
 *     check_sink [NAME=VALUE]... FILE      prints the sink's state as JSON
 *
 * Names: db, schema, stream, rows, linger (ms), backoff (ms, first pause), backoff_max, clicks
 * (1: stored), resume (1: events up to the stored position are not handed over again), position (0:
 * none is stored), give_up (s without an end of the last flush), status (a file that says each
 * tenth of a second how things are), pause (us after each block), block (bytes).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "pg/pg_sink.h"
#include "stream/stream.h"

typedef struct driver {
    const char *status_path, *file;
    bool stores_clicks, resumes, has_position;
    unsigned give_up_s, pause_us;
    size_t block_bytes;
    cm_pg_sink_config config;
    cm_pg_sink *sink;
    cm_pg_sink_state at_start;
    cm_stream *stream;
    cm_model *model;
    uint64_t told_ns;
} driver;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void print_state(driver *d, FILE *out)
{
    struct rusage usage;
    cm_pg_sink_state s;
    cm_pg_sink_get_state(d->sink, &s);
    for (char *byte = s.last_error; *byte != '\0'; byte++)
        if (*byte == '"' || *byte == '\\')
            *byte = '\'';
    getrusage(RUSAGE_SELF, &usage);
    (void)fprintf(out,
                  "{\"connected\": %d, \"attempts\": %" PRIu64 ", \"batches\": %" PRIu64
                  ", \"clicks\": %" PRIu64 ", \"inserted\": %" PRIu64 ", \"updated\": %" PRIu64
                  ", \"dead\": %" PRIu64 ", \"taken\": %" PRIu64 ", \"settled\": %" PRIu64
                  ", \"position\": %" PRId64 ", \"oldest_ms\": %" PRIu64
                  ", \"failure\": %d, \"peak_kb\": %ld, \"error\": \"%s\"}\n",
                  s.is_connected, s.attempts, s.batches, s.clicks_inserted, s.conversions_inserted,
                  s.conversions_updated, s.dead, s.rows_taken, s.rows_settled,
                  s.has_position ? (int64_t)s.position : -1,
                  s.oldest_ns == 0 ? 0 : (now_ns() - s.oldest_ns) / 1000000, (int)s.failure,
                  usage.ru_maxrss, s.last_error);
}

static void tell(driver *d)
{
    uint64_t now = now_ns();
    if (d->status_path == NULL || now - d->told_ns < 100000000)
        return;
    FILE *out = fopen("status.new", "w"); /* whole or not at all, for who reads it */
    if (out != NULL) {
        print_state(d, out);
        (void)fclose(out);
        (void)rename("status.new", d->status_path);
    }
    d->told_ns = now;
}

/* --- What the stream tells, into the sink ----------------------------------------------------- */

static cm_status make_room(driver *d, cm_error *error)
{
    bool has_room = cm_pg_sink_has_room(d->sink);
    cm_status status = CM_OK;
    while (status == CM_OK && !has_room) {
        tell(d);
        status = cm_pg_sink_wait_room(d->sink, 50, &has_room, error);
    }
    return status;
}

static bool is_known(const driver *d, const cm_event_place *place)
{
    return d->resumes && d->at_start.has_position && place->has_seq &&
           place->seq <= d->at_start.position;
}

static cm_pg_sink_origin origin_of(const cm_event_place *place, cm_slice text, char room[40])
{
    (void)snprintf(room, 40, "%s %" PRIu64, place->has_seq ? "seq" : "line",
                   place->has_seq ? place->seq : place->line);
    return (cm_pg_sink_origin){{room, strlen(room)}, text};
}

static cm_status take_click(void *context, const cm_event_place *place, const cm_click *click,
                            const cm_value *values, cm_slice text, cm_error *error)
{
    driver *d = context;
    char room[40];
    (void)values;
    if (!d->stores_clicks || is_known(d, place))
        return CM_OK;
    cm_status status = make_room(d, error);
    cm_pg_sink_origin origin = origin_of(place, text, room);
    return status == CM_OK ? cm_pg_sink_add_click(d->sink, click, &origin, error) : status;
}

static cm_status take_results(void *context, const cm_stream_conversion *from,
                              const cm_conversion *conversions, const cm_result *results,
                              size_t count, cm_error *error)
{
    driver *d = context;
    char room[40];
    cm_status status = CM_OK;
    for (size_t i = 0; i < count && status == CM_OK; i++) {
        const cm_pg_sink_result row = {.conversion = &conversions[i],
                                       .type = &from[i].values[CM_EVENT_CONVERSION_TYPE],
                                       .value = &from[i].values[CM_EVENT_CONVERSION_VALUE],
                                       .result = &results[i],
                                       .model = cm_model_label(d->model)};
        cm_pg_sink_origin origin = origin_of(&from[i].place, from[i].text, room);
        if (is_known(d, &from[i].place))
            continue;
        status = make_room(d, error);
        if (status == CM_OK)
            status = cm_pg_sink_add_result(d->sink, &row, &origin, error);
    }
    return status;
}

static cm_status take_reject(void *context, const cm_event_place *place, const cm_event *event,
                             const cm_reject_line *reject, cm_error *error)
{
    driver *d = context;
    char room[40];
    const cm_pg_sink_dead dead = {
        .event_type = event->row.malformed != NULL  ? NULL
                      : event->kind == CM_ROW_CLICK ? "click"
                                                    : "conversion",
        .tenant_id = event->row.malformed != NULL ? (cm_slice){NULL, 0}
                                                  : event->row.values[CM_CLICK_TENANT_ID].text,
        .error_type = "malformed",
        .field = reject->field,
        .reason = reject->reason,
    };
    cm_pg_sink_origin origin = origin_of(place, reject->row, room);
    if (is_known(d, place))
        return CM_OK;
    cm_status status = make_room(d, error);
    return status == CM_OK ? cm_pg_sink_add_dead(d->sink, &dead, &origin, error) : status;
}

/* --- The run ---------------------------------------------------------------------------------- */

static cm_status feed(driver *d, const char *bytes, size_t size, cm_error *error)
{
    cm_status status = CM_OK;
    uint64_t line = 1;
    for (size_t at = 0; at < size && status == CM_OK;) {
        size_t end = at + d->block_bytes < size ? at + d->block_bytes : size;
        while (end < size && bytes[end - 1] != '\n')
            end++;
        status = cm_stream_take(d->stream, bytes + at, end - at, &line, at, error);
        at = end;
        if (status == CM_OK && d->has_position && d->stream->last.has_seq)
            cm_pg_sink_settle(d->sink, d->stream->last.seq);
        if (status == CM_OK)
            status = cm_pg_sink_tick(d->sink, now_ns(), error);
        tell(d);
        if (d->pause_us > 0)
            (void)usleep(d->pause_us);
    }
    return status == CM_OK ? cm_stream_let_go(d->stream, error) : status;
}

static cm_status finish(driver *d, cm_error *error)
{
    uint64_t end_ns = now_ns() + (uint64_t)d->give_up_s * 1000000000;
    bool done = false;
    cm_status status = CM_OK;
    while (status == CM_OK && !done && now_ns() < end_ns) {
        status = cm_pg_sink_flush(d->sink, 50, &done, error);
        tell(d);
    }
    return status == CM_OK && !done
               ? cm_error_set(error, CM_ERROR_INTERRUPTED, "gave up: not all is written")
               : status;
}

static char *read_all(const char *path, size_t *size)
{
    FILE *in = fopen(path, "rb");
    if (in == NULL || fseek(in, 0, SEEK_END) != 0)
        return NULL;
    *size = (size_t)ftell(in);
    char *bytes = malloc(*size + 1);
    rewind(in);
    if (bytes != NULL && fread(bytes, 1, *size, in) != *size)
        *size = 0;
    (void)fclose(in);
    return bytes;
}

static cm_status run(driver *d, cm_error *error)
{
    const cm_stream_listener listener = {.click = take_click,
                                         .results = take_results,
                                         .reject = take_reject,
                                         .needs_values = true,
                                         .context = d};
    const cm_stream_options options = {
        .clock = {.lateness_us = 3600LL * 1000000, .max_future_us = 30LL * 86400 * 1000000},
        .source = d->file};
    cm_engine *engine = NULL;
    size_t size = 0;
    char *bytes = read_all(d->file, &size);
    cm_status status = bytes == NULL ? cm_error_set(error, CM_ERROR_IO, "cannot read %s", d->file)
                                     : cm_model_create(NULL, 0, &d->model, error);
    if (status == CM_OK)
        status = cm_engine_create(NULL, d->model, &engine, error);
    if (status == CM_OK)
        status = cm_stream_create(engine, &options, &listener, &d->stream, error);
    if (status == CM_OK)
        status = cm_pg_sink_open(&d->config, &d->sink, error);
    if (status == CM_OK) {
        cm_pg_sink_get_state(d->sink, &d->at_start);
        status = feed(d, bytes, size, error);
        if (status == CM_OK)
            status = finish(d, error);
        print_state(d, stdout);
    }
    cm_pg_sink_close(d->sink);
    cm_stream_destroy(d->stream);
    cm_engine_destroy(engine);
    cm_model_destroy(d->model);
    free(bytes);
    return status;
}

static void set(driver *d, const char *name, const char *value)
{
    unsigned long number = strtoul(value, NULL, 10);
    if (strcmp(name, "db") == 0)
        d->config.pg.conninfo = value;
    else if (strcmp(name, "schema") == 0)
        d->config.pg.schema = value;
    else if (strcmp(name, "stream") == 0)
        d->config.stream_name = value;
    else if (strcmp(name, "rows") == 0)
        d->config.batch_rows = number;
    else if (strcmp(name, "linger") == 0)
        d->config.linger_ms = (unsigned)number;
    else if (strcmp(name, "backoff") == 0)
        d->config.backoff_min_ms = (unsigned)number;
    else if (strcmp(name, "backoff_max") == 0)
        d->config.backoff_max_ms = (unsigned)number;
    else if (strcmp(name, "clicks") == 0)
        d->stores_clicks = number != 0;
    else if (strcmp(name, "resume") == 0)
        d->resumes = number != 0;
    else if (strcmp(name, "position") == 0)
        d->has_position = number != 0;
    else if (strcmp(name, "give_up") == 0)
        d->give_up_s = (unsigned)number;
    else if (strcmp(name, "status") == 0)
        d->status_path = value;
    else if (strcmp(name, "pause") == 0)
        d->pause_us = (unsigned)number;
    else if (strcmp(name, "block") == 0)
        d->block_bytes = number;
    else
        (void)fprintf(stderr, "check_sink: no %s\n", name);
}

int main(int argc, char **argv)
{
    driver d = {.has_position = true, .give_up_s = 120, .block_bytes = 65536};
    cm_error error = {0};
    d.config.stream_name = "test";
    d.config.backoff_min_ms = 20;
    d.config.seed = now_ns();
    d.config.click_window_us = 168LL * 3600 * 1000000;
    for (int i = 1; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (equals == NULL) {
            d.file = argv[i];
            continue;
        }
        *equals = '\0';
        set(&d, argv[i], equals + 1);
    }
    cm_status status = run(&d, &error);
    if (status != CM_OK)
        (void)fprintf(stderr, "%s\n", error.message);
    return (int)status;
}
