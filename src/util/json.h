/*
 * Building JSON with jansson so that no failure is lost. Where memory is short all of these give
 * NULL, or false, and take NULL for what failed before; so do json_pack and its o.
 */
#ifndef CM_UTIL_JSON_H
#define CM_UTIL_JSON_H

#include <jansson.h>

#include "util/buffer.h"

/** The object with one more member. Takes both; frees both, and gives NULL, where it fails. */
json_t *cm_json_with(json_t *object, const char *name, json_t *value);

/** The object with all members of another one, likewise. */
json_t *cm_json_joined(json_t *object, json_t *other);

/** The array with one more element, likewise. */
json_t *cm_json_add(json_t *array, json_t *value);

/** Append it as text; flags are those of json_dumps. False, and the buffer has failed, where it
 * fails: json_dumps itself may lose the name of a member and not say so. */
bool cm_json_write(const json_t *json, size_t flags, cm_buffer *text);

#endif
