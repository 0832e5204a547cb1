#!/usr/bin/env python3
"""The peers' rule (docs/peers.md), as plainly as it can be said: what the engines are held against.

    bench/peers/reference.py CLICKS CONVERSIONS OUTPUT

For small worlds. Of clicks at the same microsecond the smaller click id counts; the engines may
take either.
"""

import collections
import csv
import datetime
import sys

DAY = datetime.timedelta(days=1)


def time_of(text):
    return datetime.datetime.fromisoformat(text)


def add_clicks(path):
    """(tenant, kind, key) -> [(time, click id)] of the clicks that are not flagged invalid."""
    lists = collections.defaultdict(list)
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["is_valid"].lower() in ("false", "f", "0"):
                continue
            item = time_of(row["click_timestamp"]), row["click_id"]
            for kind, key in keys_of(row, row["fingerprint_hash"]):
                lists[row["tenant_id"], kind, key].append(item)
    return lists


def keys_of(row, fingerprint):
    """What a row can be found by, the surest first; a key is there when all of it is."""
    if row["click_id"]:
        yield "click_id", row["click_id"]
    if fingerprint:
        yield "fingerprint", fingerprint
    if row["ip_address"] and row["device_type"]:
        yield "address", (row["ip_address"], row["device_type"])


def find(lists, row):
    t = time_of(row["conversion_timestamp"])
    for kind, key in keys_of(row, row["conversion_fingerprint_hash"]):
        window = DAY if kind == "address" else 7 * DAY
        near = [(t - at, click) for at, click in lists.get((row["tenant_id"], kind, key), ())
                if t - window < at <= t]
        if near:
            return min(near)[1], kind
    return "", "none"


def main():
    clicks, conversions, output = sys.argv[1:4]
    lists = add_clicks(clicks)
    with open(conversions, encoding="utf-8", newline="") as file, \
            open(output, "w", encoding="utf-8", newline="") as results:
        writer = csv.writer(results, lineterminator="\n")
        writer.writerow(("conversion_id", "tenant_id", "click_id", "method"))
        for row in csv.DictReader(file):
            writer.writerow((row["conversion_id"], row["tenant_id"], *find(lists, row)))


if __name__ == "__main__":
    main()
