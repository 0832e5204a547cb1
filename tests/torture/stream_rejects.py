"""Events of which one in a hundred is broken, and what a stream must say of those.

    stream_rejects.py dirty COUNT WANTED   events on standard output; what is broken in WANTED
    stream_rejects.py clean COUNT          the same without the broken ones
    stream_rejects.py check WANTED REJECTS SUMMARY COUNT

The events are the same on every machine. Nothing is kept in memory, so that there may be many.
"""

import base64
import json
import random
import re
import sys

T0_MS = 1772366400000
LONG_BYTES = 64 << 10  # of a line over the limit, so much is shown
CLICK = ('{"event":"click","seq":%d,"tenant_id":"t%d","click_id":"k%d","click_timestamp":%d,'
         '"campaign_id":"c%d","ip_address":"198.51.%d.%d","device_type":"mobile",'
         '"user_agent":"agent %d"}')
CONVERSION = ('{"event":"conversion","seq":%d,"tenant_id":"t%d","conversion_id":"v%d",'
              '"conversion_timestamp":%d,"ip_address":"198.51.%d.%d","device_type":"mobile"%s}')


def other_text(pattern, to):
    return lambda line: re.sub(pattern, to, line, count=1)


def put(before, after):
    return lambda line: line.replace(before, after, 1)


EVENT = '"(click|conversion)"'

# What breaks a good line: name, the field that is told (None: the line), its reason, and how.
BREAKS = (
    ("cut off", None, "without a closing|expected|ends", lambda line: line[:len(line) // 2]),
    ("no JSON", None, "not a JSON object", lambda line: "GET /health " + line),
    ("an array", None, "not a JSON object", lambda line: "[" + line + "]"),
    ("two on a line", None, "after|expected", lambda line: line + line),
    ("bad escape", None, "escape", put('"t', '"\\q')),
    ("no event", "event", "neither", put('"event":', '"kind":')),
    ("other event", "event", "neither", other_text(EVENT, '"view"')),
    ("no text", "event", "neither", other_text(EVENT, "1")),
    ("seq as text", "seq", "whole number", other_text('"seq":([0-9]+)', r'"seq":"\1"')),
    ("seq below 0", "seq", "whole number", put('"seq":', '"seq":-1')),
    ("no tenant", "tenant_id", "missing|required", put("tenant_id", "tenant")),
    ("bad address", "ip_address", "address", put("198.51", "198.510")),
    ("bad time", "TIME", "outside 1970", put('_timestamp":1', '_timestamp":-1')),
    ("no UTF-8", None, "UTF-8", put(':"t', ':"\udcff')),
    ("too long", None, "longer|MiB|limit", put('{', '{"pad":"' + "x" * (1 << 20) + '",')),
)


def event(number, rng):
    """One event as text, and whether it is a click. Time goes on by 10 ms."""
    time = T0_MS + number * 10
    tenant, a, b = rng.randrange(5), rng.randrange(100), rng.randrange(250)
    if number % 10 != 9:
        return CLICK % (number, tenant, number, time, a, a, b, rng.randrange(50)), True
    carried = ',"click_id":"k%d"' % (number - 1 - rng.randrange(50)) if b % 2 else ""
    return CONVERSION % (number, tenant, number, time, a, b, carried), False


def lines(count):
    """Number of the line, its text, and which break it has, if any. No two runs differ."""
    rng, faults = random.Random(7), random.Random(8)
    for number in range(count):
        text, is_click = event(number, rng)
        broken = None
        if faults.random() < 0.01:
            # Long ones are few, or there would be nothing else.
            most = len(BREAKS) if faults.random() < 0.02 else len(BREAKS) - 1
            broken = BREAKS[faults.randrange(most)]
        yield number + 1, text, is_click, broken


def dirty(count, wanted_path):
    out = sys.stdout.buffer
    with open(wanted_path, "w", encoding="utf-8") as wanted:
        for line, text, is_click, broken in lines(count):
            data = text
            if broken:
                data = broken[3](text)
                assert data != text, (broken[0], text)
                field = broken[1]
                if field == "TIME":
                    field = ("click" if is_click else "conversion") + "_timestamp"
                row = data.encode("utf-8", "surrogateescape")[:LONG_BYTES]
                wanted.write(json.dumps([line, field, broken[2],
                                         base64.b64encode(row).decode()]) + "\n")
            out.write(data.encode("utf-8", "surrogateescape") + b"\n")


def clean(count):
    out = sys.stdout.buffer
    for _, text, _, broken in lines(count):
        if not broken:
            out.write(text.encode() + b"\n")


def check(wanted_path, rejects_path, summary_path, count):
    told = 0
    with open(wanted_path, encoding="utf-8") as wanted, \
            open(rejects_path, encoding="utf-8") as rejects:
        for text in wanted:
            line, field, reason, row = json.loads(text)
            reject = json.loads(rejects.readline() or "{}")
            assert reject.get("line") == line, f"line {line} is not told, but {reject}"
            assert reject["field"] == field, f"line {line}: field {reject['field']}, not {field}"
            assert re.search(reason, reject["reason"]), f"line {line}: {reject['reason']}"
            shown = base64.b64decode(reject["row_base64"]) if "row_base64" in reject \
                else reject["row"].encode()
            assert shown == base64.b64decode(row), f"line {line}: {shown[:200]}"
            told += 1
        assert rejects.readline() == "", "more rejects than broken lines"
    with open(summary_path, encoding="utf-8") as file:
        summary = json.load(file)
    rejected = summary["stream"]["malformed_lines"] + summary["clicks"]["rejected"] + \
        summary["conversions"]["rejected"]
    assert rejected == told, f"{rejected} in the summary, {told} told"
    assert told > count / 200, f"only {told} broken lines"
    print(f"{told} broken lines of {count}, each told once")


def main():
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == "dirty":
        dirty(int(arguments[0]), arguments[1])
    elif command == "clean":
        clean(int(arguments[0]))
    else:
        check(*arguments[:3], int(arguments[3]))


main()
