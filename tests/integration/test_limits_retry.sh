#!/bin/bash
# Limits of `retry`: conversions whose clicks have no room together are matched by halves, and what
# is left out where no half would help is counted and told; lines that are too long fail alone.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] || exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"

results="SELECT c.conversion_id, k.click_id, c.attribution_method
    FROM conversion_tracking c LEFT JOIN click_tracking k ON k.id = c.attributed_click_id"

# make_clicks DAYS TENANTS [COUNT]: clicks with long ids, 48,000 of them, spread over days and
# tenants. Some 28,000 of them fit into 32 MiB.
make_clicks() {
    use_new_database empty
    sql -c "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, click_timestamp,
                fbclid, gclid)
            SELECT 'k' || lpad(i::text, 240, '0'), 't' || i % $2, 'c', 'a',
                timestamptz '2026-03-01 00:00:00Z' + i * $1 * interval '1 day' / ${3-48000},
                'f' || lpad(i::text, 240, '0'), 'g' || lpad(i::text, 200, '0')
            FROM generate_series(1, ${3-48000}) AS i"
}

# The platform's indexes, which nothing here asks for, take longer than all else.
make_empty() {
    psql -Xq -d template1 -c 'CREATE DATABASE empty'
    PGDATABASE=empty "$program" migrate --quiet || {
        echo "not ok make_empty: migrate fails"
        exit 1
    }
    PGDATABASE=empty sql -c "DO \$\$ DECLARE i record; BEGIN
        FOR i IN SELECT indexrelid::regclass AS name FROM pg_index
                 WHERE indrelid = 'click_tracking'::regclass AND NOT indisunique
        LOOP EXECUTE 'DROP INDEX ' || i.name; END LOOP; END \$\$"
}

# make_dead STEP AFTER: a dead conversion of each so manieth click, so long after it.
make_dead() {
    sql -c "INSERT INTO dead_events (tenant_id, source, event_type, error_type, error_message,
                payload, stream_name, stream_position)
            SELECT tenant_id, 'stream', 'conversion', 'malformed', 'x', jsonb_build_object(
                'event', 'conversion', 'tenant_id', tenant_id, 'conversion_type', 'sale',
                'conversion_id', 'v' || right(click_id, 7), 'click_id', click_id,
                'conversion_timestamp', click_timestamp + interval '$2'), 'test', click_id
            FROM click_tracking WHERE right(click_id, 7)::integer % $1 = 0"
}

retry() {
    run retry --quiet --summary summary.json "$@"
    expect_status 0
}

# What is in the tables is what `batch` with room for all makes of it.
expect_as_batch() {
    local retried
    expect_sql 'SELECT count(*) FROM conversion_tracking' "$1"
    retried=$(digest "$results")
    run batch --quiet --recovery-target 0 --from 2026-03-01 --to 2026-06-01 --summary batch.json
    expect_json batch.json '[d["batch"]["changed"], d["memory"]["clicks_left_out"]]' '[0, 0]'
    [ "$(digest "$results")" = "$retried" ] || fail "batch makes something else of it"
}

expect_nothing_left_out() {
    expect_json summary.json '[d["taken"], d["resolved"], d["methods"]["url_param"]]' \
        "[$1, $1, $1]"
    expect_json summary.json '[d["memory"]["max_bytes"], d["memory"]["clicks_left_out"],
        d["memory"]["clicks_from"]]' '[33554432, 0, null]'
    expect_no_match "$work/err" 'left out'
    expect_as_batch "$1"
}

# By tenants: each half asks for the clicks of its own.
case_tenants_go_by_halves() {
    make_clicks 2 3
    make_dead 40 '2 days'
    retry --memory-max 32M
    expect_nothing_left_out 1200
}

# By time: a chain of conversions, whose clicks have room neither together nor as twice a window of
# them, but as one.
case_days_go_by_halves() {
    make_clicks 17 1
    make_dead 160 '1 hour'
    retry --memory-max 32M
    expect_nothing_left_out 300
}

# All at one time: no half would ask for fewer clicks.
case_the_oldest_are_left_out() {
    local from
    make_clicks 2 1
    make_dead 40 '2 days'
    sql -c "UPDATE dead_events SET payload = payload ||
                '{\"conversion_timestamp\":\"2026-03-03T12:00:00Z\"}'"
    sql -c "CREATE TABLE dead AS SELECT * FROM dead_events"
    retry --memory-max 32M
    expect_match "$work/err" \
        'warning: [0-9]+ clicks, those before 2026-03-0[0-9T:.]+Z, were left out: --memory-max 32'
    expect_json summary.json \
        '[d["resolved"], 10000 < d["memory"]["clicks_left_out"] < 40000]' '[1200, true]'
    expect_json summary.json \
        'd["methods"]["url_param"] == 1200 - d["memory"]["clicks_left_out"] // 40 < 1000' true
    from=$(python3 -c 'import json
print(json.load(open("summary.json"))["memory"]["clicks_from"])')
    # As if they had never been.
    sql -c 'DELETE FROM attribution_performance_log' -c 'ALTER TABLE conversion_tracking
        RENAME TO limited' -c 'CREATE TABLE kept AS SELECT conversion_id, attribution_method,
        match_probability, (SELECT click_id FROM click_tracking k WHERE k.id = attributed_click_id)
        FROM limited' -c 'ALTER TABLE limited RENAME TO conversion_tracking' \
        -c 'DELETE FROM conversion_tracking' -c 'DELETE FROM dead_events' \
        -c "DELETE FROM click_tracking WHERE click_timestamp < '$from'" \
        -c 'INSERT INTO dead_events SELECT * FROM dead'
    retry
    expect_json summary.json 'd["memory"]["clicks_left_out"]' 0
    expect_sql 'SELECT count(*) FROM (TABLE kept EXCEPT SELECT conversion_id, attribution_method,
        match_probability, (SELECT click_id FROM click_tracking k WHERE k.id = attributed_click_id)
        FROM conversion_tracking) AS differing' 0
}

case_tenants_max() {
    make_clicks 2 3 60
    make_dead 10 '2 days'
    run retry --quiet --tenants-max 2
    expect_status 1
    expect_error '^clickmatch: click_tracking: clicks of more than 2 tenants; .*--tenants-max'
    expect_sql 'SELECT count(*) FROM conversion_tracking' 0
    retry --tenants-max 3
    expect_json summary.json 'd["resolved"]' 6
}

# A payload that no stream has put there fails alone, and is not even sent.
case_a_line_that_is_too_long() {
    use_new_database empty
    sql -c "INSERT INTO dead_events (tenant_id, source, event_type, error_type, error_message,
                payload, stream_name, stream_position)
            SELECT 't0', 'stream', 'conversion', 'malformed', 'x', jsonb_build_object(
                'event', 'conversion', 'tenant_id', 't0', 'conversion_type', 'sale',
                'conversion_id', 'v' || mib, 'conversion_timestamp', '2026-03-01T01:00:00Z',
                'more', repeat('x', mib << 20)), 'test', mib::text
            FROM unnest(ARRAY[0, 1, 200]) AS mib"
    retry
    expect_json summary.json '[d["taken"], d["resolved"], d["failed"]]' '[3, 1, 2]'
    expect_sql "SELECT stream_position, error_message FROM dead_events
                WHERE remediation_status = 'pending' ORDER BY 1" \
        "$(printf '%s|row: row longer than 1048576 bytes\n' 1 200)"
}

# A number that takes a few bytes in a stream, and a hundred thousand digits wherever JSONB writes
# it, is kept as it came.
case_numbers_that_are_written_out() {
    use_new_database empty
    python3 - >events.ndjson <<'END'
n = ",".join(["1e131000"] * 20000)
print('{"event":"conversion","seq":1,"tenant_id":"t0","conversion_id":"v1","conversion_type":'
      '"sale","conversion_timestamp":"noon","ip_address":"2001:db8:1e23::1","x":1e9}')
print('{"event":"conversion","seq":2,"tenant_id":"t0","conversion_id":"v2","conversion_type":'
      '"sale","conversion_timestamp":"noon","x":[%s]}' % n)
print('1e131000')
END
    run stream --sink db --quiet --recovery-target 0 --events events.ndjson
    expect_status 0
    expect_sql "SELECT payload ? 'line', octet_length(payload::text) < 200000 FROM dead_events
                ORDER BY stream_position" "$(printf 't|t\nf|t\nt|t')"
    retry
    expect_json summary.json '[d["taken"], d["failed"]]' '[3, 3]'
    sql -c "UPDATE dead_events SET last_retry_at = NULL, payload = jsonb_build_object('line',
                replace(payload ->> 'line', 'noon', '2026-03-01T01:00:00Z'))
            WHERE payload ->> 'line' LIKE '%v2%'"
    retry
    expect_json summary.json 'd["resolved"]' 1
}

make_empty
run_cases
