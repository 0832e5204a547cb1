#!/bin/bash
# A stream into PostgreSQL: what is inserted, updated, logged and refused; that what comes twice
# changes nothing; and that `batch` finds nothing to change then.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] || exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/sink.sh
. "$(dirname "$0")/fixtures/sink.sh"

# All events are in the tables, each once; nothing is dead.
case_inserts() {
    use_new_database found_empty
    sink clicks=1 rows=700 "$events"
    expect_status 0
    expect_json out "[d['dead'], d['taken'] == d['settled'], d['position'] == d['taken']]" \
        '[0, true, true]'
    expect_all_written "$events"
    expect_sql 'SELECT count(*) FROM dead_events' 0
    expect_sql 'SELECT count(*) FROM stream_positions' 1
    # A few of each of the three ways, and none.
    expect_sql 'SELECT count(*) FROM (SELECT attribution_method, count(*) FROM conversion_tracking
                GROUP BY 1 HAVING count(*) > 5) AS m' 4
    # Numbers, addresses and texts are there.
    expect_sql "SELECT count(user_agent) > 100, count(ip_address) > 100,
                    count(conversion_fingerprint_hash) > 100, count(conversion_value) > 100,
                    count(fbclid) > 100, count(screen_width) > 0 FROM conversion_tracking" \
        't|t|t|t|t|t'
    expect_no_change_by_batch
}

case_again() {
    use_new_database found_empty
    sink clicks=1 "$events"
    state >before
    sink clicks=1 rows=333 "$events"
    expect_status 0
    state >after
    expect_same before after
    expect_json out "[d['clicks'], d['inserted'], d['updated']]" '[0, 0, 0]'
}

make_sink_templates
run_cases
