#!/usr/bin/env python3
"""Input of absurd size or shape into the commands that read clicks, conversions, events or a model,
made while it is read, or put into PostgreSQL before. Each bomb must end in bounded memory, with the
exit status and the words that are due, and where rows follow it they must count.

    tests/torture/bombs.py --program build/clickmatch [--share 0.01] [--only gzip] [--list]

--share makes all bombs smaller by a factor. Memory is what wait4 tells of the program alone. Starts
a private PostgreSQL where none is given and one is needed.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

import server

MIB = 1 << 20
OWN_MIB = 48  # of the program without clicks, whatever the input: blocks, codecs, threads
HEADER = b"tenant_id,click_id,click_timestamp\n"
CLICK = b"t,k1,2026-03-10T12:00:00Z\n"
CONVERSIONS = (b"tenant_id,conversion_id,conversion_timestamp,click_id\n"
               b"t,v1,2026-03-10T12:30:00Z,k1\n")
CLICK_OBJECT = b'{"tenant_id":"t","click_id":"k1","click_timestamp":1773144000000}\n'
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
    """bytes_of(share): what is sent; packer: a program they pass on the way; into: as which of the
    command's inputs; rows_of(share): instead of that, statements for PostgreSQL. status, words:
    how it ends, and what is then said on standard error or in the rejects; mib: of memory, at
    most."""

    def __init__(self, name, bytes_of, status, words, mib=OWN_MIB, packer=None, options=(),
                 command="match", into="clicks", as_file=False, finds=None, rows_of=None):
        self.name, self.bytes_of, self.status, self.words = name, bytes_of, status, words
        self.mib, self.packer, self.options = mib, packer, options
        self.command, self.into, self.as_file = command, into, as_file
        self.finds = status == 0 if finds is None else finds
        self.rows_of = rows_of


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


    yield from bombs_elsewhere()


def members(count):
    """Of an object, with a name each."""
    return rows(count, lambda i: b'"m%d":%d,' % (i, i))


def object_of(count):
    return chain(b"{", members(count), CLICK_OBJECT[1:])


def conversion_rows(count):
    return rows(count, lambda i: b"t,conversion-%d,2026-03-10T12:30:00Z,\n" % i)


def tenants_of(share):
    return max(int(1000000 * share), 20000)


def bombs_elsewhere():
    """Through other inputs, and into other commands."""
    gib = 1 << 30
    limit = ("--memory-max", "256M")
    yield Bomb("zstd of 16 GB of zeros in a row of conversions",
               lambda share: chain(CONVERSIONS, repeated(b"\0", int(16 * gib * share))),
               0, "row longer than 1048576 bytes", packer=["zstd", "-q", "-1"], into="conversions")
    yield Bomb("more conversions than there is room for",
               lambda share: chain(CONVERSIONS,
                                   conversion_rows(max(int(50000000 * share), 1000000))),
               1, "conversions take more than 32 MiB", mib=256 + 2 * OWN_MIB, into="conversions",
               options=limit)
    yield Bomb("line of 1 GB of NDJSON",
               lambda share: chain(CLICK_OBJECT, b'{"x":"', repeated(b"x", int(gib * share)),
                                   b'"}\n'), 0, "row longer than 1048576 bytes")
    yield Bomb("object of a million members",
               lambda share: chain(object_of(1000000), CLICK_OBJECT),
               0, "row longer than 1048576 bytes")
    yield Bomb("objects of 70,000 members in many rows",
               lambda share: chain(*[part for _ in range(max(int(500 * share), 20))
                                     for part in object_of(70000)]), 0, None)
    yield Bomb("model of 1 GB",
               lambda share: chain(b'{"name":"', repeated(b"x", int(gib * max(share, 0.02)))),
               1, "longer than 16777216 bytes", into="model", as_file=True)
    yield Bomb("million tenants to evaluate",
               lambda share: chain(HEADER, rows(1000000, lambda i: b"t%d,%s" % (i, CLICK[2:]))),
               1, "clicks of more than 100000 tenants", command="evaluate", mib=1024,
               options=("--memory-max", "2G"))
    yield Bomb("more clicks than evaluate holds",
               lambda share: chain(HEADER, click_rows(many(share))),
               1, "held as they were read, take more than 96 MiB", command="evaluate",
               mib=256 + 2 * OWN_MIB, options=limit)
    yield Bomb("more clicks than train holds",
               lambda share: chain(HEADER, click_rows(many(share))),
               1, "held as they were read, take more than 96 MiB", command="train",
               mib=256 + 2 * OWN_MIB, options=limit)
    yield Bomb("line of 1 GB to explain",
               lambda share: chain(HEADER, repeated(b"x", int(gib * share)), b"\n", CLICK),
               0, None, command="explain")
    yield Bomb("more clicks than explain holds",
               lambda share: chain(HEADER, click_rows(many(share))),
               1, "of the conversion's tenant take more than 192 MiB", command="explain",
               mib=256 + 2 * OWN_MIB, options=limit)
    yield Bomb("many tenants in PostgreSQL", None, 1, "clicks of more than 10000 tenants",
               command="batch", mib=192, options=("--tenants-max", "10000"),
               rows_of=lambda share: """
                   INSERT INTO click_tracking
                       (tenant_id, click_id, campaign_id, ad_id, click_timestamp)
                   SELECT 't' || i, 'k' || i, 'c', 'a', '2026-03-10 12:00:00Z'
                   FROM generate_series(1, %d) AS i""" % tenants_of(share))


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


NAMES = {"clicks": "clicks.csv", "conversions": "conversions.csv", "model": "model.json"}


def arguments(bomb, program):
    inputs = {"clicks": NAMES["clicks"], "conversions": NAMES["conversions"]}
    inputs[bomb.into] = NAMES[bomb.into] if bomb.as_file else "-"
    common = ["--quiet", "--threads", "2", *bomb.options]
    if bomb.command != "explain":
        common += ["--rejects", "rejects.ndjson", "--summary", "summary.json"]
    if bomb.command == "batch":
        return [program, "batch", "--from", "2026-03-10", "--to", "2026-03-11", *common]
    if bomb.command == "stream":
        return [program, "stream", "--events", "-", "--output", "results", *common]
    given = [word for name, path in inputs.items() for word in ("--" + name, path)]
    operand = ["v1"] if bomb.command == "explain" else []
    return [program, bomb.command, *operand, *given, "--output", "results", *common]


def put_rows(bomb, program, share):
    """Into a new database, which the program is to use."""
    server.make_template(program)
    server.make_database("bomb")
    server.psql("bomb", "-c", bomb.rows_of(share))
    return dict(os.environ, PGDATABASE="bomb", PGUSER=server.ENGINE)


def prepare(bomb, program, share):
    """What the program finds; its environment."""
    for name, text in (("conversions", CONVERSIONS), ("clicks", HEADER + CLICK)):
        with open(NAMES[name], "wb") as file:
            file.write(text)
    if bomb.as_file:
        with open(NAMES[bomb.into], "wb") as file:
            packed(bomb, share, file)
    return os.environ if bomb.rows_of is None else put_rows(bomb, program, share)


def run(bomb, program, share):
    """Exit status, words, MiB and seconds."""
    environment = prepare(bomb, program, share)
    is_piped = bomb.bytes_of is not None and not bomb.as_file
    began = time.monotonic()
    with open("err", "wb") as err:
        process = subprocess.Popen(arguments(bomb, program), stderr=err, env=environment,
                                   stdin=subprocess.PIPE if is_piped else subprocess.DEVNULL)
    if is_piped:
        feeder = threading.Thread(target=packed, args=(bomb, share, process.stdin))
        feeder.start()
    _, status, usage = os.wait4(process.pid, 0)
    if is_piped:
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
    elif (b"k1" if bomb.command == "explain" else b"\nv1,t,k1,") not in open(
            "results", "rb").read():
        yield "the click beside it was not found"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", default="build/clickmatch")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--only", default="", help="bombs whose name has this in it")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    chosen = [bomb for bomb in bombs() if options.only in bomb.name]
    if options.list:
        print("\n".join(bomb.name for bomb in chosen))
        return
    if any(bomb.rows_of is not None for bomb in chosen) and "PG_TEMP_DIR" not in os.environ:
        os.execv(server.PG_TEMP, [server.PG_TEMP, "run", sys.executable, *sys.argv])
    program, failed = os.path.abspath(options.program), 0
    for bomb in chosen:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            outcome = run(bomb, program, options.share)
            wrong = list(faults(bomb, outcome))
            os.chdir("/")
        print(f"{'not ok' if wrong else 'ok':6} {bomb.name:46} {outcome[2]:6.0f} MiB of "
              f"{bomb.mib:3} {outcome[3]:7.1f} s", *wrong, flush=True)
        failed += bool(wrong)
    sys.exit(failed > 0)


main()
