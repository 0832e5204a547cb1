#!/usr/bin/env python3
"""Draw what `clickmatch bench --json FILE` measured, with gnuplot.

    scripts/bench_plot.py FILE.json DIRECTORY

Writes latency.svg (percentiles by outcome) and scaling.svg (time per conversion and bytes per click
by number of clicks) to the directory, each from the section of that name, where the file has it.
Lines are medians; what is shaded lies between the least and the most of the repetitions.
"""

import json
import os
import subprocess
import sys

HEAD = """set terminal svg size 820,440 dynamic font "sans-serif,14" background "white"
set output %s
set border 3 lc rgb "#555555"
set tics nomirror textcolor rgb "#333333"
set grid ytics lc rgb "#e4e4e4" lw 1
set key reverse Left textcolor rgb "#333333" samplen 2
set title %s textcolor rgb "#333333"
"""
COLORS = ("#1b6ca8", "#d1603d", "#3a9d5d", "#8a5fb0", "#222222", "#aaaaaa")

LATENCY = (("url_param", "URL parameter"), ("fingerprint", "fingerprint"),
           ("probabilistic", "probabilistic"), ("unattributed", "unattributed"), ("all", "all"),
           ("nothing to do", "the loop alone"))
PERCENTILES = ("p50", "p90", "p99", "p99.9", "max")


class Wrong(Exception):
    """Something that the person who called must put right."""


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def section(run, name):
    """A section's figures by case and name; empty where it was not measured."""
    for part in run["sections"]:
        if part["name"] == name:
            return {(f["case"], f["figure"]): f for f in part["figures"]}
    return {}


def line(number, rows, title, extra=""):
    """A data block and what draws it. Rows of x, median, least, most."""
    block = "$line%d << END\n%s\nEND\n" % (
        number, "\n".join(" ".join("%.9g" % value for value in row) for row in rows))
    style = "lc rgb %s lw 2 pt 7 ps 0.5" % quoted(COLORS[number % len(COLORS)])
    draw = "$line%d using 1:2 with linespoints %s %s title %s" % (number, style, extra,
                                                                quoted(title))
    shade = "lc rgb %s fs transparent solid 0.12" % quoted(COLORS[number % len(COLORS)])
    band = "$line%d using 1:3:4 with filledcurves %s %s notitle" % (number, shade, extra)
    return block, draw, band


def row(x, figure):
    return x, figure["median"], figure["min"], figure["max"]


def latency(figures, rate, place):
    """The gnuplot program of the latencies."""
    lines = []
    for case, title in LATENCY:
        rows = [row(x, figures[case, name]) for x, name in enumerate(PERCENTILES)
                if (case, name) in figures]
        if rows:
            lines.append(line(len(lines), rows, title))
    title = "Latency of one conversion, %s a second, from when it was due" % format(rate, ",")
    tics = ", ".join("%s %d" % (quoted(name), x) for x, name in enumerate(PERCENTILES))
    return program(place, title, lines, (
        "set logscale y", "set xrange [-0.2:4.2]", "set xtics (%s)" % tics,
        "set key outside right center", "set ylabel 'microseconds'"))


def sizes(figures, name):
    """The figures of that name, in the order of clicks."""
    found = [(int(case.split()[0].replace(",", "")), figure)
             for (case, of), figure in figures.items() if of == name]
    return [row(clicks, figure) for clicks, figure in sorted(found, key=lambda pair: pair[0])]


def short(clicks):
    """2 M, 500 k."""
    unit, name = (1000000, " M") if clicks >= 1000000 else (1000, " k")
    return "%g%s" % (clicks / unit, name)


def scaling(figures, place):
    """The gnuplot program of the scaling."""
    times = sizes(figures, "core time per conversion")
    tics = ", ".join("'%s' %d" % (short(row[0]), row[0]) for row in times)
    lines = [line(0, times, "core time per conversion, ns"),
             line(1, sizes(figures, "bytes per click"), "bytes per click (right)", "axes x1y2")]
    return program(place, "More clicks, candidates per conversion held constant", lines, (
        "set logscale x", "set xrange [%d:%d]" % (times[0][0] * 0.9, times[-1][0] * 1.1),
        "set xlabel 'clicks'", "set xtics (%s)" % tics, "set yrange [0:]",
        "set y2range [0:]", "set y2tics nomirror", "set border 11", "set key bottom left",
        "set ylabel 'ns'", "set y2label 'bytes'"))


def program(place, title, lines, settings):
    draws = [band for _, _, band in lines] + [draw for _, draw, _ in lines]
    return (HEAD % (quoted(place), quoted(title)) + "".join(block for block, _, _ in lines)
            + "\n".join(settings) + "\nplot " + ", \\\n    ".join(draws) + "\n")


def draw(text):
    try:
        done = subprocess.run(["gnuplot"], input=text, text=True, stderr=subprocess.PIPE,
                              check=False)
    except OSError as error:
        raise Wrong("gnuplot: %s; scripts/deps.sh --plot installs it" % error) from error
    if done.returncode != 0 or done.stderr:
        raise Wrong("gnuplot: %s" % done.stderr.strip())


def trim(place):
    """gnuplot leaves blanks at the ends of lines: not in a file that is kept."""
    with open(place, encoding="utf-8") as file:
        lines = [line.rstrip() for line in file]
    with open(place, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def plot(path, folder):
    """Draw what the file has; the names of what was written."""
    try:
        with open(path, encoding="utf-8") as file:
            run = json.load(file)
    except (OSError, ValueError) as error:
        raise Wrong("%s: %s; make bench writes it" % (path, error)) from error
    os.makedirs(folder, exist_ok=True)
    places = {name: os.path.join(folder, name + ".svg") for name in ("latency", "scaling")}
    written = []
    found = section(run, "latency")
    if found:
        draw(latency(found, run["sizes"]["rate"], places["latency"]))
        written.append(places["latency"])
    found = section(run, "scaling")
    if found:
        draw(scaling(found, places["scaling"]))
        written.append(places["scaling"])
    for place in written:
        trim(place)
    if not written:
        raise Wrong("%s: neither latency nor scaling was measured" % path)
    return written


def main(arguments):
    if len(arguments) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        print("\n".join(plot(*arguments)))
    except Wrong as wrong:
        print("bench_plot.py: %s" % wrong, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
