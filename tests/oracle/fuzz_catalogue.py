"""Each odd value of fuzz_values.py and fuzz_text.py once, in rows that are good but for it."""

import fuzz_text
import fuzz_values
from fuzz_text import Raw

TIMES = fuzz_values.ODD_TIMES + fuzz_values.BAD_TIMES
DEVICE = {
    "ip_address": fuzz_values.SPECIAL_ADDRESSES + fuzz_values.BAD_ADDRESSES,
    "user_agent": fuzz_values.USER_AGENTS, "device_type": fuzz_values.DEVICE_TYPES}
SHARED = {
    "tenant_id": tuple(b"t" + part for part in fuzz_values.BAD_BYTES) + fuzz_values.TENANTS,
    "click_id": fuzz_values.BAD_IDS, "gclid": fuzz_values.BAD_IDS,
    "fbclid": fuzz_values.BAD_IDS + fuzz_values.COOKIE_MISSES,
    "fingerprint_hash": fuzz_values.BAD_FINGERPRINTS, **DEVICE}
COLUMNS = {
    "click": {"click_timestamp": TIMES, "expires_at": TIMES, "campaign_id": fuzz_values.ADS,
              "is_valid": fuzz_values.FLAGS_TRUE + fuzz_values.FLAGS_FALSE + fuzz_values.BAD_FLAGS,
              **SHARED},
    "conversion": {"conversion_timestamp": TIMES, "conversion_id": fuzz_values.BAD_IDS,
                   "conversion_fingerprint_hash": fuzz_values.BAD_FINGERPRINTS, **SHARED}}
# What only JSON can say. No file has a column x.
JSON_VALUES = fuzz_text.ODD_NUMBERS + fuzz_text.NO_NUMBERS + fuzz_text.WRONG_TYPES
JSON_COLUMNS = {"x": JSON_VALUES + fuzz_text.NESTED + fuzz_text.BROKEN_NESTED,
                "click_id": fuzz_text.WRONG_TYPES, "ip_address": fuzz_text.WRONG_TYPES,
                "os": fuzz_text.WRONG_TYPES, "fingerprint_hash": fuzz_text.WRONG_TYPES,
                "screen_width": JSON_VALUES, "timezone_offset": JSON_VALUES}
JSON_OWN_COLUMNS = {"click": {"click_timestamp": JSON_VALUES, "is_valid": JSON_VALUES},
                    "conversion": {"conversion_timestamp": JSON_VALUES}}


def good_row(kind, number):
    return {"tenant_id": b"t", f"{kind}_id": b"%d" % number,
            f"{kind}_timestamp": b"2026-03-01T1%d:00:00Z" % (2 if kind == "click" else 3)}


def rows(kind):
    pairs = [(name, value) for name, values in COLUMNS[kind].items() for value in values]
    for columns in (JSON_COLUMNS, JSON_OWN_COLUMNS[kind]):
        pairs += [(name, Raw(value)) for name, values in columns.items() for value in values]
    return [{**good_row(kind, number), name: value} for number, (name, value) in enumerate(pairs)]
