#!/bin/bash
# `match` under attack: inputs without end or measure, places that refuse, signals at any time. It
# must end with a status of its own, one line that says why, bounded memory and nothing left behind.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

memory_max=$((48 << 20))
click_header=tenant_id,click_id,click_timestamp

write_inputs() {
    printf '%s\n' "$click_header" t,k1,2026-03-10T12:00:00Z >clicks.csv
    printf '%s\n' tenant_id,conversion_id,conversion_timestamp,click_id \
        t,v1,2026-03-10T12:30:00Z,k1 >conversions.csv
}

# Conversions of the one click, so many of them.
write_conversions() {
    seq -f 't,w%.0f,2026-03-10T12:30:00Z,k1' "$1" >>conversions.csv
}

match() {
    run match --clicks clicks.csv --conversions conversions.csv --output results.csv --quiet "$@"
}

# Match with what standard input brings as clicks.
match_pipe() {
    status=0
    "$program" match --clicks - --conversions conversions.csv --output results.csv --quiet \
        --summary summary.json "$@" >"$work/out" 2>"$work/err" || status=$?
}

# The click was found, whatever stood around it, in little memory, where all of it is the program's.
expect_found() {
    expect_status 0
    expect_match results.csv '^v1,t,k1,'
    is_sanitized || expect_json summary.json "d['peak_memory_bytes'] < $memory_max" true
}

zeros() {
    head -c "$1" /dev/zero
}

# ---- size ----

case_line_of_1_gb() {
    write_inputs
    match_pipe < <(echo "$click_header"; zeros 1000000000; echo; tail -n 1 clicks.csv)
    expect_found
    expect_match "$work/err" 'standard input:2: row longer than'
}

case_quoted_field_of_200_mb() {
    write_inputs
    match_pipe < <(echo "$click_header"; printf '"'; zeros 200000000; echo; tail -n 1 clicks.csv)
    expect_found
}

case_json_line_of_100_mb() {
    write_inputs
    match_pipe < <(
        echo '{"tenant_id":"t","click_id":"k1","click_timestamp":1773144000000}'
        printf '{"x":"'
        zeros 100000000 | tr '\0' a
    )
    expect_found
}

# Every line opens a quote that none closes: time must stay linear.
case_lost_quotes() {
    write_inputs
    match_pipe --max-rejects none < <(
        cat clicks.csv
        yes 't,"' | head -c 20000000
    )
    expect_found
    match_pipe --max-rejects none < <(
        cat clicks.csv
        echo 't,"k'
        yes 'a,b' | head -c 20000000
    )
    expect_found
}

case_header_without_end() {
    write_inputs
    match_pipe < <(zeros 100000000)
    expect_status 1
    expect_error 'the CSV header is longer than 1048576 bytes'
    expect_files clicks.csv conversions.csv
}

case_million_columns() {
    write_inputs
    match_pipe < <(
        for part in "$click_header" t,k1,2026-03-10T12:00:00Z; do
            printf '%s' "$part"
            zeros 1000000 | tr '\0' ,
            echo
        done
    )
    expect_found
}

case_many_tenants() {
    printf '%s,ip_address\n' "$click_header" >clicks.csv
    seq -f 't%.0f,k,2026-03-10T12:00:00Z,192.0.3.1' 300000 >>clicks.csv
    printf 'tenant_id,conversion_id,conversion_timestamp,ip_address\n' >conversions.csv
    seq -f 't%.0f,v,2026-03-10T12:01:00Z,192.0.3.1' 100 150 300100 >>conversions.csv
    match --recovery-target 0 --tenants-max 300000
    expect_status 0
    [ "$(grep -c ',k,.*,probabilistic,' results.csv)" -eq 2000 ] || fail "a tenant sees others"
}

case_packed_bombs() {
    write_inputs
    for packer in gzip 'zstd -q'; do
        # shellcheck disable=SC2086 # a command and its options
        { cat clicks.csv; zeros 500000000; } | $packer >bomb
        match_pipe <bomb
        expect_found
        [ "$(wc -c <bomb)" -lt 1000000 ] || fail "no bomb: $(wc -c <bomb) bytes"
    done
}

# ---- files that are not whole, or change ----

# Cut anywhere, a packed file is refused. What is left of its magic number is read as text.
case_packed_file_cut_anywhere() {
    local packer size
    write_inputs
    for packer in gzip 'zstd -q'; do
        # shellcheck disable=SC2086 # a command and its options
        $packer <clicks.csv >whole
        for ((size = 0; size < $(wc -c <whole); size += 1 + size / 12)); do
            head -c "$size" whole >cut.bin
            match --clicks cut.bin
            [ "$status" -eq 1 ] || fail "$packer, $size bytes: exit status $status"
            expect_error '^clickmatch: cut\.bin: '
        done
    done
    expect_files clicks.csv conversions.csv whole cut.bin
}

case_growing_file() {
    local i
    write_inputs
    for i in $(seq 2000); do
        echo "t,g$i,2026-03-10T12:00:00Z"
    done >>clicks.csv &
    match --summary summary.json
    expect_found
    expect_json summary.json 'd["clicks"]["rejected"] <= 1' true
    wait
}

case_files_given_twice() {
    write_inputs
    match --clicks clicks.csv --conversions conversions.csv --summary summary.json
    expect_found
    expect_json summary.json 'd["clicks"]["duplicates"]' 1
    expect_json summary.json 'd["conversions"]["duplicates"]' 1
    [ "$(wc -l <results.csv)" -eq 2 ] || fail "$(cat results.csv)"
}

case_empty_model_is_no_model() {
    write_inputs
    : >model.json
    match --model model.json
    expect_status 1
    expect_error '^clickmatch: model\.json: model: line 1'
}

# ---- descriptors and limits ----

case_closed_descriptors() {
    write_inputs
    status=0
    timeout 10 "$program" match --clicks - --conversions conversions.csv --quiet \
        >"$work/out" 2>"$work/err" <&- || status=$?
    expect_status 1
    expect_error '^clickmatch: standard input: cannot read: '
    status=0
    timeout 10 "$program" match --clicks clicks.csv --conversions conversions.csv --quiet \
        >&- 2>"$work/err" </dev/null || status=$?
    expect_status 1
    expect_error '^clickmatch: standard output: cannot write: '
    timeout 10 "$program" match --clicks clicks.csv --conversions conversions.csv \
        --output results.csv <&- >&- 2>&- || fail "exit status $?"
    [ "$(wc -l <results.csv)" -eq 2 ] || fail "messages in the results: $(cat results.csv)"
    expect_files clicks.csv conversions.csv results.csv
}

case_file_size_limit() {
    write_inputs
    write_conversions 20000
    status=0
    (ulimit -f 100 && "$program" match --clicks clicks.csv --conversions conversions.csv --quiet \
        --output results.csv 2>"$work/err") || status=$?
    expect_status 1
    expect_error '^clickmatch: results\.csv: cannot write: File too large'
    expect_files clicks.csv conversions.csv
}

# Whatever is short, the run ends well, or says what it lacks.
expect_well_or_refused() {
    case $status in
        0) expect_match results.csv '^v1,t,k1,' ;;
        1) expect_error "^clickmatch: .*($1)" ;;
        127) ;; # too little to load the libraries
        *) expect_status 1 ;;
    esac
    rm -f results.csv
    expect_files clicks.csv conversions.csv
}

case_few_descriptors() {
    local limit
    is_sanitized && skip "a sanitizer opens files of its own" && return
    write_inputs
    for limit in 4 5 6 7 8 9 10; do
        status=0
        (ulimit -n "$limit" && exec "$program" match --clicks clicks.csv --conversions \
            conversions.csv --quiet --output results.csv) 2>"$work/err" || status=$?
        expect_well_or_refused 'Too many open files'
    done
}

case_little_memory() {
    local kilobytes
    is_sanitized && skip "a sanitizer needs more than there is" && return
    write_inputs
    write_conversions 5000
    for kilobytes in 16000 20000 24000 28000 32000 40000 60000 100000; do
        status=0
        (ulimit -v "$kilobytes" && exec "$program" match --clicks clicks.csv --conversions \
            conversions.csv --quiet --output results.csv --threads 2) 2>"$work/err" || status=$?
        expect_well_or_refused 'memory'
    done
}

case_most_threads() {
    write_inputs
    write_conversions 20000
    match --threads 1
    mv results.csv one.csv
    match --threads 256
    expect_status 0
    expect_same results.csv one.csv
    match --threads 10000
    expect_status 2
}

# ---- places ----

case_link_as_output() {
    write_inputs
    mkdir folder
    echo old >folder/old.csv
    ln -s folder/old.csv results.csv
    match
    expect_status 0
    [ -L results.csv ] || fail "the link was replaced"
    expect_match folder/old.csv '^v1,t,k1,'
    expect_files clicks.csv conversions.csv results.csv folder folder/old.csv
    ln -sf nowhere/new.csv results.csv
    match
    expect_status 1
    expect_error '^clickmatch: results\.csv: '
}

case_odd_names() {
    local folder=$'a b \xc3\xa9 \xff\n%s'
    write_inputs
    mkdir "$folder"
    run match --clicks "$folder/../clicks.csv" --conversions conversions.csv --quiet --output \
        "$folder/--re sults.csv" --rejects "$folder/%n" --summary "$folder/$(printf '%0240d' 0)"
    expect_status 0
    expect_match "$folder/--re sults.csv" '^v1,t,k1,'
    [ "$(find "$folder" -type f | wc -l)" -ge 3 ] || fail "outputs are missing"
    expect_json "$folder/$(printf '%0240d' 0)" '[s["name"] for s in d["sources"]]' \
        '["(no UTF-8)", "conversions.csv"]'
    match --output "$folder/$(printf '%0256d' 0)"
    expect_status 1
    expect_match "$work/err" 'File name too long'
}

case_no_place_for_temporary_files() {
    write_inputs
    TMPDIR=/nowhere match
    expect_status 0
    TMPDIR=/nowhere match --output -
    expect_status 1
    expect_error '^clickmatch: /nowhere/.*TMPDIR'
    [ ! -s "$work/out" ] || fail "part of the results came"
}

# The reader sees all, or nothing.
case_pipe_as_output() {
    write_inputs
    write_conversions 20000
    mkfifo pipe
    cat pipe >got.csv &
    match --output pipe
    expect_status 0
    wait
    [ "$(wc -l <got.csv)" -eq 20002 ] || fail "$(wc -l <got.csv) lines"
    cat pipe >got.csv &
    echo '"' >bad.csv
    match --clicks bad.csv --output pipe
    wait
    expect_status 1
    [ ! -s got.csv ] || fail "part of the results came"
}

# ---- surroundings ----

case_locale_and_zone_change_nothing() {
    local setting
    run match --clicks "$vectors/clicks.csv" --conversions "$vectors/conversions.csv" --quiet
    mv "$work/out" wanted.csv
    echo '{"name": "default", "fingerprint": {"prior": 0.5}}' >model.json
    for setting in LC_ALL=de_DE.UTF-8 LC_NUMERIC=de_DE.UTF-8 LC_ALL=tr_TR.UTF-8 LC_ALL=nonsense \
        TZ=America/New_York TZ=Asia/Kathmandu TZ=nonsense; do
        status=0
        env -u LC_ALL "$setting" "$program" match --clicks "$vectors/clicks.csv" --quiet \
            --conversions "$vectors/conversions.csv" --model model.json >got.csv 2>"$work/err" ||
            status=$?
        expect_status 0
        cmp -s got.csv wanted.csv || fail "$setting changes the results"
    done
}

# ---- signals ----

case_signals_at_any_time() {
    local i pid outcome=0 signals=(TERM INT TERM) interrupted=0
    write_inputs
    seq -f 't,k%.0f,2026-03-10T12:00:00Z' 100000 >>clicks.csv
    write_conversions 50000
    for i in $(seq 25); do
        "$program" match --clicks clicks.csv --conversions conversions.csv --output results.csv \
            --rejects rejects.ndjson --threads $((i % 3 + 1)) --quiet 2>"$work/err" &
        pid=$!
        sleep "0.0$((RANDOM % 90 + 10))"
        kill "-${signals[i % 3]}" "$pid" 2>/dev/null
        outcome=0
        wait "$pid" || outcome=$?
        # Before the program can handle them, signals end it.
        case $outcome in
            0) [ "$(wc -l <results.csv)" -eq 50002 ] || fail "results are not whole" ;;
            5) [ ! -e results.csv ] || fail "results of an interrupted run" ;;
            130 | 143) [ ! -s "$work/err" ] || fail "killed by a signal it handles" ;;
            *) fail "exit status $outcome: $(cat "$work/err")" ;;
        esac
        interrupted=$((interrupted + (outcome == 5)))
        # A signal may come before that file is opened: it would tell of the run before.
        rm -f results.csv rejects.ndjson "$work/err"
        expect_files clicks.csv conversions.csv
    done
    [ "$interrupted" -gt 0 ] || fail "none of the signals came while it ran"
}

case_signal_ends_an_endless_input() {
    local pid
    write_inputs
    yes 't,k1,2026-03-10T12:00:00Z' 2>/dev/null | cat clicks.csv - 2>/dev/null |
        { "$program" match --clicks - --conversions conversions.csv --output results.csv \
            --quiet --threads 2 2>"$work/err" & echo "$!" >pid; wait "$!"; echo "$?" >ended; } &
    until [ -s pid ]; do sleep 0.05; done
    pid=$(cat pid)
    await_handler "$pid"
    kill -INT "$pid"
    wait
    status=$(cat ended)
    expect_status 5
    expect_error '^clickmatch: interrupted while reading standard input'
}

case_signal_ends_the_wait_for_a_reader() {
    local pid
    write_inputs
    mkfifo pipe
    "$program" match --clicks clicks.csv --conversions conversions.csv --output pipe --quiet \
        2>"$work/err" &
    pid=$!
    await_idle "$pid"
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    expect_status 5
    expect_error '^clickmatch: interrupted while '
    expect_files clicks.csv conversions.csv pipe
}

run_cases
