"""Rounds in which the server fails while the stream lives: it crashes and comes back, stops
answering, throws sessions out; and connections break in the middle of a COPY, or after a commit
whose reply is lost. Input must not be read meanwhile, memory not grow, and the tables hold in the
end what they would have held. Sometimes the stream is killed while the server is away."""

import collections
import os
import threading
import time

import server

FEED_SECONDS = 6  # that a world's lines take, without faults
FAULTS_PER_ROUND = 16
STANDSTILL_SECONDS = 0.5
GROWTH_KIB_MAX = 2048
READ_LINES = 3000  # at most in pipes and buffers


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


def watch_outage(life, outage, room, told):
    """Watch the stream while the server is away; outage: a thread. room: lines that it may read."""
    samples = []
    while outage.is_alive() and not life.has_ended():
        samples.append((time.monotonic(), life.feeder.written, life.rss_kib()))
        time.sleep(0.02)
    outage.join()
    if not samples:
        return
    # While the server starts, it may answer before that is known here.
    samples = [sample for sample in samples if sample[0] < samples[-1][0] - STANDSTILL_SECONDS]
    if not samples:
        return
    read = samples[-1][1] - samples[0][1]
    if read > room:
        told.problems.append("%d lines were read while the server was away" % read)
    still = [sample for sample in samples if sample[1] == samples[-1][1]]
    if not life.feeder.is_alive() or still[-1][0] - still[0][0] < STANDSTILL_SECONDS:
        return
    told.stalls += 1
    growth_kib = still[-1][2] - still[0][2]
    told.growth_kib = max(told.growth_kib, growth_kib)
    if growth_kib > GROWTH_KIB_MAX:
        told.problems.append("memory grew by %d KiB while the server was away" % growth_kib)


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


def kill_meanwhile(a_round, outage, directory):
    """Kill the stream while the server is away; it lives again when the server does."""
    time.sleep(a_round.rng.uniform(0, 1))
    a_round.lives[-1][0].kill()
    outage.join()
    return a_round.live(rate_of(a_round), directory)


def rate_of(a_round):
    return len(a_round.world.lines) // FEED_SECONDS


def fail(a_round, life, cutter, told):
    """Let something fail. Returns the stream's life, which may be another."""
    rng = a_round.rng
    kind = rng.choice(["crash", "pause", "thrown out", "COPY cut", "COMMIT cut", "COMMIT cut",
                       "crash and kill"])
    if kind in ("crash", "pause", "crash and kill"):
        outage = threading.Thread(target=server.pause if kind == "pause" else server.crash,
                                  args=(rng.uniform(2, 5),))
        outage.start()
        if kind == "crash and kill":
            life = kill_meanwhile(a_round, outage, cutter.directory)
        else:
            watch_outage(life, outage, 2 * a_round.batch + READ_LINES, told)
    elif kind == "thrown out":
        throw_out()
    else:
        before = dict(cutter.cuts)
        cut(cutter, kind.split()[0])
        if cutter.cuts == before:
            return life
    told.faults[kind] += 1
    return life


def pause_round(a_round, told, seconds):
    """The server answers nothing for so long, once. Returns as fault_round does."""
    life = a_round.live(rate_of(a_round))
    time.sleep(FEED_SECONDS / 4)
    outage = threading.Thread(target=server.pause, args=(seconds,))
    outage.start()
    watch_outage(life, outage, 2 * a_round.batch + READ_LINES, told)
    told.faults["pause of %d s" % seconds] += 1
    life.finish()
    problems = told.problems if told.stalls else told.problems + ["reading did not stand still"]
    told.problems = []
    return life, problems


def fault_round(a_round, told):
    """Returns the stream's last life, which has ended, and what was wrong."""
    directory = os.path.join(a_round.work, "cut")
    os.mkdir(directory)
    cutter = server.Cutter(directory)
    life = a_round.live(rate_of(a_round), directory)
    for _ in range(FAULTS_PER_ROUND):
        server.wait_for_sink(a_round.name)
        time.sleep(a_round.rng.uniform(0.1, 1.0))
        if life.has_ended() or not life.feeder.is_alive():
            break
        life = fail(a_round, life, cutter, told)
    life.finish()
    cutter.close()
    problems, told.problems = told.problems, []
    return life, problems
