#!/bin/bash
# One run of each command under Valgrind: no invalid or uninitialised memory is used, nothing is
# lost, no descriptor is left open. `make valgrind` builds for it and calls this.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] || exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/../integration/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/dead.sh
. "$(dirname "$0")/../integration/fixtures/dead.sh"

# The descriptors that a program opened and did not close, and where. Those that it came with are
# not its own, and the pipe that signals write to stays as long as the process.
left_open() {
    awk '/^==[0-9]*== *$/ || /Open file descriptor/ { tell() }
         /Open file descriptor/ { said = $0 }
         said != "" && !/Open file descriptor/ { said = said $0 }
         END { tell() }
         function tell() {
             if (said != "" && said !~ /<inherited from parent>| cm_interrupt_install /) print said
             said = ""
         }' "$1"
}

# What libraries keep for the whole process is "still reachable", which is no error. $program hands
# over to $built, which Valgrind must follow, and say so.
checked() {
    echo "$1" >>"$work/commands"
    status=0
    valgrind --trace-children=yes --track-fds=yes --leak-check=full \
        --show-leak-kinds=definite,indirect,possible \
        --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99 \
        --log-file="$work/valgrind.%p" "$program" "$@" --quiet \
        >"$work/out" 2>"$work/err" </dev/null || status=$?
    cat "$work"/valgrind.* >"$work/found"
    rm -f "$work"/valgrind.*
    grep -q -F "Command: $built $1" "$work/found" || fail "$1: not under Valgrind"
    ! grep 'ERROR SUMMARY:' "$work/found" | grep -q -v ' 0 errors' ||
        fail "$1: $(sed 1,/Command:/d "$work/found" | head -c 2000)"
    grep -q 'FILE DESCRIPTORS: ' "$work/found" || fail "$1: nothing of its descriptors"
    [ -z "$(left_open "$work/found")" ] || fail "$1: $(left_open "$work/found")"
    expect_status 0
}

files=(--clicks "$work/world/clicks.csv" --conversions "$work/world/conversions.csv")

case_simulate_and_match() {
    checked simulate --clicks-count 1500 --conversions-count 400 --days 10 --seed 3 \
        --output "$work/world"
    checked match "${files[@]}" --output results.ndjson --threads 2 --rejects rejects.ndjson
    gzip -k "$work/world/clicks.csv"
    zstd -q "$work/world/conversions.csv"
    checked match --clicks "$work/world/clicks.csv.gz" \
        --conversions "$work/world/conversions.csv.zst" --output - --lenient
    checked match --clicks "$vectors/clicks.csv" --conversions "$vectors/conversions.csv" \
        --output vectors.csv
}

case_models_of_files() {
    checked train "${files[@]}" --output model.json --metrics metrics.json --traits --force
    checked evaluate "${files[@]}" --truth "$work/world" --model model.json \
        --html page.html --bootstrap 20
    id=$(sed -n '2s|^[^,]*,\([^,]*\),.*|\1|p' "$work/world/conversions.csv")
    checked explain "$id" "${files[@]}" --format html
}

case_stream() {
    checked simulate --clicks-count 1500 --conversions-count 400 --format ndjson --output world
    python3 "$fixtures/events.py" world >events.ndjson
    echo '{"event":"click"}' >>events.ndjson
    checked stream --events events.ndjson --checkpoint state --output results.ndjson \
        --rejects rejects.ndjson --metrics figures.prom
    checked stream --events events.ndjson --checkpoint state --output results.ndjson
}

case_bench() {
    checked bench --quick --only match --only memory --clicks-count 1000 \
        --conversions-count 1000 --repetitions 1
}

case_migrate_and_batch() {
    use_new_database found
    checked migrate
    checked migrate --optimize
    checked batch "${period[@]}"
    printf '{"name":"other","version":"2","probabilistic":{"prior":0.2}}\n' >other.json
    checked batch "${period[@]}" --challenger other.json --only all
    checked explain "$(sql -c 'SELECT min(conversion_id) FROM conversion_tracking')"
}

case_registry() {
    use_new_database adopted
    for version in 1 2; do
        printf '{"name":"m","version":"%s","probabilistic":{"prior":0.2}}\n' "$version" >m.json
        checked model add m.json
        checked model promote "m@$version"
    done
    checked model rollback m
    checked model list
    checked model show m
}

case_stream_into_postgresql() {
    use_new_database adopted
    checked simulate --clicks-count 1500 --conversions-count 400 --format ndjson --output world
    python3 "$fixtures/events.py" world complete >events.ndjson
    checked stream --events events.ndjson --sink db --store-clicks --sink-batch 100
}

# All of the platform's rows are old; what results refer to stays.
case_purge() {
    use_new_database adopted
    dead a "$(click k)"
    sql -c "UPDATE dead_events SET created_at = now() - INTERVAL '40 days'"
    checked purge --older-than 30d --dry-run
    checked purge --older-than 30d --batch-rows 1000 --summary summary.json
    expect_json summary.json 'd["clicks_deleted"] > 1000 and d["clicks_stripped"] > 20' true
    expect_json summary.json 'd["conversions_stripped"] > 1000 and d["dead_events_deleted"]' 1
}

# One half is mended, so that some are resolved and some fail again.
case_retry() {
    use_new_database streamed_broken
    sql -c "UPDATE dead_events SET payload = payload || (payload -> 'was')
            WHERE payload ? 'was' AND (payload ->> 'seq')::integer % 2 = 0"
    checked retry --list
    checked retry --dry-run --threads 2
    checked retry --threads 2 --summary summary.json
    expect_json summary.json 'd["resolved"] > 100 and d["failed"] > 100' true
    checked retry --ignore --error-type malformed --reason "of no use"
    expect_sql "SELECT count(*) FROM dead_events
                WHERE remediation_status = 'pending' AND error_type = 'malformed'" 0
}

# It is seen where one is left open.
case_a_descriptor_left_open_is_found() {
    printf '#include <fcntl.h>\nint main(void) { return open("/dev/zero", O_RDONLY) < 0; }\n' >a.c
    cc a.c -o a || fail "no compiler"
    valgrind --track-fds=yes --log-file=found ./a
    [[ $(left_open found) == *'Open file descriptor '*/dev/zero*' main '* ]] ||
        fail "$(head -c 300 found)"
}

# Whatever commands there will be: each has had its run.
case_each_command_was_run() {
    "$program" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort -u >listed
    [ "$(wc -l <listed)" -ge 10 ] || fail "only $(wc -l <listed) commands found in --help"
    sort -u "$work/commands" >had
    missing=$(comm -23 listed had | tr '\n' ' ')
    [ -z "$missing" ] || fail "no run of: $missing"
}

make_dead_templates
run_cases
