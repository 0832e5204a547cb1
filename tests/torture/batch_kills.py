#!/usr/bin/env python3
"""Kill `batch` and `migrate`, and the server under them, again and again.

    batch_kills.py [--kills N] [--server-kills N] [--migrate-kills N] [--migrate-server-kills N]
                   [--overlaps N] [--conversions N] [--seed N] [--program FILE] [--first N]

At random and at aimed moments; see batch_rounds.py, migrate_kills.py and batch_overlaps.py for what
must hold; three kills in ten are inside COPY, promote, commit, or a migration's transaction, or it
fails. The same seed and the same numbers make the same worlds, changes and choices; what the
machine does with them is its own. --first N begins with the round of that number: what a failing
round prints replays it. Starts a private PostgreSQL where none is given. Exit status 1: something
was wrong."""

import argparse
import os
import random
import sys
import tempfile
import time

import batch_overlaps
import batch_rounds
import batch_world
import migrate_kills
import migrate_states
import server

SETTINGS = """synchronous_commit = on
max_connections = 40
deadlock_timeout = 200ms
"""
TOLD_SECONDS = 30


class Torture:
    def __init__(self, options):
        self.options = options
        self.began = self.told = time.monotonic()
        self.failures = 0
        self.starts = migrate_states.Starts(options.program)

    def rng(self, kind, number):
        return random.Random("%d %s %d" % (self.options.seed, kind, number))

    def settle(self, kind, number, problems, totals):
        """After a round: say what was wrong, and now and then how far it is."""
        totals.rounds += 1
        totals.failures += bool(problems)
        self.failures += bool(problems)
        for problem in problems[:10]:
            print("%s %d: %s" % (kind, number, problem), flush=True)
        if problems:
            print("%s %d BAD; again: batch_kills.py --%ss 4 --seed %d --first %d" % (
                kind, number, kind.replace(" ", "-"), self.options.seed, number), flush=True)
        if time.monotonic() - self.told > TOLD_SECONDS:
            self.tell(kind, totals)

    def tell(self, kind, totals):
        self.told = time.monotonic()
        print("%s, %.0f s: %s" % (kind, self.told - self.began, totals.line()), flush=True)

    def close(self, kind, totals, inside, count):
        """After the last round of a kind: what was done, and whether it was where it matters."""
        self.tell(kind, totals)
        problem = batch_rounds.few_inside(inside, count)
        if problem:
            self.failures += 1
            print("%ss BAD: %s" % (kind, problem), flush=True)

    def kill_batches(self, kind, wanted, by_server):
        totals, number = batch_rounds.Totals(), self.options.first
        worlds = batch_rounds.Worlds(self.options.program, kind.replace(" ", "_"))
        counter = totals.server_kills if by_server else totals.kills
        while (left := wanted - sum(counter.values())) > 0:
            world, watcher = worlds.next()
            a_round = batch_rounds.Round(world, watcher, self.rng(kind, number), totals,
                                         self.options.work)
            problems = batch_rounds.kill_round(a_round, "%d.%d" % (self.options.seed, number), left,
                                               by_server)
            self.settle(kind, number, problems, totals)
            if problems:
                worlds.end()
            number += 1
        worlds.end()
        self.close(kind, totals, totals.inside(counter), sum(counter.values()))

    def kill_migrations(self, kind, wanted, by_server):
        totals, number = migrate_kills.Totals(), self.options.first
        while totals.count < wanted:
            problems = migrate_kills.kill_round(self.starts, self.rng(kind, number), totals,
                                                wanted - totals.count, by_server, self.options.work)
            self.settle(kind, number, problems, totals)
            number += 1
        self.close(kind, totals, totals.inside, totals.count)

    def overlap(self, wanted):
        totals = batch_overlaps.Totals()
        worlds = batch_rounds.Worlds(self.options.program, "overlap")
        for number in range(self.options.first, self.options.first + wanted):
            world, watcher = worlds.next()
            a_round = batch_overlaps.Round(world, watcher, self.rng("overlap", number), totals,
                                           self.options.work)
            problems = batch_overlaps.overlap_round(a_round, number,
                                                    "%d.%d" % (self.options.seed, number))
            self.settle("overlap", number, problems, totals)
            if problems:
                worlds.end()
        worlds.end()
        self.tell("overlap", totals)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("kills", "server-kills", "migrate-kills", "migrate-server-kills", "overlaps"):
        parser.add_argument("--" + name, type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--conversions", type=int, default=2500, help="of each world")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--program", default=os.environ.get("CLICKMATCH", "build/clickmatch"))
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    return options


def run_all(options):
    torture = Torture(options)
    batch_world.make_templates(options.program, options.conversions)
    if options.kills:
        torture.kill_batches("kill", options.kills, by_server=False)
    if options.server_kills:
        torture.kill_batches("server kill", options.server_kills, by_server=True)
    if options.migrate_kills:
        torture.kill_migrations("migrate kill", options.migrate_kills, by_server=False)
    if options.migrate_server_kills:
        torture.kill_migrations("migrate server kill", options.migrate_server_kills,
                                by_server=True)
    if options.overlaps:
        torture.overlap(options.overlaps)
    verdict = "all good" if torture.failures == 0 else "%d BAD" % torture.failures
    print("%s, %.0f s" % (verdict, time.monotonic() - torture.began), flush=True)
    return torture.failures == 0


def main():
    if "PG_TEMP_DIR" not in os.environ:
        os.environ["PG_TEMP_CONF"] = SETTINGS
        os.execv(server.PG_TEMP, [server.PG_TEMP, "run", sys.executable, *sys.argv])
    options = parse()
    os.environ["PGOPTIONS"] = "-c client_min_messages=warning"
    with tempfile.TemporaryDirectory(prefix="torture.") as options.work:
        sys.exit(0 if run_all(options) else 1)


if __name__ == "__main__":
    main()
