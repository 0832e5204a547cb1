/*
 * Short text that vectors read: addresses, fingerprints, UTF-8. What they say is what their
 * portable twins and other programs' code say.
 */
#include <arpa/inet.h>

#include "fuzz/fuzz.h"
#include "harness/portable.h"
#include "util/slice.h"
#include "util/text.h"

#define ROOM ((size_t)128)

/* What libc takes up to a slash; mapped addresses are IPv4. */
static bool parse_by_libc(cm_slice text, cm_address *address)
{
    char room[ROOM];
    const char *slash = text.size == 0 ? NULL : memchr(text.data, '/', text.size);
    size_t size = slash == NULL ? text.size : (size_t)(slash - text.data);
    *address = (cm_address){0};
    if (size >= sizeof room || (size > 0 && memchr(text.data, '\0', size) != NULL))
        return false;
    memcpy(room, text.size == 0 ? "" : text.data, size);
    room[size] = '\0';
    address->version = 4;
    if (inet_pton(AF_INET, room, address->bytes) == 1)
        return true;
    address->version = 6;
    if (inet_pton(AF_INET6, room, address->bytes) != 1)
        return false;
    *address = cm_address_unmapped(*address);
    return true;
}

static bool is_same(const cm_address *a, const cm_address *b)
{
    return a->version == b->version && memcmp(a->bytes, b->bytes, a->version == 4 ? 4 : 16) == 0;
}

static void try_address(cm_slice text)
{
    cm_address address = {0}, portable = {0}, wanted, again;
    char shown[INET6_ADDRSTRLEN];
    bool is_good = cm_address_parse(text, &address);
    FUZZ_CHECK(portable_address_parse(text, &portable) == is_good);
    FUZZ_CHECK(parse_by_libc(text, &wanted) == is_good);
    if (!is_good)
        return;
    FUZZ_CHECK(is_same(&address, &portable));
    FUZZ_CHECK(is_same(&address, &wanted));
    int family = address.version == 4 ? AF_INET : AF_INET6;
    FUZZ_CHECK(inet_ntop(family, address.bytes, shown, sizeof shown) != NULL);
    FUZZ_CHECK(cm_address_parse(cm_slice_of_text(shown), &again) && is_same(&address, &again));
}

static void try_fingerprint(cm_slice text)
{
    uint8_t bytes[32], portable[32];
    char shown[2 * sizeof bytes + 1];
    bool is_good = cm_fingerprint_parse(text, bytes);
    FUZZ_CHECK(portable_fingerprint_parse(text, portable) == is_good);
    if (!is_good)
        return;
    FUZZ_CHECK(memcmp(bytes, portable, sizeof bytes) == 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(shown + 2 * i, 3, "%02x", bytes[i]);
    FUZZ_CHECK(cm_text_equal_folded(text, cm_slice_of(shown, 2 * sizeof bytes)));
}

/* The characters of UTF-8 by their values; SIZE_MAX where it is malformed. */
static size_t count_plainly(cm_slice text)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    size_t count = 0;
    for (size_t at = 0; at < text.size; count++) {
        uint32_t byte = (uint8_t)text.data[at++];
        unsigned more = byte < 0x80 ? 0 : byte < 0xC0 ? 4 : byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
        if (more == 4 || byte > 0xF7 || text.size - at < more)
            return SIZE_MAX;
        uint32_t value = more == 0 ? byte : byte & (0x3Fu >> more);
        for (unsigned i = 0; i < more; i++, at++) {
            if (((uint8_t)text.data[at] & 0xC0) != 0x80)
                return SIZE_MAX;
            value = value << 6 | ((uint8_t)text.data[at] & 0x3Fu);
        }
        if (value < least[more] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
            return SIZE_MAX;
    }
    return count;
}

static void try_text(cm_slice text)
{
    char room[ROOM];
    size_t count = 0, wanted = count_plainly(text);
    bool is_plain = true;
    for (size_t i = 0; i < text.size; i++)
        is_plain &= text.data[i] > 0;
    FUZZ_CHECK(cm_text_is_plain(text) == is_plain);
    FUZZ_CHECK(portable_text_is_plain(text) == is_plain);
    FUZZ_CHECK(cm_utf8_count(text, &count) == (wanted != SIZE_MAX));
    FUZZ_CHECK(wanted == SIZE_MAX || count == wanted);
    if (text.size > sizeof room)
        return;
    cm_slice folded = cm_text_fold(text, room);
    FUZZ_CHECK(cm_text_equal_folded(text, folded));
    for (size_t i = 0; i < folded.size; i++)
        FUZZ_CHECK(folded.data[i] < 'A' || folded.data[i] > 'Z');
}

static void try_all(const char *bytes, size_t size)
{
    cm_slice text = cm_slice_of(bytes, size);
    try_address(text);
    try_fingerprint(text);
    try_text(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_each_prefix(bytes, size, try_all);
    return 0;
}
