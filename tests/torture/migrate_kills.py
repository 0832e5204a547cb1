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
from batch_world import HERE, conninfo, sessions_gone
from life import Life
from session import Session

SLEEP_MS = 4  # after each change of a definition
AIMED_SHARE = 0.8

# All that a migration may define, one line each.
DEFINITIONS = """
SELECT concat_ws(' ', 'version', version, name, checksum) FROM clickmatch_migrations
UNION ALL
SELECT concat_ws(' ', 'relation', relname, relkind, relrowsecurity, relforcerowsecurity, relacl,
                 reloptions)
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('c', 't')
UNION ALL
SELECT concat_ws(' ', 'column', c.relname, a.attnum, attname, format_type(atttypid, atttypmod),
                 attnotnull, attidentity, pg_get_expr(d.adbin, d.adrelid))
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0
UNION ALL
SELECT concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid)
FROM pg_index JOIN pg_class c ON c.oid = indrelid
WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid),
                 convalidated)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT concat_ws(' ', 'view', viewname, definition) FROM pg_views WHERE schemaname = 'public'
UNION ALL
SELECT concat_ws(' ', 'function', p.oid::regprocedure, prosrc, proacl)
FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', 'policy', p) FROM pg_policies p WHERE schemaname = 'public'"""
OPTIMIZED = " UNION ALL SELECT concat_ws(' ', 'optimized', statement, undo) " \
    "FROM clickmatch_optimizations"
ROWS = """
SELECT 'row ' || to_jsonb(t)::text FROM click_tracking t
UNION ALL SELECT 'row ' || jsonb_strip_nulls(to_jsonb(t))::text FROM conversion_tracking t
UNION ALL SELECT 'row ' || to_jsonb(t)::text FROM attribution_performance_log t"""
DIGEST = "SELECT count(*) || ' ' || md5(string_agg(line, '' ORDER BY line COLLATE \"C\")) " \
    "FROM (%s) AS l (line)"
EXISTS = "SELECT to_regclass('%s') IS NOT NULL"

# Stops a migration from where it would make a version, so that the one before it stays.
REFUSE = """
CREATE FUNCTION torture_refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT coalesce(max(version), 0) FROM public.clickmatch_migrations)::text
        = current_setting('torture.last_version', true)
        AND NOT EXISTS (SELECT FROM pg_event_trigger_ddl_commands()
                        WHERE object_identity = 'public.clickmatch_migrations') THEN
        RAISE 'stop here';
    END IF;
END $$;
CREATE EVENT TRIGGER torture_refuse ON ddl_command_end EXECUTE FUNCTION torture_refuse()"""

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


def has(session, relation):
    return session.ask(EXISTS % relation) == "t"


def version_of(session):
    if not has(session, "clickmatch_migrations"):
        return -1  # not even the list of versions
    return int(session.ask("SELECT coalesce(max(version), 0) FROM clickmatch_migrations"))


def state_of(session):
    """What is defined, and what the tables hold."""
    if not has(session, "clickmatch_migrations"):
        return "untouched"
    optimized = OPTIMIZED if has(session, "clickmatch_optimizations") else ""
    state = session.ask(DIGEST % (DEFINITIONS + optimized))
    if not has(session, "click_tracking"):
        return state
    return state + ", " + session.ask(DIGEST % ROWS)


class Start:
    """A database to begin with, and the states that it may be in on its way."""

    def __init__(self, label, template, *options):
        self.label, self.template, self.options = label, template, options
        self.states, self.end = {}, None  # by state: its name; the last one's

    def command(self, program, database, sleeps):
        return [program, "migrate", "--quiet", *self.options, "--db", conninfo(database, sleeps)]


class Starts:
    """Made by the program itself, when they are asked for: of each version, a database in which it
    was stopped there."""

    def __init__(self, program):
        self.program = program
        self.count = 0
        self.last = len(os.listdir(os.path.join(server.ROOT, "src/pg/sql/migrations")))
        self.labels = ["empty", "found", "optimize"] + \
            ["found %d" % version for version in range(1, self.last)]
        self.made = {}

    def get(self, label):
        if label not in self.made:
            if label == "empty":
                self.make_all("empty", "template0")
            else:
                self.make_all("found", "torture_found")
                self.make_optimize()
        return self.made[label]

    def make_all(self, label, template):
        start = Start(label, self.prepare("torture_%s_0" % label, template))
        older = [Start("%s %d" % (label, version), self.stop_at(start, version))
                 for version in range(self.last + 1)]
        self.name_states(start, older)
        self.made[label] = start
        for one in older:
            one.states, one.end = start.states, start.end
            self.made[one.label] = one

    def make_optimize(self):
        finished = self.made["found %d" % self.last]
        start = Start("optimize", finished.template, "--optimize")
        self.name_states(start, [finished, Start("optimized", self.optimized(start))])
        self.made[start.label] = start

    def prepare(self, name, template):
        server.psql("template1", "-c", "CREATE DATABASE %s TEMPLATE %s" % (name, template))
        server.psql(name, "-f", os.path.join(HERE, "batch_sleep.sql"))
        return name

    def stop_at(self, start, version):
        name = "%s_v%d" % (start.template, version)
        server.psql("template1", "-c", "CREATE DATABASE %s TEMPLATE %s" % (name, start.template))
        server.psql(name, "-c", REFUSE)
        done = subprocess.run(start.command(self.program, name, {"last_version": version}),
                              capture_output=True, text=True)
        server.psql(name, "-c", "DROP EVENT TRIGGER torture_refuse",
                    "-c", "DROP FUNCTION torture_refuse")
        session = Session(name)
        found = version_of(session)
        session.close()
        if found != version:
            raise RuntimeError("version %d, not %d: %s" % (found, version, done.stderr))
        return name

    def optimized(self, start):
        name = start.template + "_optimized"
        server.psql("template1", "-c", "CREATE DATABASE %s TEMPLATE %s" % (name, start.template))
        subprocess.run(start.command(self.program, name, {}), check=True, capture_output=True)
        return name

    def name_states(self, start, ways):
        start.states = {"untouched": "untouched"}
        for way in ways:
            session = Session(way.template)
            start.states[state_of(session)] = way.label
            session.close()
        start.end = ways[-1].label


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
        life = Life(self.start.command(self.program, self.name, {"define": SLEEP_MS}), self.place,
                    [], 0)
        if rng.random() < AIMED_SHARE:
            wait_until(life, self.is_inside)
        time.sleep(rng.uniform(0, rng.choice([0.1, 0.5])))
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
