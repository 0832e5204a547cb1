#!/usr/bin/env python3
"""Input of absurd size or shape into `clickmatch match` and `stream`, made while it is read. Each
bomb must end in bounded memory, with the exit status and the words that are due, and where rows
follow it they must count.

    tests/torture/bombs.py --program build/clickmatch [--share 0.01] [--only gzip] [--list]

--share makes all bombs smaller by a factor. Memory is what wait4 tells of the program alone.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

MIB = 1 << 20
OWN_MIB = 48  # of the program without clicks, whatever the input: blocks, codecs, threads
HEADER = b"tenant_id,click_id,click_timestamp\n"
CLICK = b"t,k1,2026-03-10T12:00:00Z\n"
CONVERSIONS = (b"tenant_id,conversion_id,conversion_timestamp,click_id\n"
               b"t,v1,2026-03-10T12:30:00Z,k1\n")
EVENT = b'{"event":"click","tenant_id":"t","click_id":"k1","click_timestamp":1773144000000}\n'


def repeated(piece, size):
    """Bytes of a piece again and again, about a MiB at a time."""
    block = piece * (MIB // len(piece) + 1)
    while size > 0:
        yield block[:size]
        size -= len(block)


def rows(count, make, each=5000):
    for first in range(0, count, each):
        yield b"".join(make(i) for i in range(first, min(first + each, count)))


def chain(*parts):
    for part in parts:
        if isinstance(part, bytes):
            yield part
        else:
            yield from part


class Bomb:
    """bytes(share): what is sent; packer: a program they pass on the way; expect: exit status, and
    words on standard error or in the rejects; mib: of memory, at most."""

    def __init__(self, name, bytes_of, status, words, mib=OWN_MIB, packer=None, options=(),
                 command="match", as_file=False, finds=None):
        self.name, self.bytes_of, self.status, self.words = name, bytes_of, status, words
        self.mib, self.packer, self.options = mib, packer, options
        self.command, self.as_file = command, as_file
        self.finds = status == 0 if finds is None else finds


def time_of(i):
    day, second = divmod(i // 2000, 86400)
    return b"2026-03-%02dT%02d:%02d:%02d.%06dZ" % (
        1 + day, second // 3600, second // 60 % 60, second % 60, i % 2000 * 500)


def click_rows(count):
    return rows(count, lambda i: b"t,k%d,%s\n" % (count - i, time_of(i)))


def many(share):
    """Clicks: in any case more than there is room for."""
    return max(int(20000000 * share), 2500000)


def agents(count):
    return rows(count, lambda i: b"t,n%d,2026-03-10T12:00:00Z,%0200d\n" % (i, i))


def bombs():
    gib = 1 << 30
    quiet = ("--recovery-target", "0")
    yield Bomb("gzip of 16 GB of zeros in a row",
               lambda share: chain(HEADER, CLICK, repeated(b"\0", int(16 * gib * share))),
               0, "row longer than 1048576 bytes", packer=["gzip", "-1"])
    yield Bomb("zstd of 16 GB of zeros in a row",
               lambda share: chain(HEADER, CLICK, repeated(b"\0", int(16 * gib * share))),
               0, "row longer than 1048576 bytes", packer=["zstd", "-q", "-1"])
    yield Bomb("zstd with a window of 1 GB",
               lambda share: chain(HEADER, CLICK, repeated(b"\0", 256 * MIB)),
               1, "window of more than 128 MiB", packer=["zstd", "-q", "-1", "--long=30"])
    yield Bomb("gzip of 1 GB of empty lines",
               lambda share: chain(HEADER, CLICK, repeated(b"\n", int(gib * share))),
               0, None, packer=["gzip", "-1"])
    yield Bomb("gzip of 16 GB of one row",
               lambda share: chain(HEADER, repeated(CLICK, int(16 * gib * share) // 26 * 26)),
               1, "the clicks take more than 192 MiB", mib=256 + 2 * OWN_MIB, packer=["gzip", "-1"],
               options=("--memory-max", "256M"))
    yield Bomb("header of 1 GB", lambda share: repeated(b"a", int(gib * share)),
               1, "the CSV header is longer than 1048576 bytes")
    yield Bomb("line of 1 GB",
               lambda share: chain(HEADER, repeated(b"x", int(gib * share)), b"\n", CLICK),
               0, "row longer than 1048576 bytes")
    yield Bomb("quoted field of 1 GB",
               lambda share: chain(HEADER, b'"', repeated(b"x", int(gib * share)), b"\n", CLICK),
               0, None)
    yield Bomb("million columns",
               lambda share: chain(*[part for row in (HEADER, CLICK) for part in (
                   row[:-1], repeated(b",", 1000000), b"\n")]),
               0, None)
    yield Bomb("million columns with names",
               lambda share: chain(HEADER[:-1], rows(140000, lambda i: b",c%05d" % i), b"\n",
                                   CLICK[:-1], repeated(b",", 140000), b"\n"), 0, None)
    yield Bomb("million tenants",
               lambda share: chain(HEADER, rows(1000000, lambda i: b"t%d,%s" % (i, CLICK[2:]))),
               1, "clicks of more than 100000 tenants", as_file=True, mib=192)
    yield Bomb("million user agents",
               lambda share: chain(HEADER[:-1] + b",user_agent\n", agents(1000000)),
               1, "user agents, campaigns and other names", as_file=True, mib=128 + 2 * OWN_MIB,
               options=("--memory-max", "128M"))
    yield Bomb("more clicks than there is room for",
               lambda share: chain(HEADER, click_rows(many(share)), CLICK),
               0, "clicks, those before", as_file=True, mib=256 + 2 * OWN_MIB,
               options=("--memory-max", "256M") + quiet, finds=False)
    yield Bomb("line of 1 GB in a stream",
               lambda share: chain(repeated(b"[", int(gib * share)), b"\n", EVENT),
               0, "row longer than 1048576 bytes", command="stream")
    yield Bomb("nested 10^5 deep, a thousand times",
               lambda share: chain(repeated(b'{"event":"click","x":' + b"[" * 100000 + b"\n",
                                            int(100000000 * share)), b"\n", EVENT),
               0, "nested deeper than 64 levels", command="stream", mib=64)
    yield Bomb("million tenants in a stream",
               lambda share: rows(1000000, lambda i: EVENT.replace(b'"t"', b'"t%d"' % i)),
               0, "one tenant more than --tenants-max", command="stream", mib=192)
    yield Bomb("200,000 user agents in a stream",
               lambda share: rows(200000, lambda i: EVENT.replace(
                   b'"k1"', b'"k%d","user_agent":"%0900d"' % (i, i)), 500),
               0, "no room for more", command="stream", mib=128 + 2 * OWN_MIB,
               options=("--memory-max", "128M"))
    yield Bomb("endless clicks in a stream",
               lambda share: rows(many(share), lambda i: EVENT.replace(
                   b'"k1"', b'"k%d"' % i).replace(b"1773144000000", b"%d" % (1773144000000 + i))),
               0, "no room for more clicks", command="stream", mib=256 + 2 * OWN_MIB,
               options=("--memory-max", "256M") + quiet)


def feed(bomb, share, sink):
    try:
        for part in bomb.bytes_of(share):
            sink.write(part)
        sink.close()
    except BrokenPipeError: # it has ended: what it said about that is looked at
        pass


def packed(bomb, share, sink):
    """Write the bomb, packed where it is to be, to a file or pipe."""
    if bomb.packer is None:
        feed(bomb, share, sink)
        return
    packer = subprocess.Popen(bomb.packer, stdin=subprocess.PIPE, stdout=sink,
                              stderr=subprocess.DEVNULL)
    sink.close()
    feed(bomb, share, packer.stdin)
    packer.wait()


def arguments(bomb, program, source):
    outputs = ["--rejects", "rejects.ndjson", "--summary", "summary.json", "--quiet", "--threads",
               "2", *bomb.options]
    if bomb.command == "stream":
        return [program, "stream", "--events", source, "--output", "results.ndjson", *outputs]
    return [program, "match", "--clicks", source, "--conversions", "conversions.csv", "--output",
            "results.csv", *outputs]


def run(bomb, program, share):
    """Exit status, words, MiB and seconds."""
    with open("conversions.csv", "wb") as file:
        file.write(CONVERSIONS)
    if bomb.as_file:
        with open("clicks.csv", "wb") as file:
            packed(bomb, share, file)
    began = time.monotonic()
    with open("err", "wb") as err:
        process = subprocess.Popen(arguments(bomb, program, "clicks.csv" if bomb.as_file else "-"),
                                   stdin=None if bomb.as_file else subprocess.PIPE, stderr=err)
    if not bomb.as_file:
        feeder = threading.Thread(target=packed, args=(bomb, share, process.stdin))
        feeder.start()
    _, status, usage = os.wait4(process.pid, 0)
    if not bomb.as_file:
        feeder.join()
    said = open("err", "rb").read().decode(errors="replace")
    if os.path.exists("rejects.ndjson"):
        with open("rejects.ndjson", "rb") as file:
            said += file.read(4 * MIB).decode(errors="replace")
    return os.waitstatus_to_exitcode(status), said, usage.ru_maxrss / 1024, time.monotonic() - began


def faults(bomb, outcome):
    status, said, mib, _ = outcome
    if status != bomb.status:
        yield f"exit status {status}, not {bomb.status}: {said[:300]}"
    if bomb.words is not None and bomb.words not in said:
        yield f"no '{bomb.words}' in: {said[:300]}"
    if mib > bomb.mib:
        yield f"{mib:.0f} MiB, more than {bomb.mib}"
    if status == 0 and bomb.finds:
        yield from not_found(bomb)


def not_found(bomb):
    if bomb.command == "stream":
        if json.load(open("summary.json"))["engine_clicks"] == 0:
            yield "no click was taken"
    elif b"\nv1,t,k1," not in open("results.csv", "rb").read():
        yield "the click beside it was not found"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", default="build/clickmatch")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--only", default="", help="bombs whose name has this in it")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    program, failed = os.path.abspath(options.program), 0
    for bomb in bombs():
        if options.only not in bomb.name:
            continue
        if options.list:
            print(bomb.name)
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            outcome = run(bomb, program, options.share)
            wrong = list(faults(bomb, outcome))
            os.chdir("/")
        print(f"{'not ok' if wrong else 'ok':6} {bomb.name:40} {outcome[2]:6.0f} MiB of "
              f"{bomb.mib:3} {outcome[3]:7.1f} s", *wrong, flush=True)
        failed += bool(wrong)
    sys.exit(failed > 0)


main()
