/* The simulator's arithmetic: rows and times, clicks and devices, both ways; text; addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/delay.h"
#include "sim/device.h"
#include "sim/row.h"
#include "sim/text.h"
#include "sim/visit.h"
#include "sim/whereabouts.h"

static cm_sim_calendar calendar_of(uint64_t hours, uint64_t rows)
{
    cm_sim_calendar calendar = {.seed = 5,
                                .purpose = CM_SIM_FOR_CLICK_TIME,
                                .start_us = 20000 * CM_SIM_DAY_US,
                                .hour_count = hours,
                                .row_count = rows};
    assert_int_equal(cm_sim_calendar_init(&calendar, NULL), CM_OK);
    return calendar;
}

static void check_calendar(uint64_t hours, uint64_t rows)
{
    cm_sim_calendar calendar = calendar_of(hours, rows);
    int64_t last_us = calendar.start_us;
    assert_int_equal(cm_sim_calendar_count_until(&calendar, calendar.start_us - 1), 0);
    for (uint64_t row = 0; row < rows; row++) {
        int64_t time_us = cm_sim_calendar_time(&calendar, row);
        assert_true(time_us >= last_us);
        assert_true(cm_sim_calendar_count_until(&calendar, time_us) > row);
        assert_true(cm_sim_calendar_count_until(&calendar, time_us - 1) <= row);
        last_us = time_us;
    }
    int64_t end_us = calendar.start_us + (int64_t)hours * CM_SIM_HOUR_US;
    assert_true(rows == 0 || last_us < end_us);
    assert_int_equal(cm_sim_calendar_count_until(&calendar, end_us), rows);
    assert_int_equal(cm_sim_calendar_count_until(&calendar, INT64_MAX), rows);
    cm_sim_calendar_destroy(&calendar);
}

static void test_times_rise_with_rows_and_lead_back_to_them(void **state)
{
    (void)state;
    check_calendar(1, 0);
    check_calendar(24, 1);
    check_calendar(240, 17);
    check_calendar(5, 30000);
}

static void test_a_crowded_calendar_stays_in_order(void **state)
{
    (void)state;
    /* More rows than microseconds: 278 a microsecond in the only hour. */
    cm_sim_calendar calendar = calendar_of(1, CM_SIM_ROWS_MAX);
    int64_t last_us = calendar.start_us;
    for (uint64_t row = 999999990000; row < CM_SIM_ROWS_MAX; row++) {
        int64_t time_us = cm_sim_calendar_time(&calendar, row);
        assert_true(time_us >= last_us);
        last_us = time_us;
    }
    assert_int_equal(cm_sim_calendar_count_until(&calendar, last_us), CM_SIM_ROWS_MAX);
    assert_true(last_us < calendar.start_us + CM_SIM_HOUR_US);
    cm_sim_calendar_destroy(&calendar);
}

/* Every click that is neither a bot's nor a repeat is its street's click of its block. */
static void check_traffic(uint64_t clicks, uint32_t days)
{
    cm_sim_traffic traffic = cm_sim_traffic_make(11, clicks, days);
    uint64_t repeats = 0;
    for (uint64_t click = 0; click < clicks; click++) {
        uint64_t person = cm_sim_traffic_person(&traffic, click), repeater;
        assert_true(person < cm_sim_traffic_devices(&traffic));
        assert_true(person % CM_SIM_STREET_DEVICES < CM_SIM_STREET_CLICKERS);
        assert_int_equal(cm_sim_traffic_click(&traffic, person / CM_SIM_STREET_DEVICES,
                                              click >> traffic.block_bits),
                         click);
        cm_sim_slot slot = cm_sim_traffic_slot(&traffic, click);
        if (slot.origin == click)
            continue;
        repeats++;
        assert_true(slot.origin < click);
        assert_true(click - slot.origin < cm_sim_traffic_gap_max(&traffic));
        assert_true(cm_sim_traffic_repeater(&traffic, slot.origin, &repeater));
        assert_int_equal(repeater, click);
        assert_int_equal(cm_sim_traffic_slot(&traffic, slot.origin).device, slot.device);
        assert_int_equal(cm_sim_traffic_slot(&traffic, slot.origin).origin, slot.origin);
    }
    assert_true(clicks < 10000 || (repeats > clicks / 20 && repeats < clicks / 8));
}

static void test_clicks_and_devices_lead_to_each_other(void **state)
{
    (void)state;
    check_traffic(1, 1);
    check_traffic(100, 30);
    check_traffic(5000, 3);
    check_traffic(60000, 14);
}

static void test_household_members_are_of_one_household(void **state)
{
    (void)state;
    size_t with_mates = 0;
    for (uint64_t id = 640; id < 640 + CM_SIM_STREET_DEVICES; id++)
        for (uint64_t draw = 0; draw < 6; draw++) {
            uint64_t mate = cm_sim_device_mate(9, id, draw);
            cm_sim_device device = cm_sim_device_at(9, id), other = cm_sim_device_at(9, mate);
            assert_int_equal(device.household, other.household);
            assert_int_equal(device.kind, cm_sim_device_kind(9, id));
            with_mates += mate != id;
        }
    assert_true(with_mates > 300);
}

static void test_delays_are_of_every_length(void **state)
{
    (void)state;
    cm_sim_rng rng = cm_sim_rng_at(3, CM_SIM_FOR_CONVERSION, 0, 0);
    size_t minutes = 0, days = 0, weeks = 0;
    for (int i = 0; i < 10000; i++) {
        int64_t delay_us = cm_sim_delay(&rng);
        assert_true(delay_us > CM_SIM_SECOND_US);
        assert_true(delay_us < 100 * CM_SIM_DAY_US);
        minutes += delay_us < 30 * CM_SIM_MINUTE_US;
        days += delay_us > CM_SIM_DAY_US;
        weeks += delay_us > CM_SIM_WINDOW_US;
        assert_true(cm_sim_delay_beyond(&rng) > CM_SIM_SECOND_US);
        assert_true(cm_sim_amount(&rng) > 0);
    }
    assert_true(minutes > 3000 && days > 1000 && weeks > 100);
}

static void assert_text(const char *bytes, const char *end, const char *expected)
{
    assert_int_equal(end - bytes, strlen(expected));
    assert_memory_equal(bytes, expected, strlen(expected));
}

static void test_numbers_are_written_whole(void **state)
{
    (void)state;
    char text[64];
    assert_text(text, cm_sim_put_number(text, 0), "0");
    assert_text(text, cm_sim_put_number(text, UINT64_MAX), "18446744073709551615");
    assert_text(text, cm_sim_put_signed(text, -660), "-660");
    assert_text(text, cm_sim_put_signed(text, 480), "480");
    assert_text(text, cm_sim_put_digits(text, 1205, 2), "05");
    assert_text(text, cm_sim_put_hex(text, 0xfedcba9876543210u), "fedcba9876543210");
    assert_text(text, cm_sim_put_base64(text, 63 << 6, 3), "A_A");
}

static void test_times_are_written_as_dates(void **state)
{
    (void)state;
    const struct {
        int64_t time_us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {INT64_C(951782400000001), "2000-02-29T00:00:00.000001Z"},
        {INT64_C(1772323199999000), "2026-02-28T23:59:59.999Z"},
        {INT64_C(1772323200000000), "2026-03-01T00:00:00.000Z"},
        {INT64_C(4107542400000000), "2100-03-01T00:00:00.000Z"},
        {INT64_C(253402300799123456), "9999-12-31T23:59:59.123456Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        assert_text(text, cm_sim_put_time(text, cases[i].time_us), cases[i].text);
    }
}

static void test_addresses_are_written_in_full(void **state)
{
    (void)state;
    char text[64];
    cm_address address = {.version = 4, .bytes = {203, 0, 113, 9}};
    assert_text(text, cm_sim_put_address(text, &address), "203.0.113.9");
    address = (cm_address){.version = 6, .bytes = {0x20, 0x03, 0x0a, 0xbc, [15] = 0xf}};
    assert_text(text, cm_sim_put_address(text, &address), "2003:abc:0:0:0:0:0:f");
}

static void test_rows_are_of_their_format(void **state)
{
    (void)state;
    const char *expected[] = {"a,\"x,y\",,7\n",
                              "{\"event\":\"click\",\"p\":\"a\",\"q\":\"x,y\",\"s\":7}\n"};
    const cm_slice a = {"a", 1}, comma = {"x,y", 3}, none = {NULL, 0}, seven = {"7", 1};
    for (int format = CM_SIM_CSV; format <= CM_SIM_NDJSON; format++) {
        cm_sim_rows rows = {.format = (cm_sim_format)format};
        assert_true(cm_sim_row_begin(&rows, "click"));
        cm_sim_row_text(&rows, "p", a);
        cm_sim_row_text(&rows, "q", comma);
        cm_sim_row_bare(&rows, "r", none);
        cm_sim_row_bare(&rows, "s", seven);
        cm_sim_row_end(&rows);
        assert_text(rows.data, rows.data + rows.size, expected[format]);
        free(rows.data);
    }
}

/* Nothing that a matcher would take for no address, but where that is meant. */
static void test_addresses_are_public(void **state)
{
    (void)state;
    cm_sim_world world = {.seed = 4, .traffic = cm_sim_traffic_make(4, 100000, 7)};
    size_t version_6 = 0;
    for (uint64_t id = 0; id < 20000; id++) {
        cm_sim_rng rng = cm_sim_rng_at(4, CM_SIM_FOR_CLICK_LOOK, id, 0);
        cm_sim_device device = cm_sim_device_at(4, id);
        int64_t time_us = (int64_t)id * 83 * CM_SIM_SECOND_US; /* from the first hours of 1970 on */
        cm_address address = cm_sim_address_at(&world, &device, time_us, &rng);
        assert_true(address.version == 4 || address.version == 6);
        version_6 += address.version == 6;
        if (address.version == 6) {
            assert_int_equal(address.bytes[0] & 0xe0, 0x20); /* global unicast */
            continue;
        }
        assert_in_range(address.bytes[0], 11, 223);
        assert_true(address.bytes[0] != 100 && address.bytes[0] != 127 && address.bytes[0] != 169 &&
                    address.bytes[0] != 172 && address.bytes[0] != 192);
    }
    assert_in_range(version_6, 4000, 12000);
    cm_sim_rng rng = cm_sim_rng_at(4, CM_SIM_FOR_CLICK_LOOK, 0, 0);
    assert_int_equal(cm_sim_address_private(&rng).bytes[0], 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_rise_with_rows_and_lead_back_to_them),
        cmocka_unit_test(test_a_crowded_calendar_stays_in_order),
        cmocka_unit_test(test_clicks_and_devices_lead_to_each_other),
        cmocka_unit_test(test_household_members_are_of_one_household),
        cmocka_unit_test(test_delays_are_of_every_length),
        cmocka_unit_test(test_numbers_are_written_whole),
        cmocka_unit_test(test_times_are_written_as_dates),
        cmocka_unit_test(test_addresses_are_written_in_full),
        cmocka_unit_test(test_rows_are_of_their_format),
        cmocka_unit_test(test_addresses_are_public),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
