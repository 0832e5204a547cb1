#!/usr/bin/env python3
"""What `clickmatch batch` takes, beside the least that any program would: the floor.

    bench/batch_floor.py [--rounds N] [--clicks N] [--conversions N] [--json FILE] [--conf LINE]...

A private server in a temporary directory gets the platform's tables as found, with a world of
`simulate` freshly loaded, and `clickmatch migrate`. Everything is then measured in turn, each round
on a fresh copy of that database, after a checkpoint:

    floor       psql: COPY out of both tables, COPY in of the results to an unlogged table, UPDATE
                of the conversions, INSERT into the log; the results are those of `batch`, and the
                statements the plainest that do it, one after the other
    first       `clickmatch batch` as a whole
    COPY out    psql on what the first run left: both tables, the columns that `batch` reads
    second      `clickmatch batch` again, which finds nothing to change

and the same on a copy that `clickmatch migrate --optimize` has worked on, with the time that the
platform's views take on both after the run. Printed are medians of seconds, of seconds of CPU (the
server's and the client's together), of those that other programs used meanwhile, and of each
round's ratios. On a machine that others keep busy, ratios of time say little: the floor needs one
core, `batch` all of them.
"""

import argparse
import datetime
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.environ.get("CLICKMATCH", os.path.join(ROOT, "build", "clickmatch"))
PG_TEMP = os.path.join(ROOT, "scripts", "pg_temp.sh")
QUERIES = os.path.join(ROOT, "src", "pg", "sql", "queries")
AS_FOUND = os.path.join(ROOT, "tests", "integration", "fixtures", "as_found.sql")
# The world's 14 days of clicks end yesterday: the views look back from now.
START = datetime.date.today() - datetime.timedelta(days=15)
PERIOD = ["--from", str(START), "--to", str(START + datetime.timedelta(days=30))]

# Memory for the tables, and no checkpoint or vacuum that one of the contenders alone would meet.
SETTINGS = """shared_buffers = 1GB
max_wal_size = 16GB
checkpoint_timeout = 1h
autovacuum = off"""

# As found, a conversion carries its click ids in raw_data only.
LOAD = r"""
CREATE UNLOGGED TABLE loaded (tenant_id TEXT, conversion_id TEXT, conversion_timestamp TIMESTAMPTZ,
    click_id TEXT, fbclid TEXT, gclid TEXT, conversion_fingerprint_hash TEXT, ip_address INET,
    user_agent TEXT, device_type TEXT, os TEXT, browser TEXT, screen_width INTEGER,
    screen_height INTEGER, timezone TEXT, timezone_offset INTEGER, conversion_type TEXT,
    conversion_value NUMERIC);
\copy click_tracking (%(click_columns)s) FROM '%(world)s/clicks.csv' %(not_null)s campaign_id, ad_id
\copy loaded FROM '%(world)s/conversions.csv' %(not_null)s conversion_type
INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type, conversion_value,
    conversion_fingerprint_hash, ip_address, user_agent, device_type, conversion_timestamp,
    raw_data)
SELECT conversion_id, tenant_id, conversion_type, conversion_value, conversion_fingerprint_hash,
       ip_address, user_agent, device_type, conversion_timestamp,
       jsonb_strip_nulls(jsonb_build_object('click_id', click_id, 'fbclid', fbclid, 'gclid', gclid,
                                            'page', '/thanks', 'currency', 'EUR'))
FROM loaded ORDER BY conversion_timestamp;
DROP TABLE loaded;
VACUUM ANALYZE;
"""

CLICKS = """SELECT id, tenant_id, click_id, click_timestamp, expires_at, is_valid, fbclid, gclid,
fingerprint_hash, ip_address, user_agent, device_type, os, browser, screen_width, screen_height,
timezone, timezone_offset FROM click_tracking"""
CONVERSIONS = """SELECT id, tenant_id, conversion_id, conversion_timestamp, raw_data, click_id,
fbclid, gclid, conversion_fingerprint_hash, ip_address, user_agent, device_type, os, browser,
screen_width, screen_height, timezone, timezone_offset, attributed_click_id, attribution_method,
attribution_confidence, attribution_window_hours, fingerprint_match_score,
probabilistic_candidates, match_probability, attribution_model, attributed_at
FROM conversion_tracking"""
COPY_OUT = [
    ("COPY out, clicks", r"\copy (%s) TO '/dev/null' (FORMAT binary)" % CLICKS),
    ("COPY out, conversions", r"\copy (%s) TO '/dev/null' (FORMAT binary)" % CONVERSIONS)]

RESULTS = """SELECT c.id, c.attributed_click_id, c.attribution_method, c.attribution_confidence,
    c.attribution_window_hours, c.fingerprint_match_score, c.probabilistic_candidates,
    c.match_probability, c.attribution_model, c.attributed_at, c.tenant_id, c.conversion_id,
    l.layer_1_result, l.layer_2_result, l.layer_3_result, l.success, l.processing_time_ms
FROM conversion_tracking c
JOIN attribution_performance_log l USING (tenant_id, conversion_id)
ORDER BY c.ctid"""
VIEWS = [(view, "SELECT count(*) FROM (SELECT * FROM %s OFFSET 0) AS v;" % view)
         for view in ("v_attribution_recovery_rate", "v_active_clicks",
                      "v_conversion_attribution_summary", "v_unattributed_conversions")]
WRITE_BACK = [
    ("COPY in", r"\copy results FROM '%(results)s' (FORMAT binary)"),
    ("UPDATE", """UPDATE conversion_tracking c
SET attributed_click_id = r.attributed_click_id, attribution_method = r.attribution_method,
    attribution_confidence = r.attribution_confidence,
    attribution_window_hours = r.attribution_window_hours,
    fingerprint_match_score = r.fingerprint_match_score,
    probabilistic_candidates = r.probabilistic_candidates,
    match_probability = r.match_probability, attribution_model = r.attribution_model,
    attributed_at = r.attributed_at
FROM results r WHERE c.id = r.id;"""),
    ("log INSERT", """INSERT INTO attribution_performance_log (tenant_id, conversion_id,
    layer_1_result, layer_2_result, layer_3_result, final_method, final_confidence, success,
    processing_time_ms)
SELECT tenant_id, conversion_id, layer_1_result, layer_2_result, layer_3_result, attribution_method,
       attribution_confidence, success, processing_time_ms
FROM results;""")]


def psql(database, script, *options):
    """Run a script; returns what psql prints."""
    command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, *options]
    return subprocess.run(command, input=script, stdout=subprocess.PIPE, check=True,
                          universal_newlines=True).stdout


def timed(database, steps):
    """Seconds of each of the named statements, run in one session."""
    script = "SET client_min_messages = error;\n\\timing on\n" + "\n".join(
        statement.replace("\n", " ") for _, statement in steps)
    found = re.findall(r"^Time: ([0-9.]+) ms", psql(database, script), re.MULTILINE)
    if len(found) != len(steps):
        sys.exit("batch_floor.py: psql timed %d of %d statements" % (len(found), len(steps)))
    return {name: float(ms) / 1000 for (name, _), ms in zip(steps, found)}


def cpu_seconds():
    """What the server's processes and ours have used so far."""
    with open(os.path.join(os.environ["PG_TEMP_DIR"], "data", "postmaster.pid"),
              encoding="utf-8") as file:
        postmaster = int(file.readline())
    ticks = 0
    for process in [name for name in os.listdir("/proc") if name.isdigit()]:
        try:
            with open("/proc/%s/stat" % process, encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError: # gone
            continue
        if int(process) == postmaster:
            ticks += int(fields[13]) + int(fields[14]) # of children that ended
        elif int(fields[1]) == postmaster:
            ticks += int(fields[11]) + int(fields[12])
    ours = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ticks / os.sysconf("SC_CLK_TCK") + ours.ru_utime + ours.ru_stime


def busy_seconds():
    """What all programs of this machine have used so far."""
    with open("/proc/stat", encoding="utf-8") as file:
        ticks = [int(field) for field in file.readline().split()[1:]]
    return (sum(ticks[:8]) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK") # without idle, iowait


def with_cpu(measure_it, *arguments):
    """What a function measures, and as "cpu" what it used, as "others" what others did."""
    cpu, busy = cpu_seconds(), busy_seconds()
    measured = measure_it(*arguments)
    cpu, busy = cpu_seconds() - cpu, busy_seconds() - busy
    return {**measured, "cpu": cpu, "others": max(busy - cpu, 0)}


def command(*arguments):
    """Seconds that a command of the program takes as a whole."""
    start = time.perf_counter()
    subprocess.run([PROGRAM, *arguments, "--quiet"], check=True)
    return time.perf_counter() - start


def batch(database, work):
    """The same of `batch`, and of its phases."""
    summary = os.path.join(work, "summary.json")
    seconds = command("batch", "--db", "dbname=" + database, *PERIOD, "--recovery-target", "0",
                      "--summary", summary)
    with open(summary, encoding="utf-8") as file:
        told = json.load(file)
    return {"all": seconds, "changed": told["batch"]["changed"],
            **{phase["name"]: phase["seconds"] for phase in told["phases"]}}


def fresh_copy(template):
    """A new database like a template, all of it written."""
    psql("postgres", "SET client_min_messages = error;\nDROP DATABASE IF EXISTS round;\n"
         "CREATE DATABASE round TEMPLATE %s STRATEGY file_copy;\nCHECKPOINT;" % template)
    return "round"


def make_templates(work, options):
    """Databases to copy: as found and migrated; the same optimized. And the file of results."""
    world = os.path.join(work, "world")
    command("simulate", "--output", world, "--clicks-count", str(options.clicks),
            "--conversions-count", str(options.conversions), "--days", "14",
            "--start", str(START))
    with open(os.path.join(world, "clicks.csv"), encoding="utf-8") as file:
        click_columns = file.readline().strip()
    psql("postgres", "CREATE DATABASE found;")
    psql("found", "", "-v", "clicks=0", "-v", "conversions=0", "-f", AS_FOUND)
    psql("found", LOAD % {"click_columns": click_columns, "world": world,
                          "not_null": "CSV HEADER FORCE NOT NULL"})
    command("migrate", "--db", "dbname=found")
    psql("found", "VACUUM ANALYZE;")
    if options.optimize:
        psql("postgres", "CREATE DATABASE optimized TEMPLATE found STRATEGY file_copy;")
        command("migrate", "--db", "dbname=optimized", "--optimize")
        psql("optimized", "VACUUM ANALYZE;")
    database = fresh_copy("found")
    batch(database, work)
    results = os.path.join(work, "results.bin")
    psql(database, r"\copy (%s) TO '%s' (FORMAT binary)" % (RESULTS.replace("\n", " "), results))
    psql("found", "CREATE UNLOGGED TABLE results AS %s LIMIT 0;" % RESULTS)
    return results


def measure_floor(template, results):
    database = fresh_copy(template)
    steps = COPY_OUT + [(name, text % {"results": results}) for name, text in WRITE_BACK]
    measured = with_cpu(timed, database, steps)
    measured["all"] = sum(measured[name] for name, _ in steps)
    return measured


def copy_out(database):
    measured = timed(database, COPY_OUT)
    return {"all": sum(measured.values()), **measured}


def measure_batch(template, work):
    database = fresh_copy(template)
    measured = {"first": with_cpu(batch, database, work)}
    psql("postgres", "CHECKPOINT;")
    measured["copy_out"] = with_cpu(copy_out, database)
    measured["second"] = with_cpu(batch, database, work)
    if measured["second"]["changed"] != 0:
        sys.exit("batch_floor.py: a second run changed %d conversions"
                 % measured["second"]["changed"])
    measured["views"] = timed(database, VIEWS)
    return measured


def one_round(work, results, optimize):
    measured = {"floor": measure_floor("found", results),
                "as found": measure_batch("found", work)}
    if optimize:
        measured["optimized"] = measure_batch("optimized", work)
    return measured


def median_of(rounds, value):
    return statistics.median(value(measured) for measured in rounds)


def medians(rounds, *path):
    """Of every figure at a place of the rounds."""
    def at(measured):
        for key in path:
            measured = measured[key]
        return measured
    return {name: median_of(rounds, lambda m: at(m)[name]) for name in at(rounds[0])}


def summarize(rounds, tables):
    """Medians of seconds by contender and part, medians of ratios."""
    summary = {"floor": medians(rounds, "floor"), "ratios": {}}
    for table in tables:
        summary[table] = {part: medians(rounds, table, part) for part in rounds[0][table]}
        for figure in ("all", "cpu"):
            summary["ratios"]["%s, first run / floor, %s" % (table, figure)] = median_of(
                rounds, lambda m: m[table]["first"][figure] / m["floor"][figure])
            summary["ratios"]["%s, second run / COPY out, %s" % (table, figure)] = median_of(
                rounds, lambda m: m[table]["second"][figure] / m[table]["copy_out"][figure])
    return summary


def show(summary, tables):
    def row(name, measured):
        parts = ", ".join("%s %.2f" % part for part in measured.items()
                          if part[0] not in ("all", "cpu", "others", "changed"))
        print("%-22s %7.2f s %7.2f s of CPU %7.2f s of others'   %s" % (
            name, measured["all"], measured["cpu"], measured["others"], parts))
    row("floor", summary["floor"])
    for table in tables:
        for part in ("first", "copy_out", "second"):
            row("%s, %s" % (table, part.replace("copy_out", "COPY out")), summary[table][part])
    for table in tables:
        print("%-22s %s" % (table + ", views", ", ".join(
            "%s %.0f ms" % (view, 1000 * seconds)
            for view, seconds in summary[table]["views"].items())))
    for name, ratio in summary["ratios"].items():
        print("%-40s %.2f" % (name.replace(", all", ", time"), ratio))


def measure(options):
    """Within the server's environment."""
    rounds = []
    tables = ["as found"] + (["optimized"] if options.optimize else [])
    with tempfile.TemporaryDirectory() as work:
        results = make_templates(work, options)
        for number in range(options.rounds):
            rounds.append(one_round(work, results, options.optimize))
            print("round %d of %d" % (number + 1, options.rounds), file=sys.stderr, flush=True)
    summary = summarize(rounds, tables)
    show(summary, tables)
    if options.json:
        version = subprocess.run([PROGRAM, "--version"], stdout=subprocess.PIPE, check=True,
                                 universal_newlines=True).stdout.strip()
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"version": version, "cores": os.cpu_count(), "clicks": options.clicks,
                       "conversions": options.conversions, "settings": SETTINGS.split("\n"),
                       "medians": summary, "rounds": rounds}, file, indent=1)


def main():
    parser = argparse.ArgumentParser(description="`clickmatch batch` beside its floor")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clicks", type=int, default=1000000)
    parser.add_argument("--conversions", type=int, default=200000)
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    parser.add_argument("--no-optimize", dest="optimize", action="store_false",
                        help="only the tables as found")
    options = parser.parse_args()
    if "PG_TEMP_DIR" in os.environ:
        measure(options)
        return
    environment = dict(os.environ, PG_TEMP_CONF=SETTINGS)
    sys.exit(subprocess.run([PG_TEMP, "run", sys.executable, *sys.argv],
                            env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
