#!/usr/bin/env python3
"""How right the results of a world are: measure.py WORLD RESULTS.csv

WORLD is a folder of make_world.py or `clickmatch simulate --format csv`; RESULTS.csv comes from
`clickmatch match`. Right is the click of the truth. Layer 1 is left out: recall is over what it did
not resolve and whose truth has a click, precision over what layers 2 and 3 attributed. The old rule
(newest active click of the fingerprint within 7 days, else of address and device type within 24
hours; 0.90 and 0.60 sure, it says) is computed from the files. Prints one `name value` a line.
"""

import argparse
import bisect
import collections
import csv
import datetime
import ipaddress
import os

WINDOW_US = 7 * 86400 * 10**6
DAY_US = 86400 * 10**6
EDGES_MINUTES = (1, 10, 60, 360, 1440, 4320, 10080)


def time_of(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1e6 + 0.5)


def rows_of(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


class World:
    """The files by id: (tenant, click or conversion) to row; rows have time_us and device."""

    def __init__(self, folder):
        devices = {(row["tenant_id"], row["click_id"]): row["device"]
                   for row in rows_of(folder, "click_truth.csv")}
        self.clicks = {}
        for row in rows_of(folder, "clicks.csv"):
            key = row["tenant_id"], row["click_id"]
            row["time_us"] = time_of(row["click_timestamp"])
            row["device"] = devices[key]
            self.clicks[key] = row
        self.conversions = {}
        for row in rows_of(folder, "conversions.csv"):
            row["time_us"] = time_of(row["conversion_timestamp"])
            row["fingerprint_hash"] = row["conversion_fingerprint_hash"]
            self.conversions[row["tenant_id"], row["conversion_id"]] = row
        for row in rows_of(folder, "conversion_truth.csv"):
            conversion = self.conversions[row["tenant_id"], row["conversion_id"]]
            conversion["device"] = row["device"]
            conversion["truth"] = row["click_id"]


class Newest:
    """The newest valid click of a key in a window."""

    def __init__(self, clicks, key_of):
        self.lists = collections.defaultdict(list)
        self.key_of = key_of
        for click in clicks:
            if click["is_valid"] != "false" and key_of(click):
                self.lists[key_of(click)].append((click["time_us"], click["click_id"]))
        for found in self.lists.values():
            found.sort()

    def find(self, conversion, window_us):
        found = self.lists.get(self.key_of(conversion), ())
        place = bisect.bisect_right(found, (conversion["time_us"], "\x7f"))
        if place and found[place - 1][0] > conversion["time_us"] - window_us:
            return found[place - 1][1]
        return ""


def fingerprint_key(row):
    return row["fingerprint_hash"] and (row["tenant_id"], row["fingerprint_hash"])


def address_key(row):
    return row["ip_address"] and (row["tenant_id"], row["ip_address"], row["device_type"])


def calibration_error(pairs, bins=10):
    """Mean over equal-mass bins of |mean probability - share right|."""
    pairs = sorted(pairs)
    total = 0.0
    for number in range(bins):
        part = pairs[len(pairs) * number // bins:len(pairs) * (number + 1) // bins]
        if part:
            total += abs(sum(pair[0] for pair in part) - sum(pair[1] for pair in part))
    return total / max(1, len(pairs))


def figures(name, answers):
    """`answers` are (probability, click or "", truth or "") of what layer 1 left."""
    found = [(p, click == truth) for p, click, truth in answers if click]
    right = sum(good for _, good in found)
    wanted = sum(1 for answer in answers if answer[2])
    precision = right / max(1, len(found))
    recall = right / max(1, wanted)
    f_half = 1.25 * precision * recall / max(1e-9, 0.25 * precision + recall)
    yield name + " precision", precision
    yield name + " recall", recall
    yield name + " F0.5", f_half
    yield name + " calibration_error", calibration_error(found)
    yield name + " mean_probability", sum(p for p, _ in found) / max(1, len(found))


def kind_of_error(world, conversion, click):
    if not conversion["truth"]:
        return "organic"
    if world.clicks[conversion["tenant_id"], click]["device"] == conversion["device"]:
        return "older_click"
    return "other_device"


def model_figures(world, results):
    left = [row for row in results if row["attribution_method"] != "url_param"]
    answers, errors = [], collections.Counter()
    for row in left:
        conversion = world.conversions[row["tenant_id"], row["conversion_id"]]
        answers.append((float(row["match_probability"]), row["click_id"], conversion["truth"]))
        if row["click_id"] and row["click_id"] != conversion["truth"]:
            layer = row["attribution_method"]
            errors[layer + " " + kind_of_error(world, conversion, row["click_id"])] += 1
    yield "url_param share", 1 - len(left) / max(1, len(results))
    yield "organic share", sum(not row["truth"] for row in world.conversions.values()) \
        / max(1, len(world.conversions))
    yield from figures("model", answers)
    for layer in ("fingerprint", "probabilistic"):
        part = [(p, click, truth) for (p, click, truth), row in zip(answers, left)
                if row["attribution_method"] == layer]
        yield layer + " count", len(part)
        yield from list(figures(layer, part))[:1] + list(figures(layer, part))[3:]
    wrong = sum(errors.values())
    yield "wrong", wrong
    for name, count in sorted(errors.items()):
        yield "wrong " + name, count / wrong


def old_rule_figures(world, results):
    by_fingerprint = Newest(world.clicks.values(), fingerprint_key)
    by_address = Newest(world.clicks.values(), address_key)
    answers = []
    for row in results:
        if row["attribution_method"] == "url_param":
            continue
        conversion = world.conversions[row["tenant_id"], row["conversion_id"]]
        click = by_fingerprint.find(conversion, WINDOW_US)
        p = 0.9 if click else 0.6
        click = click or by_address.find(conversion, DAY_US)
        answers.append((p, click, conversion["truth"]))
    yield from figures("old", answers)
    yield from list(figures("old_fingerprint", [answer for answer in answers
                                                if answer[0] == 0.9 and answer[1]]))[:1]


def world_figures(world):
    """What the model's m and delays are in truth, by its delay bins."""
    bins = [collections.Counter() for _ in EDGES_MINUTES]
    for conversion in world.conversions.values():
        if not conversion["truth"]:
            continue
        click = world.clicks[conversion["tenant_id"], conversion["truth"]]
        delay_minutes = (conversion["time_us"] - click["time_us"]) / 6e7
        counts = bins[bisect.bisect_right(EDGES_MINUTES, delay_minutes)]
        counts["all"] += 1
        for column in ("fingerprint_hash", "ip_address", "user_agent"):
            if click[column] and conversion[column]:
                counts[column] += 1
                left, right = (bucket(row[column]) for row in (click, conversion))
                counts["same " + column] += left == right
    total = sum(counts["all"] for counts in bins)
    for edge, counts in zip(EDGES_MINUTES, bins):
        yield "delay below %d" % edge, counts["all"] / max(1, total)
        for column in ("fingerprint_hash", "ip_address", "user_agent"):
            yield "same %s below %d" % (column, edge), \
                counts["same " + column] / max(1, counts[column])


def bucket(value):
    """What the model compares of it: of an IPv6 address, its network of 64 bits."""
    return int(ipaddress.IPv6Address(value)) >> 64 if ":" in value[:5] else value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("world")
    parser.add_argument("results")
    options = parser.parse_args()
    world = World(options.world)
    folder, name = os.path.split(options.results)
    results = list(rows_of(folder, name))
    for part in (model_figures(world, results), old_rule_figures(world, results),
                 world_figures(world)):
        for name, value in part:
            print("%s %.4f" % (name, value))


if __name__ == "__main__":
    main()
