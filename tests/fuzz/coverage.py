#!/usr/bin/env python3
"""The share of each decoder's lines that its corpus alone reaches: nine in ten, or it fails.

    tests/fuzz/coverage.py BUILD [--missing]     BUILD: made with --coverage; --missing: which not
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEAST = 90.0  # per cent of a target's lines


def targets():
    """The files of each target."""
    found = {}
    for line in (ROOT / "tests/fuzz/targets.txt").read_text().splitlines():
        if line.startswith(" "):
            found[name] += line.split()
        elif not line.startswith("#"):
            name = line.split()[0]
            found[name] = []
    return found.items()


def run(build, name):
    """Feed the corpus; what was counted before is forgotten."""
    for counts in (build / "obj").rglob("*.gcda"):
        counts.unlink()
    inputs = sorted((ROOT / "tests/fuzz/corpus" / name).iterdir())
    subprocess.run([build / "tests" / f"fuzz_{name}", *inputs], check=True, cwd=ROOT)


def lines_of(build, path):
    """Whether each line that holds code was reached."""
    counts = (build / "obj" / path).with_suffix(".gcda")
    if not counts.exists():
        return {}
    said = subprocess.run(["gcov", "--json-format", "--stdout", counts], check=True, cwd=ROOT,
                          capture_output=True).stdout
    reached = {}
    for file in json.loads(said)["files"]:
        if file["file"] == path:
            for line in file["lines"]:
                number = line["line_number"]
                reached[number] = reached.get(number, False) or line["count"] > 0
    return reached


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    failed = False
    for name, files in targets():
        run(build, name)
        lines = {path: lines_of(build, path) for path in files}
        every = [reached for of_file in lines.values() for reached in of_file.values()]
        unknown = [path for path in files if not lines[path]]
        share = 100 * sum(every) / max(1, len(every))
        is_low = share < LEAST or bool(unknown)
        failed = failed or is_low
        print(f"{name:11} {share:5.1f} % of {len(every):4} lines of {len(files)} files"
              f"{'; less than 90 %: FAILED' if is_low else ''}"
              f"{'; never run: ' + ' '.join(unknown) if unknown else ''}")
        if "--missing" in sys.argv:
            for path, of_file in lines.items():
                missing = " ".join(str(n) for n, reached in sorted(of_file.items()) if not reached)
                print(f"  {path}: {missing or 'all'}")
    sys.exit(failed)


main()
