#!/usr/bin/env python3
"""The peers' rule (docs/peers.md) in PostgreSQL, over tables and indexes as the platform has them.

    bench/peers/postgres.py CLICKS CONVERSIONS OUTPUT SESSIONS

Runs within a server of its own (scripts/pg_temp.sh), which it starts. Prints one line of JSON:
version, seconds of loading (COPY, indexes, ANALYZE) and of matching, their sum, and the peak of
what the server's processes held together, shared pages counted once. Starting the server is not
counted.
"""

import concurrent.futures
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# What a machine that serves this alone would be given; pg_temp.sh has turned durability off.
SETTINGS = """
shared_buffers = {shared}MB
maintenance_work_mem = 512MB
work_mem = 128MB
effective_cache_size = {cache}MB
max_parallel_maintenance_workers = 0
wal_level = minimal
max_wal_senders = 0
max_wal_size = 16GB
random_page_cost = 1.1
autovacuum = off
jit = off
"""


def settings():
    megabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    return SETTINGS.format(shared=max(128, megabytes // 4), cache=megabytes // 2)


def psql(*arguments, **options):
    return subprocess.run(["psql", "-Xqt", "-v", "ON_ERROR_STOP=1", *arguments], check=True,
                          **options)


def define_tables():
    """The platform's tables, empty, in a schema of their own: those that are filled are alike."""
    psql("-1", "-c", "CREATE SCHEMA found", "-c", "SET search_path = found",
         "-f", ROOT + "/src/pg/sql/bench/as_found.sql", stdout=subprocess.DEVNULL)


def copy_in(table, path):
    """Create the table and fill it in one transaction, which needs no log; rows come frozen."""
    with open(path, encoding="utf-8", newline="") as file:
        columns = ", ".join(next(csv.reader(file)))
    required = {"click": "campaign_id, ad_id", "conversion": "conversion_type"}[table]
    with open(path, "rb") as file:
        psql("-1", "-f", "%s/postgres_%ss.sql" % (HERE, table), "-c",
             "COPY %s_tracking (%s) FROM STDIN (FORMAT csv, HEADER, FREEZE, FORCE_NOT_NULL (%s))"
             % (table, columns, required), stdin=file)


def index_statements():
    with open(HERE + "/postgres_indexes.sql", encoding="utf-8") as file:
        text = re.sub(r"--.*", "", file.read())
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def load(pool, clicks, conversions):
    list(pool.map(copy_in, ("click", "conversion"), (clicks, conversions)))
    list(pool.map(lambda statement: psql("-c", statement), index_statements()))
    list(pool.map(lambda table: psql("-c", "ANALYZE %s_tracking" % table),
                  ("click", "conversion")))


def match_share(output, session, sessions):
    with open("%s.%d" % (output, session), "wb") as file:
        psql("-v", "session=%d" % session, "-v", "sessions=%d" % sessions,
             "-f", HERE + "/postgres_match.sql", stdout=file)


def match(pool, output, sessions):
    list(pool.map(lambda session: match_share(output, session, sessions), range(sessions)))
    with open(output, "wb") as whole:
        for session in range(sessions):
            with open("%s.%d" % (output, session), "rb") as part:
                if session > 0:
                    part.readline()
                shutil.copyfileobj(part, whole)
            os.remove("%s.%d" % (output, session))


class Memory(threading.Thread):
    """Watches what the server and its children hold: proportional sizes add up to what is there."""

    def __init__(self):
        super().__init__(daemon=True)
        with open(os.environ["PG_TEMP_DIR"] + "/data/postmaster.pid", encoding="ascii") as file:
            self.server = file.readline().strip()
        self.peak_bytes = 0

    def run(self):
        while True:
            self.peak_bytes = max(self.peak_bytes, self.held())
            time.sleep(0.25)

    def held(self):
        children = "/proc/%s/task/%s/children" % (self.server, self.server)
        with open(children, encoding="ascii") as file:
            return sum(map(self.proportional, [self.server] + file.read().split()))

    @staticmethod
    def proportional(process):
        try:
            with open("/proc/%s/smaps_rollup" % process, encoding="ascii") as file:
                return int(re.search(r"^Pss: +(\d+) kB", file.read(), re.MULTILINE)[1]) << 10
        except (OSError, TypeError):  # it has ended
            return 0


def main():
    clicks, conversions, output, sessions = sys.argv[1:]
    if "PG_TEMP_DIR" not in os.environ:
        os.environ["PG_TEMP_CONF"] = settings()
        os.execv(ROOT + "/scripts/pg_temp.sh",
                 ["pg_temp.sh", "run", sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    version = psql("-A", "-c", "SHOW server_version", stdout=subprocess.PIPE, text=True).stdout
    define_tables()
    memory = Memory()
    memory.start()
    with concurrent.futures.ThreadPoolExecutor(max(2, int(sessions))) as pool:
        started = time.monotonic()
        load(pool, clicks, conversions)
        loaded = time.monotonic()
        match(pool, output, int(sessions))
        ended = time.monotonic()
    print(json.dumps({"version": version.split()[0], "load_seconds": loaded - started,
                      "match_seconds": ended - loaded, "seconds": ended - started,
                      "peak_bytes": memory.peak_bytes}))


if __name__ == "__main__":
    main()
