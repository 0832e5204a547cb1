#!/usr/bin/env python3
"""What each flag that hardens costs in matching.

    scripts/bench_flags.py [--rounds N] [--cc COMPILER] [BENCH OPTIONS]

Builds the program without these flags, once with each of them, and with all, in build/flag-cost,
and lets `bench --only match` measure them in turn (N rounds, default 7), by one thread. A row tells
the core time of a conversion over all of them and, by pairs of the same round, its ratio to the
build without: median, least and most. The first row is that build against itself: what chance does
here.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

ROUNDS = 7
FOLDER = "build/flag-cost"
BENCH = ["--only", "match", "--threads", "1", "--clicks-count", "1000000",
         "--conversions-count", "200000", "--repetitions", "3"]
NONE = {"HARDEN": "", "FORTIFY": "-U_FORTIFY_SOURCE", "DEFINED": ""}
# What make is given beyond that; nothing: the Makefile's own.
WITHOUT, AGAIN, ALL = "without any", "without any, again", "all of them"
SINGLE = ["-fstack-protector-strong", "-fstack-clash-protection", "-fcf-protection=full",
          "-fexceptions", "-fno-delete-null-pointer-checks", "-fno-strict-overflow",
          "-fno-strict-aliasing"]


def variants():
    """What make is given for each build, by the build's name."""
    builds = {WITHOUT: NONE, AGAIN: NONE,
              "-D_FORTIFY_SOURCE=3": {name: NONE[name] for name in ("HARDEN", "DEFINED")}}
    builds.update((flag, {**NONE, "HARDEN": flag}) for flag in SINGLE)
    builds["-ftrivial-auto-var-init=zero"] = {**NONE, "DEFINED": "$(INIT_ZERO)"}
    builds[ALL] = {}
    return builds


def build(number, name, settings, compiler):
    """The program of a build, which is made if it is not there."""
    folder = os.path.join(FOLDER, compiler, str(number))
    program = os.path.join(folder, "clickmatch")
    print("building: %s" % name, file=sys.stderr)
    subprocess.run(["make", "-s", "-j%d" % os.cpu_count(), "CC=" + compiler, "BUILD=" + folder,
                    *("%s=%s" % pair for pair in settings.items()), program],
                   check=True, stdout=subprocess.DEVNULL)
    return program


def conversion_ns(program, options):
    """Core time of a conversion over all, by the shares of what they end as."""
    command = [program, "bench", *BENCH, *options, "--quiet", "--json", "-"]
    run = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    found = {(figure["case"], figure["figure"]): figure["median"]
             for section in run["sections"] for figure in section["figures"]}
    return sum(share / 100 * found[case, "core time per conversion"]
               for (case, figure), share in found.items() if figure == "share of conversions")


def table(times):
    lines = ["%-34s %8s %8s %8s %8s" % ("built", "ns", "ratio", "least", "most")]
    for name, values in times.items():
        if name != WITHOUT:
            ratios = [value / base for value, base in zip(values, times[WITHOUT])]
            lines.append("%-34s %8.1f %8.3f %8.3f %8.3f" % (
                name, statistics.median(values), statistics.median(ratios), min(ratios),
                max(ratios)))
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--cc", default="gcc")
    arguments, options = parser.parse_known_args()
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    programs = {name: build(number, name, settings, arguments.cc)
                for number, (name, settings) in enumerate(variants().items())}
    times = {name: [] for name in programs}
    for number in range(arguments.rounds):
        print("round %d of %d" % (number + 1, arguments.rounds), file=sys.stderr)
        for name, program in programs.items():
            times[name].append(conversion_ns(program, options))
    print("\n".join(table(times)))


if __name__ == "__main__":
    main()
