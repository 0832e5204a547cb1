/*
 * Numbers, times and addresses as text, faster than printf. Each writes at a place with room enough
 * and returns the place after; nothing is terminated.
 */
#ifndef CM_SIM_TEXT_H
#define CM_SIM_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clickmatch.h"

static inline char *cm_sim_put(char *at, const char *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static inline char *cm_sim_put_string(char *at, const char *string)
{
    return cm_sim_put(at, string, strlen(string));
}

/** 1 to 20 digits. */
char *cm_sim_put_number(char *at, uint64_t number);

/** With a minus where it is negative. */
char *cm_sim_put_signed(char *at, int64_t number);

/** The lowest `digits` decimal digits, with leading zeros. */
char *cm_sim_put_digits(char *at, uint64_t number, unsigned digits);

/** 16 hex digits. */
char *cm_sim_put_hex(char *at, uint64_t number);

/** The low `digits` (at most 10) of base 64, of letters, digits, - and _. */
char *cm_sim_put_base64(char *at, uint64_t number, unsigned digits);

/** 2026-03-01T12:34:56.789Z, with six decimals where it is no whole millisecond. */
char *cm_sim_put_time(char *at, int64_t time_us);

/** Version 4 or 6: at most 39 bytes. */
char *cm_sim_put_address(char *at, const cm_address *address);

/** What was written at bytes up to end. */
static inline cm_slice cm_sim_slice(const char *bytes, const char *end)
{
    return (cm_slice){bytes, (size_t)(end - bytes)};
}

#endif
