#!/bin/bash
# `train` as a command: its options and their checks, what it reads and writes, and that nothing is
# left of a run that fails or is stopped.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/train.sh
. "$(dirname "$0")/fixtures/train.sh"

plain=$worlds/plain

# A model, so that there is something to compare with.
make_worlds() {
    make_world plain --clicks 12000 --conversions 4000 --seed 1
    train "$plain" --output "$worlds/model.json" --quiet
    [ "$status" -eq 0 ] || echo "not ok make_worlds: $(cat "$work/err")"
}

case_help() {
    run train --help
    expect_status 0
    expect_match "$work/out" '^Usage: clickmatch train --clicks FILE\.\.\. --conversions FILE'
    awk 'length > 80 { print }' "$work/out" >wide
    [ ! -s wide ] || fail "too wide: $(head -n 1 wide)"
    for option in name model-version metrics traits force truth rejects lenient threads; do
        expect_match "$work/out" "^  --$option( |\$)"
    done
    run --help
    expect_match "$work/out" '^  train '
}

# As printed, but that the program is not on the path.
case_example_of_the_help() {
    run train --help
    {
        echo "clickmatch() { \"$program\" \"\$@\" --quiet; }"
        sed -n '/^Example:/,$p' "$work/out" | sed 1d
    } >example.sh
    bash -eu example.sh >out 2>&1 || fail "it fails: $(tail -n 1 out)"
    expect_json model.json '[d["name"], len(d["devices"]) > 1]' '["default", true]'
}

# Before any work: the files are not even read.
case_names_are_checked_first() {
    local long
    long=$(printf '%0101d' 1)
    while IFS='|' read -r option text words; do
        printf -v text '%b' "$text"
        run train --clicks none.csv --conversions none.csv "--$option" "$text" --output model.json
        expect_status 2
        expect_error "^clickmatch: --$option: $words"
    done <<END
name|a@b|.*contains an @, which separates name and version
name|a\\0001b|.*contains a control character
name|a\\0177b|.*contains a control character
name|$long|.*longer than 100 bytes
name|a\\0377|the text is not UTF-8
name||the value is empty
name|a/b|--model would take the name 'a/b' for a file's; give another
name|a/b.json|--model would take the name 'a/b.json' for a file's; give another
name|a.json|--model would take the name 'a.json' for a file's; give another
name|-|--model would take the name '-' for a file's; give another
model-version|1\\t|.*contains a control character
model-version|$long|.*longer than 100 bytes
model-version|\\0303|the text is not UTF-8
model-version||the value is empty
END
    expect_files
}

case_names_are_written() {
    train "$plain" --name 'Läden "nord"' --model-version '1@\2' --output model.json --quiet
    expect_status 0
    expect_json model.json 'd["name"] + " " + d["version"]' '"L\u00e4den \"nord\" 1@\\2"'
    expect_valid model.json
    # without them: the name of --model, and the day of the last conversion
    echo '{"name": "shop", "version": "7"}' >base.json
    train "$plain" --model base.json --output model.json --quiet
    expect_json model.json '[d["name"], d["version"]]' \
        "[\"shop\", \"$(tail -n 1 "$plain/conversions.csv" | cut -d , -f 3 | cut -c 1-10)\"]"
}

case_outputs_that_cannot_be() {
    mkdir folder
    while IFS='|' read -r options code words; do
        # shellcheck disable=SC2086 # words
        train "$plain" $options
        expect_status "$code"
        expect_error "$words"
    done <<'END'
--output none/model.json|1|none/model.json: cannot create: .* or choose another --output
--output folder|1|folder: cannot write: Is a directory; choose another --output
--output m.json --metrics none/m|1|none/m: cannot create: .* or choose another --metrics
--output m.json --metrics folder|1|folder: cannot write: Is a directory; choose another --metrics
--output m.json --summary none/s|1|none/s: cannot create: .* or choose another --summary
--output m.json --metrics m.json|2|--output and --metrics both write to 'm.json'; give them
--output m.json --metrics ./m.json|2|--output and --metrics both write to
--metrics -|2|both write to '-'
END
    expect_files folder
}

# train_around NAME: a directory comes to lie where a file shall be, after it was looked at: while
# the clicks are awaited.
train_around() {
    local pid end=$((SECONDS + 20))
    rm -rf model.json metrics.json pipe
    mkfifo pipe
    "$program" train --clicks pipe --conversions "$plain/conversions.csv" --quiet \
        --output model.json --metrics metrics.json >"$work/out" 2>"$work/err" &
    pid=$!
    until compgen -G '.metrics.json.*.tmp' >/dev/null || [ "$SECONDS" -ge "$end" ]; do
        sleep 0.05
    done
    mkdir "$1"
    timeout 20 cp "$plain/clicks.csv" /dev/stdout >pipe || fail 'nobody reads the clicks'
    status=0
    wait "$pid" || status=$?
    rm pipe
}

# Metrics of a model that is not there would be added to the registry with another one.
case_metrics_come_after_the_model() {
    train_around model.json
    expect_status 1
    expect_error '^clickmatch: model.json: cannot replace: Is a directory; choose another --output$'
    expect_files model.json
    train_around metrics.json
    expect_status 1
    expect_error '^clickmatch: metrics.json: cannot replace: Is a directory; choose another '
    expect_error 'choose another --metrics; model.json is written$'
    expect_same model.json "$worlds/model.json"
    expect_files model.json metrics.json
}

# On a disk that has no room for them there is no model either; what a device takes is known late.
case_metrics_without_room() {
    train "$plain" --output model.json --metrics /dev/full --quiet
    expect_status 1
    expect_error '^clickmatch: /dev/full: cannot write: No space left .*; model.json is written$'
    expect_same model.json "$worlds/model.json"
    train "$plain" --output /dev/full --metrics metrics.json --quiet
    expect_status 1
    expect_error '^clickmatch: /dev/full: cannot write: No space left .* choose another --output$'
    expect_files model.json
    rm model.json
    mkdir disk
    if [ "$(id -u)" -ne 0 ] || ! mount -t tmpfs -o size=4k none disk 2>/dev/null; then
        skip 'no right to mount a disk'
        return
    fi
    head -c 4096 /dev/zero >disk/full
    train "$plain" --output model.json --metrics disk/metrics.json --quiet
    [ "$(ls -A disk)" = full ] || fail "left behind: $(ls -A disk)"
    umount disk
    expect_status 1
    expect_error '^clickmatch: disk/metrics.json: cannot write: No space left .* another --metrics$'
    expect_files disk
}

# None takes the place of an input: neither as the program is told it, nor by another way to it.
case_outputs_that_are_inputs() {
    cp -r "$plain" world
    cp "$worlds/model.json" base.json
    ln -s world other
    find world base.json -type f -exec md5sum {} + | sort >before
    while IFS='|' read -r option file; do
        for file in "$file" "./$file" "${file/world/other}"; do
            for model in m.json -; do
                [ "$option" != output ] || model=$file
                train world --model base.json --truth world --output "$model" "--$option" "$file"
                expect_status 2
                expect_error "^clickmatch: --$option would replace '.*', which --[a-z]+ reads"
            done
        done
    done <<'END'
output|world/clicks.csv
output|world/conversions.csv
output|base.json
output|world/click_truth.csv
output|world/conversion_truth.csv
metrics|world/clicks.csv
metrics|base.json
metrics|world/click_truth.csv
summary|world/conversion_truth.csv
rejects|world/click_truth.csv
END
    find world base.json -type f -exec md5sum {} + | sort >after
    expect_same after before
    run evaluate --clicks world/clicks.csv --conversions world/conversions.csv --truth world \
        --html world/click_truth.csv
    expect_status 2
    expect_error 'would replace .*, which --truth reads'
}

case_standard_input_and_output() {
    "$program" train --clicks - --conversions "$plain/conversions.csv" --quiet \
        <"$plain/clicks.csv" >out.json 2>err || fail "$(cat err)"
    expect_same out.json "$worlds/model.json"
    gzip -c "$plain/conversions.csv" | "$program" train --clicks "$plain/clicks.csv" \
        --conversions - --quiet --output piped.json 2>err || fail "$(cat err)"
    expect_same piped.json "$worlds/model.json"
    train "$plain" --conversions - --model - --quiet
    expect_status 2
    expect_error 'standard input\) is given 2 times'
    run train --clicks "$plain/clicks.csv" --output model.json
    expect_status 2
    expect_error '--conversions'
}

# The same in two files each.
case_more_than_one_file() {
    for name in clicks conversions; do
        head -n 1500 "$plain/$name.csv" >"$name-1.csv"
        { head -n 1 "$plain/$name.csv" && tail -n +1501 "$plain/$name.csv"; } >"$name-2.csv"
    done
    run train --clicks clicks-2.csv --clicks clicks-1.csv --conversions conversions-1.csv \
        --conversions conversions-2.csv --output model.json --quiet
    expect_status 0
    expect_same model.json "$worlds/model.json"
}

case_rejects() {
    local i
    cp -r "$plain" world
    for i in 1 2 3; do
        echo "store-1,bad-$i,yesterday" >>world/clicks.csv
        echo ",bad-$i,2026-03-03T00:00:00Z" >>world/conversions.csv
    done
    train world --output model.json --rejects rejects --summary summary.json
    expect_status 0
    expect_same model.json "$worlds/model.json"
    expect_json rejects 'len(d), sorted({x["source"] for x in d})' \
        '[6, ["world/clicks.csv", "world/conversions.csv"]]'
    expect_json summary.json '[d["clicks"]["rejected"], d["conversions"]["rejected"],
        d["attribution"], d["command"]]' '[3, 3, null, "train"]'
    expect_no_match "$work/err" 'unattributed'
    train world --output other.json --max-rejects 2 --metrics metrics.json
    expect_status 3
    expect_no_files other.json metrics.json
}

case_log_as_json() {
    train "$plain" --output model.json --metrics metrics.json --log-format json
    expect_status 0
    expect_json "$work/err" '[(x["level"], x["message"]) for x in d]' \
        '[["info", "train"], ["info", "summary"]]'
    expect_json "$work/err" 'all(abs(d[0]["train"][k] - v) < 1e-8 if isinstance(v, float) else True
        for k, v in json.load(open("metrics.json")).items())' true
    expect_json "$work/err" 'sorted(d[0]["train"]) == sorted(json.load(open("metrics.json")))' true
    train "$plain" --output other.json --log-format json --model "$worlds/model.json" --name x@y
    expect_json "$work/err" '[x["level"] for x in [d]]' '["error"]'
}

case_quiet() {
    train "$plain" --output model.json --quiet
    expect_status 0
    [ -z "$(cat "$work/err" "$work/out")" ] || fail "it said $(cat "$work/err" "$work/out")"
    train "$plain" --quiet
    expect_same "$work/out" model.json
}

train_big() {
    exec "$program" train --clicks big/clicks.csv --conversions big/conversions.csv --threads 2 \
        --output model.json --metrics metrics.json
}

# expect_stopped SECONDS: with SIGINT after so long nothing is there but what was.
expect_stopped() {
    local pid started=$SECONDS
    echo before >model.json
    train_big >out 2>err &
    pid=$!
    sleep "$1"
    kill -INT "$pid" 2>/dev/null || fail "it was done before $1 s"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 5 ] || fail "exit status $status after $1 s: $(tail -n 1 err)"
    [ $((SECONDS - started)) -le $((5 + ${1%.*})) ] || fail "it went on after $1 s"
    expect_match err '^clickmatch: interrupted while (reading|loading|matching|learning)'
    [ "$(cat model.json)" = before ] || fail "model.json is another one after $1 s"
    rm model.json out err
    expect_files big big/clicks.csv big/conversions.csv big/click_truth.csv big/conversion_truth.csv
}

# At moments of the first part of the time that a run takes which is let be: others may slow that
# one down, and it must not be over before it is stopped.
case_interrupted() {
    local started percent
    run simulate --output big --clicks-count 150000 --conversions-count 75000 --organic 0.35 \
        --seed 3 --quiet
    started=${EPOCHREALTIME/./}
    (train_big) >out 2>err || fail "$(tail -n 1 err)"
    local taken=$((${EPOCHREALTIME/./} - started))
    rm model.json metrics.json out err
    for percent in 3 10 20 30 40; do
        expect_stopped "$(printf '%d.%06d' $((taken * percent / 100000000)) \
            $((taken * percent / 100 % 1000000)))"
    done
}

# As much memory as is needed, a little less each time: one line, or all is well.
case_memory() {
    local megabytes refused=0
    is_sanitized && skip "a sanitizer needs more than there is" && return
    for megabytes in 80 60 56 52 48 46 44 42 40 38 36 34 32 30 28; do
        rm -f model.json metrics.json
        status=0
        (
            ulimit -v $((megabytes * 1024))
            exec "$program" train --clicks "$plain/clicks.csv" --threads 1 --quiet \
                --conversions "$plain/conversions.csv" --output model.json --metrics metrics.json
        ) >"$work/out" 2>"$work/err" || status=$?
        if [ "$status" -eq 0 ]; then
            expect_same model.json "$worlds/model.json"
            continue
        fi
        expect_status 1
        expect_error 'memory'
        expect_files
        refused=$((refused + 1))
    done
    case $refused in
        0 | 1 | 2 | 3 | 15) fail "$refused refused" ;;
    esac
}

# Where a click falls is kept in two bytes.
case_too_many_bins() {
    python3 - <<'END' >many.json
import json
n = 65536
print(json.dumps({"delay_hours": [168 * (i + 1) / n for i in range(n)], "delay_m": [0.5 / n] * n,
                  "fingerprint_m": [0.9] * n, "ip_m": [0.5] * n, "window_hours": 168,
                  "probabilistic_window_hours": 168}))
END
    train "$worlds/plain" --model many.json --output model.json
    expect_status 1
    expect_error '65536 delay bins; train takes at most 65535'
    expect_no_files model.json
}

make_worlds
run_cases
