#!/usr/bin/env python3
"""Let every call of every command fail that can: allocations, files, threads, libpq; once and for
good. What must hold then: docs/reliability.md, "Every fault".

    scripts/pg_temp.sh run tests/torture/faults_every.py --program build/clickmatch \\
        --seam build/tests/fault_seam.so

Each failure prints the options that replay it alone.
"""

import argparse
import concurrent.futures
import itertools
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import time

import fault_cases
import fault_place
import fault_run
import fault_sample

# Class, mode, for good. What a system says of itself may come once; what it lacks, it may lack for
# good.
MEMORY = [("alloc", "ENOMEM", False), ("alloc", "ENOMEM", True),
          ("lib", "ENOMEM", False), ("lib", "ENOMEM", True)]
FILES = [("open", "EMFILE", False), ("open", "EMFILE", True),
         ("open", "EACCES", False), ("open", "EACCES", True),
         ("read", "EIO", False), ("read", "EIO", True), ("read", "EINTR", False),
         ("read", "short", False), ("read", "short", True),
         ("write", "ENOSPC", False), ("write", "ENOSPC", True),
         ("write", "EIO", False), ("write", "EIO", True),
         ("write", "EINTR", False), ("write", "short", False), ("write", "short", True),
         ("sync", "EIO", False), ("sync", "EIO", True), ("sync", "ENOSPC", True),
         ("rename", "EIO", False), ("rename", "EIO", True), ("rename", "ENOSPC", True),
         ("close", "EIO", False), ("close", "EIO", True), ("close", "EINTR", True),
         ("meta", "EIO", False), ("meta", "EIO", True),
         ("remove", "EIO", False), ("remove", "EIO", True), ("wait", "EINTR", False),
         ("thread", "EAGAIN", False), ("thread", "EAGAIN", True)]
SERVER = [(kind, mode, forever) for kind, modes in
          (("pq", ("fail", "cut", "reply", "cancel")),
           ("sql", ("40001", "40P01", "57014", "57P01", "53200")),
           ("commit", ("40001", "53100", "57P01", "lost")))
          for mode in modes for forever in (False, True)]
SURVIVED = {"EINTR", "short"}  # whoever meets these goes on


class Setup:
    """What all runs share."""

    def __init__(self, options, work):
        self.program = os.path.abspath(options.program)
        self.seam = os.path.abspath(options.seam)
        self.work = work
        self.has_server = "PG_TEMP_DIR" in os.environ
        self.inputs = fault_cases.Inputs(self.program, work)
        if self.has_server:
            self.inputs.make_databases()
        self.cases = list(fault_cases.file_cases(self.inputs))
        if self.has_server:
            self.cases += fault_cases.database_cases(self.inputs)

    def login(self, case, directory):
        if not case.template:
            return {}
        return fault_cases.login(os.path.basename(directory), case.arguments[0])


class Wanted:
    """A case without a fault."""

    def __init__(self, place, case, trace=None):
        place.begin(case)
        self.before = place.state(case)
        place.holds = None
        self.outcome = place.run(case, trace=trace)
        if self.outcome.status != 0 or not self.outcome.report.is_whole:
            raise RuntimeError("%s fails without a fault: %s" % (case.name, self.outcome.err))
        self.after = place.state(case)


def judge_state(place, case, wanted, outcome):
    """The tables are the old or the new ones, and the next run brings the new ones."""
    problems = []
    place.settle()
    if case.look is not None:
        return case.look(place, outcome)
    if place.is_untouched():
        changes = outcome.status == 0 and wanted.before != wanted.after
        return ["succeeds, and has written nothing"] if changes else []
    now = place.state(case)
    if outcome.status == 0 and now != wanted.after:
        problems.append("succeeds, and the tables are not what they should be")
    if case.is_atomic and now not in (wanted.before, wanted.after):
        problems.append("the tables are neither old nor new")
    if now != wanted.before or wanted.before == wanted.after:
        place.holds = None
    if now == wanted.after and (outcome.status == 0 or not case.repeats):
        return problems
    place.holds = None
    again = place.run(case)
    if again.status != 0 or place.state(case) != wanted.after:
        problems.append("the next run ends with %s, and not with the right tables: %s" % (
            again.status, again.err[-200:].decode("utf-8", "replace")))
    return problems


def judge_again(place, case, wanted):
    """The next run in the same directory ends with what there should be."""
    again = place.run(case)
    if again.status != 0:
        return ["the next run ends with %s: %s" % (again.status, again.err[-200:])]
    for name in case.growing:
        lines = again.files[name].splitlines()
        if sorted(set(lines)) != sorted(set(wanted.outcome.files[name].splitlines())):
            return ["after the next run, %s has other lines" % name]
    return []


def try_fault(place, case, wanted, fault):
    """(has fired, problems) of one run with a fault."""
    has_old = fault.at % 2 == 0
    place.begin(case, has_old)
    if case.template is not None:
        before, place.holds = place.holds, None
        place.mark()
    outcome = place.run(case, fault)
    problems = fault_run.judge(case, outcome, wanted.outcome, fault, has_old)
    if outcome.report.is_whole and not outcome.report.fired:
        place.holds = None
        return False, problems
    if fault.mode in SURVIVED and outcome.status not in (0, None) and fault.kind != "open":
        problems.append("gives up, though %s can be gone on from: %s" % (
            fault.mode, outcome.err[-200:].decode("utf-8", "replace")))
    if case.template is not None:
        place.holds = before
        problems += judge_state(place, case, wanted, outcome)
    elif case.again:
        problems += judge_again(place, case, wanted)
    return True, problems


# --- Which ones -----------------------------------------------------------------------------------


def choose(traced, most, rng):
    """Call numbers: of each stack the first and the last, others as there is room. Statements of
    one text have the same stack, and other names."""
    by_stack = {}
    for number, name, stack in traced:
        by_stack.setdefault((name, stack), []).append(number)
    firsts = sorted(numbers[0] for numbers in by_stack.values())
    lasts = sorted({numbers[-1] for numbers in by_stack.values()} - set(firsts))
    rest = sorted({number for number, _, _ in traced} - set(firsts) - set(lasts))
    for some in (rest, lasts, firsts):
        rng.shuffle(some)
    return sorted((firsts + lasts + rest)[:most])


def faults_of(case, traces, options, rng):
    """All faults of a case, those of one class and mode together."""
    for kind, mode, forever in MEMORY + FILES + (SERVER if case.template else []):
        if options.kinds and kind not in options.kinds:
            continue
        traced = traces[kind]
        if mode == "cancel":
            traced = fault_run.copies_of(traced)
        most = options.most if kind != "lib" else min(options.most, options.most_lib)
        numbers = choose(traced, most, rng)
        yield (kind, mode, forever), [fault_run.Fault(kind, mode, n, forever) for n in numbers]


def trace_all(place, case, options):
    traces = {}
    for kind in dict.fromkeys(kind for kind, _, _ in MEMORY + FILES + SERVER):
        if options.kinds and kind not in options.kinds:
            continue
        place.begin(case)
        place.holds = None
        traces[kind] = place.run(case, trace=kind).report.traced
    return traces


# --- The whole ------------------------------------------------------------------------------------


class Torture:
    def __init__(self, setup, options):
        self.setup, self.options = setup, options
        self.rng = random.Random(options.seed)
        self.places = queue.Queue()
        for i in range(options.jobs):
            self.places.put(fault_place.Place(setup, "place_%d" % i))
        self.pool = concurrent.futures.ThreadPoolExecutor(options.jobs)
        self.failures = self.runs = 0

    def one(self, case, wanted, fault):
        place = self.places.get()
        try:
            return fault, *try_fault(place, case, wanted, fault)
        finally:
            self.places.put(place)

    def tell(self, case, fault, problems):
        self.failures += 1
        print("not ok %s %s: %s" % (case.name, fault, "; ".join(problems)))
        print("  replay: OPTIONS='--replay \"%s %s\"' make torture-faults" % (case.name, fault),
              flush=True)

    def try_all(self, case, wanted, faults):
        """How many fired."""
        fired = 0
        work = [self.pool.submit(self.one, case, wanted, fault) for fault in faults]
        for done in work:
            fault, has_fired, problems = done.result()
            fired += has_fired
            self.runs += 1
            if problems:
                self.tell(case, fault, problems)
        return fired

    def first_place(self, work):
        place = self.places.get()
        try:
            return work(place)
        finally:
            self.places.put(place)

    def case(self, case):
        wanted = self.first_place(lambda place: Wanted(place, case))
        traces = self.first_place(lambda place: trace_all(place, case, self.options))
        kinds = faults_of(case, traces, self.options, self.rng)
        for kind, group in itertools.groupby(kinds, key=lambda pair: pair[0][0]):
            started, failures = time.monotonic(), self.failures
            fired = sum(self.try_all(case, wanted, faults) for _, faults in group)
            if traces[kind]:
                print("%s %s: %s %d faults; %.0f s" % (
                    "ok" if self.failures == failures else "--", case.name, kind, fired,
                    time.monotonic() - started), flush=True)

    def wanted(self, case):
        """Of a sample: what copies there is known, too."""
        return self.first_place(lambda place: Wanted(place, case, "pq" if case.template else None))

    def meet(self, case, wanted, attempts):
        """The first of the faults that fires."""
        for fault in attempts:
            _, fired, problems = self.one(case, wanted, fault)
            if fired or problems:
                break
        return fault, fired, problems

    def sample(self):
        """Each class and mode once, and a fault of each command."""
        cases = [case for case in self.setup.cases if not case.is_slow]
        wanted = dict(zip(cases, self.pool.map(self.wanted, cases)))
        dealt, missed = fault_sample.deal(wanted, MEMORY + FILES + SERVER, self.rng)
        work = {case: [self.pool.submit(self.meet, case, wanted[case], attempts)
                       for attempts in dealt[case]] for case in cases}
        for case in cases:
            fired, failures = [], self.failures
            for fault, has_fired, problems in (done.result() for done in work[case]):
                self.runs += 1
                if problems:
                    self.tell(case, fault, problems)
                if has_fired:
                    fired.append(str(fault))
                else:
                    missed.append((fault.kind, fault.mode, fault.forever))
            print("%s %s: %d faults: %s" % ("ok" if self.failures == failures else "--", case.name,
                                            len(fired), " ".join(fired)), flush=True)
        print("%d of %d classes and modes were met%s" % (
            len(MEMORY + FILES + SERVER) - len(set(missed)), len(MEMORY + FILES + SERVER),
            "".join("; not %s %s%s" % (kind, mode, " for good" if forever else "")
                    for kind, mode, forever in missed)))

    def replay(self, text):
        """One fault alone, with where it came from."""
        name, fault = text.split()
        fault = fault_run.Fault.parse(fault)
        case = next(case for case in self.setup.cases if case.name == name)
        place = self.places.get()
        wanted = Wanted(place, case)
        fired, problems = try_fault(place, case, wanted, fault)
        place.begin(case, fault.at % 2 == 0)
        outcome = place.run(case, fault, trace=fault.kind)
        for number, called, stack in outcome.report.traced:
            if number == fault.at:
                print("call of %s\n%s" % (called, self.lines(stack)))
        for site in outcome.report.live - wanted.outcome.report.live:
            print("not freed: %s+%s\n%s" % (*site, self.lines(outcome.report.stacks[site])))
        print(outcome.err.decode("utf-8", "replace"), end="")
        print("status %s, fired %s: %s" % (outcome.status, fired, "; ".join(problems) or "well"))
        self.failures += bool(problems)
        self.runs += 1

    def lines(self, stack):
        """Addresses of the program as functions and lines."""
        found = subprocess.run(["addr2line", "-fpse", self.setup.program, *stack],
                               capture_output=True, text=True, check=False).stdout
        return "".join("  %s\n" % line for line in found.splitlines())


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--seam", required=True)
    parser.add_argument("--case", action="append", dest="cases", help="only these commands")
    parser.add_argument("--kind", action="append", dest="kinds", help="only these classes")
    parser.add_argument("--most", type=int, default=1 << 30,
                        help="faults of a command, class and mode at most (all)")
    parser.add_argument("--most-lib", type=int, default=400,
                        help="of those in libraries' allocations (400: about all stacks)")
    parser.add_argument("--sample", action="store_true",
                        help="each class and mode once, each command once at least")
    parser.add_argument("--seed", type=int, default=1, help="of what is chosen where not all are")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--replay", metavar="'COMMAND FAULT'")
    return parser.parse_args(arguments)


def main():
    options = options_of(sys.argv[1:])
    work = tempfile.mkdtemp(prefix="clickmatch-faults-")
    os.environ["LC_ALL"] = "C"
    try:
        torture = Torture(Setup(options, work), options)
        if options.replay:
            torture.replay(options.replay)
        elif options.sample:
            torture.sample()
        else:
            for case in torture.setup.cases:
                if not options.cases or case.name in options.cases:
                    torture.case(case)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print("%d runs, %d failed" % (torture.runs, torture.failures))
    return 1 if torture.failures else 0


sys.exit(main())
