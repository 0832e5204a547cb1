"""Values of every column for fuzz_files.py: most of them valid, the others just beside it.

A value is bytes of text; None is missing. A time comes as microseconds as well, so that NDJSON can
write it as a number.
"""

import datetime
import hashlib
import ipaddress

from reference_model import hours_to_us
from reference_values import COMPONENTS, TIME_END_US

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
START_US = 1_772_323_200_000_000  # 2026-03-01
EPOCH = datetime.datetime(1970, 1, 1)

BAD_BYTES = (b"\xff", b"\xc3", b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
             b"\xf0\x9f\x98", b"\x80", b"\xfe")

BAD_IDS = (b"x" * 256, "é".encode() * 256, "😀".encode() * 255 + b"x", b"k\0", b"\0",
           b"x" * 70000, b"k\xff", b"\xc3k")
TENANTS = (b"t", b"T", "ä".encode(), b"a" * 255, "é".encode() * 255, b'q"u,o', b"t ",
           b"\xf0\x9f\x98\x80")

ODD_TIMES = (
    b"1970-01-01T00:00:00Z", b"1969-12-31T23:59:59-23:59", b"1970-01-01 23:58:59+23:59",
    b"9999-12-31T23:59:59.999999Z", b"2000-02-29T12:00:00", b"2026-03-01T00:00:00.1234567890123z",
    b"2026-03-02t05:06:07.9+0530", b"2026-03-02 05:06:07-08", b"2026-03-02 05:06:07+00:00",
    b"9999-12-31T00:00:00+23:59", b"2026-03-01T00:00:00." + b"0" * 300 + b"9Z")

BAD_TIMES = (
    b"2026-02-29T00:00:00Z", b"1900-02-29T00:00:00Z", b"2100-02-29T00:00:00Z",
    b"2026-13-01T00:00:00Z", b"2026-00-10T00:00:00Z", b"2026-03-00T00:00:00Z",
    b"2026-04-31T00:00:00Z", b"2026-03-32T00:00:00Z", b"2026-03-01T24:00:00Z",
    b"2026-03-01T23:60:00Z", b"2026-03-01T23:59:60Z", b"2026-03-01", b"2026-03-01T00:00",
    b"2026-03-01T00:00:00.", b"2026-03-01T00:00:00.Z", b" 2026-03-01T00:00:00Z",
    b"2026-03-01T00:00:00Z ", b"2026-03-01T00:00:00 Z", b"2026-03-01T00:00:00+24:00",
    b"2026-03-01T00:00:00+00:60", b"2026-03-01T00:00:00+0", b"2026-03-01T00:00:00+000",
    b"2026-03-01T00:00:00+00:0", b"2026-03-01T00:00:00+00-00", b"2026-03-01T00:00:00+",
    b"2026-03-01T00:00:00+1:00", b"2026-03-01T00:00:00+00:00Z", b"2026-03-01T00:00:00,5Z",
    b"2026-03-01T00:00:00.5.5Z", b"2026-03-01T00:00:00.12345x", b"2026-03-01T00:00:00.123456x",
    b"2026-03-01T00:00:00.1234567x", b"1969-12-31T23:59:59.999999Z", b"1970-01-01T00:00:00+00:01",
    b"9999-12-31T23:59:59-00:01", b"10000-01-01T00:00:00Z", b"+2026-03-01T00:00:00Z",
    b"0000-01-01T00:00:00Z", b"0000-00-00T00:00:00Z", b"0001-01-01T00:00:00Z",
    b"2026-03-01_00:00:00Z", b"2026/03/01T00:00:00Z", b"2026-03-01T00-00-00Z",
    b"20260301T000000Z", b"1772323200000", b"now", b"2026-03-0\xc2\xb9T00:00:00Z",
    b"2026-03-01T00:00:0:Z", b"2026-03-01T0/:00:00Z", b"2026-03-01T00:00:00\0",
    b"2026-03-01T00:00:00\xc3\x9f", b"2026-03-01T00:00:00ZZ", b"x026-03-01T00:00:00Z")

SPECIAL_ADDRESSES = (
    b"0.0.0.0", b"0.255.255.255", b"1.0.0.0", b"9.255.255.255", b"10.0.0.0", b"10.255.255.255",
    b"11.0.0.0", b"100.63.255.255", b"100.64.0.0", b"100.127.255.255", b"100.128.0.0",
    b"126.255.255.255", b"127.0.0.1", b"128.0.0.0", b"169.253.255.255", b"169.254.0.0",
    b"169.255.0.0", b"172.15.255.255", b"172.16.0.0", b"172.31.255.255", b"172.32.0.0",
    b"192.167.255.255", b"192.168.0.0", b"192.169.0.0", b"223.255.255.255", b"224.0.0.0",
    b"239.255.255.255", b"240.0.0.0", b"255.255.255.255", b"::", b"::1", b"::2", b"::1.2.3.4",
    b"::0.0.0.1", b"::ffff:0:0", b"::ffff:10.1.2.3", b"::FFFF:c0a8:1", b"::fffe:1.2.3.4",
    b"fe80::1", b"febf::1", b"fec0::1", b"fe7f::1", b"fbff::1", b"fc00::", b"fdff::1", b"fe00::1",
    b"feff::1", b"ff00::", b"ff02::1", b"64:ff9b::10.0.0.1", b"2002:a00:1::", b"::ffff:0:1.2.3.4")

BAD_ADDRESSES = (
    b"1.2.3", b"1.2.3.4.5", b"01.2.3.4", b"1.2.3.04", b"1.2.3.256", b"1.2.3.1000", b"1..3.4",
    b"1.2.3.", b".1.2.3", b" 1.2.3.4", b"1.2.3.4 ", b"1.2.3.4:80", b"[2001:db8::1]",
    b"[2001:db8::1]:80", b"fe80::1%eth0", b"2001:db8::1%1", b"1.2.3.4, 5.6.7.8", b"0x1.2.3.4",
    b"1.2.3.4\0", b"2001:db8::1\0", b"16909060", b"1:2:3:4:5:6:7", b"1:2:3:4:5:6:7:8:9",
    b"1:2:3:4:5:6:7:8::", b"::1:2:3:4:5:6:7:8", b"1:2:3::4:5:6:7:8", b"1::2::3", b":::", b"1:::2",
    b":1:2:3:4:5:6:7", b"1:2:3:4:5:6:7:", b":", b"12345::", b"00001::", b"g::1", b"::1.2.3",
    b"::1.2.3.4.5", b"::01.2.3.4", b"::1.2.3.256", b"1.2.3.4::", b"::1.2.3.4:5",
    b"1:2:3:4:5:6:7:1.2.3.4", b"::ffff:1.2.3.4:80", b"/24", b"/", b"localhost", b"unknown", b"-",
    b"+1.2.3.4", b"1.2.3.-4", b"1.2.3.4e0", b"1,2.3.4", "１.2.3.4".encode(), b"2001:db8::1 ",
    b"2001:db8:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:1")

BAD_FINGERPRINTS = (
    b"a" * 63, b"a" * 65, b"g" + b"a" * 63, b"a" * 63 + b"G", b"0x" + b"a" * 62, b" " + b"a" * 63,
    b"a" * 63 + b" ", "é".encode() * 32, b"a" * 63 + b"\0", b"a" * 32, b"-", b"a" * 63 + b"/",
    b"a" * 63 + b"`", b"a" * 63 + b"@", b"a" * 63 + b":")

FLAGS_TRUE = (b"true", b"t", b"1", b"TRUE", b"True", b"tRuE", b"T")
FLAGS_FALSE = (b"false", b"f", b"0", b"FALSE", b"False", b"F")
BAD_FLAGS = (b"yes", b"no", b"2", b"01", b"true ", b" f", b"tru", b"truee", b"-1", b"0.0", b"1.0",
             b"\xc5\xa7", b"n", b"y", b"null", b"tr\xc3\xbce")

COOKIE_MISSES = (b"fb.1.2.", b"fb.1.2..x", b"fb..1.x", b"fb.1..x", b"fb.1.x.I0", b"FB.1.2.I0",
                 b"fb.1.2", b"fb.1", b"fb", b"fb.-1.2.I0", b"fb.1.2 .I0", b"xfb.1.2.I0",
                 b"fb.a.2.I0", b"fb.\xc2\xb9.2.I0", b"fb,1.2.I0", b"fb.1.2.\n")
DEVICE_TYPES = (b"mobile", b"Mobile", b"MOBILE", b"desktop", b"Desktop", b"tablet", b"smart tv, 4k",
                "mÖ".encode(), b"mobile ", b"m\0", b"\xff\xc3")
USER_AGENTS = (b"UA-1", b"UA-2", b"ua-1", b'Mozilla/5.0 (X11; "q", x)', b"UA\r\nline", b"UA\0nul",
               b"\xff\xfe", b"\xe2\x82", "日本語 😀".encode(), b"\x01\x1f\x7f\\/\b",
               b"UA-1 ", b"\t")
ADS = (b"c1", b"c,2", b'"c3"', b"c\n4", b"c\r5", b"\xff c6 \xe2\x82x", b"c\0\x1b", b" ",
       "ñ".encode(), "\u2028\ufeff".encode(), b"=1+1", b"c\\7", b"\xf0\x9f\x98\xed\xa0\x80")
WIDTHS = (b"390", b"844", b"1024", b"390.0", b"-0", b"844 ")
HEIGHTS = (b"844", b"390", b"768", b"0844", b"x\xff")
ZONES = (b"Europe/Madrid", b"Asia/Tokyo", b"|", b"asia/tokyo", b"\0", b"Z" * 300)
OFFSETS = (b"-60", b"540", b"0")
SYSTEMS = (b"iOS", b"IOS", b"Android", b"aNDROID", b"\xc3\x9cOS", b"\xc3\xbcos", b"iOS\0",
           b"iOS\0x", b"x" * 300, b"X" * 300, b"x" * 299 + b"y", b"x" * 70000)
BROWSERS = (b"Safari", b"Chrome", b"safari", b"A[@Z", b"a{`z", b"a[@z", b"\xff", b"\xdf",
            b" Safari")


class Values:
    """Draws values. Pools are small, so that clicks and conversions meet."""

    def __init__(self, random, model, hostile):
        self.random, self.hostile = random, hostile
        self.tenants = random.sample(TENANTS, random.randint(1, 4))
        self.ids = random.choice((60, 400, 4000))
        self.names = random.randint(2, 12)
        edges = [hours_to_us(edge) for edge in model["delay_hours"]]
        retention = hours_to_us(model["retention_hours"])
        for name in ("window_hours", "probabilistic_window_hours"):
            edges += [hours_to_us(model[name]), hours_to_us(model[name]) + retention]
        self.edges = edges + [30 * DAY_US, 30 * DAY_US + retention]
        start = random.choice((START_US,) * 9 + (0, TIME_END_US - 20 * DAY_US))
        self.anchors = [self.clamp(start + random.randrange(20 * DAY_US))
                        for _ in range(random.randint(1, 4))]
        self.devices = [self.draw_components() for _ in range(3)]
        self.fingerprints = [random.randbytes(32) for _ in range(random.randint(1, 6))]
        self.fingerprints += [self.hash_of(device) for device in self.devices]
        self.addresses = [self.draw_address() for _ in range(random.randint(2, 8))]
        # Some devices come again: at home by IPv4 and IPv6, and elsewhere.
        self.people = [self.draw_person() for _ in range(random.randint(1, 5))]
        self.people_share = random.choice((0, 0.3, 0.8))

    @staticmethod
    def clamp(time):
        return max(0, min(time, TIME_END_US - 1))

    def chance(self, share):
        return self.random.random() < share

    def one_of(self, values):
        return self.random.choice(values)

    def is_bad(self):
        """Whether to break the rule of the column this once."""
        return self.chance(self.hostile)

    # ---- Ids ----

    def tenant(self):
        return self.bad_id() if self.is_bad() else self.one_of(self.tenants)

    def bad_id(self):
        word = b"k%d" % self.random.randrange(self.ids)
        return self.one_of(BAD_IDS + (word + self.one_of(BAD_BYTES), self.one_of(BAD_BYTES) + word,
                                      word + b"\0"))

    def click_id(self):
        if self.is_bad():
            return self.bad_id()
        number = self.random.randrange(self.ids)
        return self.one_of((b"%d", b"k%d", b"k%d", b"k%d", b"k%d", "é%d".encode(), b'k%d, "x"',
                            b"%0255d", "%0253d😀é".encode(), b"k%d ", b"k\n%d", b"K%d")) % number

    def conversion_id(self):
        return self.bad_id() if self.is_bad() else b"v%d" % self.random.randrange(4 * self.ids)

    def fbclid(self):
        if self.is_bad():
            return self.bad_id()
        name = b"I%d" % self.random.randrange(self.names)
        return self.one_of((name, name, b"fb.1.2." + name, b"fb.00.1700000000000." + name + b".x",
                            b"fb.1.2." + name + b".", b"fb.1.2." + name + b"..y\n.",
                            b"fb." + b"9" * 200 + b".2." + name, self.one_of(COOKIE_MISSES)))

    def gclid(self):
        if self.is_bad():
            return self.bad_id()
        number = self.random.randrange(self.names)
        return self.one_of((b"g%d", b"I%d", b"fb.1.2.I%d", b"G%d")) % number

    # ---- Times ----

    def click_time(self):
        anchor, random = self.one_of(self.anchors), self.random
        return self.clamp(anchor - random.choice((
            random.randint(-1, 1), self.one_of(self.edges) + random.randint(-1, 1),
            self.one_of(self.edges) + random.randint(-1, 1), random.randrange(4 * HOUR_US),
            random.randrange(600_000_000), random.randrange(max(self.edges)))))

    def conversion_time(self):
        return self.clamp(self.one_of(self.anchors) +
                          self.one_of((0, 0, 0, 1, -1, self.random.randrange(HOUR_US))))

    def expiry(self, click_time):
        random = self.random
        if self.is_bad():
            return self.clamp(click_time - random.choice((1, HOUR_US)))
        return self.clamp(max(click_time, random.choice((
            click_time, click_time + 1 + random.randrange(HOUR_US),
            self.one_of(self.anchors) + random.randint(-1, 1),
            click_time + self.one_of(self.edges) + random.randint(-1, 1),
            click_time + 30 * DAY_US + random.randint(-1, 1),
            click_time + random.randrange(40 * DAY_US)))))

    def time_text(self, time):
        """One of the many spellings of a time."""
        if self.is_bad():
            return self.one_of(BAD_TIMES)
        if self.chance(0.01):
            return self.one_of(ODD_TIMES)
        zone, offset = self.one_of((("", 0), ("Z", 0), ("z", 0), self.zone()))
        if not 366 * DAY_US < time < TIME_END_US - 366 * DAY_US:
            zone, offset = "Z", 0
        local = EPOCH + datetime.timedelta(microseconds=time + offset)
        fraction = f"{time % 1_000_000:06d}"
        if self.chance(0.5):
            fraction = fraction.rstrip("0")
        if fraction and self.chance(0.3):
            fraction = fraction.ljust(6, "0") + "%d" % self.random.randrange(10 ** 9)
        text = local.strftime("-%m-%d") + self.one_of("TTt ") + local.strftime("%H:%M:%S")
        return (f"{local.year:04d}" + text + ("." + fraction if fraction else "") + zone).encode()

    def zone(self):
        """(text, microseconds east of UTC)"""
        hours, minutes = self.random.randrange(24), self.one_of((0, 0, 30, 45, 59))
        form = self.one_of(("%02d", "%02d%02d", "%02d:%02d"))
        if form == "%02d":
            minutes = 0
        text = form % ((hours, minutes)[:form.count("%")])
        sign = self.one_of((1, -1))
        return ("+" if sign > 0 else "-") + text, sign * (hours * 60 + minutes) * 60_000_000

    # ---- Devices ----

    def draw_components(self):
        """Mostly of the first few of each, so that some are alike."""
        device = [self.one_of(pool if self.chance(0.1) else pool[:3])
                  for pool in (WIDTHS, HEIGHTS, ZONES, OFFSETS, DEVICE_TYPES, SYSTEMS, BROWSERS)]
        return {name: None if self.chance(0.2) else value
                for name, value in zip(COMPONENTS, device)}

    @staticmethod
    def hash_of(device):
        return hashlib.sha256(b"|".join(device[name] or b"" for name in COMPONENTS)).digest()

    def fingerprint(self):
        if self.is_bad():
            return self.one_of(BAD_FINGERPRINTS)
        value = self.one_of(self.fingerprints)
        if self.chance(0.06):
            value = self.one_of((bytes(32), hashlib.sha256(b"").digest()))
        return self.one_of((value.hex(), value.hex(), value.hex().upper(),
                            value.hex()[:31] + value.hex()[31:].upper())).encode()

    def draw_address(self):
        low = self.random.randrange(4)
        if self.chance(0.6):
            return ipaddress.ip_address("203.0.%d.%d" % (113 + self.random.randrange(2), low))
        return ipaddress.ip_address("2001:db8:%x::%x" % (low // 2, low))

    def address(self, addresses=None):
        if self.is_bad():
            return self.one_of(BAD_ADDRESSES)
        if self.chance(0.15):
            return self.one_of(SPECIAL_ADDRESSES)
        address = self.one_of(addresses or self.addresses)
        forms = [str(address), str(address)]
        if address.version == 4:
            number = int(address)
            groups = "%x:%x" % (number >> 16, number & 0xFFFF)
            forms += ["::ffff:" + str(address), "::FFFF:" + groups, "0:0:0:0:0:ffff:" + groups,
                      "0000:0000:0000:0000:0000:ffff:" + str(address), "::0:ffff:" + groups]
        else:
            number = int(address) & 0xFFFFFFFF
            tail = ipaddress.ip_address(number)
            forms += [address.exploded, str(address).upper(),
                      ":".join(address.exploded.split(":")[:6]) + ":" + str(tail)]
        text = self.one_of(forms) + self.one_of(("",) * 8 + ("/32", "/", "/x y:1", "/24/7"))
        return text.encode()

    def device(self, row):
        """Fill what clicks and conversions share."""
        if self.chance(0.7):
            row["ip_address"] = self.address()
        if self.chance(0.8):
            row["user_agent"] = self.one_of(USER_AGENTS[:4] * 3 + USER_AGENTS)
        if self.chance(0.7):
            row["device_type"] = self.one_of(DEVICE_TYPES[:6] * 3 + DEVICE_TYPES)
        if self.chance(0.6):
            row.update(self.one_of(self.devices) if self.chance(0.6) else self.draw_components())

    def draw_person(self):
        looks = {**self.one_of(self.devices), "user_agent": self.one_of(USER_AGENTS[:4]),
                 "fingerprint_hash": self.one_of(self.fingerprints).hex().encode()}
        return self.one_of(self.tenants), looks, self.random.sample(self.addresses, 2)

    def respelled(self, text):
        return bytes(byte ^ 0x20 if chr(byte).isascii() and chr(byte).isalpha() and self.chance(0.5)
                     else byte for byte in text)

    def person(self, row):
        """Make a row one of the people's, who do not always look the same."""
        tenant, looks, addresses = self.one_of(self.people)
        row["tenant_id"] = tenant
        for name, value in looks.items():
            if self.chance(0.9):
                row[name] = value
        row["ip_address"] = self.address(addresses)
        for name in ("os", "browser"):
            if row.get(name) and self.chance(0.4):
                row[name] = self.respelled(row[name])
        if self.chance(0.3):
            row["screen_width"], row["screen_height"] = (row.get("screen_height"),
                                                         row.get("screen_width"))

    # ---- Rows ----

    def click(self):
        time = self.click_time()
        row = {"tenant_id": self.tenant(), "click_id": self.click_id(),
               "click_timestamp": self.time_text(time), "click_timestamp us": time}
        if self.chance(0.5):
            row["expires_at us"] = self.expiry(time)
            row["expires_at"] = self.time_text(row["expires_at us"])
        if self.chance(0.4):
            row["is_valid"] = self.one_of(BAD_FLAGS if self.is_bad() else FLAGS_TRUE + FLAGS_FALSE)
        if self.chance(0.4):
            row["fbclid"] = self.fbclid()
        if self.chance(0.4):
            row["gclid"] = self.gclid()
        for name in ("campaign_id", "adset_id", "ad_id", "creative_id"):
            if self.chance(0.4):
                row[name] = self.one_of(ADS)
        if self.chance(0.5):
            row["fingerprint_hash"] = self.fingerprint()
        self.device(row)
        if self.chance(self.people_share):
            self.person(row)
        return self.leave_out_required(row)

    def conversion(self):
        time = self.conversion_time()
        row = {"tenant_id": self.tenant(), "conversion_id": self.conversion_id(),
               "conversion_timestamp": self.time_text(time), "conversion_timestamp us": time}
        for name, draw in (("click_id", self.click_id), ("fbclid", self.fbclid),
                           ("gclid", self.gclid)):
            if self.chance(0.15):
                row[name] = draw()
        for name in ("fingerprint_hash", "conversion_fingerprint_hash"):
            if self.chance(0.35):
                row[name] = self.fingerprint()
        self.device(row)
        if self.chance(self.people_share):
            self.person(row)
        return self.leave_out_required(row)

    def leave_out_required(self, row):
        if self.is_bad():
            row[self.one_of(list(row)[:3])] = None
        return row
