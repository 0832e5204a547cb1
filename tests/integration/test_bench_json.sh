#!/bin/bash
# make bench-json: our reader passes the conformance suite at every level, and so does whom it is
# measured against; all deliver the same.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

bench=$(dirname "$program")/bench/json

# make test builds it where the libraries are.
is_there() {
    [ -x "$bench" ] || skip "the libraries to measure are missing; make bench-json installs them"
    [ -x "$bench" ]
}

case_all_parsers_are_measured_and_ours_pass_the_suite() {
    is_there || return 0
    run simulate --output world --format ndjson --clicks-count 300 --conversions-count 30 --quiet
    expect_status 0
    world=$PWD/world
    (cd "$root" && "$bench" "$world/clicks.ndjson" "$world/conversions.ndjson" --quick) \
        >"$work/out" 2>"$work/err" || fail "it failed: $(cat "$work/err")"
    expect_match "$work/out" '^330 events of '
    for name in 'plain C' 'scanner alone'; do
        expect_match "$work/out" "^clickmatch, $name +95 of 95 +188 of 188 +[0-9]+ "
    done
    ! grep '^clickmatch' "$work/out" | grep -v ' 95 of 95 *188 of 188 ' >"$work/bad" ||
        fail "$(cat "$work/bad")"
    expect_match "$work/out" '^simdjson, DOM, block +95 of 95 +188 of 188 +[0-9]+ '
    for name in yajl json-c jansson 'jsmn, strict'; do
        expect_match "$work/out" "^$name +[0-9]+ of 95 +[0-9]+ of 188 +[0-9]+ "
    done
    expect_match "$work/out" '^jsmn, strict fails [0-9]+: n_'
}

case_a_file_that_is_missing_is_named() {
    is_there || return 0
    (cd "$root" && "$bench" "$work/none" "$work/none") >"$work/out" 2>"$work/err" &&
        fail "it went on without events"
    expect_match "$work/err" 'cannot read the events'
}

run_cases
