#!/bin/bash
# `simulate`: the files of a world, the same from the same seed, whole or not at all.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

simulate() {
    run simulate --clicks-count 2000 --conversions-count 500 --quiet "$@"
}

rows() {
    echo $(($(wc -l <"$1") - 1))
}

case_files_and_their_rows() {
    simulate --output world
    expect_status 0
    [ ! -s "$work/err" ] || fail "$(cat "$work/err")"
    expect_files world world/{clicks,conversions,click_truth,conversion_truth}.csv
    [ "$(rows world/clicks.csv)" -eq 2000 ] || fail "$(rows world/clicks.csv) clicks"
    [ "$(rows world/conversions.csv)" -eq 500 ] || fail "$(rows world/conversions.csv) conversions"
    [ "$(rows world/click_truth.csv)" -eq 2000 ] || fail "the truth of not all clicks"
    [ "$(rows world/conversion_truth.csv)" -eq 500 ] || fail "the truth of not all conversions"
}

case_same_seed_same_world() {
    simulate --output a --seed 7 --threads 1
    simulate --output b --seed 7 --threads 4
    simulate --output c --seed 8
    diff -r a b >changes || fail "the number of threads changes the world"
    ! cmp -s a/clicks.csv c/clicks.csv || fail "the seed changes nothing"
}

case_ndjson() {
    simulate --output world --format ndjson
    expect_files world world/{clicks,conversions,click_truth,conversion_truth}.ndjson
    head -n 1 world/clicks.ndjson >first.json
    expect_json first.json 'd["event"]' '"click"'
}

case_options_shape_the_world() {
    simulate --output world --tenants 2 --days 3 --start 2025-01-01 --organic 1
    expect_status 0
    cut -d , -f 1 world/clicks.csv | sed 1d | sort -u >tenants
    [ "$(cat tenants)" = "$(printf 'shop-1\nshop-2')" ] || fail "tenants $(cat tenants)"
    ! sed 1d world/clicks.csv | grep -v -E ',2025-01-0[123][T ]' >others || fail "$(head -1 others)"
    ! sed 1d world/conversion_truth.csv | grep -v ',true$' >others || fail "$(head -1 others)"
}

case_matches_well() {
    run simulate --output world --clicks-count 20000 --conversions-count 5000 --quiet
    run match --clicks world/clicks.csv --conversions world/conversions.csv --output results.csv \
        --summary summary.json --quiet --recovery-target 0
    expect_status 0
    expect_json summary.json 'd["clicks"]["rejected"] + d["conversions"]["rejected"]' 0
    expect_json summary.json 'd["attribution"]["recovery"]["rate"] > 0.5' true
}

case_empty_world() {
    run simulate --output world --clicks-count 0 --conversions-count 0 --quiet
    expect_status 0
    [ "$(rows world/clicks.csv)" -eq 0 ] || fail "$(rows world/clicks.csv) clicks"
}

case_says_what_it_made() {
    run simulate --output world --clicks-count 2000 --conversions-count 500
    expect_error '^clickmatch: 2,000 clicks and 500 conversions of seed 1 in world, in '
}

case_replaces_an_older_world() {
    simulate --output world --seed 1
    cp -r world before
    simulate --output world --seed 2
    expect_status 0
    ! cmp -s world/clicks.csv before/clicks.csv || fail "it is as it was"
    rm -r before
    expect_files world world/{clicks,conversions,click_truth,conversion_truth}.csv
}

case_no_directory_for_it() {
    simulate --output nowhere/world
    expect_status 1
    expect_error '^clickmatch: nowhere/world: .*No such file or directory'
    expect_files
}

case_file_in_the_way() {
    : >world
    simulate --output world
    expect_status 1
    expect_error '^clickmatch: world.*directory'
    expect_files world
}

case_period_beyond_its_end() {
    simulate --output world --start 9998-12-01 --days 60
    expect_status 2
    expect_error 'before 9999'
    expect_files
}

case_interrupted() {
    "$program" simulate --output world --clicks-count 100000000 --quiet 2>"$work/err" &
    local pid=$!
    await_handler "$pid"
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    expect_status 5
    expect_error '^clickmatch: interrupted while simulating; no file was written'
    expect_files
}

run_cases
