"""The private PostgreSQL of a torture: its databases, what its sessions do, and its faults."""

import os
import re
import signal
import socket
import subprocess
import threading
import time

from session import Session

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PG_TEMP = os.path.join(ROOT, "scripts", "pg_temp.sh")

# A commit that takes a few milliseconds can be hit, and one that was answered is on disk.
SETTINGS = """fsync = on
synchronous_commit = on
commit_delay = 5000
commit_siblings = 0
max_connections = 40
"""

END_SECONDS = 60  # for the processes of a dead server

TABLES = {
    "conversion_tracking":
        """SELECT k.click_id AS attributed_click, c.attributed_at IS NOT NULL AS is_attributed,
                  to_jsonb(c) - '{id,attributed_click_id,attributed_at,created_at,updated_at}'
                      ::text[] AS fields
           FROM conversion_tracking c LEFT JOIN click_tracking k ON k.id = c.attributed_click_id""",
    "attribution_performance_log":
        """SELECT to_jsonb(l) - '{id,processing_time_ms,created_at}'::text[] AS fields
           FROM attribution_performance_log l""",
    "dead_events":
        """SELECT to_jsonb(d) - '{id,created_at}'::text[] AS fields FROM dead_events d""",
    "click_tracking":
        """SELECT to_jsonb(k) - '{id,created_at,updated_at}'::text[] AS fields
           FROM click_tracking k""",
    "stream_positions": "SELECT stream_name, position FROM stream_positions",
}


# As whom the program works on the tables of tenants; it migrates, and keeps models, as their owner.
ENGINE = "engine"
ENGINE_COMMANDS = ("batch", "stream", "explain", "retry", "purge")


def psql(database, *arguments, text=None):
    done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, *arguments],
                          input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError("psql %s: %s" % (arguments, done.stderr[:500]))
    return done.stdout


def make_template(program):
    """The platform's tables without rows, adopted."""
    psql("template1", "-c", "CREATE DATABASE torture_empty")
    psql("torture_empty", "-f", os.path.join(ROOT, "src/pg/sql/bench/as_found.sql"))
    subprocess.run([program, "migrate", "--quiet", "--db", "dbname=torture_empty"], check=True)
    make_engine()


def make_engine():
    """After the first `migrate`, which makes the roles."""
    psql("template1", "-c", "CREATE ROLE %s LOGIN IN ROLE clickmatch_engine" % ENGINE)


def make_database(name):
    psql("template1", "-c", "CREATE DATABASE %s TEMPLATE torture_empty" % name)


def drop_database(name):
    psql("template1", "-c", "DROP DATABASE %s WITH (FORCE)" % name)


def dump(database):
    """What each table holds, as sorted lines, but for what differs from run to run."""
    return {table: sorted(psql(database, "-c", "SELECT row_to_json(t) FROM (%s) t" % query)
                          .splitlines()) for table, query in TABLES.items()}


def wait_for_sink(database):
    """Until a stream has its session: one that has none yet ends when the server is away."""
    for _ in range(400):
        if psql(database, "-c", "SELECT FROM pg_class WHERE relname = 'sink_dead'"):
            return
        time.sleep(0.05)


class Watcher(Session):
    """A session that says what the newest session of the stream is doing."""

    def __init__(self, database):
        super().__init__("postgres")
        self.watched = database

    def doing(self):
        """"", "idle", "between" (of a transaction), "COPY", "COMMIT", or "statement"."""
        answer = self.ask(
            "SELECT state, left(query, 400) FROM pg_stat_activity WHERE application_name = "
            "'clickmatch' AND datname = '%s' ORDER BY backend_start DESC LIMIT 1" % self.watched)
        state, _, query = answer.partition("|")
        if state != "active":
            return {"idle in transaction": "between", "": ""}.get(state, "idle")
        found = re.match(r"(?:\s|--[^\n]*\n)*(COPY|COMMIT)", query)
        return found.group(1) if found else "statement"


# --- Faults ---------------------------------------------------------------------------------------


def postmaster():
    with open(os.path.join(os.environ["PG_TEMP_DIR"], "data", "postmaster.pid"),
              encoding="ascii") as file:
        return int(file.readline())


def processes():
    """Of the server, the first one first."""
    first = postmaster()
    with open("/proc/%d/task/%d/children" % (first, first), encoding="ascii") as file:
        return [first] + [int(pid) for pid in file.read().split()]


def crash(seconds):
    """The server goes, and comes back later."""
    subprocess.run([PG_TEMP, "crash", os.environ["PG_TEMP_DIR"]], check=True)
    time.sleep(seconds)
    resume()


def kill(signal_number):
    """At once: by SIGQUIT it shuts down immediately, as by pg_ctl; by SIGKILL its first process is
    gone, and its sessions end when they notice. It is up again then."""
    pids = processes()
    os.kill(pids[0], signal_number)
    deadline = time.monotonic() + END_SECONDS
    while any(is_alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            raise RuntimeError("processes of a dead server live on")
        time.sleep(0.01)
    # Where nobody reaps it, its number is still taken, and a new one would not start.
    for lock in ("data/postmaster.pid", ".s.PGSQL.5432.lock"):
        path = os.path.join(os.environ["PG_TEMP_DIR"], lock)
        if os.path.exists(path):
            os.unlink(path)
    resume()


def resume():
    subprocess.run([PG_TEMP, "resume", os.environ["PG_TEMP_DIR"]], check=True)


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pause(seconds):
    """The server answers nothing for a time."""
    pids = processes()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


class Cutter:
    """Stands between stream and server, and cuts their connection where it is told to:

    "COPY"    in the middle of a COPY's data
    "COMMIT"  when the server has committed, and the stream has not heard of it
    """

    def __init__(self, directory):
        self.directory = directory
        self.upstream = os.path.join(os.environ["PGHOST"], ".s.PGSQL.5432")
        self.where = None
        self.cuts = {"COPY": 0, "COMMIT": 0}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(directory, ".s.PGSQL.5432"))
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.upstream)
            except OSError:
                client.close()
                continue
            link = Link(self, client, server)
            threading.Thread(target=link.to_server, daemon=True).start()
            threading.Thread(target=link.to_client, daemon=True).start()

    def take(self, where):
        """Is it here that is to be cut?"""
        if self.where != where:
            return False
        self.where = None
        self.cuts[where] += 1
        return True

    def close(self):
        self.listener.close()


class Link:
    def __init__(self, cutter, client, server):
        self.cutter, self.client, self.server = cutter, client, server

    def end(self):
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def to_server(self):
        try:
            while data := self.client.recv(1 << 16):
                if data[:1] == b"d" and self.cutter.take("COPY"):
                    self.server.sendall(data[:len(data) // 2])
                    break
                self.server.sendall(data)
        except OSError:
            pass
        self.end()

    def to_client(self):
        try:
            while data := self.server.recv(1 << 16):
                if b"COMMIT\0" in data and self.cutter.take("COMMIT"):
                    break
                self.client.sendall(data)
        except OSError:
            pass
        self.end()
