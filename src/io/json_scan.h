/*
 * JSON values out of a line, in place: RFC 8259, strictly. A scan never passes a line end, so that
 * one broken line costs no other. Internal to src/io.
 */
#ifndef CM_IO_JSON_SCAN_H
#define CM_IO_JSON_SCAN_H

#include "util/slice.h"

#define CM_JSON_DEPTH_MAX 64 /* of nested objects and arrays, the line's own object included */

/** Where a scan stands. */
typedef struct cm_json {
    const char *at;
    const char *end;     /* of the block; the line may end before */
    const char *problem; /* static text, once a scan has failed; `at` is then the fault */
} cm_json;

/** The byte that comes next; a line end at the end of the block. */
static inline char cm_json_peek(const cm_json *json)
{
    return json->at < json->end ? *json->at : '\n';
}

/** Pass white space within the line. */
static inline void cm_json_space(cm_json *json)
{
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\t' || *json->at == '\r'))
        json->at++;
}

/** Say what is wrong at the place the scan stands. Returns false. */
static inline bool cm_json_fail(cm_json *json, const char *problem)
{
    json->problem = problem;
    return false;
}

/**
 * Pass a string; at stands on its opening quote.
 *
 * @param text       receives what is between the quotes, as written
 * @param is_escaped receives whether it holds escapes (see cm_json_unescape)
 */
bool cm_json_string(cm_json *json, cm_slice *text, bool *is_escaped);

/** Undo the escapes of a string that was passed. room: text.size bytes. Returns the bytes written.
 */
size_t cm_json_unescape(cm_slice text, char *room);

/** Pass a number, or fail where no value begins; text receives it as written. */
bool cm_json_number(cm_json *json, cm_slice *text);

/** Pass a word: true, false or null. */
bool cm_json_word(cm_json *json, cm_slice word);

/** Pass a key of an object, its colon, and white space before the value. */
bool cm_json_key(cm_json *json, cm_slice *key, bool *is_escaped);

/** Pass what follows an item of an object or array: a comma, or the closing bracket. */
bool cm_json_separator(cm_json *json, char close, bool *is_last);

/** Pass a value of any kind inside `depth` others. */
bool cm_json_skip(cm_json *json, unsigned depth);

#endif
