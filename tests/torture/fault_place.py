"""Where runs with faults take place: a directory, and a database of the same name."""

import hashlib
import os
import subprocess
import time

import fault_cases
import fault_run

SESSIONS_SQL = """SELECT count(*) FROM pg_stat_activity WHERE datname = '%s'
                  AND application_name = 'clickmatch'"""


# How many transactions of the server had written: the next one's number.
WRITTEN_SQL = "SELECT pg_snapshot_xmax(pg_current_snapshot())"

# What a database holds, kept beside it, and put back: less work than a new database.
KEEP_SQL = """DO $$
DECLARE t NAME;
BEGIN
    CREATE SCHEMA kept;
    FOR t IN SELECT relname FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('CREATE TABLE kept.%1$I AS TABLE public.%1$I', t);
    END LOOP;
END $$"""
PUT_BACK_SQL = """DO $$
DECLARE t NAME;
BEGIN
    SET LOCAL lock_timeout = '2s';
    SET LOCAL session_replication_role = 'replica';
    FOR t IN SELECT relname FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
        IF to_regclass(format('kept.%I', t)) IS NULL THEN
            EXECUTE format('DROP TABLE public.%I', t);
        ELSE
            EXECUTE format('DELETE FROM public.%1$I', t);
            EXECUTE format('INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE TABLE kept.%1$I', t);
        END IF;
    END LOOP;
END $$"""
PUT_BACK_MOST = 200  # times in a row: what was deleted takes room until PostgreSQL cleans up


class Session:
    """A session of psql that stays: starting one for each question costs more than the answers."""

    MARK = "--done--"

    def __init__(self, database):
        self.psql = subprocess.Popen(
            ["psql", "-XAtq", "-d", database], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def ask(self, *statements):
        for sql in statements:
            self.psql.stdin.write(sql + ";\n")
        self.psql.stdin.write("\\echo %s\n" % self.MARK)
        self.psql.stdin.flush()
        return "".join(iter(self.psql.stdout.readline, self.MARK + "\n"))

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


class Place:
    """A directory, and a database of the same name, of one worker."""

    def __init__(self, setup, name):
        self.setup, self.name = setup, name
        self.directory = os.path.join(setup.work, name)
        self.holds = None  # the template that the database is still like
        self.kept = None  # the template whose rows are kept in it
        self.put_back = 0  # how often they have been
        self.server = Session("template1") if setup.has_server else None
        if self.server is not None:
            self.server.ask("CREATE ROLE %s LOGIN SUPERUSER" % fault_cases.bench_login(name))
        self.inside = None  # a session of its database
        self.marked = None  # WRITTEN_SQL, when a run began

    def make_database(self, template):
        if self.inside is not None:
            self.inside.close()
        for _ in range(100):  # sessions that were lost may still be there
            said = self.server.ask("DROP DATABASE IF EXISTS %s WITH (FORCE)" % self.name,
                                   "CREATE DATABASE %s TEMPLATE %s" % (self.name, template))
            if "ERROR" not in said:
                break
            time.sleep(0.1)
        else:
            raise RuntimeError(said)
        self.inside = Session(self.name)
        self.inside.ask("SET default_transaction_read_only = on")

    def write(self, sql):
        """In one transaction. False where a session that was lost still holds a lock."""
        said = self.inside.ask("BEGIN READ WRITE", sql, "COMMIT")
        if "ERROR" in said and "lock timeout" not in said:
            raise RuntimeError(said)
        return "ERROR" not in said

    def begin(self, case, has_old=False):
        fault_run.make_directory(case, self.directory, has_old)
        is_plain = self.kept is None or not case.makes_tables
        if case.template is None or (self.holds == case.template and is_plain):
            return
        if not self.can_put_back(case):
            self.make_database(case.template)
            keeps = not case.makes_tables and self.write(KEEP_SQL)
            self.kept, self.put_back = case.template if keeps else None, 0
        self.holds = case.template

    def can_put_back(self, case):
        self.put_back += 1
        return (not case.makes_tables and self.kept == case.template
                and self.put_back <= PUT_BACK_MOST and self.write(PUT_BACK_SQL))

    def state(self, case):
        """What its database holds, as one word."""
        if case.template is None:
            return None
        text = self.inside.ask(case.state)
        if "ERROR" in text:
            return text
        return hashlib.sha256("\n".join(sorted(text.splitlines())).encode()).hexdigest()

    def mark(self):
        self.marked = self.server.ask(WRITTEN_SQL)

    def is_untouched(self):
        """No transaction has written since the mark, in whatever database: all is as it was."""
        return self.server.ask(WRITTEN_SQL) == self.marked

    def run(self, case, fault=None, trace=None):
        return fault_run.run(self.setup, case, self.directory, fault, trace)

    def settle(self):
        """Wait until no session of a run that has ended is left: what it sent may still be done."""
        for _ in range(200):
            if self.server.ask(SESSIONS_SQL % self.name).strip() == "0":
                return
            time.sleep(0.02)
