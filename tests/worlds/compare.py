#!/usr/bin/env python3
"""What training does, in one table a world: the rule of old, the untrained model, one blind to time
and rivals, the trained one, and one fitted to the truth of the same period.

    tests/worlds/compare.py [--keep DIR] [--organic SHARE...] [--simulated SHARE...] [--json FILE]

Every world is made twice, by two seeds: what is trained on the one is judged on the other, by its
truth, layers 2 and 3 together, by `clickmatch evaluate`. Worlds are those of make_world.py, and of
`clickmatch simulate`. What the model is that is fitted to the truth: `train --truth`, which nobody
can have who does not know the truth; it is what regret is measured against. "true parameters" is
that without its calibration. Columns are those of docs/evaluate.md: log-loss and Brier score are
of what was weighed, calibration errors of what was attributed. "worst bin" is the largest
difference between what ten bins of what was weighed say and what came true, of bins of 500 or more.
Prints Markdown.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "../../build/clickmatch")
BIN_MIN = 500
ROWS = (("newest click of the key", "old rule"), ("default@1", "untrained"),
        ("blind to time and rivals", "blind to time and rivals"), ("trained@1", "trained"),
        ("parameters@1", "true parameters"), ("truth@1", "fitted to the truth"))
METRICS = (("precision", "precision"), ("recall", "recall"), ("F0.5", "f_half"),
           ("log-loss", "log_loss"), ("Brier", "brier"), ("ECE", "accepted_calibration_error"),
           ("sweep", "accepted_calibration_error_sweep"))
WRONG = (("other_click", "another click of the right device"),
         ("organic_matched", "organic conversions"), ("other_device", "another device's click"))


def run(*words):
    subprocess.run(words, check=True)


class Period:
    """One made world of a kind, by one of the two seeds; made unless it is kept."""

    def __init__(self, options, kind, organic, seed):
        name = "%s-%s-%s-%d-%d-%d" % (kind, options.variant, organic, options.clicks,
                                      options.conversions, seed)
        self.folder = os.path.join(options.keep, name)
        if not os.path.exists(self.folder):
            self.make(options, kind, organic, seed)

    def make(self, options, kind, organic, seed):
        part = self.folder + ".part"
        same = ["--output", part, "--organic", str(organic), "--seed", str(seed)]
        if kind == "simulated":
            run(options.program, "simulate", "--quiet", *same, "--clicks-count",
                str(options.clicks), "--conversions-count", str(options.conversions))
        else:
            run(sys.executable, "-B", os.path.join(HERE, "make_world.py"), *same, "--variant",
                options.variant, "--clicks", str(options.clicks), "--conversions",
                str(options.conversions))
        os.rename(part, self.folder)

    def files(self):
        return ("--clicks", os.path.join(self.folder, "clicks.csv"), "--conversions",
                os.path.join(self.folder, "conversions.csv"))


def train(options, period, name, *more):
    """A model file, learned from a period; made anew each time."""
    path = os.path.join(period.folder, name + ".json")
    run(options.program, "train", "--quiet", *period.files(), "--name", name, "--model-version",
        "1", "--output", path, *more)
    return path


def without_calibration(path, name):
    """The same model but for its calibration, under another name."""
    with open(path, encoding="utf-8") as file:
        model = json.load(file)
    for layer in ("fingerprint", "probabilistic"):
        model[layer].pop("calibration", None)
    model["name"] = name
    path = os.path.join(os.path.dirname(path), name + ".json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(model, file)
    return path


def evaluate(options, learned, judged):
    trained = train(options, learned, "trained")
    truth = train(options, learned, "truth", "--truth", learned.folder, "--force")
    report = os.path.join(judged.folder, "report.json")
    run(options.program, "evaluate", "--quiet", *judged.files(), "--truth", judged.folder,
        "--model", trained, "--model", without_calibration(truth, "parameters"), "--reference",
        truth, "--baselines", "--bootstrap", "0", "--format", "json", "--output", report)
    with open(report, encoding="utf-8") as file:
        return json.load(file)


def worst_bin(model):
    """Of bins of the least size or more; None where there is none."""
    return max((abs(one["share"] - one["mean"]) for one in model["reliability"]["both"]
                if one["count"] >= BIN_MIN), default=None)


def figures_of(model):
    both = model["groups"][0]["both"]
    figures = {"attributed": both["counts"]["attributed"]}
    figures.update((name, both["metrics"][key]["value"]) for name, key in METRICS)
    figures["worst bin"] = worst_bin(model)
    figures["regret"] = model["regret"]["share"]
    figures["organic matched"] = both["metrics"]["organic_matched"]["value"]
    for key, _ in WRONG:
        figures[key] = both["counts"][key]
    return figures


def compare(options, kind, organic):
    """The figures of one world, by row."""
    learned, judged = (Period(options, kind, organic, seed)
                       for seed in (options.train_seed, options.judge_seed))
    report = evaluate(options, learned, judged)
    models = {model["label"]: model for model in report["models"]}
    return {"world": kind, "organic": organic, "judged": report["judged"],
            "judged_organic": report["organic"],
            "models": {row: figures_of(models[label]) for label, row in ROWS}}


# ---- as Markdown ----

def cell(name, value):
    if value is None:
        return "-"
    if name == "regret":
        return "%.1f %%" % (100 * value)
    return "{:,}".format(value) if isinstance(value, int) else "%.3f" % value


def say_wrong(row, figures):
    found = max(1, figures["attributed"])
    parts = ["%.1f %% %s" % (100 * figures[key] / found, text) for key, text in WRONG]
    print("%s: wrong are %s; of organic conversions %.1f %% are attributed.  " % (
        row, ", ".join(parts), 100 * figures["organic matched"]))


def print_world(world):
    shown = ["attributed"] + [name for name, _ in METRICS] + ["worst bin", "regret"]
    print("%s world, organic share %s: %s conversions judged, %s of them organic\n" % (
        world["world"], world["organic"], cell("", world["judged"]),
        cell("", world["judged_organic"])))
    print("| | %s |" % " | ".join(shown))
    print("|---" * (len(shown) + 1) + "|")
    for row, figures in world["models"].items():
        print("| %s | %s |" % (row, " | ".join(cell(name, figures[name]) for name in shown)))
    print()
    for row in ("old rule", "untrained", "trained"):
        say_wrong(row, world["models"][row])
    print(flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--keep", metavar="DIR", help="keep worlds and models there, and use those "
                        "that are there (default: a temporary directory)")
    parser.add_argument("--organic", type=float, nargs="*", default=[0.2, 0.35, 0.5, 0.8],
                        metavar="SHARE", help="worlds of make_world.py")
    parser.add_argument("--simulated", type=float, nargs="*", default=[0.35], metavar="SHARE",
                        help="worlds of clickmatch simulate")
    parser.add_argument("--clicks", type=int, default=200000)
    parser.add_argument("--conversions", type=int, default=50000)
    parser.add_argument("--variant", default="default", help="of make_world.py")
    parser.add_argument("--train-seed", type=int, default=11)
    parser.add_argument("--judge-seed", type=int, default=12)
    parser.add_argument("--program", default=PROGRAM, metavar="FILE", help="clickmatch")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    return parser.parse_args()


def main():
    options = parse()
    worlds = []
    with tempfile.TemporaryDirectory() as temporary:
        options.keep = options.keep or temporary
        os.makedirs(options.keep, exist_ok=True)
        for kind, shares in (("made", options.organic), ("simulated", options.simulated)):
            for organic in shares:
                worlds.append(compare(options, kind, organic))
                print_world(worlds[-1])
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(worlds, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit("compare.py: %s ended with status %d" % (" ".join(error.cmd), error.returncode))
