#!/usr/bin/env python3
"""bench_stream sends what it should and sees what a command does wrong; never how fast anything is.

Small programs stand in for `clickmatch stream`. One line per case.
"""

import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCH = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bench", "bench_stream")

# Answers conversions as they come; what it is given may spoil `answers`, a list of lines.
STAND_IN = """
import json, os, sys, time
file = os.environ["EVENTS"]
rest, count, lines, held = b"", 0, [], []
while True:
    bytes = os.read(0, 65536)
    if not bytes:
        break
    *whole, rest = (rest + bytes).split(b"\\n")
    lines += whole
    answers = []
    for line in whole:
        event = json.loads(line)
        if event["event"] == "conversion":
            count += 1
            answers.append('{"conversion_id":"%s","seq":%d}\\n'
                           % (event["conversion_id"], event["seq"]))
            SPOIL
    os.write(1, "".join(answers).encode())
os.write(1, "".join(held).encode())
with open(file, "wb") as out:
    out.write(b"\\n".join(lines))
"""


class Outcome:
    """Of a run: its status, its figures by name, what it said, the events that it sent."""

    def __init__(self, *arguments, spoil="pass", command=None):
        with tempfile.TemporaryDirectory() as folder:
            report, events = os.path.join(folder, "report"), os.path.join(folder, "events")
            command = command or [sys.executable, "-c", STAND_IN.replace("SPOIL", spoil)]
            done = subprocess.run(
                [BENCH, "--active", "2000", *arguments, "--json", report, "--", *command],
                env=dict(os.environ, EVENTS=events), text=True, check=False, timeout=120,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.status, self.table, self.errors = done.returncode, done.stdout, done.stderr
            self.report, self.events = {}, []
            if os.path.exists(report):
                with open(report, encoding="utf-8") as file:
                    self.report = json.load(file)
            if os.path.exists(events):
                with open(events, encoding="utf-8") as file:
                    self.events = [json.loads(line) for line in file]
        self.figures = {f["figure"]: f["value"] for f in self.report.get("figures", [])}

    def expect(self, status, **figures):
        assert self.status == status, (self.status, self.errors)
        for name, value in figures.items():
            name = name.replace("_", " ")
            assert self.figures[name] == value, (name, self.figures[name])


def time_of(event):
    text = event.get("click_timestamp") or event["conversion_timestamp"]
    return text if len(text) == 27 else text[:-1] + "000Z"


def case_events_are_an_endless_world():
    events = Outcome("--events", "6000").events
    clicks = [event for event in events if event["event"] == "click"]
    conversions = [event for event in events if event["event"] == "conversion"]
    assert len(events) == 2200 + 275 + 6000, len(events)  # a turn of 8 days, another day
    assert [e["seq"] for e in events] == list(range(events[0]["seq"], events[-1]["seq"] + 1))
    times = [time_of(event) for event in events]
    assert times == sorted(times)
    assert 9 < len(clicks) / len(conversions) < 11
    days = sorted({time[:10] for time in times})
    assert len(days) >= 29 and days[0] == "2026-03-02" and days[28] == "2026-03-30", days
    assert all(e["expires_at"] > e["click_timestamp"] for e in clicks if "expires_at" in e)


def case_ids_are_new_in_each_turn():
    events = Outcome("--events", "6000").events
    for kind, name in (("click", "click_id"), ("click", "fbclid"), ("click", "gclid"),
                       ("conversion", "conversion_id")):
        ids = [e[name] for e in events if e["event"] == kind and name in e]
        assert ids and len(ids) == len(set(ids)), name


def case_conversions_name_clicks_of_their_turn():
    sent, named, known = set(), 0, 0
    for event in Outcome("--events", "6000").events:
        for name in ("click_id", "fbclid", "gclid"):
            if name not in event:
                continue
            value = event[name].split(".")[-1]
            if event["event"] == "click":
                sent.add(value)
            else:
                named, known = named + 1, known + (value in sent)
    assert named > 300 and known > 0.8 * named, (named, known)


def case_window_and_ratio_are_as_asked():
    outcome = Outcome("--events", "1", "--window-days", "2", "--clicks-per-conversion", "4")
    figures = outcome.figures
    assert abs(figures["clicks in the window"] - 2000) < 20, figures
    assert 3.8 < figures["clicks per conversion"] < 4.2, figures


def case_complete_results():
    outcome = Outcome("--events", "3000")
    outcome.expect(0, events_sent=3000, results_missing=0, results_out_of_order=0,
                   lines_without_seq=0)
    assert outcome.report["complete"] is True and outcome.report["mode"] == "throughput"
    conversions = sum(e["event"] == "conversion" for e in outcome.events)
    outcome.expect(0, conversions_sent=conversions, results_in_order=conversions)
    assert outcome.figures["core time of the command"] > 0
    assert outcome.figures["resident memory, peak"] > 1
    for name in outcome.figures:
        assert name in outcome.table, name


def case_stand_in_answers_and_takes_its_time():
    outcome = Outcome("--mode", "latency", "--rate", "2000", "--events", "2000",
                      command=[BENCH, "--mode", "stand-in", "--event-ns", "100000"])
    outcome.expect(0, events_sent=2000, results_missing=0, results_out_of_order=0,
                   lines_without_seq=0)
    assert outcome.figures["latency p50"] >= 100, outcome.figures


def case_missing_result():
    outcome = Outcome("--events", "3000", spoil="if count == 100: answers.pop()")
    outcome.expect(1, results_missing=1, results_out_of_order=0)
    assert outcome.report["complete"] is False


def case_missing_last_results():
    outcome = Outcome("--events", "3000", spoil="if count > 300: answers.pop()")
    outcome.expect(1, results_in_order=300, results_out_of_order=0)
    assert outcome.figures["results missing"] == outcome.figures["conversions sent"] - 300


def case_result_out_of_order():
    spoil = "if count == 100: held = [answers.pop()]\n            " \
            "if count == 101: answers += held; held = []"
    Outcome("--events", "3000", spoil=spoil).expect(1, results_missing=1, results_out_of_order=1)


def case_result_twice():
    outcome = Outcome("--events", "3000", spoil="if count == 100: answers.append(answers[-1])")
    outcome.expect(1, results_missing=0, results_out_of_order=1)


def case_line_without_seq():
    outcome = Outcome("--events", "3000", spoil="if count == 100: answers.append('{}\\n')")
    outcome.expect(1, results_missing=0, lines_without_seq=1)


def case_results_held_to_the_end():
    outcome = Outcome("--events", "3000", spoil="if count > 300: held.append(answers.pop())")
    outcome.expect(0, results_missing=0,
                   results_after_the_end_of_the_input=outcome.figures["conversions sent"] - 300)


def case_latency_of_each_conversion():
    outcome = Outcome("--mode", "latency", "--rate", "2000", "--seconds", "1")
    outcome.expect(0, events_sent=2000, rate_asked_for=2000)
    quantiles = [outcome.figures["latency " + q] for q in ("p50", "p90", "p99", "p99.9", "max")]
    assert quantiles == sorted(quantiles) and quantiles[0] > 0, quantiles
    sent = sum(e["event"] == "conversion" for e in outcome.events[-2000:])
    outcome.expect(0, results_timed=sent)
    assert outcome.figures["measured"] > 0.99


def case_a_pause_counts_for_all_that_were_due_in_it():
    # Of a second, the command sleeps 0.6 s: who was due then waited for 0 to 0.6 s.
    outcome = Outcome("--mode", "latency", "--rate", "2000", "--seconds", "1",
                      spoil="if count == 245: time.sleep(0.6)")
    assert outcome.figures["latency max"] > 500e3, outcome.figures
    assert outcome.figures["latency p90"] > 300e3, outcome.figures


def case_command_that_fails():
    outcome = Outcome("--events", "3000", command=["sh", "-c", "cat >/dev/null; exit 3"])
    assert outcome.status == 1 and "status 3" in outcome.errors, outcome.errors


def case_command_that_stops_reading():
    outcome = Outcome("--events", "300000", command=["head", "-c", "1000"])
    assert outcome.status == 1 and "does not read to the end" in outcome.errors, outcome.errors


def case_command_that_is_none():
    outcome = Outcome("--events", "30000", command=["no-such-command"])
    assert outcome.status == 1 and "cannot be started" in outcome.errors, outcome.errors


def case_generator():
    outcome = Outcome("--mode", "generator", "--events", "30000")
    outcome.expect(0, events_sent=30000)
    assert outcome.report["command"] == ["sh", "-c", "exec cat >/dev/null"], outcome.report


def case_options_that_are_none():
    for arguments in (["--mode", "fast"], ["--rate", "0"], ["--active", "1e6"], ["--slow"],
                      ["cat"]):
        done = subprocess.run([BENCH, *arguments], text=True, check=False, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.returncode == 2 and done.stderr and not done.stdout, arguments
    done = subprocess.run([BENCH, "--help"], text=True, check=False, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0 and "--clicks-per-conversion" in done.stdout


def main():
    failed = 0
    for name, case in list(globals().items()):
        if not name.startswith("case_"):
            continue
        try:
            case()
            print("ok " + name[5:])
        except (AssertionError, KeyError, OSError, ValueError,
                subprocess.TimeoutExpired) as error:
            failed += 1
            print("not ok %s: %s" % (name[5:], " ".join(repr(error).split())))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
