#!/bin/bash
# Limits: memory, rows, values, tenants, candidates. Each below, at and above what it allows, and
# that what is left out for want of room depends on nothing but the clicks.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

header=tenant_id,click_id,click_timestamp

# ---- values ----

write_conversion() {
    printf '%s\n' tenant_id,conversion_id,conversion_timestamp,click_id \
        t,v1,2026-03-10T12:30:00Z,k1 >conversions.csv
}

# A click whose user agent has so many bytes.
write_agent() {
    write_conversion
    printf '%s,user_agent\nt,k1,2026-03-10T12:00:00Z,%*s\n' "$header" "$1" '' | tr ' ' a >clicks.csv
}

match() {
    run match --clicks clicks.csv --conversions conversions.csv --output results.csv --quiet \
        --recovery-target 0 --summary summary.json "$@"
}

expect_rejected() {
    expect_status 0
    expect_json summary.json 'd["clicks"]["rejected"]' "$1"
}

case_field_max_at_and_above() {
    write_agent 8192
    match
    expect_rejected 0
    expect_match results.csv '^v1,t,k1,'
    write_agent 8193
    match --rejects rejects.ndjson
    expect_rejected 1
    expect_json rejects.ndjson '[d["field"], d["reason"], d["line"]]' \
        '["user_agent", "longer than --field-max", 2]'
    match --field-max 9K
    expect_rejected 0
    match --lenient
    expect_rejected 0
    expect_json summary.json 'd["clicks"]["lenient"]' '{"user_agent": 1}'
    expect_match results.csv '^v1,t,k1,'
}

# The limit is on what is used: others' columns may hold what they like.
case_field_max_of_ignored_columns() {
    write_agent 100000
    sed -i '1s/user_agent/page/' clicks.csv
    match
    expect_rejected 0
}

case_line_max_at_and_above() {
    local size
    write_agent 300
    size=$(tail -n 1 clicks.csv | tr -d '\n' | wc -c)
    match --line-max "$size"
    expect_rejected 0
    echo 't,k2,2026-03-10T12:00:01Z,a' >>clicks.csv
    match --line-max $((size - 1)) --rejects rejects.ndjson
    expect_rejected 1
    expect_json rejects.ndjson '[d["field"], d["reason"], d["line"], len(d["row"])]' \
        "[null, \"row longer than --line-max\", 2, $size]"
    expect_json summary.json 'd["engine_clicks"]' 1
    CLICKMATCH_LINE_MAX=$((size - 1)) match
    expect_rejected 1
}

case_limits_of_a_stream() {
    printf '{"event":"click","tenant_id":"t","click_id":"%s","click_timestamp":177314400%s}\n' \
        k1 "0000,\"user_agent\":\"$(printf '%070d' 0)\"" \
        k2 "$(printf '0000,"x":"%0300d"' 0)" k3 0000 >events.ndjson
    status=0
    "$program" stream --quiet --field-max 64 --line-max 256 --rejects rejects.ndjson \
        --summary summary.json --recovery-target 0 <events.ndjson 2>"$work/err" || status=$?
    expect_status 0
    expect_json rejects.ndjson '[[r["line"], r["field"], r["reason"]] for r in d]' \
        '[[1, "user_agent", "longer than --field-max"], [2, null, "row longer than --line-max"]]'
    expect_json summary.json 'd["engine_clicks"]' 1
}

case_what_options_allow() {
    write_agent 10
    for option in '--line-max 255' '--line-max 2M' '--field-max 63' '--memory-max 31M' \
        '--memory-max 1.5G' '--memory-max 64MM' '--tenants-max 0'; do
        # shellcheck disable=SC2086 # an option and its value
        match $option
        expect_status 2
        expect_error "^clickmatch: ${option%% *}: '.*' is not allowed; give a "
    done
    for value in '64  ' '64 @' '64 MiBs' ''; do
        match --memory-max "$value"
        expect_status 2
        expect_error "^clickmatch: --memory-max: '$value' is not allowed; give a "
    done
    for value in 33554432 32m 32MiB '1 GB' 2T; do
        match --memory-max "$value"
        expect_rejected 0
    done
}

# ---- memory ----

# write_clicks N: shuffled, some of them twice, some of one time, of several tenants.
write_clicks() {
    python3 - "$1" <<'END' >clicks.csv
import random, sys
r = random.Random(7)
rows = []
for i in range(int(sys.argv[1])):
    s = r.randrange(3 * 86400)
    time = "2026-03-%02dT%02d:%02d:%02dZ" % (8 + s // 86400, s // 3600 % 24, s // 60 % 60, s % 60)
    fp = "%064x" % r.randrange(1, 40000)
    rows.append("t%d,k%d,%s,%s,17.0.%d.%d" % (r.randrange(3), r.randrange(10**6), time, fp,
                                           r.randrange(40), r.randrange(256)))
print("tenant_id,click_id,click_timestamp,fingerprint_hash,ip_address")
print("\n".join(rows))
END
}

# Conversions of those clicks' keys.
write_conversions() {
    python3 - <<'END' >conversions.csv
import random
r = random.Random(8)
print("tenant_id,conversion_id,conversion_timestamp,click_id,fingerprint_hash,ip_address")
for i in range(4000):
    print("t%d,v%d,2026-03-11T%02d:00:00Z,k%d,%064x,17.0.%d.%d" % (
        r.randrange(3), i, r.randrange(24), r.randrange(10**6), r.randrange(1, 40000),
        r.randrange(40), r.randrange(256)))
END
}

# The clicks of a file from a time on.
write_newer() {
    awk -F, -v from="$1" 'NR == 1 || $3 >= from' clicks.csv >newer.csv
}

memory_from() {
    python3 -c 'import json; print(json.load(open("summary.json"))["memory"]["clicks_from"])'
}

# A run under a limit is a run of the newer clicks alone, whatever the threads and the order.
case_memory_max_leaves_out_the_oldest() {
    local threads from
    write_clicks 250000
    write_conversions
    match --memory-max 40M --threads 1
    expect_status 0
    expect_match "$work/err" \
        'warning: [0-9]+ clicks, those before 2026-03-[0-9T:]+Z, were left out: --memory-max 40 MiB'
    from=$(memory_from)
    write_newer "$from"
    expect_json summary.json \
        "d['memory']['clicks_left_out'] == 250001 - $(wc -l <newer.csv) > 20000" true
    expect_json summary.json "d['engine_bytes'] < 40 << 20" true
    mv results.csv limited.csv
    run match --clicks newer.csv --conversions conversions.csv --output newer_results.csv --quiet \
        --recovery-target 0 --summary newer.json
    expect_same limited.csv newer_results.csv
    expect_json newer.json "[d['clicks']['duplicates'], d['engine_clicks']] == [
        json.load(open('summary.json'))[a][b] if b else json.load(open('summary.json'))[a]
        for a, b in [('clicks', 'duplicates'), ('engine_clicks', '')]]" true
    { head -n 1 clicks.csv; tail -n +2 clicks.csv | tac; } >reversed.csv
    # Duplicates aside: which of them stands is a matter of their order.
    for threads in 2 4; do
        match --memory-max 40M --threads "$threads"
        expect_same results.csv limited.csv
    done
    mv reversed.csv clicks.csv
    match --memory-max 40M
    [ "$(memory_from)" = "$from" ] || fail "from $(memory_from) on in another order, not $from"
}

case_memory_max_of_several_files() {
    write_clicks 200000
    write_conversions
    match --memory-max 40M
    mv results.csv limited.csv
    for part in 0 1 2; do
        { head -n 1 clicks.csv; tail -n +2 clicks.csv | awk "NR > $part * 70000 &&
            NR <= $((part + 1)) * 70000"; } >"part$part.csv"
    done
    gzip part1.csv
    match --clicks part0.csv --clicks part1.csv.gz --clicks part2.csv --memory-max 40M
    sed -i '/^k/d' results.csv
    run match --clicks part0.csv --clicks part1.csv.gz --clicks part2.csv --conversions \
        conversions.csv --output results.csv --quiet --recovery-target 0 --memory-max 40M
    expect_status 0
    expect_same results.csv limited.csv
}

case_memory_max_not_reached_changes_nothing() {
    write_clicks 20000
    write_conversions
    match --memory-max 32M
    expect_no_match "$work/err" 'left out'
    mv results.csv limited.csv
    match
    expect_same results.csv limited.csv
    expect_json summary.json "[d['memory']['clicks_left_out'], d['memory']['clicks_from']]" \
        '[0, null]'
}

# What comes through a pipe cannot be read again.
case_memory_max_of_a_pipe() {
    write_clicks 250000
    write_conversions
    status=0
    "$program" match --clicks - --conversions conversions.csv --output results.csv --quiet \
        --memory-max 40M <clicks.csv 2>"$work/err" || status=$?
    expect_status 1
    expect_error '^clickmatch: standard input: the clicks take more than 30 MiB, .*give files'
    expect_files clicks.csv conversions.csv
}

case_rejects_are_told_once() {
    write_clicks 250000
    write_conversions
    sed -i '2s/.*/t0,,2026-03-08T00:00:00Z,,/; $s/.*/t0,k,no time,,/' clicks.csv
    match --memory-max 40M --rejects rejects.ndjson
    expect_rejected 2
    expect_json rejects.ndjson '[r["line"] for r in d]' '[2, 250001]'
    expect_json summary.json 'd["clicks"]["rows"]' 250000
}

# The default is a share of what the process may have, here by its address space.
case_memory_max_by_default() {
    is_sanitized && skip "a sanitizer needs more than there is" && return
    write_agent 10
    status=0
    (ulimit -v 1000000 && exec "$program" match --clicks clicks.csv --conversions conversions.csv \
        --output results.csv --quiet --summary summary.json) 2>"$work/err" || status=$?
    expect_status 0
    expect_json summary.json 'd["memory"]["max_bytes"]' 819200000
}

case_ids_of_conversions() {
    write_agent 10
    seq -f 't,conversion-with-a-long-name-%.0f,2026-03-10T12:30:00Z,k1' 100000 >>conversions.csv
    match --memory-max 32M
    expect_status 1
    expect_error '^clickmatch: .*the ids of [0-9]+ conversions take more than 4 MiB'
    expect_files clicks.csv conversions.csv
    match --memory-max 128M
    expect_status 0
}

# Each user agent is new: what clicks share takes more than it may.
case_names_that_nobody_shares() {
    write_agent 10
    seq 40000 | awk '{printf "t,n%d,2026-03-10T12:00:00Z,%0200d\n", $1, $1}' >>clicks.csv
    match --memory-max 32M
    expect_status 1
    expect_error '^clickmatch: clicks.csv: user agents, campaigns and other names .* 4 MiB'
    expect_files clicks.csv conversions.csv
}

# Rows that are held as they were read.
case_memory_max_of_evaluate() {
    write_clicks 50000
    write_conversions
    run evaluate --clicks clicks.csv --conversions conversions.csv --output report.txt --quiet \
        --memory-max 32M
    expect_status 1
    expect_error '^clickmatch: [0-9]+ clicks and [0-9]+ conversions, .* take more than 12 MiB'
}

# All clicks of the tenant count for an explanation, and those of others do not.
case_memory_max_of_explain() {
    write_clicks 250000
    echo tenant_id,conversion_id,conversion_timestamp,ip_address >conversions.csv
    echo t1,v1,2026-03-11T12:00:00Z,17.0.1.1 >>conversions.csv
    run explain v1 --clicks clicks.csv --conversions conversions.csv --memory-max 32M --output out
    expect_status 0
    expect_match out '^Result '
    sed -i 's/^t[0-9]/t1/' clicks.csv
    for threads in 1 2; do
        run explain v1 --clicks clicks.csv --conversions conversions.csv --memory-max 32M \
            --threads "$threads" --output new
        expect_status 1
        expect_error "^clickmatch: the clicks of the conversion's tenant take more than 24 MiB, .*"
    done
    run explain v1 --clicks clicks.csv --conversions conversions.csv --memory-max 80M --output out
    expect_status 0
    expect_files clicks.csv conversions.csv out
}

case_names_of_explain() {
    write_agent 10
    seq 40000 | awk '{printf "t,n%d,2026-03-10T12:00:00Z,%0200d\n", $1, $1}' >>clicks.csv
    run explain v1 --clicks clicks.csv --conversions conversions.csv --memory-max 32M
    expect_status 1
    expect_error "^clickmatch: the conversion's tenant: user agents, campaigns .* 4 MiB"
}

# ---- a stream ----

# events N: clicks, one a second.
write_events() {
    seq 0 $(($1 - 1)) | awk '{
        printf "{\"event\":\"click\",\"tenant_id\":\"t\",\"click_id\":\"k%d\",", $1
        printf "\"click_timestamp\":%.0f,\"fbclid\":\"f%d\"}\n", 1773144000000 + $1 * 1000, $1 }'
}

stream() {
    status=0
    "$program" stream --quiet --output results.ndjson --summary summary.json --recovery-target 0 \
        "$@" 2>"$work/err" || status=$?
}

# Conversions of some clicks, after all of them.
write_late_conversions() {
    for click in 0 1000 "$@"; do
        printf '{"event":"conversion","tenant_id":"t","conversion_id":"v%d","click_id":"k%d",' \
            "$click" "$click"
        printf '"conversion_timestamp":%d}\n' $((1773144000000 + 400000 * 1000))
    done
}

case_a_stream_forgets_the_oldest() {
    { write_events 400000; write_late_conversions 399999; } >events.ndjson
    stream --memory-max 64M <events.ndjson
    expect_status 0
    expect_match "$work/err" 'no room for more clicks: from now on the oldest, .* are forgotten'
    expect_match "$work/err" \
        'warning: [0-9]+ clicks, all of before 2026-03-1[0-9T:.]+Z, were forgotten early'
    expect_json summary.json "d['engine_bytes'] < 48 << 20" true
    expect_json summary.json \
        "d['stream']['clicks_dropped'] == d['memory']['clicks_left_out'] > 100000" true
    expect_json summary.json "d['engine_clicks'] + d['stream']['clicks_dropped']" 400000
    expect_json results.ndjson '[r["click_id"] for r in d]' '[null, null, "k399999"]'
    mv results.ndjson first.ndjson
    mv summary.json first.json
    # However it is cut into pieces.
    stream --memory-max 64M --linger 0 < <(dd if=events.ndjson bs=9973 status=none)
    expect_same results.ndjson first.ndjson
    expect_json summary.json "d['stream'] == json.load(open('first.json'))['stream']" true
    stream <events.ndjson
    expect_json summary.json "d['stream']['clicks_dropped']" 0
    expect_json results.ndjson '[r["click_id"] for r in d]' '["k0", "k1000", "k399999"]'
}

case_a_stream_begins_with_what_fits() {
    write_clicks 250000
    write_late_conversions >events.ndjson
    stream --memory-max 40M --clicks clicks.csv <events.ndjson
    expect_status 0
    expect_json summary.json "d['engine_bytes'] < 40 << 20" true
    expect_json summary.json "d['memory']['clicks_left_out'] > 50000" true
    expect_json summary.json "d['stream']['clicks_dropped']" 0
}

# ---- tenants ----

write_tenants() {
    { echo "$header"; seq -f 't%.0f,k,2026-03-10T12:00:00Z' "$1"; } >clicks.csv
}

case_tenants_max_of_files() {
    write_conversion
    write_tenants 1000
    match --tenants-max 1000
    expect_rejected 0
    rm results.csv summary.json
    for threads in 1 3; do
        match --tenants-max 999 --threads "$threads"
        expect_status 1
        expect_error '^clickmatch: clicks.csv: clicks of more than 999 tenants; .*--tenants-max'
        expect_files clicks.csv conversions.csv
    done
    write_tenants 100001
    match
    expect_status 1
    expect_error 'more than 100000 tenants'
}

case_tenants_max_of_evaluate_and_train() {
    write_tenants 1000
    seq -f 't%.0f,again,2026-03-10T12:00:00Z' 1000 >>clicks.csv
    write_conversion
    for command in evaluate train; do
        for max in 999 1000; do
            run "$command" --clicks clicks.csv --conversions conversions.csv --output out --quiet \
                --tenants-max "$max"
            [ "$max" -eq 999 ] || break
            expect_status 1
            expect_error '^clickmatch: clicks.csv: clicks of more than 999 tenants; .*--tenants-max'
        done
        expect_no_match "$work/err" tenants
    done
}

case_tenants_max_of_a_stream() {
    local why='"tenant_id", "one tenant more than --tenants-max"'
    for tenant in 1 2 3 2 1 3 4; do
        printf '{"event":"click","tenant_id":"t%d","click_id":"k%d","click_timestamp":%d}\n' \
            "$tenant" "$RANDOM" 1773144000000
    done >events.ndjson
    for pieces in 1 7 100000; do
        stream --tenants-max 2 --rejects rejects.ndjson < <(
            dd if=events.ndjson bs="$pieces" status=none)
        expect_status 0
        expect_json rejects.ndjson '[[r["line"], r["field"], r["reason"]] for r in d]' \
            "[[3, $why], [6, $why], [7, $why]]"
        expect_json summary.json 'd["clicks"]["rejected"]' 3
    done
}

# ---- candidates and nesting ----

case_max_candidates_of_a_model() {
    write_agent 10
    for value in 0 1025 1.5 1e99; do
        echo "{\"max_candidates\": $value}" >model.json
        match --model model.json
        expect_status 1
        expect_error '^clickmatch: model.json: .*max_candidates'
    done
    echo '{"max_candidates": 1024}' >model.json
    match --model model.json
    expect_status 0
}

# A key with many clicks costs a conversion no more than max_candidates of them.
case_many_clicks_of_one_key() {
    { echo "$header,ip_address"
        seq -f 't,k%.0f,2026-03-10T12:00:00Z,192.0.3.1' 300000; } >clicks.csv
    { echo tenant_id,conversion_id,conversion_timestamp,ip_address
        seq -f 't,v%.0f,2026-03-10T12:30:00Z,192.0.3.1' 20000; } >conversions.csv
    match
    expect_status 0
    expect_json summary.json "d['phases'][1]['name'], d['phases'][1]['seconds'] < 5" \
        '["match", true]'
}

nested() {
    yes "$2" 2>/dev/null | head -n "$1" | tr -d '\n'
}

case_deep_nesting() {
    write_agent 10
    for open in '[' '{"a":'; do
        { printf '{"name":'; nested 100000 "$open"; } >model.json
        match --model model.json
        expect_status 1
        expect_error '^clickmatch: model.json: .*depth'
        stream --rejects rejects.ndjson < <(
            printf '{"event":"click","x":'
            nested 100000 "$open"
            echo
            write_events 1
        )
        expect_status 0
        expect_json rejects.ndjson '[d["line"], d["reason"]]' '[1, "nested deeper than 64 levels"]'
        expect_json summary.json 'd["engine_clicks"]' 1
    done
}

# ---- packed files ----

case_zstd_window() {
    write_agent 10
    head -c 300000000 /dev/zero | zstd -q --long=30 >clicks.zst
    match --clicks clicks.zst
    expect_status 1
    expect_error '^clickmatch: clicks.zst: unpacking it takes a window of more than 128 MiB'
    zstd -q --ultra -22 <clicks.csv >clicks.zst
    match --clicks clicks.zst
    expect_status 0
}

# Small ones; make torture-bombs has them in full.
case_bombs() {
    is_sanitized && skip "a sanitizer takes more than is allowed" && return
    for bombs in zeros columns nested "million members" model; do
        "$root/tests/torture/bombs.py" --program "$program" --share 0.01 --only "$bombs" \
            >"$work/out" || fail "$(grep -v '^ok' "$work/out")"
        expect_match "$work/out" '^ok'
    done
}

run_cases
