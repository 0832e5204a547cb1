#!/bin/bash
# The program against the independent implementations of docs/matching.md, on hostile files of
# random content. SEEDS makes the runs longer or shorter (a percentage), FIRST_SEED other ones.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

export PYTHONDONTWRITEBYTECODE=1
oracle=$root/tests/oracle
: "${SEEDS:=100}" "${FIRST_SEED:=0}"

# Run a program that prints what differs, and ends with a summary.
differs() {
    "$@" >"$work/out" 2>&1 || fail "$(head -c 600 "$work/out")"
    tail -n 1 "$work/out" >&2
}

# The seed after the last of so many, as SEEDS has it: one at least.
end_of() {
    echo $((FIRST_SEED + ($1 * SEEDS + 99) / 100))
}

fuzz() {
    differs python3 "$oracle/fuzz_files.py" "$program" "$1" "$FIRST_SEED" "$(end_of "$2")"
}

case_catalogue() {
    fuzz catalogue 4
}

case_csv_files() {
    fuzz csv 40
}

case_ndjson_files() {
    fuzz ndjson 40
}

case_models() {
    fuzz models 35
}

# One seed for each fault there is.
case_refused_models() {
    local faults
    faults=$(cd "$oracle" && python3 -c 'import fuzz_refusals; print(fuzz_refusals.COUNT)') ||
        return
    differs python3 "$oracle/fuzz_files.py" "$program" refusals "$FIRST_SEED" \
        $((FIRST_SEED + faults))
}

case_mixed_files() {
    fuzz mixed 15
}

case_large_files() {
    fuzz large 3
}

# Many bins, windows and candidates, without the files' hostility.
case_references_agree_on_worlds() {
    use_tool check_world
    differs python3 "$oracle/compare_world.py" "$tool" "$FIRST_SEED" "$(end_of 36)"
}

# Hold program, reference and expected.csv of a folder against each other; more options follow.
golden() {
    local folder=$root/tests/golden/$1
    shift
    python3 "$oracle/reference.py" --clicks "$folder/clicks.csv" --conversions \
        "$folder/conversions.csv" "$@" --output reference.csv 2>"$work/err" ||
        fail "$(cat "$work/err")"
    run match --clicks "$folder/clicks.csv" --conversions "$folder/conversions.csv" "$@" \
        --output program.csv --quiet
    expect_status 0
    expect_same program.csv reference.csv
    python3 - "$folder/expected.csv" program.csv <<'END' || fail "not what expected.csv says"
import csv, sys
expected, actual = (list(csv.DictReader(open(path, encoding="utf-8"))) for path in sys.argv[1:])
actual = [{name: row[name] for name in expected[0]} for row in actual]
for one, other in zip(expected, actual):
    if one != other:
        print(one, other, file=sys.stderr)
assert actual == expected
END
}

case_golden_vectors() {
    golden vectors
}

case_golden_grown() {
    golden grown --model "$root/tests/golden/grown/model.json"
}

run_cases
