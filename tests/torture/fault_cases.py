"""The commands that meet faults, each small: what it is given, what it leaves.

A new command is a new Case in `cases`; docs/reliability.md, "Every fault", says what is held of it.
"""

import gzip
import json
import os
import re
import shutil
import subprocess

import server

ROOT = server.ROOT


class Case:
    """A command. Files are relative to a directory of its own run."""

    def __init__(self, name, arguments, **more):
        self.name, self.arguments = name, arguments
        self.stdin = more.get("stdin")
        self.whole = more.get("whole", ())  # files that are there whole, or as they were
        self.growing = more.get("growing", ())  # files of which a beginning may be there
        self.kept = more.get("kept", ())  # of the first, those that tell of a failure, too
        self.is_streamed = more.get("streamed", False)  # standard output grows
        self.talks = more.get("talks", False)  # on standard error, without a fault
        self.folder = more.get("folder", ())  # what it may leave: patterns
        self.template = more.get("template")  # of its database
        self.state = more.get("state")  # SQL: what its database holds
        self.makes_tables = more.get("makes_tables", False)  # or changes what tables are
        self.is_atomic = more.get("atomic", True)  # all of it is one transaction
        self.repeats = more.get("repeats", True)  # run again, it does nothing more
        self.waits = more.get("waits", False)  # for a server that is away
        self.is_slow = more.get("slow", False)  # no part of samples
        self.look = more.get("look")  # what is wrong with what it left, instead of a state
        self.again = more.get("again", False)  # when it runs again in its directory, all is there
        self.ready = more.get("ready")
        self.volatile = more.get("volatile")  # what differs from run to run, a pattern

    def prepare(self, directory):
        if self.ready is not None:
            self.ready(directory)

    def comparable(self, name, bytes_):
        if self.volatile is None:
            return bytes_
        return re.sub(self.volatile, b"", bytes_)

    def may_leave(self, name):
        return any(re.fullmatch(pattern, name) for pattern in self.folder)


# --- What commands are given ----------------------------------------------------------------------


class Inputs:
    """A little world, as files; and databases that hold it."""

    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        self.run("simulate", "--output", self.path("world"), "--clicks-count", "40",
                 "--conversions-count", "24", "--tenants", "2", "--days", "2", "--seed", "3")
        self.run("simulate", "--output", self.path("more"), "--clicks-count", "300",
                 "--conversions-count", "160", "--tenants", "1", "--days", "3", "--seed", "5",
                 "--format", "ndjson")
        self.write_events()
        self.write_half()
        self.write_packed()
        self.key = self.path("key")
        with open(self.key, "w", encoding="ascii") as file:
            file.write("a secret of thirty-two bytes, no less\n")
        os.chmod(self.key, 0o600)
        for version in (2, 3):
            with open(self.path("m%d.json" % version), "w", encoding="ascii") as file:
                json.dump({"name": "m", "version": str(version)}, file)

    def path(self, name):
        return os.path.join(self.directory, name)

    def world(self, name):
        return self.path(os.path.join("world", name))

    def run(self, *arguments):
        subprocess.run([self.program, *arguments, "--quiet"], check=True)

    def write_events(self):
        """Clicks and conversions in the order of their times, numbered; one is none."""
        self.run("simulate", "--output", self.path("lines"), "--clicks-count", "40",
                 "--conversions-count", "24", "--tenants", "2", "--days", "2", "--seed", "3",
                 "--format", "ndjson")
        events = []
        for kind, name in (("click", "clicks"), ("conversion", "conversions")):
            with open(self.path("lines/%s.ndjson" % name), encoding="utf-8") as file:
                for line in file:
                    events.append(dict(json.loads(line), event=kind, conversion_type="sale")
                                  if kind == "conversion" else dict(json.loads(line), event=kind))
        events.sort(key=lambda event: (event[event["event"] + "_timestamp"], event["event"]))
        with open(self.path("events.ndjson"), "w", encoding="utf-8") as file:
            for seq, event in enumerate(events):
                file.write(json.dumps(dict(seq=seq + 1, **event), separators=(",", ":")) + "\n")
            file.write('{"seq":%d,"event":"conversion","tenant_id":"t"}\n' % (len(events) + 1))
        with open(self.path("dead.ndjson"), "w", encoding="utf-8") as file:
            for seq, event in enumerate(events):
                if seq % 5 == 0:
                    event.pop("conversion_type" if event["event"] == "conversion" else "ad_id")
                file.write(json.dumps(dict(seq=seq + 1, **event), separators=(",", ":")) + "\n")

    def write_half(self):
        """What a stream with a checkpoint leaves that has seen half of the events."""
        with open(self.path("events.ndjson"), encoding="utf-8") as file:
            lines = file.readlines()
        with open(self.path("half.ndjson"), "w", encoding="utf-8") as file:
            file.writelines(lines[:len(lines) // 2])
        os.mkdir(self.path("half"))
        subprocess.run([self.program, *stream_of(self, "half.ndjson"), *WITH_CHECKPOINT],
                       check=True, cwd=self.path("half"))

    def begin_at_half(self, directory):
        shutil.copytree(self.path("half"), directory, dirs_exist_ok=True)

    def write_packed(self):
        with open(self.world("clicks.csv"), "rb") as file, \
                gzip.open(self.path("clicks.csv.gz"), "wb") as packed:
            packed.write(file.read())
        subprocess.run(["zstd", "-q", self.world("conversions.csv"), "-o",
                        self.path("conversions.csv.zst")], check=True)

    def make_databases(self):
        """fault_found: the platform's tables; _empty: adopted; _full: with the world's rows, not
        yet matched; _bad: so, and some are malformed; _dead: with dead events that are mended;
        _models: with two versions of a model, one promoted."""
        server.psql("template1", "-c", "CREATE DATABASE fault_found")
        server.psql("fault_found", "-f", os.path.join(ROOT, "src/pg/sql/bench/as_found.sql"))
        self.make_database("fault_empty", "fault_found", ["migrate"])
        server.make_engine()
        self.make_database(
            "fault_full", "fault_empty",
            ["stream", "--sink", "db", "--store-clicks", "--recovery-target", "0", "--events",
             self.path("events.ndjson")])
        server.psql("fault_full", text=UNMATCHED_SQL)
        self.make_database("fault_bad", "fault_full")
        server.psql("fault_bad", text=MALFORMED_SQL)
        self.make_database(
            "fault_dead", "fault_empty",
            ["stream", "--sink", "db", "--store-clicks", "--recovery-target", "0", "--events",
             self.path("dead.ndjson")])
        server.psql("fault_dead", text=MENDED_SQL)
        self.make_database("fault_models", "fault_empty", ["model", "add", self.path("m2.json")],
                           ["model", "add", self.path("m3.json")], ["model", "promote", "m@2"],
                           ["model", "promote", "m@3"])

    def make_database(self, name, template, *commands):
        server.psql("template1", "-c", "CREATE DATABASE %s TEMPLATE %s" % (name, template))
        for command in commands:
            subprocess.run([self.program, *command, "--quiet"], check=True,
                           stderr=subprocess.DEVNULL, env=dict(os.environ,
                                                               **login(name, command[0])))


MENDED_SQL = """
UPDATE dead_events SET payload = payload || '{"conversion_type":"sale","ad_id":"a"}';
"""
MALFORMED_SQL = """
UPDATE click_tracking SET fingerprint_hash = 'not one' WHERE ctid IN
    (SELECT ctid FROM click_tracking ORDER BY click_id LIMIT 3);
"""
UNMATCHED_SQL = """
UPDATE conversion_tracking SET attributed_click_id = NULL, attribution_method = NULL,
    attribution_confidence = NULL, attribution_window_hours = NULL, fingerprint_match_score = NULL,
    probabilistic_candidates = NULL, match_probability = NULL, attribution_model = NULL,
    attributed_at = NULL;
DELETE FROM attribution_performance_log; DELETE FROM dead_events; DELETE FROM stream_positions;
"""


def login(database, command):
    """How the program comes to its database: the one place that says so. `bench` has a login for
    each, so that it is known whose the databases are that it leaves."""
    user = {"PGUSER": server.ENGINE} if command in server.ENGINE_COMMANDS else {}
    if command == "bench":
        user = {"PGUSER": bench_login(database)}
    return {"PGDATABASE": database, **user}


def bench_login(database):
    return "bench_" + database


def look_for_databases(place, outcome):
    """Databases of `bench` that are still there, it has named; they are dropped."""
    left = place.server.ask("SELECT datname FROM pg_database d JOIN pg_roles r ON r.oid = datdba "
                            "WHERE rolname = '%s'" % bench_login(place.name)).split()
    for name in left:
        place.server.ask("DROP DATABASE %s WITH (FORCE)" % name)
    told = outcome.err.decode("utf-8", "replace")
    return ["%s is left, and nothing is said of it" % name for name in left
            if "databases %s* are left on the server" % name[:name.rindex("_") + 1] not in told]


# --- What databases hold --------------------------------------------------------------------------


def rows_sql(tables):
    """One line for each row, but for what differs from run to run."""
    return " UNION ALL ".join("SELECT '%s ' || row_to_json(t)::text FROM (%s) t" % pair
                              for pair in tables.items())


RESULTS = {name: query for name, query in server.TABLES.items() if name != "dead_events"}
RETRIED = """SELECT to_jsonb(d) - '{id,created_at,last_retry_at,resolved_at}'::text[] AS fields
             FROM dead_events d"""
MODELS = {
    "model_registry": """SELECT to_jsonb(r) - '{id,created_at,promoted_at}'::text[] AS fields,
                             promoted_at IS NOT NULL AS was FROM model_registry r""",
    "model_promotions": "SELECT to_jsonb(p) - '{id,created_at,seq,undoes}'::text[] AS fields, "
                        "undoes IS NULL AS stands FROM model_promotions p",
}
SCHEMA = {
    "columns": """SELECT c.relname, c.relkind, c.relrowsecurity, c.relacl::text, a.attname,
                      format_type(a.atttypid, a.atttypmod), a.attnotnull
                  FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                  AND NOT a.attisdropped WHERE c.relnamespace = 'public'::regnamespace""",
    "constraints": """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
                      FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "functions": """SELECT proname, md5(prosrc) FROM pg_proc
                    WHERE pronamespace = 'public'::regnamespace""",
    "policies": "SELECT polname, polrelid::regclass::text FROM pg_policy",
    "versions": """SELECT CASE WHEN to_regclass('clickmatch_migrations') IS NOT NULL
                   THEN query_to_xml('SELECT version, checksum FROM clickmatch_migrations
                                      ORDER BY 1', false, true, '')::text END AS rows""",
}


# --- The commands ---------------------------------------------------------------------------------


def file_cases(inputs):
    clicks = ["--clicks", inputs.world("clicks.csv")]
    both = clicks + ["--conversions", inputs.world("conversions.csv")]
    more = ["--clicks", inputs.path("more/clicks.ndjson"), "--conversions",
            inputs.path("more/conversions.ndjson")]
    outputs = ("results.csv", "rejects.ndjson")
    match = ["match", *both, "--recovery-target", "0", "--quiet"]
    first = server_first_conversion(inputs)
    yield Case("match", match + ["--output", "results.csv", "--rejects", "rejects.ndjson",
                                 "--threads", "1"], whole=outputs, kept=("rejects.ndjson",))
    yield Case("match-2", match + ["--output", "results.csv", "--summary", "summary.json",
                                   "--threads", "2"],
               whole=("results.csv", "summary.json"), kept=("summary.json",), volatile=SUMMARY)
    yield Case("match-out", match + ["--threads", "1"])
    yield Case("match-packed", ["match", "--clicks", inputs.path("clicks.csv.gz"), "--conversions",
                                inputs.path("conversions.csv.zst"), "--recovery-target", "0",
                                "--quiet", "--threads", "1", "--output", "results.csv"],
               whole=("results.csv",))
    yield Case("match-hash-pii", match + ["--hash-pii", inputs.key, "--output", "results.csv",
                                          "--threads", "1"], whole=("results.csv",))
    world = ("clicks.csv", "conversions.csv", "click_truth.csv", "conversion_truth.csv")
    yield Case("simulate", ["simulate", "--output", ".", "--clicks-count", "30",
                            "--conversions-count", "10", "--threads", "1", "--quiet"], whole=world)
    yield Case("explain", ["explain", first, *both, "--threads", "1", "--quiet"])
    yield Case("explain-html", ["explain", first, *both, "--threads", "1", "--quiet", "--format",
                                "html", "--output", "page.html"], whole=("page.html",))
    yield Case("evaluate", ["evaluate", *both, "--truth", inputs.path("world"), "--bootstrap", "3",
                            "--threads", "1", "--quiet", "--format", "json", "--html", "page.html",
                            "--output", "report.json"],
               whole=("report.json", "page.html"), volatile=SUMMARY)
    yield Case("train", ["train", *more, "--threads", "1", "--quiet", "--force", "--output",
                         "model.json", "--metrics", "metrics.json"],
               whole=("model.json", "metrics.json"), volatile=SUMMARY)
    yield Case("bench", ["bench", "--quick", "--only", "load", "--only", "match", "--quiet",
                         "--clicks-count", "1000", "--conversions-count", "1000", "--repetitions",
                         "1", "--threads", "1", "--json", "bench.json"],
               whole=("bench.json",), volatile=rb"(?s).*", talks=True)
    yield from stream_cases(inputs)


# Times and memory.
SUMMARY = rb'"(seconds|rate|rate_per_second|peak_memory_bytes|memory_bytes|[a-z_]*seconds|' \
          rb'[a-z_]*per_second|[a-z_]*bytes[a-z_]*)" ?: ?[0-9.e+-]+'


WITH_CHECKPOINT = ["--output", "results.ndjson", "--rejects", "rejects.ndjson", "--checkpoint",
                   "window", "--checkpoint-interval", "10ms"]


def stream_of(inputs, events="events.ndjson"):
    return ["stream", "--recovery-target", "0", "--quiet", "--threads", "1", "--events",
            inputs.path(events)]


def stream_cases(inputs):
    stream = stream_of(inputs)
    outputs = ("results.ndjson", "rejects.ndjson")
    yield Case("stream", stream + ["--output", "results.ndjson", "--rejects", "rejects.ndjson"],
               growing=outputs)
    yield Case("stream-out", stream, streamed=True)
    yield Case("stream-hash-pii", stream + ["--hash-pii", inputs.key], streamed=True)
    yield Case("stream-checkpoint", stream + WITH_CHECKPOINT, growing=outputs,
               folder=("window/.*",), again=True)
    yield Case("stream-resume", stream + WITH_CHECKPOINT, growing=outputs, folder=("window/.*",),
               again=True, ready=inputs.begin_at_half)
    yield Case("stream-clicks", stream + ["--clicks", inputs.world("clicks.csv"), "--output",
                                          "results.ndjson", "--metrics", "figures.prom"],
               growing=("results.ndjson",), whole=("figures.prom",), volatile=rb"(?s).*")


def server_first_conversion(inputs):
    with open(inputs.world("conversions.csv"), encoding="utf-8") as file:
        head, row = file.readline().strip().split(","), file.readline().strip().split(",")
    return row[head.index("conversion_id")]


def database_cases(inputs):
    results = rows_sql(RESULTS)
    period = ["--from", "2026-03-01", "--to", "2026-03-20"]
    batch = ["batch", *period, "--recovery-target", "0", "--quiet"]
    yield Case("batch", batch + ["--threads", "1"], template="fault_full", state=results)
    yield Case("batch-2", batch + ["--threads", "2", "--summary", "summary.json"],
               whole=("summary.json",), kept=("summary.json",), volatile=rb"(?s).*",
               template="fault_full", state=results)
    yield Case("batch-hash-pii", batch + ["--threads", "1", "--hash-pii", inputs.key],
               template="fault_full", state=results)
    outputs = ("summary.json", "rejects.ndjson")
    yield Case("batch-challenger",
               batch + ["--threads", "1", "--challenger", inputs.path("m2.json"), "--summary",
                        outputs[0], "--rejects", outputs[1]],
               whole=outputs, kept=outputs, volatile=rb"(?s)\A\{\n.*",  # the summary's
               template="fault_bad", state=rows_sql(server.TABLES))
    yield Case("stream-sink", stream_of(inputs) + ["--sink", "db", "--store-clicks", "--sink-batch",
                                                   "20"],
               template="fault_empty", state=rows_sql(server.TABLES), atomic=False, waits=True)
    yield Case("stream-db", stream_of(inputs) + ["--db", "user=" + server.ENGINE, "--output",
                                                 "results.ndjson"],
               growing=("results.ndjson",), template="fault_full", state=results)
    yield Case("explain-db", ["explain", server_first_conversion(inputs), "--quiet", "--threads",
                              "1"], template="fault_full", state=results)
    yield Case("purge", ["purge", "--older-than", "30d", "--quiet"], template="fault_full",
               state=rows_sql(server.TABLES), atomic=False)
    yield Case("bench-db", ["bench", "--quick", "--only", "batch", "--quiet", "--clicks-count",
                            "1000", "--conversions-count", "1000", "--repetitions", "1", "--db",
                            "connect_timeout=60", "--json", "bench.json"],
               whole=("bench.json",), volatile=rb"(?s).*", talks=True, template="fault_empty",
               state="SELECT 1", look=look_for_databases, slow=True)
    yield from retry_cases()
    yield from migrate_cases()
    yield from model_cases(inputs)


def retry_cases():
    state = rows_sql(dict(RESULTS, dead_events=RETRIED))
    yield Case("retry", ["retry", "--quiet", "--threads", "1", "--summary", "summary.json"],
               whole=("summary.json",), template="fault_dead", state=state, atomic=False)
    yield Case("retry-list", ["retry", "--list", "--quiet"], template="fault_dead", state=state)
    yield Case("retry-ignore", ["retry", "--ignore", "--error-type", "malformed", "--reason",
                                "of no use", "--quiet"], template="fault_dead", state=state)


def migrate_cases():
    yield Case("migrate", ["migrate", "--quiet"], template="fault_found", state=rows_sql(SCHEMA),
               makes_tables=True, atomic=False)
    for option in ("optimize", "enforce-tenants"):
        yield Case("migrate-" + option, ["migrate", "--" + option, "--quiet"],
                   template="fault_full", state=rows_sql(dict(SCHEMA, **RESULTS)),
                   makes_tables=True,
                   atomic=option == "optimize")  # the other gives rights afterwards


def model_cases(inputs):
    for name, arguments in (("add", [inputs.path("m3.json")]), ("list", []), ("show", ["m@2"]),
                            ("promote", ["m@2", "--reason", "better"]), ("rollback", ["m"])):
        yield Case("model-" + name, ["model", name, *arguments, "--quiet"],
                   template="fault_empty" if name == "add" else "fault_models",
                   state=rows_sql(MODELS), volatile=rb"\d{4}-\d\d-\d\d[T ][0-9:.]+Z?",
                   repeats=name != "rollback")
