#!/bin/bash
# `stream` goes by the times in its events: what is late, held, ahead of its time, or forgotten.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # names of the files read here
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/stream.sh
. "$root/tests/integration/fixtures/stream.sh"

# many PREFIX COUNT DATE: so many clicks of a time, with ids of their own.
many() {
    awk -v prefix="$1" -v count="$2" -v time="$3" 'BEGIN {
        for (i = 0; i < count; i++)
            printf "{\"event\":\"click\",\"tenant_id\":\"t\",\"click_id\":\"%s%d\"," \
                "\"click_timestamp\":\"%s\"}\n", prefix, i, time
    }'
}

# ---- late ----

case_older_than_the_watermark_is_late() {
    {
        click k 11:00:00
        click latest 12:00:00
        conversion on_it k 11:55:00
        conversion late k 11:54:59.999999
        conversion very_late k 11:00:00
    } >events.ndjson
    stream --summary summary.json <events.ndjson
    expect_told conversion_id late layer_1_result <<'END'
on_it null success
late true success
very_late true success
END
    expect_json summary.json 'd["stream"]["late_conversions"]' 2
    stream --lateness 1h <events.ndjson
    [ "$(grep -c '"late":true' results.ndjson)" -eq 0 ] || fail "late within an hour"
    stream --lateness 0 <events.ndjson
    [ "$(grep -c '"late":true' results.ndjson)" -eq 3 ] || fail "not late"
    stream --format csv <events.ndjson
    [ "$(cut -d, -f18 results.ndjson | tr '\n' ' ')" = "late false true true " ] || fail "as CSV"
}

case_a_click_that_comes_late_counts_from_then_on() {
    {
        click latest 12:00:00
        conversion before k 12:00:00
        click k 06:00:00
        conversion after k 12:00:00
        click latest2 12:30:00
        click k2 11:00:00
        conversion after2 k2 12:30:00
    } >events.ndjson
    stream <events.ndjson
    expect_told conversion_id layer_1_result <<'END'
before no_match
after success
after2 success
END
}

# ---- grace ----

# Held until the watermark has passed the conversion by the grace, and no longer; clicks that come
# meanwhile count.
case_grace_holds_conversions() {
    begin_stream --grace 1m --lateness 2m
    conversion a k 12:00:00 >&7
    click tick 12:02:59.999999 >&7
    click k 11:59:00 >&7
    sleep 0.3
    [ ! -s results.ndjson ] || fail "too early: $(cat results.ndjson)"
    click tock 12:03:00 >&7
    await grep -q '"a"' results.ndjson
    conversion late k 11:59:00 >&7
    conversion b k 12:04:00 >&7
    click k2 12:04:00 >&7
    conversion c k2 12:04:00 >&7
    await grep -q '"late"' results.ndjson
    expect_no_match results.ndjson '"b"'
    end_stream
    expect_told conversion_id click_id late <<'END'
a k null
late k true
b k null
c k2 null
END
}

# Results come in the order of their conversions, even where a later one could be told earlier.
case_grace_keeps_the_order() {
    {
        conversion young - 12:00:00
        conversion older - 11:56:00
        conversion late - 11:50:00
        click tock 12:06:00
        conversion last - 12:05:00
    } >events.ndjson
    stream --grace 1m <events.ndjson
    expect_told conversion_id late <<'END'
young null
older null
late true
last null
END
}

# With grace at least the disorder, what comes out is what a batch over the same events says.
case_grace_undoes_disorder() {
    run simulate --output world --clicks-count 30000 --conversions-count 6000 --days 3 --quiet \
        --format ndjson
    run match --clicks world/clicks.ndjson --conversions world/conversions.ndjson --quiet \
        --format ndjson --recovery-target 0 --output all.ndjson
    sort all.ndjson >wanted.ndjson
    python3 "$root/tests/integration/fixtures/events.py" world >ordered.ndjson
    cat >shuffle.py <<'PY'
import datetime, json, random, sys
random.seed(3)
def key(line):
    event = json.loads(line)
    text = event.get("click_timestamp") or event["conversion_timestamp"]
    time = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return time.timestamp() + random.uniform(0, 1200)
for line in sorted(open("ordered.ndjson"), key=key):
    event = json.loads(line)
    del event["seq"]
    print(json.dumps(event))
PY
    python3 shuffle.py >shuffled.ndjson
    stream --lateness 0 --grace 20m <shuffled.ndjson
    expect_no_match results.ndjson '"late":true'
    sort results.ndjson >got.ndjson
    expect_same wanted.ndjson got.ndjson
    # The lateness is waited for, too; without any grace, clicks are missed.
    stream --lateness 15m --grace 5m <shuffled.ndjson
    sort results.ndjson >got.ndjson
    expect_same wanted.ndjson got.ndjson
    stream <shuffled.ndjson
    sort results.ndjson | cmp -s - wanted.ndjson && fail "nothing was shuffled"
    [ "$(wc -l <results.ndjson)" -eq 6000 ] || fail "$(wc -l <results.ndjson) results"
}

# ---- the end, and pauses ----

case_the_end_lets_go() {
    {
        conversion a k 12:00:00
        click k 11:00:00
    } >events.ndjson
    stream --grace 1d <events.ndjson
    expect_told conversion_id click_id <<<'a k'
}

case_a_pause_lets_go() {
    begin_stream --grace 1d --idle 600ms
    conversion a k 12:00:00 >&7
    sleep 0.2
    click k 11:00:00 >&7 # it is the last event that counts
    sleep 0.2
    [ ! -s results.ndjson ] || fail "too early: $(cat results.ndjson)"
    await grep -q '"a"' results.ndjson
    conversion b k 12:00:00 >&7
    await grep -q '"b"' results.ndjson
    end_stream
    expect_told conversion_id click_id <<'END'
a k
b k
END
}

# What waits for its time does so no longer than that either, and moves no clock.
case_a_pause_ends_waiting() {
    begin_stream --idle 300ms
    click now 12:00:00 >&7
    conversion ahead - 18:00:00 >&7
    await grep -q '"ahead"' results.ndjson
    conversion now now 12:00:00 >&7
    await grep -q '"now"' results.ndjson
    end_stream
    expect_told conversion_id late <<'END'
ahead null
now null
END
}

case_sigterm_lets_go() {
    begin_stream --grace 1d
    conversion a k 12:00:00 >&7
    click k 11:00:00 >&7
    sleep 0.3
    kill -TERM "$stream"
    wait_stream
    exec 7>&-
    expect_status 5
    expect_told conversion_id click_id <<<'a k'
}

# ---- ahead ----

# Dated next year: nothing expires, and those after it are not late.
case_one_broken_clock_moves_nothing() {
    {
        many k 300 2026-03-01T12:00:00Z
        many broken 1 2027-03-01T12:00:00Z
        conversion a k0 12:00:01
        many broken_too 99 2028-03-01T12:00:00Z
        conversion b k299 12:00:02
        many m 300 2026-03-01T12:00:02Z
        conversion c k150 12:00:03
    } >events.ndjson
    stream --metrics figures.prom <events.ndjson
    expect_told conversion_id click_id late <<'END'
a k0 null
b k299 null
c k150 null
END
    expect_match figures.prom '^clickmatch_stream_active_clicks 700$'
    expect_match figures.prom '^clickmatch_stream_expired_clicks_total 0$'
    expect_match figures.prom '^clickmatch_stream_ahead_total 100$'
    expect_match figures.prom '^clickmatch_stream_latest_event_seconds 1772366403'
}

# The same where it is the first event of all, which there is nothing to compare with.
case_a_broken_first_event() {
    {
        conversion broken - 12:00:00 | sed s/2026-/2031-/
        click k 12:00:00
        conversion a k 12:00:01
        click tock 12:10:00
        conversion b k 12:10:00
    } >events.ndjson
    for grace in 0 1m; do
        stream --grace "$grace" <events.ndjson
        expect_told conversion_id click_id late <<'END'
broken null null
a k null
b k null
END
    done
}

# After a night without events the first ones are ahead; a hundred that agree are believed.
case_an_idle_night() {
    {
        many evening 200 2026-03-01T20:00:00Z
        many morning 99 2026-03-02T07:00:00Z
        conversion hundredth morning98 07:00:01 | sed s/03-01/03-02/
        conversion day morning0 07:00:02 | sed s/03-01/03-02/
        conversion yesterday evening0 20:00:01
    } >events.ndjson
    stream --metrics figures.prom <events.ndjson
    expect_told conversion_id click_id late <<'END'
hundredth morning98 null
day morning0 null
yesterday evening0 true
END
    expect_match figures.prom '^clickmatch_stream_ahead_waiting 0$'
    expect_match figures.prom '^clickmatch_stream_latest_event_seconds 1772434802'
    # One fewer: they wait, until the input ends.
    sed -i /morning98/d events.ndjson
    head -n 298 events.ndjson | stream --metrics figures.prom
    expect_match figures.prom '^clickmatch_stream_latest_event_seconds 1772395200'
}

case_max_future() {
    {
        click k 12:00:00
        conversion a k 13:00:00
        conversion b k 15:00:01
        conversion c k 12:00:00
    } >events.ndjson
    stream <events.ndjson
    expect_told conversion_id late <<'END'
a null
b null
c true
END
    stream --max-future 3h --metrics figures.prom <events.ndjson
    expect_match figures.prom '^clickmatch_stream_ahead_total 0$'
    expect_match figures.prom '^clickmatch_stream_latest_event_seconds 1772377201'
    stream --max-future 30m --metrics figures.prom <events.ndjson
    expect_match figures.prom '^clickmatch_stream_latest_event_seconds 1772366400'
    expect_told conversion_id late <<'END'
a null
b null
c null
END
}

# ---- forgetting ----

# Half a million clicks over fifty days, findable for two: what is held is a few days' worth, and
# results are those of a store that never forgets.
case_what_nobody_can_find_goes() {
    echo '{"name":"short","version":"1","window_hours":24,"probabilistic_window_hours":6}' \
        >short.json
    awk 'BEGIN {
        for (i = 0; i < 500000; i++) {
            ms = 1772323200000 + i * 8640
            printf "{\"event\":\"click\",\"tenant_id\":\"t\",\"click_id\":\"k%d\"," \
                "\"click_timestamp\":%.0f}\n", i, ms
            if (i % 100 == 99)
                printf "{\"event\":\"conversion\",\"tenant_id\":\"t\",\"conversion_id\":\"v%d\"," \
                    "\"click_id\":\"k%d\",\"conversion_timestamp\":%.0f}\n", \
                    i, i - (i * 7919) % 25000, ms + 1
        }
    }' >events.ndjson
    stream --model short.json --metrics figures.prom --summary summary.json <events.ndjson
    expect_status 0
    active=$(sed -n 's/^clickmatch_stream_active_clicks //p' figures.prom)
    { [ "$active" -gt 19000 ] && [ "$active" -lt 160000 ]; } || fail "$active clicks are active"
    grep -v conversion events.ndjson >clicks.ndjson
    grep '"event":"conversion"' events.ndjson >conversions.ndjson
    run match --model short.json --clicks clicks.ndjson --conversions conversions.ndjson --quiet \
        --format ndjson --recovery-target 0 --output wanted.ndjson
    expect_same wanted.ndjson results.ndjson
    expect_json summary.json 'd["attribution"]["layers"][0]["expired"] > 500' true
}

case_a_click_too_old_is_left_out() {
    {
        click sure 11:59:59
        click latest 12:00:00
        click old 12:00:00 | sed s/03-01/02-20/
        conversion a old 12:00:00
    } >events.ndjson
    stream --summary summary.json <events.ndjson
    expect_json summary.json 'd["stream"]["clicks_too_old"]' 1
    expect_told layer_1_result <<<no_match
}

# Nothing depends on the machine's clock, or on what was read at once.
case_a_replay_gives_the_same() {
    run simulate --output world --clicks-count 20000 --conversions-count 5000 --days 30 --quiet \
        --format ndjson
    python3 "$root/tests/integration/fixtures/events.py" world >events.ndjson
    stream --grace 1h <events.ndjson
    mv results.ndjson wanted.ndjson
    dd if=events.ndjson bs=777 status=none | stream --grace 1h
    expect_same wanted.ndjson results.ndjson
}

run_cases
