/* The parsers that are measured. */
#ifndef JSON_PARSERS_H
#define JSON_PARSERS_H

#include "sink.h"

/* Bytes behind a block that may be read and mean nothing: what simdjson asks for. */
#define JSON_PADDING ((size_t)64)

/**
 * Read the lines of a block and deliver each event. What a parser needs for that is made in `open`
 * and kept from block to block. Where a line is malformed, events of the block may be lost.
 */
typedef struct json_parser {
    const char *name;
    bool (*is_there)(void); /* can this machine run it? NULL: all can */
    void *(*open)(void);    /* NULL: needs nothing */
    void (*read)(void *state, const char *block, size_t size, json_sink *sink);
    void (*close)(void *state);
} json_parser;

extern const json_parser json_ours[];
extern const size_t json_ours_count;
extern const json_parser json_yajl, json_jansson, json_json_c, json_jsmn;
extern const json_parser json_simdjson[];
extern const size_t json_simdjson_count;

/* The next line of a block: size bytes, its end left out. NULL at the end. */
static inline const char *json_next_line(const char **at, const char *end, size_t *size)
{
    const char *line = *at;
    if (line == end)
        return NULL;
    const char *line_end = (const char *)memchr(line, '\n', (size_t)(end - line));
    *size = (size_t)((line_end == NULL ? end : line_end) - line);
    *at = line_end == NULL ? end : line_end + 1;
    return line;
}

#endif
