#!/bin/bash
# What `clickmatch stream` tells while it runs: --metrics, and the status on SIGUSR1.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # names of the files read here
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/stream.sh
. "$root/tests/integration/fixtures/stream.sh"

fetch() {
    python3 -c 'import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1]).read().decode(), end="")' "$1"
}

check_format() {
    python3 "$root/tests/harness/exposition.py" clickmatch_build_info \
        clickmatch_stream_events_total clickmatch_stream_results_total \
        clickmatch_stream_latency_seconds clickmatch_process_resident_memory_bytes \
        <"$1" >wrong || fail "$(cat wrong)"
}

served() {
    fetch "$url" >served && grep -qxF -e "$1" served
}

case_metrics_over_http() {
    begin_stream --metrics :0
    await grep -q 'metrics at http' err
    url=$(sed -n 's/.*metrics at //p' err)
    await served 'clickmatch_stream_events_total{kind="click"} 0'
    click a 00:00:00 >&7
    conversion c a 00:00:00 ',"seq":41' >&7
    echo nonsense >&7
    await served 'clickmatch_stream_rejected_total{kind="unknown",field="line"} 1'
    served 'clickmatch_stream_events_total{kind="conversion"} 1' || fail "no conversion"
    served 'clickmatch_stream_results_total{method="url_param"} 1' || fail "no result"
    await served 'clickmatch_stream_results_written_total 1' # it may follow a moment later
    served 'clickmatch_stream_latency_seconds_count 1' || fail "no latency"
    served 'clickmatch_stream_latest_event_seconds 1772323200.000000' || fail "no time"
    served 'clickmatch_stream_position_seq 41' || fail "no position"
    check_format served
    end_stream
    expect_status 0
}

case_metrics_in_a_file() {
    begin_stream --metrics clickmatch.prom --quiet
    await test -s clickmatch.prom
    click a 00:00:00 >&7
    await grep -qx 'clickmatch_stream_events_total{kind="click"} 1' clickmatch.prom
    conversion c a 00:00:00 ',"seq":41' >&7
    end_stream # what came last is in the file
    expect_status 0
    expect_match clickmatch.prom '^clickmatch_stream_events_total\{kind="conversion"\} 1$'
    check_format clickmatch.prom
    expect_files clickmatch.prom err events results.ndjson wrong
}

# The run goes on, and says once what is wrong.
case_metrics_that_cannot_be_written_any_more() {
    mkdir folder
    begin_stream --metrics folder/clickmatch.prom
    await test -s folder/clickmatch.prom
    rm -r folder
    await grep -q 'warning: metrics are not written for now: folder/clickmatch.prom: cannot' err
    conversion c a 00:00:00 ',"seq":41' >&7
    end_stream
    expect_status 0
    [ "$(grep -c 'not written' err)" -eq 1 ] || fail "told more than once"
}

case_status_on_request() {
    begin_stream
    click a 00:00:00 >&7
    conversion c a 00:00:00 ',"seq":41' >&7
    await test -s results.ndjson
    kill -USR1 "$stream"
    await grep -q ' events' err
    expect_match err '^clickmatch: 2 events, [0-9,]+/s, seq 41; results: 1 url_param, 0 finger'
    kill -USR1 "$stream"
    await grep -q ' events, 0/s' err # the rate is that since the last line
    end_stream
    expect_status 0
}

case_a_busy_port() {
    begin_stream --metrics :0
    await grep -q 'metrics at http' err
    port=$(sed -n 's/.*:\([0-9]*\).metrics$/\1/p' err)
    run stream --metrics ":$port"
    expect_status 1
    expect_error "127.0.0.1:$port: cannot listen for --metrics: .* choose another port"
    end_stream
    expect_status 0
}

case_wrong_targets() {
    run stream --metrics :x:
    expect_status 2
    expect_error "neither a file nor a port"
    run stream --metrics none/clickmatch.prom
    expect_status 1
    expect_error "none/clickmatch.prom: cannot .*--metrics"
    run stream --metrics /dev/null
    expect_status 1
    expect_error "is no regular file"
}

run_cases
