#!/usr/bin/env python3
"""What each flag that hardens costs in matching.

    scripts/bench_flags.py [--rounds N] [--cc COMPILER] [BENCH OPTIONS]

Builds the program without these flags, once with each of them, and with all, in build/flag-cost,
and lets `bench --only match` measure them in turn (N rounds, default 7), by one thread. A row tells
the core time of a conversion, over all conversions: the least that was measured, as whatever else
the machine does only adds to it, and its ratio to the least of the build without; then by pairs of
the same round the median of the ratios. The first row is that build against itself: what chance
does here. With --count also the ratio of instructions in matching, which callgrind counts: these
tell per cents on a busy machine, too, where times do not (--rounds 0 leaves them out).
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 7
FOLDER = "build/flag-cost"
BENCH = ["--only", "match", "--threads", "1", "--clicks-count", "1000000",
         "--conversions-count", "100000", "--repetitions", "5"]
COUNTED = ["--clicks-count", "100000", "--conversions-count", "20000", "--seed", "1"]
MATCHING = "cm_matcher_run"
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
    """The least core time of a conversion, over all: by the shares of what they end as."""
    command = [program, "bench", *BENCH, *options, "--quiet", "--json", "-"]
    run = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    found = {(figure["case"], figure["figure"]): figure["min"]
             for section in run["sections"] for figure in section["figures"]}
    return sum(share / 100 * found[case, "core time per conversion"]
               for (case, figure), share in found.items() if figure == "share of conversions")


def instructions(program):
    """Instructions in the calls that match a batch, on a world that is small enough for this."""
    with tempfile.TemporaryDirectory() as folder:
        world = os.path.join(folder, "world")
        subprocess.run([program, "simulate", "--quiet", "--output", world, *COUNTED], check=True)
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=" + MATCHING,
             "--callgrind-out-file=" + os.path.join(folder, "callgrind"),
             program, "match", "--quiet", "--threads", "1", "--clicks", world + "/clicks.csv",
             "--conversions", world + "/conversions.csv", "--output", world + "/results.csv"],
            check=True, capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def table(times, counts):
    """Lines of the measured times, and of the counts where there are any."""
    lines = ["%-34s %8s %8s %8s %12s" % ("built", "ns", "ratio", "pairs", "instructions")]
    base = times[WITHOUT]
    for name, values in times.items():
        if name == WITHOUT:
            continue
        told = ["-", "-", "-", "-"]
        if base:
            pairs = statistics.median(value / other for value, other in zip(values, base))
            told[:3] = ["%.1f" % min(values), "%.3f" % (min(values) / min(base)), "%.3f" % pairs]
        if counts:
            told[3] = "%.3f" % (counts[name] / counts[WITHOUT])
        lines.append("%-34s %8s %8s %8s %12s" % (name, *told))
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--count", action="store_true")
    arguments, options = parser.parse_known_args()
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    programs = {name: build(number, name, settings, arguments.cc)
                for number, (name, settings) in enumerate(variants().items())}
    counts = {name: instructions(program) for name, program in programs.items()
              if arguments.count}
    times = {name: [] for name in programs}
    for number in range(arguments.rounds):
        print("round %d of %d" % (number + 1, arguments.rounds), file=sys.stderr)
        for name, program in programs.items():
            times[name].append(conversion_ns(program, options))
    print("\n".join(table(times, counts)))


if __name__ == "__main__":
    main()
