#!/bin/bash
# A stream into PostgreSQL when things go wrong: connections cut off at the worst places, the server
# crashed or hung, sessions ended, the program killed, rows changed by others. Each event is in the
# tables once at the end.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
# What was committed must survive a crash of the server here, as it does in the field.
[ -n "${PG_TEMP_DIR-}" ] || PG_TEMP_CONF='synchronous_commit = on' \
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/sink.sh
. "$(dirname "$0")/fixtures/sink.sh"

pg_temp=$root/scripts/pg_temp.sh
slow=(clicks=1 rows=50 block=6000 pause=5000 backoff=10 backoff_max=200)

# Through a proxy that cuts connections: run_through EVERY FAULT...
run_through() {
    mkdir proxy
    python3 "$fixtures/pg_proxy.py" "$PWD/proxy" "$PGHOST" "$@" &
    local proxy=$! i
    for ((i = 0; i < 100; i++)); do
        [ ! -S proxy/.s.PGSQL.5432 ] || break
        sleep 0.05
    done
    sink db="host=$PWD/proxy" clicks=1 rows=200 backoff=5 backoff_max=20 "$events"
    kill "$proxy"
    wait "$proxy" 2>/dev/null
}

expect_cut() {
    expect_status 0
    expect_unbroken
    expect_json out "d['attempts'] - d['batches'] >= $1" true
    expect_json out "[d['updated'], d['dead'], d['taken'] - d['settled']]" '[0, 0, 0]'
}

case_cut_off_in_copy() {
    use_new_database found_empty
    run_through 3 copy
    expect_cut 15
    expect_json out "d['inserted']" "$(count_events conversion "$events")"
}

case_cut_off_before_commit() {
    use_new_database found_empty
    run_through 3 commit rows
    expect_cut 15
    expect_json out "d['inserted']" "$(count_events conversion "$events")"
}

# What was committed without the program's knowing comes again, and changes nothing.
case_reply_lost() {
    use_new_database found_empty
    run_through 3 reply
    expect_cut 15
    expect_json out "d['inserted'] < $(count_events conversion "$events")" true
    expect_no_change_by_batch
}

case_cut_off_anywhere() {
    use_new_database found_empty
    run_through 2 reply copy commit reply rows
    expect_cut 30
}

case_sessions_ended() {
    use_new_database found_empty
    sink_start "${slow[@]}" "$events"
    sink_wait "d['settled'] > 0"
    for ((i = 0; i < 30; i++)); do
        sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'clickmatch' AND datname = current_database()" >/dev/null
        sql -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'clickmatch' AND datname = current_database()" >/dev/null
        sleep 0.05
    done
    sink_finish
    expect_status 0
    expect_unbroken
    expect_json out "d['attempts'] > d['batches']" true
}

# While the server is away nothing is read, and nothing grows.
case_server_crashes() {
    use_new_database found_empty
    sink_start "${slow[@]}" "$events"
    for round in 1 2 3; do
        sink_wait "d['connected'] == 1 and d['settled'] > $((round * 1000))"
        "$pg_temp" crash "$PG_TEMP_DIR"
        sink_wait "d['connected'] == 0 and d['taken'] - d['settled'] == 100"
        expect_json status "'cannot connect' in d['error'] or 'connection' in d['error']" true
        cp status earlier
        sleep 1
        expect_json status "[d['taken'] - d['settled'], d['connected']]" '[100, 0]'
        expect_json status "d['oldest_ms'] > 900" true
        expect_json status "d['peak_kb'] - $(python3 -c 'import json
print(json.load(open("earlier"))["peak_kb"])') < 2048" true
        "$pg_temp" resume "$PG_TEMP_DIR"
    done
    sink_finish
    expect_status 0
    expect_unbroken
    expect_no_change_by_batch
}

# Starting up, it says so; pauses grow, and are not all the same.
case_pauses() {
    local tries
    use_new_database found_empty
    sink_start clicks=1 rows=50 pause=1000 block=6000 backoff=50 backoff_max=400 "$events"
    sink_wait "d['settled'] > 100"
    "$pg_temp" crash "$PG_TEMP_DIR"
    : >pauses
    python3 -c 'import socket, sys, time
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(16)
server.settimeout(3)
last = time.monotonic()
try:
    while True:
        server.accept()[0].close()
        print(round((time.monotonic() - last) * 1000), flush=True)
        last = time.monotonic()
except TimeoutError:
    pass' "$PG_TEMP_DIR/.s.PGSQL.5432" >pauses &
    listener=$!
    chmod 777 "$PG_TEMP_DIR/.s.PGSQL.5432" 2>/dev/null
    for ((tries = 0; tries < 200 && $(wc -l <pauses) < 9; tries++)); do sleep 0.1; done
    kill "$sink_pid"
    sink_finish 2>/dev/null
    kill "$listener"
    wait "$listener" 2>/dev/null
    rm -f "$PG_TEMP_DIR/.s.PGSQL.5432"
    "$pg_temp" resume "$PG_TEMP_DIR"
    # Between the first two, then about 400 ms, at least half of it.
    python3 -c 'import sys
pauses = [int(line) for line in open("pauses")]
late = pauses[5:]
sys.exit(not (5 < len(pauses) < 30 and min(late) >= 190 and max(late) < 700
              and len(set(late)) > 1))' || fail "pauses: $(tr '\n' ' ' <pauses)"
}

# Killed anywhere, any number of times; resumed from the stored position, or from the start.
case_killed() {
    for resume in 1 0; do
        use_new_database found_empty
        status=137
        for ((kills = 0; kills < 25 && status != 0; kills++)); do
            sink_start clicks=1 rows=50 pause=500 block=6000 resume="$resume" "$events"
            (
                sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
                [ "$kills" -ge 24 ] || kill -KILL "$sink_pid" 2>/dev/null
            ) &
            killer=$!
            sink_finish 2>/dev/null
            wait "$killer"
        done
        expect_status 0
        [ "$kills" -gt 2 ] || fail "it ended after $kills runs"
        expect_unbroken
    done
}

# A server that does not answer at all: the program stops when it is told to.
case_server_hangs() {
    use_new_database found_empty
    sink_start "${slow[@]}" give_up=1 "$events"
    sink_wait "d['settled'] > 100"
    backend=$(sql -c "SELECT pid FROM pg_stat_activity WHERE application_name = 'clickmatch'
                      AND datname = current_database()")
    kill -STOP "$backend"
    sink_wait "d['taken'] - d['settled'] == 100"
    kill "$sink_pid"
    sink_finish 2>/dev/null
    head -n 100 "$events" >few.ndjson
    kill -CONT "$backend"
    wait_for "$sessions" 0
    # The same at the end of the input, by its own deadline.
    use_new_database found_empty
    hold 'LOCK TABLE click_tracking'
    sink clicks=1 give_up=1 few.ndjson
    expect_status 10
    expect_error 'gave up'
    release
    wait_for "$sessions" 0
    expect_sql 'SELECT count(*) FROM click_tracking' 0
    sink clicks=1 few.ndjson
    expect_status 0
}

# Others change the same rows: tried again, with a new picture of the data.
case_rows_changed_by_others() {
    use_new_database found_empty
    sink clicks=1 "$events"
    sql -c 'UPDATE conversion_tracking SET attribution_method = NULL'
    sql -c 'TRUNCATE attribution_performance_log'
    hold 'UPDATE conversion_tracking SET external_id = conversion_id'
    sink_start clicks=1 rows=1000 "$events"
    wait_for "$waiting" 1
    release
    sink_finish
    expect_status 0
    expect_json out "d['attempts'] > d['batches'] and d['updated'] > 1000" true
    expect_unbroken
    expect_sql 'SELECT count(*) FROM conversion_tracking WHERE external_id <> conversion_id' 0
}

# Two programs with the same events at once.
case_two_at_once() {
    use_new_database found_empty
    PGUSER=$engine "$sink_program" clicks=1 rows=70 backoff=5 backoff_max=20 "$events" >first 2>&1 &
    first=$!
    sink clicks=1 rows=110 backoff=5 backoff_max=20 "$events"
    expect_status 0
    wait "$first" || fail "the first: $(cat first)"
    expect_unbroken
}

case_click_deleted() {
    use_new_database found_empty
    grep '"event":"click"' "$events" >clicks.ndjson
    sink clicks=1 clicks.ndjson
    hold 'LOCK TABLE attribution_performance_log'
    sink_start rows=5000 "$events"
    wait_for "$waiting" 1
    doomed=$(sed -n 's/.*"conversion".*"click_id":"\([^"]*\)".*/\1/p' "$events" | head -n 5)
    hold_more "DELETE FROM click_tracking WHERE click_id = ANY ('{${doomed//$'\n'/,}}')"
    release
    sink_finish
    expect_status 0
    expect_sql "SELECT error_type, count(*) > 0 FROM dead_events GROUP BY 1" 'no_click|t'
    expect_sql "SELECT (SELECT count(*) FROM dead_events)
                       + (SELECT count(*) FROM conversion_tracking)" \
        "$(count_events conversion "$events")"
    expect_one_log_line_each
}

# What waiting does not mend ends the stream, at once and saying what.
case_refused_later() {
    use_new_database found_empty
    sql -c 'CREATE ROLE writer LOGIN' \
        -c 'GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO writer'
    sink_start db='user=writer' "${slow[@]}" "$events"
    sink_wait "d['settled'] > 100"
    sql -c 'REVOKE INSERT ON conversion_tracking FROM writer'
    sink_finish
    expect_status 9
    expect_error 'permission denied for table conversion_tracking'
    sql -c 'GRANT INSERT ON conversion_tracking TO writer'
    sink_start db='user=writer' "${slow[@]}" "$events"
    sink_wait "d['settled'] > 100"
    sql -c "INSERT INTO clickmatch_migrations VALUES (999, 'later', '')" \
        -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'clickmatch' AND datname = current_database()" >/dev/null
    sink_finish
    expect_status 9
    expect_error 'newer clickmatch'
    sql -c 'DROP OWNED BY writer' -c 'DROP ROLE writer'
}

# A standby, or one that was told to write nothing for a while: waited for.
case_read_only_for_a_while() {
    use_new_database found_empty
    sink_start "${slow[@]}" "$events"
    sink_wait "d['settled'] > 100"
    sql -c "ALTER DATABASE $PGDATABASE SET default_transaction_read_only = on" \
        -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'clickmatch' AND datname = current_database()" >/dev/null
    sink_wait "'read-only' in d['error'] and d['connected'] == 0"
    PGOPTIONS='-c default_transaction_read_only=off' sql \
        -c "ALTER DATABASE $PGDATABASE RESET default_transaction_read_only"
    sink_finish
    expect_status 0
    expect_unbroken
}

make_sink_templates
make_unbroken
run_cases
