#!/bin/bash
# `stream` over events: what a result is, in which order, and when it is written.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # names of the files read here
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/stream.sh
. "$root/tests/integration/fixtures/stream.sh"

# The golden clicks and conversions as events, in the order of their times; the conversions alone in
# that order, too.
make_vectors() {
    python3 - "$vectors" <<'PY'
import csv, json, sys
events = []
for kind in "click", "conversion":
    with open(f"{sys.argv[1]}/{kind}s.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            events.append((row[kind + "_timestamp"], kind == "conversion", row))
events.sort(key=lambda event: event[:2])
with open("events.ndjson", "w") as file, open("ordered.ndjson", "w") as ordered:
    for time, is_conversion, row in events:
        row = {name: value for name, value in row.items() if value}
        kind = "conversion" if is_conversion else "click"
        file.write(json.dumps({"event": kind, **row}) + "\n")
        if is_conversion:
            ordered.write(json.dumps(row) + "\n")
PY
}

# Every field of docs/matching.md, section 6, is what `match` writes, byte for byte.
case_vectors() {
    make_vectors
    run match --clicks "$vectors/clicks.csv" --conversions ordered.ndjson --quiet --output \
        wanted.ndjson
    stream --max-future 3650d --lateness 3650d <events.ndjson
    expect_status 0
    [ "$(wc -l <results.ndjson)" -gt 30 ] || fail "$(wc -l <results.ndjson) results"
    expect_same results.ndjson wanted.ndjson
}

case_vectors_as_csv() {
    make_vectors
    run match --clicks "$vectors/clicks.csv" --conversions ordered.ndjson --quiet --output \
        wanted.csv --format csv
    stream --max-future 3650d --lateness 3650d --format csv <events.ndjson
    expect_status 0
    head -n 1 results.ndjson >header
    expect_match header ',candidates,model,seq,late$'
    sed '1s/,seq,late$//; 2,$s/,,false$//' results.ndjson >got.csv
    expect_same got.csv wanted.csv
}

case_all_fields() {
    {
        click k1 12:00:00 ',"campaign_id":"c \"1\"","adset_id":"s","ad_id":"a","creative_id":"x"'
        conversion v1 k1 15:59:59 ',"seq":7'
    } >events.ndjson
    stream <events.ndjson
    expect_status 0
    # In one line.
    tr -d '\n' >wanted <<'END'
{"conversion_id":"v1","tenant_id":"t","click_id":"k1","campaign_id":"c \"1\"","adset_id":"s",
"ad_id":"a","creative_id":"x","attribution_method":"url_param","attribution_confidence":1.0000,
"match_probability":1.000000,"attribution_window_hours":3,"layer_1_result":"success",
"layer_2_result":"not_attempted","layer_3_result":"not_attempted","candidates":[],
"model":"default@1","seq":7}
END
    echo >>wanted
    expect_same results.ndjson wanted
}

case_all_fields_as_csv() {
    {
        click k1 12:00:00 ',"campaign_id":"c,1","adset_id":"s","ad_id":"a","creative_id":"x"'
        click k2 13:00:00 ',"ip_address":"203.0.113.9"'
        conversion v1 k1 15:59:59 ',"seq":7'
        conversion v2 - 13:01:00 ',"ip_address":"203.0.113.9"'
        conversion v3 - 12:55:59
    } >events.ndjson
    stream --format csv <events.ndjson
    expect_status 0
    sed -n 2p results.ndjson >line
    words=success,not_attempted,not_attempted
    expect_match line \
        "^v1,t,k1,\"c,1\",s,a,x,url_param,1\.0000,1\.000000,3,$words,\[\],default@1,7,false\$"
    sed -n 3p results.ndjson >line
    words=no_param,no_fingerprint,success
    candidates='"\[\{""click_id"":""k2"",""probability"":0\.[0-9]{6}\}\]"'
    expect_match line \
        "^v2,t,k2,,,,,probabilistic,0\.[0-9]{4},0\.[0-9]{6},0,$words,$candidates,default@1,,false\$"
    sed -n 4p results.ndjson >line
    expect_match line '^v3,t,,,,,,unattributed,0\.0000,0\.000000,,.*,\[\],default@1,,true$'
}

# `seq` is given back where there was one, whatever it is, and in the order of the conversions.
case_seq() {
    {
        conversion a - 12:00:00 ',"seq":0'
        conversion b - 12:00:00
        conversion c - 11:59:00 ',"seq":9223372036854775807'
        conversion d - 12:00:00 ',"seq":7.0'
        conversion e - 12:00:00 ',"seq":null'
        conversion f - 12:00:00 ',"seq":1,"seq":3'
    } >events.ndjson
    stream <events.ndjson
    expect_status 0
    expect_told conversion_id seq <<'END'
a 0
b null
c 9223372036854775807
d 7
e null
f 3
END
    # Not null: it is not there.
    [ "$(grep -c seq results.ndjson)" -eq 4 ] || fail "$(grep -c seq results.ndjson) have a seq"
}

case_a_click_counts_for_what_comes_after_it() {
    {
        conversion before k 12:00:01
        click k 12:00:00
        conversion after k 12:00:01
        conversion earlier k 11:59:59.999999
    } >events.ndjson
    stream <events.ndjson
    expect_told conversion_id layer_1_result <<'END'
before no_match
after success
earlier no_match
END
}

case_duplicates_are_dropped() {
    {
        click k 12:00:00 ',"campaign_id":"first"'
        click k 12:00:00 ',"campaign_id":"second"'
        conversion v k 12:01:00
        conversion v k 12:01:00
        conversion v k 12:02:00 ',"tenant_id":"u"'
    } >events.ndjson
    stream --summary summary.json <events.ndjson
    expect_told conversion_id tenant_id campaign_id <<'END'
v t first
v u null
END
    expect_json summary.json '[s["duplicates"] for s in (d["clicks"], d["conversions"])]' '[1, 1]'
    # The whole of it twice: nothing new.
    cp results.ndjson once.ndjson
    cat events.ndjson events.ndjson >twice.ndjson
    stream <twice.ndjson
    expect_same once.ndjson results.ndjson
}

# ---- when ----

# The pipe stays open: results are written as soon as there is nothing more to read.
case_results_are_written_before_a_read_blocks() {
    begin_stream
    click k 12:00:00 >&7
    conversion a k 12:00:01 >&7
    await grep -q '"a"' results.ndjson
    { conversion b k 12:00:02 && conversion c k 12:00:03; } >&7
    await grep -q '"c"' results.ndjson
    # Half an event is nothing yet.
    conversion d k 12:00:04 >half
    head -c 50 half >&7
    sleep 0.2
    expect_no_match results.ndjson '"d"'
    tail -c +51 half >&7
    await grep -q '"d"' results.ndjson
    end_stream
    expect_status 0
    [ "$(wc -l <results.ndjson)" -eq 4 ] || fail "$(cat results.ndjson)"
}

case_rejects_are_written_before_a_read_blocks() {
    begin_stream --rejects rejects.ndjson
    echo nonsense >&7
    await grep -q nonsense rejects.ndjson
    end_stream
    expect_status 0
}

# A writer that never lets the pipe run dry: what it wrote comes back while it goes on. Times are
# generous, as machines are busy.
case_results_linger_no_longer_than_asked() {
    is_counted && skip "nothing is optimised: no time is measured" && return
    cat >load.py <<'PY'
import json, subprocess, sys, threading, time
program, linger = sys.argv[1:]
child = subprocess.Popen(
    [program, "stream", "--quiet", "--recovery-target", "0", "--linger", linger],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
sent, took = {}, []
def read():
    for line in child.stdout:
        took.append(time.monotonic() - sent[json.loads(line)["seq"]])
reader = threading.Thread(target=read)
reader.start()
end = time.monotonic() + 1.0
number = 0
while time.monotonic() < end:
    sent[number] = time.monotonic()
    lines = [json.dumps({"event": "conversion", "seq": number, "tenant_id": "t",
                         "conversion_id": "v%d" % number, "conversion_timestamp": 1772323200000})]
    lines += [json.dumps({"event": "click", "tenant_id": "t", "click_id": "k%d-%d" % (number, i),
                          "click_timestamp": 1772323200000}) for i in range(20)]
    child.stdin.write(("\n".join(lines) + "\n").encode())
    child.stdin.flush()
    number += 1
while_writing = len(took)
child.stdin.close()
reader.join()
assert child.wait() == 0
assert len(took) == number > 100, (len(took), number)
assert while_writing > number * 0.5, (while_writing, number)
took.sort()
assert took[len(took) // 2] < 0.25, took[len(took) // 2]
PY
    python3 load.py "$program" 5ms 2>wrong || fail "$(tail -n 1 wrong)"
}

# A file never makes a read wait: there the linger alone decides. share LINGER: after which share of
# the run the first result comes, in per cent.
share() {
    python3 - "$program" "$1" <<'PY'
import subprocess, sys, time
begun = time.monotonic()
child = subprocess.Popen([sys.argv[1], "stream", "--quiet", "--recovery-target", "0", "--linger",
                          sys.argv[2], "--events", "events.ndjson"], stdout=subprocess.PIPE)
child.stdout.readline()
first = time.monotonic()
child.stdout.read()
ended = time.monotonic()
print(round(100 * (first - begun) / (ended - begun)))
PY
}

case_results_linger_while_reading_never_waits() {
    {
        conversion a - 12:00:00
        yes "$(click k 12:00:00)" | head -n 800000
        conversion b - 12:00:00
    } >events.ndjson
    short=$(share 5ms)
    long=$(share 1m)
    [ "$short" -lt 60 ] || fail "5 ms: the first after $short % of the run"
    [ "$long" -gt 60 ] || fail "1 min: the first after $long % of the run"
}

# With much to read at once, lines still come out whole, and all of them.
case_many_results() {
    run simulate --output world --clicks-count 20000 --conversions-count 20000 --days 3 --quiet \
        --format ndjson
    python3 "$root/tests/integration/fixtures/events.py" world >events.ndjson
    "$program" stream --quiet --recovery-target 0 --events events.ndjson 2>err | cat >results.ndjson
    grep '"event":"conversion"' events.ndjson | sed 's/^{"seq":\([0-9]*\),.*/\1/' >seqs
    expect_told seq <seqs
}

# ---- where to ----

case_output_file() {
    conversion a - 12:00:00 >events.ndjson
    run stream --events events.ndjson --output results.ndjson --quiet --recovery-target 0
    expect_status 0
    expect_told conversion_id <<<a
    [ ! -s "$work/out" ] || fail "on standard output, too"
    # A stream without a checkpoint begins anew.
    run stream --events events.ndjson --output results.ndjson --quiet --recovery-target 0
    expect_told conversion_id <<<a
}

# The reader of the results goes: an error, not a signal, and not silence.
case_nobody_reads_the_results() {
    run simulate --output world --clicks-count 1000 --conversions-count 20000 --days 3 --quiet \
        --format ndjson
    python3 "$root/tests/integration/fixtures/events.py" world >events.ndjson
    { "$program" stream --quiet --events events.ndjson 2>err && echo 0 >code || echo $? >code; } |
        head -n 1 >first
    [ "$(cat code)" = 1 ] || fail "exit status $(cat code)"
    expect_match err '^clickmatch: .*(closed|pipe)'
}

case_output_that_cannot_be_opened() {
    run stream --output none/results.ndjson --quiet
    expect_status 1
    expect_error 'none/results.ndjson: cannot'
}

case_wrong_options() {
    local option
    for option in "--lateness -1s" "--grace 5x" "--max-future 0" "--idle 0" "--linger 2h" \
        "--format xml" "--sink none" "--store-clicks" "--checkpoint-interval 1ms"; do
        # shellcheck disable=SC2086 # an option and its value
        run stream $option
        expect_status 2
        [ "$(grep -c . "$work/err")" -eq 1 ] || fail "$option: $(cat "$work/err")"
    done
}

case_summary() {
    {
        click k 12:00:00
        conversion a k 12:01:00
        conversion a k 12:01:00
        echo nonsense
        conversion b - 11:00:00
        click k2 "12:00:00+x"
    } >events.ndjson
    stream --summary summary.json <events.ndjson
    expect_status 0
    expect_json summary.json 'd["outcome"]' '"done"'
    expect_json summary.json '[d["clicks"][n] for n in ("rows", "rejected", "duplicates")]' \
        '[2, 1, 0]'
    expect_json summary.json '[d["conversions"][n] for n in ("rows", "rejected", "duplicates")]' \
        '[3, 0, 1]'
    expect_json summary.json 'd["attribution"]["methods"]["url_param"]["conversions"]' 1
    expect_json summary.json '[d["stream"][n] for n in ("malformed_lines", "late_conversions")]' \
        '[1, 1]'
}

run_cases
