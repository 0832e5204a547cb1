#!/usr/bin/env python3
"""Every check of scripts/tidy.py can fail, and a clean tree passes. One line per case."""

import os
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
sys.dont_write_bytecode = True
import tidy  # noqa: E402

# A small tree without a finding. Every case changes one file of it.
CLEAN = {
    "CONTRIBUTING.md": "\n".join((
        "| Folder | What it is | May include |",
        "|---|---|---|",
        "| `include` | the public header | nothing |",
        "| `src/util` | helpers | `include` |",
        "| `src/model` | records | util |",
        "| `src/index` | tables | model, util |",
        "| `src/match` | layers | index and below |",
        "| `src/io` | codecs | model, util |",
        "| `src/file` | files | io, model, util |",
        "| `src/pg` | libpq | io, model, util |",
        "| `src/cmd` | commands | all of the above |",
        "")),
    "include/clickmatch.h": "/* What it is. */\n/* Who frees it. */\nint cm_get(void);\n",
    "src/util/slice.h": "int cm_slice(void);\n",
    "src/util/check.h": "#define CM_CHECK(c) ((c) ? (void)0 : abort())\n",
    "src/model/click.h": '#include "clickmatch.h"\n#include "util/slice.h"\n',
    "src/index/table.c": '#include "table.h"\n#include <stdio.h>\n',
    "src/index/table.h": "int cm_table(void);\n",
    "src/match/match.c": '#include "index/table.h"\n#include "model/click.h"\n',
    "src/io/csv.c": "int cm_csv(void)\n{\n    return 0;\n}\n",
    "src/io/csv.h": "int cm_csv(void);\n",
    "src/file/input.c": "int cm_input(void)\n{\n    return open(0);\n}\n",
    "src/pg/conn.c": '#include <libpq-fe.h>\n#include "sql.h"\n',
    "src/cmd/cli.c": '#include "index/table.h"\n',
    "src/main.c": "int main(void)\n{\n    exit(0);\n}\n",
    "tests/unit/test_all.c": "int x;\n" * 40,
    "README.md": "A long line of prose may well be longer than what a line of code may be, and is "
                 "no finding.\n",
}


def body(lines):
    return "int cm_long(void)\n{\n" + "    cm_x();\n" * lines + "}\n"


# Name, file, its text, what the only finding must contain (empty: no finding).
CASES = (
    ("clean tree", "README.md", CLEAN["README.md"], ""),
    ("include upward", "src/util/slice.c", '#include "model/click.h"\n',
     "src/util/slice.c:1: util may not include model"),
    ("include sideways", "src/io/csv.c", '\n#include "index/table.h"\n',
     "src/io/csv.c:2: io may not include index"),
    ("below is not above", "src/match/match.c", '#include "io/csv.h"\n',
     "match may not include io"),
    ("include in a comment", "src/util/slice.c", '/*\n#include "model/click.h"\n*/\n', ""),
    ("include without a folder", "src/io/csv.c", '#include "click.h"\n', "names no layer"),
    ("include through ..", "src/io/csv.c", '#include "../model/click.h"\n', "names no layer"),
    ("unknown layer", "src/extra/x.c", "int x;\n", "'extra' is no layer"),
    ("embedded SQL outside pg", "src/cmd/sql.c", '#include "sql.h"\n', ""),
    ("embedded SQL in io", "src/io/sql.c", '#include "sql.h"\n', "io may not include pg"),
    ("table without a row", "CONTRIBUTING.md", "# Nothing\n", "there is no table of layers"),
    ("table naming nobody", "CONTRIBUTING.md",
     CLEAN["CONTRIBUTING.md"].replace("| records | util |", "| records | util, utils |"),
     "CONTRIBUTING.md:5: 'model' may include 'utils'"),
    ("libpq elsewhere", "src/cmd/cli.c", "#include <libpq-fe.h>\n", "libpq outside src/pg"),
    ("file opened in io", "src/io/csv.c", "int f = open(path);\n", "src/io/csv.c:1: open outside"),
    ("member named open", "src/io/csv.c", "int f = x->open(path) + y.open(path);\n", ""),
    ("socket in a simulator", "src/model/sim.c", "int f = socket(1);\n", "socket outside"),
    ("file opened in cmd", "src/cmd/cli.c", "int f = fopen(path);\n", ""),
    ("exit in the library", "src/model/click.c", "int f = exit(1);\n", "the library calls exit"),
    ("abort in the library", "src/io/csv.c", "int f = abort();\n", "the library calls abort"),
    ("exit in a string", "src/io/csv.c", 'char *f = "exit(1)"; /* exit(1) */ // exit(1)\n', ""),
    ("stderr in the library", "src/io/csv.c", "int f = fprintf(stderr, x);\n", "prints (stderr)"),
    ("printf in the library", "src/io/csv.c", "int f = printf(x);\n", "prints (printf)"),
    ("clock in the library", "src/io/csv.c", "int f = clock_gettime(x);\n", "calls clock_gettime"),
    ("time in the library", "src/io/csv.c", "int f = time(NULL);\n", "calls time"),
    ("a name ending in time", "src/io/csv.c", "int f = cm_time(NULL);\n", ""),
    ("environment", "src/io/csv.c", "int f = getenv(x);\n", "calls getenv"),
    ("chance", "src/index/table.c", "int f = rand();\n", "calls rand"),
    ("clock in a command", "src/cmd/cli.c", "int f = time(NULL);\n", ""),
    ("spaces before the call", "src/cmd/cli.c", "int f = strcpy (a, b);\n", "strcpy is banned"),
    ("columns", "src/cmd/cli.c", "//" + "x" * 99 + "\n", "src/cmd/cli.c:1: 101 columns"),
    ("characters, not bytes", "src/cmd/cli.c", "//" + "\u00e9" * 98 + "\n", ""),
    ("columns of a script", "scripts/a.sh", "#" + "x" * 100 + "\n", "101 columns"),
    ("function of 71 lines", "tests/unit/f.c", body(68), "cm_long has 71 lines"),
    ("function of 70 lines", "tests/unit/f.c", body(67), ""),
    ("brace on the line", "tests/unit/f.c", body(70).replace(")\n{", ") {"), "has 72 lines"),
    ("long table", "tests/unit/f.c", "int x[] = {\n" + "    1,\n" * 90 + "};\n", ""),
    ("file of 501 lines", "tests/unit/f.c", "int x;\n" * 501, "501 lines"),
    ("long golden data", "tests/golden/f.csv", ("x" * 200 + " \t\n") * 600, ""),
    ("median of files", "src/cmd/cli.c", None, "the median .c file has 251 lines"),
    ("median of functions", "src/cmd/cli.c", None, "the median function has 21 lines"),
    ("uncommented header", "include/clickmatch.h", "/* What. */\nint a;\nint b;\n", "33 % of the"),
    ("too few tests", "tests/unit/test_all.c", "int x;\n", "1 lines of tests for"),
    ("blanks at the end", "README.md", "Text. \n", "README.md:1: blanks at the end"),
    ("tab", "src/cmd/cli.c", "int\tx;\n", "a tab"),
    ("tab in a Makefile", "Makefile", "all:\n\ttrue\n", ""),
    ("lint let pass, no reason", "src/cmd/cli.c", "int x; // NOLINT(bugprone-x)\n",
     "src/cmd/cli.c:1: a warning is let pass without a reason"),
    ("lint let pass", "src/cmd/cli.c", "int x; // NOLINT(bugprone-x): nobody reads it\n", ""),
    ("next line let pass, no reason", "src/cmd/cli.c", "// NOLINTNEXTLINE\nint x;\n", "let pass"),
    ("cppcheck silenced, no reason", "src/cmd/cli.c", "// cppcheck-suppress unused\nint x;\n",
     "src/cmd/cli.c:1: a warning is let pass without a reason"),
    ("cppcheck silenced", "src/cmd/cli.c", "// cppcheck-suppress [unused] for tests\n", ""),
    ("shellcheck silenced, no reason", "scripts/a.sh", "\n# shellcheck disable=SC2086\n",
     "scripts/a.sh:2: a warning is let pass without a reason"),
    ("shellcheck silenced", "scripts/a.sh", "# shellcheck disable=SC2086 # words\n", ""),
    ("compiler silenced, no reason", "src/cmd/cli.c",
     '/* Why. */\n\n\n\n#pragma GCC diagnostic ignored "-Wx"\n',
     "src/cmd/cli.c:5: a warning is let pass without a reason"),
    ("compiler silenced", "src/cmd/cli.c",
     '/* Why. */\n#pragma GCC diagnostic ignored "-Wx"\n', ""),
    ("check turned off, no reason", ".clang-tidy", "# - other: why\nChecks: >\n    -a-b,\n",
     ".clang-tidy:3: a-b is turned off without a reason"),
    ("check turned off", ".clang-tidy", "# - other, b: why\nChecks: >\n    -*,\n    -bugprone-b\n",
     ""),
    ("cppcheck's check turned off, no reason", "scripts/lint.sh", "cppcheck --suppress=unused\n",
     "scripts/lint.sh:1: unused is turned off without a reason"),
    ("machine path", "README.md", "See /wo" + "rk/main.\n", "means nothing to a reader"),
    ("machine name", "src/cmd/cli.c", "// Artifac" + "tory\n", "means nothing to a reader"),
) + tuple((call + " is banned", "src/cmd/cli.c", "int f = %s(x);\n" % call, call + " is banned")
          for call in tidy.BANNED_CALLS)


THREADS = "src/model/click.c", "int f = pthread_create(x);\n"
MAKEFILE = "THREADED = test_a \\\n           test_b\ntsan:\n\ttests/run.sh $(THREADED) %s\n"
TESTED = "# starts: src/model/click.c\ncase_click() {\n}\n"

# Name, changes, what the only finding must contain.
THREAD_CASES = (
    ("threads without a test", dict([THREADS]),
     "src/model/click.c:1: starts threads that make tsan does not run"),
    ("threads of a case", {**dict([THREADS]), tidy.THREADS_TEST: TESTED,
                           "Makefile": MAKEFILE % "test_threads.sh"}, ""),
    ("threads of a case that is not run", {**dict([THREADS]), tidy.THREADS_TEST: TESTED,
                                           "Makefile": MAKEFILE % "test_d"},
     "src/model/click.c:1: starts threads that make tsan does not run"),
    ("threads by the runner", {"src/model/click.c": "int f = cm_parallel(x);\n"},
     "src/model/click.c:1: starts threads"),
    ("threads by a library", {"src/model/click.c": "int f = MHD_start_daemon(x);\n"},
     "src/model/click.c:1: starts threads"),
    ("threads declared", {"src/util/parallel.h": "void cm_parallel(int x);\n"}, ""),
    ("a case that starts nothing", {tidy.THREADS_TEST: TESTED,
                                    "Makefile": MAKEFILE % "test_threads.sh"},
     "test_threads.sh:1: src/model/click.c starts no threads"),
    ("starts of no case", {**dict([THREADS]),
                           tidy.THREADS_TEST: TESTED + "\n# starts: src/model/click.c\n\n",
                           "Makefile": MAKEFILE % "test_threads.sh"},
     "test_threads.sh:5: `# starts:` of no case"),
    ("a test with threads", {"tests/unit/test_c.c": "int f = pthread_create(x);\n",
                             "Makefile": MAKEFILE % "test_d"},
     "tests/unit/test_c.c:1: starts threads, and is not in THREADED"),
    ("a test with threads in the list", {"tests/unit/test_b.c": "int f = pthread_create(x);\n",
                                         "Makefile": MAKEFILE % "test_d"}, ""),
)


def findings(changes, exceptions=None, check=tidy.Tidy.run):
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**CLEAN, **changes}.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return check(tidy.Tidy(root, exceptions or {}))


def changes_for(name, path, text):
    sources = [path for path in CLEAN if path.startswith("src/") and path.endswith(".c")]
    if name == "median of files":
        return {**dict.fromkeys(sources, "int x;\n" * 251),
                **{"tests/unit/t%d.c" % i: "int x;\n" * 400 for i in range(6)}}
    if name == "median of functions":
        return {**dict.fromkeys(sources, body(18)), "tests/unit/t.c": "int x;\n" * 300}
    return {path: text}


def exception_cases():
    long_line = {"src/cmd/cli.c": "//" + "x" * 99 + "\n"}
    excuse = {("columns", "src/cmd/cli.c"): "a reason"}
    yield "exception", findings(long_line, excuse), ""
    yield "stale exception", findings({}, excuse), "excuses nothing"


def layer_cases():
    """What every build checks: the direction of dependencies, and nothing else."""
    check = tidy.Tidy.run_layers
    upward = {"src/util/slice.c": '#include "model/click.h"\n'}
    yield "layers: include upward", findings(upward, check=check), "util may not include model"
    long_line = {"src/cmd/cli.c": "//" + "x" * 99 + "\n"}
    yield "layers: a long line is no matter", findings(long_line, check=check), ""


def main():
    results = [(name, findings(changes_for(name, path, text)), expected)
               for name, path, text, expected in CASES]
    results += [(name, findings(changes), expected) for name, changes, expected in THREAD_CASES]
    failed = 0
    for name, found, expected in results + list(exception_cases()) + list(layer_cases()):
        good = not found if not expected else len(found) == 1 and expected in found[0]
        failed += not good
        print("ok " + name if good else
              "not ok %s: expected '%s', found %s" % (name, expected, found))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
