#!/usr/bin/env python3
"""scripts/analyze.py: what it finds, what the list excuses and what is wrong with a list. One line
per case."""

import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/harness"))
import cases  # noqa: E402
LIST = "scripts/analyze_allowed.txt"

CLEAN = "int cm_twice(int number)\n{\n    return 2 * number;\n}\n"
LEAK = """#include <stdlib.h>
int cm_leak(int number);
int cm_leak(int number)
{
    char *bytes = malloc(10);
    if (bytes == NULL || number > 3)
        return 0;
    free(bytes);
    return 1;
}
"""
TWICE = """#include <stdlib.h>
void cm_free(char *bytes);
void cm_free(char *bytes)
{
    free(bytes);
    free(bytes);
}
"""
ENTRY = "src/util/leak.c -Wanalyzer-malloc-leak cm_leak\n"
REASON = "    The caller never asks for\n    more than three.\n"


def analyze(sources, allowed, *flags):
    """Whether all is well, and what was said."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**sources, LIST: allowed}.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        shutil.copy(os.path.join(ROOT, "scripts/analyze.py"), os.path.join(root, "scripts"))
        done = subprocess.run([sys.executable, os.path.join(root, "scripts/analyze.py"), *flags],
                              capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1) and not done.stderr, done.stderr
        return done.returncode == 0, done.stdout.splitlines()


def expect(lines, *wanted):
    assert len(lines) == len(wanted) + 1, lines
    for line, part in zip(lines, wanted):
        assert part in line, (part, line)


def case_clean_sources_pass():
    good, lines = analyze({"src/util/twice.c": CLEAN}, "# Nothing yet.\n")
    assert good and lines == [
        "analyze: 1 files, 0 warnings excused by 0 entries, 0 findings"], lines


def case_a_planted_leak_is_found():
    good, lines = analyze({"src/util/leak.c": LEAK, "src/main.c": CLEAN}, "")
    assert not good
    expect(lines, "src/util/leak.c:6: cm_leak: leak of")
    assert "[-Wanalyzer-malloc-leak]" in lines[0], lines


def case_what_is_freed_twice_is_found():
    good, lines = analyze({"src/util/twice.c": TWICE}, "")
    assert not good
    expect(lines, "src/util/twice.c:6: cm_free: double-")


def case_an_entry_excuses_what_it_names():
    good, lines = analyze({"src/util/leak.c": LEAK}, "# Why.\n" + ENTRY + REASON)
    assert good and len(lines) == 1, lines
    assert "1 warnings excused by 1 entries" in lines[0], lines


def case_an_entry_excuses_nothing_else():
    for entry in (ENTRY.replace("cm_leak", "cm_lea"), ENTRY.replace("malloc-leak", "file-leak"),
                  ENTRY.replace("util/leak", "util/leaks")):
        good, lines = analyze({"src/util/leak.c": LEAK}, entry + REASON)
        assert not good
        expect(lines, "src/util/leak.c:6: ", LIST + ":1: excuses nothing")


def case_a_stale_entry_fails():
    good, lines = analyze({"src/util/leak.c": CLEAN}, ENTRY + REASON)
    assert not good
    expect(lines, LIST + ":1: excuses nothing; remove it")


def case_an_entry_without_a_reason_fails():
    for reason in ("", "    False.\n", "    It cannot happen at all\n"):
        good, lines = analyze({"src/util/leak.c": LEAK}, ENTRY + reason)
        assert not good
        expect(lines, LIST + ":1: no reason")


def case_a_list_that_cannot_be_read_fails():
    for text, wanted in ((REASON, "a reason of nothing"),
                         (ENTRY + REASON + ENTRY, "a second entry"),
                         ("src/util/leak.c cm_leak\n", "no entry"),
                         ("src/util/leak.c -Wall cm_leak\n", "no entry")):
        good, lines = analyze({"src/util/leak.c": CLEAN}, text)
        assert not good and any(wanted in line for line in lines), (wanted, lines)


def case_what_does_not_compile_fails():
    good, lines = analyze({"src/util/leak.c": "int x = ;\n"}, "")
    assert not good
    expect(lines, "did not get through: expected expression")


def case_flags_reach_the_compiler():
    text = "#ifdef TWICE\n" + TWICE + "#endif\n" + CLEAN
    assert analyze({"src/util/twice.c": text}, "")[0]
    assert not analyze({"src/util/twice.c": text}, "", "-DTWICE")[0]


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
