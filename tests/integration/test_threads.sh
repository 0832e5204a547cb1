#!/bin/bash
# Whatever starts threads: a little run of it with three gives what one thread gives. `make tsan`
# runs this with a program under the thread sanitizer, which ends a run that has a race with 66.
# scripts/tidy.py holds that each file of src/ that starts threads is named by `# starts:` of a
# case; where a library starts them, too.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] || exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/model.sh
. "$(dirname "$0")/fixtures/model.sh"
# shellcheck source=tests/integration/fixtures/dead.sh
. "$(dirname "$0")/fixtures/dead.sh"
# The functions click and conversion are those of streams here.
# shellcheck source=tests/integration/fixtures/stream.sh
. "$(dirname "$0")/fixtures/stream.sh"

made=$work/files # a world of several blocks of input, and of a table
files=(--clicks "$made/clicks.csv" --conversions "$made/conversions.csv")

# Run a command on three threads, of which the last case hears.
threaded() {
    echo "$1" >>"$work/commands"
    run "$@" --threads 3
    expect_status 0
}

# The same on one.
alone() {
    run "$@" --threads 1
    expect_status 0
}

# starts: src/sim/run.c
case_simulate() {
    local options=(--quiet --clicks-count 13000 --conversions-count 5000 --seed 5)
    alone simulate "${options[@]}" --output one
    threaded simulate "${options[@]}" --output "$made"
    diff -r one "$made" >changes || fail "$(head -c 300 changes)"
}

# starts: src/engine/block_run.c src/index/click_bulk.c src/util/parallel.c
case_match() {
    local options=(--quiet --recovery-target 0)
    alone match "${files[@]}" "${options[@]}" --output one.csv
    threaded match "${files[@]}" "${options[@]}" --output three.csv
    expect_same one.csv three.csv
    [ "$(grep -c -E ',(url_param|fingerprint|probabilistic),' three.csv)" -gt 1000 ] ||
        fail "few attributed: $(head -n 2 three.csv)"
}

case_explain() {
    local id
    id=$(sed -n '2s|^[^,]*,\([^,]*\),.*|\1|p' "$made/conversions.csv")
    alone explain "$id" "${files[@]}"
    mv "$work/out" one
    threaded explain "$id" "${files[@]}"
    expect_same one "$work/out"
}

# starts: src/engine/records_pass.c src/cmd/evaluate_labels.c src/eval/figures.c
case_evaluate() {
    echo '{"probabilistic":{"prior":0.2}}' >other.json
    local options=(--quiet --mask-and-delete 0.3 --bootstrap 12 --model other.json --format json)
    alone evaluate "${files[@]}" "${options[@]}" --output one.json
    threaded evaluate "${files[@]}" "${options[@]}" --output three.json
    expect_same one.json three.json
    expect_json three.json 'd["judged"] > 1000' true
}

# starts: src/train/sampling.c src/train/sums.c
case_train() {
    alone train "${files[@]}" --quiet --traits --force --output one.json
    threaded train "${files[@]}" --quiet --traits --force --output three.json
    expect_same one.json three.json
}

# Times are never judged, outcomes are.
# starts: src/cmd/bench_pass.c
case_bench() {
    local options=(--quick --only match --only restore --clicks-count 4000
        --conversions-count 3000 --repetitions 1) n
    alone bench "${options[@]}" --json 1.json
    threaded bench "${options[@]}" --json 3.json
    for n in 1 3; do
        python3 -c '
import json, sys
for section in json.load(open(sys.argv[1]))["sections"]:
    for f in section["figures"]:
        if "share" in f["figure"]:
            print(f["case"], f["figure"], f["median"])' "$n.json" >"$n.shares"
    done
    expect_same 1.shares 3.shares
    [ "$(wc -l <3.shares)" -ge 4 ] || fail "$(wc -l <3.shares) shares"
}

# Events of two segments: clicks that can be found for longer have their own.
make_stream() {
    local options=(--quiet --clicks-count 900 --conversions-count 400 --format ndjson)
    "$program" simulate "${options[@]}" --output world --threads 1 || fail "no world"
    python3 "$fixtures/events.py" world complete | python3 -c '
import json, sys
for line in sys.stdin:
    event = json.loads(line)
    if event["seq"] % 5 == 0 and event["event"] == "click":
        event["expires_at"] = "2027-01-01T00:00:00Z"
    print(json.dumps(event))' >events.ndjson
}

# What was read before the checkpoint, then the rest, by the clicks that it holds.
# starts: src/file/parts_open.c src/index/segment_load.c src/cmd/metrics_file.c
case_stream_with_checkpoints() {
    local part
    make_stream
    stream --threads 1 <events.ndjson
    expect_status 0
    mv results.ndjson one.ndjson
    head -n 700 events.ndjson >first
    tail -n +701 events.ndjson >second
    for part in first second; do
        stream --threads 3 --checkpoint window --checkpoint-interval 10ms --metrics figures <"$part"
        expect_status 0
        mv results.ndjson "$part.ndjson"
    done
    echo stream >>"$work/commands"
    [ "$(find window -name 'clicks-*.part' | wc -l)" -ge 2 ] || fail "$(ls window)"
    cat first.ndjson second.ndjson >three.ndjson
    expect_same one.ndjson three.ndjson
    expect_match figures '^clickmatch_stream_events_total\{kind="click"\} [1-9]'
}

# Clicks to begin with, and figures that somebody reads while events come.
# starts: src/cmd/metrics_http.c
case_stream_with_clicks_and_figures() {
    local url n
    {
        echo 'no event'
        make_stream
        cat events.ndjson
    } >all
    stream --threads 1 --clicks "$made/clicks.csv" --max-future 3650d <all
    expect_status 0
    mv results.ndjson one.ndjson
    rm -f events
    begin_stream --threads 3 --clicks "$made/clicks.csv" --max-future 3650d --metrics :0
    await grep -q 'metrics at http' err
    url=$(sed -n 's/.*metrics at //p' err)
    for n in 1 501 1001; do
        tail -n "+$n" all | head -n 500 >&7
        fetch "$url" >figures || fail "no figures"
    done
    await has_counted_clicks "$url"
    end_stream
    expect_status 0
    expect_same one.ndjson results.ndjson
}

has_counted_clicks() {
    fetch "$1" | grep -E '^clickmatch_stream_events_total\{kind="click"\} [1-9]'
}

fetch() {
    python3 -c '
import sys, urllib.request
sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())' "$1"
}

# All of the world as a stream. The results are those of files, and `batch` finds none to change.
# starts: src/pg/pg_sink.c
case_stream_into_postgresql() {
    local options=(--quiet --clicks-count 13000 --conversions-count 5000 --seed 5 --days 5
        --format ndjson)
    run simulate "${options[@]}" --output world
    expect_status 0
    python3 "$fixtures/events.py" world complete >events.ndjson
    use_new_database found_empty
    stream --threads 3 --sink db --sink stdout --store-clicks --sink-batch 500 --metrics figures \
        <events.ndjson
    expect_status 0
    mv results.ndjson three.ndjson
    stream --threads 1 <events.ndjson
    expect_status 0
    expect_same results.ndjson three.ndjson
    expect_sql 'SELECT (SELECT count(*) FROM conversion_tracking),
                (SELECT count(*) FROM click_tracking), (SELECT count(*) FROM dead_events)' \
        '5000|13000|0'
    sql -c 'VACUUM ANALYZE'
    psql -Xq -d template1 -c "CREATE DATABASE streamed TEMPLATE $PGDATABASE"
    run batch --quiet --recovery-target 0 "${days[@]}" --summary summary.json
    expect_status 0
    expect_sql 'SELECT conversions_read, conversions_changed FROM attribution_recompute_jobs' \
        '5000|0'
}

# The sink's thread connects again, and sends again what was under way.
case_stream_that_loses_its_session() {
    local n
    use_new_database found_empty
    begin_stream --sink db --store-clicks --sink-linger 1ms
    for n in 1 2 3; do
        click "k$n" "12:0$n:00" ',"campaign_id":"c","ad_id":"a"' >&7
        conversion "v$n" "k$n" "13:0$n:00" ',"conversion_type":"sale"' >&7
        await stored "$n"
        sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'clickmatch' AND datname = current_database()" >ended
        expect_match ended '^t$'
    done
    click k4 12:04:00 ',"campaign_id":"c","ad_id":"a"' >&7
    end_stream
    expect_status 0
    expect_sql 'SELECT count(*) FROM click_tracking' 4
    expect_sql "SELECT string_agg(conversion_id || attribution_method, ' ' ORDER BY conversion_id)
                FROM conversion_tracking" 'v1url_param v2url_param v3url_param'
}

stored() {
    [ "$(sql -c 'SELECT count(*) FROM conversion_tracking')" -eq "$1" ]
}

# The champion is read again in a thread while events come.
# starts: src/cmd/model_reload.c
case_stream_whose_model_is_read_again() {
    local n
    use_new_database adopted
    add default 2 0.5
    promote default@2
    begin_stream --sink db --sink stdout --store-clicks --threads 3 --checkpoint window
    await grep -q 'model default@2 of the registry, the champion' err
    for n in 3 4; do
        add default "$n" "0.0$n"
        promote "default@$n"
        kill -HUP "$stream"
        click "k$n" "12:0$n:00" ',"campaign_id":"c","ad_id":"a"' >&7
        await grep -q "model default@$n from now on" err
        conversion "v$n" "k$n" "13:0$n:00" ',"conversion_type":"sale"' >&7
        await grep -q "\"v$n\"" results.ndjson
    done
    end_stream
    expect_status 0
    expect_told conversion_id model attribution_method <<'END'
v3 default@3 url_param
v4 default@4 url_param
END
}

forget_results() {
    sql -c "UPDATE conversion_tracking SET attributed_click_id = NULL, attribution_method = NULL,
                attribution_confidence = NULL, attribution_window_hours = NULL,
                fingerprint_match_score = NULL, probabilistic_candidates = NULL,
                match_probability = NULL, attribution_model = NULL, attributed_at = NULL"
}

# starts: src/cmd/batch_read.c src/eval/paired.c
case_batch() {
    local options=(--quiet --recovery-target 0 "${days[@]}") how
    echo '{"probabilistic":{"prior":0.2}}' >other.json
    for how in alone threaded; do
        use_new_database streamed
        forget_results
        $how batch "${options[@]}" --challenger other.json --summary "$how.json"
        expect_json "$how.json" 'd["batch"]["changed"]' 5000
        contents >"$how"
        python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))["batch"]["challenge"]
del d["seconds"]
json.dump(d, sys.stdout, indent=1)' "$how.json" >"$how.challenge"
    done
    expect_same alone threaded
    expect_same alone.challenge threaded.challenge
}

case_retry() {
    local how
    for how in alone threaded; do
        use_new_database streamed_broken
        mend_all
        $how retry --quiet --summary "$how.json"
        expect_json "$how.json" '[d["resolved"], d["failed"]]' "[$broken, 0]"
        contents >"$how"
    done
    expect_same alone threaded
}

# Whatever commands there will be: each that takes --threads has had its run.
case_each_command_with_threads_was_run() {
    local command
    "$program" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort -u >listed
    while read -r command; do
        ! "$program" "$command" --help | grep -q -e '--threads' || echo "$command"
    done <listed >wanted
    [ "$(wc -l <wanted)" -ge 9 ] || fail "only $(wc -l <wanted) commands take --threads"
    sort -u "$work/commands" >had
    expect_same wanted had
}

make_dead_templates
run_cases
