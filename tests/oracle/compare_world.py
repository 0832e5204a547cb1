#!/usr/bin/env python3
"""Hold the C reference against the Python one, bit for bit, on random worlds.

    compare_world.py CHECK_WORLD FIRST END
"""

import csv
import pathlib
import subprocess
import sys
import tempfile

import reference
from reference_match import HOUR_US, Matcher
from reference_model import load_model


def text(value):
    return (value or b"").decode("utf-8")


def python_row(matcher, conversion):
    """What check_world writes of a result, numbers as float.hex()."""
    result = matcher.match(conversion)
    click = result.click
    hours = -1 if click is None else (conversion.time - click.time) // HOUR_US
    weighed = result.layer_2_probability is not None
    row = [result.method, text(conversion.id), text(click and click.id),
           *(text(value) for value in (click.ads if click else [None] * 4)),
           result.confidence.hex(), result.probability.hex(), str(hours), *result.layers,
           str(int(weighed)), (result.layer_2_probability if weighed else 0.0).hex()]
    for candidate, p in result.candidates:
        row += [text(candidate.id), p.hex()]
    return row


def same_hex(row):
    """C and Python write hexadecimal numbers differently."""
    hexadecimal = {7, 8, 14, *range(16, len(row), 2)}
    return [float.fromhex(value).hex() if place in hexadecimal else value
            for place, value in enumerate(row)]


def compare(folder):
    model = load_model(str(folder / "model.json"))
    readers = (reference.Reader(reference.CLICK_PARSERS, reference.CLICK_REQUIRED, False),
               reference.Reader(reference.CONVERSION_PARSERS, reference.CONVERSION_REQUIRED, False))
    clicks = reference.read_clicks([folder / "clicks.csv"], model, readers[0])
    conversions, _ = reference.read_conversions([folder / "conversions.csv"], model, readers[1])
    if readers[0].rejects or readers[1].rejects:
        print("rejected:", (readers[0].rejects + readers[1].rejects)[0])
        return 1
    with open(folder / "results.csv", encoding="utf-8", newline="") as file:
        expected = list(csv.reader(file))
    matcher = Matcher(clicks)
    actual = [[str(clicks.duplicates)]] + [python_row(matcher, one) for one in conversions]
    expected = [expected[0]] + [same_hex(row) for row in expected[1:]]
    if len(actual) != len(expected):
        print("C:", len(expected), "results; Python:", len(actual))
        return 1
    differences = [pair for pair in zip(expected, actual) if pair[0] != pair[1]]
    for c_row, python in differences[:3]:
        print("C:     ", *c_row)
        print("Python:", *python)
    return len(differences)


def main():
    program, first, end = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    different = 0
    for number in range(first, end):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([program, "--dump", folder, str(number)], check=True)
            found = compare(pathlib.Path(folder))
        if found:
            print(f"world {number}: {found} differences")
        different += found > 0
    print(f"{end - first} worlds, {different} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
