#!/usr/bin/env python3
"""The reader of metrics that other tests trust: it takes what is right and finds what is wrong."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import exposition  # noqa: E402

COUNTER = """# HELP clickmatch_a_total Things.
# TYPE clickmatch_a_total counter
clickmatch_a_total{kind="x"} 1
clickmatch_a_total{kind="y \\\\ \\" \\n"} 2.5e+09
"""
GAUGE = """# HELP clickmatch_b_seconds When.
# TYPE clickmatch_b_seconds gauge
clickmatch_b_seconds -1.25
"""
HISTOGRAM = """# HELP clickmatch_c_seconds How long.
# TYPE clickmatch_c_seconds histogram
clickmatch_c_seconds_bucket{le="1e-05"} 1
clickmatch_c_seconds_bucket{le="2.5"} 3
clickmatch_c_seconds_bucket{le="+Inf"} 4
clickmatch_c_seconds_sum 7.5
clickmatch_c_seconds_count 4
"""
INFO = """# HELP clickmatch_d_info What.
# TYPE clickmatch_d_info gauge
clickmatch_d_info{version="1"} 1
"""

# Name, a good text, what is replaced by what, what is found.
WRONGS = [
    ("no_line_end", GAUGE, "-1.25\n", "-1.25", "no line end"),
    ("empty_line", COUNTER, "counter\n", "counter\n\n", "no sample"),
    ("carriage_return", COUNTER, " 1\n", " 1\r\n", "no sample"),
    ("other_comment", GAUGE, "# HELP", "# EOF", "neither HELP nor TYPE"),
    ("empty_help", GAUGE, " When.", "", "neither HELP nor TYPE"),
    ("bad_escape_in_help", GAUGE, "When.", "When\\t", "unknown escape"),
    ("no_help", GAUGE, "# HELP clickmatch_b_seconds When.\n", "", "not after its HELP"),
    ("no_type", GAUGE, "# TYPE clickmatch_b_seconds gauge\n", "", "no TYPE"),
    ("unknown_type", GAUGE, " gauge", " gouge", "unknown type"),
    ("type_twice", GAUGE, "clickmatch_b_seconds -", "# TYPE clickmatch_b_seconds gauge\n"
     "clickmatch_b_seconds -", "TYPE of clickmatch_b_seconds comes again"),
    ("family_twice", GAUGE + COUNTER, "clickmatch_a_total{kind=\"x\"} 1\n",
     "# HELP clickmatch_b_seconds When.\n# TYPE clickmatch_b_seconds gauge\n", "comes again"),
    ("series_twice", COUNTER, '"x"} 1\n', '"x"} 1\nclickmatch_a_total{kind="x"} 1\n',
     "the series comes again"),
    ("label_twice", COUNTER, 'kind="x"', 'kind="x",kind="z"', "a label twice"),
    ("bad_label_escape", COUNTER, '"x"', '"x\\t"', "no sample"),
    ("open_label", COUNTER, '"x"', '"x', "no sample"),
    ("trailing_comma", COUNTER, '"x"', '"x",', "no sample"),
    ("bad_name", COUNTER, 'clickmatch_a_total{kind="x"}', "click-match 1", "no sample"),
    ("hex_value", GAUGE, "-1.25", "0x10", "no sample"),
    ("comma_value", GAUGE, "-1.25", "1,25", "no sample"),
    ("timestamp", GAUGE, "-1.25", "-1.25 1395066363000", "no sample"),
    ("two_blanks", GAUGE, " -1.25", "  -1.25", "no sample"),
    ("other_family", GAUGE, "clickmatch_b_seconds -", "clickmatch_z_seconds -", "outside"),
    ("nan", GAUGE, "-1.25", "NaN", "NaN"),
    ("negative_counter", COUNTER, "} 1\n", "} -1\n", "negative"),
    ("counter_without_total", COUNTER, "_a_total", "_a", "end with _total"),
    ("gauge_with_total", GAUGE, "_b_seconds", "_b_total", "end with _total"),
    ("foreign", GAUGE, "clickmatch_b", "other_b", "not ours"),
    ("unit", GAUGE, "_b_seconds", "_b_ms", "no base unit"),
    ("reserved_label", COUNTER, "kind", "le", "reserved"),
    ("info", INFO, '"} 1', '"} 2', "an info is 1"),
    ("bounds", HISTOGRAM, "1e-05", "3", "bounds do not rise"),
    ("no_infinity", HISTOGRAM, "+Inf", "10", "no bucket +Inf"),
    ("not_cumulative", HISTOGRAM, '"2.5"} 3', '"2.5"} 0', "not cumulative"),
    ("count", HISTOGRAM, "_count 4", "_count 5", "count is not the last bucket"),
    ("no_sum", HISTOGRAM, "clickmatch_c_seconds_sum 7.5\n", "", "sum or count is missing"),
]


def main():
    failures = 0

    def tell(name, reason):
        nonlocal failures
        failures += reason is not None
        print("ok " + name if reason is None else "not ok %s: %s" % (name, reason))

    good = COUNTER + GAUGE + HISTOGRAM + INFO
    found = exposition.check(good, ["clickmatch_a_total", "clickmatch_c_seconds"])
    tell("good_text", None if not found else str(found))
    for name, text, old, new, what in WRONGS:
        assert old in text, name
        found = exposition.check(text.replace(old, new))
        tell(name, None if any(what in line for line in found) else "found: %s" % found)
    found = exposition.check(GAUGE, ["clickmatch_z_seconds"])
    tell("missing_family", None if len(found) == 1 else "found: %s" % found)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
