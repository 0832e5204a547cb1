/*
 * The portable twins of what src/util does with vectors: the same sources built without, so that
 * what other machines run is tested on this one.
 */
#ifndef HARNESS_PORTABLE_H
#define HARNESS_PORTABLE_H

#include "clickmatch.h"

bool portable_address_parse(cm_slice text, cm_address *address);
bool portable_fingerprint_parse(cm_slice text, uint8_t fingerprint[32]);
bool portable_text_is_plain(cm_slice text);

#endif
