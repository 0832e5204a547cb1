/* The two kinds of address text. Internal to address.c and address_ipv6.c; cm_address_parse is for
 * everyone else. */
#ifndef CM_UTIL_ADDRESS_TEXT_H
#define CM_UTIL_ADDRESS_TEXT_H

#include "clickmatch.h"

/** Four decimal numbers without leading zeros, the whole text. */
bool cm_address_parse_ipv4(cm_slice text, cm_address *address);

/**
 * What inet_pton takes, the whole text: up to eight groups of one to four hex digits, `::` once for
 * one or more groups of zeros, an IPv4 address in place of the last two groups.
 */
bool cm_address_parse_ipv6(cm_slice text, uint8_t bytes[16]);

#endif
