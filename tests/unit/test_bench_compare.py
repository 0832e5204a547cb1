#!/usr/bin/env python3
"""scripts/bench_compare.py tells ratios and their spread from fixed runs. One line per case."""

import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/harness"))
import cases  # noqa: E402
SCRIPT = os.path.join(ROOT, "scripts/bench_compare.py")

# A `bench` that writes the next of the runs NAME.1, NAME.2 and so on, and notes that it ran.
FAKE = """#!/bin/bash
set -e
cd "$(dirname "$0")"
name=$(basename "$0")
echo "$name $*" >>calls
count=$(grep -c "^$name " calls)
cp "$name.$count" "${@: -1}"
"""


def figure(case, name, better, *values):
    return {"case": case, "figure": name, "unit": "ns", "better": better,
            "median": sorted(values)[len(values) // 2], "min": min(values), "max": max(values),
            "repetitions": len(values), "values": list(values)}


def bench(*figures, seed=1):
    return {"command": "bench", "machine": {"cores": 2}, "seed": seed, "sizes": {"clicks": 10},
            "sections": [{"name": "load", "figures": list(figures)}]}


def compare(*arguments, **files):
    """Status, output lines and errors of the script in a directory with these files."""
    with tempfile.TemporaryDirectory() as root:
        for name, content in files.items():
            path = os.path.join(root, name.replace("_", "."))
            with open(path, "w", encoding="utf-8") as file:
                file.write(content if isinstance(content, str) else json.dumps(content))
            if isinstance(content, str) and content.startswith("#!"):
                os.chmod(path, 0o755)
        done = subprocess.run([sys.executable, SCRIPT, *arguments], cwd=root, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        calls = os.path.join(root, "calls")
        if os.path.exists(calls):
            with open(calls, encoding="utf-8") as file:
                done.stderr += file.read()
        return done.returncode, done.stdout.splitlines(), done.stderr


def words(line):
    return [word.strip() for word in line.split("  ") if word.strip()]


def case_ratios_by_repetition():
    a = bench(figure("1 thread", "time", "less", 10, 20, 40))
    b = bench(figure("1 thread", "time", "less", 5, 30, 20))
    status, lines, _ = compare("a.json", "b.json", a_json=a, b_json=b)
    assert status == 0
    assert words(lines[-1]) == ["load", "1 thread", "time", "20", "20", "0.500", "0.500", "1.500"]


def verdict_of(better, a, b):
    _, lines, _ = compare("a.json", "b.json", a_json=bench(figure("c", "f", better, *a)),
                          b_json=bench(figure("c", "f", better, *b)))
    return words(lines[-1])[8:]


def case_verdicts():
    assert verdict_of("less", (10, 10), (9, 8)) == ["better"]
    assert verdict_of("less", (10, 10), (11, 12)) == ["worse"]
    assert verdict_of("more", (10, 10), (11, 12)) == ["better"]
    assert verdict_of("more", (10, 10), (9, 8)) == ["worse"]
    assert verdict_of("less", (10, 10), (9, 11)) == []
    assert verdict_of("less", (10, 10), (10, 9)) == []
    assert verdict_of("neither", (10, 10), (9, 8)) == []


def case_nothing_to_divide_by():
    _, lines, _ = compare("a.json", "b.json", a_json=bench(figure("c", "f", "less", 0, 0)),
                          b_json=bench(figure("c", "f", "less", 0, 5)))
    assert words(lines[-1])[3:] == ["0", "2.5", "1.000", "1.000", "1.000"]
    _, lines, _ = compare("a.json", "b.json", a_json=bench(figure("c", "f", "less", 0)),
                          b_json=bench(figure("c", "f", "less", 5)))
    assert words(lines[-1])[3:] == ["0", "5", "-", "-", "-"]


def case_what_only_one_has():
    a = bench(figure("c", "f", "less", 1), figure("c", "only a", "less", 1))
    b = bench(figure("c", "f", "less", 1), figure("c", "only b", "less", 1))
    _, lines, _ = compare("a.json", "b.json", a_json=a, b_json=b)
    assert words(lines[-2]) == ["load", "c", "only a", "only in some of the runs"]
    assert words(lines[-1]) == ["load", "c", "only b", "only in B"]


def case_other_sizes_are_told():
    a = bench(figure("c", "f", "less", 1))
    b = bench(figure("c", "f", "less", 1), seed=2)
    b["sizes"] = {"clicks": 11, "days": 7}
    _, lines, _ = compare("a.json", "b.json", a_json=a, b_json=b)
    assert lines[:3] == ["differs in clicks: 10 / 11", "differs in days: None / 7",
                         "differs in seed: 1 / 2"]


def case_programs_run_in_turn():
    runs = {"A_%d" % i: bench(figure("c", "f", "less", value))
            for i, value in enumerate((10, 20, 30), 1)}
    runs.update({"B_%d" % i: bench(figure("c", "f", "less", value))
                 for i, value in enumerate((5, 8, 9), 1)})
    status, lines, errors = compare("--run", "--pairs", "3", "./A", "./B", "--only", "load",
                                    A=FAKE, B=FAKE, **runs)
    assert status == 0, errors
    assert words(lines[-1])[3:] == ["20", "8", "0.400", "0.300", "0.500", "better"]
    calls = [line for line in errors.splitlines() if not line.startswith("pair ")]
    assert [call[0] for call in calls] == list("ABABAB")
    assert all("bench --quiet --only load --json " in call for call in calls)


def case_a_run_that_fails():
    status, lines, errors = compare("--run", "./A", "./A", A="#!/bin/bash\nexit 3\n")
    assert (status, lines) == (1, [])
    assert "ended with status 3" in errors


def case_wrong_input():
    for arguments, wanted in ((("a.json", "none.json"), "none.json"),
                              (("a.json", "c.json"), "c.json"),
                              (("--run", "./A"), "two programs"),
                              (("--run", "--pairs", "x", "./A", "./A"), "'x' is no number")):
        status, lines, errors = compare(*arguments, a_json=bench(), c_json="{}", A="#!/bin/true\n")
        assert (status, lines) == (1, []), arguments
        assert errors.startswith("bench_compare.py: ") and wanted in errors, errors
    assert compare("a.json", a_json=bench())[0] == 2


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
