#!/bin/bash
# Dead events fed in again: what is mended ends as if it had never been broken, what is not is tried
# again later, and nothing is done twice, whoever else is at it.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] || exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/dead.sh
. "$(dirname "$0")/fixtures/dead.sh"

# What was fed in is what batch makes of it, and after batch all is as an unbroken stream leaves it.
expect_as_never_broken() {
    local of_retried="SELECT c.* FROM conversion_tracking c
                      JOIN dead_events d ON d.payload ->> 'conversion_id' = c.conversion_id"
    expect_log_lines_once
    digest "$of_retried" >retried
    run batch --quiet --recovery-target 0 "${days[@]}"
    expect_status 0
    digest "$of_retried" >batched
    expect_same retried batched
    contents >got
    expect_same "$work/unbroken" got
}

# A stream whose clicks and conversions were broken, mended and fed in again, leaves what an
# unbroken one leaves, but for conversions that came before a click was mended: those are batch's.
case_mended_is_as_never_broken() {
    use_new_database streamed_broken
    mend_all
    run retry --summary summary.json
    expect_status 0
    expect_json summary.json '[d["resolved"], d["failed"], d["ignored"], d["left"]]' \
        "[$broken, 0, 0, 0]"
    expect_match "$work/err" "^retried +$broken dead events: $broken resolved, 0 failed, 0 ignored"
    expect_sql "SELECT count(*) FROM dead_events WHERE remediation_status <> 'resolved'
                OR resolved_at IS NULL OR retry_count > 0
                OR remediation_notes NOT LIKE 'retried:%'" 0
    expect_as_never_broken
    state >before
    run retry --summary summary.json
    expect_json summary.json 'd["taken"]' 0
    state >after
    expect_same before after
}

case_a_dry_run_changes_nothing() {
    use_new_database streamed_broken
    mend_all
    state >before
    run retry --dry-run --summary summary.json
    expect_status 0
    expect_json summary.json '[d["dry_run"], d["resolved"]]' "[true, $broken]"
    expect_json summary.json 'sum(e["due"] for e in d["dead_events"])' "$broken"
    expect_match "$work/err" "^would retry +$broken dead events: $broken resolved"
    state >after
    expect_same before after
}

# What is not mended waits 2 s, then 4 s and so on, ten times; then it is taken by its id only.
case_failing_again() {
    local after
    use_new_database found_empty
    dead a '{"event":"click","tenant_id":"a","click_id":"k","click_timestamp":"noon"}'
    for after in 0 1 9; do
        sql -c "UPDATE dead_events SET retry_count = $after, last_retry_at = NULL"
        run retry --quiet
        expect_status 0
        expect_sql "SELECT retry_count, remediation_status, error_type, error_message,
                        last_retry_at > now() - INTERVAL '9 minutes' FROM dead_events" \
            "$((after + 1))|pending|malformed|click_timestamp: not a time|t"
        sql -c "UPDATE dead_events SET last_retry_at = now()
                    - $((2 ** after * 2 - 60)) * INTERVAL '1 second'"
        run retry --quiet
        expect_sql 'SELECT retry_count FROM dead_events' "$((after + 1))"
        sql -c "UPDATE dead_events SET last_retry_at = last_retry_at - INTERVAL '1 minute'"
    done
    run retry --quiet
    expect_sql 'SELECT retry_count, remediation_status FROM dead_events' '10|pending'
    run retry --list --summary summary.json
    expect_match "$work/out" '^stream +malformed +pending +1 +0 +1$'
    expect_json summary.json 'd["dead_events"][0]["given_up"]' 1
    sql -c "UPDATE dead_events SET payload = payload || '{\"ad_id\":\"a\",\"campaign_id\":\"c\",
                \"click_timestamp\":\"2026-03-01 00:00:00\"}'"
    run retry --quiet --id "$(sql -c 'SELECT id FROM dead_events')"
    expect_status 0
    expect_sql 'SELECT retry_count, remediation_status FROM dead_events' '10|resolved'
    expect_sql 'SELECT click_id FROM click_tracking' k
}

# Every way in which an event can fail, each with its reason, in the company of ones that do not.
case_reasons() {
    use_new_database found_empty
    sql -c "ALTER TABLE click_tracking ADD CONSTRAINT odd CHECK (adset_id <> 'odd')" \
        -c "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, click_timestamp)
            VALUES ('b-1', 'b', 'c', 'a', '2026-03-01')" \
        -c "INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type,
                conversion_timestamp) VALUES ('b-9', 'b', 'lead', '2026-03-01')"
    dead a "$(click good)"
    dead a "$(click odd '{"adset_id":"odd"}')"
    dead a "$(click even '{"adset_id":"even"}')"
    dead a "$(click b-1)"
    dead a "$(click bare '{"ad_id":null}')"
    dead a "$(conversion b-9 '{"click_id":"good"}')"
    dead a "$(conversion v-1 '{"click_id":"good"}')"
    dead a "$(conversion v-2 '{"conversion_type":null}')"
    dead a '{"event":"visit"}'
    dead a '[1]'
    dead a '"text"'
    dead a '{}'
    dead a '{"line":"no json {"}'
    dead a '{"line":""}'
    dead a '{"line":"{}\n{}"}'
    dead a '{"line_base64":"////"}'
    dead a '{"line_base64":"no base64"}'
    dead a "$(click stranger '{"tenant_id":"b"}')"
    sql -c "INSERT INTO dead_events (source, event_type, error_type, error_message, stream_position)
            VALUES ('stream', 'unknown', 'malformed', 'x', 'nothing')" \
        -c "INSERT INTO dead_events (source, event_type, error_type, error_message, payload)
            VALUES ('batch', 'click', 'malformed', 'x', '{\"id\":\"none\"}')"
    run retry --quiet
    expect_status 0
    sql -c "SELECT remediation_status, retry_count, error_type,
                replace(replace(error_message, 'for relation \"click_tracking\" violates check ',
                    ''), 'cannot write events: ', ''),
                remediation_notes FROM dead_events ORDER BY created_at, id" >got
    cat >wanted <<'TEXT'
resolved|0|malformed|x|retried: the click is in click_tracking
pending|1|refused|new row constraint "odd" (SQLSTATE 23514); the server's log says more|
resolved|0|malformed|x|retried: the click is in click_tracking
pending|1|other_tenant|click_id: another tenant has a click of this id|
pending|1|not_storable|ad_id: missing, and the table demands it|
pending|1|other_tenant|conversion_id: another tenant has a conversion of this id|
resolved|0|malformed|x|retried: attributed by url_param
pending|1|not_storable|conversion_type: missing, and conversion_tracking demands it|
pending|1|malformed|event: neither "click" nor "conversion"|
pending|1|malformed|row: not a JSON object|
pending|1|malformed|row: not a JSON object|
pending|1|malformed|event: neither "click" nor "conversion"|
pending|1|malformed|row: not a JSON object|
pending|1|malformed|row: the payload is empty|
pending|1|malformed|row: the payload is more than one line|
pending|1|malformed|row: not a JSON object|
pending|1|malformed|event: neither "click" nor "conversion"|
pending|1|other_tenant|tenant_id: the payload is another tenant's than the dead event|
pending|1|malformed|row: the dead event has no payload|
pending|1|malformed|row: the payload has no id of a row|
TEXT
    expect_same wanted got
    expect_sql 'SELECT string_agg(click_id, $$ $$ ORDER BY click_id) FROM click_tracking' \
        'b-1 even good'
    # A line that was no JSON, mended as text; the constraint is gone.
    sql -c 'ALTER TABLE click_tracking DROP CONSTRAINT odd' \
        -c "UPDATE dead_events SET payload = jsonb_build_object('line',
                '$(click text)') WHERE payload ->> 'line' = 'no json {'" \
        -c "UPDATE dead_events SET payload = jsonb_build_object('line_base64',
                replace(encode('$(click packed)', 'base64'), E'\n', ''))
            WHERE payload ->> 'line_base64' = '////'" \
        -c 'UPDATE dead_events SET last_retry_at = NULL'
    run retry --quiet
    expect_sql 'SELECT string_agg(click_id, $$ $$ ORDER BY click_id) FROM click_tracking' \
        'b-1 even good odd packed text'
}

# Of conversions that come twice the first counts; of one that is in the table its row does.
case_duplicates() {
    use_new_database found_empty
    dead a "$(click k-1)"
    dead a "$(click k-2)"
    dead a "$(click k-1)"
    dead a "$(conversion v '{"click_id":"k-1"}')"
    dead a "$(conversion v '{"click_id":"k-2"}')"
    dead a "$(conversion w '{"conversion_value":"much"}')"
    dead a "$(conversion w '{"click_id":"k-2"}')"
    run retry --summary summary.json --threads 1
    expect_status 0
    expect_json summary.json '[d["taken"], d["resolved"], d["failed"], d["left"]]' '[7, 5, 1, 1]'
    sql -c "UPDATE dead_events SET last_retry_at = 'infinity' WHERE retry_count > 0"
    run retry --summary summary.json # the first of them waits
    expect_json summary.json '[d["taken"], d["resolved"]]' '[1, 1]'
    expect_sql 'SELECT conversion_id, k.click_id FROM conversion_tracking c
                JOIN click_tracking k ON k.id = attributed_click_id ORDER BY 1' \
        "$(printf 'v|k-1\nw|k-2')"
    dead a "$(conversion v '{"click_id":"k-2"}')"
    state | sed 3d >before
    run retry --quiet
    state | sed 3d >after
    expect_same before after
    expect_sql "SELECT count(*), count(*) FILTER (WHERE retry_count = 1) FROM dead_events
                WHERE remediation_status = 'pending'" '1|1'
}

# Rows that batch refused are retried as the tables hold them now.
case_rows_of_tables() {
    local of_mine="FROM dead_events d JOIN mine m ON m.id::text = d.payload ->> 'id'"
    use_new_database adopted
    run batch --quiet --recovery-target 0 "${period[@]}"
    sql -c "CREATE TABLE mine AS
            (SELECT id FROM click_tracking WHERE is_valid AND fingerprint_hash IS NULL
             ORDER BY id LIMIT 3) UNION ALL
            (SELECT id FROM conversion_tracking WHERE conversion_fingerprint_hash IS NULL
             ORDER BY id LIMIT 3)" \
        -c "DELETE FROM mine m USING dead_events d WHERE m.id::text = d.payload ->> 'id'" \
        -c "UPDATE click_tracking SET fingerprint_hash = 'x' WHERE id IN (SELECT id FROM mine)" \
        -c "UPDATE conversion_tracking SET conversion_fingerprint_hash = 'x'
            WHERE id IN (SELECT id FROM mine)"
    run batch --quiet --recovery-target 0 "${period[@]}"
    expect_status 0
    expect_sql "SELECT d.event_type, count(*) $of_mine GROUP BY 1 ORDER BY 1" \
        "$(printf 'click|3\nconversion|3')"
    run retry --quiet
    expect_sql "SELECT d.remediation_status, d.retry_count, d.error_message, count(*) $of_mine
                GROUP BY 1, 2, 3 ORDER BY 3" \
        "$(printf 'pending|1|%s: not 64 hex digits|3\n' conversion_fingerprint_hash \
            fingerprint_hash)"
    sql -c "UPDATE dead_events d SET last_retry_at = NULL FROM mine m
            WHERE m.id::text = d.payload ->> 'id'" \
        -c "UPDATE dead_events SET remediation_status = 'ignored'
            WHERE id NOT IN (SELECT d.id $of_mine)" \
        -c "UPDATE click_tracking SET fingerprint_hash = NULL WHERE fingerprint_hash = 'x'" \
        -c "UPDATE conversion_tracking SET conversion_fingerprint_hash = NULL
            WHERE conversion_fingerprint_hash = 'x'" \
        -c "DELETE FROM conversion_tracking WHERE id = (
                SELECT max(d.payload ->> 'id')::uuid $of_mine WHERE event_type = 'conversion')"
    run retry --summary summary.json
    expect_json summary.json '[d["taken"], d["resolved"], d["ignored"]]' '[6, 5, 1]'
    expect_json summary.json 'sum(d["methods"].values())' 2
    digest 'SELECT c.* FROM conversion_tracking c JOIN mine USING (id)' >before
    run batch --quiet --recovery-target 0 "${period[@]}"
    digest 'SELECT c.* FROM conversion_tracking c JOIN mine USING (id)' >after
    expect_same before after
    # The same fault anew: pending anew.
    sql -c "UPDATE click_tracking SET fingerprint_hash = 'x' WHERE id IN (SELECT id FROM mine)"
    run batch --quiet --recovery-target 0 "${period[@]}"
    expect_sql "SELECT d.remediation_status, d.retry_count, d.resolved_at IS NULL, count(*)
                $of_mine WHERE d.event_type = 'click' GROUP BY 1, 2, 3" 'pending|0|t|3'
}

# What another session holds is passed by; retries side by side share the work.
case_side_by_side() {
    local pids=() pid i total=0
    use_new_database streamed_broken
    mend_all
    hold "SELECT * FROM dead_events WHERE event_type = 'conversion' ORDER BY id LIMIT 5 FOR UPDATE"
    for i in 1 2 3; do
        "$program" retry --quiet --summary "summary$i" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || fail "exit status $?"; done
    release
    expect_sql "SELECT count(*) FROM dead_events WHERE remediation_status = 'pending'" 5
    run retry --quiet --summary summary4
    for i in 1 2 3 4; do
        total=$((total + $(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["resolved"])' "summary$i")))
    done
    [ "$total" -eq "$broken" ] || fail "$total resolved, not $broken"
    expect_as_never_broken
}

# Events of which nobody knew what they were: a conversion, and so many clicks that came after it,
# its own last. A transaction takes 2,000.
bury_unknown() {
    sql -c "INSERT INTO dead_events (tenant_id, source, event_type, error_type, error_message,
                                     payload, created_at)
            SELECT 'a', 'stream', 'unknown', 'malformed', 'event: missing',
                jsonb_build_object('event', 'click', 'tenant_id', 'a', 'click_id', 'k-' || i,
                                   'campaign_id', 'c', 'ad_id', 'd',
                                   'click_timestamp', 1772323200000)
                || CASE i WHEN 0 THEN jsonb_build_object('event', 'conversion', 'click_id',
                    'k-$1', 'conversion_id', 'v', 'conversion_type', 'lead',
                    'conversion_timestamp', 1772323300000) ELSE '{}' END,
                TIMESTAMPTZ '2026-03-01' + i * INTERVAL '1 ms'
            FROM generate_series(0, $1) AS i"
}

case_what_turns_out_to_be_a_conversion_waits_for_clicks() {
    use_new_database found_empty
    bury_unknown 2100
    run retry --dry-run --summary summary.json
    expect_json summary.json '[d["taken"], d["resolved"], d["methods"]]' '[2101, 2101, null]'
    run retry --summary summary.json
    expect_status 0
    expect_json summary.json '[d["taken"], d["resolved"], d["methods"]["url_param"]]' \
        '[2101, 2101, 1]'
}

# A whole transaction's worth of them.
case_what_others_hold_is_passed_by() {
    use_new_database found_empty
    bury_unknown 2100
    hold "SELECT FROM dead_events ORDER BY created_at LIMIT 2000 FOR UPDATE"
    run retry --summary summary.json
    expect_status 0
    expect_json summary.json '[d["taken"], d["resolved"]]' '[101, 101]'
    release
    run retry --summary summary.json
    expect_json summary.json '[d["taken"], d["resolved"]]' '[2000, 2000]'
}

# PostgreSQL refuses every row, at length and not in ASCII: each has failed, with a message that is
# text, and no undone part of the transaction holds a lock to the end.
case_all_refused() {
    use_new_database found_empty
    bury_unknown 200
    sql -c 'CREATE TABLE locks (held BIGINT); GRANT ALL ON locks TO PUBLIC' -c "
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            \$\$ BEGIN RAISE EXCEPTION '%', repeat('é', 400); END \$\$;
        CREATE TRIGGER refuse BEFORE INSERT ON click_tracking FOR EACH ROW
            EXECUTE FUNCTION refuse();
        CREATE FUNCTION count_locks() RETURNS trigger LANGUAGE plpgsql AS
            \$\$ BEGIN INSERT INTO locks SELECT count(*) FROM pg_locks
                WHERE pid = pg_backend_pid() AND locktype = 'transactionid';
                RETURN NULL; END \$\$;
        CREATE TRIGGER count_locks AFTER UPDATE ON dead_events EXECUTE FUNCTION count_locks()"
    run retry --summary summary.json
    expect_status 0
    expect_json summary.json '[d["failed"], d["resolved"]]' '[200, 1]'
    expect_sql "SELECT count(*), count(DISTINCT error_message), min(retry_count) FROM dead_events
                WHERE error_message LIKE '%: é%'" '200|1|1'
    expect_sql 'SELECT max(held) BETWEEN 1 AND 3 FROM locks' t
}

# Asked to stop, or killed, while it waits for the tables: all is as it was.
case_stopped() {
    local signal
    use_new_database streamed_broken
    mend_all
    state >before
    for signal in TERM KILL; do
        hold 'LOCK click_tracking IN SHARE MODE'
        start retry --quiet --summary stopped.json
        wait_for "$waiting" 1
        kill -"$signal" "$program_pid"
        finish 2>/dev/null
        release
        [ "$signal" = KILL ] || expect_status 5
        expect_json stopped.json '[d["outcome"], d["taken"], d["dead_events"]]' \
            '["interrupted", 0, null]'
        wait_for "$sessions" 0
        state >after
        expect_same before after
    done
    run retry --summary summary.json
    expect_json summary.json 'd["resolved"]' "$broken"
}

case_selecting() {
    use_new_database found_empty
    dead a "$(click k-1)"
    dead b "$(click k-2 '{"tenant_id":"b"}')"
    dead a '{"line":"x"}'
    sql -c "UPDATE dead_events SET error_type = 'refused' WHERE tenant_id = 'a'
            AND payload ? 'click_id'"
    run retry --list
    expect_match "$work/out" '^source +error_type +status +events +due +given_up$'
    expect_match "$work/out" '^stream +malformed +pending +2 +2 +0$'
    expect_match "$work/out" '^stream +refused +pending +1 +1 +0$'
    status=0
    "$program" retry --list >/dev/full 2>"$work/err" || status=$?
    expect_status 1
    expect_error 'standard output: cannot write: .*; '
    run retry --list --tenant b
    [ "$(wc -l <"$work/out")" -eq 2 ] || fail "$(cat "$work/out")"
    run retry --tenant b --summary summary.json
    expect_json summary.json '[d["taken"], d["resolved"]]' '[1, 1]'
    run retry --error-type refused --tenant a --summary summary.json
    expect_json summary.json '[d["taken"], d["resolved"]]' '[1, 1]'
    run retry --ignore --error-type malformed --reason 'a test' --summary summary.json
    expect_json summary.json '[d["taken"], d["ignored"]]' '[0, 1]'
    expect_sql "SELECT remediation_status, remediation_notes FROM dead_events
                WHERE payload ? 'line'" 'ignored|a test'
    run retry --summary summary.json
    expect_json summary.json 'd["taken"]' 0
    run retry --id "$(sql -c "SELECT id FROM dead_events WHERE payload ? 'line'")" \
        --summary summary.json
    expect_json summary.json '[d["taken"], d["failed"]]' '[1, 1]'
    expect_sql "SELECT remediation_status, retry_count FROM dead_events
                WHERE payload ? 'line'" 'ignored|1'
}

case_wrong_usage() {
    use_new_database found_empty
    run retry --ignore
    expect_status 2
    expect_error '--ignore alone would mark every pending dead event'
    run retry --id 7
    expect_status 2
    expect_error "'7' is no id of a dead event"
    run retry --ignore --list --tenant a
    expect_status 2
    run retry --reason x
    expect_status 2
    run retry --db 'dbname=nowhere_to_be_found'
    expect_status 4
    run retry --list
    expect_status 0
    expect_match "$work/err" 'there are no dead events'
}

make_dead_templates
run_cases
