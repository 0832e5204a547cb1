#!/usr/bin/env python3
"""Kill a stream again and again, and see that nothing is lost and nothing doubled.

    stream_kills.py --kills N [--faults N [--fault-lines N]] [--pause S] [--seed N] [--program FILE]
                    [--small FILE] [--keep DIR]

Each round makes a world of events, lets one stream take it unbroken, and kills another one at
random and at chosen moments (inside a checkpoint, a COPY, a transaction, a commit), or asks it to
end, each time to resume from its checkpoint. In the end both databases must hold the same, each
result once, and standard output every result, repeated at most from the last checkpoint on.

--faults N: rounds in which it is the server that fails while the stream lives: faults.py.
--pause S: a round in which it answers nothing for S seconds.

The same seed makes the same worlds, options and choices of moments; what the machine does with them
is its own. Starts a private PostgreSQL where none is given. Exit status 1: something was wrong; its
files are kept in --keep."""

import argparse
import collections
import os
import random
import shutil
import signal
import sys
import tempfile
import time

import faults
import server
import verdict
import world
from life import Life, kill_at, position_of

# How often each moment is aimed at.
ASKED_SHARE = 0.1  # are asked to end, not killed
MOMENTS = {"any": 40, "checkpoint": 22, "COPY": 16, "COMMIT": 14, "statement": 6, "between": 4}
STATUS_INTERRUPTED = 5
KILLS_PER_ROUND = 60
LINES_PER_KILL = 300
RATES = [500, 1000, 2000, 8000, 30000, 0]  # events a second


class Round:
    """A world, the options of its streams, and their databases."""

    def __init__(self, options, number, size):
        self.name = "round_%d" % number
        self.program = options.small if number % 3 == 1 else options.program
        self.rng = random.Random("%d %d" % (options.seed, number))
        self.work = os.path.join(options.work, self.name)
        os.mkdir(self.work)
        self.directory = os.path.join(self.work, "checkpoint")
        self.grace = number % 2 * self.rng.choice([5, 30, 120])
        self.lateness = self.rng.choice([5, 5, 30])
        self.batch = self.rng.choice([20, 200, 1000, 5000])
        self.lives = []
        self.world = world.make(options.program, os.path.join(self.work, "world"), self.rng, size,
                                has_silence=number // 2 % 2 == 0)
        server.make_database(self.name)
        server.make_database(self.name + "_unbroken")

    def command(self, database, directory, host=None):
        rng = random.Random(self.name)
        command = [self.program, "stream", "--events", "-", "--sink", "db", "--sink",
                   "stdout", "--store-clicks", "--idle", "1h", "--threads", "2",
                   "--grace", "%dm" % self.grace, "--lateness", "%dm" % self.lateness,
                   "--sink-batch", str(self.batch),
                   "--sink-linger", "%dms" % rng.choice([5, 20, 100]), "--recovery-target", "0",
                   "--linger", "%dms" % rng.choice([5, 1000]),
                   "--db", "dbname=%s user=%s%s" % (database, server.ENGINE,
                                                    " host=%s" % host if host else "")]
        return command + ["--checkpoint", directory, "--checkpoint-interval",
                          "%dms" % rng.choice([20, 50, 100, 200])]

    def run_unbroken(self):
        place = os.path.join(self.work, "unbroken")
        life = Life(self.command(self.name + "_unbroken", place), place, self.world.lines, 0)
        status = life.finish()
        if status != 0:
            raise RuntimeError("the unbroken run ends with %d: %s" % (status, life.messages()))
        return verdict.by_seq(life.output()[0])

    def live(self, rate, host=None):
        """Start the stream where its checkpoint says, or some lines before."""
        position = position_of(self.directory)
        index = self.world.index_of(position)
        if self.rng.random() < 0.3:
            index = max(0, index - self.rng.randrange(1, 500))
        life = Life(self.command(self.name, self.directory, host),
                    os.path.join(self.work, "life_%03d" % len(self.lives)),
                    self.world.lines[index:], rate)
        self.lives.append((life, position))
        return life

    def check(self, unbroken, totals):
        """Everything, after the end. Returns what is wrong."""
        problems = []
        outputs = verdict.Outputs(unbroken, world.told_at(self.world, self.grace, self.lateness))
        for life, position in self.lives:
            outputs.add(life)
            if life.resumed_from() < position and life.output()[0]:
                problems.append("%s: resumed from %d, not from %d" %
                                (life.place, life.resumed_from(), position))
        problems += outputs.end()
        problems += verdict.check_tables(server.dump(self.name + "_unbroken"),
                                         server.dump(self.name))
        totals.repeated += outputs.repeated
        return problems + verdict.check_directory(self.directory)

    def drop(self):
        server.drop_database(self.name)
        server.drop_database(self.name + "_unbroken")
        shutil.rmtree(self.work)


class Totals:
    def __init__(self):
        self.kills = self.asked = self.inside = self.events = self.results = self.repeated = 0
        self.states = collections.Counter()
        self.failures = 0

    def add_kill(self, states):
        self.kills += 1
        self.inside += bool(states & {"checkpoint", "COPY", "COMMIT"})
        self.states.update(states or {"elsewhere"})

    def line(self):
        states = ", ".join("%s %d" % pair for pair in sorted(self.states.items()))
        return ("%d kills (%s), %d inside a checkpoint, COPY or COMMIT; %d times asked to end; "
                "%d events, %d results, %d lines printed again, %d rounds failed" % (
                    self.kills, states, self.inside, self.asked, self.events, self.results,
                    self.repeated, self.failures))


def ask_to_end(life, seconds, totals):
    """False where it ended by itself, or not as it should. What has hardly begun is just killed by
    SIGTERM."""
    time.sleep(seconds)
    status = life.ask_to_end()
    totals.asked += 1
    return status == STATUS_INTERRUPTED or (status == -signal.SIGTERM and not life.messages())


def kill_round(a_round, kills, totals):
    """Kill it until it ends by itself, at most so many times; then let it end."""
    watcher = server.Watcher(a_round.name)
    rng = a_round.rng
    weights = list(MOMENTS.values())
    while kills > 0:
        seconds = rng.uniform(0.05, 0.5)
        life = a_round.live(rng.choice(RATES))
        if rng.random() < ASKED_SHARE:
            if not ask_to_end(life, seconds, totals):
                break
            continue
        moment = rng.choices(list(MOMENTS), weights)[0]
        states = kill_at(life, moment, a_round.directory, watcher, seconds)
        if states is None:
            break
        totals.add_kill(states)
        kills -= 1
    else:
        life = a_round.live(0)
    watcher.close()
    life.finish()
    return life, []


def run_round(options, number, size, totals, body):
    a_round = Round(options, number, size)
    unbroken = a_round.run_unbroken()
    life, problems = body(a_round)
    status = life.process.returncode
    if status != 0:
        problems += ["%s: exit status %d: %s" % (life.place, status, life.messages()[-500:])]
    else:
        problems += a_round.check(unbroken, totals)
    totals.events += len(a_round.world.lines)
    totals.results += len(unbroken)
    totals.failures += bool(problems)
    for problem in problems[:10]:
        print("round %d: %s" % (number, problem), flush=True)
    if problems:
        shutil.copytree(a_round.work, os.path.join(options.keep, a_round.name), dirs_exist_ok=True)
        print("round %d: kept in %s; again: %s" % (number, options.keep,
                                                   " ".join(life.process.args)))
    a_round.drop()
    return not problems


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--faults", type=int, default=0)
    parser.add_argument("--pause", type=float, default=0, help="seconds of one more round's outage")
    parser.add_argument("--fault-lines", type=int, default=40000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--program", default=os.environ.get("CLICKMATCH", "build/clickmatch"))
    parser.add_argument("--small", help="the program of every third round")
    parser.add_argument("--keep", default="build/torture")
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    options.small = os.path.abspath(options.small or options.program)
    return options


def run_all(options):
    totals, number, began = Totals(), 0, time.monotonic()
    server.make_template(options.program)
    while totals.kills < options.kills:
        kills = min(KILLS_PER_ROUND, options.kills - totals.kills)
        good = run_round(options, number, max(2000, LINES_PER_KILL * kills), totals,
                         lambda a_round: kill_round(a_round, kills, totals))
        number += 1
        print("round %d %s, %.0f s: %s" % (number, "good" if good else "BAD",
                                           time.monotonic() - began, totals.line()), flush=True)
    rounds = [faults.fault_round] * options.faults
    if options.pause:
        rounds.append(lambda a_round, told: faults.pause_round(a_round, told, options.pause))
    for at, fault_round in enumerate(rounds):
        told = faults.Told()
        good = run_round(options, number, options.fault_lines, totals,
                         lambda a_round: fault_round(a_round, told))
        number += 1
        print("fault round %d %s, %.0f s: %s" % (at + 1, "good" if good else "BAD",
                                                 time.monotonic() - began, told.line()), flush=True)
    return totals.failures == 0


def main():
    if "PG_TEMP_DIR" not in os.environ:
        os.environ["PG_TEMP_CONF"] = server.SETTINGS
        os.execv(server.PG_TEMP, [server.PG_TEMP, "run", sys.executable, *sys.argv])
    options = parse()
    os.environ["PGOPTIONS"] = "-c client_min_messages=warning"
    with tempfile.TemporaryDirectory(prefix="torture.") as options.work:
        os.chmod(options.work, 0o755)
        sys.exit(0 if run_all(options) else 1)


if __name__ == "__main__":
    main()
