/* jsmn: tokens of each line; escapes stay as they are. */
#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "parsers.h"

#define TOKENS 512

static void put(json_sink *sink, size_t field, const char *line, const jsmntok_t *token)
{
    const char *text = line + token->start;
    size_t size = (size_t)(token->end - token->start);
    if (token->type == JSMN_STRING)
        sink_put_text(sink, field, text, size);
    else if (token->type != JSMN_PRIMITIVE)
        sink_put_kind(sink, field, CM_VALUE_WRONG);
    else if (*text == 't' || *text == 'f')
        sink_put_boolean(sink, field, *text == 't');
    else if (*text == 'n')
        sink_put_kind(sink, field, CM_VALUE_MISSING);
    else
        sink_put_number(sink, field, cm_slice_of(text, size), 0);
}

static void put_members(json_sink *sink, const char *line, const jsmntok_t *tokens, int count)
{
    sink_begin(sink);
    for (int i = 1; i + 1 < count;) {
        const jsmntok_t *key = &tokens[i], *value = &tokens[i + 1];
        put(sink, sink_field(sink, line + key->start, (size_t)(key->end - key->start)), line,
            value);
        for (i += 2; i < count && tokens[i].start < value->end; i++)
            ;
    }
    sink_end(sink);
}

static void read_lines(void *state, const char *block, size_t size, json_sink *sink)
{
    (void)state;
    jsmntok_t tokens[TOKENS];
    size_t line_size;
    const char *at = block;
    for (const char *line; (line = json_next_line(&at, block + size, &line_size)) != NULL;) {
        jsmn_parser parser;
        jsmn_init(&parser);
        int count = jsmn_parse(&parser, line, line_size, tokens, TOKENS);
        if (count > 0 && tokens[0].type == JSMN_OBJECT)
            put_members(sink, line, tokens, count);
        else
            sink->malformed++;
    }
}

const json_parser json_jsmn = {"jsmn, strict", NULL, NULL, read_lines, NULL};
