#!/bin/bash
# The champions of the registry: promoted and rolled back, by one and by several at once, beside
# plain SQL, interrupted.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/model.sh
. "$(dirname "$0")/fixtures/model.sh"

# ---- promote and rollback ----

case_promote() {
    use_new_database adopted
    add m 1 0.4
    add m 2 0.3
    add other 1 0.2
    promote m@1
    expect_match "$work/err" 'm@1 is the champion now, the first of m'
    promote other@1
    promote m@2 --reason 'it is better'
    expect_match "$work/err" 'm@2 is the champion now; before it was m@1'
    expect_champions 'm@2 other@1'
    expect_history 'promote||1| promote|1|2|it is better'
    expect_sql "SELECT DISTINCT actor = session_user || ' ($(id -un))' OR actor = '$(id -un)',
                    created_at > now() - INTERVAL '1 minute' FROM model_promotions" 't|t'
    expect_sql "SELECT count(*) FROM model_registry WHERE promoted_at IS NOT NULL" 3
}

case_promote_the_champion() {
    use_new_database adopted
    add m 1 0.4
    promote m@1
    state_of_registry >before
    promote m@1 --reason again
    expect_error 'm@1 is the champion already; nothing to do'
    state_of_registry >after
    expect_same before after
}

case_promote_what_is_not_there() {
    use_new_database adopted
    add m 1 0.4
    promote m@1
    state_of_registry >before
    run model promote m@2
    expect_status 1
    expect_error 'model m has no version 2'
    run model promote n@1
    expect_status 1
    expect_error 'no model n in the registry'
    for text in m m@ @1 "$(printf 'm@\377')" "$(printf 'm@%0200d' 1)"; do
        run model promote "$text"
        expect_status 2
        expect_error 'give NAME@VERSION|NAME or NAME@VERSION'
    done
    run model promote m@1 --reason "$(printf '\377')"
    expect_status 2
    expect_error '^clickmatch: --reason: the text is not UTF-8'
    state_of_registry >after
    expect_same before after
}

# Back, and further back; what is promoted after a rollback is gone back from to where that was.
case_rollback() {
    use_new_database adopted
    for version in 1 2 3 4; do add m "$version" "0.$version"; done
    run model rollback m
    expect_status 1
    expect_error 'model m has no champion'
    for version in 1 2 3; do promote "m@$version"; done
    rollback m --reason 'worse at night'
    expect_match "$work/err" 'm@2 is the champion now; before it was m@3'
    expect_champions m@2
    promote m@4
    rollback m
    expect_champions m@2
    rollback m
    expect_champions m@1
    state_of_registry >before
    run model rollback m
    expect_status 1
    expect_error 'm@1 is the first champion of m: there is none to go back to'
    state_of_registry >after
    expect_same before after
    expect_history 'promote||1| promote|1|2| promote|2|3| rollback|3|2|worse at night'\
' promote|2|4| rollback|4|2| rollback|2|1|'
    promote m@3
    rollback m
    expect_champions m@1
    run model rollback m@1
    expect_status 2
    expect_error 'give the name alone'
}

# The order is that of what happened, not of clocks.
case_rollback_when_clocks_were_set_back() {
    use_new_database adopted
    for version in 1 2 3; do add m "$version" "0.$version"; done
    for version in 1 2 3; do promote "m@$version"; done
    sql -c "UPDATE model_promotions SET created_at = '2000-01-01' WHERE to_version = '3'"
    rollback m
    expect_champions m@2
}

# A champion that plain SQL made has no history.
case_rollback_after_plain_sql() {
    use_new_database adopted
    for version in 1 2 3; do add m "$version" "0.$version"; done
    promote m@1
    promote m@2
    sql -c 'UPDATE model_registry SET is_champion = false' \
        -c "UPDATE model_registry SET is_champion = true WHERE version = '3'"
    run model rollback m
    expect_status 1
    expect_error 'm@3 did not become the champion by a promotion'
    promote m@1
    expect_history 'promote||1| promote|1|2| promote|3|1|'
    rollback m
    expect_champions m@3
}

# ---- several at once ----

case_two_promotes_at_once() {
    use_new_database adopted
    add m 1 0.4
    add m 2 0.3
    hold "SELECT pg_advisory_xact_lock(hashtextextended('clickmatch model public.m', 0))"
    start model promote m@1
    "$program" model promote m@2 2>second_err &
    second=$!
    wait_for "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted" 2
    release
    finish
    expect_status 0
    wait "$second" || fail "the second: exit status $?: $(cat second_err)"
    cat "$work/err" second_err | grep -c 'the first of m' >firsts
    [ "$(cat firsts)" -eq 1 ] || fail "$(cat "$work/err" second_err)"
    expect_sql "SELECT count(*), bool_and(p.to_version = r.version)
                FROM model_registry r, (SELECT to_version FROM model_promotions
                                        ORDER BY seq DESC LIMIT 1) p
                WHERE is_champion" '1|t'
    expect_sql "SELECT string_agg((from_version IS NULL)::text, ' ' ORDER BY seq)
                FROM model_promotions" 'true false'
}

# Each promotion begins where the one before it ended, and all have one champion at most.
case_many_at_once() {
    local pids=() version pid
    use_new_database adopted
    for version in 1 2 3 4; do add m "$version" "0.$version"; done
    promote m@1
    for _ in 1 2 3 4 5; do
        for version in 1 2 3 4; do
            "$program" model promote "m@$version" --quiet 2>>errors &
            pids+=($!)
        done
        "$program" model rollback m --quiet 2>>rollback_errors &
    done
    for pid in "${pids[@]}"; do wait "$pid" || fail "exit status $?: $(head -n 1 errors)"; done
    wait
    [ ! -s errors ] || fail "$(head -n 1 errors)"
    ! grep -v 'is the first champion of m' rollback_errors >other || fail "$(head -n 1 other)"
    expect_sql "SELECT count(*) FILTER (WHERE p.from_version IS DISTINCT FROM p.before),
                    count(*) > 5
                FROM (SELECT *, lag(to_version) OVER (ORDER BY seq) AS before
                      FROM model_promotions) AS p" '0|t'
    expect_sql "SELECT version = (SELECT to_version FROM model_promotions ORDER BY seq DESC LIMIT 1)
                FROM model_registry WHERE is_champion" t
}

case_promote_beside_plain_sql() {
    use_new_database adopted
    for version in 1 2; do add m "$version" "0.$version"; done
    hold "UPDATE model_registry SET is_champion = true WHERE version = '1'"
    start model promote m@2
    wait_for "$waiting" 1
    release
    finish
    expect_status 4
    expect_error 'another session made a version of m the champion meanwhile; run it again'
    expect_champions m@1
    promote m@2
}

case_add_at_once() {
    use_new_database adopted
    model m 1 0.4 >same.json
    model m 1 0.3 >other.json
    hold "INSERT INTO model_registry (model_name, version, artifact)
          VALUES ('m', '1', '$(cat same.json)')"
    start model add same.json
    "$program" model add other.json 2>other_err &
    other=$!
    wait_for "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'clickmatch'
              AND datname = current_database() AND wait_event_type = 'Lock'" 2
    release
    finish
    expect_status 0
    expect_error 'm@1 is in the registry already, the same'
    ! wait "$other" || fail "the other one was added"
    expect_match other_err 'with another artifact'
    expect_sql 'SELECT count(*) FROM model_registry' 1
}

case_interrupted_while_waiting() {
    use_new_database adopted
    add m 1 0.4
    hold "SELECT pg_advisory_xact_lock(hashtextextended('clickmatch model public.m', 0))"
    start model promote m@1
    wait_for "$waiting" 1
    kill -TERM "$program_pid"
    finish
    release
    expect_status 5
    expect_champions ''
    wait_for "$sessions" 0
}

make_templates
run_cases
