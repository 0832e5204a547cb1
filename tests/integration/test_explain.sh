#!/bin/bash
# `explain`: agrees with `match` and `batch`, adds up, says why not, keeps personal data to itself,
# and compares with what is stored.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"

# Explain a conversion of files.
explain() {
    run explain "$@" --clicks "$clicks" --conversions "$conversions"
}

# The rows of a CSV file as JSON objects, a line each.
rows_of() {
    python3 -c 'import csv, json, sys
for row in csv.DictReader(open(sys.argv[1])): print(json.dumps(row))' "$1"
}

# Explain the conversions of `rows`, results as JSON objects, with these options: each is sound in
# itself, and the one of its row. They are in the directory `explained` then, by line.
expect_explained() {
    local said number=0
    mkdir explained
    while IFS= read -r id; do
        number=$((number + 1))
        run explain "$id" --format json "$@"
        expect_status 0
        cp "$work/out" "explained/$number.json"
    done < <(sed 's/.*"conversion_id": *"\([^"]*\)".*/\1/' rows)
    said=$(python3 "$fixtures/explained.py" rows explained 2>&1) || fail "${said##*$'\n'}"
}

# ---- files ----

use_sample() {
    clicks=$root/data/clicks.csv
    conversions=$root/data/conversions.csv
}

# A small world of one tenant, for what is said of clicks that do not count.
fp=$(printf 'ab%.0s' {1..32})
make_world() {
    clicks=clicks.csv
    conversions=conversions.csv
    cat >clicks.csv <<EOF
tenant_id,click_id,click_timestamp,expires_at,is_valid,gclid,fingerprint_hash,ip_address,user_agent,device_type
t,far,2026-03-01T00:00:00Z,,,g1,$fp,203.0.113.7,Agent 1,mobile
t,flagged,2026-03-10T09:00:00Z,,false,,$fp,203.0.113.7,Agent 1,mobile
t,early,2026-03-10T08:00:00Z,2026-03-10T10:30:00Z,,,$fp,203.0.113.9,Agent 1,mobile
t,after,2026-03-10T12:00:01.5Z,,,,$fp,203.0.113.7,Agent 1,mobile
t,desk,2026-03-10T11:00:00Z,,,,,203.0.113.7,Agent 2,desktop
u,foreign_one,2026-03-10T09:00:00Z,,false,g1,$fp,203.0.113.7,Agent 1,mobile
EOF
    cat >conversions.csv <<EOF
tenant_id,conversion_id,conversion_timestamp,gclid,conversion_fingerprint_hash,ip_address,user_agent,device_type
t,c1,2026-03-10T12:00:00Z,g1,$fp,203.0.113.7,Agent 1,mobile
t,c2,2026-03-10T12:00:00Z,,$fp,203.0.113.8,Agent 2,mobile
u,c2,2026-03-10T12:00:00Z,,,,,
t,c1,2026-03-11T12:00:00Z,,,,,
t,c3,2026-03-10T12:00:00Z,,,10.0.0.1,,
EOF
}

case_every_conversion_of_the_sample() {
    use_sample
    rows_of "$root/data/expected.csv" >rows
    [ "$(wc -l <rows)" -eq 60 ] || fail "$(wc -l <rows) rows"
    expect_explained --clicks "$clicks" --conversions "$conversions"
}

case_every_golden_vector() {
    rows_of "$vectors/expected.csv" >rows
    [ "$(wc -l <rows)" -ge 30 ] || fail "$(wc -l <rows) rows"
    expect_explained --clicks "$vectors/clicks.csv" --conversions "$vectors/conversions.csv"
}

# With calibration, other windows and prefixes, and more rivals than are looked at.
case_a_simulated_world_with_another_model() {
    echo '{"name": "other", "version": "7", "window_hours": 72, "max_candidates": 3,
           "ipv6_prefix": 48, "probabilistic": {"calibration": [[0, 0.01], [0.9, 0.7], [1, 0.9]]},
           "fingerprint": {"calibration": [[0.1, 0.05], [0.8, 0.75]]}}' >model.json
    world=(--clicks world/clicks.csv --conversions world/conversions.csv --model model.json)
    "$program" simulate --quiet --output world --clicks-count 4000 --conversions-count 400 --seed 5
    run match --quiet --recovery-target 0 "${world[@]}" --output results.csv
    expect_status 0
    rows_of results.csv | awk 'NR % 7 == 0' >rows
    [ "$(wc -l <rows)" -gt 50 ] || fail "$(wc -l <rows) rows"
    expect_explained "${world[@]}"
    expect_json explained/1.json 'd["model"]' '"other@7"'
}

case_why_not() {
    make_world
    explain c1
    expect_status 0
    expect_match "$work/out" '^Result +unattributed$'
    expect_match "$work/out" '^Layer 1.*: no_match$'
    expect_match "$work/out" 'Did not count: 1 click expired:'
    expect_match "$work/out" 'far at 2026-03-01T00:00:00Z has its gclid, off by 2 d 12 h$'
    expect_match "$work/out" '^Layer 2.*: no_match$'
    expect_match "$work/out" 'early at .* has its fingerprint, off by 1 h 30 min$'
    expect_match "$work/out" 'after at .* has its fingerprint, off by 1 s 500 ms$'
    expect_match "$work/out" 'Did not count: 1 click flagged invalid:'
    expect_match "$work/out" 'flagged at 2026-03-10T09:00:00Z has its address$'
    expect_match "$work/out" 'Did not count: 1 click of another device type:'
    expect_match "$work/out" 'far at .* has its address, off by 8 d 12 h$'
    expect_no_match "$work/out" foreign_one
    explain c1 --format json
    expect_json "$work/out" '[l["misses"]["counts"] for l in d["layers"]]' \
        '[{"later": 0, "outside": 0, "expired": 1, "flagged": 0, "other_type": 0}, {"later": 1, "outside": 1, "expired": 1, "flagged": 1, "other_type": 0}, {"later": 1, "outside": 1, "expired": 0, "flagged": 1, "other_type": 1}]'
}

# What is said to be enough is what match says when it is so.
case_what_would_have_been_enough() {
    make_world
    { head -n 1 clicks.csv && grep '^t,flagged' clicks.csv | sed 's/false/true/'; } >one.csv
    clicks=one.csv
    explain c2 --tenant t
    expect_match "$work/out" '^Layer 2.*: low_confidence$'
    expect_match "$work/out" 'below the threshold of 0.6 by 0\.[0-9]{6}: not attributed'
    expect_match "$work/out" 'Enough would have been the same address as click flagged: probability'
    explain c2 --tenant t --format json
    expect_json "$work/out" 'd["layers"][1]["candidates"][0]["factors"][4]["outcome"]' '"different"'
    p=$(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["layers"][1]["candidates"][0]["factors"][4]["p_if_equal"])' \
        "$work/out")
    sed -i 's/203.0.113.8/203.0.113.7/' conversions.csv
    explain c2 --tenant t --format json
    expect_json "$work/out" 'd["result"]["match_probability"]' "$p"
}

case_which_conversion() {
    make_world
    explain c2
    expect_status 1
    expect_error "several tenants have a conversion 'c2': 't' and 'u'; give --tenant"
    explain c2 --tenant u --format json
    expect_status 0
    expect_json "$work/out" 'd["conversion"]["tenant_id"]' '"u"'
    explain c1 --format json # the first of two stands
    expect_json "$work/out" 'd["conversion"]["conversion_timestamp"]' '"2026-03-10T12:00:00Z"'
    explain c9
    expect_status 1
    expect_error "conversion 'c9' is not in the 5 rows of --conversions"
    explain c1 --tenant u
    expect_error "conversion 'c1' of tenant 'u' is not in"
}

case_wrong_usage() {
    make_world
    run explain --clicks clicks.csv --conversions conversions.csv
    expect_status 2
    expect_error 'explain needs CONVERSION_ID'
    run explain c1 c2 --clicks clicks.csv --conversions conversions.csv
    expect_status 2
    expect_error "'c2' is one too many"
    run explain c1 --clicks clicks.csv
    expect_status 2
    expect_error '\-\-conversions is missing'
    run explain c1 --clicks clicks.csv --conversions conversions.csv --db dbname=x
    expect_status 2
    expect_error '\-\-db and files are given'
    run explain c1 --clicks - --conversions -
    expect_status 2
    expect_error 'is given 2 times'
    run explain c1 --clicks clicks.csv --conversions conversions.csv --output clicks.csv
    expect_status 2
    expect_error '\-\-output would replace'
    run explain c1 --clicks clicks.csv --conversions missing.csv
    expect_status 1
    expect_error 'missing.csv'
    expect_files clicks.csv conversions.csv
}

case_an_id_like_an_option() {
    make_world
    sed -i 's/^t,c3,/t,--c3,/' conversions.csv
    run explain --clicks clicks.csv --conversions conversions.csv -- --c3
    expect_status 0
    expect_match "$work/out" '^Conversion +--c3 of tenant t '
    expect_match "$work/out" 'address +one that is not evidence'
    expect_match "$work/out" '^Layer 3.*: no_signal$'
}

case_personal_data_only_when_asked() {
    make_world
    sed -i 's/false/true/' clicks.csv
    for format in text json html; do
        explain c1 --format "$format"
        expect_no_match "$work/out" '203\.0\.113|Agent'
        explain c1 --format "$format" --show-pii
        expect_match "$work/out" '203\.0\.113\.7/32'
        expect_match "$work/out" 'Agent 1'
        expect_no_match "$work/out" foreign_one
    done
    umask 022
    explain c1 --output open.txt
    explain c1 --show-pii --output private.txt
    [ "$(stat -c %a open.txt private.txt | tr '\n' ' ')" = '644 600 ' ] ||
        fail "modes $(stat -c %a open.txt private.txt)"
}

case_nothing_matters_but_the_rows() {
    make_world
    explain c1 --format json
    cp "$work/out" expected
    for threads in 1 2 7; do
        explain c1 --format json --threads "$threads"
        expect_same "$work/out" expected
    done
    { head -n 1 clicks.csv && tail -n +2 clicks.csv | tac; } >turned.csv
    gzip -k turned.csv
    clicks=turned.csv.gz
    explain c1 --format json
    expect_same "$work/out" expected
}

# A second click of an id is none, whatever it shows.
case_duplicates_do_not_count() {
    make_world
    explain c1 --format json
    cp "$work/out" expected
    twin=$(sed -n 's/^t,flagged,2026-03-10T09/t,flagged,2026-03-10T10/p' clicks.csv)
    echo "$twin" >>clicks.csv
    explain c1 --format json
    expect_same "$work/out" expected
}

case_rejected_rows() {
    make_world
    echo "t,bad,yesterday,,,g1,,,," >>clicks.csv
    explain c1
    expect_status 0
    expect_match "$work/err" 'warning: 1 rows of clicks are malformed'
    explain c1 --max-rejects 0
    expect_status 3
    [ ! -s "$work/out" ] || fail "an explanation was written"
}

# Names come from outside: no terminal is told what to do, no page runs them.
case_hostile_names() {
    clicks=clicks.ndjson
    conversions=conversions.ndjson
    python3 - <<'EOF'
import json
evil = '<script>alert("x")</script>&\x1b[31m\u0085'
device = {"user_agent": evil, "device_type": evil, "ip_address": "203.0.113.7"}
with open("clicks.ndjson", "w") as file:
    for i, valid in enumerate((True, False, True)):
        file.write(json.dumps({"tenant_id": evil, "click_id": evil + str(i), "is_valid": valid,
                               "click_timestamp": "2026-03-10T%02d:00:00Z" % (11 + i), **device}))
        file.write("\n")
with open("conversions.ndjson", "w") as file:
    file.write(json.dumps({"tenant_id": evil, "conversion_id": "c<b>1", "gclid": evil,
                           "conversion_timestamp": "2026-03-10T12:00:00Z", **device}) + "\n")
EOF
    for format in text html; do
        explain 'c<b>1' --format "$format" --show-pii
        expect_status 0
        expect_no_match "$work/out" $'\x1b'
        expect_no_match "$work/out" $'\xc2\x85'
        expect_match "$work/out" 'x1b\[31m'
    done
    expect_no_match "$work/out" '<script|<b>'
    explain 'c<b>1' --format json --show-pii
    expect_json "$work/out" 'len(d["layers"][2]["candidates"])' 1
    expect_json "$work/out" 'd["conversion"]["gclid"][-6:]' '"\u001b[31m\u0085"'
}

# A page by itself: well formed, a drawing for each candidate, nothing from elsewhere.
case_page() {
    use_sample
    while IFS=, read -r _ id _; do
        run explain "$id" --clicks "$clicks" --conversions "$conversions" --format json
        cp "$work/out" explained.json
        run explain "$id" --clicks "$clicks" --conversions "$conversions" --format html
        python3 - "$work/out" explained.json <<'EOF' >said 2>&1 || fail "$id: $(tail -n 1 said)"
import json
import sys
import xml.etree.ElementTree as tree
page = open(sys.argv[1], encoding="utf-8").read()
explained = json.load(open(sys.argv[2]))
for void in ('<meta charset="utf-8">', '<meta name="viewport" content="width=device-width">'):
    assert void in page
    page = page.replace(void, "")
root = tree.fromstring(page.replace("<!doctype html>", ""))
drawn = len(root.findall(".//svg"))
wanted = sum(len(layer.get("candidates", [])) for layer in explained["layers"])
assert drawn == wanted, (drawn, wanted)
for svg in root.findall(".//svg"):
    width = float(svg.get("viewBox").split()[2])
    for bar in svg.findall("rect"):
        x, w = float(bar.get("x")), float(bar.get("width"))
        assert 0 <= x and x + w <= width, (x, w)
assert not any(word in page for word in ("http", "src=", "url(", "<script", "@import"))
EOF
    done < <(tail -n +2 "$conversions" | awk 'NR % 6 == 0')
}

case_a_full_disk() {
    use_sample
    status=0
    "$program" explain v-fbe093d72574b999 --clicks "$clicks" --conversions "$conversions" \
        >/dev/full 2>"$work/err" || status=$?
    expect_status 1
    expect_error '^clickmatch: standard output'
}

case_the_example_of_the_help() {
    mkdir bin
    ln -s "$program" bin/clickmatch
    "$program" explain --help | sed '1,/^Example:/d' >script
    expect_match script 'clickmatch explain '
    here=$PWD
    (cd "$root" && PATH=$here/bin:$PATH bash -e "$here/script") >"$work/out" 2>&1 ||
        fail "exit status $?: $(head -c 300 "$work/out")"
    expect_match "$work/out" '^Layer 2, fingerprint: success'
}

# The page of the docs shows what is printed.
case_the_docs() {
    use_sample
    sed -n 's/^    //p; s/^$//p' "$root/docs/explain.md" | sed -n '/^Conversion /,/^## /p' |
        sed '/^$/d' >shown
    [ "$(wc -l <shown)" -gt 30 ] || fail "only $(wc -l <shown) lines shown"
    explain v-ad0c3c6a58a3febc
    sed 's/ *$//; /^$/d' "$work/out" >printed
    expect_same printed shown
}

# ---- PostgreSQL ----

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

case_database_agrees_with_what_batch_stored() {
    use_new_database adopted
    match_all
    sql -c "SELECT to_json(r) FROM (SELECT r.*, row_number() OVER (PARTITION BY attribution_method,
                layer_1_result, layer_2_result, layer_3_result ORDER BY conversion_id) AS n
            FROM ($results) AS r) AS r WHERE n <= 4" >rows
    [ "$(wc -l <rows)" -gt 25 ] || fail "only $(wc -l <rows) rows"
    expect_explained
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

case_database_without_a_result() {
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

case_database_another_model() {
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

case_database_newer_clicks() {
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

case_database_clicks_gone_and_flagged() {
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

case_database_a_change_that_left_no_trace() {
    use_new_database adopted
    match_all
    id=$(one_that "attribution_method = 'fingerprint'")
    sql -c "UPDATE conversion_tracking SET conversion_fingerprint_hash = NULL
            WHERE conversion_id = '$id'"
    run explain "$id"
    expect_match "$work/out" 'the conversion or a click has been changed since'
}

case_database_which_conversion() {
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

case_database_keeps_tenants_apart() {
    use_new_database adopted
    id=$(sql -c "SELECT conversion_id FROM conversion_tracking WHERE ip_address IS NOT NULL
                 AND conversion_fingerprint_hash ~ '^[0-9A-Fa-f]{64}\$' ORDER BY 1 LIMIT 1")
    run explain "$id" --format json
    cp "$work/out" expected
    sql -c "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, fingerprint_hash,
                ip_address, user_agent, device_type, click_timestamp, is_valid)
            SELECT 'foreign' || n, 'other', 'c', 'a', lower(conversion_fingerprint_hash), ip_address,
                user_agent, device_type, conversion_timestamp - INTERVAL '1 s' * n, n < 3
            FROM conversion_tracking, generate_series(1, 4) AS n WHERE conversion_id = '$id'"
    run explain "$id" --format json
    expect_same "$work/out" expected
}

case_database_refused() {
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
