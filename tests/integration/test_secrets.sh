#!/bin/bash
# Nothing that a run leaves holds a password, an address or a user agent: commands are made to fail
# in many ways with marked ones, and everything left is searched for the marks.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
# The server's log has all statements, and says no more of a row than that it breaks a constraint.
[ -n "${PG_TEMP_DIR-}" ] ||
    PG_TEMP_CONF=$'log_statement = all\nlog_error_verbosity = terse' \
        exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/stream.sh
. "$root/tests/integration/fixtures/stream.sh"

password=Passw0rdOfNobody
agent=AgentOfNobody
address=203.0.113.77
ipv6=2001:db8:5bad:cafe
secret=KeyOfNobodyKeyOfNobodyKeyOfNobody
marks=(-e "$password" -e "$agent" -e "$address" -e "$ipv6" -e "$secret")

# Names of files below a folder that hold a mark.
holders() {
    grep -r -l -a -F "${marks[@]}" "$@" 2>/dev/null
}

expect_no_marks() {
    local found
    found=$(holders "$@" | head -n 1)
    [ -z "$found" ] ||
        fail "$found: $(grep -a -m 1 -F "${marks[@]}" "$found" | head -c 300)"
}

# Run a command that is to fail, in a folder of its own, told as text and as JSON.
fails() {
    local wanted=$1 format
    shift
    mkdir -p left
    for format in text json; do
        status=0
        (cd left && timeout 60 "$program" "$@" --log-format "$format" </dev/null) \
            >>left/told.out 2>>left/told.err || status=$?
        [ "$status" = "$wanted" ] ||
            fail "exit status $status, not $wanted, of: ${*//"$password"/...}; $(tail -n 1 \
                left/told.err)"
    done
}

case_passwords_of_connections() {
    local db url=postgresql://
    psql -Xq -d template1 -c 'CREATE DATABASE guarded'
    sed -i '1i local guarded all scram-sha-256' "$PG_TEMP_DIR/data/pg_hba.conf"
    psql -Xqt -d template1 -c 'SELECT pg_reload_conf()' >reloaded
    for db in "dbname=x password=$password" "dbname=x password = '$password'" \
        "sslpassword=$password" "${url}u:$password@localhost/x" "${url}u:$password@/x?host=/tmp" \
        "postgres://u:$password@a,b/x" "${url}u:a/$password@localhost/x" \
        "${url}u:a?$password@localhost/x" "${url}localhost/x?password=$password" \
        "${url}localhost/x?p%61ssword=$password" "${url}localhost/x?%70assword=$password"; do
        fails 2 batch --db "$db"
    done
    fails 2 migrate --db "$db"
    fails 2 purge --older-than 30d --db "$db"
    fails 2 retry --db "$db"
    fails 2 retry --list --db "$db"
    fails 2 stream --sink db --db "$db"
    fails 2 explain x --db "$db"
    fails 2 model list --db "$db"
    fails 2 bench --db "$db" --quick --only batch
    for db in "${url}u:$password@localhost/x" "password=$password"; do
        fails 2 batch "$db"
        fails 2 "$db"
        fails 2 batch -d "$db"
        fails 2 model "$db"
        fails 2 batch "-d$db"
        fails 2 batch "--dbname=$db"
    done
    export PGPASSWORD=$password
    fails 4 batch --db dbname=guarded
    fails 4 migrate --db dbname=guarded
    fails 4 purge --older-than 30d --db dbname=guarded
    fails 4 retry --db dbname=guarded
    fails 4 stream --sink db --db dbname=guarded
    fails 4 batch --db "host=127.0.0.1 port=1 dbname=x"
    unset PGPASSWORD
    printf '*:*:*:*:%s\n' "$password" >pgpass
    chmod 600 pgpass
    PGPASSFILE=$PWD/pgpass fails 4 batch --db dbname=guarded
    expect_match left/told.err 'password authentication failed'
    expect_no_marks left "$PG_TEMP_DIR/log"
}

# Rows with all that is personal, each malformed in another way.
marked_rows() {
    local device="\"ip_address\":\"$address\",\"user_agent\":\"$agent\""
    local v6="\"ip_address\":\"$ipv6::1\",\"user_agent\":\"$agent\""
    click k-0 12:00:00 ",$device"
    click k-1 12:00:00 ",$v6,\"fingerprint_hash\":\"$agent\""
    click k-2 12:61:00 ",$device"
    click k-3 12:00:00 ",\"ip_address\":\"$address/x y\",\"user_agent\":[\"$agent\"]"
    click k-4 12:00:00 ",\"ip_address\":\"$address.9\""
    click k-5 12:00:00 ",\"ip_address\":\"$ipv6:::\""
    click k-6 12:00:00 ",\"device_type\":{\"$agent\":1}"
    printf '{"event":"click","user_agent":"%s"\n' "$agent" "$address"
    printf '%s %s\n' "$agent" "$address"
    conversion v-0 k-0 12:30:00 ",$device"
    conversion v-1 - 12:30:00 ",$v6"
    conversion v-2 - 12:30:00 ",\"ip_address\":\"$agent\",\"user_agent\":7"
    conversion v-3 k-9 "12:30:00$agent" ",$device"
}

case_rows_of_files() {
    mkdir in
    marked_rows >in/events.ndjson
    grep '"click_timestamp' in/events.ndjson >in/clicks.ndjson
    grep '"conversion_timestamp' in/events.ndjson >in/conversions.ndjson
    {
        echo tenant_id,click_id,click_timestamp,ip_address,user_agent
        echo "t,k,2026-03-01T00:00:00Z,$address"
        echo "t,k,2026-03-01T00:00:00Z,$address.$address,$agent"
        echo "t,k,$agent,$address,$agent"
        echo "t,k,2026-03-01T00:00:00Z,$address,\"$agent"
    } >in/clicks.csv
    local in=$PWD/in clicks
    for clicks in clicks.ndjson clicks.csv; do
        local files=(--clicks "$in/$clicks" --conversions "$in/conversions.ndjson")
        fails 3 match "${files[@]}" --max-rejects 0 --output out.csv --summary summary.json
        fails 0 match "${files[@]}" --max-rejects none --output out.csv --summary summary.json
        fails 3 evaluate "${files[@]}" --max-rejects 0 --output out.txt --html out.html
        fails 3 train "${files[@]}" --max-rejects 0 --output model.json
        fails 3 explain v-0 "${files[@]}" --max-rejects 0
    done
    fails 0 explain v-0 --clicks "$in/clicks.ndjson" --conversions "$in/conversions.ndjson"
    fails 1 explain v-9 --clicks "$in/clicks.ndjson" --conversions "$in/conversions.ndjson"
    fails 0 stream --events "$in/events.ndjson" --output out.ndjson --metrics metrics.txt
    fails 1 match --clicks "$in" --conversions "$in/conversions.ndjson"
    expect_match left/told.err 'ip_address'
    expect_no_marks left
    # The search finds what is there: a file of rejects holds the rows, and is its owner's alone.
    fails 0 stream --events "$in/events.ndjson" --output out.ndjson --rejects rejects.ndjson
    [ "$(holders left)" = left/rejects.ndjson ] || fail "found: $(holders left)"
    [ "$(stat -c %a left/rejects.ndjson)" = 600 ] || fail "mode $(stat -c %a left/rejects.ndjson)"
}

# Dead events that hold marks, all of them, fed in again: some are malformed still, others break a
# constraint. What an operator lists and marks as ignored says nothing of them either.
retries() {
    local event
    for event in click conversion; do
        python3 -c "import json
for i in range(6):
    print(json.dumps({'event': '$event', 'tenant_id': 't', '${event}_id': 'again-%d' % i,
        '${event}_timestamp': '2026-03-01T12:00:00Z' if i % 2 else '12:00 $agent',
        'campaign_id': 'c', 'ad_id': 'a', 'conversion_type': 's', 'user_agent': '$agent',
        'ip_address': '$address'}))" |
            sql -c 'CREATE TEMP TABLE again (n serial, payload jsonb)' \
                -c '\copy again (payload) FROM pstdin' \
                -c "INSERT INTO dead_events (tenant_id, source, event_type, error_type,
                        error_message, payload, stream_name, stream_position)
                    SELECT 't', 'stream', '$event', 'refused', 'x', payload, 'again',
                        '$event ' || n FROM again"
    done
    fails 0 retry --dry-run
    fails 0 retry --summary retry.json
    fails 0 retry --list
    expect_sql "SELECT count(*) FILTER (WHERE error_type = 'refused'),
                    count(*) FILTER (WHERE error_type = 'malformed'), min(retry_count) > 0
                FROM dead_events WHERE stream_name = 'again'" '6|6|t'
    fails 0 retry --ignore --error-type malformed --reason 'of no use'
    expect_match left/told.out malformed
}

# What the file of --hash-pii holds is in nothing that a run leaves or says, nor, in a checkpoint,
# what it is the key of.
case_the_key_of_hashes() {
    mkdir in
    marked_rows >in/events.ndjson
    grep '"click_timestamp' in/events.ndjson >in/clicks.ndjson
    grep '"conversion_timestamp' in/events.ndjson >in/conversions.ndjson
    printf '%s' "$secret" >key
    chmod 600 key
    use_new_database template0
    PGDATABASE=$PGDATABASE sql -f "$fixtures/as_found.sql"
    "$program" migrate --quiet || fail "migrate fails"
    local files=(--clicks "$PWD/in/clicks.ndjson" --conversions "$PWD/in/conversions.ndjson")
    fails 0 match "${files[@]}" --max-rejects none --hash-pii ../key --output out.csv \
        --summary summary.json
    fails 3 match "${files[@]}" --max-rejects 0 --hash-pii ../key --output out.csv
    fails 0 stream --events "$PWD/in/events.ndjson" --hash-pii ../key --output out.ndjson \
        --checkpoint window --grace 1h --metrics metrics.txt
    fails 0 batch "${period[@]}" --hash-pii ../key --summary summary.json
    fails 2 stream --sink db --hash-pii ../key
    printf '%s' "$password" >short
    chmod 600 short
    fails 2 match "${files[@]}" --hash-pii ../short --output out.csv
    chmod 644 key
    fails 2 match "${files[@]}" --hash-pii ../key --output out.csv
    expect_match left/told.err 'key.* can be read or written by others'
    [ -e left/window/position.json ] || fail "no checkpoint"
    expect_no_marks left "$PG_TEMP_DIR/log"
}

# Tables whose rows are marked, in states that make commands fail: what is told, the log of the
# server with all statements, and the reasons that are kept in tables.
case_rows_of_tables() {
    use_new_database template0
    PGDATABASE=$PGDATABASE sql -f "$fixtures/as_found.sql"
    "$program" migrate --quiet || fail "migrate fails"
    mkdir in
    marked_rows >in/events.ndjson
    sql -c 'SELECT id FROM click_tracking LIMIT 300' |
        sed "s/\$/\t$address\t$agent/" >in/marks
    sql -c 'CREATE TEMP TABLE m (id uuid, ip inet, ua text)' -c "\\copy m from 'in/marks'" \
        -c "UPDATE click_tracking k SET ip_address = m.ip, user_agent = m.ua,
            fingerprint_hash = 'not one' FROM m WHERE m.id = k.id" \
        -c "UPDATE conversion_tracking c SET ip_address = m.ip, user_agent = m.ua,
            conversion_fingerprint_hash = 'not one' FROM m WHERE m.id = c.attributed_click_id"
    fails 3 batch "${period[@]}" --max-rejects 0
    fails 0 batch "${period[@]}" --max-rejects none --summary summary.json
    fails 0 purge --older-than 30d --tenant tenant_1 --summary purge.json
    sql -c "UPDATE click_tracking SET fingerprint_hash = NULL WHERE fingerprint_hash = 'not one'"
    id=$(sql -c "UPDATE conversion_tracking SET conversion_fingerprint_hash = NULL WHERE id =
                     (SELECT id FROM conversion_tracking WHERE user_agent ~ 'Nobody' LIMIT 1)
                 RETURNING conversion_id")
    for format in text json html; do
        fails 0 explain "$id" --format "$format" --output "explained.$format"
        expect_match "left/explained.$format" "$id"
    done
    sql -c "ALTER TABLE click_tracking ADD CONSTRAINT no_marks CHECK (user_agent !~ 'Nobody')
            NOT VALID" \
        -c "ALTER TABLE conversion_tracking ADD CONSTRAINT no_marks CHECK (user_agent !~ 'Nobody')
            NOT VALID"
    fails 0 stream --sink db --store-clicks --db "dbname=$PGDATABASE" --events \
        "$PWD/in/events.ndjson"
    fails 0 purge --older-than 30d
    retries
    sql -c 'ALTER TABLE conversion_tracking RENAME user_agent TO gone'
    fails 4 batch "${period[@]}"
    fails 4 purge --older-than 30d
    fails 4 explain conv_000000001
    expect_no_marks left "$PG_TEMP_DIR/log"
    sql -c "SELECT count(*) > 2 FROM dead_events WHERE payload::text ~ '$agent'" \
        -c "SELECT error_message, error_type FROM dead_events" \
        -c "SELECT error, model FROM attribution_recompute_jobs" >tables
    expect_match tables '^t$'
    expect_no_marks tables
}

# A running stream that holds marks: how others see it, its figures, its status, and what a crash
# leaves where core files are on.
case_a_living_process_and_a_crash() {
    marked_rows >in.ndjson
    mkdir left crash
    use_new_database template0
    "$program" migrate --quiet || fail "migrate fails"
    ulimit -c unlimited
    mkfifo events
    (cd crash && PGPASSWORD=$password exec "$program" stream --events ../events \
        --output out.ndjson --metrics :0 --grace 1h --db "dbname=$PGDATABASE" \
        --recovery-target 0) 2>left/err &
    stream=$!
    exec 7>events
    cat in.ndjson >&7
    await grep -q 'metrics at http' left/err
    kill -USR1 "$stream"
    await grep -q ' events, ' left/err
    curl -s "$(sed -n 's/.*metrics at //p' left/err)" >left/metrics
    expect_match left/metrics clickmatch_
    tr '\0' ' ' <"/proc/$stream/cmdline" >left/cmdline
    cat "/proc/$stream/comm" >left/comm
    expect_match left/cmdline 'stream --events'
    kill -ABRT "$stream"
    exec 7>&-
    wait_stream 2>/dev/null
    [ "$status" -eq 134 ] || fail "exit status $status"
    expect_no_marks left
    [ -z "$(find crash -name 'core*')" ] || fail "a core file: $(find crash -name 'core*')"
    # Here any other program leaves one?
    (cd crash && exec sleep 60) &
    await grep -qx sleep "/proc/$!/comm"
    kill -ABRT $!
    wait $! 2>/dev/null
    [ -n "$(find crash -name 'core*')" ] || skip "this machine writes no core files to the folder"
}

run_cases
