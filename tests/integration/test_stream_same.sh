#!/bin/bash
# The same events through `stream`, `match` and `batch`: the same results, byte for byte, in
# whatever pieces they come, in whatever order within the grace, and however often the stream begins
# anew.
# SEEDS makes the runs longer (a percentage), FIRST_SEED other ones.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # names of the files read here
[ -n "${PG_TEMP_DIR-}" ] || exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/stream.sh
. "$root/tests/integration/fixtures/stream.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$root/tests/integration/fixtures/pg.sh"

export PYTHONDONTWRITEBYTECODE=1
: "${SEEDS:=100}" "${FIRST_SEED:=0}"

# Odd settings, in turns.
settings=(
    "--clicks-count 6000 --conversions-count 3000 --days 2"
    "--clicks-count 3000 --conversions-count 3000 --days 40 --tenants 1"
    "--clicks-count 9000 --conversions-count 1000 --days 1 --tenants 40 --organic 0.9"
    "--clicks-count 2000 --conversions-count 4000 --days 12 --organic 0"
)
all_of=(--max-future 3650d)

# simulate SEED: a world of its own.
simulate() {
    # shellcheck disable=SC2086 # several options
    "$program" simulate --output world --quiet --format ndjson --seed $(($1 + 1)) \
        ${settings[$1 % ${#settings[@]}]} || fail "simulate fails"
}

arrange() {
    python3 "$fixtures/arrange.py" world "$@" || fail "arrange.py $* fails"
}

# What `match` says of the same events in the same order.
match_all() {
    "$program" match --clicks clicks.ndjson --conversions conversions.ndjson --quiet \
        --format ndjson --recovery-target 0 --output wanted.ndjson "$@" 2>"$work/err" ||
        fail "$(cat "$work/err")"
    [ -s wanted.ndjson ] || fail "no results"
}

# Results but for their seq, which `match` has not.
expect_all() {
    sed 's/,"seq":[0-9]*}$/}/; s/,"seq":[0-9]*,"late"/,"late"/' results.ndjson >got.ndjson
    cmp -s wanted.ndjson got.ndjson ||
        fail "$1: $(diff wanted.ndjson got.ndjson | head -n 4 | cut -c 1-300)"
}

feed() {
    local how=$1 seed=$2
    shift 2
    python3 "$fixtures/feed.py" "$how" events.ndjson "$seed" "$@" 2>feed_err ||
        fail "feed.py $how $seed: $(tail -n 2 feed_err)"
}

# for_seeds COUNT COMMAND: the command with each seed, in a directory of its own.
for_seeds() {
    local seed
    for ((seed = FIRST_SEED; seed < FIRST_SEED + ($1 * SEEDS + 99) / 100; seed++)); do
        mkdir "seed$seed"
        (cd "seed$seed" && "$2" "$seed")
        rm -r "seed$seed"
    done
}

# ---- files and pieces ----

ordered() {
    simulate "$1"
    arrange "$1" copies=5 junk=1
    match_all
    stream "${all_of[@]}" <events.ndjson
    expect_all "seed $1, whole"
    feed pieces "$1" "$program" stream "${all_of[@]}" --quiet --recovery-target 0 >results.ndjson
    expect_all "seed $1, in pieces"
}

case_in_order() {
    for_seeds 3 ordered
}

shuffled() {
    local disorder=$((600 * ($1 % 3 + 1)))
    simulate "$1"
    arrange "$1" disorder="$disorder" copies=5 junk=1
    match_all
    stream "${all_of[@]}" --lateness 0 --grace "${disorder}s" <events.ndjson
    expect_all "seed $1, with grace"
    feed pieces "$1" "$program" stream "${all_of[@]}" --lateness "${disorder}s" --grace 1s --quiet \
        --recovery-target 0 >results.ndjson
    expect_all "seed $1, in pieces, with lateness"
}

case_out_of_order() {
    for_seeds 3 shuffled
}

# ---- begun again ----

restarted() {
    local disorder=$((($1 % 2) * 900))
    simulate "$1"
    arrange "$1" disorder="$disorder" copies=5
    match_all
    feed restarts "$1" window "$program" stream "${all_of[@]}" --lateness 0 --grace "${disorder}s" \
        --checkpoint window --checkpoint-interval 10ms --output results.ndjson --quiet \
        --recovery-target 0
    expect_match feed_err '^[0-9]+ runs$'
    expect_all "seed $1, begun again"
}

case_begun_again() {
    for_seeds 4 restarted
}

# ---- worlds of the oracle: keys that all collide, times on the edges, odd models ----

odd() {
    use_tool check_world
    mkdir world
    "$tool" --dump world "$1" || fail "check_world $1 fails"
    arrange "$1" copies=5 junk=3
    match_all --model world/model.json
    stream --max-future 36500d --model world/model.json <events.ndjson
    expect_all "world $1"
    feed restarts "$1" window "$program" stream --max-future 36500d --model world/model.json \
        --checkpoint window --checkpoint-interval 10ms --output results.ndjson --quiet \
        --recovery-target 0
    expect_all "world $1, begun again"
}

case_odd_worlds() {
    for_seeds 9 odd
}

# ---- with PostgreSQL ----

# What the tables say, in the form of results.
results_in_database() {
    sql -c "SELECT json_build_object('id', conversion_id, 'tenant', c.tenant_id,
                'click', k.click_id, 'method', attribution_method,
                'confidence', to_char(attribution_confidence, 'FM0.0000'),
                'hours', attribution_window_hours)
            FROM conversion_tracking c LEFT JOIN click_tracking k ON k.id = attributed_click_id
            ORDER BY conversion_id, c.tenant_id"
}

results_in_file() {
    python3 - <<'PY'
import json
rows = [json.loads(line, parse_float=str) for line in open("results.ndjson", encoding="utf-8")]
rows.sort(key=lambda row: (row["conversion_id"].encode(), row["tenant_id"].encode()))
for row in rows:
    print(json.dumps({"id": row["conversion_id"], "tenant": row["tenant_id"],
                      "click": row["click_id"], "method": row["attribution_method"],
                      "confidence": row["attribution_confidence"],
                      "hours": row["attribution_window_hours"]}))
PY
}

# Through the tables: `batch` finds nothing to change in what the stream has put there.
stored() {
    local disorder=$((($1 % 2) * 600))
    use_new_database found_empty
    simulate "$1"
    arrange "$1" disorder="$disorder" copies=5 junk=1 complete=1
    match_all
    stream "${all_of[@]}" --lateness 0 --grace "${disorder}s" --db "dbname=$PGDATABASE" --sink db \
        --sink stdout --store-clicks <events.ndjson
    expect_status 0
    expect_all "seed $1, beside the database"
    results_in_database | sed 's/ : /: /g' >stored
    results_in_file >told
    cmp -s stored told || fail "seed $1: $(diff stored told | head -n 4)"
    expect_sql 'SELECT count(*) FROM click_tracking' "$(wc -l <clicks.ndjson)"
    run batch --quiet --recovery-target 0 --from 2026-03-01 --to 2026-05-01
    expect_status 0
    expect_sql 'SELECT conversions_read, conversions_changed, rows_rejected
                FROM attribution_recompute_jobs' "$(wc -l <conversions.ndjson)|0|0"
}

case_database() {
    for_seeds 3 stored
}

psql -Xq -d template1 -c 'CREATE DATABASE found_empty'
PGDATABASE=found_empty sql -f "$root/src/pg/sql/bench/as_found.sql"
PGDATABASE=found_empty "$program" migrate --quiet || echo "not ok migrate: it fails"
run_cases
