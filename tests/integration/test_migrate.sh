#!/bin/bash
# `migrate` on every kind of database: empty, a platform's, an older version of our own, and those
# it must refuse.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"

last_version=$(find "$migrations" -name '*.sql' | wc -l)

# Names, types and nullability of all columns; a platform's own table left out.
columns() {
    sql -c "SELECT table_name, column_name, udt_name, character_maximum_length, numeric_precision,
                   numeric_scale, is_nullable
            FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name <> 'ad_change_history'
                AND table_name NOT LIKE 'v\\_%'
            ORDER BY 1, 2"
}

indexes() {
    sql -c "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'
            AND tablename <> 'ad_change_history' ORDER BY 1"
}

migrate() {
    run migrate --quiet "$@"
}

# An empty database at an earlier version, as that version's program would have left it.
make_version() {
    local file name
    sql -c 'CREATE TABLE clickmatch_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL,
            checksum TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())'
    for file in "$migrations"/*.sql; do
        name=$(basename "$file" .sql)
        [ "$((10#${name%%_*}))" -le "$1" ] || break
        sql -1 -f "$file"
        sql -c "INSERT INTO clickmatch_migrations VALUES ($((10#${name%%_*})), '${name#*_}',
                '$(sha256sum <"$file" | cut -d ' ' -f 1)')"
    done
}

case_empty() {
    use_new_database
    migrate
    expect_status 0
    expect_sql 'SELECT max(version), count(*) FROM clickmatch_migrations' \
        "$last_version|$last_version"
    columns >found
    expect_match found '^conversion_tracking.match_probability.numeric..7.6.YES$'
    expect_match found '^dead_events.payload.jsonb'
    expect_match found '^stream_positions.stream_name.varchar.255...NO$'
}

case_empty_can_be_used() {
    use_new_database
    migrate
    sql -c "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, click_timestamp)
            VALUES ('k', 't', 'c', 'a', '2026-03-28 12:00:00+00')" \
        -c "INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type,
                conversion_timestamp, updated_at)
            VALUES ('v', 't', 'lead', '2026-03-28 13:00:00+00', '2000-01-01')" \
        -c "UPDATE conversion_tracking SET crm_stage = 'won'" ||
        fail "a row is refused"
    expect_sql "SELECT expires_at - click_timestamp = INTERVAL '168 hours', is_valid
                FROM click_tracking" 't|t'
    expect_sql "SELECT updated_at > now() - INTERVAL '1 hour' FROM conversion_tracking" t
    for view in v_attribution_recovery_rate v_active_clicks v_conversion_attribution_summary; do
        sql -c "SELECT * FROM $view" >rows || fail "$view cannot be read"
    done
    expect_sql 'SELECT conversion_id FROM v_unattributed_conversions' v
}

# All rows of a platform's tables, without the columns that migrate adds.
found_rows() {
    digest 'SELECT * FROM click_tracking'
    digest "SELECT to_jsonb(c) - ARRAY['click_id', 'fbclid', 'gclid', 'os', 'browser',
                'screen_width', 'screen_height', 'timezone', 'timezone_offset',
                'match_probability', 'attribution_model'] FROM conversion_tracking c"
    digest attribution_performance_log
    digest ad_change_history
}

# What of a platform's must stay: the tables' files, the views, the functions.
found_objects() {
    sql -c "SELECT relname, relfilenode FROM pg_class
            WHERE relname IN ('click_tracking', 'conversion_tracking') ORDER BY 1" \
        -c "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1" \
        -c "SELECT oid, prosrc, xmin FROM pg_proc
            WHERE proname IN ('set_click_expires_at', 'update_ad_change_history_updated_at')
            ORDER BY 1"
}

case_as_found() {
    use_new_database
    migrate
    columns >columns.empty
    indexes >indexes.empty
    use_new_database found
    found_rows >before
    migrate
    expect_status 0
    found_rows >after
    columns >columns.found
    indexes >indexes.found
    expect_same columns.empty columns.found
    expect_same indexes.empty indexes.found
    expect_same before after
}

case_as_found_keeps_its_own() {
    use_new_database found
    found_objects >before
    migrate
    expect_status 0
    found_objects >after
    expect_same before after
    expect_sql "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1" \
        "$(printf '%s\n' trigger_ad_change_history_updated_at \
            trigger_conversion_tracking_updated_at trigger_set_click_expires_at)"
    expect_sql "SELECT column_default FROM information_schema.columns
                WHERE table_name = 'click_tracking' AND column_name = 'id'" 'uuid_generate_v4()'
}

case_older_versions() {
    use_new_database
    migrate
    columns >columns.new
    for ((version = 1; version < last_version; version++)); do
        use_new_database
        make_version "$version"
        sql -c "INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type,
                    conversion_timestamp) VALUES ('v', 't', 'lead', '2026-03-01')"
        migrate
        expect_status 0
        columns >columns.old
        expect_same columns.new columns.old
        expect_sql 'SELECT count(*), max(conversion_id) FROM conversion_tracking' '1|v'
        expect_sql 'SELECT max(version) FROM clickmatch_migrations' "$last_version"
    done
}

case_twice_is_a_no_op() {
    use_new_database found
    migrate
    sql -c 'SELECT oid, xmin, relname, relfilenode FROM pg_class ORDER BY oid' >before
    digest clickmatch_migrations >>before
    migrate
    expect_status 0
    sql -c 'SELECT oid, xmin, relname, relfilenode FROM pg_class ORDER BY oid' >after
    digest clickmatch_migrations >>after
    expect_same before after
}

case_many_at_once() {
    for template in template0 found; do
        use_new_database "$template"
        pids=()
        for i in 1 2 3 4; do
            "$program" migrate --quiet >"out.$i" 2>&1 &
            pids+=($!)
        done
        for pid in "${pids[@]}"; do wait "$pid" || fail "exit status $?: $(cat out.*)"; done
        expect_sql 'SELECT count(*), max(version) FROM clickmatch_migrations' \
            "$last_version|$last_version"
    done
}

case_other_schema() {
    use_new_database
    migrate --schema 'odd "name", it is'
    expect_status 0
    expect_sql "SELECT count(*) > 9 FROM information_schema.tables
                WHERE table_schema = 'odd \"name\", it is'" t
    expect_sql "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'" 0
    migrate --schema 'odd "name", it is'
    expect_status 0
    migrate
    expect_status 0
    expect_sql "SELECT count(*) FROM pg_class WHERE relname = 'conversion_tracking'" 2
}

case_changed_file() {
    use_new_database adopted
    sql -c "UPDATE clickmatch_migrations SET checksum = md5('') WHERE version = 2"
    migrate
    expect_status 4
    expect_error 'version 2 \(conversion_columns\) .*checksum'
}

case_newer_database() {
    use_new_database adopted
    sql -c "INSERT INTO clickmatch_migrations VALUES ($((last_version + 1)), 'later', '')"
    migrate
    expect_status 4
    expect_error "version $((last_version + 1)).*newer clickmatch"
}

case_other_encoding() {
    export PGDATABASE=latin
    psql -Xq -d template1 -c "CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0"
    migrate
    expect_status 4
    expect_error 'latin has the encoding LATIN1'
    expect_sql "SELECT count(*) FROM pg_class WHERE relname ~ 'clickmatch'" 0
}

case_tables_of_another_kind() {
    use_new_database found
    sql -c 'DROP VIEW v_active_clicks' \
        -c 'ALTER TABLE click_tracking ALTER COLUMN ip_address TYPE TEXT' \
        -c 'ALTER TABLE attribution_performance_log DROP COLUMN success CASCADE'
    migrate
    expect_status 4
    expect_error 'click_tracking.ip_address is text, not inet'
    expect_match "$work/err" 'attribution_performance_log.success is missing'
    expect_sql 'SELECT count(*) FROM clickmatch_migrations' 0
    expect_sql "SELECT to_regclass('tenants'), to_regclass('v_active_clicks')" '|'
}

case_columns_of_another_kind() {
    use_new_database found
    sql -c 'ALTER TABLE conversion_tracking ADD COLUMN os INTEGER'
    migrate
    expect_status 4
    expect_error 'conversion_tracking.os is integer, not character varying\(50\)'
    sql -c 'ALTER TABLE conversion_tracking DROP COLUMN os'
    migrate
    expect_status 0
}

# Further columns, rows in them, and names that are taken only where it does no harm.
case_more_than_found() {
    use_new_database found
    sql -c 'ALTER TABLE click_tracking ADD COLUMN extra TEXT' \
        -c "ALTER TABLE conversion_tracking ADD COLUMN timezone VARCHAR(100) DEFAULT 'UTC'"
    migrate
    expect_status 0
    expect_sql 'SELECT DISTINCT timezone FROM conversion_tracking' UTC
}

case_taken_name() {
    use_new_database found
    sql -c 'CREATE TABLE tenants (id INTEGER)' -c 'INSERT INTO tenants VALUES (7)'
    migrate
    expect_status 4
    expect_error 'version 3 \(operations\): relation "tenants" already exists'
    expect_sql 'SELECT id FROM tenants' 7
    expect_sql "SELECT max(version), to_regclass('dead_events') FROM clickmatch_migrations" '2|'
}

case_rules_of_the_tables() {
    use_new_database adopted
    sql -c "INSERT INTO model_registry (model_name, version, is_champion) VALUES ('m', '1', true)"
    for statement in \
        "INSERT INTO model_registry (model_name, version, is_champion) VALUES ('m', '2', true)" \
        "INSERT INTO model_registry (model_name, version) VALUES ('m', '1')" \
        "INSERT INTO dead_events (source, event_type, error_type, error_message, retry_count)
         VALUES ('stream', 'click', 'malformed', 'x', -1)" \
        "INSERT INTO dead_events (source, event_type, error_type, error_message,
         remediation_status) VALUES ('stream', 'click', 'malformed', 'x', 'perhaps')" \
        "INSERT INTO attribution_recompute_jobs
            (tenant_ids, window_start, window_end, model, status)
         VALUES ('{}', '2026-03-02', '2026-03-01', 'm@1', 'running')"; do
        ! sql -c "$statement" 2>refused || fail "accepted: $statement"
        expect_match refused 'violates (check|unique) constraint|duplicate key'
    done
}

case_no_right_to_create() {
    use_new_database
    sql -c "CREATE ROLE visitor LOGIN" -c 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'
    migrate --db user=visitor
    expect_status 4
    expect_error 'permission denied for schema public'
}

case_interrupted_while_waiting() {
    use_new_database
    hold "SELECT pg_advisory_lock(hashtextextended('clickmatch migrate public', 0))"
    start migrate --quiet
    wait_for "$waiting" 1
    kill -TERM "$program_pid"
    finish
    release
    expect_status 5
    expect_sql "SELECT to_regclass('clickmatch_migrations') IS NULL" t
    wait_for "$sessions" 0
}

# Whoever waits for a table makes others wait behind it: not for long.
case_a_table_in_use() {
    use_new_database found
    hold 'LOCK click_tracking IN ACCESS SHARE MODE'
    start migrate --quiet
    wait_for "$waiting" 1
    finish
    expect_status 4
    expect_error 'cannot migrate to version [0-9]+ .*: others use the tables; nothing was changed'
    release
    run migrate --quiet
    expect_status 0
}

make_templates
run_cases
