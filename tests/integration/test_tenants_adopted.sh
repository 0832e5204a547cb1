#!/bin/bash
# A database adopted as found, or of an older version: those who worked there do so as before, until
# `migrate --enforce-tenants`.
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

# A platform's database, of an owner who is no superuser, and one row of each kind.
make_platform() {
    use_new_database
    sql -d template1 -c "ALTER DATABASE $PGDATABASE OWNER TO platform"
    PGUSER=platform sql -f "$root/src/pg/sql/bench/as_found.sql"
    PGUSER=platform sql -c "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id)
                            VALUES ('a1', 'a', 'c', 'x'), ('b1', 'b', 'c', 'x')"
}

# What a platform's program does: reads and writes of all kinds, each of which must go on working.
# $1 is who does it, $2 a number that no other call had.
work_as_before() {
    as "$1" "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id)
             VALUES ('i$2', 'b', 'c', 'x');
             INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type,
                 conversion_timestamp, attributed_click_id)
             SELECT 'c$2', 'b', 'lead', now(), id FROM click_tracking WHERE click_id = 'i$2';
             UPDATE conversion_tracking SET crm_stage = 'won' WHERE conversion_id = 'c$2';
             INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id)
             VALUES ('a1', 'a', 'c', 'x') ON CONFLICT (click_id) DO UPDATE SET ad_id = 'y$2';
             DELETE FROM conversion_tracking WHERE conversion_id = 'c$2';
             SELECT count(DISTINCT tenant_id) FROM click_tracking;
             SELECT count(DISTINCT tenant_id) FROM v_active_clicks"
    [ "$got" = $'2\n2' ] || fail "$1: $got"
    got=$(printf 'f%s\tb\tc\tx\n' "$2" | PGUSER=$1 sql -c \
        'COPY click_tracking (click_id, tenant_id, campaign_id, ad_id) FROM STDIN' 2>&1)
    [ -z "$got" ] || fail "$1: $got"
    PGUSER=$1 pg_dump -a -t click_tracking >dump 2>"$work/err" || fail "$1: $(cat "$work/err")"
    [ "$(grep -cP "^[0-9a-f-]*\tf$2\t" dump)" -eq 1 ] || fail "$1: no f$2 in its dump"
}

grant_to_app() {
    PGUSER=platform sql -c 'GRANT SELECT, INSERT, UPDATE, DELETE ON click_tracking,
        conversion_tracking TO app' -c 'GRANT SELECT ON v_active_clicks TO app' \
        -c 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO app'
}

case_an_owner_goes_on_as_before() {
    make_platform
    work_as_before platform 1
    run migrate --db user=platform
    expect_status 0
    expect_match "$work/err" "logins that are no tenant's see all tenants, as before"
    work_as_before platform 2
    PGUSER=platform pg_dump >dump || fail 'pg_dump of all'
    # tenants' logins are kept apart nevertheless
    PGUSER=platform sql -c "INSERT INTO tenant_logins VALUES ('anna', 'a')"
    expect_as anna 'SELECT DISTINCT tenant_id FROM click_tracking' a
    refuses anna 'SELECT * FROM v_active_clicks'
    expect_as pool 'SELECT count(*) FROM click_tracking' 0
    # and whoever gets rights from now on works with them
    grant_to_app
    expect_as app 'SELECT count(DISTINCT tenant_id) FROM click_tracking' 2
    run "${batch[@]}"
    expect_status 0
}

case_grantees_go_on_as_before() {
    make_platform
    grant_to_app
    work_as_before app 1
    run migrate --db user=platform
    expect_match "$work/err" 'row security of .*click_tracking, conversion_tracking is off'
    for who in app platform; do work_as_before "$who" "2$who"; done
    PGUSER=platform sql -c "INSERT INTO tenant_logins VALUES ('anna', 'a')"
    refuses anna 'SELECT DISTINCT tenant_id FROM click_tracking'
    run "${batch[@]}"
    expect_status 0
    # docs/tenants.md: what the owner may turn on beforehand
    PGUSER=platform sql -c 'ALTER TABLE click_tracking ENABLE ROW LEVEL SECURITY'
    run migrate --db user=platform --quiet
    expect_as anna 'SELECT DISTINCT tenant_id FROM click_tracking' a
    expect_as app "UPDATE click_tracking SET ad_id = 'z' RETURNING tenant_id = 'q'" \
        "$(PGUSER=platform sql -c "SELECT tenant_id = 'q' FROM click_tracking")"
    run "${batch[@]}"
    expect_status 0
}

# A dump is a reader's work, too, and whoever may read all has no grant of this table's own.
case_whoever_reads_all_goes_on() {
    make_platform
    sql -c 'CREATE ROLE backup LOGIN' -c 'GRANT pg_read_all_data TO backup'
    run migrate --db user=platform --quiet
    PGUSER=backup pg_dump >dump 2>"$work/err" || fail "pg_dump: $(cat "$work/err")"
    sql -c 'DROP ROLE backup'
}

case_enforcement() {
    make_platform
    grant_to_app
    run migrate --db user=platform --quiet
    PGUSER=platform sql -c "INSERT INTO tenant_logins VALUES ('anna', 'a')" \
        -c 'CREATE MATERIALIZED VIEW counts AS SELECT tenant_id, count(*) FROM click_tracking
            GROUP BY 1' -c 'GRANT SELECT ON counts TO app'
    sql -c 'CREATE VIEW mine AS SELECT * FROM click_tracking' -c 'GRANT SELECT ON mine TO app'
    run migrate --db user=platform --enforce-tenants
    expect_status 0
    expect_match "$work/err" 'app sees and writes only .*: .*click_tracking, conversion_tracking'
    expect_match "$work/err" 'platform sees and writes only .*dead_events'
    expect_match "$work/err" 'the materialized view counts goes on showing all tenants'
    expect_match "$work/err" 'the view mine goes on showing .* postgres is above row security'
    for who in app platform; do
        expect_as "$who" 'SELECT count(*) FROM click_tracking' 0
        expect_as "$who" 'SELECT count(*) FROM v_active_clicks' 0
        refuses "$who" "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id)
                        VALUES ('i', 'b', 'c', 'x')"
        refuses "$who" 'COPY click_tracking TO STDOUT' '-c row_security=off'
    done
    expect_as anna 'SELECT DISTINCT tenant_id FROM click_tracking' a
    expect_as anna 'SELECT DISTINCT tenant_id FROM v_active_clicks' a
    expect_as engine 'SELECT count(DISTINCT tenant_id) FROM click_tracking' 2
    expect_sql "SELECT count(*), bool_and(relrowsecurity AND relforcerowsecurity) FROM pg_class c
                JOIN pg_policy p ON p.polrelid = c.oid
                WHERE polname = 'tenant_isolation_policy'" '7|t'
    # keys and triggers of others' rows hold as before
    as engine "DELETE FROM click_tracking WHERE click_id = 'b1'"
    expect_as engine "INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type,
                          conversion_timestamp, attributed_click_id)
                      SELECT 'c', 'a', 'lead', now(), id FROM click_tracking
                      RETURNING conversion_id" c
    as engine 'DELETE FROM click_tracking'
    [[ $got == *'violates foreign key'* ]] || fail "the foreign key: $got"
    # the owner goes on with what is the owner's, and again is nothing
    PGUSER=platform sql -c "INSERT INTO tenants (tenant_id, name) VALUES ('a', 'A')"
    run migrate --db user=platform --optimize --quiet
    expect_status 0
    sql -c 'SELECT oid, xmin, relname FROM pg_class ORDER BY oid' >before
    run migrate --db user=platform --enforce-tenants
    expect_no_match "$work/err" 'sees and writes only'
    sql -c 'SELECT oid, xmin, relname FROM pg_class ORDER BY oid' >after
    expect_same before after
}

# An older version of our own, in use: as an adopted one.
case_an_older_version() {
    use_new_database
    sql -c 'CREATE TABLE clickmatch_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL,
            checksum TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())'
    for file in "$migrations"/00[1-6]*.sql; do
        name=$(basename "$file" .sql)
        sql -1 -f "$file" -c "INSERT INTO clickmatch_migrations
            VALUES ($((10#${name%%_*})), '${name#*_}', '$(sha256sum <"$file" | cut -d ' ' -f 1)')"
    done
    sql -c 'GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO app' \
        -c 'GRANT CREATE ON SCHEMA public TO app'
    run migrate --quiet
    two_tenants
    expect_as app 'SELECT count(*) FROM conversion_tracking' 4
    run "${batch[@]}" --db user=app
    expect_status 0
    run migrate --quiet --enforce-tenants
    run "${batch[@]}" --db user=app
    expect_status 4
    expect_error 'row security hides rows of .*click_tracking.* from login app'
    sql -c 'REVOKE ALL ON SCHEMA public FROM app'
}

make_logins
run_cases
