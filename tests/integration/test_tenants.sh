#!/bin/bash
# Tenants kept apart by PostgreSQL, in a new database: each role, and what tricks a tenant has.
# tests/torture/tenants.py does the same at random.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2119 # nor is a template meant to be the script's argument
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/tenants.sh
. "$(dirname "$0")/fixtures/tenants.sh"

case_every_table_with_a_tenant_is_under_row_security() {
    use_new_database
    run migrate --quiet
    expect_sql "SELECT count(*), bool_and(relrowsecurity AND relforcerowsecurity)
                FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE a.attname IN ('tenant_id', 'tenant_ids') AND c.relkind = 'r'
                    AND relnamespace = 'public'::regnamespace" "$(wc -w <<<"$tables")|t"
    expect_sql "SELECT count(*) FROM pg_policies WHERE policyname = 'tenant_isolation_policy'" 7
    expect_sql "SELECT count(*) FROM pg_policies WHERE policyname ~ 'adoption'" 0
    expect_sql "SELECT count(*) FROM pg_views v JOIN pg_class c ON c.oid = v.viewname::regclass
                WHERE schemaname = 'public' AND NOT reloptions @> '{security_invoker=true}'" 0
    expect_sql "SELECT count(*) FROM pg_roles WHERE rolname ~ '^clickmatch_' AND NOT rolcanlogin
                AND NOT rolsuper AND NOT rolbypassrls AND NOT rolcreaterole" 3
    expect_sql "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) ~ '^clickmatch_'" 0
}

case_a_tenant_sees_its_rows() {
    new_database
    expect_as anna 'SELECT string_agg(DISTINCT tenant_id, $$,$$), count(*) FROM click_tracking' \
        'a|3'
    expect_as bert 'SELECT string_agg(DISTINCT tenant_id, $$,$$), count(*) FROM click_tracking' \
        'b|3'
    for table in conversion_tracking attribution_performance_log dead_events \
        v_conversion_attribution_summary v_unattributed_conversions v_attribution_recovery_rate; do
        as anna "SELECT string_agg(DISTINCT tenant_id, ',') FROM $table"
        [ "$got" = a ] || [ "$table$got" = v_conversion_attribution_summary ] ||
            fail "$table: $got"
    done
    expect_as anna 'SELECT count(*), max(tenant_ids::text) FROM attribution_recompute_jobs' '1|{a}'
    expect_as anna 'SELECT tenant_id, name FROM tenants' 'a|A'
    refuses anna 'SELECT api_key_hash FROM tenants'
    refuses anna 'SELECT * FROM tenant_logins'
    refuses anna 'SELECT * FROM stream_positions'
    refuses anna 'SELECT * FROM model_registry'
    expect_as anna 'COPY (SELECT click_id FROM click_tracking ORDER BY 1) TO STDOUT' \
        $'a1\na2\na3'
    expect_as lost 'SELECT count(*) FROM click_tracking' 0
}

# What a session says of itself does not count for a tenant's own login.
case_a_tenant_that_sets_the_setting() {
    new_database
    for trick in "SET app.current_tenant_id = 'b'" "SET LOCAL app.current_tenant_id = 'b'" \
        "SELECT set_config('app.current_tenant_id', 'b', false)" \
        'SET ROLE clickmatch_tenant' 'SET row_security = on'; do
        as anna "$trick; SELECT DISTINCT tenant_id FROM click_tracking"
        [ "${got##*$'\n'}" = a ] || fail "$trick: $got"
    done
    expect_as anna 'SELECT DISTINCT tenant_id FROM click_tracking' a \
        '-c app.current_tenant_id=b'
    expect_as lost 'SELECT count(*) FROM click_tracking' 0 '-c app.current_tenant_id=b'
    # not even where it may pool
    sql -c 'GRANT clickmatch_reader TO bert'
    expect_as bert 'SELECT DISTINCT tenant_id FROM click_tracking' b '-c app.current_tenant_id=a'
    sql -c 'REVOKE clickmatch_reader FROM bert'
}

case_a_reader_sees_whom_it_names() {
    new_database
    expect_as pool 'SELECT count(*) FROM click_tracking' 0
    expect_as pool 'SELECT DISTINCT tenant_id FROM click_tracking' b '-c app.current_tenant_id=b'
    expect_as pool 'SELECT count(*) FROM click_tracking' 0 '-c app.current_tenant_id=nobody'
    # a local setting reads as '' once its transaction has ended
    got=$(PGUSER=pool sql -c 'BEGIN' -c "SET LOCAL app.current_tenant_id = 'a'" \
        -c 'SELECT count(*) FROM click_tracking' -c COMMIT \
        -c "SELECT current_setting('app.current_tenant_id') = ''" \
        -c 'SELECT count(*) FROM click_tracking' -c 'SELECT count(*) FROM dead_events' 2>&1)
    [ "$got" = $'3\nt\n0\n0' ] || fail "pool: $got"
    refuses pool "UPDATE click_tracking SET ad_id = 'x'" '-c app.current_tenant_id=b'
}

# Where an operator grants more, rows of others can be neither made nor changed.
case_a_tenant_that_may_write() {
    new_database
    refuses anna "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id)
                  VALUES ('a9', 'a', 'c', 'x')"
    sql -c 'GRANT INSERT, UPDATE, DELETE ON click_tracking, conversion_tracking TO anna'
    expect_as anna "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id)
                    VALUES ('a9', 'a', 'c', 'x') RETURNING click_id" a9
    refuses anna "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id)
                  VALUES ('a10', 'b', 'c', 'x')"
    refuses anna "UPDATE click_tracking SET tenant_id = 'b'"
    refuses anna "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id)
                  VALUES ('b1', 'a', 'c', 'x') ON CONFLICT (click_id) DO UPDATE SET ad_id = 'y'"
    refuses anna "COPY click_tracking (click_id, tenant_id, campaign_id, ad_id) FROM STDIN"
    digest "SELECT * FROM click_tracking WHERE tenant_id = 'b'" >before
    as anna "UPDATE click_tracking SET ad_id = 'y'"
    as anna "UPDATE click_tracking SET ad_id = 'y' WHERE tenant_id = 'b'"
    as anna "DELETE FROM click_tracking"
    as anna "MERGE INTO click_tracking k USING (VALUES ('b1')) v (id) ON k.click_id = v.id
             WHEN MATCHED THEN DELETE"
    digest "SELECT * FROM click_tracking WHERE tenant_id = 'b'" >after
    expect_same before after
    expect_sql "SELECT count(*) FROM click_tracking WHERE tenant_id = 'a'" 0
    refuses anna 'TRUNCATE click_tracking'
}

# ---- tricks ----

# Each row that a function sees, it tells; it is so cheap that it would be asked first.
case_leaky_functions() {
    new_database
    sql -c 'CREATE SCHEMA annas AUTHORIZATION anna'
    as anna "CREATE FUNCTION annas.tell(t TEXT) RETURNS BOOLEAN LANGUAGE plpgsql COST 0.0000001 AS
             'BEGIN RAISE WARNING ''saw %'', t; RETURN true; END'"
    as anna 'SELECT count(*) FROM click_tracking WHERE annas.tell(click_id)'
    [[ $got != *'saw b'* && $got == *'saw a1'* ]] || fail "tell: $got"
    as anna "SELECT click_id::int FROM click_tracking"
    [[ $got != *'"b'* ]] || fail "a cast tells: $got"
    as anna 'EXPLAIN (ANALYZE, COSTS OFF) SELECT * FROM click_tracking WHERE annas.tell(click_id)'
    [[ $got != *'saw b'* ]] || fail "explain: $got"
    expect_as anna "SELECT count(*) FROM pg_stats WHERE tablename = 'click_tracking'" 0
    refuses anna 'SELECT count(*) FROM click_tracking' '-c row_security=off'
}

# Functions and views of others run with their rights, and still for the login that called.
case_views_and_functions_of_others() {
    new_database
    sql -c 'CREATE VIEW postgres_view WITH (security_invoker = true) AS
                SELECT * FROM click_tracking' -c 'GRANT SELECT ON postgres_view TO anna' \
        -c 'GRANT clickmatch_tenant TO app' \
        -c 'CREATE SCHEMA apps AUTHORIZATION app' -c 'GRANT USAGE ON SCHEMA apps TO anna'
    as app 'CREATE VIEW apps.clicks AS SELECT * FROM click_tracking'
    as app 'GRANT SELECT ON apps.clicks TO anna'
    as app "CREATE FUNCTION apps.ids() RETURNS SETOF TEXT LANGUAGE sql SECURITY DEFINER
            AS 'SELECT DISTINCT tenant_id FROM public.click_tracking'"
    expect_as anna 'SELECT DISTINCT tenant_id FROM postgres_view' a
    expect_as anna 'SELECT DISTINCT tenant_id FROM apps.clicks' a
    expect_as anna 'SELECT apps.ids()' a
    sql -c 'REVOKE clickmatch_tenant FROM app'
    # who the tenant is cannot be had from a table of the tenant's own
    as anna "CREATE TEMP TABLE tenant_logins AS SELECT 'anna'::name AS login, 'b' AS tenant_id;
             SET search_path = pg_temp, public; SELECT DISTINCT tenant_id FROM click_tracking"
    [ "$got" = a ] || fail "a temporary table: $got"
    as anna "CREATE FUNCTION pg_temp.clickmatch_current_tenant() RETURNS TEXT LANGUAGE sql
             AS 'SELECT ''b''::text'; SET search_path = pg_temp, public;
             SELECT DISTINCT tenant_id FROM click_tracking"
    [ "$got" = a ] || fail "a temporary function: $got"
}

case_rights_that_nobody_has() {
    new_database
    for login in anna pool engine; do
        refuses "$login" "SET SESSION AUTHORIZATION bert"
        refuses "$login" 'SET ROLE bert'
        refuses "$login" "INSERT INTO tenant_logins VALUES ('$login', 'b')"
        refuses "$login" 'ALTER TABLE click_tracking DISABLE ROW LEVEL SECURITY'
        refuses "$login" 'DROP POLICY tenant_isolation_policy ON click_tracking'
        refuses "$login" "UPDATE tenants SET api_key_hash = 'x'"
    done
    refuses anna 'CREATE TABLE t ()'
    refuses anna 'CREATE TRIGGER t BEFORE UPDATE ON click_tracking
                  FOR EACH ROW EXECUTE FUNCTION set_click_expires_at()'
    refuses engine 'UPDATE model_registry SET is_champion = true'
}

# A conversion that refers to another tenant's click does not tell its id.
case_explain_tells_no_foreign_click() {
    new_database
    sql -c "UPDATE conversion_tracking SET attribution_method = 'url_param',
                attribution_confidence = 1,
                attributed_click_id = (SELECT id FROM click_tracking WHERE click_id = 'b3')
            WHERE conversion_id = 'va1'"
    run explain va1 --quiet
    expect_status 0
    expect_no_match "$work/out" b3
}

# ---- the engine's login ----

case_the_engine_refuses_to_be_above_row_security() {
    new_database
    sql -c 'ALTER ROLE app BYPASSRLS' -c 'GRANT clickmatch_engine TO app'
    : >events
    for command in "${batch[*]}" "${batch[*]} --dry-run" 'explain va1 --quiet' \
        'stream --quiet --events events' 'stream --quiet --sink db --events events' \
        'retry --quiet' 'retry --quiet --list' 'retry --quiet --ignore --tenant a --reason x' \
        'purge --quiet --older-than 30d' 'purge --quiet --older-than 30d --dry-run'; do
        # shellcheck disable=SC2086 # words
        run $command --db user=postgres
        expect_status 4
        expect_error 'login postgres is a superuser, for which row security does not hold'
        # shellcheck disable=SC2086 # words
        run $command --db user=app
        expect_status 4
        expect_error 'login app has BYPASSRLS'
        # shellcheck disable=SC2086 # words
        run $command --db user=postgres --allow-superuser
        expect_status 0
    done
    expect_sql 'SELECT count(*) FROM attribution_recompute_jobs WHERE started_by IS NOT NULL' 1
    sql -c 'ALTER ROLE app NOBYPASSRLS'
    run "${batch[@]}" --db user=app
    expect_status 0
    sql -c 'REVOKE clickmatch_engine FROM app'
}

# What would be done by halves is not begun: by each command, whose table is the last word.
refuses_hidden() {
    local table=$1 command
    state >before
    for command in "${batch[*]}" 'explain va1 --quiet' 'stream --quiet --sink db --events events' \
        'stream --quiet --events events --db user=engine' 'retry --quiet' \
        'purge --quiet --older-than 3000d'; do
        # shellcheck disable=SC2086 # words
        run $command
        expect_status 4
        expect_error "row security hides rows of $table from login engine"
    done
    state >after
    expect_same before after
}

case_the_engine_refuses_where_rows_are_hidden() {
    new_database
    : >events
    run "${batch[@]}"
    expect_status 0
    sql -c 'DROP POLICY clickmatch_engine_policy ON click_tracking'
    refuses_hidden click_tracking
    expect_match "$work/err" 'login engine; GRANT'
    run migrate --quiet
    run "${batch[@]}"
    expect_status 0
    sql -c "CREATE POLICY less ON conversion_tracking AS RESTRICTIVE USING (conversion_id > 'b')"
    refuses_hidden conversion_tracking
    sql -c 'DROP POLICY less ON conversion_tracking' -c 'ALTER TABLE click_tracking OWNER TO app' \
        -c 'GRANT clickmatch_tenant TO app' -c 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO app'
    run "${batch[@]}" --dry-run --db user=app
    expect_status 4
    expect_error 'row security hides rows of .* from login app'
    sql -c 'ALTER TABLE click_tracking OWNER TO postgres' -c 'REVOKE clickmatch_tenant FROM app'
}

# Each result is right by the role's rights alone, and what a tenant may see of it is its own.
case_the_engine_works_for_all_tenants() {
    new_database
    run "${batch[@]}"
    expect_status 0
    expect_sql 'SELECT count(DISTINCT tenant_id), count(attributed_click_id)
                FROM conversion_tracking' '2|4'
    expect_as anna "SELECT string_agg(k.click_id, ',' ORDER BY 1) FROM conversion_tracking c
                    JOIN click_tracking k ON k.id = c.attributed_click_id" a1,a2
}

# ---- roles ----

case_roles_that_are_missing() {
    use_new_database
    sql -d template1 -c "ALTER DATABASE $PGDATABASE OWNER TO platform" \
        -c 'ALTER ROLE clickmatch_reader RENAME TO elsewhere'
    run migrate --db user=platform
    expect_status 0
    expect_match "$work/err" 'role clickmatch_reader is missing, .*CREATE ROLE clickmatch_reader'
    sql -d template1 -c 'ALTER ROLE elsewhere RENAME TO clickmatch_reader'
    PGUSER=platform sql -c "INSERT INTO tenant_logins VALUES ('anna', 'a')"
    refuses pool 'SELECT * FROM click_tracking'
    run migrate --db user=platform
    expect_no_match "$work/err" missing
    expect_as pool 'SELECT count(*) FROM click_tracking' 0
}

# What a login cannot give it names, and who could.
case_rights_of_others_to_give() {
    use_new_database
    sql -c 'GRANT CREATE ON SCHEMA public TO platform, PUBLIC' \
        -c "REVOKE TEMPORARY ON DATABASE $PGDATABASE FROM PUBLIC"
    run migrate --db user=platform
    expect_status 0
    expect_match "$work/err" 'say GRANT TEMPORARY ON DATABASE case_.* TO clickmatch_engine'
    expect_match "$work/err" 'PUBLIC may create functions in schema public, .*REVOKE CREATE'
    sql -c 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'
    run migrate --db user=platform
    expect_match "$work/err" 'GRANT CREATE ON SCHEMA public TO clickmatch_engine'
    run migrate
    expect_no_match "$work/err" 'GRANT|REVOKE'
    run "${batch[@]}"
    expect_status 0
}

case_a_role_that_undoes_row_security() {
    use_new_database
    sql -c 'ALTER ROLE clickmatch_tenant BYPASSRLS'
    run migrate --quiet
    expect_status 4
    expect_error 'clickmatch_tenant has SUPERUSER, .*; ALTER ROLE clickmatch_tenant NOSUPERUSER'
    sql -c 'ALTER ROLE clickmatch_tenant NOBYPASSRLS'
}

# Roles are the server's: databases and schemas that are migrated at once share them.
case_many_at_once() {
    use_new_database
    one=$PGDATABASE
    use_new_database
    sql -d template1 -c 'ALTER ROLE clickmatch_tenant RENAME TO was_tenant' \
        -c 'ALTER ROLE clickmatch_reader RENAME TO was_reader'
    pids=()
    for i in 1 2 3 4 5 6; do
        db=$PGDATABASE
        [ $((i % 2)) -eq 0 ] || db=$one
        "$program" migrate --quiet --db "dbname=$db" --schema "s$((i % 3))" >"out.$i" 2>&1 &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || fail "exit status $?: $(cat out.*)"; done
    expect_sql "SELECT count(*) FROM pg_policies WHERE policyname = 'clickmatch_engine_policy'" 15
    expect_sql "SELECT count(*) FROM pg_roles WHERE rolname ~ '^clickmatch_'" 3
    for name in "$one" "$PGDATABASE"; do sql -d template1 -c "DROP DATABASE $name"; done
    sql -d template1 -c 'DROP ROLE clickmatch_tenant, clickmatch_reader' \
        -c 'ALTER ROLE was_tenant RENAME TO clickmatch_tenant' \
        -c 'ALTER ROLE was_reader RENAME TO clickmatch_reader'
}

# Some of what `make torture-tenants` does long; the seed is told where it fails.
case_at_random() {
    "$root/scripts/pg_temp.sh" run python3 "$root/tests/torture/tenants.py" --count 300 \
        --program "$built" >"$work/out" 2>&1 || fail "$(grep -E 'FAULT|seed' "$work/out")"
}

make_logins
run_cases
