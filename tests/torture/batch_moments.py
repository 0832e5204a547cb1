"""Where a run of `batch` is, by what the server does for it, and killing it there."""

import re
import signal
import time

import server
from session import Session

PATIENCE_SECONDS = 3  # for a moment that may not come
INSIDE = ("copy", "promote", "commit")

# How often each moment is aimed at, and what makes it last: milliseconds of batch_sleep.sql.
AIMS = {"any": (36, {}), "register": (6, {}), "read": (8, {}), "copy": (16, {"copy": 4}),
        "promote": (18, {"promote": 6}), "commit": (14, {"commit": 60}),
        "long commit": (2, {"commit": 1500})}  # longer than it takes to notice a dead client

# The writer, which is the session that was there first. `query` is the last one where it waits.
DOING = """
SELECT count(*) OVER (), state, (SELECT count(*) FROM pg_locks l
        WHERE l.pid = a.pid AND l.locktype = 'advisory'), left(query, 600)
FROM pg_stat_activity a
WHERE application_name = 'clickmatch' AND datname = '%s' ORDER BY backend_start LIMIT 1"""
PROMOTES = re.compile(r"BEGIN;\s*SET LOCAL work_mem|WITH kept|WITH promoted|UPDATE conversion_"
                      r"tracking|INSERT INTO attribution_performance_log|INSERT INTO dead_events|"
                      r"UPDATE attribution_recompute_jobs\s+SET status = 'succeeded'|DROP TABLE")
COMMENTS = re.compile(r"^\s*--[^\n]*\n", re.MULTILINE)


class BatchWatcher(Session):
    def __init__(self, database):
        super().__init__("postgres")
        self.watched = database

    def doing(self):
        """"" (not connected), "register", "read", "copy", "promote", "commit" or "other"."""
        answer = self.ask(DOING % self.watched)
        if not answer:
            return ""
        count, state, locks, query = answer.split("|", 3)
        query = COMMENTS.sub("", query).lstrip()
        if query.startswith("COPY \"clickmatch_staging") and state == "active":
            return "copy"
        if query.startswith("COMMIT") and state == "active":  # two locks while it registers
            return "commit" if locks == "1" else "register"
        if PROMOTES.match(query) and state in ("active", "idle in transaction"):
            return "promote"
        if count != "1":
            return "read"
        return "register" if state in ("active", "idle in transaction") else "other"


def wait_until(life, is_there):
    """Or until it has ended, or the moment does not come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_there() and time.monotonic() < deadline and not life.has_ended():
        pass


def wait_for(life, aim, watcher, delay):
    """Until it is time to kill: a share of a run's usual time, or what is aimed at has come."""
    moment = aim.split()[-1]
    if moment == "any":
        time.sleep(delay)
        return
    wait_until(life, lambda: watcher.doing() == moment)
    time.sleep(delay / 50)


def kill(life, how, doing):
    """how: "client", or the signal that the server gets, which is up again then; the run has ended.
    Returns what `doing` says of the moment; None where the run had ended by itself. A client is
    stopped before the server is asked, so that it is where the server says until it dies."""
    if how == "client":
        if not life.freeze():
            return None
        moment = doing()
        life.kill()
        return moment
    moment = None if life.has_ended() else doing()
    server.kill(how)
    life.finish()
    return moment


def choose_how(rng, by_server):
    if not by_server:
        return "client"
    return rng.choices([signal.SIGQUIT, signal.SIGKILL], [0.85, 0.15])[0]
