"""Rounds in which the server fails while the stream lives: it crashes and comes back, stops
answering, throws sessions out; and connections break in the middle of a COPY, or after a commit
whose reply is lost. Input must not be read meanwhile, memory not grow, and the tables hold in the
end what they would have held."""

import collections
import os
import threading
import time

import server

SETTLE_SECONDS = 1.0  # after which all there is room for has been read
GROWTH_KIB_MAX = 2048


class Told:
    """What happened so far."""

    def __init__(self):
        self.faults = collections.Counter()
        self.stalls = 0
        self.growth_kib = 0
        self.problems = []

    def line(self):
        return "%s; reading stood still in %d outages, memory grew by %d KiB in one at most" % (
            ", ".join("%s %d" % pair for pair in sorted(self.faults.items())), self.stalls,
            self.growth_kib)


def watch_outage(life, outage, told):
    """Watch the stream while the server is away; outage: a thread."""
    time.sleep(SETTLE_SECONDS)
    if life.has_ended() or not outage.is_alive():
        outage.join()
        return
    written, rss = life.feeder.written, life.rss_kib()
    has_more = written < len(life.feeder.lines)
    samples = []
    while outage.is_alive():
        samples.append((life.feeder.written, life.rss_kib()))
        time.sleep(0.05)
    # While the server starts, it may answer before that is known here.
    samples = samples[:-10]
    if not has_more or not samples:
        return
    told.stalls += 1
    told.growth_kib = max(told.growth_kib, samples[-1][1] - rss)
    if samples[-1][0] != written:
        told.problems.append("%d lines were read while the server was away" %
                             (samples[-1][0] - written))
    if samples[-1][1] - rss > GROWTH_KIB_MAX:
        told.problems.append("memory grew by %d KiB while the server was away" %
                             (samples[-1][1] - rss))


def throw_out():
    server.psql("postgres", "-c", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'clickmatch'")


def cut(cutter, where):
    """Cut the next connection that gets there."""
    cutter.where = where
    deadline = time.monotonic() + 2
    while cutter.where is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    cutter.where = None


def fail(life, rng, cutter, told):
    kind = rng.choice(["crash", "pause", "thrown out", "COPY cut", "COMMIT cut", "COMMIT cut"])
    if kind in ("crash", "pause"):
        outage = threading.Thread(target={"crash": server.crash, "pause": server.pause}[kind],
                                  args=(rng.uniform(2, 5),))
        outage.start()
        watch_outage(life, outage, told)
    elif kind == "thrown out":
        throw_out()
    else:
        before = dict(cutter.cuts)
        cut(cutter, kind.split()[0])
        if cutter.cuts == before:
            return
    told.faults[kind] += 1


def fault_round(a_round, told):
    """Returns the stream's life, which is near its end, and what was wrong."""
    directory = os.path.join(a_round.work, "cut")
    os.mkdir(directory)
    cutter = server.Cutter(directory)
    life = a_round.live(0, directory)
    while not life.has_ended() and life.feeder.is_alive():
        time.sleep(a_round.rng.uniform(0.05, 0.5))
        fail(life, a_round.rng, cutter, told)
    life.finish()
    cutter.close()
    problems, told.problems = told.problems, []
    return life, problems
