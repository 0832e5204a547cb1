"""Rounds in which `batch` is not alone: beside another one over an overlapping period, beside a
stream that writes the same conversions, beside a program of the platform that updates them in
another order, beside `migrate --optimize`. Each either does its work or says why not; each result
is one run's, whole, the log says whose, and a last run leaves what an undisturbed one has left."""

import collections
import json
import os
import subprocess
import threading

from batch_rounds import REFUSED, listed
from batch_world import batch_command, conninfo
from session import Session

SLEEPS = {"copy": 1, "promote": 8, "commit": 30}  # so that they do overlap
BULK = """BEGIN;
SET LOCAL lock_timeout = '20s';
UPDATE conversion_tracking SET crm_stage = '{stage}'
WHERE id = ANY (ARRAY(SELECT id FROM conversion_tracking ORDER BY {order}
                        LIMIT (SELECT count(*) / {part} FROM conversion_tracking)));
SELECT pg_sleep({pause});
UPDATE conversion_tracking SET crm_stage = '{stage}' WHERE crm_stage IS DISTINCT FROM '{stage}';
COMMIT"""
EVENTS = """SELECT jsonb_strip_nulls(jsonb_build_object(
    'event', 'conversion', 'seq', row_number() OVER (ORDER BY {order}), 'tenant_id', tenant_id,
    'conversion_id', conversion_id, 'conversion_type', conversion_type,
    'conversion_timestamp', conversion_timestamp, 'ip_address', host(ip_address),
    'user_agent', user_agent, 'device_type', device_type))
FROM conversion_tracking
WHERE coalesce(conversion_fingerprint_hash, '') ~ '^([0-9a-fA-F]{{64}})?$'"""


class Totals:
    def __init__(self):
        self.outcomes = collections.Counter()
        self.rounds = self.failures = 0

    def line(self):
        return "%d rounds (%s), %d failed" % (self.rounds, listed(self.outcomes), self.failures)


class Round:
    def __init__(self, world, watcher, rng, totals, work):
        self.world, self.watcher, self.rng, self.totals = world, watcher, rng, totals
        self.work = work
        self.problems = []

    def expect(self, is_right, text):
        if not is_right:
            self.problems.append(text)

    def start(self, *arguments, window=None, **more):
        """A run of `batch` that takes its time."""
        given = {"window": window} if window else {}
        command = batch_command(self.world.program, self.world.name, SLEEPS, *arguments, **given)
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **more)

    def ends(self, process, label, *reasons):
        """With status 0, or with one of the reasons. Returns whether with 0."""
        messages = [line for line in process.communicate()[1].splitlines()
                    if "warning: " not in line]
        status = process.returncode
        self.totals.outcomes["%s %s" % (label, "works" if status == 0 else "is refused")] += 1
        self.expect(status == 0 or (status == 4 and len(messages) == 1 and
                                    any(reason in messages[0] for reason in reasons)),
                    "%s ends with %d: %s" % (label, status, messages))
        return status == 0


def two_batches(a_round):
    """The same period, a part of it, or other tenants in it."""
    rng = a_round.rng
    other = rng.choice([{}, {"window": ("2026-03-05", "2026-04-01")},
                        {"arguments": ("--tenant", "tenant_1", "--tenant", "tenant_2")}])
    one = a_round.start()
    two = a_round.start(*other.get("arguments", ()), window=other.get("window"))
    works = [a_round.ends(one, "batch", REFUSED), a_round.ends(two, "second batch", REFUSED)]
    a_round.expect(any(works), "two runs, and none worked")


def beside_bulk_update(a_round):
    """The platform's update locks rows in an order of its own, half of them late: a deadlock, which
    PostgreSQL ends by failing one of the two."""
    rng = a_round.rng
    session = Session(a_round.world.name)
    failed = []

    def update():
        try:
            session.ask(BULK.format(stage=a_round.label, order=rng.choice(
                ["conversion_id DESC", "md5(conversion_id)", "id"]), part=rng.choice([5, 2]),
                                    pause=rng.choice([0.1, 0.4])))
        except RuntimeError as error:
            failed.append(str(error))
            session.ask("ROLLBACK")

    bulk = threading.Thread(target=update)
    one = a_round.start()
    bulk.start()
    a_round.expect(a_round.ends(one, "batch beside an update"), "it did not work")
    bulk.join()
    a_round.totals.outcomes["update " + ("is a deadlock's victim" if failed else "works")] += 1
    a_round.expect(all("deadlock detected" in error for error in failed), "update: %s" % failed)
    stages = session.ask("SELECT count(*) FROM conversion_tracking WHERE crm_stage = '%s'" %
                         a_round.label)
    total = session.ask("SELECT count(*) FROM conversion_tracking")
    session.close()
    a_round.expect(stages == ("0" if failed else total), "%s of %s rows updated" % (stages, total))


def beside_stream(a_round):
    """A stream that knows no clicks, and so finds other results, writes all conversions, while
    `batch` does. Whoever is last with a conversion stays, as its last attempt says."""
    events = a_round.world.ask(EVENTS.format(order=a_round.rng.choice(
        ["conversion_timestamp", "conversion_id", "md5(conversion_id)"])))
    path = os.path.join(a_round.work, "events.ndjson")
    with open(path, "w", encoding="utf-8") as file:
        file.write(events + "\n")
    stream = subprocess.Popen(
        [a_round.world.program, "stream", "--quiet", "--recovery-target", "0", "--events", path,
         "--sink", "db", "--sink-batch", str(a_round.rng.choice([20, 100, 500])),
         "--stream-name", a_round.label, "--db",
         conninfo(a_round.world.name, {"promote": 1})], stderr=subprocess.PIPE, text=True)
    a_round.ends(a_round.start(), "batch beside a stream")
    a_round.ends(stream, "stream")
    position = a_round.world.ask("SELECT position FROM stream_positions WHERE stream_name = '%s'" %
                                 a_round.label)
    last = max(json.loads(event)["seq"] for event in events.splitlines())
    a_round.expect(position == str(last), "the stream is at %s, not %d" % (position, last))


def beside_optimize(a_round):
    """Either order; who comes second says so, or waits."""
    optimize = subprocess.Popen(
        [a_round.world.program, "migrate", "--optimize", "--quiet", "--db",
         conninfo(a_round.world.name, {"define": 20}, "migrate")],
        stderr=subprocess.PIPE, text=True)
    one = a_round.start()
    a_round.ends(one, "batch beside optimize")
    a_round.ends(optimize, "optimize", "a run of batch is under way")


KINDS = [two_batches, beside_bulk_update, beside_stream, two_batches, beside_bulk_update,
         beside_stream, beside_optimize]


def overlap_round(a_round, number, label):
    """Returns what was wrong."""
    world = a_round.world
    kind = KINDS[number % len(KINDS)]
    a_round.label = label
    world.change(label, a_round.rng.choice([200, 600]))
    kind(a_round)
    a_round.expect(world.log_problems() == "", "%s: the log: %s" %
                   (kind.__name__, world.log_problems()))
    a_round.expect(world.leftovers() == "0", "%s: a staging table is left" % kind.__name__)
    for database in (world.name, world.unbroken):
        status, messages = world.run(database=database)
        a_round.expect(status == 0, "the last run ends with %d: %s" % (status, messages))
    # What the platform's program wrote, and how many attempts it took, are the broken one's own.
    a_round.expect(world.results() == world.results(world.unbroken),
                   "%s: the end is another: %s" % (kind.__name__, world.difference()))
    before = world.versions()
    world.run()
    a_round.expect(world.versions() == before, "a second run changes rows")
    return a_round.problems
