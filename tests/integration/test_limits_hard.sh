#!/bin/bash
# The default of --memory-max under a real limit, with more data than has room: whatever the
# command, it ends with its own status and words, never by a signal, and what is left out is
# counted.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] || exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"

files_kib=180000 # of address space: three quarters of 80 % of it are for clicks,
clicks=520000    # of which there are so many, of 251 bytes each as they are counted
tables_kib=120000
table_clicks=340000

# Clicks, two a second, and conversions of each 100th when all are there: as CSV, and as
# events.
make_files() {
    mkdir "$work/files"
    python3 - "$work/files" "$clicks" <<'END'
import sys
folder, clicks = sys.argv[1], int(sys.argv[2])
day = "2026-03-%02dT%02d:%02d:%02dZ"
with open(folder + "/clicks.csv", "w") as rows, open(folder + "/events.ndjson", "w") as events:
    print("tenant_id,click_id,click_timestamp,fbclid", file=rows)
    for i in range(clicks):
        s = i // 2
        time = day % (8 + s // 86400, s // 3600 % 24, s // 60 % 60, s % 60)
        long = "%060d" % i
        print(f"t,k{long},{time},f{long}", file=rows)
        print(f'{{"event":"click","tenant_id":"t","click_id":"k{long}","click_timestamp":"{time}",'
              f'"fbclid":"f{long}"}}', file=events)
    with open(folder + "/conversions.csv", "w") as rows:
        print("tenant_id,conversion_id,conversion_timestamp,click_id", file=rows)
        for i in range(0, clicks, 100):
            long = "%060d" % i
            print(f"t,v{i},2026-03-12T00:00:00Z,k{long}", file=rows)
            print(f'{{"event":"conversion","tenant_id":"t","conversion_id":"v{i}","click_id":'
                  f'"k{long}","conversion_timestamp":"2026-03-12T00:00:00Z"}}', file=events)
END
}

# The same in PostgreSQL, the conversions as rows and as dead events.
make_tables() {
    psql -Xq -d template1 -c 'CREATE DATABASE much'
    export PGDATABASE=much
    "$program" migrate --quiet || echo "not ok make_tables: migrate fails"
    sql -c "DO \$\$ DECLARE i record; BEGIN
            FOR i IN SELECT indexrelid::regclass AS name FROM pg_index
                     WHERE indrelid = 'click_tracking'::regclass AND NOT indisunique
            LOOP EXECUTE 'DROP INDEX ' || i.name; END LOOP; END \$\$" \
        -c "INSERT INTO click_tracking (click_id, tenant_id, campaign_id, ad_id, click_timestamp,
                fbclid)
            SELECT 'k' || lpad(i::text, 60, '0'), 't', 'c', 'a',
                timestamptz '2026-03-08 00:00:00Z' + i * interval '500 ms',
                'f' || lpad(i::text, 60, '0')
            FROM generate_series(1, $table_clicks) AS i" \
        -c "INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type, click_id,
                conversion_timestamp)
            SELECT 'v' || i, 't', 'sale', 'k' || lpad(i::text, 60, '0'), '2026-03-12 00:00:00Z'
            FROM generate_series(100, $table_clicks, 100) AS i" \
        -c "INSERT INTO dead_events (tenant_id, source, event_type, error_type, error_message,
                payload, stream_name, stream_position)
            SELECT 't', 'stream', 'conversion', 'malformed', 'x', jsonb_build_object('event',
                'conversion', 'tenant_id', 't', 'conversion_type', 'sale', 'conversion_id',
                'd' || i, 'click_id', 'k' || lpad(i::text, 60, '0'), 'conversion_timestamp',
                '2026-03-12T00:00:00Z'), 'test', i::text
            FROM generate_series(100, $table_clicks, 100) AS i"
}

# limited KIB COMMAND...: run it with so much address space, and the default of --memory-max.
limited() {
    local kib=$1
    shift
    status=0
    (ulimit -v "$kib" && exec "$program" "$@" --quiet --threads 2) >"$work/out" 2>"$work/err" \
        </dev/null || status=$?
    [ "$status" -lt 128 ] || fail "ended by signal $((status - 128)): $(cat "$work/err")"
}

# expect_left_out KIB CLICKS FOUND [FORGOTTEN]: the oldest clicks, counted; of the conversions,
# Python's FOUND of them, those of newer clicks were found, and of clicks that were there until they
# were FORGOTTEN.
expect_left_out() {
    expect_status 0
    local words='those before 2026-03-[0-9T:.]+Z, were left out'
    [ $# -eq 3 ] || words='all of before 2026-03-[0-9T:.]+Z, were forgotten early'
    expect_match "$work/err" "warning: [0-9]+ clicks, $words: --memory-max"
    expect_json summary.json 'd["memory"]["max_bytes"]' "$(($1 * 4096 / 5))"
    expect_json summary.json "$2 // 10 < d['memory']['clicks_left_out'] < $2 * 2 // 3" true
    expect_json summary.json \
        "-1 <= $3 - ($2 - d['memory']['clicks_left_out']) / 100 <= ${4-0} / 100 + 1" true
}

of_summary='d["attribution"]["methods"]["url_param"]["conversions"]'

case_match() {
    limited "$files_kib" match --clicks "$work/files/clicks.csv" --recovery-target 0 \
        --conversions "$work/files/conversions.csv" --output results.csv --summary summary.json
    expect_left_out "$files_kib" "$clicks" "$of_summary"
    expect_json summary.json 'd["clicks"]["rows"]' "$clicks"
    [ "$(wc -l <results.csv)" -eq $((clicks / 100 + 1)) ] || fail "$(wc -l <results.csv) results"
}

case_stream() {
    limited "$files_kib" stream --events "$work/files/events.ndjson" --recovery-target 0 \
        --output results.ndjson --summary summary.json
    expect_left_out "$files_kib" "$clicks" "$of_summary" 65536
    expect_json summary.json 'd["stream"]["clicks_dropped"] == d["memory"]["clicks_left_out"]' true
    [ "$(wc -l <results.ndjson)" -eq $((clicks / 100)) ] || fail "$(wc -l <results.ndjson) results"
}

case_evaluate_and_train() {
    local command
    for command in evaluate train; do
        limited "$files_kib" "$command" --clicks "$work/files/clicks.csv" --conversions \
            "$work/files/conversions.csv" --output out
        expect_status 1
        expect_error '^clickmatch: [0-9]+ clicks and 0 conversions, .* take more than 52 MiB, three'
        expect_files ''
    done
}

case_explain() {
    limited "$files_kib" explain v100 --clicks "$work/files/clicks.csv" --conversions \
        "$work/files/conversions.csv" --output out
    expect_status 1
    expect_error "^clickmatch: the clicks of the conversion's tenant take more than 105 MiB, three"
    expect_files ''
}

batch() {
    limited "$tables_kib" batch --from 2026-03-08 --to 2026-03-13 --recovery-target 0 \
        --summary summary.json "$@"
}

case_batch() {
    batch
    expect_left_out "$tables_kib" "$table_clicks" "$of_summary"
    expect_json summary.json '[d["clicks"]["rows"], d["conversions"]["rows"]]' \
        "[$table_clicks, $((table_clicks / 100))]"
    expect_sql "SELECT status FROM attribution_recompute_jobs" succeeded
}

case_challenger() {
    echo '{"name":"other","max_candidates":32}' >other.json
    batch --challenger other.json
    expect_status 1
    expect_error '^clickmatch: [0-9]+ clicks and 0 conversions, .* take more than 35 MiB, three'
}

case_explain_from_tables() {
    limited "$tables_kib" explain v100 --output out
    expect_status 1
    expect_error "^clickmatch: the clicks of the conversion's tenant take more than 70 MiB, three"
}

case_retry() {
    limited "$tables_kib" retry --summary summary.json
    expect_left_out "$tables_kib" "$table_clicks" 'd["methods"]["url_param"]'
    expect_json summary.json '[d["resolved"], d["failed"]]' "[$((table_clicks / 100)), 0]"
}

# What the program itself needs is not there.
case_next_to_nothing() {
    limited 60000 match --clicks "$work/files/clicks.csv" --recovery-target 0 \
        --conversions "$work/files/conversions.csv" --output results.csv
    expect_status 1
    expect_error '^clickmatch: .*(memory|--memory-max)'
}

make_files
make_tables
run_cases
