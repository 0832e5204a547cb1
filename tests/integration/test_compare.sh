#!/bin/bash
# Training is worth it on a world that is not the simulator's, and compare.py counts so.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

compare=$root/tests/worlds/compare.py
made=$(mktemp -d) # worlds that cases share
trap 'rm -rf "$work" "$made"' EXIT

run_compare() {
    python3 -B "$compare" --program "$program" --clicks 24000 --conversions 7000 --simulated \
        --json figures.json "$@" >table.md 2>"$work/err" || fail "$(tail -n 2 "$work/err")"
}

# One of the world's figures, of the untrained model and of the trained one.
both() {
    printf '%s' "[d[0]['models'][row]['$1'] for row in ('untrained', 'trained')]"
}

case_trained_is_better_than_untrained() {
    run_compare --keep "$made" --organic 0.35
    expect_json figures.json "(lambda u, t: t > u + 0.01)(*$(both F0.5))" true
    expect_json figures.json "(lambda u, t: t < u - 0.02)(*$(both ECE))" true
    expect_json figures.json "(lambda u, t: t < u * 0.75)(*$(both log-loss))" true
    expect_json figures.json "(lambda u, t: t < u / 3)(*$(both regret))" true
}

case_the_table_has_the_figures() {
    run_compare --keep "$made" --organic 0.35
    expect_json figures.json '[list(d[0]["models"]), d[0]["organic"]]' \
        "$(printf '%s' '[["old rule", "untrained", "blind to time and rivals", "trained", ' \
            '"true parameters", "fitted to the truth"], 0.35]')"
    expect_json figures.json 'd[0]["models"]["fitted to the truth"]["regret"]' 0.0
    expect_json figures.json '[d[0]["models"][row]["log-loss"] != d[0]["models"][
        "fitted to the truth"]["log-loss"] for row in ("true parameters", "trained")]' \
        '[true, true]'
    # Precision and recall are those of the right ones, and what is wrong adds up to the rest.
    expect_json figures.json 'all(abs(m["precision"] - 1 + sum(m[w] for w in (
        "other_click", "organic_matched", "other_device")) / m["attributed"]) < 1e-9
        for m in d[0]["models"].values())' true
    for row in untrained trained; do
        shown=$(python3 -c '
import json, sys
m = json.load(open("figures.json"))[0]["models"][sys.argv[1]]
print("| %s | {:,} | %.3f | %.3f | %.3f |".format(m["attributed"]) % (
    sys.argv[1], m["precision"], m["recall"], m["F0.5"]))' "$row")
        grep -qF -e "$shown" table.md || fail "no '$shown' in the table"
    done
}

case_periods_that_are_kept_are_used_again() {
    run_compare --keep kept --clicks 3000 --conversions 1000 --organic 0.35
    mv table.md first.md
    find kept -name '*.csv' -exec touch -d 2020-01-01 {} +
    run_compare --keep kept --clicks 3000 --conversions 1000 --organic 0.35
    expect_same table.md first.md
    [ "$(find kept -name '*.csv' ! -newermt 2020-01-02 | wc -l)" -eq 8 ] || fail "made again"
}

case_the_worst_bin_is_one_of_many() {
    python3 -B - "$(dirname "$compare")" >got <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import compare
def bins(*triples):
    return {"reliability": {"both": [dict(zip(("count", "mean", "share"), t)) for t in triples]}}
print(round(compare.worst_bin(bins((499, 0.1, 0.9), (500, 0.5, 0.42), (900, 0.9, 0.93))), 6),
      compare.worst_bin(bins((499, 0.1, 0.9))))
PY
    [ "$(cat got)" = '0.08 None' ] || fail "$(cat got)"
}

case_what_fails_is_told_in_one_line() {
    local status=0
    python3 -B "$compare" --program /bin/false --organic --simulated 0.3 >table.md 2>"$work/err" ||
        status=$?
    [ "$status" -eq 1 ] || fail "status $status"
    expect_error 'compare\.py: /bin/false simulate .* ended with status 1'
}

run_cases
