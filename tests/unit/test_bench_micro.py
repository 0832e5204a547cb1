#!/usr/bin/env python3
"""The micro-benchmarks work: each prints figures, as a table and as JSON. Never how fast they are.

One line per case.
"""

import glob
import json
import math
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bench")
KEYS = {"program", "table", "case", "variant", "unit", "median", "min", "max", "repetitions"}


def run(program, *arguments):
    return subprocess.run([program, *arguments], text=True, check=False, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def figure_problem(line):
    """What is wrong with a line of JSON, or None."""
    figure = json.loads(line)
    if not KEYS <= set(figure):
        return "without " + ", ".join(KEYS - set(figure))
    values = [figure["min"], figure["median"], figure["max"]]
    if not all(math.isfinite(value) for value in values) or values != sorted(values):
        return "no figures"
    if figure["unit"] == "ns" and figure["min"] <= 0:
        return "took no time"
    return None


def json_problem(program):
    done = run(program, "--quick", "--json")
    if done.returncode != 0 or done.stderr:
        return "status %d, %s" % (done.returncode, done.stderr)
    lines = done.stdout.splitlines()
    if len(lines) < 3:
        return "%d figures" % len(lines)
    for line in lines:
        try:
            problem = figure_problem(line)
        except ValueError as error:
            problem = str(error)
        if problem:
            return "%s: %s" % (problem, line)
    return None


def table_problem(program):
    done = run(program, "--quick", "--repetitions=1")
    if done.returncode != 0 or done.stderr:
        return "status %d, %s" % (done.returncode, done.stderr)
    rows = re.findall(r"^.{34} .{15} +[0-9.]+ +[0-9.]+ +[0-9.]+ ns( +[0-9]+ MB/s)?$", done.stdout,
                      re.MULTILINE)
    return None if len(rows) >= 3 else "%d rows: %s" % (len(rows), done.stdout)


def usage_problem(program):
    refused = run(program, "--repetitions=0")
    if refused.returncode != 2 or "see --help" not in refused.stderr:
        return "--repetitions=0: status %d, %s" % (refused.returncode, refused.stderr)
    helped = run(program, "--help")
    if helped.returncode != 0 or "--quick" not in helped.stdout:
        return "--help: status %d, %s" % (helped.returncode, helped.stdout)
    return None


def main():
    failed = 0
    # bench_stream measures another program: test_bench_stream.py
    sources = sorted(set(glob.glob(os.path.join(ROOT, "bench", "bench_*.c"))) -
                     {os.path.join(ROOT, "bench", "bench_stream.c")})
    for source in sources:
        name = os.path.basename(source)[:-2]
        for check in (json_problem, table_problem, usage_problem):
            try:
                problem = check(os.path.join(FOLDER, name))
            except (OSError, subprocess.TimeoutExpired) as error:
                problem = str(error)
            failed += problem is not None
            case = "%s %s" % (name, check.__name__.split("_")[0])
            print("ok " + case if problem is None else "not ok %s: %s" %
                  (case, " ".join(problem.split())))
    return failed > 0 or not sources


if __name__ == "__main__":
    sys.exit(main())
