#!/usr/bin/env python3
"""tests/run.sh counts what passed and lets no failure through. One line per case."""

import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Name, what one integration script does, the closing line, what else the output must hold.
CASES = (
    ("all pass", "echo ok a; echo ok b", "2 passed, 0 failed", ""),
    ("one fails", "echo ok a; echo not ok b: cause; exit 1", "1 passed, 1 failed", "b: cause"),
    ("its errors are shown", "echo ok a; echo details >&2; exit 3", "1 passed, 1 failed",
     "details"),
    ("status despite a failure", "echo ok a; echo not ok b", "1 passed, 2 failed",
     "exit status 0, though a case failed"),
    ("a skip is counted", "echo ok a; echo skip b: reason", "1 passed, 0 failed, 1 skipped",
     "skip b: reason"),
    ("PostgreSQL is not skipped", "# pg_temp.sh\necho ok a; echo skip b",
     "1 passed, 1 failed, 1 skipped", "skipped PostgreSQL tests"),
    ("silence", "true", "0 passed, 1 failed", "printed no case"),
    ("a crash", "echo ok a; kill -SEGV $$", "1 passed, 1 failed", "crashed: signal 11"),
    ("a time-out", "echo ok a; sleep 60", "1 passed, 1 failed", "took over 1 s"),
    ("TAP", "echo 1..3; echo ok 1 - a; echo not ok 2 '# SKIP b'; echo ok 3 - c",
     "2 passed, 0 failed, 1 skipped", ""),
    ("fewer than announced", "echo 1..2; echo ok 1 - a", "1 passed, 1 failed",
     "announced 2 cases, ran 1"),
    ("standard input is empty", "read -r line && echo not ok a || echo ok a",
     "1 passed, 0 failed", ""),
    ("nothing to run", None, "0 passed, 0 failed", ""),
)


def run(script):
    """The runner's status and output over a tree with one integration script."""
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, "tests/integration"))
        shutil.copy(os.path.join(ROOT, "tests/run.sh"), os.path.join(root, "tests"))
        if script is not None:
            with open(os.path.join(root, "tests/integration/case.sh"), "w") as file:
                file.write(script + "\n")
        done = subprocess.run(
            [os.path.join(root, "tests/run.sh")], text=True, check=False, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**os.environ, "TEST_SECONDS": "1"})
        return done.returncode, done.stdout


def main():
    failed = 0
    for name, script, closing, holds in CASES:
        status, output = run(script)
        passes = " 0 failed" in closing and not closing.startswith("0 passed")
        good = output.splitlines()[-1] == closing and holds in output and passes == (status == 0)
        failed += not good
        print("ok " + name if good else "not ok %s: status %d, %r" % (name, status, output))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
