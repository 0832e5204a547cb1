#!/usr/bin/env python3
"""Figures of judged conversions equal those of a slow implementation, on random inputs.

One line per case.
"""

import math
import os
import random
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))

import reference_figures as slow  # noqa: E402 (found by the line above)

BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
CHECK = os.path.join(BUILD, "tests", "check_figures")


def fast(judged, bins=10, rounds=0, seed=1, threads=1):
    """Lines of check_figures, by their first word."""
    text = "".join("%r %d %d %d %d %d %d\n" % one for one in judged)
    done = subprocess.run([CHECK, str(bins), str(rounds), str(seed), str(threads)], input=text,
                          text=True, stdout=subprocess.PIPE, check=True)
    lines = {}
    for line in done.stdout.splitlines():
        word, *rest = line.split()
        lines.setdefault(word, []).append(rest)
    return lines


def near(a, b):
    return (math.isnan(a) and math.isnan(b)) or abs(a - b) <= 1e-9 * max(1, abs(a))


def compare(judged, bins=10, rounds=0, seed=1):
    lines = fast(judged, bins, rounds, seed)
    ranges = slow.intervals(judged, bins, rounds, seed) if rounds else [{}, {}, {}]
    for scope, layers in enumerate(slow.SCOPES):
        values, counts, sweeps = slow.figures(judged, layers, bins)
        found = {line[1]: [float(x) for x in line[2:]]
                 for line in lines["metric"] if line[0] == str(scope)}
        assert set(found) == set(values), set(found) ^ set(values)
        for name, value in values.items():
            low, high = ranges[scope].get(name, (math.nan, math.nan))
            assert near(found[name][0], value), (scope, name, found[name][0], value)
            assert near(found[name][1], low) and near(found[name][2], high), (scope, name,
                                                                              found[name], low)
        assert lines["sweep_bins"][scope][1:] == [str(n) for n in sweeps], (scope, sweeps)
        assert lines["counts"][scope][1:] == [str(n) for n in counts], (scope, counts)
        compare_bins(judged, layers, bins, [x for x in lines.get("bin", []) if x[0] == str(scope)])
    compare_points(judged, lines.get("point", []))
    compare_bars(judged, lines["bar"])


def forecasts(judged, layers):
    return [(one[0], int(one[3] == slow.RIGHT_CLICK)) for one in judged if one[1] in layers]


def compare_bins(judged, layers, bins, found):
    wanted = slow.mass_bins(forecasts(judged, layers), bins)
    assert len(found) == len(wanted), (found, wanted)
    for line, one in zip(found, wanted):
        first, last, count, right, mean, low, high = (float(x) for x in line[1:])
        assert (first, last, count) == (one[0][0], one[-1][0], len(one))
        assert right == sum(x[1] for x in one) and near(mean, sum(x[0] for x in one) / len(one))
        wilson = slow.wilson(int(right), int(count))
        assert near(low, wilson[0]) and near(high, wilson[1]), (line, wilson)


def compare_points(judged, found):
    with_click = sum(one[4] for one in judged)
    weighed = forecasts(judged, {2, 3})
    for line in found:
        p, precision, recall = (float(x) for x in line)
        taken = [right for q, right in weighed if q >= p]
        assert near(precision, sum(taken) / len(taken)) and near(recall, sum(taken) / with_click)
    assert (len(found) > 0) == (len(weighed) > 0 and with_click > 0)
    if found:
        assert float(found[-1][0]) == min(weighed)[0] and len(found) <= 200


def compare_bars(judged, found):
    for i, line in enumerate(found):
        held = [one for one in judged if one[1] and min(int(one[0] * 20), 19) == i]
        wanted = [len(held), sum(one[3] == slow.RIGHT_CLICK for one in held),
                  sum(one[2] > 0 for one in held)]
        assert [int(x) for x in line] == wanted, (i, line, wanted)


def draw(rng, steps=0, right=None, accepted=None):
    """A conversion; of `steps` probabilities, or of any."""
    has_click = rng.random() < 0.7
    weighed = rng.choice((0, 2, 2, 2, 3))
    if weighed == 0:
        return 0.0, 0, 0, slow.NONE, int(has_click), 0, 0
    p = rng.randrange(steps + 1) / steps if steps else rng.random() ** 0.3
    took = rng.random() < 0.5 if accepted is None else accepted
    verdict = slow.ORGANIC
    if right is not None:
        has_click, verdict = True, slow.RIGHT_CLICK if right else slow.OTHER_DEVICE
    elif has_click:
        verdict = slow.RIGHT_CLICK if rng.random() < p else rng.choice((slow.OTHER_CLICK,
                                                                        slow.OTHER_DEVICE))
    same_ad = verdict == slow.RIGHT_CLICK or (has_click and rng.random() < 0.3)
    same_campaign = same_ad or (has_click and rng.random() < 0.3)
    return (p, weighed, weighed if took else 0, verdict, int(has_click), int(same_ad),
            int(same_campaign))


def case_random_inputs():
    for seed in range(12):
        rng = random.Random(seed)
        judged = [draw(rng) for _ in range(rng.choice((1, 2, 30, 400, 900)))]
        compare(judged, bins=rng.choice((1, 2, 10, 17)))


def case_many_equal_probabilities():
    for seed in range(12):
        rng = random.Random(100 + seed)
        compare([draw(rng, steps=rng.choice((1, 2, 7, 40))) for _ in range(300)],
                bins=rng.choice((3, 10, 100)))


def case_intervals():
    rng = random.Random(5)
    compare([draw(rng, steps=50) for _ in range(150)], rounds=40, seed=9)
    compare([draw(rng) for _ in range(80)], rounds=25, seed=2**64 - 1)


def case_nothing():
    compare([])
    compare([(0.0, 0, 0, slow.NONE, 1, 0, 0)] * 5, rounds=3)
    compare([(0.0, 0, 0, slow.NONE, 0, 0, 0)] * 5, rounds=3)


def case_all_right_or_all_wrong():
    for right in (True, False):
        for accepted in (True, False):
            rng = random.Random(7)
            compare([draw(rng, right=right, accepted=accepted) for _ in range(250)], rounds=5)


def case_certain_and_impossible():
    compare([(1.0, 2, 2, slow.RIGHT_CLICK, 1, 1, 1), (1.0, 2, 2, slow.ORGANIC, 0, 0, 0),
             (0.0, 3, 0, slow.RIGHT_CLICK, 1, 1, 1), (0.0, 3, 0, slow.OTHER_DEVICE, 1, 0, 0)])


def case_one_wrong_among_many_right():
    """The sweep ends late: at the first number of bins that sets the wrong one apart."""
    judged = [(0.5 + i / 4000, 2, 2, slow.RIGHT_CLICK, 1, 1, 1) for i in range(1500)]
    for place in (1, 3, 1400):
        spoilt = list(judged)
        spoilt[place] = (judged[place][0], 2, 2, slow.ORGANIC, 0, 0, 0)
        compare(spoilt)


def case_order_and_threads_change_nothing():
    rng = random.Random(11)
    judged = [draw(rng, steps=60) for _ in range(500)]
    first = fast(judged, rounds=30)
    rng.shuffle(judged)
    assert fast(judged, rounds=30, threads=4) == first
    assert fast(judged, rounds=30, seed=2)["metric"] != first["metric"]


def main():
    if not os.path.exists(CHECK):
        subprocess.run(["make", "-s", "BUILD=" + os.environ.get("BUILD", "build"),
                        os.path.join(os.environ.get("BUILD", "build"), "tests", "check_figures")],
                       cwd=ROOT, check=True, stdout=sys.stderr)
    failed = 0
    for name, case in list(globals().items()):
        if not name.startswith("case_"):
            continue
        try:
            case()
            print("ok", name[5:])
        except AssertionError as error:
            failed += 1
            print("not ok %s: %s" % (name[5:], str(error)[:300]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
