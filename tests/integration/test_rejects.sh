#!/bin/bash
# Whatever is rejected is kept once, with its source, its place, the reason and itself: by match, by
# stream through kill and restart, into the database, and by batch.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] || exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"

expect_private() {
    [ "$(stat -c %a "$1")" = 600 ] || fail "mode $(stat -c %a "$1") of $1"
}

# 600 events, every fifth one broken: as it should be in the rejects, reason and line.
make_events() {
    python3 - <<'PYTHON'
import json
import sys

with open("events", "w") as events, open("wanted", "w") as wanted:
    for seq in range(1, 601):
        event = {"event": "click", "seq": seq, "tenant_id": "a", "click_id": "k-%d" % seq,
                 "click_timestamp": "2026-03-01T00:00:00Z", "campaign_id": "c", "ad_id": "a"}
        if seq % 5 == 0:
            event["click_timestamp"] = "noon"
        print(json.dumps(event), file=events)
        if seq % 5 == 0:
            print(json.dumps(["click_timestamp", "not a time", event]), file=wanted)
PYTHON
}

# Rejects as make_events writes them.
as_wanted() {
    python3 -c 'import json, sys
for line in open(sys.argv[1]):
    d = json.loads(line)
    print(json.dumps([d["field"], d["reason"], json.loads(d["row"])]))' "$1"
}

# Of both kinds of file, each rejected row stands where it says.
case_match() {
    python3 - <<'PYTHON'
head = "tenant_id,click_id,click_timestamp,device_type"
with open("clicks.csv", "w") as file:
    print(head, file=file)
    for i in range(2000):
        print("a,k-%d,%s,\"x\"" % (i, "noon" if i % 7 == 0 else "2026-03-01T00:00:00Z"), file=file)
with open("conversions.ndjson", "w") as file:
    for i in range(1000):
        time = "noon" if i % 9 == 0 else "2026-03-02T00:00:00Z"
        print('{"tenant_id":"a","conversion_id":"v-%d","conversion_timestamp":"%s"}' % (i, time),
              file=file)
PYTHON
    for threads in 1 4; do
        run match --clicks clicks.csv --conversions conversions.ndjson --output results.csv \
            --recovery-target 0 --rejects rejects.ndjson --threads "$threads"
        expect_status 0
        expect_private rejects.ndjson
        [ "$threads" -eq 4 ] || mv rejects.ndjson first.ndjson
    done
    expect_same first.ndjson rejects.ndjson
    python3 - >problems <<'PYTHON'
import json

seen, wanted = [], []
for name, mark in (("clicks.csv", "noon"), ("conversions.ndjson", "noon")):
    lines = open(name, "rb").read().split(b"\n")
    wanted += [(name, i + 1) for i, line in enumerate(lines) if mark.encode() in line]
for line in open("rejects.ndjson"):
    d = json.loads(line)
    bytes_of = open(d["source"], "rb").read()
    text = bytes_of.split(b"\n")[d["line"] - 1].decode()
    if d["row"] != text or d["reason"] != "not a time" or not d["field"].endswith("_timestamp"):
        print("not the row", d)
    if b"noon" not in bytes_of[d["byte"]:d["byte"] + 6]:
        print("not the byte", d)
    seen.append((d["source"], d["line"]))
if seen != wanted:
    print("%d rejects, %d wanted" % (len(seen), len(wanted)))
PYTHON
    [ ! -s problems ] || fail "$(head -c 300 problems)"
}

# Killed when it has written rejects that no checkpoint knows of, and again; each time to go on.
case_stream_killed() {
    make_events
    head -n 200 events >part
    run stream --quiet --events part --checkpoint window --rejects rejects --output results
    expect_status 0
    for ((i = 0; i < 2; i++)); do
        mkfifo pipe
        start stream --quiet --events pipe --checkpoint window --checkpoint-interval 1h \
            --rejects rejects --output results
        exec 9>pipe
        sed -n '201,450p' events >&9
        for ((waited = 0; waited < 200; waited++)); do
            [ "$(wc -l <rejects)" -lt 90 ] || break
            sleep 0.1
        done
        [ "$(wc -l <rejects)" -eq 90 ] || fail "$(wc -l <rejects) rejects"
        kill -KILL "$program_pid"
        finish 2>/dev/null
        exec 9>&-
        rm pipe
    done
    printf '{"half a li' >>rejects
    cp rejects other
    sed -n '201,$p' events >part
    run stream --quiet --events part --checkpoint window --rejects rejects --output results
    expect_status 0
    as_wanted rejects >got
    expect_same wanted got
    expect_private rejects
}

# A checkpoint says nothing about another file, and nothing about events that do not come again.
case_stream_files_that_stay() {
    make_events
    run stream --quiet --events events --checkpoint window --rejects rejects --output results
    expect_status 0
    printf '{"a":"whole line"}\n' >other
    run stream --quiet --events events --checkpoint window --rejects other --output results
    expect_status 0
    expect_match other 'a whole line|"a":"whole line"'
    sed 's/"seq": [0-9]*, //' events >unnumbered
    run stream --quiet --events unnumbered --checkpoint window2 --rejects rejects2 --output results2
    printf '{"a":"whole line"}\n' >>rejects2
    run stream --quiet --events /dev/null --checkpoint window2 --rejects rejects2 --output results2
    [ "$(wc -l <rejects2)" -eq 121 ] || fail "$(wc -l <rejects2) lines"
}

# Sent twice, by two runs: each is there once, with its place in the stream, and as it was.
case_stream_into_database() {
    make_events
    use_new_database adopted
    for _ in 1 2; do
        run stream --quiet --events events --sink db --stream-name s
        expect_status 0
    done
    expect_sql "SELECT count(*), count(DISTINCT payload ->> 'seq'), bool_and(
                    stream_name = 's' AND stream_position = 'seq ' || (payload ->> 'seq')
                    AND source = 'stream' AND event_type = 'click' AND tenant_id = 'a'
                    AND error_type = 'malformed'
                    AND error_message = 'click_timestamp: not a time'
                    AND payload ->> 'click_timestamp' = 'noon')
                FROM dead_events WHERE source = 'stream'" '120|120|t'
}

# Clicks of a file that a stream begins with are no events: the file of rejects has them, once, also
# where the stream goes on from its checkpoint, and beside those of the database.
case_stream_begins_with_clicks() {
    make_events
    use_new_database adopted
    grep '"seq": [0-9]*[05],' events | sed 's/"seq": [0-9]*, //' >clicks.ndjson
    run stream --quiet --events events --sink db --clicks clicks.ndjson
    expect_status 2
    expect_error 'no rejected rows of --clicks; give --rejects FILE'
    for half in 'head -n 300' 'tail -n +301'; do
        $half <events >part
        run stream --quiet --events part --sink db --stream-name s --clicks clicks.ndjson \
            --rejects rejects --checkpoint window
        expect_status 0
    done
    expect_json rejects '[sum(e["source"] == s for e in d) for s in ("clicks.ndjson", "part")]' \
        '[120, 120]'
    expect_json rejects '{e["line"] for e in d if e["source"] != "part"} == {*range(1, 121)}' true
    expect_json rejects 'len({(e["source"], e["row"], e["reason"]) for e in d})' 240
    expect_sql "SELECT count(*), count(DISTINCT stream_position) FROM dead_events" '120|120'
}

# A run of batch twice over: once each, in the file by the row's id, too. A run that is refused
# leaves the tables as they were, and says in the file why.
case_batch() {
    use_new_database adopted
    sql -c "UPDATE click_tracking SET fingerprint_hash = 'x' WHERE click_id IN (
                SELECT click_id FROM click_tracking ORDER BY click_id LIMIT 40)"
    state >before
    run batch --quiet --recovery-target 0 --max-rejects 0 --rejects refused "${period[@]}"
    expect_status 3
    expect_private refused
    state >after
    expect_same before after
    [ -s refused ] || fail 'no rejects kept'
    for threads in 1 4; do
        run batch --quiet --recovery-target 0 --rejects rejects --threads "$threads" "${period[@]}"
        expect_status 0
        expect_private rejects
        expect_sql "SELECT count(*) = count(DISTINCT (event_type, payload ->> 'id')), count(*) >= 40
                    FROM dead_events WHERE source = 'batch'" 't|t'
        python3 -c 'import json, sys
for line in open("rejects"):
    d = json.loads(line)
    kind = {"click_tracking": "click", "conversion_tracking": "conversion"}[d["source"]]
    print("|".join((json.loads(d["row"])["id"], kind, (d["field"] or "row") + ": " + d["reason"])))
' | sort >got
        sql -c "SELECT payload ->> 'id', event_type, error_message FROM dead_events" |
            sort >wanted
        expect_same wanted got
    done
    # A row that has become another tenant's is no longer shown to the one before.
    sql -c "UPDATE click_tracking SET tenant_id = 'other' WHERE fingerprint_hash = 'x'"
    run batch --quiet --recovery-target 0 "${period[@]}"
    expect_sql "SELECT count(*) FROM dead_events WHERE tenant_id <> payload ->> 'tenant_id'" 0
    expect_sql "SELECT count(*) FROM dead_events WHERE tenant_id = 'other'" 40
}

make_templates
run_cases
