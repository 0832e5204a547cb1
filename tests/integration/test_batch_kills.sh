#!/bin/bash
# `batch` and `migrate` killed at random and chosen moments, the server killed under them, and
# `batch` beside others: a small part of `make torture-kills`.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

# With this seed it is empty databases that are migrated, which takes least.
case_kills() {
    python3 "$root/tests/torture/batch_kills.py" --program "$program" --kills 8 --server-kills 1 \
        --migrate-kills 2 --overlaps 2 --conversions 600 --seed 159 >"$work/out" 2>"$work/err" ||
        fail "$(cat "$work/out" "$work/err" | head -c 3000)"
    expect_match "$work/out" '^kill, .*: 8 batches killed .* 0 of [0-9]+ rounds failed'
    expect_match "$work/out" '^server kill, .*; server killed under 1 .* 0 of [0-9]+ rounds failed'
    expect_match "$work/out" '^migrate kill, .*: 2 kills .* 0 of [0-9]+ rounds failed'
    expect_match "$work/out" '^overlap, .*: 2 rounds .* 0 failed'
}

run_cases
