#!/usr/bin/env python3
"""Worlds of tests/worlds/make_world.py are what they say; measure.py counts. One line per case."""

import argparse
import datetime
import filecmp
import os
import subprocess
import sys
import tempfile
from types import SimpleNamespace

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORLDS = os.path.join(ROOT, "tests/worlds")
sys.path.insert(0, WORLDS)
sys.dont_write_bytecode = True
import make_world  # noqa: E402
import measure  # noqa: E402
from events import WINDOW_US, Clicks  # noqa: E402
from knobs import VARIANTS, Knobs  # noqa: E402

FILES = ("clicks.csv", "conversions.csv", "click_truth.csv", "conversion_truth.csv")
WEEK = datetime.timedelta(7)
CLICKS, CONVERSIONS, ORGANIC = 4000, 1500, 0.31


def make(folder, *options, hash_seed="0"):
    """A small world, by the command, of many clicks a device, so that the truth is hard."""
    subprocess.run(
        [sys.executable, "-B", os.path.join(WORLDS, "make_world.py"), "--output", folder,
         "--clicks", str(CLICKS), "--conversions", str(CONVERSIONS), "--organic", str(ORGANIC),
         "--clicks-per-device", "4", "--tenants", "3", *options],
        check=True, env={**os.environ, "PYTHONHASHSEED": hash_seed})
    return [list(measure.rows_of(folder, name)) for name in FILES]


def same_bytes(one, other):
    return filecmp.cmpfiles(one, other, FILES, shallow=False)[0] == list(FILES)


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def check_repeats(root):
    make(os.path.join(root, "again"), hash_seed="1")
    make(os.path.join(root, "other"), "--seed", "2")
    first = os.path.join(root, "first")
    if not same_bytes(first, os.path.join(root, "again")):
        return "the same options made other bytes"
    if filecmp.cmp(os.path.join(first, "clicks.csv"), os.path.join(root, "other/clicks.csv"),
                   shallow=False):
        return "another seed made the same clicks"
    return ""


def check_counts(clicks, conversions, click_truth, truth):
    if (len(clicks), len(conversions)) != (CLICKS, CONVERSIONS):
        return "%d clicks, %d conversions" % (len(clicks), len(conversions))
    if len({row["click_id"] for row in clicks}) != CLICKS:
        return "a click id came twice"
    if len({row["conversion_id"] for row in conversions}) != CONVERSIONS:
        return "a conversion id came twice"
    if [row["click_id"] for row in click_truth] != [row["click_id"] for row in clicks]:
        return "the clicks' truth is not of the clicks"
    if [row["conversion_id"] for row in truth] != [row["conversion_id"] for row in conversions]:
        return "the conversions' truth is not of the conversions"
    return ""


def check_order(rows, column):
    times = [row[column] for row in rows]
    return "" if times == sorted(times) else column + " is out of order"


def check_organic(truth):
    organic = sum(row["organic"] == "true" for row in truth)
    if organic != int(CONVERSIONS * ORGANIC + 0.5):
        return "%d of %d are organic" % (organic, CONVERSIONS)
    if any((row["organic"] == "true") != (row["click_id"] == "") for row in truth):
        return "organic does not say whether there is a click"
    return ""


def check_truth(clicks, conversions, click_truth, truth):
    """By looking at every click of the device for each conversion."""
    by_device = {}
    for click, of_click in zip(clicks, click_truth):
        by_device.setdefault(of_click["device"], []).append(
            (moment(click["click_timestamp"]), click))
    repeats = 0
    for conversion, of_conversion in zip(conversions, truth):
        at = moment(conversion["conversion_timestamp"])
        found = [(time, click["click_id"]) for time, click in by_device.get(
            of_conversion["device"], ()) if click["tenant_id"] == conversion["tenant_id"]
            and click["is_valid"] == "true" and at - WEEK < time <= at]
        repeats += len(found) > 1
        newest = max((time for time, _ in found), default=None)
        expected = min((name for time, name in found if time == newest), default="")
        if of_conversion["click_id"] != expected:
            return "%s: %s is not %s" % (conversion["conversion_id"], of_conversion["click_id"],
                                         expected)
    return "" if repeats > CONVERSIONS / 10 else "hardly a device has two clicks to choose from"


def check_edges():
    """A click counts from its very microsecond to a week later, that end not included."""
    options = argparse.Namespace(clicks=0, seed=1, tenants=1)
    device, other = SimpleNamespace(name="d1"), SimpleNamespace(name="d2")
    clicks = Clicks(Knobs(), options, None)
    for name, at_us, is_valid in (("b", 1000, True), ("a", 1000, True), ("c", 5000, True),
                                  ("d", 6000, False)):
        clicks.add(device, 0, at_us, is_valid)
        clicks.all[-1].id = name
    clicks.sort_valid()
    for at_us, expected in ((999, ""), (1000, "a"), (4999, "a"), (5000, "c"), (6000, "c"),
                            (5000 + WINDOW_US - 1, "c"), (5000 + WINDOW_US, "")):
        found = clicks.truth(device, 0, at_us)
        if (found.id if found else "") != expected:
            return "at %d: %s is not %s" % (at_us, found and found.id, expected)
    if clicks.truth(other, 0, 5000) or clicks.truth(device, 1, 5000):
        return "a click of another device or tenant"
    return ""


def check_ids(clicks, conversions, truth):
    """A conversion's id is of a click of its tenant, and of the true one where there is one."""
    names = {}
    for click in clicks:
        for column in ("click_id", "fbclid", "gclid"):
            if click[column]:
                names[click["tenant_id"], click[column]] = click["click_id"]
    carried = 0
    for conversion, of_conversion in zip(conversions, truth):
        value = conversion["click_id"] or conversion["gclid"] or conversion["fbclid"].split(".")[-1]
        if not value:
            continue
        carried += 1
        click = names.get((conversion["tenant_id"], value))
        if click is None or of_conversion["click_id"] not in ("", click):
            return conversion["conversion_id"] + " carries an id of another click"
    return "" if carried > CONVERSIONS / 10 else "hardly a conversion carries an id"


def check_columns(clicks, conversions):
    """Every field is there in some rows and, where it may be, missing in others."""
    for rows, always in ((clicks, make_world.CLICK_COLUMNS[:3]),
                         (conversions, make_world.CONVERSION_COLUMNS[:3])):
        for column in rows[0]:
            filled = sum(row[column] != "" for row in rows)
            if filled == 0 or (column in always and filled < len(rows)):
                return "%s is filled in %d rows of %d" % (column, filled, len(rows))
    for column in make_world.SEEN_COLUMNS:
        if all(row[column] for row in clicks):
            return column + " is never missing"
    return ""


def check_variants(root, default):
    for name, changes in VARIANTS.items():
        Knobs(**changes)
        folder = os.path.join(root, name)
        make(folder, "--variant", name)
        if (name == "default") != same_bytes(default, folder):
            return name + (" is not what is made without it" if name == "default"
                           else " changes nothing")
    return ""


def check_measure(root):
    """Twelve answers whose figures are counted by hand, and the newest click of a key."""
    answers = [(0.9, "a", "a")] * 6 + [(0.7, "a", "b")] * 2 + [(0.5, "", "a")] * 3 + [(0.5, "", "")]
    found = dict(measure.figures("x", answers))
    expected = {"x precision": 6 / 8, "x recall": 6 / 11, "x mean_probability": 6.8 / 8,
                "x F0.5": 1.25 * 0.75 * (6 / 11) / (0.25 * 0.75 + 6 / 11),
                "x calibration_error": (6 * 0.1 + 2 * 0.7) / 8}
    for name, value in expected.items():
        if abs(found[name] - value) > 1e-9:
            return "%s is %f, not %f" % (name, found[name], value)
    world = measure.World(os.path.join(root, "first"))
    index = measure.Newest(world.clicks.values(), measure.fingerprint_key)
    hits = 0
    for conversion in list(world.conversions.values())[::5]:
        same = [(click["time_us"], click["click_id"]) for click in world.clicks.values()
                if click["is_valid"] == "true" and click["fingerprint_hash"]
                and click["tenant_id"] == conversion["tenant_id"]
                and click["fingerprint_hash"] == conversion["fingerprint_hash"]
                and 0 <= conversion["time_us"] - click["time_us"] < measure.WINDOW_US]
        hits += bool(same)
        if index.find(conversion, measure.WINDOW_US) != max(same, default=(0, ""))[1]:
            return conversion["conversion_id"] + " has another newest click"
    return "" if hits > 50 else "hardly a fingerprint has a click"


def check_impossible(root):
    """What cannot be made is refused, with its reason in the last line, and nothing written."""
    for options, reason in (
            (("--clicks", "0", "--conversions", "10"), "no click to follow"),
            (("--clicks", "30", "--organic", "1", "--silent", "0", "--organic-phones", "0",
              "--phones", "1"), "too few"),
            (("--organic", "1.5"), "--organic 0 to 1"), (("--days", "0"), "1 or more")):
        done = subprocess.run(
            [sys.executable, "-B", os.path.join(WORLDS, "make_world.py"), "--output", root + "/no",
             *options], check=False, text=True, stderr=subprocess.PIPE)
        if done.returncode == 0 or reason not in done.stderr.strip().rpartition("\n")[2]:
            return "%s: status %d: %s" % (options, done.returncode, done.stderr)
    return "it was written" if os.path.exists(root + "/no") else ""


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as root:
        first = os.path.join(root, "first")
        clicks, conversions, click_truth, truth = make(first)
        for name, problem in (
                ("same options, same bytes", check_repeats(root)),
                ("counts and ids", check_counts(clicks, conversions, click_truth, truth)),
                ("clicks in time order", check_order(clicks, "click_timestamp")),
                ("conversions in time order", check_order(conversions, "conversion_timestamp")),
                ("the organic share is exact", check_organic(truth)),
                ("the truth is the device's newest valid click",
                 check_truth(clicks, conversions, click_truth, truth)),
                ("the truth's window ends where it should", check_edges()),
                ("ids that conversions carry", check_ids(clicks, conversions, truth)),
                ("fields are filled, and missing", check_columns(clicks, conversions)),
                ("variants differ", check_variants(root, first)),
                ("measure.py counts right", check_measure(root)),
                ("what cannot be made is refused", check_impossible(root))):
            print("not ok %s: %s" % (name, problem) if problem else "ok " + name)
            failed += bool(problem)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
