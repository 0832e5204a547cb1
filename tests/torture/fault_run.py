"""One run of the program with one fault, by way of the preloaded seam, and what must hold of it."""

import collections
import os
import re
import shutil
import signal
import subprocess

STATUSES = (0, 1, 3, 4, 5)
HANGS_SECONDS = 60
WAITS_SECONDS = 2  # whoever waits for a server that is away for good is interrupted after that
SERVER_KINDS = ("pq", "sql", "commit")
# OpenSSL does not free its own when its setting up has failed.
LEAKS_WHEN_SHORT = ("libcrypto.so",)
OLD = b"what stood there before\n"


class Fault:
    """The Nth call of a class meets it, or all from that one on."""

    def __init__(self, kind, mode, at, forever=False):
        self.kind, self.mode, self.at, self.forever = kind, mode, at, forever

    def __str__(self):
        return "%s:%d:%s%s" % (self.kind, self.at, self.mode, ":forever" if self.forever else "")

    @staticmethod
    def parse(text):
        kind, at, mode, *more = text.split(":")
        return Fault(kind, mode, int(at), more == ["forever"])


class Report:
    """What the seam told at the end of a run."""

    def __init__(self, path):
        self.calls, self.traced, self.stacks = {}, [], {}
        self.live = collections.Counter()
        self.fired = self.open = 0
        self.is_whole = False
        if not os.path.exists(path):
            return
        with open(path, encoding="ascii", errors="replace") as file:
            for line in file:
                self.read(line.split())

    def read(self, words):
        if words[0] == "calls":
            self.calls[words[1]] = int(words[2])
        elif words[0] == "call":
            self.traced.append((int(words[1]), words[2], tuple(words[3:])))
        elif words[0] == "live":
            self.live[words[1], words[2]] += 1
            self.stacks[words[1], words[2]] = words[4:]
        elif words[0] in ("fired", "open"):
            setattr(self, words[0], int(words[1]))
        elif words[0] == "end":
            self.is_whole = True


class Outcome:
    """A run that has ended, and what it left in its directory."""

    def __init__(self, status, out, err, report, directory, was_waiting=False):
        self.status, self.out, self.err, self.report = status, out, err, report
        self.was_waiting = was_waiting  # until it was interrupted
        self.files = {}
        for folder, _, names in os.walk(directory):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    self.files[os.path.relpath(path, directory)] = file.read()


def run(setup, case, directory, fault=None, trace=None):
    """Run a case's command in a directory. setup: where program, seam and inputs are."""
    report = directory + ".report"
    environment = dict(os.environ, LD_PRELOAD=setup.seam, CM_FAULT_REPORT=report,
                       **setup.login(case, directory))
    if os.path.exists(report):
        os.unlink(report)
    if fault is not None:
        environment["CM_FAULT"] = str(fault)
    if trace is not None:
        environment["CM_FAULT_TRACE"] = trace
    with open(case.stdin or os.devnull, "rb") as stdin:
        process = subprocess.Popen([setup.program, *case.arguments], env=environment, stdin=stdin,
                                   cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        may_wait = (case.waits and fault is not None and fault.forever
                    and fault.kind in SERVER_KINDS)
        said = end_of(process, WAITS_SECONDS) if may_wait else None
        was_waiting = may_wait and said is None
        if was_waiting:
            process.send_signal(signal.SIGINT)
        said = said or end_of(process, HANGS_SECONDS)
        hangs = said is None
        if hangs:
            process.kill()
            said = process.communicate()
    return Outcome(None if hangs else process.returncode, *said, Report(report), directory,
                   was_waiting)


def end_of(process, seconds):
    """What it has said when it ends; None where it does not within so long."""
    try:
        return process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None


def copies_of(traced):
    """What may be cancelled while something of it is under way."""
    return [call for call in traced if "Copy" in call[1]]


def make_directory(case, directory, has_old):
    """Empty, or with older files in the place of outputs."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    case.prepare(directory)
    for name in case.whole if has_old else ():
        with open(os.path.join(directory, name), "wb") as file:
            file.write(OLD)


# --- Judging --------------------------------------------------------------------------------------


def lines_of(err):
    return [line for line in err.decode("utf-8", "replace").splitlines() if line]


def judge_lines(case, outcome, wanted):
    """One line of a failure says what, where and what to do; what succeeds may warn."""
    usual = set(lines_of(wanted.err))
    lines = [line for line in lines_of(outcome.err)
             if line not in usual and "clickmatch: warning: " not in line]
    if outcome.status == 0:
        return ["says %r, though it succeeds" % lines[0]] if lines and not case.talks else []
    if case.talks:
        lines = lines[-1:]
    if len(lines) != 1:
        return ["%d lines of errors, not one: %s" % (len(lines), lines[:3])]
    if not re.match(r"clickmatch: \S.{10}", lines[0]) or "(null)" in lines[0]:
        return ["no message: %r" % lines[0]]
    if ";" not in lines[0] and not re.search("interrupted", lines[0]):
        return ["does not say what to do: %r" % lines[0]]
    return []


def is_whole_lines(bytes_, whole):
    return whole.startswith(bytes_) and (not bytes_ or bytes_.endswith(b"\n"))


def judge_files(case, outcome, wanted, fault, has_old):
    problems = []
    for name in case.whole:
        was, got = (OLD if has_old else None), outcome.files.get(name)
        new = case.comparable(name, wanted.files[name])
        is_new = got is not None and got != was and case.comparable(name, got) == new
        if outcome.status == 0 and not is_new:
            problems.append("succeeds, and %s is not what it should be" % name)
        if outcome.status != 0 and got != was and not is_new and name not in case.kept:
            problems.append("%s is neither old nor new: %r" % (name, (got or b"")[-200:]))
    for name in case.growing:
        got, new = outcome.files.get(name, b""), wanted.files.get(name, b"")
        may_be_cut = fault.kind in ("write", "close", "meta")
        if outcome.status == 0 and got != new:
            problems.append("succeeds, and %s is not what it should be" % name)
        elif not (new.startswith(got) if may_be_cut else is_whole_lines(got, new)):
            problems.append("%s holds something else: %r" % (name, got[-200:]))
    known = set(wanted.files) | set(case.whole) | set(case.growing)
    strange = [name for name in outcome.files if name not in known and not case.may_leave(name)]
    if strange and fault.kind != "remove":
        problems.append("left behind: %s" % " ".join(strange))
    return problems


def judge_output(case, outcome, wanted, fault):
    got, new = case.comparable("-", outcome.out), case.comparable("-", wanted.out)
    if got == new:
        return []
    if outcome.status == 0:
        return ["succeeds, and standard output is not what it should be: %r" % outcome.out[-200:]]
    if not outcome.out or (case.is_streamed and wanted.out.startswith(outcome.out)):
        return []
    if fault.kind in ("write", "close") and wanted.out.startswith(outcome.out):
        return []
    return ["standard output is neither empty nor whole: %r" % outcome.out[-200:]]


def judge_leaks(outcome, wanted, fault):
    problems = []
    for site, count in (outcome.report.live - wanted.report.live).items():
        if fault.kind == "lib" and site[0].startswith(LEAKS_WHEN_SHORT):
            continue
        problems.append("%d blocks not freed, of %s+%s" % (count, *site))
    if outcome.report.open > wanted.report.open:
        problems.append("%d descriptors left open" % (outcome.report.open - wanted.report.open))
    return problems


def judge(case, outcome, wanted, fault, has_old):
    """What is wrong with a run, a line each; wanted: the outcome without a fault."""
    if outcome.status is None:
        return ["hangs: %s" % outcome.err[-300:].decode("utf-8", "replace")]
    if outcome.status not in STATUSES or not outcome.report.is_whole:
        return ["ends with %s: %s" % (outcome.status,
                                      outcome.err[-300:].decode("utf-8", "replace"))]
    if outcome.was_waiting and outcome.status != 4:
        return ["ends with %s when it is interrupted while it waits for the server: %s" % (
            outcome.status, outcome.err[-300:].decode("utf-8", "replace"))]
    return (judge_lines(case, outcome, wanted) + judge_files(case, outcome, wanted, fault, has_old)
            + judge_output(case, outcome, wanted, fault) + judge_leaks(outcome, wanted, fault))
