#!/bin/bash
# docs/tenants.md: its statements, as printed, and what it says of roles and rights.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # names that the files read here set
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

page=$root/docs/tenants.md


case_the_statements_work_as_printed() {
    createdb clickmatch
    run migrate --quiet --db dbname=clickmatch
    export PGDATABASE=clickmatch
    sed -n 's/^    //p' "$page" | grep -E '^(CREATE ROLE|INSERT)' >roles
    [ "$(wc -l <roles)" -eq 4 ] || fail "$(wc -l <roles) statements make the logins"
    psql -XAtq -v ON_ERROR_STOP=1 -f roles || fail 'the logins'
    psql -XAtq -v ON_ERROR_STOP=1 -c "
        INSERT INTO attribution_performance_log (tenant_id, conversion_id, success)
        VALUES ('t-acme', 'v1', true), ('t-other', 'v2', true)" || fail 'the rows'
    sed -n 's/^    //p' "$page" | sed -n '/^BEGIN;/,/^COMMIT;/p' >asking
    psql -XAtq -v ON_ERROR_STOP=1 -U dashboard -f asking >said || fail 'the dashboard'
    [ "$(wc -l <said)" -eq 1 ] || fail "the dashboard sees $(wc -l <said) tenants"
    expect_match said 't-acme'
    psql -XAtq -U acme -c 'SELECT conversion_id FROM attribution_performance_log' >said
    [ "$(cat said)" = v1 ] || fail "acme sees $(cat said)"
    run batch --quiet --recovery-target 0 --db user=engine
    expect_status 0
}

case_the_commands_work_as_printed() {
    export PGDATABASE=clickmatch
    mkdir bin
    ln -s "$program" bin/clickmatch
    sed -n 's/^    //p' "$page" | grep '^clickmatch ' >commands
    [ "$(wc -l <commands)" -eq 1 ] || fail "$(wc -l <commands) commands"
    PATH=$PWD/bin:$PATH bash -e commands 2>"$work/err" || fail "$(cat "$work/err")"
    psql -XAtq -v ON_ERROR_STOP=1 -c 'ALTER TABLE click_tracking ENABLE ROW LEVEL SECURITY' ||
        fail 'turning it on beforehand'
}

# Every role, option and policy that it names is there.
case_it_names_what_there_is() {
    grep -oE 'clickmatch_[a-z_]+' "$page" | sort -u >names
    while IFS= read -r name; do
        grep -rqF -e "$name" "$root/src/pg/sql" || fail "no $name in the SQL"
    done <names
    grep -oE -e '--[a-z-]+' "$page" | sort -u >options
    while IFS= read -r option; do
        grep -qF -e "\"${option#--}\"" "$root/src/cmd/options.def" || fail "no option $option"
    done <options
}

run_cases
