#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

#include "util/text.h"

#define IPV4_SIZE_MAX ((size_t)15)
#define IPV6_SIZE_MAX ((size_t)45) /* with an IPv4 tail */

/*
 * One of the four numbers: the digits that begin at text, four bytes of which can be read. The
 * digits are shifted to the end of the word, so that one to three of them need no branch.
 *
 * Returns their number; 0 where the number is malformed.
 */
static size_t parse_octet(const char *text, uint8_t *octet)
{
    uint32_t word;
    memcpy(&word, text, sizeof word);
    word = le32toh(word) ^ 0x30303030u;
    uint32_t others = (word | (word + 0x06060606u)) & 0xF0F0F0F0u;
    if (others == 0)
        return 0;
    unsigned count = (unsigned)__builtin_ctz(others) / 8;
    if (count == 0 || (count > 1 && (word & 0xFF) == 0))
        return 0;
    uint32_t digits = word << (32 - 8 * count);
    unsigned number = (digits >> 8 & 0xFF) * 100 + (digits >> 16 & 0xFF) * 10 + (digits >> 24);
    *octet = (uint8_t)number;
    return number <= 255 ? count : 0;
}

static bool parse_ipv4(cm_slice text, cm_address *address)
{
    char padded[IPV4_SIZE_MAX + 5] = {0};
    size_t at = 0;
    if (text.size > IPV4_SIZE_MAX)
        return false;
    memcpy(padded, text.data, text.size);
    *address = (cm_address){.version = 4};
    for (unsigned i = 0; i < 4; i++) {
        size_t digits = parse_octet(padded + at, &address->bytes[i]);
        at += digits;
        if (digits == 0 || (i < 3 && padded[at++] != '.'))
            return false;
    }
    return at == text.size;
}

/* inet_pton knows neither zones nor brackets nor ports; only an embedded NUL would fool it. */
static bool parse_ipv6(cm_slice text, cm_address *address)
{
    char terminated[IPV6_SIZE_MAX + 1];
    if (text.size > IPV6_SIZE_MAX)
        return false;
    memcpy(terminated, text.data, text.size);
    terminated[text.size] = '\0';
    *address = (cm_address){.version = 6};
    if (strlen(terminated) != text.size || inet_pton(AF_INET6, terminated, address->bytes) != 1)
        return false;
    *address = cm_address_unmapped(*address);
    return true;
}

bool cm_address_parse(cm_slice text, cm_address *address)
{
    if (text.size == 0)
        return false;
    if (parse_ipv4(text, address))
        return true;
    const char *slash = memchr(text.data, '/', text.size);
    if (slash != NULL)
        text.size = (size_t)(slash - text.data);
    return (slash != NULL && parse_ipv4(text, address)) || parse_ipv6(text, address);
}

cm_address cm_address_unmapped(cm_address address)
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    if (address.version != 6 || memcmp(address.bytes, prefix, sizeof prefix) != 0)
        return address;
    cm_address unmapped = {.version = 4};
    memcpy(unmapped.bytes, address.bytes + sizeof prefix, 4);
    return unmapped;
}
