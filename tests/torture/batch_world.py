"""Two databases that are changed alike: one in which `batch` runs undisturbed, and one in which it
is killed. What both hold must be the same whenever a run has completed."""

import collections
import os
import subprocess
import time

import server
import verdict
from session import Session

WINDOW = ("2026-03-01", "2026-03-20")  # that all rows of as_found.sql are in
EMPTY_WINDOW = ("2027-01-01", "2027-01-02")
HERE = os.path.dirname(os.path.abspath(__file__))
GONE_SECONDS = 20  # in which the server must notice that a client is dead

# What `batch` may change, but for ids, times and what it took: {} are all other columns.
TABLES = {
    "conversion_tracking": """SELECT {}, k.click_id AS attributed, c.attributed_at IS NULL AS free
        FROM conversion_tracking c LEFT JOIN click_tracking k ON k.id = c.attributed_click_id""",
    "attribution_performance_log": "SELECT {} FROM attribution_performance_log c",
    "dead_events": """SELECT to_jsonb(d) - '{{id,created_at}}'::text[] #- '{{payload,updated_at}}'
                          #- '{{payload,attributed_at}}' AS fields FROM dead_events d"""}
OWN = ("id", "attributed_click_id", "attributed_at", "created_at", "updated_at",
       "processing_time_ms")
COLUMNS = """SELECT string_agg('c.' || quote_ident(attname), ', ' ORDER BY attnum)
    FROM pg_attribute WHERE attrelid = '%s'::regclass AND attnum > 0 AND NOT attisdropped
        AND attname <> ALL ('{%s}')"""
VERSIONS = """SELECT md5(concat_ws(',',
    (SELECT string_agg(ctid::text || xmin, ',' ORDER BY ctid) FROM conversion_tracking),
    (SELECT string_agg(ctid::text || xmin, ',' ORDER BY ctid) FROM attribution_performance_log),
    (SELECT string_agg(ctid::text || xmin, ',' ORDER BY ctid) FROM dead_events)))"""

# Each conversion's lines are attempts 1, 2, ..., and the last one says what the conversion says.
LOG_PROBLEMS = """
SELECT conversion_id, array_agg(attempt_number ORDER BY attempt_number) AS attempts, 'attempts'
FROM attribution_performance_log GROUP BY tenant_id, conversion_id
HAVING count(*) <> max(attempt_number) OR count(*) <> count(DISTINCT attempt_number)
UNION ALL
SELECT l.conversion_id, array[l.attempt_number], 'another result than the conversion''s'
FROM conversion_tracking c
JOIN (SELECT DISTINCT ON (tenant_id, conversion_id) *
      FROM attribution_performance_log
      ORDER BY tenant_id, conversion_id, attempt_number DESC) l USING (tenant_id, conversion_id)
WHERE c.attribution_method IS NOT NULL
    AND (l.final_method, l.final_confidence)
        IS DISTINCT FROM (c.attribution_method, c.attribution_confidence)
LIMIT 5"""

# Of a round: some clicks become invalid or valid, some conversions show another device or a broken
# one, some results are gone.
CHANGE = """
UPDATE click_tracking SET is_valid = NOT coalesce(is_valid, true)
WHERE hashtext(click_id || '{round}') & 1023 < 60;
UPDATE conversion_tracking c
SET conversion_fingerprint_hash = CASE WHEN hashtext(conversion_id || 'f{round}') & 63 = 0
        THEN 'broken' ELSE encode(sha256((conversion_id || '{round}')::bytea), 'hex') END
WHERE hashtext(conversion_id || 'd{round}') & 1023 < 40;
UPDATE conversion_tracking
SET attributed_click_id = NULL, attribution_method = NULL, attribution_confidence = NULL,
    attribution_window_hours = NULL, attributed_at = NULL
WHERE hashtext(conversion_id || 'r{round}') & 1023 < {share}"""

RESULTS = """
SELECT md5(string_agg(concat_ws(',', conversion_id, k.click_id, attribution_method,
                                attribution_confidence, attribution_window_hours,
                                fingerprint_match_score, probabilistic_candidates,
                                match_probability, attribution_model, attributed_at IS NULL), ';'
                      ORDER BY conversion_id))
FROM conversion_tracking c LEFT JOIN click_tracking k ON k.id = c.attributed_click_id"""

Job = collections.namedtuple("Job", "status run_count changed error")


def conninfo(database, sleeps, command="batch"):
    """Where and as whom the program logs in. sleeps: milliseconds by moment, see batch_sleep.sql"""
    settings = "".join(" -c torture.%s=%d" % pair for pair in sleeps.items())
    user = " user=" + server.ENGINE if command in server.ENGINE_COMMANDS else ""
    return "dbname=%s%s options='-c client_min_messages=warning%s'" % (database, user, settings)


def batch_command(program, database, sleeps, *arguments, window=WINDOW):
    return [program, "batch", "--quiet", "--recovery-target", "0", "--max-rejects", "none",
            "--from", window[0], "--to", window[1], "--db", conninfo(database, sleeps), *arguments]


def make_templates(program, conversions):
    """`torture_found` is a platform's database, `torture_adopted` the same after migrate."""
    server.psql("template1", "-c", "CREATE DATABASE torture_found")
    server.psql("torture_found", "-v", "clicks=%d" % (conversions * 12 // 5), "-v",
                "conversions=%d" % conversions, "-f",
                os.path.join(server.ROOT, "tests/integration/fixtures/as_found.sql"))
    server.psql("template1", "-c", "CREATE DATABASE torture_adopted TEMPLATE torture_found")
    subprocess.run([program, "migrate", "--quiet", "--db",
                    conninfo("torture_adopted", {}, "migrate")],
                   check=True)
    server.make_engine()
    server.psql("torture_adopted", "-f", os.path.join(HERE, "batch_sleep.sql"))


def sessions_gone(session, database, client="clickmatch"):
    """Wait until the server has ended what dead clients have left. Returns the seconds it took."""
    began = time.monotonic()
    while session.ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = '%s' "
                      "AND datname = '%s'" % (client, database)) != "0":
        if time.monotonic() - began > GONE_SECONDS:
            raise RuntimeError("a dead client's session is still there")
        time.sleep(0.005)
    return time.monotonic() - began


class World:
    def __init__(self, program, name):
        self.program, self.name, self.unbroken = program, name, name + "_unbroken"
        self.sessions, self.tables = {}, []
        for database in (self.name, self.unbroken):
            server.psql("template1", "-c",
                        "CREATE DATABASE %s TEMPLATE torture_adopted" % database)
            self.sessions[database] = Session(database)
        for table, query in TABLES.items():
            self.tables.append(query.format(self.ask(COLUMNS % (table, ",".join(OWN)))))

    def ask(self, statement, database=None):
        return self.sessions[database or self.name].ask(statement)

    def change(self, label, share):
        """Both alike. share: of 1024 results that go."""
        for database in self.sessions:
            self.ask(CHANGE.format(round=label, share=share), database)

    def state(self, database=None):
        """Of every row: the same in both databases where they hold the same."""
        return self.ask("SELECT concat_ws(',', %s)" % ", ".join(
            "(SELECT count(*) || ' ' || sum(hash_record_extended(t, 0)::numeric) FROM (%s) t)" %
            table for table in self.tables), database)

    def results(self, database=None):
        """Those of all conversions."""
        return self.ask(RESULTS, database)

    def difference(self):
        """What is not as in the other database: the first lines of each table."""
        found = []
        for table in self.tables:
            wanted, held = (sorted(self.ask("SELECT t::text FROM (%s) t" % table, database)
                                   .splitlines()) for database in (self.unbroken, self.name))
            found.append(verdict.first_difference(wanted, held))
        return "; ".join(difference for difference in found if difference)

    def versions(self):
        return self.ask(VERSIONS)

    def log_problems(self):
        return self.ask(LOG_PROBLEMS)

    def leftovers(self):
        return self.ask("SELECT count(*) FROM pg_class WHERE relname ~ 'clickmatch_staging'")

    def job(self, window=WINDOW):
        row = self.ask("SELECT status, run_count, coalesce(conversions_changed, -1), "
                       "coalesce(error, '') FROM attribution_recompute_jobs WHERE window_start = "
                       "'%s' AND tenant_ids = '{}'" % window[0])
        if not row:
            return Job("", 0, -1, "")
        status, run_count, changed, error = row.split("|", 3)
        return Job(status, int(run_count), int(changed), error)

    def command(self, sleeps, *arguments, window=WINDOW):
        return batch_command(self.program, self.name, sleeps, *arguments, window=window)

    def run(self, *arguments, database=None, window=WINDOW):
        """Undisturbed. Returns its exit status and messages."""
        done = subprocess.run(
            batch_command(self.program, database or self.name, {}, *arguments, window=window),
            capture_output=True, text=True)
        errors = [line for line in done.stderr.splitlines() if "warning:" not in line]
        return done.returncode, "\n".join(errors)

    def disconnect(self):
        """Before the next question; the server has been away."""
        for session in self.sessions.values():
            session.close()

    def drop(self):
        self.disconnect()
        for database in self.sessions:
            server.drop_database(database)
