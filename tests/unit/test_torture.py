#!/usr/bin/env python3
"""The torture of kills fails where its kills were not where it matters."""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "torture"))
sys.path.insert(0, os.path.join(ROOT, "tests", "harness"))
sys.dont_write_bytecode = True
import batch_kills  # noqa: E402
import batch_rounds  # noqa: E402
import cases  # noqa: E402
import retry_kills  # noqa: E402


def case_few_inside():
    for inside, count, few in ((30, 100, False), (29, 100, True), (0, 50, True), (15, 50, False),
                               (0, 49, False), (0, 0, False), (240, 800, False), (239, 800, True)):
        said = batch_rounds.few_inside(inside, count)
        assert bool(said) == few, "%d of %d: '%s'" % (inside, count, said)
    assert "29 of 100" in batch_rounds.few_inside(29, 100)


def case_batches_killed_elsewhere():
    """Of clients and of servers each by itself."""
    torture = batch_kills.Torture.__new__(batch_kills.Torture)
    torture.began = torture.told = 0.0
    torture.failures = 0
    totals = batch_rounds.Totals()
    totals.kills.update({"copy": 20, "promote": 20, "commit": 20, "read": 20})
    totals.server_kills.update({"copy": 10, "register": 90})
    torture.close("kill", totals, totals.inside(totals.kills), sum(totals.kills.values()))
    assert torture.failures == 0
    torture.close("server kill", totals, totals.inside(totals.server_kills), 100)
    assert torture.failures == 1


def case_retries_killed_elsewhere():
    totals = retry_kills.Totals()
    totals.phases.update(dict.fromkeys(retry_kills.PHASES, 20))
    assert totals.problems() == []
    del totals.phases["settle"]
    assert totals.problems() == ["nothing was killed at: settle"]
    totals.phases["between"] = 100
    assert len(totals.problems()) == 2
    totals.phases.clear()
    totals.phases["take"] = 20
    assert totals.problems() == []


if __name__ == "__main__":
    sys.exit(cases.run(globals()))
