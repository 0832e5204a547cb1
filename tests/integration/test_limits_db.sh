#!/bin/bash
# Limits of `batch`: clicks of PostgreSQL that there is no room for are left out, the oldest first,
# and results are those of a table without them.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"

batch() {
    run batch --quiet --recovery-target 0 --from 2026-03-10 --to 2026-03-12 --summary summary.json \
        "$@"
}

# Clicks with long ids, one each two seconds; a conversion of each 50th.
make_tables() {
    use_new_database template0
    "$program" migrate --quiet || fail "migrate fails"
    sql -c "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, click_timestamp)
            SELECT 'k' || lpad(i::text, 180, '0'), 't', 'c', 'a',
                timestamptz '2026-03-07 00:00:00Z' + i * interval '2 s'
            FROM generate_series(1, 100000) AS i" \
        -c "INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type, click_id,
                conversion_timestamp)
            SELECT 'v' || i, 't', 'sale', 'k' || lpad(i::text, 180, '0'), '2026-03-10 12:00:00Z'
            FROM generate_series(1, 100000, 50) AS i"
}

results="SELECT c.conversion_id, k.click_id, c.attribution_method
    FROM conversion_tracking c LEFT JOIN click_tracking k ON k.id = c.attributed_click_id"

case_memory_max_of_batch() {
    local limited from
    make_tables
    batch --memory-max 32M
    expect_status 0
    expect_match "$work/err" 'warning: [0-9]+ clicks, those before .* were left out'
    expect_json summary.json "[d['clicks']['rows'], d['engine_clicks'] +
        d['memory']['clicks_left_out'], d['memory']['clicks_left_out'] > 15000]" \
        '[100000, 100000, true]'
    limited=$(digest "$results")
    from=$(python3 -c 'import json
print(json.load(open("summary.json"))["memory"]["clicks_from"])')
    batch
    [ "$(digest "$results")" != "$limited" ] || fail "all clicks matter no more than the newest"
    sql -c "UPDATE conversion_tracking SET attributed_click_id = NULL" \
        -c "DELETE FROM click_tracking WHERE click_timestamp < '$from'"
    batch
    expect_json summary.json "d['memory']['clicks_left_out']" 0
    [ "$(digest "$results")" = "$limited" ] || fail "results are not those of the newer clicks"
}

case_tenants_max_of_batch() {
    use_new_database template0
    "$program" migrate --quiet || fail "migrate fails"
    sql -c "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, click_timestamp)
        SELECT 'k' || i, 't' || i, 'c', 'a', '2026-03-09' FROM generate_series(1, 3) AS i"
    batch --tenants-max 3
    expect_status 0
    batch --tenants-max 2
    expect_status 1
    expect_error '^clickmatch: .*click_tracking.*: clicks of more than 2 tenants'
}

run_cases
