#!/bin/bash
# `batch` against a real server: the results of the file path, idempotence, filters, rejects, odd
# values, runs that overlap.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"

batch() {
    run batch --quiet --recovery-target 0 "${period[@]}" "$@"
}

job() {
    sql -c "SELECT $1 FROM attribution_recompute_jobs ORDER BY started_at DESC LIMIT 1"
}

expect_job() {
    local got
    got=$(job "$1")
    [ "$got" = "$2" ] || fail "job: $1 is $got, not $2"
}

# The results in the tables, layers from the log's last line.
results="SELECT c.conversion_id, c.tenant_id, k.click_id AS matched, k.campaign_id, k.adset_id,
    k.ad_id, k.creative_id, c.attribution_method, c.attribution_confidence, c.match_probability,
    c.attribution_window_hours, l.layer_1_result, l.layer_2_result, l.layer_3_result,
    c.probabilistic_candidates, c.attribution_model
  FROM conversion_tracking c
  LEFT JOIN click_tracking k ON k.id = c.attributed_click_id
  JOIN LATERAL (SELECT * FROM attribution_performance_log l
      WHERE l.conversion_id = c.conversion_id ORDER BY attempt_number DESC LIMIT 1) l ON true
  WHERE c.attribution_model IS NOT NULL"

# Write both tables as the files that `match` reads; conversions of a period only.
export_files() {
    sql -c "\\copy (SELECT * FROM click_tracking ORDER BY click_id) TO clicks.csv CSV HEADER"
    sql -c "CREATE VIEW exported AS SELECT tenant_id, conversion_id, conversion_timestamp,
            coalesce(click_id, raw_data ->> 'click_id') AS click_id,
            coalesce(fbclid, raw_data ->> 'fbclid') AS fbclid,
            coalesce(gclid, raw_data ->> 'gclid') AS gclid, conversion_fingerprint_hash,
            ip_address, user_agent, device_type, os, browser, screen_width, screen_height, timezone,
            timezone_offset
        FROM conversion_tracking
        WHERE conversion_timestamp >= '$1' AND conversion_timestamp < '$2'"
    sql -c "\\copy (SELECT * FROM exported ORDER BY conversion_id) TO conversions.csv CSV HEADER"
}

# Do files and tables agree on every conversion of a period?
expect_agreement() {
    export_files "$1" "$2"
    run match --clicks clicks.csv --conversions conversions.csv --output results.csv --quiet \
        --recovery-target 0 "${@:3}"
    expect_status 0
    run batch --quiet --recovery-target 0 --from "$1" --to "$2" "${@:3}"
    expect_status 0
    sql -c "CREATE TABLE expected (conversion_id TEXT, tenant_id TEXT, click_id TEXT,
            campaign_id TEXT, adset_id TEXT, ad_id TEXT, creative_id TEXT, method TEXT,
            confidence NUMERIC, probability NUMERIC, hours INTEGER, layer_1 TEXT, layer_2 TEXT,
            layer_3 TEXT, candidates JSONB, model TEXT)" \
        -c "\\copy expected FROM results.csv CSV HEADER"
    expect_sql "SELECT count(*) FROM (SELECT * FROM expected EXCEPT ($results)) AS e" 0
    expect_sql "SELECT count(*) > 10 AND count(*) = (SELECT count(*) FROM ($results) AS r)
                FROM expected" t
}

case_same_as_files() {
    use_new_database adopted
    expect_agreement 2026-03-01 2026-03-20
    expect_sql "SELECT count(DISTINCT method) FROM expected" 4
}

case_same_as_files_in_a_short_period() {
    use_new_database adopted
    expect_agreement 2026-03-09T06:00:00Z 2026-03-10T12:00:00Z
    expect_sql "SELECT count(DISTINCT method) FROM expected" 4
    expect_job 'clicks_read < 6000' t
}

# Layer 3 looks back further than layer 1 does, and clicks expire late.
case_same_as_files_with_another_model() {
    use_new_database adopted
    echo '{"name": "wide", "version": "2", "window_hours": 24, "probabilistic_window_hours": 72,
           "retention_hours": 0, "ipv6_prefix": 48}' >model.json
    expect_agreement 2026-03-08T01:02:03Z 2026-03-14 --model model.json
    expect_job model wide@2
}

# What clicks and conversions show of their devices comes out of the tables as out of files, and it
# counts.
case_same_as_files_with_traits() {
    use_new_database adopted
    sql -c "UPDATE conversion_tracking SET os = 'IOS', browser = 'SAFARI', screen_width = 844,
                screen_height = 390, timezone = 'Europe/Berlin'
            WHERE conversion_id LIKE '%1' OR conversion_id LIKE '%5'"
    echo '{"fingerprint": {"traits": {"os": [0.98, 0.4], "timezone": [0.9, 0.5]}},
           "probabilistic": {"traits": {"screen": [0.97, 0.1], "browser": [0.9, 0.3]}}}' >model.json
    expect_agreement 2026-03-01 2026-03-20 --model model.json
    run match --clicks clicks.csv --conversions conversions.csv --output plain.csv --quiet \
        --recovery-target 0
    expect_status 0
    ! cmp -s plain.csv results.csv || fail "traits have changed nothing"
}

case_ids_in_their_own_columns() {
    use_new_database adopted
    sql -c "UPDATE conversion_tracking SET click_id = raw_data ->> 'click_id', os = 'iOS',
                browser = 'Safari', screen_width = 390, timezone = 'Europe/Berlin',
                timezone_offset = -60
            WHERE conversion_id LIKE '%1'" \
        -c "UPDATE conversion_tracking SET click_id = 'stranger' WHERE conversion_id LIKE '%2'" \
        -c "UPDATE conversion_tracking SET click_id = '' WHERE conversion_id LIKE '%3'"
    expect_agreement 2026-03-01 2026-03-20
    expect_sql "SELECT count(*) FROM conversion_tracking c
                WHERE conversion_id LIKE '%2' AND attribution_method = 'url_param'
                    AND raw_data ->> 'click_id' <> ''" 0
}

case_twice_changes_nothing() {
    use_new_database adopted
    batch
    expect_status 0
    state >before
    expect_job 'run_count, status, conversions_changed > 2000' '1|succeeded|t'
    batch
    expect_status 0
    state >after
    expect_same before after
    expect_job 'run_count, status, conversions_changed, error' '2|succeeded|0|'
    expect_sql 'SELECT count(*) FROM attribution_recompute_jobs' 1
}

case_threads_change_nothing() {
    for threads in 1 2 7; do
        use_new_database adopted
        batch --threads "$threads"
        expect_status 0
        digest "$results" >"results.$threads"
    done
    expect_same results.1 results.2
    expect_same results.1 results.7
}

case_columns_of_a_result() {
    use_new_database adopted
    batch
    expect_sql "SELECT count(*) FROM conversion_tracking c WHERE attribution_model IS NOT NULL
        AND (attributed_click_id IS NULL) IS DISTINCT FROM (attributed_at IS NULL)" 0
    expect_sql "SELECT count(*) FROM conversion_tracking c
        LEFT JOIN click_tracking k ON k.id = c.attributed_click_id
        WHERE attribution_model IS NOT NULL AND attribution_window_hours IS DISTINCT FROM
            floor(extract(epoch FROM conversion_timestamp - click_timestamp) / 3600)" 0
    expect_sql "SELECT bool_and(match_probability = 1 AND attribution_confidence = 1
            AND probabilistic_candidates = '[]' AND fingerprint_match_score IS NULL)
        FROM conversion_tracking WHERE attribution_method = 'url_param'
            AND attribution_model IS NOT NULL" t
    expect_sql "SELECT bool_and(abs(fingerprint_match_score - match_probability) < 0.000051
            AND attribution_confidence BETWEEN 0.6 AND 0.9)
        FROM conversion_tracking WHERE attribution_method = 'fingerprint'" t
    expect_sql "SELECT bool_and(match_probability = 0 AND attribution_confidence = 0)
        FROM conversion_tracking WHERE attribution_method = 'unattributed'" t
    expect_sql "SELECT DISTINCT attributed_at BETWEEN now() - INTERVAL '1 minute' AND now()
        FROM conversion_tracking WHERE attributed_at IS NOT NULL AND attribution_model <> ''" t
    expect_sql "SELECT count(*) FROM conversion_tracking WHERE updated_at < created_at" 0
}

case_log() {
    use_new_database adopted
    logged=$(sql -c 'SELECT count(*) FROM attribution_performance_log')
    batch
    expect_sql "SELECT count(*) - $logged = (SELECT conversions_changed
                FROM attribution_recompute_jobs) FROM attribution_performance_log" t
    # The platform had tried some of them twice.
    expect_sql "SELECT count(*) > 50 FROM attribution_performance_log WHERE attempt_number = 3" t
    expect_sql "SELECT count(*) FROM (SELECT conversion_id, count(*) AS lines,
                    max(attempt_number) AS attempts
                FROM attribution_performance_log GROUP BY 1) AS l WHERE lines <> attempts" 0
    expect_sql "SELECT count(*) FROM attribution_performance_log
                WHERE success <> (final_method <> 'unattributed') OR processing_time_ms < 0" 0
    # What changes again is tried again; what does not is not.
    sql -c "UPDATE conversion_tracking SET match_probability = 0.5 WHERE conversion_id LIKE '%01'"
    changed=$(sql -c 'SELECT count(*) FROM conversion_tracking WHERE match_probability = 0.5
                      AND attribution_model IS NOT NULL')
    batch
    expect_job conversions_changed "$changed"
    expect_sql "SELECT count(*) - $logged = (SELECT count(*) FROM ($results) AS r) + $changed
                FROM attribution_performance_log" t
    expect_sql "SELECT count(*) FROM (SELECT conversion_id, count(*) AS lines,
                    max(attempt_number) AS attempts
                FROM attribution_performance_log GROUP BY 1) AS l WHERE lines <> attempts" 0
}

case_filters() {
    use_new_database adopted
    run batch --quiet --recovery-target 0 --tenant tenant_1 --tenant tenant_3 --tenant 'no "one\"' \
        --from 2026-03-04T00:00:00Z --to 2026-03-06T00:00:00Z
    expect_status 0
    expect_sql "SELECT DISTINCT tenant_id FROM conversion_tracking
                WHERE attribution_model IS NOT NULL ORDER BY 1" $'tenant_1\ntenant_3'
    expect_sql "SELECT min(conversion_timestamp) >= '2026-03-04', max(conversion_timestamp)
                < '2026-03-06' FROM conversion_tracking WHERE attribution_model IS NOT NULL" 't|t'
    expect_job tenant_ids '{"no \"one\\\"",tenant_1,tenant_3}'
    # The same set in another order is the same job.
    run batch --quiet --recovery-target 0 --tenant tenant_3 --tenant 'no "one\"' --tenant tenant_1 \
        --tenant tenant_1 --from 2026-03-04T00:00:00Z --to 2026-03-06T00:00:00Z
    expect_job 'run_count, conversions_changed' '2|0'
    expect_sql 'SELECT count(*) FROM attribution_recompute_jobs' 1
}

case_only_unattributed() {
    use_new_database adopted
    expected=$(sql -c 'SELECT count(*) FROM conversion_tracking WHERE attributed_click_id IS NULL')
    before=$(digest 'SELECT * FROM conversion_tracking WHERE attributed_click_id IS NOT NULL')
    sql -c 'CREATE TABLE had AS SELECT id FROM conversion_tracking
            WHERE attributed_click_id IS NOT NULL'
    batch --only unattributed
    expect_status 0
    expect_job conversions_read "$expected"
    [ "$before" = "$(digest 'SELECT * FROM conversion_tracking
        WHERE id IN (SELECT id FROM had)')" ] ||
        fail "a conversion that had a click was changed"
}

case_period_borders() {
    use_new_database adopted
    sql -c "DELETE FROM conversion_tracking" -c "INSERT INTO conversion_tracking (conversion_id,
        tenant_id, conversion_type, conversion_timestamp) VALUES
        ('before', 't', 'lead', '2026-02-28 23:59:59.999999Z'),
        ('first', 't', 'lead', '2026-03-01Z'),
        ('last', 't', 'lead', '2026-03-19 23:59:59.999999Z'), ('after', 't', 'lead', '2026-03-20Z')"
    batch
    expect_sql 'SELECT conversion_id FROM conversion_tracking WHERE attribution_model IS NOT NULL
                ORDER BY 1' $'first\nlast'
}

case_dry_run() {
    use_new_database adopted
    state >before
    batch --dry-run --summary summary.json
    expect_status 0
    expect_json summary.json 'd["batch"]["changed"] > 2000' true
    state >after
    expect_same before after
    expect_sql 'SELECT count(*) FROM attribution_recompute_jobs' 0
}

case_rejects() {
    use_new_database adopted
    batch --rejects rejects.ndjson
    expect_status 0
    expect_sql "SELECT count(*) FROM dead_events WHERE payload ->> 'id' IS NULL
                OR tenant_id <> payload ->> 'tenant_id'" 0
    expect_job "rows_rejected = (SELECT count(*) FROM dead_events)" t
    expect_job "rows_rejected" "$(wc -l <rejects.ndjson)"
    expect_sql "SELECT event_type, error_message, count(*) > 3 FROM dead_events GROUP BY 1, 2
                ORDER BY 1, 2" "$(printf '%s\n' 'click|expires_at: before click_timestamp|t' \
        'click|fingerprint_hash: not 64 hex digits|t' \
        'conversion|conversion_fingerprint_hash: not 64 hex digits|t')"
    expect_json rejects.ndjson 'sorted({r["source"] for r in d})' \
        '["click_tracking", "conversion_tracking"]'
    # What is put right is no longer rejected; another fault replaces the first one.
    sql -c "UPDATE conversion_tracking SET conversion_fingerprint_hash = NULL,
                click_id = repeat('x', 255), raw_data = NULL
            WHERE id IN (SELECT (payload ->> 'id')::uuid FROM dead_events)" \
        -c "UPDATE click_tracking SET fingerprint_hash = 'x' WHERE expires_at < click_timestamp" \
        -c "UPDATE dead_events SET remediation_status = 'ignored'"
    batch
    expect_status 0
    expect_job "rows_rejected = (SELECT count(*) FROM dead_events WHERE event_type = 'click')" t
    expect_sql "SELECT DISTINCT remediation_status FROM dead_events" ignored
    sql -c "UPDATE click_tracking SET expires_at = NULL WHERE expires_at < click_timestamp"
    batch
    expect_sql "SELECT remediation_status, count(*) > 3 FROM dead_events WHERE event_type = 'click'
                GROUP BY 1 ORDER BY 1" $'ignored|t\npending|t'
}

case_too_many_rejects() {
    use_new_database adopted
    state >before
    batch --max-rejects 10
    expect_status 3
    state >after
    expect_same before after
    expect_job "status, error LIKE 'click_tracking%'" 'failed|t'
    batch --max-rejects none
    expect_status 0
    expect_job 'status, run_count, error' 'succeeded|2|'
}

case_lenient() {
    use_new_database adopted
    batch --lenient
    expect_status 0
    expect_job rows_rejected 0
    expect_sql 'SELECT count(*) FROM dead_events' 0
    expect_sql "SELECT count(*) FROM conversion_tracking WHERE attribution_model IS NULL" 0
}

# Ids and values that break careless programs, and that the second run must find unchanged.
case_odd_values() {
    use_new_database adopted
    sql <<'SQL'
INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, fingerprint_hash, ip_address,
    click_timestamp, expires_at, is_valid, fbclid)
SELECT id, 'odd', 'c', 'a', encode(sha256('odd'), 'hex'), ip::inet, '2026-03-05',
    expires::timestamptz,
    NULL, ''
FROM (VALUES
    ('a"b', '81.1.1.1/8', NULL), (E'back\\slash', '::ffff:81.1.1.2', 'infinity'),
    (E'line\nend\r\t\b\f', '2001:db8::1/64', '9999-12-31'), (E'\x01\x1f\x7f', '10.0.0.1', NULL),
    ('ключ 🔑 é', '81.1.1.3', '2026-03-05'), ('</script>&', '81.1.1.4', '12026-01-01'),
    ('early', '81.1.1.5', '-infinity')) AS v (id, ip, expires);
INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, click_timestamp) VALUES
    ('never', 'odd', 'c', 'a', 'infinity'), ('always', 'odd', 'c', 'a', '-infinity'),
    ('bc', 'odd', 'c', 'a', '0044-03-15 BC'), ('', 'odd', 'c', 'a', '2026-03-05');
INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, click_timestamp, expires_at)
VALUES ('late', 'odd', 'c', 'a', '294276-12-31 00:00:00Z', 'infinity');
INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type, conversion_timestamp,
    conversion_fingerprint_hash, ip_address, raw_data, attribution_confidence, match_probability,
    probabilistic_candidates)
SELECT 'odd ' || i, 'odd', 'lead', '2026-03-05 01:00Z', CASE WHEN i < 3 THEN
    upper(encode(sha256('odd'), 'hex')) ELSE '' END,
    ('::ffff:81.1.1.' || i)::inet, raw::jsonb, 'NaN', 'NaN',
    '{"a": [1, "\u00e9"]}'
FROM (VALUES (1, NULL), (2, '[]'), (3, '"click_id"'), (4, '7'), (5, '{"click_id": 12.50}'),
    (6, '{"click_id": null}'), (7, '{"click_id": {"a": 1}}'), (8, '{"click_id": "a\"b"}'),
    (9, '{"click_id": "line\nend\r\t\b\f"}'), (10, '{"click_id": ""}'), (11, '["click_id", "a"]'),
    (12, '{"fbclid": true}')) AS v (i, raw);
INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type, conversion_timestamp)
VALUES ('', 'odd', 'lead', '2026-03-05'), ('never', 'odd', 'lead', 'infinity');
INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type, conversion_timestamp,
    raw_data) VALUES ('long', 'odd', 'lead', '2026-03-05', jsonb_build_object('click_id',
    repeat('y', 300)));
SQL
    batch
    expect_status 0
    expect_sql "SELECT count(*) FROM conversion_tracking WHERE tenant_id = 'odd'
                AND attribution_method = 'url_param'" 2
    expect_sql "SELECT count(*) FROM conversion_tracking WHERE tenant_id = 'odd'
                AND attribution_model IS NULL" 3
    expect_sql "SELECT DISTINCT jsonb_array_length(probabilistic_candidates)
        FROM conversion_tracking
                WHERE conversion_id IN ('odd 1', 'odd 2')" 3
    expect_sql "SELECT error_message FROM dead_events WHERE tenant_id = 'odd' ORDER BY 1" \
        "$(printf '%s\n' 'click_id: longer than 255 characters' 'click_id: missing' \
            'conversion_id: missing' 'expires_at: outside 1970 to 9999' \
            'expires_at: outside 1970 to 9999' 'expires_at: outside 1970 to 9999')"
    state >before
    batch
    expect_status 0
    state >after
    expect_same before after
    expect_job conversions_changed 0
}

case_empty_tables() {
    use_new_database
    run migrate --quiet
    batch
    expect_status 0
    expect_job 'status, clicks_read, conversions_read' 'succeeded|0|0'
}

case_other_schema() {
    use_new_database found
    run migrate --quiet --schema 'odd "name"'
    sql -c 'SET search_path = "odd ""name"""' -c "INSERT INTO click_tracking (click_id, tenant_id,
            campaign_id, ad_id, click_timestamp) VALUES ('k', 't', 'c', 'a', '2026-03-02')" \
        -c "INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type,
            conversion_timestamp, click_id) VALUES ('v', 't', 'lead', '2026-03-03', 'k')"
    batch --schema 'odd "name"'
    expect_status 0
    expect_sql "SELECT attribution_method FROM \"odd \"\"name\"\"\".conversion_tracking" url_param
    expect_sql "SELECT count(*) FROM pg_class WHERE relname ~ 'staging'" 0
}

case_not_migrated() {
    use_new_database found
    batch
    expect_status 4
    expect_error 'schema public is at version 0.*clickmatch migrate'
    use_new_database adopted
    last=$(sql -c 'SELECT max(version) FROM clickmatch_migrations')
    sql -c "DELETE FROM clickmatch_migrations WHERE version = $last"
    batch --dry-run
    expect_status 4
    expect_error "at version $((last - 1)), not $last; run clickmatch migrate"
    sql -c "INSERT INTO clickmatch_migrations VALUES (99, 'later', '')"
    batch
    expect_status 4
    expect_error 'version 99.*newer clickmatch'
}

case_settings_of_the_database_do_not_matter() {
    use_new_database adopted
    sql -c "ALTER DATABASE $PGDATABASE SET timezone = 'America/New_York'" \
        -c "ALTER DATABASE $PGDATABASE SET datestyle = 'SQL, DMY'" \
        -c "ALTER DATABASE $PGDATABASE SET statement_timeout = '1ms'" \
        -c "ALTER DATABASE $PGDATABASE SET default_transaction_isolation = 'serializable'" \
        -c "ALTER DATABASE $PGDATABASE SET client_encoding = 'LATIN1'" \
        -c "ALTER DATABASE $PGDATABASE SET standard_conforming_strings = off" \
        -c "ALTER DATABASE $PGDATABASE SET bytea_output = 'escape'"
    PGOPTIONS='-c statement_timeout=0' expect_agreement 2026-03-09T06:00:00Z 2026-03-10T12:00:00Z
}

case_overlapping_runs() {
    use_new_database adopted
    hold 'LOCK TABLE conversion_tracking IN SHARE MODE'
    start batch --quiet --from 2026-03-02 --to 2026-03-05
    wait_for "$waiting" 1
    run batch --quiet --from 2026-03-04 --to 2026-03-06 --tenant tenant_2
    expect_status 4
    expect_error 'another run over an overlapping period.*2026-03-02 00:00:00 to 2026-03-05'
    expect_sql 'SELECT count(*) FROM attribution_recompute_jobs' 1
    run batch --quiet --from 2026-03-02 --to 2026-03-05
    expect_status 4
    # A period beside it may run, and a dry run may look.
    run batch --quiet --from 2026-04-05 --to 2026-04-06 --recovery-target 0
    expect_status 0
    run batch --quiet --from 2026-03-04 --to 2026-03-06 --recovery-target 0 --dry-run
    expect_status 0
    release
    finish
    expect_status 0
    run batch --quiet --from 2026-03-04 --to 2026-03-06 --recovery-target 0
    expect_status 0
}

case_started_together() {
    use_new_database adopted
    pids=()
    for i in 1 2 3 4; do
        "$program" batch --quiet --recovery-target 0 "${period[@]}" >"out.$i" 2>&1 &
        pids+=($!)
    done
    done=0
    for pid in "${pids[@]}"; do
        status=0
        wait "$pid" || status=$?
        [ "$status" -ne 0 ] || done=$((done + 1))
        [ "$status" -eq 0 ] || [ "$status" -eq 4 ] || fail "exit status $status"
    done
    [ "$done" -ge 1 ] || fail "none ran: $(cat out.*)"
    expect_job "run_count, status" "$done|succeeded"
    expect_sql "SELECT count(*) FROM (SELECT conversion_id, count(*) AS lines,
                    max(attempt_number) AS attempts
                FROM attribution_performance_log GROUP BY 1) AS l WHERE lines <> attempts" 0
}

make_templates
run_cases
