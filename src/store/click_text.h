/*
 * The texts of a click as they lie in the heap: a byte of flags, the sizes of what is there, then
 * the bytes. Sizes are one byte each, or two (little-endian) where any is over 255.
 */
#ifndef CM_STORE_CLICK_TEXT_H
#define CM_STORE_CLICK_TEXT_H

#include "store/click_store.h"

/** Bytes that cm_click_text_write may need. */
size_t cm_click_text_room(const cm_click_texts *texts);

/** Write the texts. Returns the number of bytes. */
size_t cm_click_text_write(char *text, const cm_click_texts *texts);

/** The texts that begin there. */
cm_click_texts cm_click_text_read(const char *text);

/**
 * The texts that begin there, of bytes that may be anything.
 *
 * @param size  bytes that there are
 * @return bytes that the texts take; 0 where they are none: cut off, empty, or longer than a click
 *         can have them
 */
size_t cm_click_text_check(const char *text, size_t size, cm_click_texts *texts);

/** The click id alone. */
cm_slice cm_click_text_id(const char *text);

#endif
