#!/usr/bin/env python3
"""A strict reader of the Prometheus text exposition format 0.0.4, as clickmatch means to write it.

    exposition.py [FAMILY...] <metrics.txt

Prints what is wrong, a line each, and fails if there is anything; a named FAMILY must be there and
have a sample. Stricter than Prometheus: every family has HELP and TYPE, in that order, and stands
together; counters end with _total; units are base units; nothing comes twice; no timestamps.
"""

import math
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"'
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? (\S+)" % (NAME, LABEL, LABEL))
VALUE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|Inf)|NaN")
UNITS = re.compile(r"_(ms|us|ns|milliseconds|microseconds|nanoseconds|minutes|hours|kb|mb|kib|mib|"
                   r"kilobytes|megabytes|percent)(_|$)")
TYPES = ("counter", "gauge", "histogram")


class Family:
    def __init__(self, name):
        self.name = name
        self.type = None
        self.samples = []  # (name, labels, value)


class Reader:
    def __init__(self):
        self.problems = []
        self.families = {}
        self.current = None
        self.series = set()

    def wrong(self, number, what):
        self.problems.append("line %d: %s" % (number, what))

    def read(self, text):
        if not text.endswith("\n"):
            self.wrong(text.count("\n") + 1, "no line end at the end")
        for number, line in enumerate(text.split("\n")[:-1], 1):
            if line.startswith("#"):
                self.read_comment(number, line)
            else:
                self.read_sample(number, line)
        for family in self.families.values():
            self.check_family(family)
        return self.problems

    def read_comment(self, number, line):
        match = re.fullmatch(r"# (HELP|TYPE) (%s) (\S.*)" % NAME, line)
        if not match:
            return self.wrong(number, "neither HELP nor TYPE: " + line)
        word, name, rest = match.groups()
        if word == "HELP":
            if name in self.families:
                self.wrong(number, name + " comes again")
            if re.search(r"\\(?![\\n])", rest):
                self.wrong(number, "HELP with an unknown escape")
            self.current = self.families[name] = Family(name)
        elif self.current is None or self.current.name != name:
            self.wrong(number, "TYPE of %s not after its HELP" % name)
        elif self.current.type is not None:
            self.wrong(number, "TYPE of %s comes again" % name)
        elif rest not in TYPES:
            self.wrong(number, "unknown type " + rest)
        else:
            self.current.type = rest
        return None

    def read_sample(self, number, line):
        match = SAMPLE.fullmatch(line)
        if not match or not VALUE.fullmatch(line.rpartition(" ")[2]):
            return self.wrong(number, "no sample: " + line)
        name, value = match.group(1), float(line.rpartition(" ")[2])
        pairs = re.findall(LABEL, match.group(2) or "")
        labels = dict(pairs)
        if len(labels) != len(pairs):
            self.wrong(number, "a label twice: " + line)
        key = (name, tuple(sorted(pairs)))
        if key in self.series:
            self.wrong(number, "the series comes again: " + line)
        self.series.add(key)
        family = self.current
        if family is None or family.type is None or not self.belongs(family, name):
            return self.wrong(number, "%s stands outside its family" % name)
        family.samples.append((name, labels, value))
        return None

    @staticmethod
    def belongs(family, name):
        if family.type == "histogram":
            return name in [family.name + end for end in ("_bucket", "_sum", "_count")]
        return name == family.name

    def check_family(self, family):
        name = family.name

        def wrong(what):
            self.problems.append("%s: %s" % (name, what))
        if family.type is None:
            wrong("no TYPE")
        if not name.startswith("clickmatch_"):
            wrong("not ours")
        if UNITS.search(name):
            wrong("no base unit")
        if (family.type == "counter") != name.endswith("_total"):
            wrong("counters, and only they, end with _total")
        for _, labels, value in family.samples:
            if math.isnan(value):
                wrong("NaN")
            if family.type != "gauge" and value < 0:
                wrong("negative")
            if family.type != "histogram" and {"le", "quantile"} & set(labels):
                wrong("le and quantile are reserved")
            if name.endswith("_info") and value != 1:
                wrong("an info is 1")
        if family.type == "histogram" and family.samples:
            self.check_histogram(family, wrong)

    @staticmethod
    def check_histogram(family, wrong):
        """One without labels but le."""
        buckets = [(float(labels.get("le", "nan")), value)
                   for name, labels, value in family.samples if name.endswith("_bucket")]
        rest = {name[len(family.name):]: value
                for name, _, value in family.samples if not name.endswith("_bucket")}
        bounds = [bound for bound, _ in buckets]
        counts = [count for _, count in buckets]
        if not bounds or bounds != sorted(set(bounds)):
            wrong("bounds do not rise")
        elif bounds[-1] != math.inf:
            wrong("no bucket +Inf")
        if counts != sorted(counts):
            wrong("buckets are not cumulative")
        if set(rest) != {"_sum", "_count"}:
            wrong("sum or count is missing")
        elif counts and counts[-1] != rest["_count"]:
            wrong("count is not the last bucket")


def check(text, wanted=()):
    """What is wrong with a text, and which of the wanted families have no sample."""
    reader = Reader()
    problems = reader.read(text)
    for name in wanted:
        if name not in reader.families or not reader.families[name].samples:
            problems.append("%s: no sample" % name)
    return problems


def main():
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        print("no UTF-8: %s" % error)
        return 1
    problems = check(text, sys.argv[1:])
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
