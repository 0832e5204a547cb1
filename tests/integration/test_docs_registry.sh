#!/bin/bash
# Every command that docs/registry.md prints, as printed, in the database that the README makes.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the file read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

page=$root/docs/registry.md

# The indented lines under a heading that begin with a word; what was printed begins otherwise.
commands_under() {
    sed -n "/^## $1\$/,/^## /s/^    //p" "$page" | grep -E "^$2" >commands
    [ -s commands ] || fail "no commands under $1"
}

# The README's walk-through, up to the sample in the tables.
make_database() {
    ln -s "$(dirname "$program")" build
    ln -s "$root/data" data
    sed -n 's/^    //p' "$root/README.md" |
        grep -E -e '^(createdb|build/clickmatch migrate --db dbname=clickmatch$)' \
            -e '^psql .*(copy|create role)' >commands
    [ "$(wc -l <commands)" -eq 5 ] || fail "$(wc -l <commands) commands make the database"
    bash -eo pipefail commands >"$work/out" 2>"$work/err" || fail "$(tail -n 2 "$work/err")"
}

run_commands() {
    bash -eo pipefail commands >"$work/out" 2>"$work/err" || fail "$(tail -n 2 "$work/err")"
}

case_the_pages_commands_work_as_printed() {
    make_database
    commands_under 'Try it' '(echo|build/)'
    [ "$(wc -l <commands)" -eq 6 ] || fail "$(wc -l <commands) commands"
    run_commands
    expect_match "$work/err" 'default@2 is the champion now, the first of default'
    expect_match "$work/out" 'default +2 +yes'
    expect_match "$work/err" 'model default@2 of the registry, the champion'
    commands_under 'Promoting with grounds' '(echo|build/)'
    run_commands
    expect_match "$work/err" 'challenger default@3 of the registry'
    expect_match "$work/err" '^challenger +default@3 beside the champion default@2'
    expect_match "$work/err" "McNemar's mid-p"
    expect_match "$work/err" 'default@3 is the champion now; before it was default@2'
    for role in matcher analyst keeper; do psql -Xq -d clickmatch -c "CREATE ROLE $role LOGIN"; done
    commands_under Rights 'GRANT'
    psql -Xq -v ON_ERROR_STOP=1 -d clickmatch -f commands || fail "the grants"
    for command in 'matcher list' 'analyst show default' 'keeper rollback default'; do
        # shellcheck disable=SC2086 # words
        run model ${command#* } --db "dbname=clickmatch user=${command%% *}"
        expect_status 0
    done
    run model promote default@3 --db 'dbname=clickmatch user=analyst'
    expect_status 4
}

run_cases
