#!/usr/bin/env python3
"""Kill `clickmatch retry` again and again, and see that every dead event ends as in a run that
nobody disturbs.

    retry_kills.py --kills N [--seed N] [--events N] [--program FILE] [--keep DIR]

A stream takes a world of which some events are broken in one way or another; most of them are
mended then. Of that database each round has a copy, in which retries, one or two at once, are
killed or asked to end, until nothing is due any more: at random moments, most of them early, or
when the server is at what is aimed at. The tables must then hold what they do after one retry
alone: each event stored, logged and settled once. Where there are enough kills, each phase of a
transaction has had some, and three in ten were where it writes.

The same seed makes the same world, breaks and aims; what the machine does with them is its own.
Starts a private PostgreSQL where none is given. Exit status 1: something was wrong; the two
contents are kept in --keep."""

import argparse
import collections
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

import server
from batch_moments import wait_until
from batch_rounds import FEW_KILLS, few_inside, listed
from life import Life
from session import Session

STATUS_INTERRUPTED = 5
GONE_SECONDS = 30  # for a dead client's session
ASKED_SHARE = 0.2  # are asked to end, not killed
PAIR_SHARE = 0.3   # of lives are two retries side by side

SETTINGS = server.SETTINGS + "commit_delay = 20000\n"  # a commit is found before it is over

# What the server does for a retry: the beginnings of its statements.
PHASES = {"take": r"BEGIN|SELECT d\.id",
          "read": r"COPY \(|SELECT trunc",
          "write": r"SAVEPOINT|RELEASE|ROLLBACK|TRUNCATE|COPY pg_temp|INSERT|WITH|SELECT s\.ord",
          "settle": r"UPDATE dead_events",
          "commit": r"COMMIT"}
INSIDE = ("write", "settle", "commit")
# How often each is aimed at.
AIMS = {"any": 40, "take": 8, "read": 8, "write": 12, "settle": 12, "commit": 20}
DOING = r"""
SELECT state, left(regexp_replace(regexp_replace(query, '--[^\n]*\n', '', 'g'), '\s+', ' ', 'g'),
                   60)
FROM pg_stat_activity WHERE application_name = 'clickmatch' AND datname = '%s'"""

# Without what differs from run to run. What was due when is the test's own doing; of two copies of
# a conversion, which retries side by side may hold, either can be the one that is noted as the
# duplicate.
TABLES = dict(server.TABLES, dead_events="""
    SELECT to_jsonb(d) - '{id,created_at,resolved_at,last_retry_at,remediation_notes}'::text[]
               AS fields,
           d.resolved_at IS NOT NULL AS is_resolved
    FROM dead_events d""")


def simulate(options, directory, seed):
    subprocess.run([options.program, "simulate", "--quiet", "--output", directory,
                    "--clicks-count", str(options.events * 3 // 4),
                    "--conversions-count", str(options.events // 4), "--days", "4",
                    "--tenants", "3", "--format", "ndjson", "--seed", str(seed)], check=True)
    events = subprocess.run([sys.executable,
                             os.path.join(server.ROOT, "tests/integration/fixtures/events.py"),
                             directory, "complete"], check=True, capture_output=True).stdout
    return [json.loads(line) for line in events.splitlines()]


def broken(event, rng):
    """The event broken, with what it said under another name; or as it is."""
    time_name = next(name for name in event if name.endswith("_timestamp"))
    changes = rng.choice([{time_name: "noon"}, {"device_type": "d" * 51},
                          {"tenant_id": "", "device_type": "d" * 51}, {"screen_width": "wide"},
                          {"ip_address": "1.2.3"}])
    if rng.random() < 0.4:
        return event
    was = {name: event.get(name) for name in changes}
    return {**event, **changes, "was": was}


def conninfo(database):
    return "dbname=%s user=%s" % (database, server.ENGINE)


def prepare(options, work, rng):
    """The database that every round begins with: after the stream, most events mended."""
    events = [broken(event, rng)
              for event in simulate(options, os.path.join(work, "world"), options.seed)]
    again = [dict(event, seq=len(events) + i + 1)
             for i, event in enumerate(rng.sample(events, len(events) // 50))]
    lines = "".join(json.dumps(event) + "\n" for event in events + again)
    server.make_template(options.program)
    server.make_database("broken")
    subprocess.run([options.program, "stream", "--quiet", "--sink", "db", "--store-clicks",
                    "--recovery-target", "0", "--db", conninfo("broken")], input=lines, text=True,
                   check=True)
    server.psql("broken", "-c", """
        UPDATE dead_events SET payload = payload || (payload -> 'was')
            WHERE payload ? 'was' AND right(payload ->> 'seq', 1) <> '9';
        ALTER TABLE click_tracking ADD CHECK (right(click_id, 2) <> 'ee') NOT VALID;
        ALTER TABLE conversion_tracking
            ADD CHECK (right(conversion_id, 2) NOT IN ('1f', '5f', '9f', 'df')) NOT VALID""")
    return int(server.psql("broken", "-c", "SELECT count(*) FROM dead_events"))


class Database:
    """A copy of what every round begins with, and what its sessions do."""

    def __init__(self, options, name):
        self.options, self.name = options, name
        server.psql("template1", "-c", "CREATE DATABASE %s TEMPLATE broken" % name)
        self.session, self.watcher = Session(name), Session("postgres")

    def drop(self):
        self.session.close()
        self.watcher.close()
        server.drop_database(self.name)

    def start(self, place):
        return Life([self.options.program, "retry", "--quiet", "--db", conninfo(self.name)], place,
                    [], 0)

    def dump(self):
        return {table: sorted(self.session.ask("SELECT row_to_json(t) FROM (%s) t" % query)
                              .splitlines()) for table, query in TABLES.items()}

    def postpone(self):
        """What has failed waits until the round is over: how often it fails is what is
        compared."""
        self.session.ask("UPDATE dead_events SET last_retry_at = 'infinity' "
                         "WHERE retry_count > 0 AND last_retry_at < 'infinity'")

    def count(self, condition):
        return int(self.session.ask("SELECT count(*) FROM dead_events WHERE " + condition))

    def due(self):
        return self.count("remediation_status = 'pending' AND retry_count = 0")

    def phases(self):
        """Of each session of the program the phase that it is in."""
        found = []
        for line in self.watcher.ask(DOING % self.name).splitlines():
            state, _, query = line.partition("|")
            names = [name for name, begins in PHASES.items() if re.match(begins, query.lstrip())]
            in_transaction = state in ("active", "idle in transaction")
            found.append(names[0] if names and in_transaction else "between")
        return found

    def wait_until_gone(self):
        query = ("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'clickmatch' "
                 "AND datname = '%s'" % self.name)
        deadline = time.monotonic() + GONE_SECONDS
        while self.watcher.ask(query) != "0" and time.monotonic() < deadline:
            time.sleep(0.005)


def finish(database, place):
    """Until nothing is due: of events of one conversion that fail, one is taken at a time."""
    left = None
    while (now := database.due()) > 0 and now != left:
        left = now
        life = database.start(place)
        if life.finish() != 0:
            raise RuntimeError("retry ends with %d: %s" % (life.process.returncode,
                                                           life.messages()))
        database.postpone()
    if left is not None and database.due() > 0:
        raise RuntimeError("%d events stay due" % database.due())


class Totals:
    def __init__(self):
        self.kills = self.asked = self.ended = self.failures = 0
        self.phases = collections.Counter()

    def line(self):
        return ("%d kills, %d times asked to end, %d ended before; %s; %d rounds failed" %
                (self.kills, self.asked, self.ended, listed(self.phases), self.failures))

    def problems(self):
        """Where the kills were not where they should have been."""
        count = sum(self.phases.values())
        missed = [name for name in PHASES if self.phases[name] == 0]
        problem = few_inside(sum(self.phases[name] for name in INSIDE), count)
        found = [problem] if problem else []
        if missed and count >= FEW_KILLS:
            found.append("nothing was killed at: " + ", ".join(missed))
        return found


def end_life(life, asked, totals):
    """Of one that is frozen, or has ended. Returns what is wrong."""
    if asked:
        life.process.terminate()
        life.process.send_signal(signal.SIGCONT)
        status = life.finish()
    else:
        life.kill()
        status = life.process.returncode
    if status == 0:
        totals.ended += 1
    elif asked and status in (STATUS_INTERRUPTED, -signal.SIGTERM):
        totals.asked += 1
    elif status == -signal.SIGKILL:
        totals.kills += 1
    else:
        return ["exit status %d: %s" % (status, life.messages())]
    return []


def live(database, rng, seconds, place, totals):
    """One retry, or two, and their end. Returns what is wrong."""
    lives = [database.start(place + str(i)) for i in range(2 if rng.random() < PAIR_SHARE else 1)]
    aim = rng.choices(list(AIMS), AIMS.values())[0]
    delay = seconds * rng.random() ** 3
    if aim == "any":
        time.sleep(delay)
    else:
        wait_until(lives[0], lambda: aim in database.phases())
    if any([life.freeze() for life in lives]):
        totals.phases.update(database.phases() or ["not connected"])
    problems = []
    for life in lives:
        problems += end_life(life, rng.random() < ASKED_SHARE, totals)
    database.wait_until_gone()
    if database.count("remediation_status = 'in_progress'") != 0:
        problems.append("events stay in progress")
    database.postpone()
    return problems


def keep(options, name, table, wanted, got):
    os.makedirs(options.keep, exist_ok=True)
    for label, content in (("wanted", wanted), ("got", got)):
        with open(os.path.join(options.keep, "%s_%s_%s" % (name, table, label)), "w",
                  encoding="utf-8") as file:
            file.write("\n".join(content))


def run_round(options, number, seconds, wanted, totals):
    database = Database(options, "round_%d" % number)
    rng = random.Random("%d %d" % (options.seed, number))
    problems = []
    while database.due() > 0 and totals.kills < options.kills:
        problems += live(database, rng, seconds, options.place, totals)
    finish(database, options.place)
    got = database.dump()
    for table, lines in wanted.items():
        if got[table] != lines:
            problems.append("%s differs from the undisturbed run" % table)
            keep(options, database.name, table, lines, got[table])
    totals.failures += bool(problems)
    for problem in problems[:10]:
        print("round %d: %s; seed %d" % (number, problem, options.seed), flush=True)
    database.drop()


def run_all(options, work):
    rng = random.Random(options.seed)
    totals, began, number = Totals(), time.monotonic(), 0
    count = prepare(options, work, rng)
    undisturbed = Database(options, "undisturbed")
    started = time.monotonic()
    finish(undisturbed, options.place)
    seconds = time.monotonic() - started
    wanted = undisturbed.dump()
    statuses = undisturbed.session.ask("SELECT remediation_status, count(*) FROM dead_events "
                                       "GROUP BY 1 ORDER BY 1").split()
    print("%d dead events, undisturbed in %.1f s: %s" % (count, seconds, ", ".join(statuses)),
          flush=True)
    while totals.kills < options.kills:
        run_round(options, number, seconds, wanted, totals)
        number += 1
        print("round %d, %.0f s: %s" % (number, time.monotonic() - began, totals.line()),
              flush=True)
    problems = totals.problems()
    for problem in problems:
        print("BAD: %s; seed %d" % (problem, options.seed), flush=True)
    return totals.failures == 0 and not problems


def main():
    if "PG_TEMP_DIR" not in os.environ:
        os.environ["PG_TEMP_CONF"] = SETTINGS
        os.execv(server.PG_TEMP, [server.PG_TEMP, "run", sys.executable, *sys.argv])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--program", default=os.environ.get("CLICKMATCH", "build/clickmatch"))
    parser.add_argument("--keep", default="build/torture")
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    os.environ["PGOPTIONS"] = "-c client_min_messages=warning"
    with tempfile.TemporaryDirectory(prefix="torture.") as work:
        os.chmod(work, 0o755)
        options.place = os.path.join(work, "retry")
        sys.exit(0 if run_all(options, work) else 1)


if __name__ == "__main__":
    main()
