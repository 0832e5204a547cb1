#!/bin/bash
# Every command that docs/stream.md prints, as printed, and the units in examples.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

page=$root/docs/stream.md

# The indented lines under a heading; what a program printed begins with a brace.
commands_under() {
    sed -n "/^## $1\$/,/^## /s/^    //p" "$page" | grep -v '^{' >commands
    [ -s commands ] || fail "no commands under $1"
}

# Run them in the case's directory, where build is the checkout's, and give each some time, as a
# person does.
run_commands() {
    [ -e build ] || ln -s "$(dirname "$program")" build
    status=0
    sed '/[^|]$/s/$/\nsleep 0.4/' commands >slowly
    bash -eo pipefail slowly >"$work/out" 2>"$work/err" || status=$?
    expect_status 0
}

make_events() {
    sed -n '/^## Try it$/,/^## /s/^    \(echo .*\)/\1/p' "$page" >make_events
    bash -e make_events
    [ "$(wc -l <events.ndjson)" -eq 2 ] || fail "no events"
}

expect_shown() {
    while IFS= read -r line; do
        grep -qxF -e "$line" "$1" || fail "$1 does not show: $line"
    done < <(sed -n "/^## $2\$/,/^## /s/^    {/{/p" "$page")
}

case_try_it() {
    commands_under "Try it"
    run_commands
    [ "$(wc -l <"$work/out")" -eq 1 ] || fail "not one result: $(head -c 300 "$work/out")"
    cp "$work/out" out
    expect_shown out "Try it"
}

case_a_named_pipe() {
    make_events
    commands_under "Through a named pipe"
    run_commands
    expect_match "$work/out" '"conversion_id":"order-1".*"attribution_method":"probabilistic"'
    expect_match "$work/err" '^clickmatch: 2 events, .*1 probabilistic'
    expect_same "$work/out" results.ndjson
}

case_into_postgresql() {
    server=/tmp/clickmatch-stream.$$ # which PostgreSQL may enter
    eval "$("$root/scripts/pg_temp.sh" start "$server")"
    createdb clickmatch
    "$program" migrate --db dbname=clickmatch --quiet || fail "no tables"
    psql -Xq -d clickmatch -c 'create role engine login in role clickmatch_engine'
    make_events
    commands_under "Into PostgreSQL"
    run_commands
    expect_match "$work/out" 'order-1 +\| probabilistic +\| +0\.5007'
    "$root/scripts/pg_temp.sh" stop "$server"
}

# A kcat that notes how it was called, and has the events as messages from offset 6 on.
fake_kcat() {
    mkdir bin
    cat >bin/kcat <<'FAKE'
#!/bin/bash
printf '%s\n' "$@" >kcat.arguments
from=$(grep -A 1 -x -e -o kcat.arguments | tail -n 1)
number=5
while IFS= read -r line; do
    number=$((number + 1))
    format=${*: -1}
    format=${format//%o/$number}
    [ "$from" != beginning ] && [ "$number" -lt "$from" ] || printf "${format//%s/%s}" "$line"
done <events.ndjson
FAKE
    chmod +x bin/kcat
    PATH=$PWD/bin:$PATH
}

argument_after() {
    grep -A 1 -x -e "$1" kcat.arguments | tail -n 1
}

# The same commands begin, and go on: with the window, after the event that was the last.
case_from_kafka() {
    fake_kcat
    make_events
    commands_under "From Kafka"
    grep -qx -e 'kcat -C .*|' commands || fail "kcat does not read"
    run_commands
    [ "$(argument_after -o)" = beginning ] || fail "begins at $(argument_after -o)"
    cp window/position.json position
    expect_shown position "Checkpoints"
    sed -n '2s/order-1/order-2/p' events.ndjson >third_event
    cat third_event >>events.ndjson
    run_commands
    [ "$(argument_after -o)" = 8 ] || fail "goes on at $(argument_after -o)"
    expect_json results.ndjson '[r["seq"] for r in d]' '[7, 8]'
    expect_json results.ndjson '[r["conversion_id"] for r in d]' '["order-1", "order-2"]'
    expect_json results.ndjson '[r["click_id"] for r in d]' '["k-1", "k-1"]'
}

# A window of events without seq does not know where to go on.
case_from_kafka_without_a_position() {
    make_events
    "$program" stream --quiet --checkpoint window --output /dev/null <events.ndjson
    commands_under "From Kafka"
    head -n 1 commands >first
    expect_match window/position.json '"resume_from_seq":null'
    # shellcheck disable=SC2016 # of the inner shell
    [ -z "$(bash -c '. ./first; echo "$seq"')" ] || fail "finds $(cat window/position.json)"
}

# The page's port may be busy here; curl need not be there.
case_metrics() {
    make_events
    mkfifo events
    mkdir bin
    cat >bin/curl <<'FAKE'
#!/bin/bash
[ "$1" = -s ] && exec python3 -c 'import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1]).read().decode(), end="")' "$2"
FAKE
    chmod +x bin/curl
    PATH=$PWD/bin:$PATH
    port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    commands_under "Metrics"
    sed -i "s/:9464/:$port/" commands
    run_commands
    python3 "$root/tests/harness/exposition.py" <"$work/out" >wrong || fail "$(cat wrong)"
}

# Metrics of the page are those that there are, but those of what this run has not: a sink, seq.
case_the_page_names_all_metrics() {
    sed -n '/^| Name | What it is |$/,/^$/p' "$page" | cut -d'|' -f2 | tr ',' '\n' |
        sed 's/{.*//; s/[a-z]*}.*//; s/ //g' | grep '_' | grep -v '^-' | sort -u >named
    "$program" stream --quiet --metrics all.prom --output /dev/null </dev/null
    sed -n 's/^# TYPE clickmatch_\([a-z_]*\) .*/\1/p' all.prom | sort -u >there
    comm -13 named there >left_out
    [ ! -s left_out ] || fail "the page leaves out $(cat left_out)"
    comm -23 named there | grep -v -e '^stream_sink_' -e '^stream_position_seq$' >invented
    [ ! -s invented ] || fail "there is no $(cat invented)"
}

# Units that systemd-analyze can find the program of.
copy_units() {
    cp "$root"/examples/clickmatch-stream.* .
    sed -i "s|/usr/local/bin/clickmatch|$program|" clickmatch-stream.service
}

# Sections, keys and values, each key once; enough to find a typing error without systemd.
case_units_are_well_formed() {
    python3 - "$root/examples" <<'PY' >wrong || fail "$(cat wrong)"
import configparser, sys
needed = {"service": {"Unit", "Service", "Install"}, "socket": {"Unit", "Socket", "Install"}}
for kind, sections in needed.items():
    unit = configparser.RawConfigParser(strict=True, delimiters="=", comment_prefixes="#",
                                        empty_lines_in_values=False)
    unit.optionxform = str
    text = open("%s/clickmatch-stream.%s" % (sys.argv[1], kind)).read().replace("\\\n", " ")
    unit.read_string(text)
    assert set(unit.sections()) == sections, unit.sections()
PY
}

case_units_are_what_systemd_takes() {
    command -v systemd-analyze >/dev/null || {
        skip "systemd-analyze is not installed"
        return
    }
    copy_units
    systemd-analyze verify ./clickmatch-stream.service ./clickmatch-stream.socket >wrong 2>&1 ||
        fail "$(cat wrong)"
    [ ! -s wrong ] || fail "$(cat wrong)"
}

# The service's command as the unit has it, with its environment file and a pipe that is held open,
# as systemd does.
case_the_service_works() {
    copy_units
    mkfifo pipe
    mkdir clickmatch
    sed -e :a -e '/\\$/N; s/\\\n *//; ta' clickmatch-stream.service |
        sed -n "s|%S|$PWD|g; s/^ExecStart=//p" >command_line
    sed -i 's/^CLICKMATCH_METRICS=.*/CLICKMATCH_METRICS=:0/' clickmatch-stream.env
    make_events
    (
        set -a
        . ./clickmatch-stream.env
        set +a
        exec bash -c "exec $(cat command_line)" <>pipe 2>err
    ) &
    service=$!
    cat events.ndjson >pipe # the writer goes
    await_in clickmatch/results.ndjson order-1
    sed 's/order-1/order-2/; s/k-1/k-2/' events.ndjson >pipe
    await_in clickmatch/results.ndjson order-2
    kill -HUP "$service"
    await_in err 'model default@1 from now on'
    kill -TERM "$service"
    status=0
    wait "$service" || status=$?
    expect_status "$(sed -n 's/^SuccessExitStatus=//p' clickmatch-stream.service)"
    expect_match err 'metrics at http'
    [ -s clickmatch/window/position.json ] || fail "no checkpoint"
}

await_in() {
    local tries=0
    until grep -qs -e "$2" "$1"; do
        tries=$((tries + 1))
        [ "$tries" -lt 400 ] || fail "never in $1: $2; $(head -c 300 err)"
        [ "$tries" -lt 400 ] || return 1
        sleep 0.05
    done
}

run_cases
