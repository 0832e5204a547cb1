"""Where runs with faults take place: a directory, and a database of the same name."""

import hashlib
import os
import subprocess
import time

import fault_cases
import fault_run

SESSIONS_SQL = """SELECT count(*) FROM pg_stat_activity WHERE datname = '%s'
                  AND application_name = 'clickmatch'"""


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
        self.server = Session("template1") if setup.has_server else None
        if self.server is not None:
            self.server.ask("CREATE ROLE %s LOGIN SUPERUSER" % fault_cases.bench_login(name))
        self.inside = None  # a session of its database

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

    def begin(self, case, has_old=False):
        fault_run.make_directory(case, self.directory, has_old)
        if case.template is None or self.holds == case.template:
            return
        self.make_database(case.template)
        self.holds = case.template

    def state(self, case):
        """What its database holds, as one word."""
        if case.template is None:
            return None
        text = self.inside.ask(case.state)
        if "ERROR" in text:
            return text
        return hashlib.sha256("\n".join(sorted(text.splitlines())).encode()).hexdigest()

    def run(self, case, fault=None, trace=None):
        return fault_run.run(self.setup, case, self.directory, fault, trace)

    def settle(self):
        """Wait until no session of a run that has ended is left: what it sent may still be done."""
        for _ in range(200):
            if self.server.ask(SESSIONS_SQL % self.name).strip() == "0":
                return
            time.sleep(0.02)
