#!/bin/bash
# The section batch of `bench`: figures of every part that agree with one another, databases of its
# own and nothing left of them, however it ends. How long anything takes is not judged.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"

small=(--only batch --clicks-count 3000 --conversions-count 1000 --repetitions 1)
ours="datname LIKE 'clickmatch\\_bench\\_%'"

# Everything on the server that the section could leave or change.
on_the_server() {
    sql -c "SELECT datname FROM pg_database ORDER BY 1" \
        -c "SELECT relnamespace::regnamespace, relname FROM pg_class
            WHERE relnamespace::regnamespace::text !~ '^pg_' ORDER BY 1, 2" \
        -c "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1"
}

expect_nothing_left() {
    on_the_server >after
    cmp -s "$work/before" after ||
        fail "left on the server: $(diff "$work/before" after | tail -n 1)"
}

# The statements that the server was sent since its log had so many lines.
statements_since() {
    tail -n "+$(($1 + 1))" "$PG_TEMP_DIR/log" | grep 'LOG:  statement: '
}

figure() { # CASE FIGURE: its values
    echo "[f['values'] for f in d['sections'][0]['figures']
           if (f['case'], f['figure']) == ('$1', '$2')][0]"
}

case_measures_everything() {
    run bench "${small[@]}" --repetitions 2 --db dbname=postgres --json figures.json
    expect_status 0
    for line in floor 'as found, first run' 'as found, COPY out' 'as found, second run' \
        'as found, views' 'optimized, first run' 'optimized, COPY out' 'optimized, second run'; do
        expect_match "$work/out" "^  $line +(time|recovery rate) +([0-9.]+ +){3}m?s +2$"
    done
    expect_match "$work/out" '^  # 3000 simulated clicks and 1000 conversions over 14 days$'
    expect_match "$work/out" '^  # PostgreSQL 1[0-9].*: shared_buffers = [0-9]+[MG]B, .*fsync = off'
    expect_no_match "$work/out" 'no checkpoint'
    expect_json figures.json 'sorted({f["repetitions"] for f in d["sections"][0]["figures"]})' '[2]'
    expect_json figures.json '[f["figure"] for f in d["sections"][0]["figures"]
                               if f["case"] == "floor"] == ["time", "core time of the client",
        "COPY out, clicks", "COPY out, conversions", "COPY in", "UPDATE", "INSERT into the log",
        "conversions changed"]' true
    expect_json figures.json '[d["sizes"][s] for s in ("batch_clicks", "batch_conversions",
                               "batch_days")]' '[3000, 1000, 14]'
    expect_nothing_left
}

expect_figures() {
    expect_json figures.json "$1" true
}

case_figures_agree() {
    run bench "${small[@]}" --repetitions 2 --db dbname=postgres --json figures.json
    expect_figures "all(abs(sum(parts) - whole) < 1e-6 for whole, *parts in zip(
        $(figure floor time), $(figure floor 'COPY out, clicks'),
        $(figure floor 'COPY out, conversions'), $(figure floor 'COPY in'),
        $(figure floor UPDATE), $(figure floor 'INSERT into the log')))"
    expect_figures "$(figure floor 'conversions changed') == [1000, 1000]"
    for tables in 'as found' optimized; do
        expect_figures "all(abs(a / b - ratio) < 1e-6 for a, b, ratio in zip(
            $(figure "$tables, first run" time), $(figure floor time),
            $(figure "$tables, first run" 'time, times the floor')))"
        expect_figures "all(abs(a / b - ratio) < 1e-6 for a, b, ratio in zip(
            $(figure "$tables, second run" time), $(figure "$tables, COPY out" time),
            $(figure "$tables, second run" 'time, times COPY out')))"
        expect_figures "all(0 < sum(phases) <= whole for whole, *phases in zip(
            $(figure "$tables, first run" time), $(figure "$tables, first run" connecting),
            $(figure "$tables, first run" 'loading clicks'),
            $(figure "$tables, first run" matching), $(figure "$tables, first run" promoting)))"
        expect_figures "$(figure "$tables, first run" 'conversions changed') == [1000, 1000]"
        expect_figures "$(figure "$tables, second run" 'conversions changed') == [0, 0]"
        # A segment and 256 shards of each index, for 3,000 clicks as well: 2 to 16 MiB.
        expect_figures "all(700 < bytes < 5500
            for bytes in $(figure "$tables, first run" 'bytes per click'))"
    done
}

# Each measurement has a copy of its own, of the tables that it is of.
case_rounds_begin_with_fresh_copies() {
    local since
    since=$(wc -l <"$PG_TEMP_DIR/log")
    PGOPTIONS='-c log_statement=all' run bench "${small[@]}" --repetitions 2 --db dbname=postgres
    expect_status 0
    statements_since "$since" >statements
    sed -n 's/.*CREATE DATABASE ".*_\(.*\)" TEMPLATE ".*_\(.*\)" STRATEGY file_copy$/\1 of \2/p' \
        statements >copies
    printf 'optimized of found\nround of found\n' >wanted
    printf 'round of %s\n' found found optimized found found optimized >>wanted
    expect_same copies wanted
    [ "$(grep -c 'statement: CHECKPOINT$' statements)" -eq 5 ] || fail "checkpoints: $(
        grep -c 'statement: CHECKPOINT$' statements)"
    [ "$(grep -c 'SET (fillfactor' statements)" -ge 1 ] || fail "nothing was optimized"
    [ "$(grep -c 'statement: COPY results FROM STDIN' statements)" -eq 2 ] || fail "floors"
}

case_another_schema_and_a_uri() {
    local since
    since=$(wc -l <"$PG_TEMP_DIR/log")
    PGOPTIONS='-c log_statement=all' run bench "${small[@]}" --schema 'the platform' \
        --db "postgresql:///postgres?host=$PGHOST" --json figures.json
    expect_status 0
    statements_since "$since" >statements
    expect_match statements 'CREATE SCHEMA IF NOT EXISTS "the platform"$'
    expect_json figures.json "$(figure 'optimized, first run' 'conversions changed')" '[1000.0]'
    expect_nothing_left
}

case_a_role_that_may_make_databases_is_enough() {
    sql -c 'CREATE ROLE maker LOGIN CREATEDB'
    run bench "${small[@]}" --db 'dbname=postgres user=maker'
    expect_status 0
    expect_match "$work/out" '^  # no checkpoint between a first run and what follows: '
    expect_match "$work/out" '^  optimized, second run +time '
    expect_nothing_left
}

case_a_role_that_may_not() {
    sql -c 'CREATE ROLE reader LOGIN'
    run bench "${small[@]}" --db 'dbname=postgres user=reader'
    expect_status 4
    expect_error '^clickmatch: the role of --db may not make databases, .*; ALTER ROLE .*CREATEDB'
    [ ! -s "$work/out" ] || fail "measured before it looked"
    expect_nothing_left
}

# PGHOST names a server here: that is not asking for it.
case_the_server_must_be_asked_for() {
    run bench --only batch
    expect_status 2
    expect_error '^clickmatch: --only batch needs --db CONNINFO, '
    [ ! -s "$work/out" ] || fail "measured before it looked"
    run bench --quick --only memory --only batch
    expect_status 2
    expect_nothing_left
}

case_a_server_that_cannot_be_had() {
    run bench --quick --db host=/nowhere
    expect_status 4
    expect_error '^clickmatch: cannot connect to PostgreSQL: .*; check --db'
    [ ! -s "$work/out" ] || fail "measured before it looked"
    run bench --quick --db 'dbname=postgres password=secret'
    expect_status 2
    expect_error '^clickmatch: --db holds a password'
}

# Who measures something else needs no server that works.
case_other_sections_do_not_connect() {
    run bench --quick --only memory --db host=/nowhere
    expect_status 0
    expect_no_match "$work/out" '^batch'
}

start_long() {
    start bench "${small[@]}" --clicks-count 20000 --repetitions 50 --quiet --db dbname=postgres \
        --json figures.json
}

expect_database() { # NAME: it is made
    wait_for "SELECT count(*) FROM pg_database WHERE $ours AND datname LIKE '%\\_$1'" 1
}

case_interrupted_at_any_time() {
    while read -r moment signal; do
        start_long
        expect_database "$moment"
        kill "-$signal" "$program_pid"
        finish
        expect_status 5
        expect_error '^clickmatch: interrupted while measuring$'
        expect_files # no figures either
        expect_nothing_left
        rm after
    done <<<$'found TERM\noptimized INT\nround TERM'
}

# Somebody else's session keeps a database from being copied; it does not keep it from going.
case_an_error_in_the_middle() {
    start_long
    expect_database found
    found=$(sql -c "SELECT datname FROM pg_database WHERE $ours AND datname LIKE '%found'")
    psql -Xq -d "$found" -c 'SELECT pg_sleep(60)' >psql.out 2>psql.err &
    finish
    expect_status 4
    expect_error '^clickmatch: cannot make a database to measure in: .* is being accessed by other'
    expect_files psql.out psql.err
    wait "$!"
    expect_match psql.err 'terminating connection due to administrator command'
    expect_nothing_left
}

case_the_servers_own_settings() {
    "$root/scripts/bench.sh" "${small[@]}" >out 2>err || fail "$(tail -n 1 err)"
    expect_match out '^  # PostgreSQL .*: shared_buffers = 1GB, max_wal_size = 16GB, '
    expect_match out '^  floor +time '
    expect_nothing_left
}

case_no_server_programs() {
    mkdir scripts
    cp "$root/scripts/bench.sh" scripts
    printf '#!/bin/bash\necho "pg_temp.sh: no programs; install them" >&2\nexit 1\n' \
        >scripts/pg_temp.sh
    chmod +x scripts/pg_temp.sh
    CLICKMATCH=$(command -v echo) scripts/bench.sh --quick >out 2>err || fail "exit status $?"
    expect_match out '^bench --quick$'
    expect_match err '^bench.sh: going on without a server: no programs; install them$'
}

# Last: it stops the server.
case_what_cannot_be_dropped_is_named() {
    start_long
    expect_database round
    "$root/scripts/pg_temp.sh" crash "$PG_TEMP_DIR"
    finish
    "$root/scripts/pg_temp.sh" resume "$PG_TEMP_DIR"
    expect_status 4
    expect_match "$work/err" '^clickmatch: cannot (.*: the connection to .* was lost|connect)'
    sed -n 's/^clickmatch: warning: databases \(.*\)\* are left on the server: .*/\1/p' \
        "$work/err" >prefix
    [ -s prefix ] || fail "no warning: $(cat "$work/err")"
    sql -c "SELECT datname FROM pg_database WHERE starts_with(datname, '$(cat prefix)')" >left
    [ -s left ] || fail "nothing is left"
    while read -r name; do sql -c "DROP DATABASE \"$name\""; done <left
    expect_nothing_left
}

on_the_server >"$work/before"
run_cases
