"""Runs the functions case_* of a test, and says what came of each."""


def run(names):
    """names: the test's globals(). The exit status: 1 where a case failed."""
    failures = 0
    for name, case in sorted(names.items()):
        if not name.startswith("case_"):
            continue
        try:
            case()
            print("ok " + name[len("case_"):])
        except AssertionError as error:
            failures += 1
            frame = error.__traceback__
            while frame.tb_next:
                frame = frame.tb_next
            print("not ok %s: line %d: %s" % (name[len("case_"):], frame.tb_lineno,
                                              str(error).replace("\n", " ")))
    return 1 if failures else 0
