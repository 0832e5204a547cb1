/* What counts of a value: cookies, special addresses, buckets, expiry, hashed components. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "model/normal.h"
#include "util/slice.h"
#include "util/time.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct {
    const char *fbclid, *value;
} COOKIES[] = {
    {"fb.1.1554763741205.AbCd", "AbCd"},
    {"fb.1.1554763741205.AbCd.more", "AbCd"},
    {"fb.1.1554763741205.AbCd.", "AbCd"},
    {"fb.1.1554763741205.AbCd..", "AbCd"},
    {"fb.0.0.0", "0"},
    {"fb.11111111111111111111111111.2.x", "x"},
    {"", ""},
    {"AbCd", "AbCd"},
    {"fb", "fb"},
    {"fb.", "fb."},
    {"fb.1", "fb.1"},
    {"fb.1.", "fb.1."},
    {"fb.1.2", "fb.1.2"},
    {"fb.1.2.", "fb.1.2."},
    {"fb.1.2..x", "fb.1.2..x"},
    {"fb..2.x", "fb..2.x"},
    {"fb.1..x", "fb.1..x"},
    {"fb.a.2.x", "fb.a.2.x"},
    {"fb.1.2b.x", "fb.1.2b.x"},
    {"FB.1.2.x", "FB.1.2.x"},
    {" fb.1.2.x", " fb.1.2.x"},
    {"fb.1.2.fb.3.4.x", "fb"},
};

static void cookies_hold_an_id(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(COOKIES); i++) {
        cm_slice value = cm_fbclid_value(cm_slice_of_text(COOKIES[i].fbclid));
        if (!cm_slice_equal(value, cm_slice_of_text(COOKIES[i].value)))
            fail_msg("%s", COOKIES[i].fbclid);
    }
    assert_int_equal(cm_fbclid_value((cm_slice){NULL, 0}).size, 0);
}

static const struct {
    const char *address;
    bool is_evidence;
} ADDRESSES[] = {
    {"0.255.255.255", false},
    {"1.0.0.0", true},
    {"9.255.255.255", true},
    {"10.0.0.0", false},
    {"10.255.255.255", false},
    {"11.0.0.0", true},
    {"100.63.255.255", true},
    {"100.64.0.0", false},
    {"100.127.255.255", false},
    {"100.128.0.0", true},
    {"126.255.255.255", true},
    {"127.0.0.1", false},
    {"128.0.0.0", true},
    {"169.253.255.255", true},
    {"169.254.0.0", false},
    {"169.254.255.255", false},
    {"169.255.0.0", true},
    {"172.15.255.255", true},
    {"172.16.0.0", false},
    {"172.31.255.255", false},
    {"172.32.0.0", true},
    {"192.167.255.255", true},
    {"192.168.0.0", false},
    {"192.168.255.255", false},
    {"192.169.0.0", true},
    {"223.255.255.255", true},
    {"224.0.0.0", false},
    {"239.255.255.255", false},
    {"240.0.0.0", false},
    {"255.255.255.255", false},
    {"::", false},
    {"::1", false},
    {"::2", true},
    {"::1:0", true},
    {"1::1", true},
    {"fe7f:ffff::", true},
    {"fe80::", false},
    {"febf:ffff::", false},
    {"fec0::", true},
    {"fbff:ffff::", true},
    {"fc00::", false},
    {"fdff:ffff::", false},
    {"fe00::", true},
    {"feff:ffff::", true},
    {"ff00::", false},
    {"ffff::", false},
    {"2001:db8::1", true},
    {"::203.0.113.7", true},
};

/* The IPv4-mapped form, as a caller of the library may give it. */
static cm_address mapped(const cm_address *address)
{
    cm_address as_6 = {.version = 6, .bytes = {[10] = 0xFF, [11] = 0xFF}};
    memcpy(as_6.bytes + 12, address->bytes, 4);
    return as_6;
}

static void special_addresses_are_no_evidence(void **state)
{
    (void)state;
    cm_address missing = {.version = 0, .bytes = {203, 0, 113, 7}};
    assert_false(cm_address_is_evidence(&missing));
    for (size_t i = 0; i < COUNT(ADDRESSES); i++) {
        cm_address address;
        assert_true(cm_address_parse(cm_slice_of_text(ADDRESSES[i].address), &address));
        if (cm_address_is_evidence(&address) != ADDRESSES[i].is_evidence)
            fail_msg("%s", ADDRESSES[i].address);
        if (address.version != 4)
            continue;
        address = mapped(&address);
        assert_int_equal(cm_address_is_evidence(&address), ADDRESSES[i].is_evidence);
    }
}

static void buckets_keep_the_prefix(void **state)
{
    (void)state;
    cm_model model = {0};
    cm_address v4 = {.version = 4, .bytes = {0xFF, 0xFF, 0xFF, 0xFF}}, v6 = {.version = 6};
    cm_address as_6 = mapped(&v4);
    memset(v6.bytes, 0xFF, sizeof v6.bytes);
    for (unsigned bits = 1; bits <= 128; bits++) {
        model.ipv4_prefix = bits <= 32 ? bits : 32;
        model.ipv6_prefix = bits;
        cm_address bucket_4 = cm_address_bucket(&v4, &model);
        cm_address bucket_6 = cm_address_bucket(&v6, &model);
        cm_address bucket_mapped = cm_address_bucket(&as_6, &model);
        assert_int_equal(bucket_4.version, 4);
        assert_int_equal(bucket_6.version, 6);
        assert_memory_equal(&bucket_mapped, &bucket_4, sizeof bucket_4);
        for (unsigned bit = 0; bit < 128; bit++) {
            unsigned mask = 0x80u >> bit % 8;
            assert_int_equal((bucket_4.bytes[bit / 8] & mask) != 0, bit < model.ipv4_prefix);
            assert_int_equal((bucket_6.bytes[bit / 8] & mask) != 0, bit < bits);
        }
    }
}

static void expiry_has_default_and_cap(void **state)
{
    (void)state;
    const int64_t t = 1773144000000000, window = 7 * CM_DAY_US, cap = 30 * CM_DAY_US;
    assert_int_equal(cm_click_expiry(t, CM_TIME_MISSING, window), t + window);
    assert_int_equal(cm_click_expiry(t, CM_TIME_MISSING, cap), t + cap);
    assert_int_equal(cm_click_expiry(t, t, window), t);
    assert_int_equal(cm_click_expiry(t, t + 1, window), t + 1);
    assert_int_equal(cm_click_expiry(t, t + cap, window), t + cap);
    assert_int_equal(cm_click_expiry(t, t + cap + 1, window), t + cap);
    assert_int_equal(cm_click_expiry(t, CM_TIME_END_US - 1, window), t + cap);
    assert_int_equal(cm_click_expiry(CM_TIME_END_US - 1, CM_TIME_MISSING, cap),
                     CM_TIME_END_US - 1 + cap);
}

/* FIPS 180-4: of nothing, of one block, of two blocks. */
static const struct {
    const char *text, *hash;
} HASHES[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void assert_hash(const uint8_t hash[CM_DIGEST_BYTES], const char *hex)
{
    uint8_t expected[CM_DIGEST_BYTES];
    assert_true(cm_fingerprint_parse(cm_slice_of_text(hex), expected));
    assert_memory_equal(hash, expected, sizeof expected);
}

static void hashes_are_those_of_the_standard(void **state)
{
    cm_digest *digest = *state;
    uint8_t hash[CM_DIGEST_BYTES];
    for (size_t i = 0; i < COUNT(HASHES); i++) {
        cm_slice text = cm_slice_of_text(HASHES[i].text);
        assert_true(cm_digest_joined(digest, &text, 1, '|', hash));
        assert_hash(hash, HASHES[i].hash);
    }
    assert_true(cm_digest_joined(digest, NULL, 0, '|', hash));
    assert_hash(hash, HASHES[0].hash);
    assert_true(cm_fingerprint_is_missing(hash));
}

/* One million times the letter a, in parts of every size around that of the stage. */
static void long_parts_are_hashed(void **state)
{
    cm_digest *digest = *state;
    static char letters[1000000];
    static cm_slice parts[2000];
    uint8_t hash[CM_DIGEST_BYTES];
    size_t taken = 0, count = 0;
    memset(letters, 'a', sizeof letters);
    for (; count + 1 < COUNT(parts) && taken < sizeof letters; count++) {
        size_t left = sizeof letters - taken, size = count % 1030;
        parts[count] = cm_slice_of(letters + taken, size < left ? size : left);
        taken += parts[count].size + 1; /* the separator is a letter, too */
    }
    assert_true(taken >= sizeof letters);
    parts[count - 1].size -= taken - sizeof letters - 1;
    assert_true(cm_digest_joined(digest, parts, count, 'a', hash));
    assert_hash(hash, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void components_are_hashed(void **state)
{
    cm_digest *digest = *state;
    uint8_t hash[CM_DIGEST_BYTES];
    cm_device device = {.screen_width = CM_SLICE("390"),
                        .screen_height = CM_SLICE("844"),
                        .timezone = CM_SLICE("Europe/Madrid"),
                        .timezone_offset = CM_SLICE("-60"),
                        .device_type = CM_SLICE("mobile"),
                        .os = CM_SLICE("iOS"),
                        .browser = CM_SLICE("Safari")};
    assert_true(cm_components_hash(digest, &device, hash));
    assert_hash(hash, "3af0907a5457a38efefbc28c392807de63a179983e7c73c50a245de017f02f6b");
    device.device_type = CM_SLICE("Mobile");
    assert_true(cm_components_hash(digest, &device, hash));
    assert_hash(hash, "8f9898c4b77f6241772ca0d4e5a1d3bca6f08c0cc2b80969af2d10fd10004d2f");
    device = (cm_device){.timezone_offset = CM_SLICE("0")};
    assert_true(cm_components_hash(digest, &device, hash));
    assert_hash(hash, "a99aae26d40b8c2fb4324accf302bbf6397f87eb10b42c90874a717df150c8dd");
    device = (cm_device){.device_type = CM_SLICE("mobile"),
                         .os = CM_SLICE("iOS"),
                         .browser = CM_SLICE("Safari"),
                         .user_agent = CM_SLICE("UA")};
    assert_false(cm_components_hash(digest, &device, hash));
    cm_slice *alone[] = {&device.screen_width, &device.screen_height, &device.timezone,
                         &device.timezone_offset};
    for (size_t i = 0; i < COUNT(alone); i++) {
        *alone[i] = CM_SLICE("x");
        assert_true(cm_components_hash(digest, &device, hash));
        *alone[i] = (cm_slice){NULL, 0};
    }
    assert_false(cm_components_hash(digest, &device, hash));
}

static void expect_traits(const cm_device *device, const char *os, const char *browser,
                          const char *timezone)
{
    cm_arena arena = {0};
    cm_slice traits[CM_TRAIT_COUNT];
    assert_true(cm_device_traits(device, &arena, traits));
    assert_true(cm_slice_equal(traits[CM_TRAIT_OS], cm_slice_of_text(os)));
    assert_true(cm_slice_equal(traits[CM_TRAIT_BROWSER], cm_slice_of_text(browser)));
    assert_true(cm_slice_equal(traits[CM_TRAIT_TIMEZONE], cm_slice_of_text(timezone)));
    cm_arena_destroy(&arena);
}

static void traits_have_a_normal_form(void **state)
{
    (void)state;
    cm_device device = {0};
    expect_traits(&device, "", "", "");
    device.os = CM_SLICE("iOS 17 \xC3\x84");
    device.browser = CM_SLICE("SAFARI");
    device.timezone = CM_SLICE("Europe/Paris");
    expect_traits(&device, "ios 17 \xC3\x84", "safari", "Europe/Paris");
}

/* Two screens as one text each: equal or not, or missing. */
static void check_screens(const char *const sides[4], bool is_there, bool is_same)
{
    cm_arena arena = {0};
    cm_slice a[CM_TRAIT_COUNT], b[CM_TRAIT_COUNT];
    const cm_device one = {.screen_width = cm_slice_of_text(sides[0]),
                           .screen_height = cm_slice_of_text(sides[1])};
    const cm_device other = {.screen_width = cm_slice_of_text(sides[2]),
                             .screen_height = cm_slice_of_text(sides[3])};
    assert_true(cm_device_traits(&one, &arena, a) && cm_device_traits(&other, &arena, b));
    assert_int_equal(a[CM_TRAIT_SCREEN].size > 0, is_there);
    assert_int_equal(cm_slice_equal(a[CM_TRAIT_SCREEN], b[CM_TRAIT_SCREEN]), is_same);
    cm_arena_destroy(&arena);
}

static void screens_may_be_turned(void **state)
{
    (void)state;
    check_screens((const char *[]){"390", "844", "390", "844"}, true, true);
    check_screens((const char *[]){"390", "844", "844", "390"}, true, true);
    check_screens((const char *[]){"39", "0844", "390", "844"}, true, false);
    check_screens((const char *[]){"390", "390", "390", "844"}, true, false);
    check_screens((const char *[]){"390", "844", "390", ""}, true, false);
    check_screens((const char *[]){"390", "", "", ""}, false, true);
    check_screens((const char *[]){"", "390", "", ""}, false, true);
    check_screens((const char *[]){"3", "90|8", "3|90", "8"}, true, false); /* any text may come */
}

static void some_fingerprints_stand_for_none(void **state)
{
    (void)state;
    uint8_t fingerprint[32] = {0};
    assert_true(cm_fingerprint_is_missing(fingerprint));
    fingerprint[31] = 1;
    assert_false(cm_fingerprint_is_missing(fingerprint));
}

static int create_digest(void **state)
{
    *state = cm_digest_create();
    return *state == NULL;
}

static int destroy_digest(void **state)
{
    cm_digest_destroy(*state);
    cm_digest_destroy(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookies_hold_an_id),
        cmocka_unit_test(special_addresses_are_no_evidence),
        cmocka_unit_test(buckets_keep_the_prefix),
        cmocka_unit_test(expiry_has_default_and_cap),
        cmocka_unit_test(hashes_are_those_of_the_standard),
        cmocka_unit_test(long_parts_are_hashed),
        cmocka_unit_test(components_are_hashed),
        cmocka_unit_test(traits_have_a_normal_form),
        cmocka_unit_test(screens_may_be_turned),
        cmocka_unit_test(some_fingerprints_stand_for_none),
    };
    return cmocka_run_group_tests(tests, create_digest, destroy_digest);
}
