#!/usr/bin/env python3
"""scripts/coverage.py fails where too little is reached, and only there. One line per case."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# A `gcovr` that reports what the case says, where it is told to.
FAKE_GCOVR = """#!/bin/bash
set -e
while [ "$1" != --json ]; do shift; done
cp "$COUNTED" "$2"
"""
FAKE_TESTS = """#!/bin/bash
printf '%s\\n' "$@" >names
find build/cov/obj -name '*.gcda' -printf '%m %f\\n' | sort >modes
[ ! -e build/cov/obj/src/match/a.gcda ] || echo counts >build/cov/obj/src/match/a.gcda
exit "$TESTS_FAIL"
"""


def line(number, count, *branches, noncode=False):
    return {"line_number": number, "count": count, "gcovr/noncode": noncode,
            "branches": [{"count": taken} for taken in branches]}


def lines(count, hit):
    return [line(number, int(number < hit)) for number in range(count)]


MATCHED = {"src/match/a.c": [line(3, 5, 1, 4), line(4, 5)]}
MISSED = {"src/match/a.c": [line(3, 5, 1, 4), line(7, 5, 0, 5), line(8, 0, 0, 0)]}

# Name, what gcovr reports, whether tests fail, sources without counters, then the status and what
# the output holds and does not hold.
CASES = (
    ("enough", {**MATCHED, "src/io/b.c": lines(98, 93)}, 0, [], 0,
     ["src/io            98   94.8 %", "src/match          2  100.0 %         2  100.0 %",
      "src/, all        100   95.0 %         2  100.0 %"], ["coverage:"]),
    ("a line too few", {**MATCHED, "src/io/b.c": lines(98, 92)}, 0, [], 1,
     ["94.0 % of the lines of src/ are reached, not 95 %"], ["branches of"]),
    ("not rounded up", {**MATCHED, "src/io/b.c": lines(9998, 9497)}, 0, [], 1,
     ["94.9 % of the lines of src/"], []),
    ("lines without code do not count",
     {**MATCHED, "src/io/b.c": [line(1, 1), line(2, 0, 0, noncode=True)]}, 0, [], 0,
     ["src/io             1  100.0 %         0"], ["coverage:"]),
    ("a branch of matching is not taken", {**MISSED, "src/io/b.c": lines(90, 90)}, 0, [], 1,
     ["3 branches of src/match are not taken", "src/match/a.c:7", "src/match/a.c:8"],
     ["src/match/a.c:3", "of the lines"]),
    ("branches elsewhere may be missed", {**MATCHED, "src/io/b.c": [line(1, 1, 0, 1)]}, 0, [], 0,
     ["src/io             1  100.0 %         2   50.0 %"], ["coverage:"]),
    ("nothing of matching", {"src/io/b.c": lines(10, 10)}, 0, [], 1,
     ["nothing of src/match was counted"], []),
    ("nothing at all", {}, 0, [], 1, ["nothing of src/match", "0.0 % of the lines"], []),
    ("failed tests", MATCHED, 1, [], 1, ["coverage: tests failed"], ["of the lines"]),
    ("a source that was not counted", MATCHED, 0, ["src/io/c.c"], 1,
     ["not counted: src/io/c.c"], []),
)


def write(root, name, content):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)
    os.chmod(path, 0o755)


def run(root, counted, fail, *arguments):
    """The script's status and output in a tree with these counts."""
    write(root, "bin/gcovr", FAKE_GCOVR)
    write(root, "tests/run.sh", FAKE_TESTS)
    for name in ("test_match.sh", "test_hardening.sh"):
        write(root, "tests/integration/" + name, "")
    write(root, "counted.json", json.dumps(
        {"files": [{"file": name, "lines": of_file} for name, of_file in counted.items()]}))
    write(root, "build/cov/obj/src/old.gcda", "")
    os.makedirs(os.path.join(root, "scripts"))
    shutil.copy(os.path.join(ROOT, "scripts/coverage.py"), os.path.join(root, "scripts"))
    done = subprocess.run(
        ["python3", "scripts/coverage.py", "build/cov", *arguments], cwd=root, text=True,
        check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "PATH": os.path.join(root, "bin") + ":" + os.environ["PATH"],
             "COUNTED": os.path.join(root, "counted.json"), "TESTS_FAIL": str(fail)})
    return done.returncode, done.stdout


def judged(counted, fail, uncounted, wanted, holds, lacks):
    """What is wrong with a run, if anything."""
    with tempfile.TemporaryDirectory() as root:
        for name in counted:
            write(root, name, "")
            write(root, "build/cov/obj/" + name[:-1] + "gcno", "")
        for name in uncounted:
            write(root, name, "")
        status, output = run(root, counted, fail)
    good = (status == wanted and all(text in output for text in holds) and
            not any(text in output for text in lacks))
    return "" if good else "status %d, %r" % (status, output)


def ran(arguments, names, keeps):
    """What is wrong with the tests that are run, if anything."""
    with tempfile.TemporaryDirectory() as root:
        _, output = run(root, MATCHED, 0, *arguments)
        there = os.path.exists(os.path.join(root, "build/cov/obj/src/old.gcda"))
        found = []
        if os.path.exists(os.path.join(root, "names")):
            with open(os.path.join(root, "names"), encoding="utf-8") as file:
                found = file.read().split()
    good = found == names and there == keeps
    return "" if good else "ran %r, counts are there: %s, %r" % (found, there, output)


def opened():
    """What is wrong with what processes write to, if anything: it is there for all, and gone where
    nothing was written."""
    with tempfile.TemporaryDirectory() as root:
        for name in ("match/a", "io/b"):
            write(root, "build/cov/obj/src/%s.gcno" % name, "")
        run(root, MATCHED, 0)
        with open(os.path.join(root, "modes"), encoding="utf-8") as file:
            modes = file.read().splitlines()
        left = [os.path.exists(os.path.join(root, "build/cov/obj/src/%s.gcda" % name))
                for name in ("match/a", "io/b")]
    good = modes == ["666 a.gcda", "666 b.gcda"] and left == [True, False]
    return "" if good else "%r, %r" % (modes, left)


def main():
    verdicts = [(case[0], judged(*case[1:])) for case in CASES]
    verdicts += [
        ("all is run but what is left out", ran([], ["unit", "test_match.sh"], False)),
        ("tests that are named are run", ran(["test_csv", "unit"], ["test_csv", "unit"], False)),
        ("whoever runs the program may count", opened()),
        ("a report runs nothing and forgets nothing", ran(["--report"], [], True)),
    ]
    for name, wrong in verdicts:
        print("not ok %s: %s" % (name, wrong) if wrong else "ok " + name)
    return any(wrong for _, wrong in verdicts)


sys.exit(main())
