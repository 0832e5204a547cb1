/* cm_event_reader at every level, and the scanner without marks. */
#include "parsers.h"

static size_t no_marks(const char *bytes, size_t size, uint16_t *marks)
{
    (void)bytes, (void)size, (void)marks;
    return 0;
}

static const cm_mark_kernel scanner = {"scanner", no_marks, no_marks, no_marks};

static void read_at(const cm_mark_kernel *kernel, const char *block, size_t size, json_sink *sink)
{
    cm_arena arena = {0};
    cm_event_reader reader;
    cm_event event;
    cm_event_reader_init(&reader, &sink->layouts, block, size, &arena);
    reader.rows.kernel = kernel;
    while (cm_event_reader_next(&reader, &event)) {
        if (event.row.malformed == NULL)
            sink_take(sink, event.row.values);
        else
            sink->malformed++;
    }
    cm_arena_destroy(&arena);
}

static void read_scanner(void *state, const char *block, size_t size, json_sink *sink)
{
    (void)state;
    read_at(&scanner, block, size, sink);
}

static void read_portable(void *state, const char *block, size_t size, json_sink *sink)
{
    (void)state;
    read_at(cm_mark_kernel_at(CM_MARK_PORTABLE), block, size, sink);
}

static void read_sse2(void *state, const char *block, size_t size, json_sink *sink)
{
    (void)state;
    read_at(cm_mark_kernel_at(CM_MARK_SSE2), block, size, sink);
}

static void read_avx2(void *state, const char *block, size_t size, json_sink *sink)
{
    (void)state;
    read_at(cm_mark_kernel_at(CM_MARK_AVX2), block, size, sink);
}

static void read_avx512(void *state, const char *block, size_t size, json_sink *sink)
{
    (void)state;
    read_at(cm_mark_kernel_at(CM_MARK_AVX512), block, size, sink);
}

static bool has_sse2(void)
{
    return cm_mark_kernel_at(CM_MARK_SSE2) != NULL;
}

static bool has_avx2(void)
{
    return cm_mark_kernel_at(CM_MARK_AVX2) != NULL;
}

static bool has_avx512(void)
{
    return cm_mark_kernel_at(CM_MARK_AVX512) != NULL;
}

const json_parser json_ours[] = {
    {"clickmatch, AVX-512", has_avx512, NULL, read_avx512, NULL},
    {"clickmatch, AVX2", has_avx2, NULL, read_avx2, NULL},
    {"clickmatch, SSE2", has_sse2, NULL, read_sse2, NULL},
    {"clickmatch, plain C", NULL, NULL, read_portable, NULL},
    {"clickmatch, scanner alone", NULL, NULL, read_scanner, NULL},
};
const size_t json_ours_count = sizeof json_ours / sizeof *json_ours;
