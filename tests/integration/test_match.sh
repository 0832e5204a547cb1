#!/bin/bash
# `match` on whole files: results, formats, packing, rejects, summary.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

clicks=$vectors/clicks.csv
conversions=$vectors/conversions.csv

match() {
    run match --clicks "$clicks" --conversions "$conversions" --quiet "$@"
}

# Print columns of a CSV without quoted line ends, by name.
columns() {
    python3 -c '
import csv, sys
rows = list(csv.reader(open(sys.argv[1], encoding="utf-8", newline="")))
places = [rows[0].index(name) for name in sys.argv[2:]]
for row in rows:
    print(",".join(row[place] for place in places))' "$@"
}

# One click and one conversion of it.
write_pair() {
    printf 'tenant_id,click_id,click_timestamp\nt,k1,2026-03-10T12:00:00Z\n' >clicks.csv
    printf 'tenant_id,conversion_id,conversion_timestamp,click_id\n' >conversions.csv
    printf 't,v1,2026-03-10T12:30:00Z,k1\n' >>conversions.csv
}

# Clicks with addresses, the second of three malformed.
write_bad_address() {
    cat >clicks.csv <<'END'
tenant_id,click_id,click_timestamp,ip_address
t,k1,2026-03-10T12:00:00Z,192.0.2.1
t,k2,2026-03-10T12:00:01Z,300.1.2.3
t,k3,2026-03-10T12:00:02Z,192.0.2.3
END
    printf 'tenant_id,conversion_id,conversion_timestamp,click_id\n' >conversions.csv
    printf 't,v2,2026-03-10T12:30:00Z,k2\n' >>conversions.csv
}

# A number of clicks, the first so many without an id.
write_many() {
    awk -v rows="$1" -v bad="$2" 'BEGIN {
        print "tenant_id,click_id,click_timestamp"
        for (i = 1; i <= rows; i++)
            printf "t,%s,2026-03-10T12:00:00Z\n", i <= bad ? "" : "k" i
    }' >many.csv
    printf 'tenant_id,conversion_id,conversion_timestamp,click_id\n' >conversions.csv
}

case_vectors() {
    match --output results.csv
    expect_status 0
    # shellcheck disable=SC2046 # names of columns
    columns results.csv $(head -n 1 "$vectors/expected.csv" | tr , ' ') >got.csv
    diff "$vectors/expected.csv" got.csv >changes || fail "$(cat changes)"
    expect_files results.csv got.csv changes
}

case_default_output_is_standard_output() {
    match --output results.csv
    match
    expect_status 0
    expect_same "$work/out" results.csv
}

case_ndjson_agrees_with_csv() {
    match --output results.csv
    match --output results.ndjson
    expect_status 0
    python3 - <<'END' || fail "they differ"
import csv, json
with open("results.ndjson", encoding="utf-8") as file:
    objects = [json.loads(line, parse_float=str, parse_int=str) for line in file]
with open("results.csv", encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))
def text(name, value):
    if name == "candidates":
        return [(c["click_id"], c["probability"]) for c in value]
    return value or ""
for row in rows:
    row["candidates"] = json.loads(row["candidates"], parse_float=str, parse_int=str)
same = [{n: text(n, v) for n, v in o.items()} for o in objects]
want = [{n: text(n, v) for n, v in r.items()} for r in rows]
assert same == want and len(rows) > 30
END
}

case_format_overrides_the_suffix() {
    match --output a.csv --format ndjson
    match --output b.ndjson
    match --output c.jsonl
    expect_same a.csv b.ndjson
    expect_same c.jsonl b.ndjson
}

case_packed_inputs() {
    match --output plain.csv
    gzip -c "$clicks" >clicks.gz
    zstd -q "$conversions" -o conversions.zst
    run match --clicks clicks.gz --conversions conversions.zst --quiet --output packed.csv
    expect_status 0
    expect_same plain.csv packed.csv
}

case_ndjson_input() {
    match --output plain.csv
    python3 - "$clicks" "$conversions" <<'END'
import csv, json, sys
for path, name in zip(sys.argv[1:], ("clicks.ndjson", "conversions.ndjson")):
    with open(path, encoding="utf-8", newline="") as rows, open(name, "w") as file:
        for row in csv.DictReader(rows):
            file.write(json.dumps({k: v or None for k, v in row.items()}) + "\n")
END
    run match --clicks clicks.ndjson --conversions conversions.ndjson --quiet --output json.csv
    expect_status 0
    expect_same plain.csv json.csv
}

case_several_files() {
    match --output whole.csv
    { head -n 1 "$clicks" && sed -n '2,400p' "$clicks"; } >one.csv
    { head -n 1 "$clicks" && sed -n '401,$p' "$clicks"; } >two.csv
    { head -n 1 "$conversions" && sed -n '2,20p' "$conversions"; } >three.csv
    { head -n 1 "$conversions" && sed -n '21,$p' "$conversions"; } >four.csv
    run match --clicks one.csv --conversions three.csv --clicks two.csv --conversions four.csv \
        --quiet --output parts.csv
    expect_status 0
    expect_same whole.csv parts.csv
}

case_standard_input() {
    match --output file.csv
    "$program" match --clicks - --conversions "$conversions" --quiet --output - \
        <"$clicks" >pipe.csv 2>"$work/err" || fail "exit status $?"
    expect_same file.csv pipe.csv
}

case_pipes_as_inputs() {
    match --output file.csv
    run match --clicks <(cat "$clicks") --conversions <(gzip -c "$conversions") --quiet \
        --output pipe.csv
    expect_status 0
    expect_same file.csv pipe.csv
}

# Its writer serves one after the other.
case_named_pipes() {
    mkfifo a b
    (cat "$clicks" >a && cat "$conversions" >b) &
    run match --clicks a --conversions b --quiet --output pipe.csv
    wait
    expect_status 0
    [ "$(wc -l <pipe.csv)" -eq "$(wc -l <"$conversions")" ] || fail "rows are missing"
}

case_threads_change_nothing() {
    run simulate --output world --clicks-count 20000 --conversions-count 20000 --quiet
    for threads in 1 4; do
        run match --clicks world/clicks.csv --conversions world/conversions.csv --quiet \
            --recovery-target 0 --threads "$threads" --output "$threads.csv"
        expect_status 0
    done
    [ "$(wc -l <1.csv)" -eq 20001 ] || fail "$(wc -l <1.csv) lines"
    expect_same 1.csv 4.csv
}

case_duplicates_count_once() {
    write_pair
    printf 't,k1,2026-03-10T12:20:00Z\n' >>clicks.csv
    cp conversions.csv again.csv
    run match --clicks clicks.csv --conversions conversions.csv --conversions again.csv \
        --output results.csv --summary summary.json
    expect_status 0
    [ "$(wc -l <results.csv)" -eq 2 ] || fail "$(cat results.csv)"
    expect_json summary.json 'd["clicks"]["duplicates"]' 1
    expect_json summary.json 'd["conversions"]["duplicates"]' 1
    expect_json summary.json 'd["attribution"]["conversions"]' 1
}

case_rejects_are_told_and_kept() {
    write_bad_address
    run match --clicks clicks.csv --conversions conversions.csv --output results.csv \
        --rejects rejects.ndjson --summary summary.json --quiet
    expect_status 0
    expect_match "$work/err" '^clickmatch: warning: clicks\.csv:3: ip_address: '
    expect_json rejects.ndjson 'd["source"]' '"clicks.csv"'
    expect_json rejects.ndjson 'd["line"]' 3
    expect_json rejects.ndjson 'd["byte"]' 108
    expect_json rejects.ndjson 'd["field"]' '"ip_address"'
    expect_json rejects.ndjson 'd["row"]' '"t,k2,2026-03-10T12:00:01Z,300.1.2.3"'
    [ "$(stat -c %a rejects.ndjson)" = 600 ] || fail "others may read the rejects"
    expect_json summary.json '[(r["kind"], r["field"], r["rows"]) for r in d["rejects"]]' \
        '[["clicks", "ip_address", 1]]'
    expect_match results.csv ',no_match,'
}

case_lenient_takes_bad_fields_as_missing() {
    write_bad_address
    run match --clicks clicks.csv --conversions conversions.csv --output results.csv --lenient \
        --rejects rejects.ndjson --summary summary.json --quiet
    expect_status 0
    expect_json summary.json 'd["clicks"]["lenient"]' '{"ip_address": 1}'
    expect_json summary.json 'd["clicks"]["rejected"]' 0
    expect_match results.csv 'v2,t,k2,'
    [ ! -s rejects.ndjson ] || fail "rejects: $(cat rejects.ndjson)"
}

case_only_the_first_rejects_are_told() {
    write_many 50 20
    run match --clicks many.csv --conversions conversions.csv --output results.csv --quiet
    expect_status 0
    [ "$(grep -c ': click_id: ' "$work/err")" -eq 5 ] || fail "$(cat "$work/err")"
    expect_match "$work/err" 'many\.csv: 15 more rejected rows'
}

case_too_many_rejects() {
    write_many 2000 1001
    run match --clicks many.csv --conversions conversions.csv --output results.csv \
        --rejects rejects.ndjson --summary summary.json --quiet
    expect_status 3
    expect_match "$work/err" 'many\.csv: 1,001 of 2,000 rows rejected, 1,000 are allowed; '
    [ "$(wc -l <rejects.ndjson)" -eq 1001 ] || fail "$(wc -l <rejects.ndjson) rejects are kept"
    expect_json summary.json 'd["outcome"]' '"refused"'
    expect_files many.csv conversions.csv rejects.ndjson summary.json
}

case_max_rejects() {
    write_many 2000 1001
    run match --clicks many.csv --conversions conversions.csv --max-rejects 1001 --quiet
    expect_status 0
    run match --clicks many.csv --conversions conversions.csv --max-rejects 1000 --quiet
    expect_status 3
    run match --clicks many.csv --conversions conversions.csv --max-rejects none --quiet
    expect_status 0
    CLICKMATCH_MAX_REJECTS=0 run match --clicks many.csv --conversions conversions.csv --quiet
    expect_status 3
}

case_summary() {
    match --output results.csv --summary summary.json
    expect_status 0
    expect_json summary.json 'd["outcome"]' '"done"'
    expect_json summary.json 'd["model"]' '"default@1"'
    expect_json summary.json 'd["clicks"]["rows"]' 831
    expect_json summary.json 'd["conversions"]["rows"]' 38
    expect_json summary.json 'd["attribution"]["methods"]["unattributed"]["conversions"]' 18
    expect_json summary.json 'd["attribution"]["methods"]["url_param"]["mean_confidence"]' 1.0
    expect_json summary.json '[sum(l.values()) for l in d["attribution"]["layers"]]' '[38, 38, 38]'
    expect_json summary.json 'd["attribution"]["recovery"]["is_under_target"]' true
    expect_json summary.json 'round(d["attribution"]["recovery"]["rate"], 4)' 0.5263
    expect_json summary.json 'round(sum(d["attribution"]["recovery"]["layers"]), 4)' 0.5263
    expect_json summary.json '[p["name"] for p in d["phases"]]' '["load clicks", "match"]'
    expect_json summary.json 'd["peak_memory_bytes"] > 1000000' true
}

case_summary_text() {
    run match --clicks "$clicks" --conversions "$conversions" --output results.csv
    expect_match "$work/err" '^  clicks +831 +0 +0$'
    expect_match "$work/err" '^  url_param +5 +13\.16 % +1\.0000$'
    expect_match "$work/err" '^recovery rate +0\.5263 = 0\.1316 layer 1 \+ '
    expect_match "$work/err" '^peak memory'
    expect_match "$work/err" '^clicks held .* MiB, [0-9.]+ bytes a click$'
    expect_match "$work/err" 'recovery rate is 0\.5263, under --recovery-target 0\.85'
}

case_recovery_target() {
    match --output results.csv --recovery-target 0.5
    expect_status 0
    [ ! -s "$work/err" ] || fail "$(cat "$work/err")"
}

case_json_log() {
    write_bad_address
    run match --clicks clicks.csv --conversions conversions.csv --output results.csv \
        --log-format json
    expect_status 0
    expect_json "$work/err" '[l["level"] for l in d]' '["warning", "info", "warning"]'
    expect_json "$work/err" '"clicks.csv:3: ip_address: " in d[0]["message"]' true
    expect_json "$work/err" 'd[1]["summary"]["clicks"]["rejected"]' 1
    run match --clicks missing.csv --conversions conversions.csv --log-format json
    expect_json "$work/err" '[d["level"], d["code"]]' '["error", "io"]'
}

case_model_file() {
    printf '{"name":"mine","version":"7"}' >model.json
    match --model model.json --output results.csv
    expect_status 0
    expect_match results.csv ',mine@7$'
}

case_empty_sources_of_rows() {
    write_pair
    head -n 1 conversions.csv >none.csv
    run match --clicks clicks.csv --conversions none.csv --output results.csv --summary s.json
    expect_status 0
    [ "$(wc -l <results.csv)" -eq 1 ] || fail "$(cat results.csv)"
    expect_json s.json 'd["attribution"]["recovery"]["rate"]' null
}

case_output_replaces_a_file_whole() {
    write_pair
    echo old >results.csv
    run match --clicks clicks.csv --conversions conversions.csv --output results.csv --quiet
    expect_status 0
    expect_no_match results.csv old
    expect_files clicks.csv conversions.csv results.csv
}

# Work over two seconds says on a terminal how far it is.
case_progress_on_a_terminal() {
    python3 "$root/tests/integration/fixtures/terminal.py" 2.5 "$vectors/clicks.csv" \
        "$program" match --clicks - --output out \
        --conversions "$vectors/conversions.csv" >shown ||
        fail "$(cat shown)"
    expect_match shown '^load clicks  [0-9]+ rows/s'
}

run_cases
