"""Fields: text to values (docs/matching.md, sections 1 and 2).

A raw value is bytes (text), JsonNumber, bool or another Python object; a missing one is None.
"""

import hashlib
import re

TIME_END_US = 253_402_300_800 * 1_000_000  # year 10000
WHOLE_DIGITS_MAX = 64
FIELD_BYTES_MAX = 8 << 10
SHA256_OF_NOTHING = hashlib.sha256(b"").digest()


class Malformed(Exception):
    """A field that breaks its rule; the text is the reason."""


class Failure(Exception):
    """Ends the run: the exit status, one line for a person, and of a model the field."""

    def __init__(self, status, message, field=None):
        super().__init__(message)
        self.status, self.field = status, field


class JsonNumber:
    """A JSON number as it was written."""

    def __init__(self, text):
        self.text = text


def text_of(raw):
    if not isinstance(raw, bytes):
        raise Malformed("not a string")
    if len(raw) > FIELD_BYTES_MAX:
        raise Malformed("longer than --field-max")
    return raw


def parse_text(raw):
    return text_of(raw)


def parse_id(raw):
    raw = text_of(raw)
    try:
        characters = len(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise Malformed("not valid UTF-8") from None
    if b"\0" in raw:
        raise Malformed("contains a NUL")
    if characters > 255:
        raise Malformed("longer than 255 characters")
    return raw


COOKIE = re.compile(rb"fb\.[0-9]+\.[0-9]+\.([^.]+)(?:\..*)?", re.DOTALL)


def parse_fbclid(raw):
    raw = parse_id(raw)
    cookie = COOKIE.fullmatch(raw)
    return cookie.group(1) if cookie else raw


TIME = re.compile(
    rb"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    rb"(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2})(?::?([0-9]{2}))?)?")


def days_in_month(year, month):
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def days_from_1970(year, month, day):
    """Days of the proleptic Gregorian calendar; year 0 counts too, for the sake of zones."""
    past = year - 1
    days = past * 365 + past // 4 - past // 100 + past // 400 - 719_162
    for earlier in range(1, month):
        days += days_in_month(year, earlier)
    return days + day - 1


def checked_time(time_us):
    if not 0 <= time_us < TIME_END_US:
        raise Malformed("outside 1970 to 9999")
    return time_us


NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")


def scaled_number(text, shift):
    """A JSON number times 10^shift: (is negative, whole part, is there a fraction)."""
    sign, whole, fraction, exponent = NUMBER.fullmatch(text).groups("")
    digits = (whole + fraction).lstrip("0")
    # How many of the digits stand before the point.
    point = len(digits) - len(fraction) + int(exponent or "0") + shift
    if not digits or point <= 0:
        return sign == "-", 0, digits != ""
    if point > WHOLE_DIGITS_MAX:
        raise Malformed("too large a number")
    return sign == "-", int(digits[:point].ljust(point, "0")), digits[point:].strip("0") != ""


def parse_time_number(text):
    is_negative, time_us, _ = scaled_number(text, 3)
    return checked_time(-time_us if is_negative else time_us)


def parse_time(raw):
    if isinstance(raw, JsonNumber):
        return parse_time_number(raw.text)
    match = TIME.fullmatch(text_of(raw))
    if not match:
        raise Malformed("not a time")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, sign, zone_hour, zone_minute = match.groups()[6:]
    if not (1 <= month <= 12 and 1 <= day <= days_in_month(year, month)):
        raise Malformed("no such day")
    zone_hour, zone_minute = int(zone_hour or 0), int(zone_minute or 0)
    if hour > 23 or minute > 59 or second > 59 or zone_hour > 23 or zone_minute > 59:
        raise Malformed("no such time of day")
    seconds = days_from_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    offset = zone_hour * 3600 + zone_minute * 60
    seconds += offset if sign == b"-" else -offset
    return checked_time(seconds * 1_000_000 + int((fraction or b"")[:6].ljust(6, b"0")))


def parse_fingerprint(raw):
    raw = text_of(raw)
    if not re.fullmatch(rb"[0-9a-fA-F]{64}", raw):
        raise Malformed("not 64 hex digits")
    return bytes.fromhex(raw.decode("ascii"))


def known_fingerprint(value):
    """None where it says nothing of the device."""
    return None if value in (None, bytes(32), SHA256_OF_NOTHING) else value


def parse_ipv4(text):
    parts = text.split(b".")
    if len(parts) != 4:
        raise Malformed("not an address")
    value = 0
    for part in parts:
        if not re.fullmatch(rb"0|[1-9][0-9]{0,2}", part) or int(part) > 255:
            raise Malformed("not an address")
        value = value << 8 | int(part)
    return value


def parse_ipv6_groups(text):
    """The 16-bit groups of one side of `::`."""
    if text == b"":
        return []
    groups = []
    parts = text.split(b":")
    for place, part in enumerate(parts):
        if b"." in part and place == len(parts) - 1:
            quad = parse_ipv4(part)
            groups += [quad >> 16, quad & 0xFFFF]
        elif re.fullmatch(rb"[0-9a-fA-F]{1,4}", part):
            groups.append(int(part, 16))
        else:
            raise Malformed("not an address")
    return groups


def parse_ipv6(text):
    sides = text.split(b"::")
    if len(sides) > 2:
        raise Malformed("not an address")
    if len(sides) == 2:
        if b"." in sides[0]:
            raise Malformed("not an address")
        head, tail = parse_ipv6_groups(sides[0]), parse_ipv6_groups(sides[1])
        if len(head) + len(tail) > 7:
            raise Malformed("not an address")
        groups = head + [0] * (8 - len(head) - len(tail)) + tail
    else:
        groups = parse_ipv6_groups(text)
        if len(groups) != 8:
            raise Malformed("not an address")
    value = 0
    for group in groups:
        value = value << 16 | group
    return value


SPECIAL_IPV4 = [(0x00000000, 8), (0x0A000000, 8), (0x64400000, 10), (0x7F000000, 8),
                (0xA9FE0000, 16), (0xAC100000, 12), (0xC0A80000, 16), (0xE0000000, 4),
                (0xF0000000, 4)]
SPECIAL_IPV6 = [(0, 128), (1, 128), (0xFE80 << 112, 10), (0xFC00 << 112, 7), (0xFF00 << 112, 8)]


def is_special(value, bits, ranges):
    return any(value >> bits - prefix == start >> bits - prefix for start, prefix in ranges)


def parse_address(raw):
    """(version, number), or None where it is no evidence."""
    text = text_of(raw).split(b"/")[0]
    if b":" not in text:
        version, value = 4, parse_ipv4(text)
    else:
        version, value = 6, parse_ipv6(text)
        if value >> 32 == 0xFFFF:
            version, value = 4, value & 0xFFFFFFFF
    if version == 4:
        return None if is_special(value, 32, SPECIAL_IPV4) else (4, value)
    return None if is_special(value, 128, SPECIAL_IPV6) else (6, value)


def parse_is_valid(raw):
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, JsonNumber):
        raw = raw.text.encode("ascii")
    word = text_of(raw).lower()
    if word in (b"true", b"t", b"1"):
        return True
    if word in (b"false", b"f", b"0"):
        return False
    raise Malformed("neither true nor false")


def parse_integer_text(raw):
    """Text as it stands; a JSON number as a plain decimal integer."""
    if not isinstance(raw, JsonNumber):
        return text_of(raw)
    if re.fullmatch(r"-?[1-9][0-9]*", raw.text):
        return raw.text.encode("ascii")
    is_negative, value, has_fraction = scaled_number(raw.text, 0)
    if has_fraction:
        raise Malformed("not an integer")
    return b"%d" % (-value if is_negative else value)


DEVICE_PARSERS = (
    ("ip_address", parse_address), ("user_agent", parse_text), ("device_type", parse_text),
    ("os", parse_text), ("browser", parse_text), ("screen_width", parse_integer_text),
    ("screen_height", parse_integer_text), ("timezone", parse_text),
    ("timezone_offset", parse_integer_text))

CLICK_PARSERS = (
    ("tenant_id", parse_id), ("click_id", parse_id), ("click_timestamp", parse_time),
    ("expires_at", parse_time), ("is_valid", parse_is_valid), ("fbclid", parse_fbclid),
    ("gclid", parse_id), ("campaign_id", parse_text),
    ("adset_id", parse_text), ("ad_id", parse_text), ("creative_id", parse_text),
    ("fingerprint_hash", parse_fingerprint)) + DEVICE_PARSERS

CONVERSION_PARSERS = (
    ("tenant_id", parse_id), ("conversion_id", parse_id), ("conversion_timestamp", parse_time),
    ("click_id", parse_id), ("fbclid", parse_fbclid), ("gclid", parse_id),
    ("conversion_fingerprint_hash", parse_fingerprint),
    ("fingerprint_hash", parse_fingerprint)) + DEVICE_PARSERS

CLICK_REQUIRED = ("tenant_id", "click_id", "click_timestamp")
CONVERSION_REQUIRED = ("tenant_id", "conversion_id", "conversion_timestamp")

COMPONENTS = ("screen_width", "screen_height", "timezone", "timezone_offset", "device_type", "os",
              "browser")


def component_fingerprint(fields):
    """Section 2."""
    if all(fields[name] is None for name in COMPONENTS[:4]):
        return None
    return hashlib.sha256(b"|".join(fields[name] or b"" for name in COMPONENTS)).digest()


def fold(word):
    """ASCII lower case; bytes.lower() leaves other bytes alone."""
    return None if word is None else word.lower()
