#!/usr/bin/env python3
"""Hold a report of `clickmatch evaluate --format json` against an evaluation by brute force.

    reference_evaluate.py WORLD REPORT [--truth] [--mask-all] [--model FILE]

WORLD holds what simulate writes, as CSV. By docs/evaluate.md; it shares no code with the program.
Prints what differs, if anything; exits non-zero then.
"""

import argparse
import copy
import csv
import json
import math
import pathlib
import sys

import reference_figures as slow
from reference_files import Reader
from reference_match import Clicks, Matcher, Ratios, conversion_of, newest_first, recent
from reference_model import hours_to_us, load_model
from reference_values import (CLICK_PARSERS, CLICK_REQUIRED, CONVERSION_PARSERS,
                              CONVERSION_REQUIRED)

SCOPES = ("layer_2", "layer_3", "both")
COUNTS = ("conversions", "weighed", "attributed")


class AlwaysOne(float):
    """Rivals of a model that is blind to them: whatever is added, one."""

    def __add__(self, other):
        return 1.0


class BlindRatios(Ratios):
    def __init__(self, model, conversion):
        super().__init__(model, conversion)
        self.model = copy.deepcopy(self.model)
        for layer in ("fingerprint", "probabilistic"):
            self.model[layer]["rivals"] = AlwaysOne()
            self.model[layer]["delay_u"] = None

    def delay(self, i, window_hours):
        return 1.0


class Blind(Matcher):
    def ratios_of(self, conversion):
        return BlindRatios(self.model, conversion)


class Newest(Matcher):
    """The newest active click of the fingerprint, else of address and device type."""

    def claim(self, clicks, hours, conversion, method, result):
        t = conversion.time
        for click in recent(clicks, t, hours_to_us(hours))[:self.model["max_candidates"]]:
            if t < click.expires:
                p = {"fingerprint": 0.9, "probabilistic": 0.6}[method]
                result.click, result.method, result.probability = click, method, p
                result.candidates = [(click, p)]
                return "success"
        return "no_match"

    def layer_2(self, conversion, ratios, result):
        clicks = []
        if conversion.fingerprint is not None:
            clicks = self.clicks.having("fingerprint", conversion.tenant, conversion.fingerprint)
        return self.claim(clicks, self.model["window_hours"], conversion, "fingerprint", result)

    def layer_3(self, conversion, ratios, result):
        return self.claim(self.address_list(conversion), self.model["probabilistic_window_hours"],
                          conversion, "probabilistic", result)


MATCHERS = {"blind to time and rivals": Blind, "newest click of the key": Newest}


def read_fields(path, parsers, required):
    reader = Reader(parsers, required, False)
    fields = list(reader.read(str(path)))
    assert not reader.rejects, reader.rejects[0]
    return fields


def make_clicks(fields, model):
    clicks = Clicks(model)
    for one in fields:
        clicks.add(one)
    clicks.finish()
    return clicks


def by_id(clicks):
    return {(click.tenant, click.id): click for (kind, *_), listed in clicks.lists.items()
            if kind == "click_id" for click in listed}


def hidden(conversion, time=None):
    copied = copy.copy(conversion)
    copied.url_keys = []
    copied.time = conversion.time if time is None else time
    return copied


class Answer:
    def __init__(self, result):
        self.weighed = self.accepted = 0
        self.p, self.id = 0.0, None
        if result.candidates:
            self.weighed = 3 if result.layers[2] in ("success", "low_probability") else 2
            self.accepted = self.weighed if result.click is not None else 0
            click, self.p = result.candidates[0]
            self.id = click.tenant, click.id


class World:
    """What is known, whichever model answers."""

    def __init__(self, folder, has_truth, mask_all):
        self.fields = read_fields(folder / "clicks.csv", CLICK_PARSERS, CLICK_REQUIRED)
        rows = read_fields(folder / "conversions.csv", CONVERSION_PARSERS, CONVERSION_REQUIRED)
        self.default = load_model(None)
        self.conversions = [conversion_of(row, self.default) for row in rows]
        clicks = make_clicks(self.fields, self.default)
        self.clicks = by_id(clicks)
        matcher = Matcher(clicks)
        results = [matcher.match(conversion) for conversion in self.conversions]
        self.layer_1 = [(result.click.tenant, result.click.id)
                        if result.method == "url_param" else None for result in results]
        self.masked, self.deleted = False, set()
        self.owners = None
        if has_truth:
            self.read_truth(folder)
        else:
            self.rights = list(self.layer_1)
            self.judged = [i for i, right in enumerate(self.rights) if right]
            if mask_all:
                self.mask_all()
        self.open = [i for i, found in enumerate(self.layer_1) if not found]

    def read_truth(self, folder):
        def owners(name, column):
            with open(folder / name, encoding="utf-8", newline="") as file:
                return {(row["tenant_id"].encode(), row[column].encode()): row["device"]
                        for row in csv.DictReader(file)}
        self.owners = owners("click_truth.csv", "click_id")
        devices = owners("conversion_truth.csv", "conversion_id")
        self.devices = [devices.get((c.tenant, c.id)) for c in self.conversions]
        listed = {}
        for key, click in self.clicks.items():
            listed.setdefault((click.tenant, self.owners.get(key)), []).append(click)
        self.rights = []
        for conversion, device in zip(self.conversions, self.devices):
            active = [click for click in listed.get((conversion.tenant, device), [])
                      if click.valid and click.time <= conversion.time < click.expires]
            newest = min(active, key=newest_first, default=None)
            self.rights.append(newest and (newest.tenant, newest.id))
        self.judged = [i for i, found in enumerate(self.layer_1)
                       if not found and self.devices[i] is not None]

    def look(self, key):
        click = self.clicks[key]
        return click.fingerprint and (click.tenant, click.fingerprint, click.user_agent)

    def place(self, key):
        click = self.clicks[key]
        return click.bucket and (click.tenant, click.bucket, click.device_type, click.user_agent)

    def mask_all(self):
        looks = {self.look(self.rights[i]) for i in self.judged} - {None}
        places = {self.place(self.rights[i]) for i in self.judged} - {None}
        self.masked = True
        self.deleted = {key for key in self.clicks
                        if self.look(key) in looks or self.place(key) in places}
        self.deleted |= {self.rights[i] for i in self.judged}

    def same_device(self, a, b):
        if self.owners is not None:
            return a in self.owners and self.owners[a] == self.owners.get(b)
        return (self.look(a) is not None and self.look(a) == self.look(b)) or \
            (self.place(a) is not None and self.place(a) == self.place(b))

    def judge(self, i, answer, right):
        verdict = slow.NONE
        same_ad = same_campaign = False
        if answer.id is not None:
            verdict = slow.ORGANIC
        if answer.id is not None and right is not None:
            verdict = (slow.RIGHT_CLICK if answer.id == right else slow.OTHER_CLICK
                       if self.same_device(answer.id, right) else slow.OTHER_DEVICE)
            a, b = self.clicks[answer.id].ads, self.clicks[right].ads
            same_campaign = answer.id == right or (a[0] is not None and a[0] == b[0])
            same_ad = answer.id == right or (a[2] is not None and a[2] == b[2])
        return (answer.p, answer.weighed, answer.accepted, verdict, int(right is not None),
                int(same_ad), int(same_campaign))

    def group(self, i, kind):
        conversion = self.conversions[i]
        if kind == "tenant":
            return conversion.tenant.decode()
        return (conversion.device_type or b"(none)").decode()


class Evaluation:
    """One model's."""

    def __init__(self, world, matcher_class, model):
        self.world, self.matcher_class, self.model = world, matcher_class, model
        clicks = make_clicks(world.fields, model)
        self.answers = self.ask(clicks, {i: None for i in {*world.judged, *world.open}})
        self.unmasked = [world.judge(i, self.answers[i], world.rights[i]) for i in world.judged]
        self.judged = self.unmasked
        if world.masked:
            left = [one for one in world.fields
                    if (one["tenant_id"], one["click_id"]) not in world.deleted]
            answers = self.ask(make_clicks(left, model), {i: None for i in world.judged})
            self.judged = [world.judge(i, answers[i], None) for i in world.judged]
        self.find_placebo()

    def ask(self, clicks, times):
        matcher = self.matcher_class(clicks)
        return {i: Answer(matcher.match(hidden(self.world.conversions[i], time)))
                for i, time in times.items()}

    def find_placebo(self):
        """Times turned round: what comes after a conversion comes before it."""
        world = self.world
        last = max(one["click_timestamp"] for one in world.fields)
        window = hours_to_us(self.model["window_hours"])
        pivot = 10**17
        mirrored = [dict(one, click_timestamp=pivot - one["click_timestamp"], expires_at=None)
                    for one in world.fields]
        self.covered = [i for i in world.open if world.conversions[i].time + window <= last]
        self.placebo = self.ask(make_clicks(mirrored, self.model),
                                {i: pivot - world.conversions[i].time - 1 for i in self.covered})
        for i in self.covered:  # what is found is after the conversion, and within the window
            found = self.placebo[i]
            if found.id is not None:
                delay = world.clicks[found.id].time - world.conversions[i].time
                assert 0 < delay <= window, (found.id, delay)


class Comparison:
    def __init__(self):
        self.differences = []

    def same(self, what, found, wanted):
        if isinstance(wanted, float) and math.isnan(wanted):
            good = found is None
        elif isinstance(wanted, float):
            good = found is not None and abs(found - wanted) <= 1e-9 * max(1.0, abs(wanted))
        else:
            good = found == wanted
        if not good:
            self.differences.append("%s: %r, not %r" % (what, found, wanted))

    def group(self, what, group, judged, bins):
        self.same(what, group["conversions"], len(judged))
        for name, layers in zip(SCOPES, slow.SCOPES):
            values, counts, _ = slow.figures(judged, layers, bins)
            for metric, value in values.items():
                self.same("%s %s %s" % (what, name, metric),
                          group[name]["metrics"][metric]["value"], value)
            for count, value in zip(COUNTS, counts):
                self.same("%s %s %s" % (what, name, count), group[name]["counts"][count], value)

    def model(self, label, reported, evaluation, bins):
        world, judged = evaluation.world, evaluation.judged
        parts = {("all", None): judged}
        for kind in ("device_type", "tenant"):
            for i, one in zip(world.judged, judged):
                parts.setdefault((kind, world.group(i, kind)), []).append(one)
        groups = {(group["kind"], group["name"]): group for group in reported["groups"]}
        self.same(label + " groups", sorted(groups, key=str), sorted(parts, key=str))
        for key in parts.keys() & groups.keys():
            self.group("%s %s" % (label, key), groups[key], parts[key], bins)
        if world.masked:
            self.group(label + " unmasked", reported["unmasked"], evaluation.unmasked, bins)
        else:
            self.same(label + " unmasked", reported["unmasked"], None)
        self.label_free(label, reported["label_free"], evaluation)

    def label_free(self, label, found, evaluation):
        world, answers, placebo = evaluation.world, evaluation.answers, evaluation.placebo
        doubts = [1 - answers[i].p for i in world.open if answers[i].accepted]
        self.same(label + " open", found["open"], len(world.open))
        self.same(label + " covered", found["covered"], len(evaluation.covered))
        self.same(label + " expected error", found["expected_error"],
                  slow.share(math.fsum(doubts), len(doubts)))
        for name, layer in (("layer_2", 2), ("layer_3", 3)):
            after = [i for i in evaluation.covered if placebo[i].accepted == layer]
            own = 0 if world.owners is None else sum(
                world.owners.get(placebo[i].id) == world.devices[i] for i in after)
            for what, count in (
                    ("attributed", sum(answers[i].accepted == layer for i in world.open)),
                    ("real", sum(answers[i].accepted == layer for i in evaluation.covered)),
                    ("placebo", len(after)), ("placebo_same_device", own)):
                self.same("%s %s %s" % (label, what, name), found[what][name], count)

    def regret(self, label, reported, evaluation, reference):
        pairs = [(slow.log_loss(a[0], a[3] == slow.RIGHT_CLICK),
                  slow.log_loss(b[0], b[3] == slow.RIGHT_CLICK))
                 for a, b in zip(evaluation.judged, reference.judged) if a[1] and b[1]]
        self.same(label + " regret count", reported["regret"]["conversions"], len(pairs))
        loss = slow.share(math.fsum(a - b for a, b in pairs), len(pairs))
        self.same(label + " regret", round(reported["regret"]["log_loss"], 8), round(loss, 8))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("world", type=pathlib.Path)
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("--truth", action="store_true")
    parser.add_argument("--mask-all", action="store_true")
    parser.add_argument("--model", action="append", default=[])
    arguments = parser.parse_args()
    report = json.loads(arguments.report.read_text(encoding="utf-8"))
    world = World(arguments.world, arguments.truth, arguments.mask_all)
    models = {}
    for path in arguments.model:
        model = load_model(path)
        models["%s@%s" % (model["name"], model["version"])] = model
    comparison = Comparison()
    comparison.same("by layer 1", report["by_layer_1"], sum(one is not None
                                                             for one in world.layer_1))
    comparison.same("judged", report["judged"], len(world.judged))
    comparison.same("deleted", report["deleted"], len(world.deleted))
    reference = None
    for reported in report["models"]:
        label = reported["label"]
        evaluation = Evaluation(world, MATCHERS.get(label, Matcher),
                                models.get(label, world.default))
        comparison.model(label, reported, evaluation, report["bins"])
        if reported["role"] == "reference":
            reference = evaluation
        if reference is not None:
            comparison.regret(label, reported, evaluation, reference)
    for line in comparison.differences[:10]:
        print(line)
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main())
