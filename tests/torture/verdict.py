"""Is what a broken run left behind what an unbroken one would have?"""

import glob
import json
import os


def first_difference(one, other):
    """Of two sorted lists of lines."""
    missing, extra = sorted(set(one) - set(other)), sorted(set(other) - set(one))
    if not missing and not extra:
        return "the same lines, but not as often" if one != other else None
    return "%d missing, %d too many; %.600s ... %.600s" % (
        len(missing), len(extra), missing[:1], extra[:1])


def check_tables(wanted, found):
    """Tables of two dumps: what differs."""
    problems = []
    for table, lines in wanted.items():
        difference = first_difference(lines, found[table])
        if difference:
            problems.append("%s: %s" % (table, difference))
    log = [json.loads(line)["fields"] for line in found["attribution_performance_log"]]
    conversions = {(line["conversion_id"], line["tenant_id"]) for line in log}
    if len(conversions) != len(log) or any(line["attempt_number"] != 1 for line in log):
        problems.append("attribution_performance_log: not one line for each conversion")
    if len(log) != len(found["conversion_tracking"]):
        problems.append("attribution_performance_log: %d lines for %d conversions" %
                        (len(log), len(found["conversion_tracking"])))
    return problems


def by_seq(lines):
    return {json.loads(line)["seq"]: line for line in lines}


class Outputs:
    """What the lives of a stream have printed."""

    def __init__(self, wanted, told_at):
        self.wanted = wanted  # lines of the unbroken run, by seq
        self.told_at = told_at
        self.seen = set()
        self.repeated = 0
        self.settled = set()  # what the life before printed, if it ended as it was asked to
        self.problems = []

    def add(self, life):
        """The output of a life, in the order of lives."""
        lines, rest = life.output()
        resumed_from = life.resumed_from()
        last = 0
        for line in lines:
            seq = json.loads(line)["seq"]
            if line != self.wanted.get(seq):
                self.problems.append("%s: another line: %.300s" % (life.place, line))
            if seq <= last:
                self.problems.append("%s: seq %d after %d" % (life.place, seq, last))
            if self.told_at.get(seq, resumed_from) < resumed_from:
                self.problems.append("%s: seq %d was told before the checkpoint at %d" %
                                     (life.place, seq, resumed_from))
            if seq in self.settled:
                self.problems.append("%s: seq %d again, after an orderly end" % (life.place, seq))
            last = seq
            self.repeated += seq in self.seen
            self.seen.add(seq)
        if rest and life.was_asked:
            self.problems.append("%s: ends in the middle of a line" % life.place)
        self.settled = set(by_seq(lines)) if life.was_asked else set()

    def end(self):
        missing = set(self.wanted) - self.seen
        if missing:
            self.problems.append("standard output: %d results missing, as that of seq %d" %
                                 (len(missing), min(missing)))
        return self.problems


def check_directory(directory):
    """After an orderly end: nothing is left over."""
    names = {os.path.basename(path) for path in glob.glob(os.path.join(directory, "*"))}
    problems = ["%s was left behind" % name for name in names if name.endswith(".tmp")]
    others = {name for name in names if not name.endswith((".part", ".tmp"))}
    if others != {"clickmatch.lock", "manifest", "position.json"}:
        problems.append("checkpoint: %s" % sorted(others))
    if not os.path.exists(os.path.join(directory, "manifest")):
        return problems
    with open(os.path.join(directory, "manifest"), "rb") as file:
        manifest = file.read()
    return problems + ["%s is in no checkpoint" % name for name in names
                       if name.endswith(".part") and name[:-5].encode() not in manifest]
