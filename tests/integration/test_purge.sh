#!/bin/bash
# `purge`: what goes, what stays, and that nobody waits for it.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"

click_data='num_nonnulls(ip_address, user_agent, fingerprint_hash, fingerprint_components, fbclid,
    gclid, ip_city, os_version, browser_version, screen_width, screen_height, viewport_width,
    viewport_height, timezone, timezone_offset, landing_page_url, referrer_url)'
conversion_data='num_nonnulls(ip_address, user_agent, conversion_fingerprint_hash, fbclid, gclid,
    screen_width, screen_height, timezone, timezone_offset)'
# Of raw_data; a row that holds but one of them counts, too.
raw_keys="ARRAY['ip_address', 'user_agent', 'fingerprint_hash', 'conversion_fingerprint_hash',
    'fbclid', 'gclid']"

# All of a conversion but what is personal, and its click by name.
results() {
    digest "SELECT c.id, c.conversion_id, c.tenant_id, c.conversion_type, c.conversion_value,
            c.crm_deal_id, c.attributed_click_id, k.click_id, k.campaign_id, k.click_timestamp,
            c.attribution_method, c.attribution_confidence, c.attribution_window_hours,
            c.fingerprint_match_score, c.probabilistic_candidates, c.match_probability,
            c.attribution_model, c.conversion_timestamp, c.attributed_at, c.raw_data ->> 'page',
            c.raw_data ->> 'click_id'
        FROM conversion_tracking c LEFT JOIN click_tracking k ON k.id = c.attributed_click_id"
    digest attribution_performance_log
}

purge() {
    run purge --older-than 30d --summary summary.json "$@"
}

case_what_goes_and_what_stays() {
    use_new_database adopted
    sql -c "UPDATE conversion_tracking SET raw_data = raw_data || jsonb_object($raw_keys,
                array_fill('x'::text, ARRAY[6]))
            WHERE conversion_id LIKE '%3' AND raw_data IS NOT NULL" \
        -c "UPDATE conversion_tracking SET ip_address = NULL, user_agent = NULL,
                conversion_fingerprint_hash = NULL, raw_data = jsonb_build_object('page', '/x',
                    ($raw_keys)[1 + substr(conversion_id, 12, 2)::integer % 6], 'x')
            WHERE conversion_id LIKE '%4'" \
        -c "INSERT INTO dead_events (source, event_type, error_type, error_message, payload,
                                     remediation_status, created_at)
            SELECT 'batch', 'click', 'malformed', 'x', jsonb_build_object('id', s || i), s,
                   now() - i * INTERVAL '1 day'
            FROM generate_series(25, 35) i, unnest('{pending,resolved,ignored}'::text[]) s
            WHERE (i + length(s)) % 3 = 0"
    results >before
    local referred dead
    referred=$(sql -c 'SELECT count(DISTINCT attributed_click_id) FROM conversion_tracking')
    dead=$(sql -c "SELECT count(*) FROM dead_events WHERE created_at < now() - INTERVAL '30 days'")
    [ "$referred" -gt 20 ] || fail "only $referred clicks are referred to"
    state >state_before
    purge --dry-run
    expect_status 0
    state >state_after
    expect_same state_before state_after
    cp summary.json would.json
    purge
    expect_status 0
    results >after
    expect_same before after
    for what in clicks_deleted clicks_stripped conversions_stripped dead_events_deleted \
        dead_events_unresolved; do
        expect_json summary.json "d['$what']" \
            "$(python3 -c "import json; print(json.load(open('would.json'))['$what'])")"
    done
    expect_json summary.json "d['clicks_deleted'] + d['clicks_stripped']" 6000
    expect_json summary.json "d['clicks_stripped']" "$referred"
    expect_json summary.json "d['dead_events_deleted']" "$dead"
    expect_match "$work/err" 'neither resolved nor ignored'
    expect_sql 'SELECT count(*) FROM click_tracking' "$referred"
    expect_sql "SELECT count(*) FROM click_tracking WHERE $click_data > 0" 0
    expect_sql "SELECT count(*) FROM conversion_tracking WHERE $conversion_data > 0
                OR raw_data ?| $raw_keys" 0
    expect_sql "SELECT count(*) FROM conversion_tracking WHERE conversion_id LIKE '%4'
                AND raw_data <> '{\"page\": \"/x\"}'" 0
    expect_sql "SELECT count(*) FROM dead_events WHERE created_at < now() - INTERVAL '30 days'" 0
    state >state_before
    purge
    state >state_after
    expect_same state_before state_after
    expect_json summary.json "d['clicks_deleted'] + d['clicks_stripped']" 0
    expect_json summary.json "d['conversions_stripped'] + d['dead_events_deleted']" 0
}

# Clicks that batch or a late conversion may look for stay, whatever --older-than says.
case_what_is_needed_stays() {
    use_new_database adopted
    sql -c "UPDATE conversion_tracking SET attributed_click_id = NULL" \
        -c 'DELETE FROM click_tracking' \
        -c "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, click_timestamp,
                                        expires_at, is_valid, ip_address)
            SELECT click_id, 't', 'c', 'a', now() - age, now() - age + lasts, is_valid, '9.9.9.9'
            FROM (VALUES ('recent', INTERVAL '15 days', INTERVAL '7 days', true),
                         ('at the edge', '30 days' - INTERVAL '1 minute', '7 days', true),
                         ('expires late', '35 days', '30 days', true),
                         ('old', '30 days' + INTERVAL '1 minute', '7 days', true),
                         ('flagged', '31 days', '7 days', false),
                         ('said to live for years', '40 days', '3000 days', true),
                         ('no expiry', '31 days', NULL, true)
                 ) AS x (click_id, age, lasts, is_valid)"
    purge
    expect_status 0
    expect_sql 'SELECT string_agg(click_id, $$,$$ ORDER BY click_id) FROM click_tracking' \
        'at the edge,expires late,recent'
    for age in 0 15d 383h; do
        run purge --older-than "$age"
        expect_status 2
        expect_error 'batch may need clicks of the last 384 hours; give 16d or more'
    done
    run purge --older-than 384h
    expect_status 0
    expect_sql 'SELECT string_agg(click_id, $$,$$ ORDER BY click_id) FROM click_tracking' \
        'expires late,recent'
    echo '{"name": "long", "version": "1", "window_hours": 720, "delay_hours": [1, 24, 720],
           "delay_m": [0.3, 0.3, 0.3], "fingerprint_m": [0.9, 0.9, 0.9], "ip_m": [0.8, 0.8, 0.8]}' \
        >long.json
    run purge --older-than 30d --model ./long.json
    expect_status 2
    expect_error 'give 39d or more'
}

case_one_tenant() {
    use_new_database adopted
    digest "SELECT * FROM click_tracking WHERE tenant_id <> 'tenant_2'" >before
    digest "SELECT * FROM conversion_tracking WHERE tenant_id <> 'tenant_2'" >>before
    purge --tenant tenant_2
    expect_status 0
    digest "SELECT * FROM click_tracking WHERE tenant_id <> 'tenant_2'" >after
    digest "SELECT * FROM conversion_tracking WHERE tenant_id <> 'tenant_2'" >>after
    expect_same before after
    expect_sql "SELECT count(*) FROM click_tracking WHERE tenant_id = 'tenant_2'
                AND $click_data > 0" 0
}

scans="SELECT sum(seq_scan) FROM pg_stat_user_tables
       WHERE relname IN ('conversion_tracking', 'click_tracking')"

# Without the index that optimizing dropped it refuses, and says the statement that helps; with it
# nothing reads a whole table, the foreign key's check included.
case_no_table_is_scanned() {
    use_new_database adopted
    sql -c 'CREATE TABLE orders (click UUID REFERENCES click_tracking (id))' \
        -c 'INSERT INTO orders SELECT id FROM click_tracking ORDER BY click_timestamp LIMIT 3'
    run migrate --optimize --quiet
    state >before
    for table in conversion_tracking orders; do
        purge
        expect_status 4
        expect_error "no index on $table begins with .*CREATE INDEX CONCURRENTLY ON $table \("
        sql -c "$(grep -o 'CREATE INDEX CONCURRENTLY ON [^,]*' "$work/err")"
    done
    state >after
    expect_same before after
    sql -c 'ANALYZE'
    local scanned
    scanned=$(sql -c 'SELECT pg_stat_force_next_flush()' -c "$scans" | grep .)
    purge --batch-rows 100
    expect_status 0
    expect_match "$work/err" "3 clicks stay, without personal data: another table's foreign key"
    expect_json summary.json "d['clicks_deleted'] > 4000" true
    wait_for "SELECT n_tup_del > 4000 FROM pg_stat_user_tables WHERE relname = 'click_tracking'" t
    expect_sql "$scans" "$scanned"
    expect_sql "SELECT count(*), max($click_data) FROM orders JOIN click_tracking ON id = click" \
        '3|0'
}

# A row that would be locked for long is left, and told; all others go.
case_a_slow_row_is_left() {
    use_new_database adopted
    sql -c "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
            \$\$ BEGIN PERFORM pg_sleep(0.2); RETURN coalesce(NEW, OLD); END \$\$" \
        -c "UPDATE click_tracking SET os = 'slow' WHERE id IN
            (SELECT id FROM click_tracking ORDER BY click_timestamp LIMIT 2 OFFSET 100)" \
        -c "CREATE TRIGGER slow BEFORE DELETE OR UPDATE ON click_tracking FOR EACH ROW
            WHEN (OLD.os = 'slow') EXECUTE FUNCTION slow()"
    purge
    expect_status 0
    expect_match "$work/err" '2 rows took so long .* the next purge tries them again'
    expect_json summary.json "d['rows_left']" 2
    expect_json summary.json "d['clicks_deleted'] + d['clicks_stripped']" 5998
    expect_sql "SELECT count(*), count(DISTINCT os) FROM click_tracking WHERE $click_data > 0" '2|1'
    sql -c 'DROP TRIGGER slow ON click_tracking'
    purge
    expect_json summary.json "d['clicks_deleted'] + d['clicks_stripped']" 2
    expect_json summary.json "d['rows_left']" 0
}

# One purge while writers update the very rows and let conversions refer to them, and batch matches
# those of the first four days; $line says how they fared.
purge_beside_writers() {
    use_new_database
    PGOPTIONS="$PGOPTIONS" sql -v clicks=20000 -v conversions=3000 -f "$fixtures/as_found.sql"
    "$program" migrate --quiet || fail "migrate fails"
    sql -c "INSERT INTO dead_events (source, event_type, error_type, error_message, payload,
                                     created_at)
            SELECT 'stream', 'click', 'malformed', 'x', '{}', now() - INTERVAL '60 days'
            FROM generate_series(1, 3000)"
    coproc WRITERS { "$fixtures/writers.py" 100 3 engine 2026-03-05 "$program" batch --quiet \
        --recovery-target 0 --from 2026-03-01 --to 2026-03-05 --summary batch.json; }
    local writers_pid=$! out=${WRITERS[0]} in=${WRITERS[1]}
    read -r line <&"$out"
    purge
    exec {in}>&-
    read -r line <&"$out"
    wait "$writers_pid"
    expect_status 0
    echo "# statements, waits, by the machine, deadlocks, longest ms, other errors: $line"
    echo "# $(grep -oE '"(batches|longest_batch_ms|seconds)": [0-9.]*' summary.json | xargs)"
}

# Nobody waits for a lock for 100 ms, nothing deadlocks.
case_nobody_waits() {
    local line
    purge_beside_writers
    read -r count waits excused deadlocks _ others _ <<<"$line"
    [ "$count" -gt 50 ] || fail "writers: $line"
    is_counted || [ "$waits" -eq "$excused" ] || fail "writers: $line"
    [ "$deadlocks $others" = '0 0' ] || fail "writers: $line"
    expect_json summary.json "d['clicks_deleted'] + d['clicks_stripped'] > 19000" true
    expect_json summary.json "d['conversions_stripped'] > 1500" true
    expect_json summary.json "d['dead_events_deleted'] > 2700" true
    [ "$waits" -gt 0 ] || expect_json batch.json "d['batch']['changed'] > 100" true
    run purge --older-than 30d --quiet # what the writers held meanwhile
    expect_sql "SELECT count(*) FROM click_tracking k WHERE $click_data > 0 OR NOT EXISTS
                (SELECT FROM conversion_tracking c WHERE c.attributed_click_id = k.id)" 0
    expect_sql "SELECT count(*) FROM conversion_tracking WHERE $conversion_data > 0" 0
    expect_sql "SELECT count(*) FROM dead_events WHERE created_at < now() - INTERVAL '30 days'" 0
}

# Killed at any moment, or interrupted, it leaves what the next one goes on with; two at once and a
# batch beside them come to the same.
case_killed_interrupted_and_beside_others() {
    use_new_database adopted
    results >before
    for pause in 0.05 0.1 0.15 0.2; do
        start purge --older-than 30d --quiet --batch-rows 3
        sleep "$pause"
        kill -9 "$program_pid"
        wait "$program_pid" 2>>/dev/null
        results >after
        expect_same before after
    done
    start purge --older-than 30d --batch-rows 3 --summary summary.json
    wait_for "SELECT count(*) < 5900 FROM click_tracking" t
    kill -INT "$program_pid"
    finish
    expect_status 5
    expect_json summary.json "d['outcome']" '"interrupted"'
    results >after
    expect_same before after
    "$program" purge --older-than 30d --quiet --batch-rows 50 2>"$work/other" &
    local other=$!
    start batch --quiet --recovery-target 0 "${period[@]}" --dry-run
    local batch=$program_pid
    purge --batch-rows 50
    expect_status 0
    wait "$other" || fail "$(cat "$work/other")"
    program_pid=$batch
    finish
    expect_status 0
    results >after
    expect_same before after
    expect_sql "SELECT count(*) FROM click_tracking WHERE $click_data > 0" 0
    expect_sql "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()" 0
}

make_templates
run_cases
