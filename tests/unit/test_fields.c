/*
 * Addresses, fingerprints and plain text: what the fast readers say against what inet_pton and one
 * byte at a time say, and against their portable twins, on very many texts.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/portable.h"
#include "util/slice.h"
#include "util/text.h"

#define ADDRESS_ROOM 128

/* A random sequence that is the same in each run. */
static uint64_t random_state = 88172645463325252u;

static uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

/* --- Addresses -------------------------------------------------------------------------------- */

/* What inet_pton says of the text before a slash. */
static bool parse_slowly(const char *text, cm_address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    char bare[ADDRESS_ROOM];
    size_t size = strcspn(text, "/");
    memcpy(bare, text, size);
    bare[size] = '\0';
    *address = (cm_address){.version = strchr(bare, ':') != NULL ? 6 : 4};
    if (inet_pton(address->version == 4 ? AF_INET : AF_INET6, bare, address->bytes) != 1)
        return false;
    if (address->version == 6 && memcmp(address->bytes, mapped, 12) == 0) {
        cm_address as_4 = {.version = 4};
        memcpy(as_4.bytes, address->bytes + 12, 4);
        *address = as_4;
    }
    return true;
}

static size_t append_octets(char *text, size_t size)
{
    uint64_t count = random_below(20) == 0 ? random_below(6) : 4;
    for (uint64_t i = 0; i < count; i++) {
        unsigned number = (unsigned)random_below(random_below(10) == 0 ? 300 : 256);
        number %= random_below(3) == 0 ? 10 : 1000;
        size += (size_t)snprintf(text + size, ADDRESS_ROOM - size,
                                 random_below(200) == 0 ? "0%u" : "%u", number);
        if (i + 1 < count)
            text[size++] = '.';
    }
    return size;
}

static size_t append_groups(char *text, size_t size, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        static const unsigned bounds[] = {0x10000, 0x10000, 0x10000, 0x1000, 0x100, 0x10, 1};
        unsigned group = (unsigned)random_below(bounds[random_below(7)]);
        static const int widths[] = {1, 1, 1, 4, 4, 1, 1};
        uint64_t form = random_below(7);
        int width = random_below(300) == 0 ? 5 : widths[form];
        size += (size_t)snprintf(text + size, ADDRESS_ROOM - size,
                                 form == 2 || form == 4 ? "%0*X" : "%0*x", width, group);
        if (i + 1 < count)
            text[size++] = ':';
    }
    return size;
}

/* IPv6 as people and programs write it: whole, with a gap, with an IPv4 tail. */
static size_t append_ipv6(char *text)
{
    size_t size = 0;
    uint64_t before = 8, behind = 0;
    bool has_gap = random_below(2) == 0, has_tail = random_below(4) == 0;
    if (has_gap) {
        before = random_below(8);
        behind = random_below(8 - before);
    }
    before -= before > 1 && has_tail && !has_gap ? 2 : 0;
    if (random_below(20) == 0)
        before = random_below(10);
    size = append_groups(text, size, before);
    if (has_gap) {
        memcpy(text + size, "::", 2);
        size = append_groups(text, size + 2, behind);
    }
    if (has_tail) {
        if (size > 0 && text[size - 1] != ':')
            text[size++] = ':';
        size = append_octets(text, size);
    }
    return size;
}

/* Change, add or take away a byte. */
static size_t mutate(char *text, size_t size)
{
    static const char bytes[] = "0123456789abcdefABCDEF....::::/x%[] gG@`\x80\xFF";
    char byte = bytes[random_below(sizeof bytes - 1)];
    size_t at = random_below(size + 1), behind = size - at;
    switch (random_below(3)) {
    case 0:
        memmove(text + at + 1, text + at, behind);
        text[at] = byte;
        return size + 1;
    case 1:
        if (behind > 0)
            memmove(text + at, text + at + 1, behind - 1);
        return size - (behind > 0);
    default:
        if (behind > 0)
            text[at] = byte;
        return size;
    }
}

static void random_address(char text[ADDRESS_ROOM])
{
    size_t size = random_below(3) == 0 ? append_octets(text, 0) : append_ipv6(text);
    if (random_below(20) == 0)
        size +=
            (size_t)snprintf(text + size, ADDRESS_ROOM - size, "/%u", (unsigned)random_below(200));
    if (random_below(3) == 0)
        for (uint64_t times = 1 + random_below(3); times > 0; times--)
            size = mutate(text, size);
    text[size] = '\0';
}

static bool check_address(const char *text)
{
    cm_address expected, address, portable;
    size_t size = strlen(text);
    /* Not a byte more, so that sanitizers see any step beyond. */
    char *exact = malloc(size + (size == 0));
    assert_non_null(exact);
    memcpy(exact, text, size);
    bool is_valid = parse_slowly(text, &expected);
    if (cm_address_parse(cm_slice_of(exact, size), &address) != is_valid)
        fail_msg("%s", text);
    if (portable_address_parse(cm_slice_of(exact, size), &portable) != is_valid)
        fail_msg("portable: %s", text);
    if (is_valid) {
        assert_memory_equal(&address, &expected, sizeof address);
        assert_memory_equal(&portable, &expected, sizeof portable);
    }
    free(exact);
    return is_valid;
}

static void addresses_are_those_of_inet_pton(void **state)
{
    (void)state;
    size_t valid = 0;
    for (int i = 0; i < 2000000; i++) {
        char text[ADDRESS_ROOM];
        random_address(text);
        valid += check_address(text);
    }
    assert_in_range(valid, 800000, 1700000);
}

/* All short texts of the bytes that matter. */
static void short_addresses_are_those_of_inet_pton(void **state)
{
    (void)state;
    static const char bytes[] = "0:1f.g";
    for (unsigned number = 0; number < 6 * 6 * 6 * 6 * 6 * 6 * 6; number++) {
        char text[8] = {0};
        unsigned rest = number;
        for (size_t i = 0; i < 7; i++, rest /= 6)
            text[i] = bytes[rest % 6];
        check_address(text);
        text[1 + number % 6] = '\0';
        check_address(text);
    }
}

static void every_octet_is_read_at_every_place(void **state)
{
    (void)state;
    for (unsigned number = 0; number < 1100; number++) {
        for (int place = 0; place < 4; place++) {
            for (int form = 0; form < 2; form++) {
                char text[ADDRESS_ROOM];
                size_t size = 0;
                for (int i = 0; i < 4; i++)
                    size += (size_t)snprintf(
                        text + size, ADDRESS_ROOM - size, form == 0 ? "%u%s" : "%02u%s",
                        i == place ? number : 10u + (unsigned)i, i < 3 ? "." : "");
                assert_int_equal(check_address(text), number < 256 && (form == 0 || number > 9));
            }
        }
    }
}

/* --- Fingerprints ----------------------------------------------------------------------------- */

static void fingerprints_are_those_of_the_portable_twin(void **state)
{
    (void)state;
    static const char hex[] = "0123456789abcdefABCDEF";
    char *text = malloc(64);
    assert_non_null(text);
    for (int i = 0; i < 20000; i++) {
        for (size_t k = 0; k < 64; k++)
            text[k] = hex[random_below(22)];
        uint8_t fast[32], portable[32];
        assert_true(cm_fingerprint_parse(cm_slice_of(text, 64), fast));
        assert_true(portable_fingerprint_parse(cm_slice_of(text, 64), portable));
        assert_memory_equal(fast, portable, 32);
        for (size_t k = 0; k < 32; k++) {
            char pair[3] = {text[2 * k], text[2 * k + 1], '\0'};
            assert_int_equal(fast[k], strtoul(pair, NULL, 16));
        }
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t fast[32], portable[32];
        bool is_hex = byte != 0 && strchr(hex, (int)byte) != NULL;
        for (size_t at = 0; at < 64; at++) {
            char kept = text[at];
            text[at] = (char)byte;
            assert_int_equal(cm_fingerprint_parse(cm_slice_of(text, 64), fast), is_hex);
            assert_int_equal(portable_fingerprint_parse(cm_slice_of(text, 64), portable), is_hex);
            text[at] = kept;
        }
    }
    free(text);
}

/* --- Plain text ------------------------------------------------------------------------------- */

static void plain_text_has_neither_nul_nor_high_bit(void **state)
{
    (void)state;
    for (size_t size = 1; size < 90; size++) {
        char *text = malloc(size);
        assert_non_null(text);
        memset(text, '\x01', size);
        for (size_t at = 0; at < size; at++) {
            static const unsigned char bytes[] = {0, 1, 127, 128, 255, 'a'};
            for (size_t i = 0; i < sizeof bytes; i++) {
                text[at] = (char)bytes[i];
                bool is_plain = bytes[i] > 0 && bytes[i] < 128;
                assert_int_equal(cm_text_is_plain(cm_slice_of(text, size)), is_plain);
                assert_int_equal(portable_text_is_plain(cm_slice_of(text, size)), is_plain);
            }
            text[at] = at % 2 == 0 ? '\x7F' : '\x01';
        }
        free(text);
    }
    assert_true(cm_text_is_plain(CM_SLICE("")));
    assert_true(portable_text_is_plain(CM_SLICE("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_those_of_inet_pton),
        cmocka_unit_test(short_addresses_are_those_of_inet_pton),
        cmocka_unit_test(every_octet_is_read_at_every_place),
        cmocka_unit_test(fingerprints_are_those_of_the_portable_twin),
        cmocka_unit_test(plain_text_has_neither_nul_nor_high_bit),
    };
    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
