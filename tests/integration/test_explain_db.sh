#!/bin/bash
# `explain` from PostgreSQL: agrees with `batch`, and says why a stored result is another one.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/explain.sh
. "$(dirname "$0")/fixtures/explain.sh"
# shellcheck source=tests/integration/fixtures/model.sh
. "$(dirname "$0")/fixtures/model.sh"

results="SELECT c.conversion_id, coalesce(k.click_id, '') AS click_id, c.attribution_method,
    c.attribution_confidence::text, c.match_probability::text, l.layer_1_result, l.layer_2_result,
    l.layer_3_result, c.probabilistic_candidates::text AS candidates
  FROM conversion_tracking c
  LEFT JOIN click_tracking k ON k.id = c.attributed_click_id
  JOIN LATERAL (SELECT * FROM attribution_performance_log l
      WHERE l.conversion_id = c.conversion_id ORDER BY attempt_number DESC LIMIT 1) l ON true
  WHERE c.attribution_model IS NOT NULL"

match_all() {
    run batch --quiet --recovery-target 0 "${period[@]}"
    expect_status 0
}

# An id of a conversion that ended so.
one_that() {
    sql -c "SELECT r.conversion_id FROM ($results) AS r WHERE $1 ORDER BY 1 LIMIT 1"
}

case_agrees_with_what_batch_stored() {
    use_new_database adopted
    match_all
    sql -c "SELECT to_json(r) FROM (SELECT r.*, row_number() OVER (PARTITION BY attribution_method,
                layer_1_result, layer_2_result, layer_3_result ORDER BY conversion_id) AS n
            FROM ($results) AS r) AS r WHERE n <= 4" >rows
    [ "$(wc -l <rows)" -gt 25 ] || fail "only $(wc -l <rows) rows"
    expect_explained --schema public
    cat explained/*.json >all
    [ "$(grep -c '"agrees": true' all)" -eq "$(wc -l <rows)" ] || fail "not all agree"
    expect_no_match all Mozilla
    id=$(one_that "attribution_method = 'fingerprint'")
    state >before
    run explain "$id"
    expect_match "$work/out" '^  The stored result is the same, by model default@1, of 20'
    state >after
    expect_same before after
}

case_without_a_result() {
    use_new_database adopted
    id=$(sql -c "SELECT conversion_id FROM conversion_tracking WHERE attribution_method IS NULL
                 AND conversion_fingerprint_hash IS DISTINCT FROM 'junk' ORDER BY 1 LIMIT 1")
    run explain "$id"
    expect_status 0
    expect_match "$work/out" 'No result is stored yet'
    id=$(sql -c "SELECT conversion_id FROM conversion_tracking WHERE attribution_method IS NOT NULL
                 AND conversion_fingerprint_hash IS DISTINCT FROM 'junk' ORDER BY 1 LIMIT 1")
    run explain "$id"
    expect_status 0
    expect_match "$work/out" 'Another result is stored, of '
    expect_match "$work/out" 'It names no model: another program'
}

case_another_model() {
    use_new_database adopted
    match_all
    id=$(one_that "attribution_method = 'fingerprint'")
    echo '{"name": "sure", "version": "2", "fingerprint": {"prior": 0.3}}' >model.json
    run explain "$id" --model model.json --format json
    expect_status 0
    expect_json "$work/out" 'd["stored"]["agrees"]' false
    expect_json "$work/out" '[x for x in d["stored"]["differences"] if x["field"] == "model"]' \
        '[{"field": "model", "stored": "default@1", "now": "sure@2"}]'
    expect_json "$work/out" 'd["stored"]["reasons"]' \
        '["Another model: default@1 gave it, this is sure@2 (--model)."]'
}

# As batch: the champion, unless --model names another one.
case_the_champion() {
    use_new_database adopted
    match_all
    id=$(one_that "attribution_method = 'fingerprint'")
    model default 2 0.01 >default-2.json
    run model add default-2.json
    run explain "$id" --format json
    expect_json "$work/out" '[d["model"], d["stored"]["agrees"]]' '["default@1", true]'
    run explain "$id" --model default@2 --format json
    expect_json "$work/out" 'd["stored"]["reasons"]' \
        '["Another model: default@1 gave it, this is default@2 (--model)."]'
    run model promote default@2
    run explain "$id" --format json
    expect_status 0
    expect_json "$work/out" '[d["model"], d["stored"]["agrees"]]' '["default@2", false]'
    expect_json "$work/out" 'd["stored"]["reasons"]' \
        '["Another model: default@1 gave it, this is default@2 (the champion now)."]'
    match_all
    run explain "$id" --format json
    expect_json "$work/out" '[d["model"], d["stored"]["agrees"]]' '["default@2", true]'
    sql -c 'UPDATE model_registry SET is_champion = false'
    run explain "$id"
    expect_match "$work/out" 'this is default@1 \(built in: there is no champion\)'
    run explain "$id" --model default@2
    expect_match "$work/out" 'The stored result is the same, by model default@2'
}

case_a_model_that_is_not_there() {
    use_new_database adopted
    for text in 'm|1|no model m in the registry' 'm@|2|names no model' './m|1|No such file'; do
        IFS='|' read -r name code words <<<"$text"
        run explain c1 --model "$name"
        expect_status "$code"
        expect_error "$words"
    done
    PGHOST=$PWD/none run explain v-ad0c3c6a58a3febc --model m --clicks "$root/data/clicks.csv" \
        --conversions "$root/data/conversions.csv"
    expect_status 1
    expect_error '^clickmatch: m: .*No such file'
}

case_newer_clicks() {
    use_new_database adopted
    match_all
    id=$(one_that "attribution_method = 'fingerprint'")
    sql -c "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, fingerprint_hash,
                ip_address, user_agent, device_type, click_timestamp, created_at)
            SELECT 'brand-new', tenant_id, 'c', 'a', conversion_fingerprint_hash, ip_address,
                user_agent, device_type, conversion_timestamp - INTERVAL '10 s',
                now() + INTERVAL '1 min'
            FROM conversion_tracking WHERE conversion_id = '$id'"
    run explain "$id"
    expect_status 0
    expect_match "$work/out" '^Result +fingerprint, click brand-new, '
    expect_match "$work/out" '^    click_id: stored clk_[0-9]+, now brand-new$'
    expect_match "$work/out" 'Came to the table since and count now: 1 click: brand-new\.'
    match_all
    run explain "$id"
    expect_match "$work/out" 'The stored result is the same'
}

case_clicks_gone_and_flagged() {
    use_new_database adopted
    match_all
    id=$(one_that "attribution_method = 'fingerprint'")
    first=$(sql -c "SELECT click_id FROM ($results) AS r WHERE conversion_id = '$id'")
    sql -c "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, fingerprint_hash,
                ip_address, click_timestamp)
            SELECT 'rival', tenant_id, 'c', 'a', lower(conversion_fingerprint_hash), '81.2.3.4',
                conversion_timestamp - INTERVAL '6 days'
            FROM conversion_tracking WHERE conversion_id = '$id'"
    match_all
    expect_sql "SELECT click_id FROM ($results) AS r WHERE conversion_id = '$id'
                AND candidates LIKE '%rival%'" "$first"
    sql -c "DELETE FROM click_tracking WHERE click_id = 'rival'" \
        -c "UPDATE click_tracking SET is_valid = false WHERE click_id = '$first'"
    run explain "$id"
    expect_status 0
    expect_match "$work/out" "^  Named by it and gone from the table: 1 click: rival\.$"
    expect_match "$work/out" "^  Named by it and flagged invalid now: 1 click: $first\.$"
    expect_match "$work/out" "$first at .* has its fingerprint$"
}

case_a_change_that_left_no_trace() {
    use_new_database adopted
    match_all
    id=$(one_that "attribution_method = 'fingerprint'")
    sql -c "UPDATE conversion_tracking SET conversion_fingerprint_hash = NULL
            WHERE conversion_id = '$id'"
    run explain "$id"
    expect_match "$work/out" 'the conversion or a click has been changed since'
}

case_which_conversion() {
    use_new_database adopted
    run explain nobody
    expect_status 1
    expect_error "conversion 'nobody' is not in conversion_tracking"
    run explain conv_000000001 --tenant "it's \"another\""
    expect_status 1
    expect_error "is not in conversion_tracking"
    id=$(sql -c "SELECT conversion_id FROM conversion_tracking
                 WHERE conversion_fingerprint_hash = 'junk' ORDER BY 1 LIMIT 1")
    run explain "$id"
    expect_status 1
    expect_error "is malformed and has no result: conversion_fingerprint_hash: not 64 hex digits"
    run explain "$id" --lenient
    expect_status 0
}

case_keeps_tenants_apart() {
    use_new_database adopted
    id=$(sql -c "SELECT conversion_id FROM conversion_tracking WHERE ip_address IS NOT NULL
                 AND conversion_fingerprint_hash ~ '^[0-9A-Fa-f]{64}\$' ORDER BY 1 LIMIT 1")
    run explain "$id" --format json
    cp "$work/out" expected
    sql -c "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, fingerprint_hash,
                ip_address, user_agent, device_type, click_timestamp, is_valid)
            SELECT 'foreign' || n, 'other', 'c', 'a', lower(conversion_fingerprint_hash),
                ip_address, user_agent, device_type,
                conversion_timestamp - INTERVAL '1 s' * n, n < 3
            FROM conversion_tracking, generate_series(1, 4) AS n WHERE conversion_id = '$id'"
    run explain "$id" --format json
    expect_same "$work/out" expected
}

case_refused() {
    mkdir empty
    run explain c1 --db "host=$PWD/empty"
    expect_status 4
    expect_error '^clickmatch: cannot connect to PostgreSQL: '
    run explain c1 --db 'host=x password=secret'
    expect_status 2
    expect_no_match "$work/err" secret
    use_new_database
    run explain c1
    expect_status 4
    expect_error 'migrate'
}

make_templates
run_cases
