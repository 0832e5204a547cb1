"""Rounds of killing `migrate`: an empty database, a platform's and one of each older version are
migrated, a finished one is optimized; each time a run is killed, the database is what one of the
versions makes of it, whole, and no row has changed. The next run completes the work; the end is
that of an undisturbed run, and one more changes nothing."""

import collections
import os
import subprocess
import time

import server
from batch_moments import choose_how, kill, wait_until
from batch_rounds import listed
from batch_world import sessions_gone
from life import Life
from migrate_states import state_of, version_of
from session import Session

SLEEPS_MS = [2, 5, 40]  # after each change of a definition
AIMED_SHARE = 0.8

DOING = """SELECT count(*) FROM pg_stat_activity WHERE application_name = 'clickmatch'
    AND datname = '%s' AND xact_start IS NOT NULL"""


class Totals:
    def __init__(self):
        self.kills = collections.Counter()
        self.outcomes = collections.Counter()
        self.rounds = self.failures = self.count = self.inside = 0

    def line(self):
        return "%d kills (%s), %d inside a transaction; databases were %s; %d of %d rounds " \
            "failed" % (self.count, listed(self.kills), self.inside, listed(self.outcomes),
                        self.failures, self.rounds)


class Run:
    """A database on its way."""

    def __init__(self, starts, start, rng, totals, work):
        self.start, self.program, self.rng, self.totals = start, starts.program, rng, totals
        self.name = "migration_%d" % starts.count
        self.place = os.path.join(work, "migrate")
        self.problems = []
        starts.count += 1
        server.psql("template1", "-c",
                    "CREATE DATABASE %s TEMPLATE %s" % (self.name, start.template))
        self.session, self.watcher = Session(self.name), Session("postgres")

    def state(self):
        """Its name; None where it is none that a version makes."""
        return self.start.states.get(state_of(self.session))

    def is_inside(self):
        return self.watcher.ask(DOING % self.name) != "0"

    def kill(self, by_server):
        """Returns the state's name."""
        rng = self.rng
        before = self.state()
        sleeps = {"define": rng.choice(SLEEPS_MS)}
        life = Life(self.start.command(self.program, self.name, sleeps), self.place, [], 0)
        if rng.random() < AIMED_SHARE:
            wait_until(life, self.is_inside)
        time.sleep(rng.uniform(0, rng.choice([0.01, 0.1, 0.4])))
        was_inside = kill(life, choose_how(rng, by_server), self.is_inside)
        if by_server:
            self.session.close()
            self.watcher.close()
        if was_inside is None:
            if life.finish() != 0:
                self.problems.append("a run ends with %s" % life.messages()[-500:])
        else:
            sessions_gone(self.watcher, self.name)
        return self.judge(before, was_inside)

    def judge(self, before, was_inside):
        state = self.state()
        if state is None:
            self.problems.append("%s: killed after %s, and at no version's state, but at version "
                                 "%d" % (self.start.label, before, version_of(self.session)))
        elif was_inside is not None:
            self.totals.count += 1
            self.totals.inside += was_inside
            self.totals.kills[self.start.label] += 1
            self.totals.outcomes[state] += 1
        return state

    def complete(self):
        """The next run, and one more."""
        for _ in range(2):
            done = subprocess.run(self.start.command(self.program, self.name, {}),
                                  capture_output=True, text=True)
            if done.returncode != 0 or self.state() != self.start.end:
                self.problems.append("%s: the next run ends with %d at %s: %s" % (
                    self.start.label, done.returncode, self.state(), done.stderr[-500:]))

    def drop(self):
        self.session.close()
        self.watcher.close()
        server.drop_database(self.name)


def kill_round(starts, rng, totals, kills, by_server, work):
    """Kill it until it has got through, at most so many times. Returns what was wrong."""
    start = starts.get(rng.choice(starts.labels))
    run = Run(starts, start, rng, totals, work)
    for _ in range(min(kills, 6)):
        if run.kill(by_server) in (start.end, None):
            break
    run.complete()
    run.drop()
    return run.problems
