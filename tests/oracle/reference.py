#!/usr/bin/env python3
"""Match conversions to clicks by brute force, from the rules of docs/matching.md alone.

The engine is tested against this: it shares no code with it and prefers the plain reading of a
rule to speed. Files in, one result file out; Python 3.11, standard library only.
"""

import argparse
import codecs
import json
import os
import re
import sys

from reference_files import Reader
from reference_match import HOUR_US, Clicks, Matcher, conversion_of
from reference_model import load_model
from reference_values import (CLICK_PARSERS, CLICK_REQUIRED, CONVERSION_PARSERS,
                              CONVERSION_REQUIRED, Failure)

RESULT_COLUMNS = (
    "conversion_id", "tenant_id", "click_id", "campaign_id", "adset_id", "ad_id", "creative_id",
    "attribution_method", "attribution_confidence", "match_probability",
    "attribution_window_hours", "layer_1_result", "layer_2_result", "layer_3_result", "candidates",
    "model")


# -------------------------------------------------------------------------------------------------
# Results (section 6)


# Each byte that is not part of a character becomes one U+FFFD.
codecs.register_error("each byte", lambda error: ("\ufffd", error.start + 1))


def json_string(data):
    return json.dumps(data.decode("utf-8", "each byte"), ensure_ascii=False).encode("utf-8")


def six_decimals(p):
    return b"%.6f" % (int(p * 1000000 + 0.5) / 1000000)


def candidates_json(candidates):
    parts = [b'{"click_id":%b,"probability":%b}' % (json_string(click.id), six_decimals(p))
             for click, p in candidates]
    return b"[" + b",".join(parts) + b"]"


NUMBERS = {"attribution_confidence", "match_probability", "attribution_window_hours", "candidates"}


def result_values(conversion, result, label):
    """The fields as bytes, in the order of RESULT_COLUMNS; None is missing."""
    click = result.click
    hours = None if click is None else b"%d" % ((conversion.time - click.time) // HOUR_US)
    return [conversion.id, conversion.tenant, click and click.id,
            *(click.ads if click else [None] * 4), result.method.encode(),
            b"%.4f" % result.confidence, six_decimals(result.probability), hours,
            *(word.encode() for word in result.layers), candidates_json(result.candidates), label]


def csv_field(value):
    if value is None:
        return b""
    if any(byte in value for byte in (b",", b'"', b"\r", b"\n")):
        return b'"' + value.replace(b'"', b'""') + b'"'
    return value


def csv_line(values):
    return b",".join(csv_field(value) for value in values) + b"\n"


def ndjson_line(values):
    parts = []
    for name, value in zip(RESULT_COLUMNS, values):
        text = b"null" if value is None else value if name in NUMBERS else json_string(value)
        parts.append(b'"' + name.encode() + b'":' + text)
    return b"{" + b",".join(parts) + b"}\n"


def reject_line(reject):
    source, line, byte, field, reason, text = reject
    values = {"source": source, "line": line, "byte": byte, "field": field, "reason": reason,
              "row": text.rstrip(b"\r\n").decode("utf-8", "replace")}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"


def write_file(path, lines):
    if path is None or path == "-":
        sys.stdout.buffer.writelines(lines)
        sys.stdout.buffer.flush()
        return
    with open(path + ".part", "wb") as file:
        file.writelines(lines)
    os.replace(path + ".part", path)


# -------------------------------------------------------------------------------------------------
# The command


def read_clicks(paths, model, reader):
    clicks = Clicks(model)
    for path in paths:
        for fields in reader.read(path):
            clicks.add(fields)
    clicks.finish()
    return clicks


def read_conversions(paths, model, reader):
    """(conversions in input order, number of duplicates)"""
    conversions, ids, duplicates = [], set(), 0
    for path in paths:
        for fields in reader.read(path):
            key = (fields["tenant_id"], fields["conversion_id"])
            if key in ids:
                duplicates += 1
                continue
            ids.add(key)
            conversions.append(conversion_of(fields, model))
    return conversions, duplicates


def report(readers, clicks, conversion_duplicates, results):
    methods = {}
    for result in results:
        methods[result.method] = methods.get(result.method, 0) + 1
    duplicates = (clicks.duplicates, conversion_duplicates)
    for name, reader, duplicate in zip(("clicks", "conversions"), readers, duplicates):
        rows = sum(count[1] for count in reader.counts)
        print(f"{name}: {rows} rows, {len(reader.rejects)} rejected, {duplicate} duplicates, "
              f"lenient {reader.lenient_counts}", file=sys.stderr)
    print(f"results: {len(results)} {dict(sorted(methods.items()))}", file=sys.stderr)


def max_rejects(text):
    if text == "none":
        return text
    if not re.fullmatch("[0-9]+", text):
        raise argparse.ArgumentTypeError("neither a number nor none")
    return int(text)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clicks", action="append", required=True, metavar="FILE")
    parser.add_argument("--conversions", action="append", required=True, metavar="FILE")
    parser.add_argument("--model", metavar="FILE")
    parser.add_argument("--format", choices=("csv", "ndjson"))
    parser.add_argument("--lenient", action="store_true")
    parser.add_argument("--max-rejects", type=max_rejects, metavar="N|none")
    parser.add_argument("--rejects", metavar="FILE")
    parser.add_argument("--output", metavar="FILE")
    return parser.parse_args()


def make_readers(arguments):
    """One for clicks, one for conversions."""
    return [Reader(parsers, required, arguments.lenient, arguments.max_rejects)
            for parsers, required in ((CLICK_PARSERS, CLICK_REQUIRED),
                                      (CONVERSION_PARSERS, CONVERSION_REQUIRED))]


def match_files(arguments, readers):
    """(clicks, number of duplicate conversions, results, rows of result values)"""
    model = load_model(arguments.model)
    clicks = read_clicks(arguments.clicks, model, readers[0])
    conversions, duplicates = read_conversions(arguments.conversions, model, readers[1])
    matcher = Matcher(clicks)
    results = [matcher.match(conversion) for conversion in conversions]
    label = f"{model['name']}@{model['version']}".encode("utf-8")
    return clicks, duplicates, results, [result_values(*pair, label)
                                         for pair in zip(conversions, results)]


def result_lines(rows, output_format):
    if output_format == "ndjson":
        return [ndjson_line(row) for row in rows]
    return [csv_line(row) for row in [[name.encode() for name in RESULT_COLUMNS]] + rows]


def write_rejects(path, readers):
    if path:
        write_file(path, [reject_line(reject) for reader in readers for reject in reader.rejects])


def run(arguments):
    readers = make_readers(arguments)
    try:
        clicks, duplicates, results, rows = match_files(arguments, readers)
    except Failure as failure:
        if failure.status == 3:
            write_rejects(arguments.rejects, readers)
        raise
    write_rejects(arguments.rejects, readers)
    by_suffix = "ndjson" if (arguments.output or "").endswith((".ndjson", ".jsonl")) else "csv"
    write_file(arguments.output, result_lines(rows, arguments.format or by_suffix))
    report(readers, clicks, duplicates, results)


def main():
    try:
        run(parse_arguments())
    except Failure as failure:
        print(f"reference: {failure}", file=sys.stderr)
        return failure.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
