#include "harness/portable.h"

#undef __SSE2__
#define cm_address_parse portable_address_parse
#define cm_address_unmapped portable_address_unmapped
#define cm_address_parse_ipv4 portable_address_parse_ipv4
#define cm_address_parse_ipv6 portable_address_parse_ipv6
#include "util/address.c"      // NOLINT(bugprone-suspicious-include): its twin is made of it
#include "util/address_ipv6.c" // NOLINT(bugprone-suspicious-include): its twin is made of it
