#!/usr/bin/env python3
"""scripts/bench_flags.py: what it builds, and its ratios from fixed times. One line per case."""

import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/harness"))
import cases  # noqa: E402
SCRIPT = os.path.join(ROOT, "scripts/bench_flags.py")

# A make that notes what it was given and puts a program where it should be.
MAKE = """#!/bin/bash
printf '%s\\n' "$*" >>made
folder=$(dirname "${@: -1}")
mkdir -p "$folder"
cp bench "$folder/clickmatch"
"""

# A bench whose two kinds of conversions take 100 and 300 ns, and each build by its number a per
# cent more; in the second round everything takes twice as long.
BENCH = """#!/usr/bin/env python3
import json, os, sys
folder = os.path.dirname(sys.argv[0])
with open(os.path.join(folder, "calls"), "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
with open(os.path.join(folder, "calls")) as calls:
    round = len(calls.readlines())
times = (1 + int(os.path.basename(folder)) / 100) * (2 if round == 2 else 1)
def figures(case, share, ns):
    return [{"case": case, "figure": "share of conversions", "min": share},
            {"case": case, "figure": "core time per conversion", "min": ns * times}]
print(json.dumps({"sections": [{"figures": figures("a", 75, 100) + figures("b", 25, 300)}]}))
"""


def measure(*arguments):
    """Output lines, what make was given, and the options of the first build's runs."""
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(os.path.join(root, "scripts"))
        os.mkdir(os.path.join(root, "bin"))
        shutil.copy(SCRIPT, os.path.join(root, "scripts"))
        for name, text in (("bin/make", MAKE), ("bench", BENCH)):
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(os.path.join(root, name), 0o755)
        path = os.path.join(root, "bin") + os.pathsep + os.environ["PATH"]
        done = subprocess.run(
            [sys.executable, os.path.join(root, "scripts/bench_flags.py"), *arguments], check=True,
            capture_output=True, text=True, env={**os.environ, "PATH": path})
        texts = []
        for name in ("made", "build/flag-cost/clang/0/calls"):
            with open(os.path.join(root, name), encoding="utf-8") as file:
                texts.append(file.read().splitlines())
        return (done.stdout.splitlines(), *texts)


LINES, MADE, CALLS = measure("--rounds", "3", "--cc", "clang", "--clicks-count", "7")


def case_each_flag_alone_and_all():
    assert len(MADE) == 12 and all("CC=clang" in line for line in MADE), MADE
    for flag in ("-fexceptions", "-fno-strict-overflow", "-fcf-protection=full"):
        assert [line for line in MADE if " HARDEN=%s " % flag in line], flag
    assert "HARDEN= FORTIFY=-U_FORTIFY_SOURCE DEFINED= " in MADE[0], MADE[0]
    assert "HARDEN" not in MADE[-1] and "DEFINED" not in MADE[-1], MADE[-1]
    assert "DEFINED=$(INIT_ZERO)" in MADE[-2], MADE[-2]
    assert "FORTIFY" not in MADE[2].replace("-fortify", ""), MADE[2]


def case_ratios_of_the_least():
    rows = [line.split() for line in LINES]
    assert rows[0][:4] == ["built", "ns", "ratio", "pairs"], rows[0]
    assert len(rows) == 12, rows
    assert rows[1] == ["without", "any,", "again", "151.5", "1.010", "1.010", "-"], rows[1]
    assert rows[-1] == ["all", "of", "them", "166.5", "1.110", "1.110", "-"], rows[-1]


def case_options_reach_the_bench():
    assert len(CALLS) == 3, CALLS
    assert CALLS[0].startswith("bench --only match --threads 1 "), CALLS[0]
    assert CALLS[0].endswith("--clicks-count 7 --quiet --json -"), CALLS[0]


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
