/* yajl: callbacks, one handle for all lines of a block. */
#include <yajl/yajl_parse.h>

#include "parsers.h"

/* Where the callbacks stand. */
typedef struct walk {
    json_sink *sink;
    size_t depth, field;
} walk;

/* The field of a value that begins here; none inside other values. */
static size_t field_here(const walk *w)
{
    return w->depth == 1 ? w->field : CM_FIELD_COUNT_MAX;
}

static int on_null(void *context)
{
    walk *w = context;
    sink_put_kind(w->sink, field_here(w), CM_VALUE_MISSING);
    return 1;
}

static int on_boolean(void *context, int is_true)
{
    walk *w = context;
    sink_put_boolean(w->sink, field_here(w), is_true != 0);
    return 1;
}

static int on_number(void *context, const char *text, size_t size)
{
    walk *w = context;
    sink_put_number(w->sink, field_here(w), cm_slice_of(text, size), 0);
    return 1;
}

static int on_string(void *context, const unsigned char *text, size_t size)
{
    walk *w = context;
    sink_put_text(w->sink, field_here(w), (const char *)text, size);
    return 1;
}

static int on_key(void *context, const unsigned char *key, size_t size)
{
    walk *w = context;
    if (w->depth == 1)
        w->field = sink_field(w->sink, (const char *)key, size);
    return 1;
}

static int on_open(void *context)
{
    walk *w = context;
    if (w->depth == 0)
        sink_begin(w->sink);
    else
        sink_put_kind(w->sink, field_here(w), CM_VALUE_WRONG);
    w->depth++;
    return 1;
}

static int on_close(void *context)
{
    walk *w = context;
    if (--w->depth == 0)
        sink_end(w->sink);
    return 1;
}

static void read_lines(void *state, const char *block, size_t size, json_sink *sink)
{
    static const yajl_callbacks callbacks = {.yajl_null = on_null,
                                             .yajl_boolean = on_boolean,
                                             .yajl_number = on_number,
                                             .yajl_string = on_string,
                                             .yajl_start_map = on_open,
                                             .yajl_map_key = on_key,
                                             .yajl_end_map = on_close,
                                             .yajl_start_array = on_open,
                                             .yajl_end_array = on_close};
    (void)state;
    walk w = {sink, 0, CM_FIELD_COUNT_MAX};
    yajl_handle handle = yajl_alloc(&callbacks, NULL, &w);
    if (handle == NULL)
        bench_fail("yajl: no memory");
    yajl_config(handle, yajl_allow_multiple_values, 1);
    if (yajl_parse(handle, (const unsigned char *)block, size) != yajl_status_ok ||
        yajl_complete_parse(handle) != yajl_status_ok)
        sink->malformed++;
    yajl_free(handle);
}

const json_parser json_yajl = {"yajl", NULL, NULL, read_lines, NULL};
