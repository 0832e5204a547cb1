#!/bin/bash
# `match` on what is wrong: the exit status, one line that says what and where, nothing left behind.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

hash=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

# Two clicks, one conversion; arguments are rows to put between the clicks.
write_inputs() {
    {
        echo "tenant_id,click_id,click_timestamp,fingerprint_hash"
        echo "t,k1,2026-03-10T12:00:00Z,$hash"
        [ $# -eq 0 ] || printf '%b\n' "$@"
        echo "t,k2,2026-03-10T12:10:00Z,$hash"
    } >clicks.csv
    {
        echo "tenant_id,conversion_id,conversion_timestamp,click_id"
        echo "t,v1,2026-03-10T12:30:00Z,k2"
    } >conversions.csv
}

match() {
    run match --clicks clicks.csv --conversions conversions.csv --output results.csv --quiet "$@"
}

# The row between the clicks was rejected for a reason; the rest was matched.
expect_reject() {
    expect_status 0
    expect_error "^clickmatch: warning: clicks\.csv:3: $1"
    expect_match results.csv '^v1,t,k2,'
    expect_files clicks.csv conversions.csv results.csv
}

# The run failed, and left nothing but its inputs.
expect_failure() {
    expect_status "$1"
    expect_error "^clickmatch: $2"
    expect_files clicks.csv conversions.csv "${@:3}"
}

# Run as another user where the tests run as root: root may write everywhere.
run_unprivileged() {
    if [ "$(id -u)" -ne 0 ]; then
        run "$@"
        return
    fi
    # What lies in root's own directory others cannot run.
    cp "$program" "$work/program"
    chmod 755 "$work" "$work/program"
    status=0
    setpriv --reuid=65534 --regid=65534 --clear-groups "$work/program" "$@" \
        >"$work/out" 2>"$work/err" </dev/null || status=$?
}

# ---- rows ----

case_row_cut_short() {
    write_inputs "t,k9"
    match
    expect_reject '.*(field|column)'
}

case_bad_hex_digit() {
    write_inputs "t,k9,2026-03-10T12:05:00Z,${hash%f}g"
    match
    expect_reject 'fingerprint_hash: .*hex'
}

case_nul_in_id() {
    write_inputs 't,k\0009,2026-03-10T12:05:00Z,'
    match
    expect_reject 'click_id: .*NUL'
}

case_no_utf8_in_id() {
    write_inputs 't,k\0377,2026-03-10T12:05:00Z,'
    match
    expect_reject 'click_id: .*UTF-8'
}

case_unknown_time_format() {
    write_inputs "t,k9,10/03/2026 12:05,"
    match
    expect_reject 'click_timestamp: .*time'
}

case_field_of_10_mb() {
    write_inputs "t,$(head -c 10000000 /dev/zero | tr '\0' a),2026-03-10T12:05:00Z," 2>"$work/err"
    match
    expect_status 0
    expect_error '^clickmatch: warning: clicks\.csv:3: .*long'
    [ "$(wc -c <"$work/err")" -lt 500 ] || fail "a message of $(wc -c <"$work/err") bytes"
    expect_match results.csv '^v1,t,k2,'
}

case_lost_quote() {
    write_inputs 't,"k9,2026-03-10T12:05:00Z,'
    match
    expect_reject '.*quote'
}

# ---- sources ----

case_empty_file() {
    write_inputs
    : >clicks.csv
    match
    expect_failure 1 'clicks\.csv: empty input'
}

case_missing_column() {
    write_inputs
    sed -i 's/click_timestamp/when/' clicks.csv
    match
    expect_failure 1 'clicks\.csv: required column missing: click_timestamp; found: .*when.*line 1'
}

case_column_twice() {
    write_inputs
    sed -i '1s/fingerprint_hash/click_id/' clicks.csv
    match
    expect_failure 1 'clicks\.csv: column click_id is there twice'
}

case_missing_file() {
    write_inputs
    match --clicks nowhere.csv
    expect_failure 1 'nowhere\.csv: .*No such file'
}

# It is told before an hour of clicks is read.
case_missing_conversions() {
    write_inputs
    mkfifo pipe
    run match --clicks pipe --conversions nowhere.csv --output results.csv
    expect_failure 1 'nowhere\.csv: .*No such file' pipe
}

case_directory_as_input() {
    write_inputs
    mkdir folder
    match --clicks folder
    expect_failure 1 'folder: .*directory' folder
}

case_damaged_gzip() {
    write_inputs
    gzip -k clicks.csv
    head -c 60 clicks.csv.gz >cut.gz
    rm clicks.csv.gz
    match --clicks cut.gz
    expect_failure 1 'cut\.gz: ' cut.gz
}

case_damaged_zstd() {
    write_inputs
    zstd -q clicks.csv -o damaged.zst
    printf 'x' | dd of=damaged.zst bs=1 seek=40 conv=notrunc 2>/dev/null
    match --clicks damaged.zst
    expect_failure 1 'damaged\.zst: ' damaged.zst
}

case_model_with_bad_field() {
    write_inputs
    printf '{"window_hour": 168}' >model.json
    match --model model.json
    expect_failure 1 'model\.json: .*window_hour: unknown field' model.json
}

case_model_that_is_no_json() {
    write_inputs
    printf '{\n"window_hours": }' >model.json
    match --model model.json
    expect_failure 1 'model\.json: .*line 2, byte ' model.json
}

case_file_name_with_line_end() {
    write_inputs
    match --clicks $'no\nsuch.csv'
    expect_failure 1 'no\?such\.csv: '
}

# ---- outputs ----

case_full_device() {
    write_inputs
    match --output /dev/full
    expect_failure 1 '/dev/full: .*No space left'
}

case_full_disk() {
    write_inputs
    mkdir disk
    if [ "$(id -u)" -ne 0 ] || ! mount -t tmpfs -o size=64k none disk 2>/dev/null; then
        rmdir disk
        return # /dev/full stands for it
    fi
    for i in $(seq 2000); do
        echo "t,w$i,2026-03-10T12:30:00Z,k2"
    done >>conversions.csv
    match --output disk/results.csv
    [ -z "$(ls disk)" ] || fail "left behind: $(ls disk)"
    umount disk
    expect_failure 1 'disk/results\.csv: .*No space left' disk
}

case_read_only_directory() {
    write_inputs
    mkdir closed
    chmod 555 closed
    run_unprivileged match --clicks clicks.csv --conversions conversions.csv \
        --output closed/results.csv --quiet
    expect_failure 1 'closed/results\.csv: .*Permission denied' closed
}

case_missing_directory() {
    write_inputs
    match --output nowhere/results.csv
    expect_failure 1 'nowhere/results\.csv: .*No such file'
}

case_directory_as_output() {
    write_inputs
    mkdir folder
    match --output folder
    expect_failure 1 'folder: .*directory' folder
}

case_closed_reader() {
    write_inputs
    for i in $(seq 5000); do
        echo "t,w$i,2026-03-10T12:30:00Z,k2"
    done >>conversions.csv
    {
        "$program" match --clicks clicks.csv --conversions conversions.csv --quiet 2>"$work/err"
        echo $? >"$work/status"
    } | head -n 1 >/dev/null
    status=$(cat "$work/status")
    expect_failure 1 'standard output: .*Broken pipe'
}

case_one_file_for_two_outputs() {
    write_inputs
    match --rejects results.csv
    expect_failure 2 "--output and --rejects both write to 'results\.csv'"
    mkdir folder
    match --rejects folder/../results.csv
    expect_failure 2 "--output and --rejects both write to " folder
    ln -s results.csv other
    touch results.csv
    match --summary other
    expect_failure 2 "--output and --summary both write to " folder other results.csv
}

case_an_output_in_the_place_of_an_input() {
    write_inputs
    cp clicks.csv before
    match --rejects ./clicks.csv
    expect_failure 2 "--rejects would replace '\./clicks\.csv', which --clicks reads" before
    expect_same clicks.csv before
}

case_a_replaced_output_keeps_its_mode() {
    write_inputs
    touch results.csv
    chmod 0640 results.csv
    match
    expect_status 0
    [ "$(stat -c %a results.csv)" = 640 ] || fail "mode $(stat -c %a results.csv)"
}

# What stood there before still stands there after a failure.
case_failure_keeps_the_old_output() {
    write_inputs
    echo old >results.csv
    : >conversions.csv
    match
    expect_status 1
    [ "$(cat results.csv)" = old ] || fail "results.csv was replaced"
    expect_files clicks.csv conversions.csv results.csv
}

# ---- interrupts ----

# Match from a pipe that never ends; send a signal once the run waits for it.
interrupt() {
    mkfifo pipe
    exec 3<>pipe
    head -n 1 conversions.csv >&3
    "$program" match --clicks clicks.csv --conversions pipe --output results.csv \
        --summary summary.json --quiet "${@:2}" 2>"$work/err" &
    local pid=$!
    await_idle "$pid"
    kill "-$1" "$pid"
    status=0
    wait "$pid" || status=$?
    exec 3>&-
}

case_sigterm() {
    write_inputs
    interrupt TERM
    expect_failure 5 'interrupted while reading pipe' pipe summary.json
    expect_json summary.json 'd["outcome"]' '"interrupted"'
    expect_json summary.json 'd["clicks"]["rows"]' 2
}

case_sigint_with_threads() {
    write_inputs
    interrupt INT --threads 4 --rejects rejects.ndjson
    expect_failure 5 'interrupted while reading pipe' pipe summary.json
}

# A named pipe that nobody opens for writing.
case_sigterm_before_a_writer_comes() {
    write_inputs
    mkfifo pipe
    "$program" match --clicks pipe --conversions conversions.csv --output results.csv --quiet \
        2>"$work/err" &
    local pid=$!
    await_idle "$pid"
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    expect_failure 5 'interrupted while ' pipe
}

run_cases
