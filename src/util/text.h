/* Text that is not a time: UTF-8, case, whole numbers, addresses. docs/matching.md, section 1. */
#ifndef CM_UTIL_TEXT_H
#define CM_UTIL_TEXT_H

#include "clickmatch.h"

/**
 * Count the characters of UTF-8 text.
 *
 * @param characters  receives their number; may not be NULL
 * @return false where a byte sequence is cut off, overlong, a surrogate or above U+10FFFF
 */
bool cm_utf8_count(cm_slice text, size_t *characters);

/** Of UTF-8 that was cut somewhere: its bytes without a last character that is not whole. */
size_t cm_utf8_whole(cm_slice text);

/** Is every byte an ASCII character other than NUL? The usual case, found eight bytes at a time. */
bool cm_text_is_plain(cm_slice text);

/**
 * Fold ASCII letters to lower case; other bytes stay.
 *
 * @param room  text.size bytes; written only where there is something to fold
 * @return the text itself where there is nothing to fold, else room
 */
cm_slice cm_text_fold(cm_slice text, char *room);

/** Are two texts equal but for the case of ASCII letters? */
bool cm_text_equal_folded(cm_slice a, cm_slice b);

#define CM_WHOLE_DIGITS_MAX ((size_t)64)

/**
 * Write a JSON number that is whole as a plain decimal integer: 390, 390.0 and 3.9e2 give 390.
 *
 * @param number  a JSON number as written
 * @param room    CM_WHOLE_DIGITS_MAX + 1 bytes; used only where the number is not written plainly
 * @param whole   receives the integer: number itself where it is written plainly, else in room
 * @return false where the text is no JSON number, not whole, or has an exponent and more than
 *         CM_WHOLE_DIGITS_MAX digits
 */
bool cm_whole_number(cm_slice number, char *room, cm_slice *whole);

/**
 * Read a JSON number exactly, rounded to a number of decimals as PostgreSQL does: halves away from
 * zero.
 *
 * @param number  a JSON number as written
 * @param scaled  receives the number times 10^decimals
 * @return false where the text is no JSON number, or too large
 */
bool cm_decimal_scaled(cm_slice number, unsigned decimals, int64_t *scaled);

/** An IPv4-mapped IPv6 address as IPv4; every other address as it is. */
cm_address cm_address_unmapped(cm_address address);

#endif
