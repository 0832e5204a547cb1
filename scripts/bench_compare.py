#!/usr/bin/env python3
"""Compare two runs of `clickmatch bench`, by pairs.

    scripts/bench_compare.py A.json B.json
    scripts/bench_compare.py --run [--pairs N] PROGRAM_A PROGRAM_B [BENCH OPTIONS]

The first compares two files: repetition 1 of one with repetition 1 of the other, and so on. The
second runs the two programs in turn, A B A B (N pairs, default 5), so that a machine that is busy
for a while disturbs both, and compares the medians of each pair of runs; this is what to trust.

A row tells the median of A and of B, the median of B / A over the pairs, and the least and the most
of it. `better` and `worse` (of B) stand only where every pair says so.
"""

import json
import statistics
import subprocess
import sys
import tempfile

PAIRS = 5
ROW = "%-9s %-26s %-26s %13s %13s %8s %8s %8s  %s"


class Wrong(Exception):
    """Something that the person who called must put right."""


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            run = json.load(file)
    except (OSError, ValueError) as error:
        raise Wrong("%s: %s" % (path, error)) from error
    if not isinstance(run, dict) or run.get("command") != "bench":
        raise Wrong("%s: not written by clickmatch bench --json" % path)
    return run


def figures(run):
    """The figures of a run by section, case and name, in their order."""
    return {(section["name"], figure["case"], figure["figure"]): figure
            for section in run["sections"] for figure in section["figures"]}


def differences(a, b):
    """What must be the same for figures to be comparable, and is not."""
    for group in ("machine", "sizes"):
        for name in sorted(set(a[group]) | set(b[group])):
            if a[group].get(name) != b[group].get(name):
                yield "%s: %s / %s" % (name, a[group].get(name), b[group].get(name))
    if a["seed"] != b["seed"]:
        yield "seed: %s / %s" % (a["seed"], b["seed"])


def ratio(a, b):
    if a == b:
        return 1.0
    return b / a if a else None


def verdict(better, ratios):
    if better == "neither" or not ratios:
        return ""
    if all(value > 1 for value in ratios):
        return "better" if better == "more" else "worse"
    if all(value < 1 for value in ratios):
        return "better" if better == "less" else "worse"
    return ""


def number(value):
    if value >= 1000:
        return format(round(value), ",")
    return "%.4g" % value


def row(key, figure, pairs):
    """The line of one figure. pairs: its values in A and in B."""
    ratios = [r for r in (ratio(a, b) for a, b in pairs) if r is not None]
    told = ["%.3f" % f(ratios) if ratios else "-" for f in (statistics.median, min, max)]
    return (ROW % (*key, number(statistics.median(a for a, _ in pairs)),
                   number(statistics.median(b for _, b in pairs)), *told,
                   verdict(figure["better"], ratios))).rstrip()


def compare(runs):
    """Lines that compare. runs: pairs of runs (A, B)."""
    lines = ["differs in " + text for text in differences(*runs[0])]
    lines.append(ROW % ("section", "case", "figure", "A", "B", "B / A", "least", "most", ""))
    sides = [(figures(a), figures(b)) for a, b in runs]
    for key, figure in sides[0][0].items():
        if any(key not in a or key not in b for a, b in sides):
            lines.append("%-9s %-26s %-26s only in some of the runs" % key)
            continue
        if len(sides) == 1:
            pairs = list(zip(sides[0][0][key]["values"], sides[0][1][key]["values"]))
        else:
            pairs = [(a[key]["median"], b[key]["median"]) for a, b in sides]
        lines.append(row(key, figure, pairs))
    lines += ["%-9s %-26s %-26s only in B" % key
              for key in sides[0][1] if key not in sides[0][0]]
    return [line.rstrip() for line in lines]


def run_bench(program, options):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [program, "bench", "--quiet", *options, "--json", file.name]
        try:
            done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        except OSError as error:
            raise Wrong("%s: %s" % (program, error)) from error
        if done.returncode != 0:
            raise Wrong("%s ended with status %d" % (" ".join(command), done.returncode))
        return read(file.name)


def run_pairs(arguments):
    count = PAIRS
    if arguments[:1] == ["--pairs"] and len(arguments) > 1:
        if not arguments[1].isdigit() or int(arguments[1]) == 0:
            raise Wrong("--pairs: '%s' is no number of pairs" % arguments[1])
        count = int(arguments[1])
        arguments = arguments[2:]
    if len(arguments) < 2:
        raise Wrong("--run needs two programs")
    runs = []
    for i in range(count):
        print("pair %d of %d" % (i + 1, count), file=sys.stderr)
        runs.append((run_bench(arguments[0], arguments[2:]),
                     run_bench(arguments[1], arguments[2:])))
    return runs


def main(arguments):
    try:
        if arguments[:1] == ["--run"]:
            runs = run_pairs(arguments[1:])
        elif len(arguments) == 2 and not any(name.startswith("--") for name in arguments):
            runs = [(read(arguments[0]), read(arguments[1]))]
        else:
            print(__doc__.strip(), file=sys.stderr)
            return 2
    except Wrong as wrong:
        print("bench_compare.py: %s" % wrong, file=sys.stderr)
        return 1
    print("\n".join(compare(runs)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
