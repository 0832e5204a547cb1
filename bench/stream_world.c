#include "stream_world.h"

#include "harness.h"
#include "sim/sim.h"

#define DAY_US INT64_C(86400000000)
#define TOKEN_BYTES 18      /* what is random of an fbclid or gclid, at its end */
#define MILLISECONDS_END 23 /* of YYYY-MM-DDThh:mm:ss.mmmuuuZ; where uuu is 000, it is left out */
#define SAMPLE_CLICKS 100000
#define SAMPLE_CONVERSIONS 10000

/* What comes between the "event" and the rest; the digits are written when it is sent. */
static const char SEQ[] = "\"seq\":0000000000,";
#define SEQ_BYTES (sizeof SEQ - 1)
#define SEQ_DIGITS_AT 6

/* What a line is made from: a row of the simulator. */
typedef struct row {
    const char *text;
    size_t size;
    cm_slice time;
    stream_line line; /* without its sizes; places are those in `text` */
} row;

/* --- Rows ------------------------------------------------------------------------------------- */

static unsigned two_digits(const char *at)
{
    return (unsigned)(at[0] - '0') * 10 + (unsigned)(at[1] - '0');
}

/* Days since 1970 of YYYY-MM-DD: years begin in March, so that leap days come last. */
static int64_t day_of(const char *date)
{
    unsigned month = two_digits(date + 5);
    int64_t year = (int64_t)(two_digits(date) * 100 + two_digits(date + 2)) - (month <= 2);
    int64_t day = (153 * ((month + 9) % 12) + 2) / 5 + two_digits(date + 8) - 1;
    return year * 365 + year / 4 - year / 100 + year / 400 + day - 719468;
}

static uint16_t hex_value(const char *digits)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)digits[i];
        value = value << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return (uint16_t)value;
}

static unsigned base64_value(char c)
{
    unsigned u = (unsigned char)c;
    if (c >= 'a')
        return u - 'a' + 26;
    if (c == '_')
        return 63;
    if (c >= 'A')
        return u - 'A';
    return c == '-' ? 62 : u - '0' + 52;
}

static void add_patch(stream_patch *patches, size_t at, unsigned value)
{
    size_t i = patches[0].at == 0 ? 0 : 1;
    patches[i] = (stream_patch){(uint16_t)at, (uint16_t)value};
}

static bool is_named(cm_slice name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

static void note_date(row *r, cm_slice value, int64_t start_day)
{
    add_patch(r->line.dates, (size_t)(value.data - r->text),
              (unsigned)(day_of(value.data) - start_day));
}

/* False when nothing that changes comes any more. */
static bool note_field(row *r, cm_slice name, cm_slice value, int64_t start_day)
{
    size_t at = (size_t)(value.data - r->text);
    if (is_named(name, "click_timestamp") || is_named(name, "conversion_timestamp")) {
        r->time = value;
        note_date(r, value, start_day);
    } else if (is_named(name, "expires_at")) {
        note_date(r, value, start_day);
    } else if (is_named(name, "click_id") || is_named(name, "conversion_id")) {
        add_patch(r->line.ids, at + 2, hex_value(value.data + 2));
    } else if (is_named(name, "fbclid") || is_named(name, "gclid")) {
        const char *token = value.data + value.size - TOKEN_BYTES;
        add_patch(r->line.tokens, (size_t)(token - r->text),
                  base64_value(token[0]) << 6 | base64_value(token[1]));
    }
    return !is_named(name, "ip_address");
}

/* The simulator writes no blanks and escapes nothing. */
static void parse_row(row *r, int64_t start_day)
{
    const char *end = r->text + r->size - 2; /* the closing brace */
    const char *at = r->text + 1;
    r->line.is_conversion = memcmp(r->text, "{\"event\":\"conv", 14) == 0;
    for (bool more = true; more && at < end;) {
        const char *name_end = memchr(at + 1, '"', (size_t)(end - at - 1));
        cm_slice name = cm_slice_of(at + 1, (size_t)(name_end - at - 1));
        bool is_text = name_end[2] == '"';
        const char *value = name_end + 2 + is_text;
        const char *value_end = value;
        if (is_text)
            value_end = memchr(value, '"', (size_t)(end - value));
        else
            while (*value_end != ',' && *value_end != '}')
                value_end++;
        more = note_field(r, name, cm_slice_of(value, (size_t)(value_end - value)), start_day);
        at = value_end + is_text + 1;
    }
    if (r->time.size <= MILLISECONDS_END || r->size + SEQ_BYTES > STREAM_LINE_MAX)
        bench_fail("a simulated row is not as expected");
}

static bool next_row(const cm_buffer *rows, size_t *at, row *r, int64_t start_day)
{
    if (*at == rows->size)
        return false;
    const char *text = rows->data + *at;
    const char *end = memchr(text, '\n', rows->size - *at);
    *r = (row){.text = text, .size = (size_t)(end - text) + 1};
    *at += r->size;
    parse_row(r, start_day);
    return true;
}

/* --- The tape --------------------------------------------------------------------------------- */

typedef struct maker {
    stream_world *world;
    cm_buffer conversions; /* all rows; those before `at` are on the tape */
    size_t at;
    row next; /* conversion; no text where there is none */
} maker;

static void shift_patches(stream_patch *patches)
{
    for (size_t i = 0; i < STREAM_PATCHES; i++)
        if (patches[i].at != 0)
            patches[i].at = (uint16_t)(patches[i].at + SEQ_BYTES);
}

static void put_line(stream_world *world, const row *r)
{
    stream_line line = r->line;
    size_t head = (size_t)((const char *)memchr(r->text, ',', r->size) - r->text) + 1;
    size_t size = r->size + SEQ_BYTES;
    size_t padding = (8 - (sizeof line + size) % 8) % 8;
    line.size = (uint16_t)size;
    line.stride = (uint16_t)(sizeof line + size + padding);
    line.seq_at = (uint16_t)(head + SEQ_DIGITS_AT);
    shift_patches(line.dates);
    shift_patches(line.ids);
    shift_patches(line.tokens);
    cm_buffer_append(&world->tape, (const char *)&line, sizeof line);
    cm_buffer_append(&world->tape, r->text, head);
    cm_buffer_append(&world->tape, SEQ, SEQ_BYTES);
    cm_buffer_append(&world->tape, r->text + head, r->size - head);
    cm_buffer_append(&world->tape, "\0\0\0\0\0\0\0", padding);
    world->text_bytes += size;
    if (line.is_conversion)
        world->conversions++;
    else
        world->clicks++;
}

/* The first day of the simulator's is left out. */
static bool is_in_turn(const row *r)
{
    return r->line.dates[0].value > 0;
}

/* Milliseconds stand first; microseconds, where there are any, follow. */
static bool is_before(cm_slice a, cm_slice b)
{
    int order = memcmp(a.data, b.data, MILLISECONDS_END);
    const char *a_rest = a.size > MILLISECONDS_END + 1 ? a.data + MILLISECONDS_END : "000";
    const char *b_rest = b.size > MILLISECONDS_END + 1 ? b.data + MILLISECONDS_END : "000";
    return order < 0 || (order == 0 && memcmp(a_rest, b_rest, 3) < 0);
}

/* Conversions up to a time; all that are left where there is none. */
static void put_conversions(maker *m, const row *click)
{
    while (m->next.text != NULL && (click == NULL || is_before(m->next.time, click->time))) {
        if (is_in_turn(&m->next))
            put_line(m->world, &m->next);
        if (!next_row(&m->conversions, &m->at, &m->next, m->world->start_day))
            m->next.text = NULL;
    }
}

static cm_status take_clicks(void *context, const char *bytes, size_t size, cm_error *error)
{
    (void)error;
    maker *m = context;
    cm_buffer rows = {.data = (char *)(uintptr_t)bytes, .size = size};
    row click;
    for (size_t at = 0; next_row(&rows, &at, &click, m->world->start_day);) {
        if (!is_in_turn(&click))
            continue;
        put_conversions(m, &click);
        put_line(m->world, &click);
    }
    return CM_OK;
}

static cm_status take_conversions(void *context, const char *bytes, size_t size, cm_error *error)
{
    (void)error;
    maker *m = context;
    cm_buffer_append(&m->conversions, bytes, size);
    return CM_OK;
}

static void simulate(const cm_sim_config *config, const cm_sim_sinks *sinks)
{
    cm_error error;
    if (cm_sim_run(config, sinks, &error) != CM_OK)
        bench_fail(error.message);
}

static void first_conversion(maker *m)
{
    if (m->conversions.failed)
        bench_fail("memory is short");
    if (!next_row(&m->conversions, &m->at, &m->next, m->world->start_day))
        m->next.text = NULL;
}

/* Hours differ in how much happens in them. A small world shows which share is in the turn: so
 * many more are asked for. */
static void ask_for_turn(cm_sim_config *config, const stream_world_sizes *sizes, int64_t start_day)
{
    stream_world world = {.start_day = start_day};
    maker m = {.world = &world};
    config->click_count = SAMPLE_CLICKS;
    config->conversion_count = SAMPLE_CONVERSIONS;
    simulate(config,
             &(cm_sim_sinks){.clicks = {take_clicks, &m}, .conversions = {take_conversions, &m}});
    first_conversion(&m);
    put_conversions(&m, NULL);
    double clicks = SAMPLE_CLICKS / (double)world.clicks * (double)sizes->active;
    double conversions = SAMPLE_CONVERSIONS / (double)world.conversions * (double)sizes->active /
                         (double)sizes->clicks_per_conversion;
    config->click_count = (uint64_t)(clicks + 0.5);
    config->conversion_count = (uint64_t)(conversions + 0.5);
    cm_buffer_destroy(&m.conversions);
    stream_world_destroy(&world);
}

void stream_world_make(stream_world *world, const stream_world_sizes *sizes)
{
    cm_sim_config config;
    cm_sim_config_default(&config);
    config.seed = sizes->seed;
    config.days = sizes->turn_days + 1;
    config.threads = sizes->threads;
    config.format = CM_SIM_NDJSON;
    *world = (stream_world){.turn_days = sizes->turn_days, .start_day = config.start_us / DAY_US};
    maker m = {.world = world};
    ask_for_turn(&config, sizes, world->start_day);
    simulate(&config, &(cm_sim_sinks){.conversions = {take_conversions, &m}});
    first_conversion(&m);
    simulate(&config, &(cm_sim_sinks){.clicks = {take_clicks, &m}});
    put_conversions(&m, NULL);
    cm_buffer_destroy(&m.conversions);
    if (world->tape.failed)
        bench_fail("memory is short");
    if (world->clicks == 0)
        bench_fail("the world has no clicks");
}

void stream_world_destroy(stream_world *world)
{
    cm_buffer_destroy(&world->tape);
    *world = (stream_world){0};
}
