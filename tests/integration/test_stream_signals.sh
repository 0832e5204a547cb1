#!/bin/bash
# Signals to a `stream`: SIGHUP reads the model again, SIGUSR1 asks how it is, SIGTERM ends it.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # names of the files read here
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/stream.sh
. "$root/tests/integration/fixtures/stream.sh"

# A click and a conversion that only its address tells of.
probable() {
    click "k$1" 12:00:00 ",\"ip_address\":\"203.0.113.$1\",\"device_type\":\"mobile\""
    conversion "v$1" - 12:30:00 ",\"ip_address\":\"203.0.113.$1\",\"device_type\":\"mobile\""
}

case_sighup_reads_the_model_again() {
    printf '{"name":"mine","version":"1"}' >model.json
    begin_stream --model model.json --lateness 1h
    probable 1 >&7
    await grep -q '"v1"' results.ndjson
    printf '{"name":"mine","version":"2","probabilistic":{"prior":0.01}}' >model.json
    kill -HUP "$stream"
    await grep -q 'model mine@2 from now on' err
    probable 2 >&7
    await grep -q '"v2"' results.ndjson
    end_stream
    expect_status 0
    expect_told conversion_id model layer_3_result <<'END'
v1 mine@1 success
v2 mine@2 low_probability
END
}

# A model that cannot be used leaves the old one at work, with a warning, as often as it takes.
case_sighup_with_a_broken_model() {
    local broken count=0
    printf '{"name":"mine","version":"1"}' >model.json
    begin_stream --model model.json --quiet
    for broken in '{"name":' '{"prior":1}' '{"window_hours":24,"probabilistic_window_hours":6}' \
        gone; do
        if [ "$broken" = gone ]; then rm model.json; else echo "$broken" >model.json; fi
        kill -HUP "$stream"
        count=$((count + 1))
        await eval "[ \$(grep -c 'warning: the model stays mine@1: ' err) -eq $count ]"
    done
    expect_match err 'model.json'
    conversion a - 12:00:00 >&7
    end_stream
    expect_status 0
    expect_told model <<<mine@1
}

case_sighup_without_a_model() {
    begin_stream
    kill -HUP "$stream"
    await grep -q 'model default@1 from now on' err
    end_stream
    expect_status 0
}

# A model by its version, 1 to 9, on which its results depend.
numbered_model() {
    printf '{"name":"mine","version":"%s","probabilistic":{"prior":0.%s}}' "$1" "$1"
}

# Each result is by one model or the other, whole, however often it changes meanwhile.
case_sighup_under_load() {
    run simulate --output world --clicks-count 20000 --conversions-count 20000 --days 3 --quiet \
        --format ndjson
    python3 "$root/tests/integration/fixtures/events.py" world >events.ndjson
    for version in 1 2; do
        numbered_model "$version" >model.json
        stream --model model.json <events.ndjson
        mv results.ndjson "by$version.ndjson"
    done
    mv events.ndjson all.ndjson
    begin_stream --quiet --model model.json
    for ((i = 0; i < 40; i++)); do
        numbered_model $((i % 2 + 1)) >model.new
        mv model.new model.json
        kill -HUP "$stream"
        sed -n "$((i * 1000 + 1)),$((i * 1000 + 1000))p" all.ndjson >&7
    done
    end_stream
    expect_status 0
    [ "$(wc -l <results.ndjson)" -eq 20000 ] || fail "$(wc -l <results.ndjson) results"
    sort -u by1.ndjson by2.ndjson >allowed
    sort results.ndjson | comm -23 - allowed >other
    [ ! -s other ] || fail "by neither: $(head -n 1 other)"
    grep -q 'mine@1' results.ndjson || fail "none by the first"
    grep -q 'mine@2' results.ndjson || fail "none by the second"
}

# ---- status ----

case_sigusr1() {
    begin_stream --grace 1h
    click k 12:00:00 ',"seq":41' >&7
    conversion held k 12:00:01 ',"seq":42' >&7
    echo nonsense >&7
    await grep -q 'warning: events:3' err
    kill -USR1 "$stream"
    await grep -q ' events, ' err
    expect_match err '^clickmatch: [23] events, .*seq 42; .*held'
    end_stream
    expect_status 0
}

# It was asked for: --quiet or not.
case_sigusr1_when_quiet() {
    begin_stream --quiet --log-format json
    click k 12:00:00 ',"seq":41' >&7
    await_idle "$stream"
    kill -USR1 "$stream"
    await grep -q ' events, ' err
    expect_json err '"1 events, " in d["message"]' true
    end_stream
    expect_status 0
}

# ---- the end ----

# What was read before is matched and written, and all of it once.
case_sigterm_under_load() {
    run simulate --output world --clicks-count 40000 --conversions-count 40000 --days 3 --quiet \
        --format ndjson
    python3 "$root/tests/integration/fixtures/events.py" world >all.ndjson
    stream <all.ndjson
    mv results.ndjson wanted.ndjson
    begin_stream --quiet
    cat all.ndjson >&7 2>cat_err &
    writer=$!
    await test -s results.ndjson
    kill -TERM "$stream"
    wait_stream
    exec 7>&-
    wait "$writer"
    expect_status 5
    expect_error 'interrupted while reading events'
    lines=$(wc -l <results.ndjson)
    [ "$lines" -gt 0 ] || fail "no results"
    head -n "$lines" wanted.ndjson | cmp -s - results.ndjson || fail "not the first results"
}

case_sigint_is_the_same() {
    begin_stream --quiet
    conversion a - 12:00:00 >&7
    await grep -q '"a"' results.ndjson
    kill -INT "$stream"
    wait_stream
    exec 7>&-
    expect_status 5
}

# Also where it has not begun: no writer has opened the pipe. It is seen whenever it comes.
case_sigterm_while_the_pipe_waits_for_a_writer() {
    local round
    mkfifo events
    for round in 0 1 2 3 4 5 6 7 8 9; do
        rm -f results.ndjson
        "$program" stream --events events --output results.ndjson 2>err &
        stream=$!
        await [ -e results.ndjson ]
        sleep "0.00$((round % 5))"
        kill -TERM "$stream"
        wait_stream
        expect_status 5
        expect_match err 'interrupted while reading events'
    done
}

# With a checkpoint, what is held goes on being held; events that come again are left out.
case_sigterm_and_a_checkpoint() {
    {
        click k 12:00:00 ',"seq":1'
        conversion held k 12:00:01 ',"seq":2'
        click k2 12:00:00 ',"seq":3'
        conversion held2 k2 12:00:01 ',"seq":4'
    } >first
    begin_stream --quiet --grace 10m --checkpoint window
    cat first >&7
    await_idle "$stream"
    kill -TERM "$stream"
    wait_stream
    exec 7>&-
    expect_status 5
    [ ! -s results.ndjson ] || fail "let go: $(cat results.ndjson)"
    expect_json window/position.json 'd["resume_from_seq"]' 5
    begin_stream --grace 10m --checkpoint window
    await grep -q '2 clicks in .*; resume from seq 5' err
    cat first >&7
    conversion new k 12:30:00 ',"seq":5' >&7
    await grep -q '"held2"' results.ndjson
    end_stream
    expect_status 0
    expect_told conversion_id click_id seq <<'END'
held k 2
held2 k2 4
new k 5
END
    expect_match err 'seen before 4'
}

run_cases
