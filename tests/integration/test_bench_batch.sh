#!/bin/bash
# The measurement of `batch` beside its floor works: a small world, one round, figures of every
# part. How long anything takes is not judged here.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the file read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

case_measures_everything() {
    CLICKMATCH=$program python3 "$root/bench/batch_floor.py" --rounds 1 --clicks 3000 \
        --conversions 600 --json figures.json >"$work/out" 2>"$work/err" ||
        fail "exit status $?: $(tail -n 1 "$work/err")"
    for line in floor 'as found, first' 'as found, COPY out' 'as found, second' \
        'optimized, first' 'optimized, second' 'optimized, views'; do
        expect_match "$work/out" "^$line +.*[0-9]"
    done
    expect_json figures.json 'len(d["rounds"])' 1
    expect_json figures.json 'd["medians"]["as found"]["first"]["changed"]' 600
    expect_json figures.json '" ".join(sorted(d["medians"]["floor"]))' \
        '"COPY in COPY out, clicks COPY out, conversions UPDATE all cpu log INSERT others"'
    expect_json figures.json 'len(d["medians"]["ratios"])' 8
    expect_json figures.json 'min(d["medians"]["ratios"].values()) > 0' true
}

run_cases
