#!/bin/bash
# What can be wrong with a checkpoint, and what a stream that goes on from one begins with.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] || exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/stream.sh
. "$root/tests/integration/fixtures/stream.sh"

# Events that the tables take, each with its seq.
some_events() {
    click k-0 12:00:00 ',"seq":1,"campaign_id":"c","ad_id":"a"'
    conversion v-1 k-1 12:30:00 ',"seq":2,"conversion_type":"sale"'
    click k-1 12:29:00 ',"seq":3,"campaign_id":"c","ad_id":"a"'
}

make_template() {
    psql -Xq -d template1 -c 'CREATE DATABASE empty'
    PGDATABASE=empty sql -f "$root/src/pg/sql/bench/as_found.sql"
    PGDATABASE=empty "$program" migrate --quiet
}

# Clicks that a killed run has stored are not there before their time when it begins again.
case_killed_before_an_event_was_in_a_checkpoint() {
    use_new_database empty
    local options=(--quiet --checkpoint window --checkpoint-interval 1h --sink db --store-clicks
        --db "dbname=$PGDATABASE")
    some_events >all
    begin_stream "${options[@]}"
    cat all >&7
    await eval "sql -c 'SELECT count(*) FROM click_tracking' | grep -x 2"
    kill -KILL "$stream"
    end_stream
    expect_json window/position.json 'd' '{"resume_from_seq": null, "events": 0}'
    stream "${options[@]}" <all
    expect_status 0
    expect_sql 'SELECT attribution_method, attempt_number FROM conversion_tracking
                JOIN attribution_performance_log USING (conversion_id)' 'unattributed|1'
}

# What cannot be read is a dead event once, wherever a run begins.
case_malformed_lines_come_again() {
    use_new_database empty
    local options=(--quiet --checkpoint window --sink db --store-clicks --db "dbname=$PGDATABASE")
    {
        echo 'no event'
        echo 'no event either'
        some_events
        echo 'no event after 3'
        echo 'another'
    } >first
    {
        echo 'one more'
        conversion v-2 - 13:00:00 ',"seq":5,"conversion_type":"sale"'
        echo 'the last'
    } >second
    begin_stream "${options[@]}" --checkpoint-interval 1h
    cat first >&7
    await eval "sql -c 'SELECT count(*) FROM dead_events' | grep -x 4"
    kill -KILL "$stream"
    end_stream
    stream "${options[@]}" <first
    expect_status 0
    # Again from the beginning, from a line before the last event, and from after it.
    stream "${options[@]}" < <(cat first second)
    for from in 2 4 5; do stream "${options[@]}" < <(tail -n +"$from" first | cat - second); done
    stream "${options[@]}" <second
    expect_status 0
    expect_sql "SELECT stream_position, payload->>'line' FROM dead_events ORDER BY created_at, 1" \
        'after seq 3, line 1|no event after 3
after seq 3, line 2|another
before seq 1, line 1|no event
before seq 1, line 2|no event either
after seq 3, line 3|one more
after seq 5, line 1|the last'
}

# Whatever the database makes of it, what was committed is on disk.
case_commits_are_waited_for() {
    use_new_database empty
    sql -c "CREATE TABLE seen (setting TEXT)" -c "GRANT INSERT ON seen TO $engine" -c "
        CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN
            INSERT INTO seen VALUES (current_setting('synchronous_commit'));
            RETURN NEW;
        END \$\$" -c "
        CREATE TRIGGER see BEFORE INSERT ON click_tracking FOR EACH ROW EXECUTE FUNCTION see()"
    for setting in off local; do
        sql -c "ALTER DATABASE $PGDATABASE SET synchronous_commit = $setting"
        stream --sink db --store-clicks --db "dbname=$PGDATABASE" \
            < <(some_events | sed "s/k-/$setting-/")
        expect_status 0
    done
    expect_sql "SELECT string_agg(DISTINCT setting, ' ' ORDER BY setting) FROM seen" 'local on'
}

case_two_processes() {
    begin_stream --quiet --checkpoint window
    await [ -s window/position.json ]
    stream --checkpoint window < <(some_events)
    expect_status 1
    expect_error 'window: another process uses it; end that one or choose another --checkpoint'
    some_events >&7
    end_stream
    expect_status 0
    expect_json window/position.json 'd["resume_from_seq"]' 4
}

case_somebody_elses_directory() {
    mkdir window
    echo precious >window/file
    stream --checkpoint window < <(some_events)
    expect_status 1
    expect_error 'window: holds files that are not of a checkpoint; give --checkpoint an empty'
    expect_match window/file precious
}

# It says which file, keeps all, and works again with a copy.
expect_refused() {
    rm -rf damaged
    cp -a window damaged
    stream --checkpoint window < <(some_events)
    expect_status 1
    expect_error "$1: .*(restore the directory from a copy|bring this one back from a copy)"
    diff -r damaged window >/dev/null || fail "$1: the directory has changed"
    rm -rf window
    cp -a kept window
}

case_damaged_files() {
    local file
    stream --checkpoint window < <(some_events)
    cp -a window kept
    for file in window/*.part window/manifest; do
        truncate -s -1 "$file"
        expect_refused "$file"
        printf X | dd of="$file" bs=1 seek=50 conv=notrunc status=none
        expect_refused "$file"
    done
    for file in window/*.part; do
        rm "$file"
        expect_refused "$file"
    done
    stream --checkpoint window < <(some_events)
    expect_status 0
    [ ! -s results.ndjson ] || fail "results again: $(cat results.ndjson)"
}

case_another_version() {
    stream --checkpoint window < <(some_events)
    cp -a window kept
    printf '\377' | dd of=window/manifest bs=1 seek=12 conv=notrunc status=none
    expect_refused window/manifest
    expect_match err 'written by another version of this program'
}

# Without its manifest a directory is begun anew: nothing in it counts.
case_no_manifest() {
    stream --checkpoint window < <(some_events)
    rm window/manifest
    stream --checkpoint window < <(some_events)
    expect_status 0
    [ "$(told conversion_id)" = v-1 ] || fail "not anew: $(cat results.ndjson)"
}

# Scores are the new model's from then on; what was kept has another window, and no traits.
case_another_model() {
    local other
    stream --checkpoint window < <(some_events)
    printf '{"name":"mine","version":"2","probabilistic":{"prior":0.01}}' >model.json
    stream --checkpoint window --model model.json < <(conversion v-2 k-1 12:40:00 ',"seq":4')
    expect_status 0
    expect_told conversion_id click_id model <<<'v-2 k-1 mine@2'
    cp -a window kept
    for other in '{"window_hours":24}' '{"fingerprint":{"traits":{"os":[0.9,0.4]}}}'; do
        printf '%s' "$other" >model.json
        stream --checkpoint window --model model.json < <(conversion v-3 k-1 12:40:00 ',"seq":5')
        expect_status 1
        expect_error 'window: it was made by a model with other windows, .* traits; give that model'
        diff -r kept window >/dev/null || fail "the directory has changed"
    done
}

# Without room there is no beginning; later, the stream goes on and says so until there is room.
full_disk() {
    head -c 1100000 /dev/zero >disk/filler 2>/dev/null || true
    stream --checkpoint disk/window < <(some_events)
    expect_status 1
    expect_match err 'disk/window.*: No space left on device'
    expect_match err 'there is no checkpoint to begin with; free space or'
    rm -rf disk/*
    begin_stream --quiet --checkpoint disk/window --checkpoint-interval 50ms
    some_events >&7
    await grep -q '"resume_from_seq":4' disk/window/position.json
    head -c 1100000 /dev/zero >disk/filler 2>/dev/null || true
    conversion v-2 k-1 12:40:00 ',"seq":4' >&7
    await grep -q 'no checkpoint this time, the one before stands: .*No space left' err
    expect_json disk/window/position.json 'd["resume_from_seq"]' 4
    conversion v-3 k-1 12:40:00 ',"seq":5' >&7
    await grep -q '"v-3"' results.ndjson
    rm disk/filler
    conversion v-4 k-1 12:40:00 ',"seq":6' >&7
    await grep -q '"resume_from_seq":7' disk/window/position.json
    kill -KILL "$stream"
    end_stream
    stream --checkpoint disk/window < <(conversion v-4 k-1 12:40:00 ',"seq":6')
    expect_status 0
    [ ! -s results.ndjson ] || fail "results again: $(cat results.ndjson)"
}

case_full_disk() {
    mkdir disk
    if ! mount -t tmpfs -o size=1m tmpfs disk 2>/dev/null; then
        skip 'needs the right to mount a small disk'
        return
    fi
    (full_disk)
    umount -l disk
}

# A reader that reads nothing does not keep a stream from ending; its results come again.
case_sigterm_while_nobody_reads() {
    local i
    for ((i = 1; i <= 2000; i++)); do conversion "v-$i" - 12:40:00 ",\"seq\":$i"; done >all
    mkfifo out
    exec 8<>out
    "$program" stream --quiet --checkpoint window --events all >out 2>err &
    stream=$!
    await [ -s window/position.json ]
    sleep 0.5
    kill -TERM "$stream"
    wait_stream
    exec 8>&-
    expect_status 1
    expect_error 'standard output: interrupted while nobody read what was written; see that it is'
    stream --checkpoint window <all
    expect_status 0
    [ "$(told seq | sort -nu | wc -l)" -eq 2000 ] || fail "$(told seq | wc -l) results"
}

# A line that was cut off is not left in the middle of the results.
case_killed_in_the_middle_of_a_line() {
    some_events >all
    stream --checkpoint window --output output.ndjson <all
    cp output.ndjson wanted.ndjson
    printf '{"conversion_id":"v-2","ten' >>output.ndjson
    stream --checkpoint window --output output.ndjson < <(conversion v-2 - 12:40:00 ',"seq":4')
    expect_status 0
    expect_json output.ndjson '[x["conversion_id"] for x in d]' '["v-1", "v-2"]'
}

make_template
run_cases
