#!/bin/bash
# `batch` when things go wrong: killed, interrupted, the server gone, clicks deleted under it,
# refused. The tables are whole each time, and the next run works and leaves nothing behind. To stop
# a run just before it promotes, a session holds a lock that its UPDATE waits for.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
# What was committed must survive a crash of the server here, as it does in the field.
[ -n "${PG_TEMP_DIR-}" ] || PG_TEMP_CONF='synchronous_commit = on' \
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"

pg_temp=$root/scripts/pg_temp.sh
batch=(batch --quiet --recovery-target 0 --max-rejects none --rejects rejects.ndjson "${period[@]}")
before_update='LOCK TABLE conversion_tracking IN SHARE MODE'
before_conversions='LOCK TABLE conversion_tracking' # what follows the clicks

expect_job() {
    expect_sql "SELECT $1 FROM attribution_recompute_jobs" "$2"
}

# The last line of the messages is the error; others are warnings about rows.
expect_last_line() {
    tail -n 1 "$work/err" | grep -q -E "$1" || fail "no '$1': $(tail -n 2 "$work/err")"
    [ "$(grep -c -v 'warning: ' "$work/err")" -eq 1 ] || fail "not one error: $(cat "$work/err")"
}

# The next run does all the work, leaves nothing behind, and the one after it finds nothing to do.
expect_next_run_works() {
    run "${batch[@]}"
    expect_status 0
    expect_job "status, run_count, conversions_changed > ${1:-2000}, error" 'succeeded|2|t|'
    expect_sql "SELECT count(*) FROM pg_class WHERE relname ~ 'staging'" 0
    expect_sql "SELECT count(*) FROM (SELECT conversion_id, count(*) AS lines,
                    max(attempt_number) AS attempts
                FROM attribution_performance_log GROUP BY 1) AS l WHERE lines <> attempts" 0
    run "${batch[@]}"
    expect_job 'run_count, conversions_changed' '3|0'
}

# All that batch may change, but for a staging table left behind.
tables() {
    state | grep -v '^clickmatch_staging'
}

case_killed_before_the_promote() {
    use_new_database adopted
    tables >before
    hold "$before_update"
    start "${batch[@]}"
    wait_for "$waiting" 1
    expect_sql "SELECT count(*) FROM pg_class WHERE relname ~ 'clickmatch_staging'" 1
    kill -KILL "$program_pid"
    finish 2>/dev/null
    # The server notices within a second or so, though the lock is still held.
    wait_for "$sessions" 0
    release
    tables >after
    expect_same before after
    expect_job status running
    expect_next_run_works
}

# Even while the killed run's sessions are still there, and hold their locks.
case_killed_while_reading() {
    use_new_database adopted
    tables >before
    hold "$before_conversions"
    start "${batch[@]}"
    wait_for "$waiting" 1
    kill -KILL "$program_pid"
    finish 2>/dev/null
    release
    wait_for "$sessions" 0
    tables >after
    expect_same before after
    expect_next_run_works
}

# A run, killed before its promote; more options follow.
leave_dead_run() {
    hold "$before_update"
    start "${batch[@]}" "$@"
    wait_for "$waiting" 1
    kill -KILL "$program_pid"
    finish 2>/dev/null
    wait_for "$sessions" 0
    release
}

# Another job's run settles what a dead one has left.
case_killed_then_another_job() {
    use_new_database adopted
    leave_dead_run
    run batch --quiet --recovery-target 0 --from 2027-01-01 --to 2027-01-02
    expect_status 0
    expect_sql "SELECT count(*) FROM pg_class WHERE relname ~ 'staging'" 0
    expect_sql "SELECT status, error LIKE '%killed%' FROM attribution_recompute_jobs
                ORDER BY window_start" $'failed|t\nsucceeded|'
}

# The killed run's session drops its table when the next run has seen it already.
case_killed_at_its_end() {
    use_new_database adopted
    leave_dead_run
    hold "DO \$\$ BEGIN EXECUTE (SELECT 'DROP TABLE ' || relname FROM pg_class
              WHERE relname ~ 'clickmatch_staging' AND relkind = 'r'); END \$\$"
    start "${batch[@]}"
    wait_for "$waiting" 1
    release
    finish
    expect_status 0
    expect_job 'status, run_count, conversions_changed > 2000' 'succeeded|2|t'
    expect_sql "SELECT count(*) FROM pg_class WHERE relname ~ 'staging'" 0
}

# A table that belongs to another login is not ours to drop, and stays out of the way until that
# login's next run.
case_killed_then_another_login() {
    use_new_database adopted
    for login in night day; do
        sql -c "CREATE ROLE $login LOGIN; GRANT ALL ON SCHEMA public TO $login;
                GRANT ALL ON ALL TABLES IN SCHEMA public TO $login"
        ! sql -c "SELECT FROM pg_roles WHERE rolname = 'clickmatch_engine'" | grep -q . ||
            sql -c "GRANT clickmatch_engine TO $login"
    done
    leave_dead_run --db user=night
    run "${batch[@]}" --db user=day
    expect_status 0
    expect_job 'status, run_count, conversions_changed > 2000' 'succeeded|2|t'
    run "${batch[@]}" --db user=night
    expect_status 0
    expect_sql "SELECT count(*) FROM pg_class WHERE relname ~ 'staging'" 0
}

case_click_deleted() {
    use_new_database adopted
    sql -c "CREATE TABLE doomed AS SELECT k.id, c.id AS conversion FROM conversion_tracking c
        JOIN click_tracking k ON k.click_id = c.raw_data ->> 'click_id' AND k.is_valid
            AND c.conversion_timestamp < k.click_timestamp + INTERVAL '1 day'
            AND k.tenant_id = c.tenant_id
        WHERE NOT EXISTS (SELECT FROM conversion_tracking o WHERE o.attributed_click_id = k.id)
            AND c.attributed_click_id IS NULL AND k.expires_at > k.click_timestamp
            AND k.fingerprint_hash ~ '^[0-9a-f]*\$'
        ORDER BY c.id LIMIT 3"
    kept='SELECT ctid, xmin, * FROM conversion_tracking WHERE id IN (SELECT conversion FROM doomed)'
    digest "$kept" >before
    hold "$before_update"
    start "${batch[@]}"
    wait_for "$waiting" 1
    hold_more 'DELETE FROM click_tracking WHERE id IN (SELECT id FROM doomed)'
    release
    finish
    expect_status 0
    digest "$kept" >after
    expect_same before after
    expect_job 'status, clicks_vanished >= 3, conversions_changed > 2000' 'succeeded|t|t'
    expect_sql "SELECT count(*) FROM pg_class WHERE relname ~ 'staging'" 0
    expect_sql "SELECT count(*) FROM attribution_performance_log WHERE conversion_id IN
                (SELECT conversion_id FROM conversion_tracking
                 WHERE id IN (SELECT conversion FROM doomed))" 0
    expect_next_run_works 2
}

case_conversion_deleted() {
    use_new_database adopted
    hold "$before_update"
    start "${batch[@]}"
    wait_for "$waiting" 1
    hold_more "DELETE FROM conversion_tracking WHERE conversion_id LIKE '%5'"
    release
    finish
    expect_status 0
    expect_sql "SELECT count(*) FROM attribution_performance_log
                WHERE conversion_id LIKE '%5' AND final_method <> 'url_param'" 0
    run "${batch[@]}"
    expect_job 'run_count, conversions_changed' '2|0'
}

# Two sessions want each other's rows: PostgreSQL ends one of them; ours tries again.
case_deadlock() {
    use_new_database adopted
    sql -c "ALTER DATABASE $PGDATABASE SET deadlock_timeout = '3s'"
    hold "SELECT set_config('deadlock_timeout', '60s', false);
          UPDATE conversion_tracking SET crm_stage = 'x' WHERE conversion_id = 'conv_000000500'"
    start "${batch[@]}"
    wait_for "$waiting" 1
    # The rows that the run has updated by now are locked.
    hold_more "UPDATE conversion_tracking SET crm_stage = 'y'"
    release
    finish
    wait_for 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()' 1
    expect_status 0
    expect_job 'status, conversions_changed > 2000' 'succeeded|t'
    expect_sql "SELECT count(*) FROM conversion_tracking WHERE crm_stage IS DISTINCT FROM 'y'" 0
}

case_interrupted() {
    for signal in TERM INT; do
        use_new_database adopted
        tables >before
        hold "$before_update"
        start "${batch[@]}"
        wait_for "$waiting" 1
        kill -"$signal" "$program_pid"
        finish
        expect_status 5
        expect_last_line interrupted
        expect_job 'status, error' 'failed|interrupted'
        expect_sql "SELECT count(*) FROM pg_class WHERE relname ~ 'staging'" 0
        release
        tables >after
        expect_same before after
        expect_next_run_works
    done
}

case_interrupted_while_reading() {
    use_new_database adopted
    hold "$before_conversions"
    start "${batch[@]}"
    wait_for "$waiting" 1
    kill -TERM "$program_pid"
    finish
    expect_status 5
    expect_job 'status, error' 'failed|interrupted'
    release
    wait_for "$sessions" 0
    expect_next_run_works
}

case_session_ended_by_the_administrator() {
    use_new_database adopted
    tables >before
    hold "$before_update"
    start "${batch[@]}"
    wait_for "$waiting" 1
    sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'clickmatch' AND wait_event_type = 'Lock'" >/dev/null
    finish
    release
    expect_status 4
    expect_last_line 'cannot promote the results: .*connection to PostgreSQL was lost'
    tables >after
    expect_same before after
    expect_next_run_works
}

case_server_stops_before_the_promote() {
    use_new_database adopted
    tables >before
    hold "$before_update"
    start "${batch[@]}"
    wait_for "$waiting" 1
    "$pg_temp" crash "$PG_TEMP_DIR"
    finish
    expect_status 4
    expect_last_line 'cannot promote the results: .*connection to PostgreSQL was lost'
    "$pg_temp" resume "$PG_TEMP_DIR"
    tables >after
    expect_same before after
    expect_next_run_works
}

case_server_stops_while_reading() {
    use_new_database adopted
    tables >before
    hold "$before_conversions"
    start "${batch[@]}"
    wait_for "$waiting" 1
    "$pg_temp" crash "$PG_TEMP_DIR"
    finish
    expect_status 4
    expect_last_line 'cannot read conversion_tracking: .*connection to PostgreSQL was lost'
    "$pg_temp" resume "$PG_TEMP_DIR"
    tables >after
    expect_same before after
    expect_next_run_works
}

case_trigger_refuses() {
    use_new_database adopted
    sql <<'SQL'
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.conversion_id = 'conv_000001234' THEN RAISE EXCEPTION 'closed for the year'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON conversion_tracking
    FOR EACH ROW EXECUTE FUNCTION refuse();
SQL
    tables >before
    run "${batch[@]}"
    expect_status 4
    expect_last_line 'cannot promote the results: closed for the year'
    expect_job "status, error LIKE '%closed for the year'" 'failed|t'
    expect_sql "SELECT count(*) FROM pg_class WHERE relname ~ 'staging'" 0
    tables >after
    expect_same before after
    sql -c 'DROP TRIGGER refuse ON conversion_tracking'
    expect_next_run_works
}

case_no_right_to_read() {
    use_new_database adopted
    sql -c 'CREATE ROLE stranger LOGIN'
    run "${batch[@]}" --db user=stranger
    expect_status 4
    expect_last_line 'this database user may not; GRANT SELECT ON clickmatch_migrations'
}

case_wrong_password() {
    use_new_database adopted
    sql -c "CREATE ROLE guarded LOGIN PASSWORD 'correct-horse' IN ROLE clickmatch_engine"
    hba=$(sql -c 'SHOW hba_file')
    sed -i '1i local all guarded scram-sha-256' "$hba"
    sql -c 'SELECT pg_reload_conf()' >/dev/null
    PGPASSWORD=battery-staple run "${batch[@]}" --db user=guarded
    expect_status 4
    expect_last_line 'cannot connect to PostgreSQL: .*password authentication failed'
    expect_no_match "$work/err" battery
    PGPASSWORD='' run migrate --quiet --db user=guarded
    expect_status 4
    expect_last_line 'no password supplied'
    (umask 077 && echo "*:*:*:guarded:correct-horse" >pass)
    PGPASSFILE=$PWD/pass run "${batch[@]}" --db user=guarded
    expect_status 0
    sed -i 1d "$hba"
}

case_cannot_connect() {
    for db in 'dbname=nowhere' 'host=/nonexistent' 'user=nobody_here' \
        'host=127.0.0.1 port=1 connect_timeout=2'; do
        for command in "migrate" "batch --from 2026-03-01 --to 2026-03-02"; do
            # shellcheck disable=SC2086 # words
            run $command --quiet --db "$db"
            expect_status 4
            expect_error 'clickmatch: cannot connect to PostgreSQL: '
        done
    done
}

case_no_answer() {
    # A listener that says nothing.
    python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind("./.s.PGSQL.5432")
s.listen()
time.sleep(20)' &
    server=$!
    until [ -S .s.PGSQL.5432 ]; do sleep 0.05; done
    run migrate --quiet --db "host=$PWD connect_timeout=2"
    expect_status 4
    expect_error 'no answer within connect_timeout'
    start migrate --quiet --db "host=$PWD"
    await_idle "$program_pid"
    kill -INT "$program_pid"
    finish
    expect_status 5
    kill "$server"
}

case_malformed_connection_string() {
    run migrate --quiet --db 'host=db correct horse'
    expect_status 2
    expect_error 'connection string cannot be read'
    expect_no_match "$work/err" 'horse'
}

make_templates
run_cases
