#!/usr/bin/env python3
"""scripts/bench_plot.py gives gnuplot what was measured. One line per case.

gnuplot itself is a stand-in that keeps its input, and draws one line that ends in blanks, as the
real one does.
"""

import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/harness"))
import cases  # noqa: E402
SCRIPT = os.path.join(ROOT, "scripts/bench_plot.py")
KEEP = r"""#!/bin/bash
given=$(cat)
printf '%s\n' "$given" >>"$KEPT"
printf '<svg/>  \n' >"$(sed -n "s/^set output '\(.*\)'$/\1/p" <<<"$given")"
"""


def figure(case, name, median, least, most):
    return {"case": case, "figure": name, "median": median, "min": least, "max": most}


def run_of(**sections):
    return {"command": "bench", "sizes": {"rate": 100000},
            "sections": [{"name": name, "figures": figures} for name, figures in sections.items()]}


LATENCY = [figure("all", name, 10.0 ** x, 10.0 ** x / 2, 10.0 ** x * 2)
           for x, name in enumerate(("p50", "p90", "p99", "p99.9", "max"))]
LATENCY += [figure("url_param", "p50", 1, 1, 1), figure("all", "heap grew", 77, 77, 77)]
SCALING = [figure("%s clicks" % clicks, name, value, value - 1, value + 1)
           for clicks, time, size in (("2,000,000", 110, 90), ("1,000,000", 100, 95))
           for name, value in (("core time per conversion", time), ("bytes per click", size))]


def plot(run, gnuplot=KEEP):
    """Status, output, errors, and what gnuplot was given. What was written ends in no blank."""
    with tempfile.TemporaryDirectory() as root:
        kept = os.path.join(root, "kept")
        with open(os.path.join(root, "bench.json"), "w", encoding="utf-8") as file:
            file.write(run if isinstance(run, str) else json.dumps(run))
        if gnuplot is not None:
            with open(os.path.join(root, "gnuplot"), "w", encoding="utf-8") as file:
                file.write(gnuplot)
            os.chmod(file.name, 0o755)
        path = root if gnuplot is None else root + ":" + os.environ["PATH"]
        done = subprocess.run([sys.executable, SCRIPT, "bench.json", "img/new"], cwd=root,
                              env=dict(os.environ, PATH=path, KEPT=kept), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        for place in done.stdout.split():
            with open(os.path.join(root, place), encoding="utf-8") as file:
                assert file.read() == "<svg/>\n"
        program = ""
        if os.path.exists(kept):
            with open(kept, encoding="utf-8") as file:
                program = file.read()
        return done.returncode, done.stdout.split(), done.stderr, program


def block(program, number):
    """The numbers of a data block."""
    text = program.split("$line%d << END\n" % number)[1].split("\nEND\n")[0]
    return [tuple(float(word) for word in row.split()) for row in text.splitlines()]


def case_latency():
    status, written, _, program = plot(run_of(latency=LATENCY))
    assert (status, written) == (0, ["img/new/latency.svg"])
    assert "set output 'img/new/latency.svg'" in program
    assert block(program, 0) == [(0, 1, 1, 1)]  # the URL parameter's
    assert block(program, 1) == [(x, 10 ** x, 10 ** x / 2, 10 ** x * 2) for x in range(5)]
    assert "100,000 a second" in program and "77" not in program


def case_scaling_rises():
    _, written, _, program = plot(run_of(scaling=SCALING))
    assert written == ["img/new/scaling.svg"]
    assert block(program, 0) == [(1e6, 100, 99, 101), (2e6, 110, 109, 111)]
    assert block(program, 1) == [(1e6, 95, 94, 96), (2e6, 90, 89, 91)]
    assert "'1 M' 1000000, '2 M' 2000000" in program


def case_both():
    status, written, errors, program = plot(run_of(latency=LATENCY, load=[], scaling=SCALING))
    assert (status, errors) == (0, "")
    assert written == ["img/new/latency.svg", "img/new/scaling.svg"]
    assert program.count("set terminal svg") == 2


def case_what_is_wrong():
    for run, gnuplot, wanted in ((run_of(load=[]), KEEP, "neither latency nor scaling"),
                                 ("{", KEEP, "make bench writes it"),
                                 (run_of(latency=LATENCY), None, "scripts/deps.sh --plot"),
                                 (run_of(latency=LATENCY), "#!/bin/bash\necho no terminal >&2\n",
                                  "no terminal")):
        status, written, errors, _ = plot(run, gnuplot)
        assert (status, written) == (1, []), wanted
        assert errors.startswith("bench_plot.py: ") and wanted in errors, errors


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
