#!/usr/bin/env python3
"""Kill `clickmatch retry` again and again, and see that every dead event ends as in a run that
nobody disturbs.

    retry_kills.py --kills N [--seed N] [--events N] [--program FILE] [--keep DIR]

A stream takes a world of which some events are broken in one way or another; most of them are
mended then. Of that database each round has a copy, in which retries, one or two at once, are
killed or asked to end after random times, until nothing is due any more. The tables must then hold
what they do after one retry alone: each event stored, logged and settled once.

The same seed makes the same world, breaks and waits; what the machine does with them is its own.
Starts a private PostgreSQL where none is given. Exit status 1: something was wrong; the two
contents are kept in --keep."""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import server

STATUS_INTERRUPTED = 5
ASKED_SHARE = 0.2  # are asked to end, not killed
PAIR_SHARE = 0.3   # of lives are two retries side by side

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
        ALTER TABLE conversion_tracking ADD CHECK (right(conversion_id, 1) <> 'f') NOT VALID""")
    return int(server.psql("broken", "-c", "SELECT count(*) FROM dead_events"))


def copy_database(name):
    server.psql("template1", "-c", "CREATE DATABASE %s TEMPLATE broken" % name)


def dump(database):
    return {table: sorted(server.psql(database, "-c", "SELECT row_to_json(t) FROM (%s) t" % query)
                          .splitlines()) for table, query in TABLES.items()}


def start(options, database):
    return subprocess.Popen([options.program, "retry", "--quiet", "--db", conninfo(database)],
                            stderr=subprocess.PIPE, text=True)


def postpone(database):
    """What has failed waits until the round is over: how often it fails is what is compared."""
    server.psql(database, "-c", "UPDATE dead_events SET last_retry_at = 'infinity' "
                                "WHERE retry_count > 0 AND last_retry_at < 'infinity'")


def due(database):
    return int(server.psql(database, "-c", "SELECT count(*) FROM dead_events "
                           "WHERE remediation_status = 'pending' AND retry_count = 0"))


def finish(options, database):
    """Until nothing is due: of events of one conversion that fail, one is taken at a time."""
    left = None
    while (now := due(database)) > 0 and now != left:
        left = now
        life = start(options, database)
        _, said = life.communicate()
        if life.returncode != 0:
            raise RuntimeError("retry ends with %d: %s" % (life.returncode, said))
        postpone(database)
    if left is not None and due(database) > 0:
        raise RuntimeError("%d events stay due" % due(database))


class Totals:
    def __init__(self):
        self.kills = self.asked = self.ended = self.failures = 0

    def line(self):
        return ("%d kills, %d times asked to end, %d ended before; %d rounds failed" %
                (self.kills, self.asked, self.ended, self.failures))


def end_life(life, asked, totals):
    """Returns what is wrong."""
    life.send_signal(signal.SIGTERM if asked else signal.SIGKILL)
    _, said = life.communicate()
    if life.returncode == 0:
        totals.ended += 1
    elif asked and life.returncode in (STATUS_INTERRUPTED, -signal.SIGTERM):
        totals.asked += 1
    elif life.returncode == -signal.SIGKILL:
        totals.kills += 1
    else:
        return ["exit status %d: %s" % (life.returncode, said)]
    return []


def sessions_are_gone(database):
    query = ("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'clickmatch' "
             "AND datname = '%s'" % database)
    for _ in range(600):
        if server.psql("postgres", "-c", query).strip() == "0":
            return
        time.sleep(0.05)


def run_round(options, number, seconds, wanted, totals):
    name = "round_%d" % number
    rng = random.Random("%d %d" % (options.seed, number))
    problems = []
    copy_database(name)
    while due(name) > 0 and totals.kills < options.kills:
        count = 2 if rng.random() < PAIR_SHARE else 1
        lives = [start(options, name) for _ in range(count)]
        time.sleep(rng.uniform(0, seconds))
        for life in lives:
            problems += end_life(life, rng.random() < ASKED_SHARE, totals)
        sessions_are_gone(name)
        if server.psql(name, "-c", "SELECT count(*) FROM dead_events "
                       "WHERE remediation_status = 'in_progress'").strip() != "0":
            problems.append("events stay in progress")
        postpone(name)
    finish(options, name)
    got = dump(name)
    for table, lines in wanted.items():
        if got[table] != lines:
            problems.append("%s differs from the undisturbed run" % table)
            for label, content in (("wanted", lines), ("got", got[table])):
                os.makedirs(options.keep, exist_ok=True)
                with open(os.path.join(options.keep, "%s_%s_%s" % (name, table, label)), "w",
                          encoding="utf-8") as file:
                    file.write("\n".join(content))
    totals.failures += bool(problems)
    for problem in problems[:10]:
        print("round %d: %s; seed %d" % (number, problem, options.seed), flush=True)
    server.drop_database(name)


def run_all(options, work):
    rng = random.Random(options.seed)
    totals, began, number = Totals(), time.monotonic(), 0
    count = prepare(options, work, rng)
    copy_database("undisturbed")
    started = time.monotonic()
    finish(options, "undisturbed")
    seconds = time.monotonic() - started
    wanted = dump("undisturbed")
    statuses = server.psql("undisturbed", "-c", "SELECT remediation_status, count(*) "
                           "FROM dead_events GROUP BY 1 ORDER BY 1").split()
    print("%d dead events, undisturbed in %.1f s: %s" % (count, seconds, ", ".join(statuses)),
          flush=True)
    while totals.kills < options.kills:
        run_round(options, number, seconds, wanted, totals)
        number += 1
        print("round %d, %.0f s: %s" % (number, time.monotonic() - began, totals.line()),
              flush=True)
    return totals.failures == 0


def main():
    if "PG_TEMP_DIR" not in os.environ:
        os.environ["PG_TEMP_CONF"] = server.SETTINGS
        os.execv(server.PG_TEMP, [server.PG_TEMP, "run", sys.executable, *sys.argv])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=16000)
    parser.add_argument("--program", default=os.environ.get("CLICKMATCH", "build/clickmatch"))
    parser.add_argument("--keep", default="build/torture")
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    os.environ["PGOPTIONS"] = "-c client_min_messages=warning"
    with tempfile.TemporaryDirectory(prefix="torture.") as work:
        os.chmod(work, 0o755)
        sys.exit(0 if run_all(options, work) else 1)


if __name__ == "__main__":
    main()
