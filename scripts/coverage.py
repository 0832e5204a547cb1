#!/usr/bin/env python3
"""Which lines and branches of src/ the tests reach; fails where they are too few.

    scripts/coverage.py BUILD            run all tests, then report (`make coverage` builds for it)
    scripts/coverage.py BUILD NAME...    the same of some groups or tests, as tests/run.sh has them
    scripts/coverage.py BUILD --report   report what has been counted up to now

At least 95 % of the lines of src/ must be reached, and all branches of matcher and scorer: of
src/match, which has nothing else. BUILD/report/index.html shows each line. What is counted is what
processes write when they end by themselves: of one that is killed nothing counts.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LINES = 95.0  # per cent of src/
ALL_BRANCHES = "src/match"
SHOWN = 40  # of the branches that are not reached

# Tests that cannot hold for this build, or run another one.
LEFT_OUT = {
    "test_docs.sh": "runs what make builds in a copy of the checkout",
    "test_docs_reliability.sh": "the same",
    "test_faults.sh": "fails the program's Nth call, among which are those that write counts",
    "test_hardening.sh": "asks for the flags of what is released",
    "test_reproducible.sh": "builds again, with the flags of what is released",
}

# CM_CHECK stops the program where a promise inside it is broken: no test can break one. Its line
# still counts.
NOT_TO_BE_TAKEN = r".*\bCM_CHECK\("


def tests(names):
    """What tests/run.sh is to run: all but what is left out."""
    if names:
        return names
    scripts = sorted(path.name for path in (ROOT / "tests/integration").glob("*.sh"))
    return ["unit", *(name for name in scripts if name not in LEFT_OUT)]


def begin(build):
    """Forget what was counted before. Whoever runs the program may count: root in some tests gives
    up its rights, and what could not be counted would be told among the messages they compare. (So
    to root a checkout must lie where others may go, too.)"""
    for counts in build.rglob("*.gcda"):
        counts.unlink()
    for notes in build.rglob("*.gcno"):
        counts = notes.with_suffix(".gcda")
        counts.touch()
        counts.chmod(0o666)


def run(build, names):
    """Run the tests, and those alone are counted. Whether all passed."""
    begin(build)
    for name, why in {} if names else LEFT_OUT.items():
        print(f"left out: {name}: {why}")
    sys.stdout.flush()
    # Nothing is optimised, and each process writes a file for each source: tests take their time.
    environment = {"TEST_SECONDS": "1800", **os.environ, "BUILD": os.path.relpath(build, ROOT)}
    done = subprocess.run([ROOT / "tests/run.sh", *tests(names)], check=False, cwd=ROOT,
                          env=environment)
    for counts in build.rglob("*.gcda"):
        if counts.stat().st_size == 0: # nothing ran it
            counts.unlink()
    return done.returncode == 0


def count(build):
    """gcovr's report of all that was counted, as it has it in JSON."""
    report = build / "report"
    shutil.rmtree(report, ignore_errors=True)
    report.mkdir()
    subprocess.run(["gcovr", "--root", ROOT, "--filter", "src/", "-j", "2",
                    "--exclude-branches-by-pattern", NOT_TO_BE_TAKEN, "--exclude-throw-branches",
                    "--json", report / "coverage.json",
                    "--html-details", report / "index.html",
                    "--html-title", "clickmatch", build / "obj/src"], check=True, cwd=ROOT)
    return json.loads((report / "coverage.json").read_text())


def reached(found):
    """Of each file, lines and branches: [(number of its line, whether it was reached)]."""
    files = {}
    for file in found["files"]:
        lines = [line for line in file["lines"] if not line["gcovr/noncode"]]
        files[file["file"]] = (
            [(line["line_number"], line["count"] > 0) for line in lines],
            [(line["line_number"], branch["count"] > 0)
             for line in lines for branch in line["branches"]])
    return files


def uncounted(build):
    """Sources that were not built to be counted: they would be missing without a word."""
    return [str(source.relative_to(ROOT)) for source in sorted((ROOT / "src").rglob("*.c"))
            if not (build / "obj" / source.relative_to(ROOT)).with_suffix(".gcno").exists()]


def share(counts):
    """Rounded down: 100.0 is all of them."""
    return sum(is_reached for _, is_reached in counts) * 1000 // max(1, len(counts)) / 10


def table(files):
    """A line for each folder of src/ and one for all of it."""
    folders = {}
    for name, (lines, branches) in files.items():
        for folder in (os.path.dirname(name), "src/, all"):
            of = folders.setdefault(folder, ([], []))
            of[0].extend(lines)
            of[1].extend(branches)
    rows = [f"{'':12}{'lines':>8}{'reached':>9}{'branches':>10}{'reached':>9}"]
    for folder in sorted(folders, key=lambda name: (name == "src/, all", name)):
        lines, branches = folders[folder]
        rows.append(f"{folder:12}{len(lines):8}{share(lines):7.1f} %"
                    f"{len(branches):10}{share(branches):7.1f} %")
    return rows


def judge(files):
    """What is too little, a line each; nothing where all is as it must be."""
    wrong = []
    lines = [line for of_file in files.values() for line in of_file[0]]
    of_match = {name: of_file for name, of_file in files.items()
                if os.path.dirname(name) == ALL_BRANCHES}
    if not any(branches for _, branches in of_match.values()):
        wrong.append(f"nothing of {ALL_BRANCHES} was counted")
    if share(lines) < LINES:
        wrong.append(f"{share(lines):.1f} % of the lines of src/ are reached, not {LINES:g} %")
    missing = [f"{name}:{number}" for name, (_, branches) in sorted(of_match.items())
               for number, is_reached in branches if not is_reached]
    if missing:
        wrong.append(f"{len(missing)} branches of {ALL_BRANCHES} are not taken:")
        wrong += [f"  {place}" for place in missing[:SHOWN]]
    return wrong


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    passed = "--report" in sys.argv or run(build, sys.argv[2:])
    files = reached(count(build))
    wrong = judge(files) + [f"not counted: {name}" for name in uncounted(build)]
    if not passed:
        wrong.append("tests failed")
    print("\n".join(table(files)))
    print(f"each line: {build / 'report/index.html'}")
    for line in wrong:
        print(f"coverage: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
