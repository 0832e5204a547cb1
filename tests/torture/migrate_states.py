"""Databases to migrate: of each kind and version one that the program itself has made, and what
tells the states apart that a database may be in on its way."""

import os
import subprocess

import server
from batch_world import HERE, conninfo
from session import Session

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
        return [program, "migrate", "--quiet", *self.options, "--db",
                conninfo(database, sleeps, "migrate")]


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
        settled = Start("%s settled" % label, self.finished(start, "settled"))
        self.name_states(start, [*older, settled])
        self.made[label] = start
        for one in [*older, settled]:
            one.states, one.end = start.states, start.end
            self.made[one.label] = one

    def make_optimize(self):
        settled = self.made["found settled"]
        start = Start("optimize", settled.template, "--optimize")
        self.name_states(start, [settled, Start("optimized", self.finished(start, "optimized"))])
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

    def finished(self, start, suffix):
        """After all versions, rights are settled in a transaction of their own."""
        name = start.template + "_" + suffix
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
