#!/bin/bash
# bench_peers.sh: the engines that are installed do the same work as the reference. Nothing is
# installed here, no network is asked; without node and its packages only PostgreSQL is there.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

BUILD=$(dirname "$program")
export BUILD

bench() {
    status=0
    python3 "$root/bench/peers/run.py" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

# One engine by itself, over the borders of the rule and a small world: bench_peers.sh refuses to
# go on unless all rows are the reference's.
expect_agreement() {
    bench --check --engines "$1"
    expect_status 0
    if grep -q "^$1 *left out" "$work/out"; then
        skip "$(sed -n "s/^$1 *left out: //p" "$work/out")"
        return
    fi
    expect_match "$work/out" "^$1 +agrees with the reference on 18 conversions of borders"
    expect_match "$work/out" "^$1 +agrees with the reference on 4000 conversions of small"
}

case_duckdb_does_the_same_work() {
    expect_agreement duckdb
}

case_clickhouse_does_the_same_work() {
    expect_agreement chdb
}

case_postgresql_does_the_same_work() {
    expect_agreement postgres
    [ ! -e "$work/skipped" ] || fail "PostgreSQL was left out: $(cat "$work/skipped")"
}

case_the_reference_is_right_at_the_borders() {
    borders=$root/bench/peers/borders
    python3 "$root/bench/peers/reference.py" "$borders/clicks.csv" "$borders/conversions.csv" \
        found.csv || fail "it ended with status $?"
    expect_same found.csv "$borders/expected.csv"
}

case_a_wrong_row_is_noticed_order_and_quotes_are_not() {
    expected=$root/bench/peers/borders/expected.csv
    { head -n 1 "$expected" && tail -n +2 "$expected" | sort -r; } | sed 's/[^,]*/"&"/g' >same.csv
    sed '3s/,[^,]*,/,other,/' "$expected" >wrong.csv
    for name in "$expected" same.csv wrong.csv; do
        python3 "$root/bench/peers/examine.py" "$name" >"$(basename "$name" .csv).json"
    done
    expect_same same.json expected.json
    ! cmp -s wrong.json expected.json || fail "a row that differs is not noticed"
}

case_figures_of_two_engines() {
    bench --engines clickmatch,postgres --clicks 2000 --conversions 500 --rounds 1 \
        --json figures.json
    expect_status 0
    expect_match "$work/out" '^round 1 of 1  postgres '
    expect_json figures.json 'sorted(d["engines"])' '["clickmatch", "postgres"]'
    expect_json figures.json '[sum(e["methods"].values()) for e in d["engines"].values()]' \
        '[500, 500]'
    expect_json figures.json 'd["engines"]["clickmatch"]["ratio_seconds"]' 1.0
    expect_json figures.json 'min(r["peak_bytes"] for e in d["engines"].values()
        for r in e["runs"]) > 1000000' true
    expect_files figures.json
}

case_an_engine_nobody_knows() {
    bench --engines clickmatch,oracle
    expect_status 1
    expect_error "^bench_peers.sh: no engine 'oracle'; there are clickmatch, duckdb, "
}

run_cases
