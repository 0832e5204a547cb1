#!/bin/bash
# `explain` from files: agrees with `match`, adds up, says why not, keeps personal data to itself.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/explain.sh
. "$(dirname "$0")/fixtures/explain.sh"

# Explain a conversion of files.
explain() {
    run explain "$@" --clicks "$clicks" --conversions "$conversions"
}

use_sample() {
    clicks=$root/data/clicks.csv
    conversions=$root/data/conversions.csv
}

# A small world of one tenant, for what is said of clicks that do not count.
fp=$(printf 'ab%.0s' {1..32})
make_world() {
    clicks=clicks.csv
    conversions=conversions.csv
    shown=ip_address,user_agent,device_type
    cat >clicks.csv <<EOF
tenant_id,click_id,click_timestamp,expires_at,is_valid,gclid,fingerprint_hash,$shown
t,far,2026-03-01T00:00:00Z,,,g1,$fp,203.0.113.7,Agent 1,mobile
t,flagged,2026-03-10T09:00:00Z,,false,,$fp,203.0.113.7,Agent 1,mobile
t,early,2026-03-10T08:00:00Z,2026-03-10T10:30:00Z,,,$fp,203.0.113.9,Agent 1,mobile
t,after,2026-03-10T12:00:01.5Z,,,,$fp,203.0.113.7,Agent 1,mobile
t,desk,2026-03-10T11:00:00Z,,,,,203.0.113.7,Agent 2,desktop
u,foreign_one,2026-03-10T09:00:00Z,,false,g1,$fp,203.0.113.7,Agent 1,mobile
EOF
    cat >conversions.csv <<EOF
tenant_id,conversion_id,conversion_timestamp,gclid,conversion_fingerprint_hash,$shown
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

# Sections, families, traits, devices that click again: as matched, and in columns.
case_every_golden_case_of_a_grown_model() {
    grown=$root/tests/golden/grown
    world=(--clicks "$grown/clicks.csv" --conversions "$grown/conversions.csv"
        --model "$grown/model.json")
    run match --quiet --recovery-target 0 "${world[@]}" --output results.csv
    expect_status 0
    rows_of results.csv >rows
    [ "$(wc -l <rows)" -ge 30 ] || fail "$(wc -l <rows) rows"
    expect_explained "${world[@]}"
    sed 's/.*"conversion_id": *"\([^"]*\)".*/\1/' rows >ids
    while IFS= read -r id; do "$program" explain "$id" "${world[@]}" --quiet; done <ids >texts
    grep -E '^ {7}.* [+-]?[0-9.]+ bits' texts >factors
    for words in 'other family' 'device clicks again' 'the device so far' 'its newest click'; do
        expect_match factors " $words "
    done
    ! grep -vE '^.{73} bits' factors >askew || fail "$(head -n 1 askew)"
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
    expect_json "$work/out" '[[k for k, v in l["misses"]["counts"].items() if v == 1]
        for l in d["layers"]]' '[["expired"], ["later", "outside", "expired", "flagged"], '"\
"'["later", "outside", "flagged", "other_type"]]'
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

# The page of the docs shows what its command prints.
case_the_docs() {
    read -ra command < <(sed -n 's|^    build/clickmatch ||p' "$root/docs/explain.md")
    sed -n 's/^    //p; s/^$//p' "$root/docs/explain.md" | sed -n '/^Conversion /,/^## /p' |
        sed '/^$/d' >shown
    [ "$(wc -l <shown)" -gt 30 ] || fail "only $(wc -l <shown) lines shown"
    (cd "$root" && "$program" "${command[@]}") >out 2>"$work/err" ||
        fail "exit status $?: $(head -c 300 "$work/err")"
    sed 's/ *$//; /^$/d' out >printed
    expect_same printed shown
}

run_cases
