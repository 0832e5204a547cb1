/* Text into values: UTF-8, case, whole numbers, addresses, fingerprints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/slice.h"
#include "util/text.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void accepts_every_character(void **state)
{
    (void)state;
    for (unsigned code = 0; code <= 0x10FFFF; code++) {
        char text[4];
        size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4, characters;
        static const unsigned leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
        for (size_t i = size; i-- > 1;)
            text[i] = (char)(0x80 | (code >> (6 * (size - 1 - i)) & 0x3F));
        text[0] = (char)(leads[size] | code >> (6 * (size - 1)));
        bool is_valid = code < 0xD800 || code > 0xDFFF;
        assert_int_equal(cm_utf8_count(cm_slice_of(text, size), &characters), is_valid);
        if (is_valid)
            assert_int_equal(characters, 1);
    }
}

/* How many sequences are valid follows from the number of characters of each length. */
static void accepts_nothing_else(void **state)
{
    (void)state;
    size_t valid = 0, characters;
    for (unsigned bytes = 0; bytes < 1u << 24; bytes++) {
        char text[3] = {(char)(bytes >> 16), (char)(bytes >> 8), (char)bytes};
        valid += cm_utf8_count(cm_slice_of(text, 3), &characters);
    }
    assert_int_equal(valid, 128 * 128 * 128 + 2 * 128 * 1920 + (0x10000 - 0x800 - 0x800));
    valid = 0;
    for (unsigned bytes = 0; bytes < 1u << 20; bytes++) {
        static const char lasts[] = {0x7F, (char)0x80, (char)0xBF, (char)0xC0};
        char first = (char)(0xF0 | bytes >> 16);
        for (size_t i = 0; i < COUNT(lasts); i++) {
            char text[4] = {first, (char)(bytes >> 8), (char)bytes, lasts[i]};
            valid += cm_utf8_count(cm_slice_of(text, 4), &characters);
        }
    }
    assert_int_equal(valid, (48 + 3 * 64 + 16) * 64 * 2);
}

static void counts_characters(void **state)
{
    (void)state;
    size_t characters;
    assert_true(cm_utf8_count(CM_SLICE(""), &characters));
    assert_int_equal(characters, 0);
    assert_true(cm_utf8_count(CM_SLICE("a\0\xC3\xB1\xE2\x82\xAC\xF0\x9F\x98\x80"), &characters));
    assert_int_equal(characters, 5);
    assert_false(cm_utf8_count(CM_SLICE("a\xC3"), &characters));
}

/* Wherever a text is cut, what is left is text, and less than a character short. */
static void cuts_between_characters(void **state)
{
    (void)state;
    static const char text[] = "a\xC3\xB1\xE2\x82\xAC\xF0\x9F\x98\x80\xF0\x9F\x98\x80z\xC3\xB1";
    size_t characters;
    for (size_t size = 0; size < sizeof text; size++) {
        size_t whole = cm_utf8_whole(cm_slice_of(text, size));
        assert_true(whole <= size && size - whole <= 3);
        assert_true(cm_utf8_count(cm_slice_of(text, whole), &characters));
        if (cm_utf8_count(cm_slice_of(text, size), &characters))
            assert_int_equal(whole, size);
    }
    assert_int_equal(cm_utf8_whole(CM_SLICE("\x80\x80\x80\x80")), 4);
}

static void finds_plain_text(void **state)
{
    (void)state;
    char text[40];
    for (size_t size = 0; size <= sizeof text; size++) {
        memset(text, 0x7F, sizeof text);
        assert_true(cm_text_is_plain(cm_slice_of(text, size)));
        for (size_t at = 0; at < size; at++) {
            static const unsigned char odd[] = {0, 0x80, 0x81, 0xFF};
            for (size_t i = 0; i < COUNT(odd); i++) {
                text[at] = (char)odd[i];
                assert_false(cm_text_is_plain(cm_slice_of(text, size)));
            }
            text[at] = 1;
            assert_true(cm_text_is_plain(cm_slice_of(text, size)));
        }
    }
}

static void folds_ascii_only(void **state)
{
    (void)state;
    char room[16];
    cm_slice lower = CM_SLICE("mobile\xC3\x84"), mixed = CM_SLICE("MoBile@[\xC3\x84Z");
    assert_ptr_equal(cm_text_fold(lower, room).data, lower.data);
    assert_true(cm_slice_equal(cm_text_fold(mixed, room), CM_SLICE("mobile@[\xC3\x84z")));
    assert_int_equal(cm_text_fold(CM_SLICE(""), room).size, 0);
    assert_true(cm_text_equal_folded(CM_SLICE("TRUE"), CM_SLICE("tRue")));
    assert_false(cm_text_equal_folded(CM_SLICE("true"), CM_SLICE("tru")));
    assert_false(cm_text_equal_folded(CM_SLICE("[a"), CM_SLICE("{a")));
}

static const struct {
    const char *number, *whole; /* NULL: refused */
} WHOLE[] = {
    {"390", "390"},
    {"390.0", "390"},
    {"3.9e2", "390"},
    {"3.90E+2", "390"},
    {"39000e-2", "390"},
    {"-60", "-60"},
    {"-6.0e1", "-60"},
    {"0", "0"},
    {"-0", "0"},
    {"0.000", "0"},
    {"0e999999999999999999999999", "0"},
    {"-0e-999999999999999999999999", "0"},
    {"0.0000390e7", "390"},
    {"123456789012345678901234567890", "123456789012345678901234567890"},
    {"1e63", "1000000000000000000000000000000000000000000000000000000000000000"},
    {"-1e63", "-1000000000000000000000000000000000000000000000000000000000000000"},
    {"1e64", NULL},
    {"1e999999999999999999999999", NULL},
    {"1e-1", NULL},
    {"1e-999999999999999999999999", NULL},
    {"390.5", NULL},
    {"390.00000000000000000000000000000000000000000000000000000000000000000000000001", NULL},
    {"", NULL},
    {"-", NULL},
    {"+1", NULL},
    {"01", NULL},
    {"-01", NULL},
    {".5", NULL},
    {"5.", NULL},
    {"1e", NULL},
    {"1e+", NULL},
    {"1e+-1", NULL},
    {"1 ", NULL},
    {" 1", NULL},
    {"0x10", NULL},
    {"NaN", NULL},
    {"1,0", NULL},
};

static void writes_whole_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(WHOLE); i++) {
        char room[CM_WHOLE_DIGITS_MAX + 1];
        cm_slice whole;
        bool is_whole = cm_whole_number(cm_slice_of_text(WHOLE[i].number), room, &whole);
        if (is_whole != (WHOLE[i].whole != NULL))
            fail_msg("%s", WHOLE[i].number);
        if (is_whole)
            assert_true(cm_slice_equal(whole, cm_slice_of_text(WHOLE[i].whole)));
    }
}

#define TOO_LARGE INT64_MIN

static void rounds_decimals(void **state)
{
    (void)state;
    static const struct {
        const char *number;
        int64_t cents; /* TOO_LARGE: refused */
    } DECIMALS[] = {
        {"0", 0},
        {"-0.00", 0},
        {"19.99", 1999},
        {"-19.99", -1999},
        {"5", 500},
        {"1.5e1", 1500},
        {"1999e-2", 1999},
        {"0.004", 0},
        {"0.005", 1},
        {"-0.005", -1},
        {"0.0049999", 0},
        {"0.0005", 0},
        {"5e-3", 1},
        {"5e-4", 0},
        {"9e-1000000000000", 0},
        {"1.005", 101},
        {"1.115000001", 112},
        {"999999.995", 100000000},
        {"92233720368547758.07", INT64_MAX},
        {"92233720368547758.074", INT64_MAX},
        {"-92233720368547758.07", -INT64_MAX},
        {"92233720368547758.075", TOO_LARGE},
        {"92233720368547758.08", TOO_LARGE},
        {"1e17", TOO_LARGE},
        {"1e1000000000000", TOO_LARGE},
        {"1,5", TOO_LARGE},
        {"", TOO_LARGE},
        {"12 ", TOO_LARGE},
    };
    for (size_t i = 0; i < COUNT(DECIMALS); i++) {
        int64_t cents;
        bool is_read = cm_decimal_scaled(cm_slice_of_text(DECIMALS[i].number), 2, &cents);
        if (is_read != (DECIMALS[i].cents != TOO_LARGE) || (is_read && cents != DECIMALS[i].cents))
            fail_msg("%s gives %lld", DECIMALS[i].number, is_read ? (long long)cents : -1);
    }
}

static const struct {
    const char *text, *canonical; /* NULL: refused */
} ADDRESSES[] = {
    {"203.0.113.7", "203.0.113.7"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"203.0.113.7/32", "203.0.113.7"},
    {"203.0.113.7/", "203.0.113.7"},
    {"203.0.113.7/what:ever", "203.0.113.7"},
    {"2001:db8::1/64", "2001:db8::1"},
    {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
    {"::", "::"},
    {"::ffff:203.0.113.7", "203.0.113.7"},
    {"::FFFF:CB00:7107", "203.0.113.7"},
    {"0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7"},
    {"0000:0000:0000:0000:0000:ffff:203.000.113.7", NULL},
    {"0000:0000:0000:0000:0000:ffff:255.255.255.255", "255.255.255.255"},
    {"::203.0.113.7", "::203.0.113.7"},
    {"::fffe:203.0.113.7", "::fffe:cb00:7107"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"", NULL},
    {"/24", NULL},
    {"203.0.113", NULL},
    {"203.0.113.", NULL},
    {".203.0.113", NULL},
    {"203..0.113", NULL},
    {"203.0.113.7.1", NULL},
    {"203.0.113.256", NULL},
    {"203.0.113.999", NULL},
    {"203.0.113.1000", NULL},
    {"203.0.113.07", NULL},
    {"203.00.113.7", NULL},
    {"0203.0.113.7", NULL},
    {"203.0.113.0x7", NULL},
    {"203.0.113.+7", NULL},
    {"203.0.113.-7", NULL},
    {" 203.0.113.7", NULL},
    {"203.0.113.7 ", NULL},
    {"203.0.113.7,203.0.113.8", NULL},
    {"203.0.113.7:80", NULL},
    {"[2001:db8::1]", NULL},
    {"[2001:db8::1]:80", NULL},
    {"fe80::1%eth0", NULL},
    {"fe80::1%1", NULL},
    {":::", NULL},
    {":", NULL},
    {"1::2::3", NULL},
    {"1:2:3:4:5:6:7", NULL},
    {"1:2:3:4:5:6:7:8:9", NULL},
    {"1:2:3:4:5:6:7:8::", NULL},
    {"12345::", NULL},
    {"g::", NULL},
    {"::1.2.3", NULL},
    {"1.2.3.4::", NULL},
    {"localhost", NULL},
};

static void reads_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ADDRESSES); i++) {
        cm_address address;
        char text[INET6_ADDRSTRLEN] = "";
        bool is_read = cm_address_parse(cm_slice_of_text(ADDRESSES[i].text), &address);
        if (is_read != (ADDRESSES[i].canonical != NULL))
            fail_msg("%s", ADDRESSES[i].text);
        if (!is_read)
            continue;
        int family = address.version == 4 ? AF_INET : AF_INET6;
        assert_non_null(inet_ntop(family, address.bytes, text, sizeof text));
        assert_string_equal(text, ADDRESSES[i].canonical);
    }
}

static void refuses_nuls_and_length_in_addresses(void **state)
{
    (void)state;
    cm_address address;
    char many[5000];
    assert_false(cm_address_parse(CM_SLICE("203.0.113.7\0"), &address));
    assert_false(cm_address_parse(CM_SLICE("203.0.113\0.7"), &address));
    assert_false(cm_address_parse(CM_SLICE("::1\0"), &address));
    assert_false(cm_address_parse(CM_SLICE("::1\0::"), &address));
    memset(many, '1', sizeof many);
    assert_false(cm_address_parse(cm_slice_of(many, sizeof many), &address));
    many[1] = ':';
    assert_false(cm_address_parse(cm_slice_of(many, sizeof many), &address));
    memset(many, 0xFF, sizeof many);
    assert_false(cm_address_parse(cm_slice_of(many, sizeof many), &address));
    assert_false(cm_address_parse((cm_slice){NULL, 0}, &address));
}

/* What inet_pton says of text without a slash. */
static bool parse_slowly(const char *text, cm_address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    *address = (cm_address){.version = strchr(text, ':') != NULL ? 6 : 4};
    if (inet_pton(address->version == 4 ? AF_INET : AF_INET6, text, address->bytes) != 1)
        return false;
    if (address->version == 6 && memcmp(address->bytes, mapped, 12) == 0) {
        cm_address as_4 = {.version = 4};
        memcpy(as_4.bytes, address->bytes + 12, 4);
        *address = as_4;
    }
    return true;
}

/* Random addresses as text, half of them with one byte changed. */
static void random_address_text(char text[INET6_ADDRSTRLEN])
{
    static const char bytes[] = "0123456789abcdefABCDEF..::x% ";
    uint8_t address[16];
    for (size_t i = 0; i < sizeof address; i++)
        address[i] = rand() % 3 == 0 ? (uint8_t)rand() : 0;
    if (rand() % 2 == 0)
        address[10] = address[11] = 0xFF;
    inet_ntop(rand() % 2 == 0 ? AF_INET : AF_INET6, address, text, INET6_ADDRSTRLEN);
    if (rand() % 2 == 0)
        text[(size_t)rand() % strlen(text)] = bytes[(size_t)rand() % (sizeof bytes - 1)];
}

static void agrees_with_inet_pton(void **state)
{
    (void)state;
    srand(1);
    size_t valid = 0;
    for (int i = 0; i < 300000; i++) {
        char text[INET6_ADDRSTRLEN];
        cm_address address, expected;
        random_address_text(text);
        bool is_valid = parse_slowly(text, &expected);
        if (cm_address_parse(cm_slice_of_text(text), &address) != is_valid)
            fail_msg("%s", text);
        if (is_valid)
            assert_memory_equal(&address, &expected, sizeof address);
        valid += is_valid;
    }
    assert_in_range(valid, 150000, 290000);
}

static void reads_fingerprints(void **state)
{
    (void)state;
    char text[65];
    uint8_t fingerprint[32], expected[32];
    for (size_t i = 0; i < 32; i++) {
        expected[i] = (uint8_t)(i * 37 + 11);
        snprintf(text + 2 * i, 3, i % 2 ? "%02X" : "%02x", expected[i]);
    }
    assert_true(cm_fingerprint_parse(cm_slice_of(text, 64), fingerprint));
    assert_memory_equal(fingerprint, expected, sizeof expected);
    assert_false(cm_fingerprint_parse(cm_slice_of(text, 63), fingerprint));
    assert_false(cm_fingerprint_parse(cm_slice_of(text, 65), fingerprint));
    assert_false(cm_fingerprint_parse(CM_SLICE(""), fingerprint));
    for (unsigned byte = 0; byte < 256; byte++) {
        bool is_hex = byte != 0 && strchr("0123456789abcdefABCDEF", (int)byte) != NULL;
        for (size_t at = 0; at < 64; at++) {
            char kept = text[at];
            text[at] = (char)byte;
            assert_int_equal(cm_fingerprint_parse(cm_slice_of(text, 64), fingerprint), is_hex);
            text[at] = kept;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_every_character),
        cmocka_unit_test(accepts_nothing_else),
        cmocka_unit_test(counts_characters),
        cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(finds_plain_text),
        cmocka_unit_test(folds_ascii_only),
        cmocka_unit_test(writes_whole_numbers),
        cmocka_unit_test(rounds_decimals),
        cmocka_unit_test(reads_addresses),
        cmocka_unit_test(refuses_nuls_and_length_in_addresses),
        cmocka_unit_test(agrees_with_inet_pton),
        cmocka_unit_test(reads_fingerprints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
