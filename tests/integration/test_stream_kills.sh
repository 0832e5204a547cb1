#!/bin/bash
# A stream that is killed at random and chosen moments, and whose server fails: a small part of
# `make torture-stream`.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

torture() {
    python3 "$root/tests/torture/stream_kills.py" --program "$program" --keep "$work/keep" "$@" \
        >"$work/out" 2>"$work/err" || fail "$(cat "$work/out" "$work/err" | head -c 2000)"
}

case_kills() {
    torture --kills 15 --seed 11
    expect_match "$work/out" 'good, .*: 15 kills .* 0 rounds failed'
}

case_server_faults() {
    torture --kills 0 --faults 1 --fault-lines 8000 --seed 12
    expect_match "$work/out" 'fault round 1 good'
}

case_server_pause() {
    torture --kills 0 --pause 3 --fault-lines 8000 --seed 13
    expect_match "$work/out" 'round 1 good, .*pause of 3 s 1; reading stood still in 1 outages'
}

run_cases
