#!/bin/bash
# What `stream` reads: files and pipes, packed ones, and lines that are no events.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # names of the files read here
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/stream.sh
. "$root/tests/integration/fixtures/stream.sh"

# A thousand events, every tenth a conversion, and what a stream says of them.
make_events() {
    local i
    for ((i = 0; i < 900; i++)); do
        click "k$i" "12:00:00" ",\"seq\":$((2 * i))"
        [ $((i % 9)) -ne 8 ] || conversion "v$i" "k$i" "12:00:01" ",\"seq\":$((2 * i + 1))"
    done >events.ndjson
    stream <events.ndjson
    expect_status 0
    [ "$(wc -l <results.ndjson)" -eq 100 ] || fail "$(wc -l <results.ndjson) results"
    mv results.ndjson wanted.ndjson
}

# ---- files and pipes ----

case_files_and_pipes() {
    make_events
    stream --events events.ndjson
    expect_same wanted.ndjson results.ndjson
    stream --events - <events.ndjson
    expect_same wanted.ndjson results.ndjson
    # shellcheck disable=SC2002 # a pipe is meant
    cat events.ndjson | stream
    expect_same wanted.ndjson results.ndjson
    stream --events <(cat events.ndjson)
    expect_same wanted.ndjson results.ndjson
}

case_a_named_pipe_of_several_writers() {
    make_events
    begin_stream --quiet
    (split -n l/3 events.ndjson part. && for part in part.*; do cat "$part" >events; done)
    end_stream
    expect_status 0
    expect_same wanted.ndjson results.ndjson
}

# However the bytes arrive.
case_byte_by_byte() {
    make_events
    head -c 20000 events.ndjson >few.ndjson
    stream <few.ndjson
    mv results.ndjson wanted.ndjson
    python3 - few.ndjson <<'PY' | stream
import os, random, sys, time
data, at = open(sys.argv[1], "rb").read(), 0
random.seed(1)
while at < len(data):
    size = random.choice((1, 1, 2, 3, 50, 700))
    os.write(1, data[at:at + size])
    at += size
    if random.random() < 0.1:
        time.sleep(0.0005)
PY
    [ -s wanted.ndjson ] || fail "no results"
    expect_same wanted.ndjson results.ndjson
}

case_packed() {
    make_events
    gzip -c events.ndjson >events.gz
    zstd -q events.ndjson -o events.zst
    for name in gz zst; do
        stream --events "events.$name"
        expect_status 0
        expect_same wanted.ndjson results.ndjson
        stream < <(cat "events.$name")
        expect_status 0
        expect_same wanted.ndjson results.ndjson
    done
    # Several members, one after another, are one input.
    head -n 500 events.ndjson | gzip >two.gz
    tail -n +501 events.ndjson | gzip >>two.gz
    stream --events two.gz
    expect_same wanted.ndjson results.ndjson
}

# A packer that flushes is understood as it writes.
case_packed_and_alive() {
    begin_stream --quiet
    cat >pack.py <<'PY'
import sys, time, zlib
packer = zlib.compressobj(wbits=31)
for line in sys.stdin.buffer:
    sys.stdout.buffer.write(packer.compress(line) + packer.flush(zlib.Z_SYNC_FLUSH))
    sys.stdout.buffer.flush()
sys.stdout.buffer.write(packer.flush())
PY
    mkfifo plain
    python3 pack.py <plain >&7 &
    exec 8>plain
    conversion a - 12:00:00 >&8
    await grep -q '"a"' results.ndjson
    conversion b - 12:00:00 >&8
    await grep -q '"b"' results.ndjson
    exec 8>&-
    end_stream
    expect_status 0
}

# What came before is matched and written; then the error.
case_packed_and_cut_off() {
    make_events
    gzip -c events.ndjson | head -c 3000 >cut.gz
    gzip -dc cut.gz 2>/dev/null >came.ndjson
    stream <came.ndjson
    mv results.ndjson wanted.ndjson
    stream --events cut.gz --grace 1h
    expect_status 1
    expect_match err 'cut\.gz: .*gzip.*ends too early'
    [ -s wanted.ndjson ] || fail "no results"
    expect_same wanted.ndjson results.ndjson
}

case_nothing_to_read() {
    stream </dev/null
    expect_status 0
    [ ! -s results.ndjson ] || fail "results"
    printf '\n\n \n' >blank
    stream <blank
    expect_status 0
    [ ! -s results.ndjson ] || fail "results"
    stream --events none.ndjson
    expect_status 1
    expect_match err '^clickmatch: none.ndjson: cannot'
    mkdir folder
    stream --events folder
    expect_status 1
    expect_match err 'folder'
}

# ---- lines ----

case_line_ends() {
    {
        click k 12:00:00
        conversion a k 12:00:01
    } >plain.ndjson
    for form in 's/$/\r/' '1s/^/\xef\xbb\xbf/' '1s/^/\n\n/; s/$/\n/' 's/^/ \t/; s/$/ /'; do
        sed "$form" plain.ndjson >events.ndjson
        stream --rejects rejects.ndjson <events.ndjson
        expect_told conversion_id click_id <<<'a k'
        [ ! -s rejects.ndjson ] || fail "$form: $(cat rejects.ndjson)"
    done
    # The last line needs no end.
    head -c -1 plain.ndjson >events.ndjson
    stream <events.ndjson
    expect_told conversion_id click_id <<<'a k'
}

# Each rejected line is told once, with its line, byte, field and reason; the others are as if it
# were not there.
case_rejects() {
    {
        click k 12:00:00
        echo 'nonsense'
        echo '{"event":"click","tenant_id":"t"'
        echo '{"event":"view","tenant_id":"t"}'
        echo '{"tenant_id":"t","click_id":"k"}'
        echo '{"event":1}'
        click k1 12:00:00 ',"seq":"7"'
        click k2 12:00:00 ',"seq":-1'
        click k3 12:00:00 ',"seq":1.5'
        click k4 12:00:00 ',"seq":9223372036854775808'
        click k5 25:00:00
        click '' 12:00:00
        conversion a k 12:00:01 ',"ip_address":"300.1.1.1"'
        echo '[]'
        printf 'a\xff\n'
        conversion a k 12:00:01
    } >events.ndjson
    stream --rejects rejects.ndjson --log-format json <events.ndjson
    expect_status 0
    expect_told conversion_id click_id <<<'a k'
    expect_json rejects.ndjson '[r["line"] for r in d]' "$(python3 -c 'print(list(range(2, 16)))')"
    expect_json rejects.ndjson '[r["field"] for r in d]' \
        "$(printf '[null, null, %s, %s, "click_timestamp", "click_id", "ip_address", null, null]' \
            '"event", "event", "event"' '"seq", "seq", "seq", "seq"')"
    expect_json rejects.ndjson 'all(r["reason"] and r["source"] == "-" for r in d)' true
    expect_json rejects.ndjson 'd[0]["row"]' '"nonsense"'
    expect_json rejects.ndjson '[r for r in d if "row_base64" in r][0]["row_base64"]' '"Yf8="'
    # byte: where the value at fault stands, or the line.
    python3 - <<'PY' >wrong 2>&1 || fail "$(tail -n 1 wrong)"
import json
data = open("events.ndjson", "rb").read()
starts = [0]
for line in data.split(b"\n"):
    starts.append(starts[-1] + len(line) + 1)
values = {"seq": (b'"7"', b"-1", b"1.5", b"9223372036854775808"), "ip_address": (b'"300.1.1.1"',),
          "click_timestamp": (b'"2026-03-01T25',), "event": (b'"view"', b"1", b"{")}
for line in open("rejects.ndjson", encoding="utf-8"):
    reject = json.loads(line)
    start, end = starts[reject["line"] - 1], starts[reject["line"]]
    assert start <= reject["byte"] < end, reject
    for value in [values.get(reject["field"])] if reject["field"] in values else []:
        there = data[reject["byte"]:end]
        bare = tuple(v.strip(b'"') for v in value)
        assert there.startswith(value) or there.startswith(bare), reject
PY
    [ "$(stat -c %a rejects.ndjson)" = 600 ] || fail "others may read the rejects"
    # A stream only counts them, however many.
    yes nonsense | head -n 5000 | stream --rejects rejects.ndjson
    [ "$(wc -l <rejects.ndjson)" -eq 5000 ] || fail "$(wc -l <rejects.ndjson) rejects"
}

case_lenient() {
    {
        conversion a - 12:00:00 ',"ip_address":"x"'
        conversion b - "12:00:00x"
    } >events.ndjson
    stream --lenient --rejects rejects.ndjson --summary summary.json <events.ndjson
    expect_told conversion_id <<<a
    expect_json rejects.ndjson 'd["field"]' '"conversion_timestamp"'
    expect_json summary.json 'd["conversions"]["lenient"]' '{"ip_address": 1}'
}

# A line of over 1 MiB costs itself and nothing else, wherever it stands.
case_long_lines() {
    python3 - <<'PY'
import json
mib = 1 << 20
def click(id, pad):
    line = {"event": "click", "tenant_id": "t", "click_id": id, "click_timestamp": 1772366400000}
    return json.dumps({**line, "pad": "x" * pad})
def conversion(id, click_id):
    return json.dumps({"event": "conversion", "tenant_id": "t", "conversion_id": id,
                       "conversion_timestamp": 1772366400001, "click_id": click_id})
fits = mib - len(click("fits", 0))
with open("events.ndjson", "w") as file:
    lines = [click("long", 2 * mib), click("k", 0), conversion("a", "long"), conversion("b", "k"),
             "x" * (mib + 1), "y" * 5 * mib, click("fits", fits), click("over", fits + 1),
             conversion("c", "fits"), conversion("d", "over"), click("last", 3 * mib)]
    file.write("\n".join(lines))
PY
    stream --rejects rejects.ndjson <events.ndjson
    expect_status 0
    expect_told conversion_id click_id <<'END'
a null
b k
c fits
d null
END
    expect_json rejects.ndjson '[r["line"] for r in d]' '[1, 5, 6, 8, 11]'
    expect_json rejects.ndjson 'len({r["reason"] for r in d})' 1
    expect_json rejects.ndjson 'max(len(r["row"]) for r in d)' 65536
    # Through a pipe, in small pieces, with more to come.
    mv rejects.ndjson wanted_rejects.ndjson
    mv results.ndjson wanted.ndjson
    dd if=events.ndjson bs=5000 status=none | stream --rejects rejects.ndjson
    expect_same wanted.ndjson results.ndjson
    expect_same wanted_rejects.ndjson rejects.ndjson
}

case_odd_json() {
    {
        echo '{"tenant_id":"t","click_timestamp":1772366400000,"click_id":"last","event":"click"}'
        echo '{"event":"conversion","event":"click","tenant_id":"t","click_id":"twice",' \
            '"click_timestamp":1.7723664e12}'
        echo '{ "event" : "cl\u0069ck" , "tenant_id":"\u0074", "click_id":"esc\u0061ped",' \
            '"click_timestamp":1772366400000.5, "more":{"a":[1,{}]} }'
        for id in last twice escaped; do conversion "v-$id" "$id" 12:00:01; done
    } >events.ndjson
    stream --rejects rejects.ndjson <events.ndjson
    [ ! -s rejects.ndjson ] || fail "$(cat rejects.ndjson)"
    expect_told conversion_id click_id <<'END'
v-last last
v-twice twice
v-escaped escaped
END
}

# Twenty thousand lines, one in a hundred of them broken in some way.
case_rejects_by_the_thousand() {
    bash "$root/tests/torture/stream_rejects.sh" 20000 >out 2>&1 || fail "$(tail -n 1 out)"
}

run_cases
