#!/usr/bin/env python3
"""Seeds of the fuzz targets: files of the tests, and what the program makes of them.

    tests/fuzz/seeds.py PROGRAM DIRECTORY     writes DIRECTORY/TARGET/..., one file a seed
"""
import gzip
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden"
KINDS = ("clicks", "conversions", "truth/clicks", "truth/conversions")
WITH_HEADER = 4  # of the first byte of fuzz_csv
# Of the first byte of fuzz_checkpoint, whose key this is.
IN_FOLDER, MENDED, LONGER, GONE = 4, 8, 16, 32
WITH_KEY, AS_IT_IS = 4, 8
SECRET = "the secret of all fuzzed streams"
SEALED_NONE = 8 + 28 + 16  # size, nonce and tag, two counts: bytes where nothing is held


class Seeds:
    """Writes seeds, numbered by target."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.counts = {}

    def put(self, target, data, choice=None):
        """choice: the first byte, where the target reads one."""
        count = self.counts[target] = self.counts.get(target, 0) + 1
        folder = self.directory / target
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(data, str):
            data = data.encode()
        if choice is not None:
            data = bytes([choice]) + data
        (folder / f"seed-{count:03}").write_bytes(data)


def vectors(name):
    """Lines of a golden CSV file."""
    return (GOLDEN / "vectors" / name).read_text().splitlines()


def small(seeds):
    """Times, numbers, addresses, fingerprints, UTF-8."""
    for text in ("2026-03-10T12:00:00.123456Z", "2026-03-10 12:00:00", "1970-01-01t00:00:00+05:30",
                 "9999-12-31T23:59:59.999999999z", "2024-02-29T00:00:00-0800",
                 "2000-02-29T01:02:03.5+01", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59-00:01",
                 "2026-03-10T12:00:00.12", "1773144000000", "1773144000000.5", "1.7731e12", "-0",
                 "390.0", "3.9e2", "1e-3", "-12.345E+2", "123456789012345678901234567890", "1e60",
                 "9223372036854775807", "0.005", "01", "1.", "1e", "-", "0e9", "99999999.995"):
        seeds.put("time", text)
    for text in ("203.0.113.7", "255.255.255.255/32", "1.2.3", "1.2.3.4.5", "01.2.3.4", "::",
                 "::ffff:203.0.113.7", "2001:db8::7/64", "1:2:3:4:5:6:7:8", "1::2::3", "fe80::1%0",
                 "ABCD:ef01:2345:6789:abcd:EF01:2345:6789", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4",
                 "ab" * 32, "0" * 64, "G" + "f" * 63, "Z\u00fcrich \u20ac \U0001f600", "Mobile",
                 "x" * 16, "abcdefghijklmnopqrstuvwxyz\u00e9"):
        seeds.put("address", text)
    for data in (b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"a\0b"):
        seeds.put("address", data)


def rows_of(name, picked):
    """A golden file's header and some of its lines, as NDJSON rows."""
    lines = vectors(name)
    names = lines[0].split(",")
    rows = []
    for line in lines[1::max(1, len(lines) // picked)]:
        values = line.split(",")
        if len(values) == len(names):
            rows.append({n: v for n, v in zip(names, values) if v})
    return lines[0], rows


def texts(seeds):
    """CSV, NDJSON and events."""
    for kind, name in ((0, "clicks.csv"), (1, "conversions.csv")):
        header, rows = rows_of(name, 12)
        lines = vectors(name)
        for line in lines[1::max(1, len(lines) // 12)]:
            seeds.put("csv", f"{header}\n{line}\r\n", kind)
        for row in rows:
            seeds.put("ndjson", json.dumps(row) + "\n", kind)
            row["event"] = name[:-5]
            row["seq"] = 7
            seeds.put("events", json.dumps(row, separators=(",", ":")) + "\n")
    for path in sorted((ROOT / "tests/data/sink").glob("*.ndjson")):
        for line in path.read_text().splitlines()[:12]:
            seeds.put("events", line + "\n" + line)
            seeds.put("ndjson", line, 1)
    for value in ('1773144000000', '1e99', '"x"', '"2026-03-10T12:00:00Z"', 'true', '7', '-0.5',
                  '"F"', '3.9e2', '"203.0.113.7"', '"' + "aB" * 32 + '"', '{}', '"\\u0000"'):
        for kind, name in ((0, "click"), (1, "conversion")):
            good = f'{{"tenant_id":"t","{name}_id":"k","{name}_timestamp":"2026-03-01T00:00:00Z"'
            for field in ("timestamp", "expires_at", "is_valid", "ip_address", "screen_width",
                          "fingerprint_hash", "fbclid", "os"):
                field = f"{name}_timestamp" if field == "timestamp" else field
                seeds.put("ndjson", f'{good},"{field}":{value}}}', kind)
    quoted = '"a,""b""","c\nd",2026-03-10T12:00:00Z\n\r\n"lost,x,1\na"b,c,"d"e\n"\xe9",,\r\n'
    for kind in range(4):
        for cut in (0, 8, 64, 192):
            seeds.put("csv", quoted, kind | WITH_HEADER | cut)
    for head in ("\ufeff", " \n\t", "[1]", '{"click_id":"k"}\n', '"', "a,a,tenant_id,tenant_id\n",
                 "x" * 400 + ",tenant_id\n", ""):
        seeds.put("csv", head + "\n", 0)
    for value in ('"\\u00e9\\ud83d\\ude00\\n\\"\\/"', "-1.5e3", "0", "12", "true", "false", "null",
                  '[1,{"a":[]},"x"]', '{"b":{}}', "01", '"\\ud800"', '"\x01"', "tru", '"', "1,"):
        for key in ("screen_width", "is_valid", "other", "tenant_\\u0069d"):
            seeds.put("ndjson", f'{{"{key}": {value} , "click_id":"k"}}\r\n\n{{}}', 0)
            if key == "other":
                usual = '"os":"iOS","browser":"Safari","timezone":"UTC"'
                seeds.put("ndjson", f'{{"{key}":{value},{usual}}}\n{{{usual}}}', 0)
    seeds.put("ndjson", '{"other":' + "[" * 70 + "]" * 70 + "}\n", 1)
    for event in ('{"event":"click","seq":"7"}', '{"seq":-1,"event":"conversion"}', '{"event":1}',
                  '{"event":"neither"}', '{"seq":9223372036854775808,"event":"click"}', "x", "{}",
                  '{"seq":7.0,"event":"click"}', '{"seq":9223372036854775807,"event":"click"}'):
        seeds.put("events", event)


def packed(seeds):
    """gzip and zstd, whole, cut off, one behind the other."""
    plain = b"tenant_id,click_id,click_timestamp\n" * 4
    member = gzip.compress(plain, mtime=0)
    frame = subprocess.run(["zstd", "-qc"], input=plain, capture_output=True, check=True).stdout
    skippable = struct.pack("<II", 0x184D2A50, 4) + b"skip"
    for choice in (0, 5, 100):
        for data in (member, frame, member + member + bytes(20), frame + skippable + frame,
                     member[:-4], frame[:-4], member + b"x", frame + b"x", plain, member + b"\0x",
                     member[:12] + b"\xff" + member[13:], frame[:6] + b"\xff" + frame[7:], b"",
                     b"\x1f", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", skippable):
            seeds.put("unpack", data, choice)
    seeds.put("unpack", plain, 255)


def copy_field(value):
    """A field as binary COPY has it."""
    return struct.pack(">i", -1) if value is None else struct.pack(">I", len(value)) + value


def copies(seeds):
    """Binary COPY: the tables of fuzz_pgcopy."""
    head = b"PGCOPY\n\xff\r\n\0" + struct.pack(">II", 0, 0)
    time, number, uuid = struct.pack(">q", 826459200000000), struct.pack(">i", -390), bytes(16)
    inet4, inet6 = b"\x02\x20\0\x04\xcb\0\x71\x07", b"\x03\x80\0\x10" + bytes(15) + b"\x07"
    rows = ([b"t", b"k", time, b"\1", number, inet4, uuid, b"behind"],
            [b"\x01{\"a\": 1}"],
            [b"t", uuid, time, inet6, b"\x01[]", number, struct.pack(">q", 2**63 - 1)])
    end = struct.pack(">h", -1)
    for table, row in enumerate(rows):
        line = struct.pack(">H", len(row)) + b"".join(map(copy_field, row))
        nulls = struct.pack(">H", len(row)) + b"".join(copy_field(None) for _ in row)
        for data in (head + line + nulls + line + end, head + line, head + end + b"x",
                     head + line[:-3], head[:5], head[:-1] + b"\x02xy" + line + end,
                     head[:11] + b"\0\1" + head[13:], b"x", b"",
                     head + line.replace(b"\0\0\0", b"\0\1\0", 1) + end):
            seeds.put("pgcopy", data, table + 3 * 20)
        for i, value in enumerate(row):
            for worse in (value[:-1] + b"\xff\xff", value[:-1] + b"\2"):
                fields = b"".join(map(copy_field, row[:i] + [worse] + row[i + 1:]))
                seeds.put("pgcopy", head + line + line[:2] + fields + end, table)


def models(seeds):
    """Model files: the golden one by its parts, and what is refused."""
    grown = json.loads((GOLDEN / "grown/model.json").read_text())
    for name in list(grown["tenants"])[::4]:
        part = {key: value for key, value in grown.items() if key != "tenants"}
        part["tenants"] = {name: grown["tenants"][name]}
        seeds.put("model", json.dumps(part))
    calibrated = {"prior": 0.5, "calibration": [[0, 0], [0.5, 0.25], [1, 1]]}
    for part in ({}, {"fingerprint": calibrated}, {"delay_hours": [1, 1]}, {"window_hours": 721},
                 {"max_candidates": 1.5}, {"ipv6_prefix": 129}, {"unknown": 1}, {"name": ""},
                 {"fingerprint": {"band": [0.9, 0.6]}}, {"fingerprint": {"prior": 1}},
                 {"fingerprint": {"calibration": [[1, 1], [0, 0]]}}, {"ip_u_min": "x"},
                 {"devices": {"Mobile": {}}}, {"tenants": {"t": {"devices": {"a": {}, "b": 1}}}},
                 {"fingerprint": {"band": [0.5, 1]}}, {"probabilistic": {"rivals": 0}},
                 {"retention_hours": -1}, {"version": "2", "name": "n"}, {"delay_m": [1] * 7}):
        seeds.put("model", json.dumps(part))
    for text in ("", "{", "[]", '{"a":1,"a":2}', '{"name":"\\u0000"}', "1e999"):
        seeds.put("model", text)


def options(seeds):
    """Command lines; the first byte is a command's bit: each command has some."""
    match = ["--clicks", "a.csv", "--conversions=b.csv", "--output", "o", "--threads", "2",
             "--max-rejects", "none", "--lenient", "--recovery-target", "0.9", "--format=ndjson"]
    stream = ["--lateness", "5m", "--grace", "300 ms", "--checkpoint", "d", "--db", "host=x"]
    batch = ["--from", "2026-03-10", "--to=2026-03-17T00:00:00Z", "--tenant", "a", "--tenant", "b",
             "--only", "unattributed", "--dry-run", "--db", "postgresql://h/d"]
    for choice, arguments in ((0, match), (5, stream), (3, batch), (1, ["--seed", "7", "--days=3"]),
                              (6, ["--file", "m.json", "name@1"]), (11, ["--db", "x", "v1"]),
                              (12, ["--placebo", "7d", "--", "x"]), (13, ["--help"])):
        for end in range(1, len(arguments) + 1):
            seeds.put("options", "\n".join(arguments[:end]), choice)
    for text in ("-x", "--threads", "--threads=", "--threads=99999999999999999999", "--quiet=1",
                 "--threads=1000000", "--threads=0", "--recovery-target=1.1", "--max-rejects=x",
                 "x", "--", "--unknown", "--recovery-target=2", "--format=xml", "", "--seed=-1"):
        seeds.put("options", "--clicks=a\n--conversions=b\n" + text, 0)
    retry = ["--id", "7a", "--id=7b", "--error-type", "no_click", "--ignore", "--reason=void",
             "--tenant", "a", "--threads=2", "--dry-run", "--list", "--lenient", "--field-max=1k"]
    purge = ["--older-than", "30d", "--batch-rows", "100", "--tenant=a", "--dry-run",
             "--allow-superuser", "--model", "m@1", "--summary=s"]
    for choice, arguments in ((14, purge), (15, retry), (2, ["--optimize", "--schema", "s"]),
                              (4, ["--only", "load", "--quick", "--rate=10", "--json", "-"]),
                              (7, ["--format", "json"]), (8, ["--format=text", "m"]),
                              (9, ["m@1", "--reason", "r"]), (10, ["m", "--db=dbname=d"])):
        for end in range(1, len(arguments) + 1):
            seeds.put("options", "\n".join(arguments[:end]), choice)
    for text in ("--older-than=", "--older-than=1y", "--batch-rows=0", "--batch-rows=100001", "x",
                 "--threads=2", "--older-than=30d\n--tenant=", "--older-than=100000000d"):
        seeds.put("options", text, 14)
    for text in ("--error-type=", "--id", "--optimize", "--field-max=1", "--field-max=2M", "x",
                 "--db=host=h password = p", "postgres://u:p@h/d", "--older-than=30d"):
        seeds.put("options", text, 15)


def events():
    """Clicks and conversions of both address families, late, ahead, broken, more than a segment."""
    lines = []
    for i in range(90):
        row = {"event": "click", "seq": i + 1, "tenant_id": f"t{i % 3}", "click_id": f"k{i}",
               "click_timestamp": f"2026-03-01T12:{i % 60:02}:00Z", "campaign_id": "c",
               "ip_address": "2001:db8::%x" % i if i % 2 else f"203.0.113.{i}", "os": "iOS",
               "fingerprint_hash": f"{i // 2 + 1:064x}", "user_agent": f"agent {i % 5}",
               "device_type": "mobile", "fbclid": f"fb.1.2.f{i}", "screen_width": "390",
               "screen_height": "844", "browser": "Safari", "timezone": "UTC"}
        if i % 7 == 0:
            row.update(expires_at="2026-03-02T00:00:00Z", gclid=f"g{i}")
        lines.append(row)
        if i % 9 == 0:
            lines.append({"event": "conversion", "seq": i + 1000, "tenant_id": "t1",
                          "conversion_id": f"v{i}", "click_id": f"k{i}",
                          "conversion_timestamp": "2026-03-01T13:05:00Z"})
    lines.append({"event": "click", "tenant_id": "t", "click_id": "ahead",
                  "click_timestamp": "2026-03-09T00:00:00Z"})
    return "".join(json.dumps(line) + "\n" for line in lines)


def held():
    """Two events that are held, as a state has them between two of others."""
    held_line = events().splitlines()[1].encode()
    waiting_line = b'{"event":"click","tenant_id":"t","click_id":"k","click_timestamp":1}'
    lines = b""
    for time, flags, line in ((1772370300000000, 2, held_line), (1000, 0, waiting_line)):
        lines += struct.pack("<Q", 1)
        lines += struct.pack("<QQQQQ", time, 7, 100, flags, len(line)) + line
    return lines


def damaged(data, step, size):
    """Data with one number of its head at a time as large as it can be."""
    for at in range(0, min(size, len(data)), step):
        yield data[:at] + b"\xff" * step + data[at + step:]


def put_folders(seeds, manifest):
    """A manifest among the files that it names, all as they should be, and not."""
    for choice in (0, MENDED, MENDED | LONGER, MENDED | GONE, GONE):
        seeds.put("checkpoint", manifest, IN_FOLDER | choice)


def put_sealed(seeds, state):
    """A state of a stream with a key: the target seals the lines, whose size it is told."""
    seeds.put("checkpoint", state, 3 | WITH_KEY | AS_IT_IS)
    seeds.put("checkpoint", state[:-1] + b"\0", 3 | WITH_KEY | AS_IT_IS)
    seeds.put("checkpoint", state, 3)
    head = state[:-SEALED_NONE]
    for lines in (bytes(16), held(), held()[:-1], held() + b"x", b""):
        seeds.put("checkpoint", head + lines + struct.pack("<H", len(lines)), 3 | WITH_KEY)


def checkpoint(seeds, program, model, counts, has_key=False):
    """The files of a checkpoint, as fuzz_checkpoint takes them."""
    lines = events().splitlines(keepends=True)
    for count in counts:
        with tempfile.TemporaryDirectory() as place:
            folder = pathlib.Path(place) / "checkpoint"
            arguments = [program, "stream", "--checkpoint", str(folder), "--quiet",
                         "--summary", place + "/summary", "--rejects", place + "/rejects"]
            if model is not None:
                (pathlib.Path(place) / "model.json").write_text(json.dumps(model))
                arguments += ["--model", place + "/model.json"]
            if has_key:
                key = pathlib.Path(place) / "key"
                key.write_text(SECRET)
                key.chmod(0o600)
                arguments += ["--hash-pii", str(key)]
            subprocess.run(arguments, input="".join(lines[:count]).encode(), check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            manifest = (folder / "manifest").read_bytes()
            seeds.put("checkpoint", manifest[:-8], 0)
            parts = struct.unpack_from("<Q", manifest, 24)[0]
            seeds.put("checkpoint", manifest[40 + 72 * parts:-8], 1)
            for path in sorted(folder.glob("clicks-*.part")):
                seeds.put("checkpoint", path.read_bytes(), 2 | WITH_KEY * has_key)
            for path in sorted(folder.glob("state-*.part")):
                state = path.read_bytes()
                if has_key:
                    put_sealed(seeds, state)
                    continue
                seeds.put("checkpoint", state, 3)
                seeds.put("checkpoint", state[:-16] + held(), 3)
            if model is None:
                put_folders(seeds, manifest[:-8])


def main():
    program, directory = sys.argv[1:]
    seeds = Seeds(directory)
    small(seeds)
    texts(seeds)
    packed(seeds)
    copies(seeds)
    models(seeds)
    options(seeds)
    traits = {"ipv6_prefix": 72, "fingerprint": {"traits": {"os": [0.9, 0.4]}},
              "probabilistic": {"traits": {"screen": [0.97, 0.1]}}}
    checkpoint(seeds, program, None, (1, 2, 12, 30))
    for path in sorted((seeds.directory / "checkpoint").iterdir())[:4]:
        choice, data = path.read_bytes()[0], path.read_bytes()[1:]
        for worse in damaged(data, 4 if choice == 2 else 8, 400):
            seeds.put("checkpoint", worse, choice)
    checkpoint(seeds, program, {"ipv6_prefix": 72}, (2, 20))
    checkpoint(seeds, program, traits, (2, 20))
    checkpoint(seeds, program, None, (1, 20), has_key=True)


main()
