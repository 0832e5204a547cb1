"""Which command meets which faults in a sample of all: each class and mode once, each command once
at least, by a seed."""

import fault_run


def able_calls(case, wanted, mode):
    """The calls of a case that may meet a mode."""
    kind, what, forever = mode
    if case.waits and forever and kind in fault_run.SERVER_KINDS:
        return []  # a whole run has them: each takes as long as the farewell
    if what == "cancel":
        return [number for number, _, _ in fault_run.copies_of(wanted.outcome.report.traced)]
    return range(1, wanted.outcome.report.calls[kind] + 1)


def deal(wanted, modes, rng):
    """{case: its faults, each with the one that is tried where it meets no call}; and the modes
    that nobody can meet. wanted: {case: its run without a fault}."""
    able = {mode: {case: calls for case, run in wanted.items()
                   if (calls := able_calls(case, run, mode))} for mode in modes}
    dealt = {case: [] for case in wanted}
    for mode in sorted(modes, key=lambda mode: (len(able[mode]), rng.random())):
        if able[mode]:
            give(dealt, min(able[mode], key=lambda case: (len(dealt[case]), rng.random())),
                 mode, able, rng)
    for case in wanted:
        if not dealt[case]:
            give(dealt, case, rng.choice([mode for mode in modes if case in able[mode]]), able, rng)
    return dealt, [mode for mode in modes if not able[mode]]


def give(dealt, case, mode, able, rng):
    kind, what, forever = mode
    calls = able[mode][case]
    dealt[case].append([fault_run.Fault(kind, what, at, forever)
                        for at in (rng.choice(calls), calls[0])])
