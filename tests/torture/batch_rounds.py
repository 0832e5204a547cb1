"""Rounds of killing `batch`: the data change, a run is killed, and killed again; each time the
tables are the old state or the new one, and the job says which. The next run completes the work,
and what it leaves is what an undisturbed run of the other database has left."""

import collections
import os
import time

from batch_moments import AIMS, BatchWatcher, INSIDE, choose_how, kill, wait_for
from batch_world import EMPTY_WINDOW, GONE_SECONDS, World, sessions_gone
from life import Life

ROUNDS_PER_WORLD = 25
KILLED_AGAIN_SHARE = 0.5
AT_ONCE_SHARE = 0.15    # the next run does not wait until the dead one's sessions have gone
OTHER_JOB_SHARE = 0.1   # another job comes first
TWICE_SHARE = 0.25      # the next run runs again
REFUSED = "another run over an overlapping period is under way"
LOST = "PostgreSQL"     # what must be in the message of a run whose server went
INSIDE_SHARE = 0.3      # of kills: within what must happen whole or not at all, at least
FEW_KILLS = 50          # of which chance makes any share


class Totals:
    def __init__(self):
        self.kills = collections.Counter()
        self.server_kills = collections.Counter()
        self.outcomes = collections.Counter()
        self.events = collections.Counter()
        self.rounds = self.failures = 0
        self.gone_seconds = 0.0

    def inside(self, counter):
        """Of its kills those inside COPY, promote or commit."""
        return sum(counter[moment] for moment in INSIDE)

    def line(self):
        inside = self.inside(self.kills)
        return "%d batches killed (%s), %d inside COPY, promote or commit; server killed under " \
            "%d (%s); tables were %s; %s; a dead session is gone after %.1f s at most; %d of %d " \
            "rounds failed" % (
                sum(self.kills.values()), listed(self.kills), inside,
                sum(self.server_kills.values()), listed(self.server_kills), listed(self.outcomes),
                listed(self.events), self.gone_seconds, self.failures, self.rounds)


def few_inside(inside, count):
    """What is wrong where too few of the kills were inside."""
    if count < FEW_KILLS or inside >= INSIDE_SHARE * count:
        return ""
    return "only %d of %d kills were inside, less than %.0f %%" % (inside, count,
                                                                   100 * INSIDE_SHARE)


def listed(counter):
    return ", ".join("%s %d" % pair for pair in sorted(counter.items())) or "none"


class Round:
    def __init__(self, world, watcher, rng, totals, work):
        self.world, self.watcher, self.rng, self.totals = world, watcher, rng, totals
        self.place = os.path.join(work, "batch")
        self.problems = []
        self.old = self.new = ""

    def expect(self, is_right, text):
        if not is_right:
            self.problems.append(text)
        return is_right

    def prepare(self, label):
        """The data change. Returns how long an undisturbed run took."""
        self.world.change(label, self.rng.choice([30, 200, 600]))
        self.old = self.world.state()
        self.expect(self.old == self.world.state(self.world.unbroken), "the databases differ")
        began = time.monotonic()
        status, messages = self.world.run(database=self.world.unbroken)
        seconds = time.monotonic() - began
        self.expect(status == 0, "the undisturbed run ends with %d: %s" % (status, messages))
        self.new = self.world.state(self.world.unbroken)
        self.expect(self.new != self.old, "there was nothing to do")
        return seconds

    def judge(self, before):
        """After a kill: which state is it, and does the job say so? before: the job."""
        state, job = self.world.state(), self.world.job()
        runs = job.run_count - before.run_count
        if state == self.new:
            self.expect(job.status == "succeeded" and runs == 1, "new state, but %s" % (job,))
            return "new"
        if state != self.old:
            self.problems.append("neither old nor new: %s; new: %s" %
                                 (job, self.world.difference()))
            return "neither"
        if runs == 0:
            self.expect(job == before, "no run, but %s after %s" % (job, before))
            return "old, not begun"
        self.expect(runs == 1 and job.status in ("running", "failed"),
                    "old state, but %s" % (job,))
        return "old, " + job.status

    def kill_once(self, seconds, by_server):
        """Kill a run. Returns which state the tables are in; None where the run had ended."""
        rng = self.rng
        aim = rng.choices(list(AIMS), [weight for weight, _ in AIMS.values()])[0]
        before = self.world.job()
        life = Life(self.world.command(AIMS[aim][1]), self.place, [], 0)
        wait_for(life, aim, self.watcher, rng.uniform(0, seconds))
        moment = kill(life, choose_how(rng, by_server), self.watcher.doing)
        if by_server:
            self.world.disconnect()
            self.watcher.close()
        if moment is None:
            return self.judge_ended(life, before)
        counter = self.totals.server_kills if by_server else self.totals.kills
        counter[moment or "not connected"] += 1
        if by_server:
            self.judge_lost(life, before)
        elif rng.random() < AT_ONCE_SHARE:
            return None
        else:
            gone = sessions_gone(self.watcher, self.world.name)
            self.totals.gone_seconds = max(self.totals.gone_seconds, gone)
        outcome = self.judge(before)
        self.totals.outcomes[outcome] += 1
        return outcome

    def judge_ended(self, life, before):
        """It was done before it could be killed."""
        status = life.finish()
        self.expect(status == 0, "a run ends with %d: %s" % (status, life.messages()[-500:]))
        self.expect(self.judge(before) == "new", "a run has ended with status 0, but not done")
        self.totals.events["ended first"] += 1
        return "new"

    def judge_lost(self, life, before):
        """What it said when its server went."""
        status = life.process.returncode
        errors = [line for line in life.messages().splitlines() if "warning: " not in line]
        if status == 0:
            self.expect(self.judge(before) == "new", "status 0, but the tables are old")
            return
        self.expect(status == 4 and len(errors) == 1 and LOST in errors[0],
                    "the server went, and the run ends with %d: %s" % (status, errors))

    def complete(self):
        """The next run does what is left, and nothing of the dead stays behind."""
        world, rng = self.world, self.rng
        if rng.random() < OTHER_JOB_SHARE:
            self.settle()
        deadline = time.monotonic() + GONE_SECONDS
        status, messages = world.run()
        while status == 4 and REFUSED in messages and time.monotonic() < deadline:
            self.totals.events["told to wait"] += 1
            time.sleep(0.05)
            status, messages = world.run()
        self.expect(status == 0, "the next run ends with %d: %s" % (status, messages))
        if world.state() != self.new:
            self.problems.append("the next run leaves another state: " + world.difference())
        job = world.job()
        self.expect((job.status, job.error) == ("succeeded", ""), "after the next run: %s" % (job,))
        self.expect(world.leftovers() == "0", "a staging table stays behind")
        self.expect(world.log_problems() == "", "the log: %s" % world.log_problems())
        if rng.random() < TWICE_SHARE:
            self.run_again()

    def settle(self):
        """A run over another period says that the dead one failed."""
        sessions_gone(self.watcher, self.world.name)
        was = self.world.job()
        status, messages = self.world.run(window=EMPTY_WINDOW)
        job = self.world.job()
        self.expect(status == 0, "another job ends with %d: %s" % (status, messages))
        if was.status == "running":
            self.expect(job.status == "failed" and "killed" in job.error,
                        "not settled: %s" % (job,))
            self.totals.events["settled by another job"] += 1
        self.expect(self.world.leftovers() == "0", "another job leaves a staging table")

    def run_again(self):
        before = self.world.versions()
        status, messages = self.world.run()
        self.expect(status == 0 and self.world.job().changed == 0 and
                    self.world.versions() == before, "a second run changes rows: %s" % messages)
        self.totals.events["second runs"] += 1


def kill_round(a_round, label, kills, by_server):
    """At most so many kills. Returns what was wrong."""
    seconds = a_round.prepare(label)
    outcome = a_round.kill_once(seconds, by_server)
    for _ in range(kills - 1):
        if outcome is None or outcome == "new" or a_round.rng.random() > KILLED_AGAIN_SHARE:
            break
        outcome = a_round.kill_once(seconds, by_server)
    a_round.complete()
    return a_round.problems


class Worlds:
    """One after the other, as a log that grows makes looking at all of it longer."""

    def __init__(self, program, name):
        self.program, self.name = program, name
        self.count, self.rounds, self.world, self.watcher = 0, 0, None, None

    def next(self):
        """Of the next round, with its watcher."""
        if self.world is None or self.rounds == ROUNDS_PER_WORLD:
            self.end()
            self.world = World(self.program, "%s_%d" % (self.name, self.count))
            self.watcher = BatchWatcher(self.world.name)
            self.count, self.rounds = self.count + 1, 0
        self.rounds += 1
        return self.world, self.watcher

    def end(self):
        if self.world is not None:
            self.watcher.close()
            self.world.drop()
            self.world = None
