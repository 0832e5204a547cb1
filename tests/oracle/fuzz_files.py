#!/usr/bin/env python3
"""Hold the command against the Python reference on random hostile files, byte for byte.

    fuzz_files.py PROGRAM csv|ndjson|models|refusals|mixed|large|catalogue FIRST END [--keep DIR]

Each seed makes files of clicks and conversions, most of their rows valid, the others just beside
it. The program matches them twice: CSV results on one thread, and NDJSON results on three with
packed input. Results must be the same to the byte; rejected rows, duplicates, lenient counts and
the exit status must be the same, too; a model that is refused, for the same field. Large files are
read in several blocks. The catalogue has each odd value once: four seeds are all. Refusals are of a
model with one fault: fuzz_refusals.COUNT seeds are all. --keep leaves the files of seeds that
differ.
"""

import argparse
import base64
import collections
import concurrent.futures
import functools
import gzip
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

import fuzz_catalogue
import fuzz_model
import fuzz_refusals
import reference
from fuzz_text import csv_file, mutate, ndjson_file, stretch
from fuzz_values import Values
from reference_model import DEFAULT_MODEL, load_model
from reference_values import Failure

# -------------------------------------------------------------------------------------------------
# Making files


class Case:
    """The files of one seed, and how to match them."""

    def __init__(self, mode, seed, folder):
        self.random = random.Random(f"{mode} {seed}")
        self.mode, self.folder, self.model = mode, folder, None
        chance = self.random.random
        self.lenient = chance() < 0.4
        self.max_rejects = self.random.choice((0, 5)) if chance() < 0.04 else "none"
        self.hostile = self.random.choice((0, 0.004, 0.02))
        model = DEFAULT_MODEL
        if mode == "refusals":
            self.hostile, self.max_rejects = 0, "none"
            self.is_refused = (seed + 1) % fuzz_refusals.COUNT > 0
            self.write_model(fuzz_refusals.broken_text(self.random, seed))
        if mode == "catalogue":
            self.make_catalogue(seed)
            return
        if mode == "models" or mode == "mixed" and chance() < 0.5:
            model = self.make_model(seed)
        values = Values(self.random, model, self.hostile)
        size = {"large": 12, "refusals": 0.1}.get(mode, 1)
        self.clicks = self.make_files("click", values.click, int(300 * size))
        self.conversions = self.make_files("conversion", values.conversion, int(200 * size))

    def make_catalogue(self, seed):
        self.lenient, self.max_rejects, self.hostile = seed & 2 > 0, "none", 0
        paths = {}
        for kind in ("click", "conversion"):
            rows, path = fuzz_catalogue.rows(kind), self.folder / f"{kind}s"
            text = ndjson_file(self.random, rows, 0) if seed & 1 else csv_file(
                self.random, kind, rows, 0, fuzz_catalogue.COLUMNS[kind])
            path.write_bytes(text)
            paths[kind] = [str(path)]
        self.clicks, self.conversions = paths["click"], paths["conversion"]

    def write_model(self, text):
        self.model = str(self.folder / "model.json")
        pathlib.Path(self.model).write_text(text, encoding="utf-8")

    def make_model(self, seed):
        if self.mode == "models" and self.random.random() < 0.1:
            self.write_model(fuzz_refusals.broken_text(self.random, seed))
            return DEFAULT_MODEL
        self.write_model(json.dumps(fuzz_model.valid_model(self.random),
                                    ensure_ascii=self.random.random() < 0.5))
        return load_model(self.model)

    def make_files(self, kind, draw, count):
        """Paths. Rows may come again in the next file: duplicates."""
        rows = [draw() for _ in range(self.random.randint(count // 4, count))]
        cut = self.random.choice((len(rows), len(rows), self.random.randrange(len(rows))))
        parts = [rows[:cut]] + [rows[cut // 2:]] * (cut < len(rows))
        paths = []
        for number, part in enumerate(parts):
            path = self.folder / f"{kind}s {number}"
            path.write_bytes(self.make_text(kind, part))
            paths.append(str(path))
        return paths

    def make_text(self, kind, rows):
        form = self.mode
        if form == "refusals":
            form = "ndjson"  # without a header that may be hostile
        elif form not in ("csv", "ndjson"):
            form = self.random.choice(("csv", "ndjson"))
        hostile = self.hostile
        if form == "csv":
            text = csv_file(self.random, kind, rows, hostile)
        else:
            text = ndjson_file(self.random, rows, hostile)
        if hostile and self.mode != "models" and self.random.random() < 0.25:
            start = self.random.choice((0, text.find(b"\n") + 1))
            text = text[:start] + mutate(self.random, text[start:], self.random.choice((1, 3, 30)))
        if hostile and self.mode != "models" and self.random.random() < 0.05:
            text = stretch(self.random, text, b" " if form == "ndjson" else b"x")
        return text

    def arguments(self):
        return argparse.Namespace(clicks=self.clicks, conversions=self.conversions,
                                  model=self.model, lenient=self.lenient,
                                  max_rejects=self.max_rejects)


# -------------------------------------------------------------------------------------------------
# Matching them


class Outcome:
    """What a run said: status, result bytes by format, rejects, duplicates, lenient counts."""

    def __init__(self, status):
        self.status = status
        self.said = ""  # the program's one line of an error
        self.field = None  # of a model that is refused
        self.results = {}
        self.rejects = self.duplicates = self.lenient = None
        self.bytes = []  # of each reject; the reference says where its row begins


SHOWN_MAX = (1 << 16) - 4


def shown(text):
    """What is compared of a row: rejects show but the first 64 KiB of one over the limit."""
    return text[:SHOWN_MAX]


def run_reference(case):
    arguments = case.arguments()
    readers = reference.make_readers(arguments)
    try:
        clicks, duplicates, _, rows = reference.match_files(arguments, readers)
        outcome = Outcome(0)
    except Failure as failure:
        outcome = Outcome(failure.status)
        outcome.field = failure.field
    if outcome.status in (0, 3):
        outcome.rejects = [(source, line, field, shown(text)) for reader in readers
                           for source, line, _, field, _, text in reader.rejects]
        outcome.bytes = [reject[2] for reader in readers for reject in reader.rejects]
    if outcome.status == 0:
        outcome.results = {name: b"".join(reference.result_lines(rows, name))
                           for name in ("csv", "ndjson")}
        outcome.duplicates = [clicks.duplicates, duplicates]
        outcome.lenient = [reader.lenient_counts for reader in readers]
    return outcome


def command(case, program, form, threads, suffix):
    out = case.folder / f"results {threads}"
    line = [program, "match", "--quiet", "--output", out, "--format", form, "--threads", threads,
            "--rejects", f"{out}.rejects", "--summary", f"{out}.json", "--max-rejects",
            str(case.max_rejects)]
    for name in ("clicks", "conversions"):
        for path in getattr(case, name):
            line += [f"--{name}", path + suffix]
    line += ["--model", case.model] if case.model else []
    return out, line + ["--lenient"] * case.lenient


def reject_row(line, suffix):
    """(source, line, field, text) of a line of rejects"""
    reject = json.loads(line)
    row = reject.get("row")
    text = row.encode() if row is not None else base64.b64decode(reject["row_base64"])
    return reject["source"].removesuffix(suffix), reject["line"], reject["field"], shown(text)


def run_program(case, program, form, threads, suffix):
    out, line = command(case, program, form, threads, suffix)
    done = subprocess.run([str(word) for word in line], stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, check=False, timeout=60)
    outcome = Outcome(done.returncode)
    if done.returncode in (0, 3):
        lines = pathlib.Path(f"{out}.rejects").read_bytes().splitlines()
        outcome.rejects = [reject_row(line, suffix) for line in lines]
        outcome.bytes = [json.loads(line)["byte"] for line in lines]
    if done.returncode == 0:
        outcome.results[form] = out.read_bytes()
        summary = json.loads(pathlib.Path(f"{out}.json").read_bytes())
        counts = [summary["clicks"], summary["conversions"]]
        outcome.duplicates = [count["duplicates"] for count in counts]
        outcome.lenient = [count["lenient"] for count in counts]
    said = done.stderr.decode("utf-8", "replace").splitlines()
    errors = [line for line in said if not line.startswith("clickmatch: warning: ")]
    left = [path.name for path in case.folder.glob("*.tmp")]
    if left or len(errors) != (done.returncode != 0):
        print("left:", left, "said:", errors)
        outcome.status = -1000
    outcome.said = "".join(errors)
    return outcome


def misplaced(expected, actual):
    """Rejects whose byte is not where the field, or anything of the row, begins."""
    for (source, line, field, text), start, byte in zip(expected.rejects, expected.bytes,
                                                        actual.bytes):
        before = pathlib.Path(source).read_bytes()[start:byte].rstrip(b" \t\r")
        is_outside = byte < start or byte - start > len(text) + 1 and len(text) < SHOWN_MAX
        if is_outside or field and before[-1:] not in (b"", b",", b":"):
            return [f"{source}:{line}: byte {byte} is not in the row, or not of {field}"]
    return []


def names_field(said, field):
    """Whether an error is about a field. Odd names may be written otherwise: the last counts."""
    is_plain = re.fullmatch(r"[A-Za-z0-9_.-]+", field)
    return f"model: {field}: " in said if is_plain else field.split(".")[-1] + ": " in said


def is_refused(model):
    """By itself: the files of a seed may be refused for what they are."""
    try:
        load_model(model)
    except Failure:
        return True
    return False


def differences(case, program):
    expected = run_reference(case)
    found = []
    if case.mode == "refusals" and is_refused(case.model) != case.is_refused:
        found.append(f"status {expected.status} of the reference")
    for path in case.clicks + case.conversions:
        with open(path + ".gz", "wb") as file:
            file.write(gzip.compress(pathlib.Path(path).read_bytes(), 1))
    for form, threads, suffix in (("csv", "1", ""), ("ndjson", "3", ".gz")):
        actual = run_program(case, program, form, threads, suffix)
        if actual.status != expected.status:
            found.append(f"status {actual.status}, not {expected.status}")
            continue
        if expected.field is not None and not names_field(actual.said, expected.field):
            found.append(f"{expected.field} is refused, not {actual.said}")
        if form in actual.results:
            found += first_difference(form, expected.results[form].splitlines(),
                                      actual.results[form].splitlines())
        if expected.rejects is not None:
            found += (first_difference("rejects", expected.rejects, actual.rejects)
                      or misplaced(expected, actual))
        if (expected.duplicates, expected.lenient) != (actual.duplicates, actual.lenient):
            found.append(f"counts {actual.duplicates} {actual.lenient}, "
                         f"not {expected.duplicates} {expected.lenient}")
    return found, expected


def first_difference(what, expected, actual):
    for place, (one, other) in enumerate(zip(expected + [None], actual + [None])):
        if one != other:
            return [f"{what} {place}:\n  expected {one!s:.2000}\n  actual   {other!s:.2000}"]
    return []


# -------------------------------------------------------------------------------------------------
# The command


def run_seed(mode, program, keep, seed):
    """(what differs, counts to be summed)"""
    with tempfile.TemporaryDirectory() as folder:
        case = Case(mode, seed, pathlib.Path(folder))
        found, expected = differences(case, program)
        if found and keep:
            shutil.copytree(folder, keep / f"{mode}-{seed}", dirs_exist_ok=True)
    return found, collections.Counter({f"status {expected.status}": 1,
                                       "results": expected.results.get("csv", b"").count(b"@"),
                                       "rejects": len(expected.rejects or ())})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("mode", choices=(
        "csv", "ndjson", "models", "refusals", "mixed", "large", "catalogue"))
    parser.add_argument("first", type=int)
    parser.add_argument("end", type=int)
    parser.add_argument("--keep", type=pathlib.Path)
    arguments = parser.parse_args()
    totals, different = collections.Counter(), 0
    seeds = range(arguments.first, arguments.end)
    run = functools.partial(run_seed, arguments.mode, arguments.program, arguments.keep)
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for seed, (found, counts) in zip(seeds, pool.map(run, seeds)):
            totals.update(counts)
            different += bool(found)
            for line in found:
                print(f"{arguments.mode} {seed}: {line}")
    print(f"{arguments.end - arguments.first} seeds, {different} different; "
          + ", ".join(f"{name}: {count}" for name, count in sorted(totals.items())))
    is_idle = arguments.mode != "refusals" and not totals["results"]
    return 1 if different or is_idle else 0


if __name__ == "__main__":
    sys.exit(main())
