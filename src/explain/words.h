/* Numbers, times and foreign text in words for people. All append; failure: buffer->failed. */
#ifndef CM_EXPLAIN_WORDS_H
#define CM_EXPLAIN_WORDS_H

#include "util/buffer.h"

/** As printf; at most 511 bytes. */
void cm_words(cm_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Text from outside on one line: control characters, and bytes that are no UTF-8, as \xNN. */
void cm_words_text(cm_buffer *buffer, cm_slice text);

/** "2026-03-01T12:00:00Z", with a fraction where there is one. */
void cm_words_time(cm_buffer *buffer, int64_t time_us);

/** The two largest units that there are: "3 d 4 h", "1 min 30 s", "250 ms", "0 us". */
void cm_words_duration(cm_buffer *buffer, int64_t duration_us);

/** "1,234,567". */
void cm_words_count(cm_buffer *buffer, uint64_t count);

/** "1 click", "1,200 clicks". @param noun  of one; several have an s */
void cm_words_number_of(cm_buffer *buffer, uint64_t count, const char *noun);

/**
 * Bits with their sign; what comes out as zero has none: "+1.737", "-0.556", "0.000".
 *
 * @param width  at least so wide, blanks before it
 */
void cm_words_bits(cm_buffer *buffer, double bits, int width, int decimals);

/** The first digits of a fingerprint. */
void cm_words_fingerprint(cm_buffer *buffer, const uint8_t fingerprint[32], size_t bytes);

/** An address bucket: "203.0.113.7/32". */
void cm_words_address(cm_buffer *buffer, const cm_address *address, unsigned bits);

#endif
