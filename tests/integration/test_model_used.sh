#!/bin/bash
# Which model `batch` and `stream` use: a file, a champion, a version, or the built-in one; and what
# a champion that changes meanwhile does to them.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/stream.sh
. "$(dirname "$0")/fixtures/stream.sh"
# shellcheck source=tests/integration/fixtures/model.sh
. "$(dirname "$0")/fixtures/model.sh"

batch() {
    run batch --recovery-target 0 "${period[@]}" "$@"
}

# The results, by which no two models agree that these tests use.
results() {
    digest "SELECT conversion_id, attributed_click_id, attribution_method, attribution_confidence,
                match_probability, probabilistic_candidates, attribution_model
            FROM conversion_tracking"
}

expect_models() {
    expect_sql "SELECT DISTINCT attribution_model FROM conversion_tracking
                WHERE attribution_model IS NOT NULL ORDER BY 1" "$1"
}

# ---- batch ----

case_batch_by_the_champion() {
    use_new_database adopted
    model default 2 0.01 >model.json
    batch --model model.json
    expect_status 0
    expect_match "$work/err" '^clickmatch: model default@2 of model\.json$'
    results >wanted
    use_new_database adopted
    batch
    expect_match "$work/err" '^clickmatch: model default@1, built in$'
    expect_models default@1
    add default 2 0.01
    batch
    expect_match "$work/err" 'model default@1, built in'
    promote default@2
    batch --dry-run --summary summary.json
    expect_match "$work/err" '^clickmatch: model default@2 of the registry, the champion$'
    expect_json summary.json '[d["model"], d["batch"]["changed"] > 100]' '["default@2", true]'
    expect_models default@1
    batch
    expect_models default@2
    results >got
    expect_same wanted got
    expect_sql "SELECT model, run_count, status FROM attribution_recompute_jobs ORDER BY 1" \
        "$(printf '%s\n' 'default@1|2|succeeded' 'default@2|1|succeeded')"
}

case_batch_by_a_name() {
    use_new_database adopted
    add m 1 0.01
    add m 2 0.9
    add default 7 0.5
    promote default@7
    promote m@2
    batch --model m
    expect_status 0
    expect_match "$work/err" 'model m@2 of the registry, the champion$'
    expect_models m@2
    batch --model m@1
    expect_match "$work/err" 'model m@1 of the registry$'
    expect_models m@1
    CLICKMATCH_MODEL=m batch
    expect_models m@2
    batch
    expect_models default@7
}

case_batch_by_what_is_not_there() {
    use_new_database adopted
    add m 1 0.01
    while IFS='|' read -r text code words; do
        batch --quiet --model "$text"
        expect_status "$code"
        expect_error "$words"
    done <<'END'
n|1|no model n in the registry; clickmatch model list shows
m|1|model m has no champion; clickmatch model promote m@VERSION makes one
m@2|1|model m has no version 2 in the registry
m@|2|'m@' names no model; give NAME or NAME@VERSION
m.json|1|m\.json: .*No such file
./m|1|\./m: .*No such file
END
    expect_sql 'SELECT count(*) FROM attribution_recompute_jobs' 0
}

# A file that is there comes before a name; a folder does not.
case_files_come_before_names() {
    use_new_database adopted
    add m 1 0.01
    promote m@1
    model 'of the file' 1 0.02 >m
    batch --quiet --model m
    expect_models 'of the file@1'
    rm m
    mkdir m
    batch --quiet --model m
    expect_models 'm@1'
}

# It ends by the model that it began with; the next one begins with the new one.
case_promote_during_a_batch() {
    use_new_database adopted
    add default 2 0.01
    add default 3 0.9
    promote default@2
    hold 'LOCK TABLE conversion_tracking IN SHARE MODE'
    start batch --quiet --recovery-target 0 "${period[@]}"
    wait_for "$waiting" 1
    promote default@3
    release
    finish
    expect_status 0
    expect_models default@2
    batch --quiet
    expect_models default@3
}

case_interrupted_before_the_model_is_known() {
    use_new_database adopted
    hold 'LOCK TABLE model_registry IN ACCESS EXCLUSIVE MODE'
    start batch --recovery-target 0 --summary summary.json
    wait_for "$waiting" 1
    kill -TERM "$program_pid"
    finish
    release
    expect_status 5
    expect_match "$work/err" '^clickmatch: interrupted'
    expect_json summary.json 'd["model"]' null
    wait_for "$sessions" 0
}

# ---- stream ----

# A click and a conversion that only its address tells of.
probable() {
    click "k$1" "12:$1:00" ",\"ip_address\":\"203.0.113.$1\",\"device_type\":\"mobile\",
\"campaign_id\":\"c\",\"ad_id\":\"a\"" | tr -d '\n'
    echo
    conversion "v$1" - "13:$1:00" ",\"ip_address\":\"203.0.113.$1\",\"device_type\":\"mobile\",
\"conversion_type\":\"sale\"" | tr -d '\n'
    echo
}

# Send one more, and wait for its result.
next() {
    probable "$1" >&7
    await grep -q "\"v$1\"" results.ndjson
}

reload() {
    kill -HUP "$stream"
    await grep -q "$1" err
}

case_stream_by_the_champion() {
    use_new_database adopted
    add default 2 0.5
    add default 3 0.01
    promote default@2
    begin_stream --sink db --sink stdout --store-clicks
    await grep -q 'model default@2 of the registry, the champion' err
    next 10
    promote default@3
    next 11
    reload 'model default@3 from now on'
    next 12
    rollback default
    reload 'model default@2 from now on'
    next 13
    end_stream
    expect_status 0
    expect_told conversion_id model layer_3_result <<'END'
v10 default@2 success
v11 default@2 success
v12 default@3 low_probability
v13 default@2 success
END
    expect_sql "SELECT conversion_id, attribution_model FROM conversion_tracking
                WHERE conversion_id ~ '^v1.\$' ORDER BY 1" \
        "$(printf '%s\n' 'v10|default@2' 'v11|default@2' 'v12|default@3' 'v13|default@2')"
}

case_stream_by_the_built_in_model() {
    use_new_database adopted
    begin_stream --db "dbname=$PGDATABASE"
    await grep -q 'model default@1, built in' err
    next 10
    add default 2 0.01
    promote default@2
    reload 'model default@2 from now on'
    end_stream
    expect_status 0
}

case_stream_by_a_version() {
    use_new_database adopted
    add m 1 0.1
    add m 2 0.01
    promote m@1
    begin_stream --sink db --model m@1
    await grep -q 'model m@1 of the registry$' err
    promote m@2
    reload 'model m@1 from now on'
    end_stream
    expect_status 0
}

# Whatever the registry holds then, the stream goes on.
case_stream_and_champions_that_cannot_be_used() {
    local count=0
    use_new_database adopted
    add m 1 0.1
    echo '{"name":"m","version":"2","window_hours":24,"probabilistic_window_hours":6}' >m-2.json
    run model add m-2.json
    promote m@1
    begin_stream --db "dbname=$PGDATABASE" --model m --quiet
    while IFS='|' read -r statement words; do
        sql -c "$statement"
        kill -HUP "$stream"
        count=$((count + 1))
        await eval "[ \$(grep -c 'warning: the model stays m@1: ' err) -eq $count ]"
        tail -n 1 err >last
        expect_match last "$words"
        next "1$count"
    done <<'END'
UPDATE model_registry SET is_champion = false|model m has no champion
UPDATE model_registry SET is_champion = version = '2'|window
UPDATE model_registry SET artifact = '7' WHERE version = '2'|not a JSON object
UPDATE model_registry SET artifact = NULL WHERE version = '2'|m@2 has no artifact
ALTER TABLE model_registry RENAME TO gone|model_registry
END
    end_stream
    expect_status 0
    [ "$(told model | sort -u)" = m@1 ] || fail "$(told model)"
}

# A registry that does not answer holds up no event; what it says in the end counts.
case_stream_and_a_registry_that_takes_its_time() {
    use_new_database adopted
    add m 1 0.1
    add m 2 0.01
    promote m@1
    begin_stream --db "dbname=$PGDATABASE" --model m
    next 10
    hold 'LOCK TABLE model_registry IN ACCESS EXCLUSIVE MODE'
    hold_more "UPDATE model_registry SET is_champion = false"
    hold_more "UPDATE model_registry SET is_champion = true WHERE version = '2'"
    kill -HUP "$stream"
    wait_for "$waiting" 1
    next 11
    kill -HUP "$stream"
    next 12
    release
    await eval "[ \$(grep -c 'model m@2 from now on' err) -eq 2 ]"
    next 13
    end_stream
    expect_status 0
    expect_told conversion_id model <<'END'
v10 m@1
v11 m@1
v12 m@1
v13 m@2
END
}

case_stream_ends_while_the_registry_is_asked() {
    use_new_database adopted
    hold 'SELECT' # before descriptor 7, which it must not hold open
    begin_stream --db "dbname=$PGDATABASE"
    next 10
    hold_more 'LOCK TABLE model_registry IN ACCESS EXCLUSIVE MODE'
    kill -HUP "$stream"
    wait_for "$waiting" 1
    end_stream
    expect_status 0
    release
    wait_for "$sessions" 0
}

# Without a database --model is a file.
case_stream_without_a_database() {
    stream --model m </dev/null
    expect_status 1
    expect_error '^clickmatch: m: .*No such file'
    mkdir none
    PGHOST=$PWD/none stream < <(probable 10)
    expect_status 0
    [ "$(told model)" = default@1 ] || fail "$(told model)"
}

make_templates
run_cases
