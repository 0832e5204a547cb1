#!/bin/bash
# `migrate --optimize`: what it offers, does, keeps and undoes; that `batch` writes the same, with
# HOT updates, and that the platform's views stay as fast.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"

# Indexes and how full pages are made: what optimizing changes.
layout() {
    sql -c "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1" \
        -c "SELECT relname, reloptions FROM pg_class WHERE relkind = 'r' AND relname ~ 'track|perf'
            ORDER BY 1"
}

# All rows of the tables, wherever they lie.
rows() {
    digest conversion_tracking
    digest click_tracking
    digest attribution_performance_log
}

# Statistics reach other sessions within a second or so.
expect_use_is_known() {
    wait_for "SELECT pg_stat_get_numscans('$1'::regclass) > 0" t
}

case_offered_not_forced() {
    use_new_database found
    layout >before
    run migrate
    expect_status 0
    expect_match "$work/err" '--optimize would drop the index idx_conversion_tracking_method'
    expect_match "$work/err" '--optimize would rewrite conversion_tracking .*locks it for'
    layout | grep -v -e clickmatch_ -e _pkey -e idx_attribution_perf_conversion >after
    for definition in idx_conversion_tracking_method idx_conversion_tracking_click_id \
        idx_conversion_tracking_conversion_id idx_click_tracking_click_id; do
        expect_match after "$definition "
    done
    expect_sql "SELECT reloptions FROM pg_class WHERE oid = 'conversion_tracking'::regclass" ''
    expect_sql 'SELECT count(*) FROM clickmatch_optimizations' 0
}

case_what_it_does() {
    use_new_database adopted
    rows >before
    run migrate --optimize
    expect_status 0
    rows >after
    expect_same before after
    expect_sql "SELECT reloptions FROM pg_class WHERE oid = 'conversion_tracking'::regclass" \
        '{fillfactor=40}'
    expect_sql "SELECT indexname FROM pg_indexes WHERE indexname ~ '^idx_conversion' ORDER BY 1" \
        "$(printf 'idx_conversion_tracking_%s\n' crm_deal external_id tenant_id timestamp)"
    expect_sql "SELECT to_regclass('idx_click_tracking_click_id'),
                       to_regclass('idx_attribution_perf_success')" '|'
    expect_sql "SELECT conname FROM pg_constraint WHERE conrelid = 'conversion_tracking'::regclass
                AND contype IN ('f', 'u')
                ORDER BY 1" $'conversion_tracking_attributed_click_id_fkey
conversion_tracking_conversion_id_key'
    expect_sql 'SELECT count(*) FROM pg_index WHERE indisclustered' 0
    expect_sql 'SELECT count(*), count(DISTINCT applied_by) FROM clickmatch_optimizations' '6|1'
}

case_twice_does_nothing() {
    use_new_database adopted
    run migrate --optimize
    sql -c 'SELECT oid, relname, relfilenode FROM pg_class ORDER BY oid' >before
    digest clickmatch_optimizations >>before
    run migrate --optimize
    expect_status 0
    expect_match "$work/err" 'nothing to optimize'
    run migrate
    expect_no_match "$work/err" 'would'
    sql -c 'SELECT oid, relname, relfilenode FROM pg_class ORDER BY oid' >after
    digest clickmatch_optimizations >>after
    expect_same before after
}

# What it prints and keeps brings everything back.
case_undone() {
    use_new_database adopted
    layout >before
    run migrate --optimize
    while IFS= read -r undo; do
        grep -qF -e "to undo it: $undo" "$work/err" || fail "not printed: $undo"
    done < <(sql -c 'SELECT undo FROM clickmatch_optimizations')
    # VACUUM FULL must stand alone.
    sql -c 'SELECT undo FROM clickmatch_optimizations ORDER BY id' |
        sed 's/; /;\n/; s/$/;/' >undo.sql
    sql -f undo.sql || fail "the printed SQL fails"
    layout >after
    expect_same before after
    run migrate
    expect_match "$work/err" 'migrate --optimize would rewrite'
}

# Results, log and clicks after `batch` are those of the tables as found; the updates are HOT.
case_batch_writes_the_same() {
    for kind in found optimized; do
        use_new_database adopted
        [ "$kind" = found ] || run migrate --optimize
        run batch --quiet --recovery-target 0 "${period[@]}"
        expect_status 0
        digest "SELECT c.conversion_id, k.click_id AS matched, c.attribution_method,
                c.attribution_confidence, c.attribution_window_hours, c.fingerprint_match_score,
                c.probabilistic_candidates, c.match_probability, c.attribution_model,
                c.attributed_at IS NULL, c.raw_data, l.attempt_number, l.final_method, l.success
            FROM conversion_tracking c
            LEFT JOIN click_tracking k ON k.id = c.attributed_click_id
            LEFT JOIN attribution_performance_log l USING (conversion_id)" >"results.$kind"
    done
    expect_same results.found results.optimized
    wait_for "SELECT n_tup_hot_upd > 0.9 * n_tup_upd AND n_tup_upd > 2000
              FROM pg_stat_user_tables WHERE relname = 'conversion_tracking'" t
    run batch --quiet --recovery-target 0 "${period[@]}"
    expect_sql 'SELECT run_count, conversions_changed FROM attribution_recompute_jobs' '2|0'
}

# An index that queries have used stays, and is named; then pages are not made emptier for nothing.
case_used_indexes_stay() {
    use_new_database adopted
    sql -c 'SET enable_seqscan = off' \
        -c "SELECT count(*) FROM conversion_tracking WHERE attribution_method = 'x'" >/dev/null
    expect_use_is_known idx_conversion_tracking_method
    run migrate --optimize
    expect_status 0
    expect_match "$work/err" 'warning: the index idx_conversion_tracking_method stays: queries have'
    expect_sql "SELECT to_regclass('idx_conversion_tracking_method'),
                       to_regclass('idx_conversion_tracking_click_id'), reloptions
                FROM pg_class WHERE oid = 'conversion_tracking'::regclass" \
        'idx_conversion_tracking_method||'
    # Who knows better drops it, and asks again.
    sql -c 'DROP INDEX idx_conversion_tracking_method'
    run migrate --optimize
    expect_sql "SELECT reloptions FROM pg_class WHERE oid = 'conversion_tracking'::regclass" \
        '{fillfactor=40}'
}

# Deleting a click looks for its conversions.
case_foreign_key_index_stays_where_clicks_are_deleted() {
    use_new_database adopted
    sql -c "DELETE FROM click_tracking WHERE click_id = 'clk_000000001'"
    wait_for "SELECT pg_stat_get_tuples_deleted('click_tracking'::regclass) > 0" t
    run migrate --optimize
    expect_match "$work/err" 'warning: the index idx_conversion_tracking_click_id stays'
    expect_sql "SELECT to_regclass('idx_conversion_tracking_click_id')" \
        idx_conversion_tracking_click_id
}

# The platform's own indexes over what batch writes are not judged: plain, partial, expressions.
case_strangers_indexes_stay() {
    local definition
    for definition in '(updated_at)' '(tenant_id) WHERE attributed_at IS NULL' \
        '((attribution_window_hours + 1))' '(external_id) INCLUDE (attribution_confidence)'; do
        use_new_database adopted
        sql -c "CREATE INDEX stranger ON conversion_tracking $definition"
        run migrate --optimize
        expect_status 0
        expect_match "$work/err" 'warning: the index stranger stays: it is not among'
        expect_sql "SELECT to_regclass('stranger'), reloptions FROM pg_class
                    WHERE oid = 'conversion_tracking'::regclass" 'stranger|'
    done
    use_new_database adopted
    sql -c 'CREATE INDEX stranger ON conversion_tracking (crm_stage) WHERE is_synthetic'
    run migrate --optimize
    expect_no_match "$work/err" stranger
}

case_no_double_where_the_unique_one_differs() {
    use_new_database adopted
    sql -c 'DROP INDEX idx_click_tracking_click_id' \
        -c 'CREATE INDEX idx_click_tracking_click_id ON click_tracking (click_id DESC)'
    run migrate --optimize
    expect_status 0
    expect_sql "SELECT to_regclass('idx_click_tracking_click_id')" idx_click_tracking_click_id
}

case_refused_while_a_run_lives() {
    use_new_database adopted
    layout >before
    hold 'LOCK TABLE conversion_tracking IN SHARE MODE'
    start batch --quiet --recovery-target 0 "${period[@]}"
    wait_for "$waiting" 1
    run migrate --optimize --quiet
    expect_status 4
    expect_error 'a run of batch is under way: job .*wait until it is done'
    release
    finish
    expect_status 0
    layout >after
    expect_same before after
    run migrate --optimize --quiet
    expect_status 0
}

case_a_run_waits_for_it() {
    use_new_database adopted
    hold 'LOCK TABLE conversion_tracking IN ACCESS SHARE MODE'
    start migrate --optimize --quiet
    wait_for "$waiting" 1
    "$program" batch --quiet --recovery-target 0 "${period[@]}" >batch.out 2>&1 &
    batch_pid=$!
    wait_for "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'clickmatch'
              AND datname = current_database() AND wait_event = 'advisory'" 1
    release
    finish
    expect_status 0
    wait "$batch_pid" || fail "batch: $(cat batch.out)"
    expect_sql 'SELECT status, conversions_changed > 2000 FROM attribution_recompute_jobs' \
        'succeeded|t'
}

case_others_use_the_table() {
    use_new_database adopted
    layout >before
    hold 'LOCK TABLE conversion_tracking IN ACCESS SHARE MODE'
    run migrate --optimize --quiet
    release
    expect_status 4
    expect_error 'cannot optimize the tables: others use the tables; nothing was changed; run it'
    layout >after
    expect_same before after
}

case_interrupted_or_killed() {
    for signal in TERM KILL; do
        use_new_database adopted
        layout >before
        hold 'LOCK TABLE click_tracking IN ACCESS SHARE MODE' # its index goes last
        start migrate --optimize --quiet
        wait_for "$waiting" 1
        kill -"$signal" "$program_pid"
        finish 2>/dev/null
        [ "$signal" = KILL ] || expect_status 5
        wait_for "$sessions" 0
        release
        layout >after
        expect_same before after
        expect_sql 'SELECT count(*) FROM clickmatch_optimizations' 0
    done
    run migrate --optimize --quiet
    expect_status 0
}

case_not_the_owner() {
    use_new_database adopted
    sql -c 'CREATE ROLE visitor LOGIN' -c 'GRANT ALL ON ALL TABLES IN SCHEMA public TO visitor' \
        -c 'GRANT ALL ON SCHEMA public TO visitor'
    run migrate --optimize --quiet --db user=visitor
    expect_status 4
    expect_error 'cannot optimize the tables: must be owner of'
    expect_sql 'SELECT count(*) FROM clickmatch_optimizations' 0
}

case_other_schema() {
    use_new_database
    run migrate --quiet --optimize --schema 'odd "name"'
    expect_status 0
    expect_sql "SELECT count(*) FROM \"odd \"\"name\"\"\".clickmatch_optimizations
                WHERE undo LIKE '%odd \"\"name\"\"%'" 6
}

# Blocks that a query reads, as planned with all statistics.
blocks() {
    sql -c "EXPLAIN (ANALYZE, BUFFERS, FORMAT json) $1" >plan.json
    python3 -c '
import json
plan = json.load(open("plan.json"))[0]["Plan"]
print(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])'
}

# A line for each of the platform's views, as a whole and for one tenant.
view_blocks() {
    for view in v_attribution_recovery_rate v_active_clicks v_conversion_attribution_summary \
        v_unattributed_conversions; do
        for query in "SELECT * FROM $view" "SELECT * FROM $view WHERE tenant_id = 'tenant_3'"; do
            echo "$(blocks "$query") $query"
        done
    done
}

# After a run, the views read as many blocks as they would with the indexes that went. (What emptier
# pages cost is a matter of time: `make bench-batch` prints it.)
case_views_need_none_of_the_indexes() {
    use_new_database
    sql -v clicks=20000 -v conversions=20000 -f "$fixtures/as_found.sql"
    # In time for a view of the last 30 days.
    sql -c "UPDATE conversion_tracking SET conversion_timestamp = conversion_timestamp
            + (now() - TIMESTAMPTZ '2026-03-20')" \
        -c "UPDATE click_tracking SET click_timestamp = click_timestamp
            + (now() - TIMESTAMPTZ '2026-03-20'), expires_at = NULL"
    run migrate --quiet --optimize
    expect_status 0
    run batch --quiet --recovery-target 0 --max-rejects none --to "$(date -u +%F)" \
        --from "$(date -u -d '30 days ago' +%F)"
    expect_status 0
    sql -c 'VACUUM ANALYZE'
    view_blocks >without_them
    sql -c "SELECT undo FROM clickmatch_optimizations WHERE undo LIKE 'CREATE INDEX%'" >indexes
    [ "$(wc -l <indexes)" -eq 5 ] || fail "$(wc -l <indexes) indexes went"
    sed 's/$/;/' indexes >indexes.sql
    sql -f indexes.sql -c 'VACUUM ANALYZE'
    view_blocks >with_them
    while read -r without query <&3 && read -r with _ <&4; do
        [ "$without" -le $((with * 11 / 10 + 8)) ] ||
            fail "$query reads $without blocks, $with with the indexes"
    done 3<without_them 4<with_them
}

make_templates
run_cases
