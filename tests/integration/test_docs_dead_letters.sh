#!/bin/bash
# Every command that docs/dead-letters.md prints, as printed, and what it says they print.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the file read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

page=$root/docs/dead-letters.md

# The indented lines under a heading that are commands.
commands_under() {
    sed -n "/^## $1\$/,/^## /s/^    //p" "$page" |
        grep -E '^(createdb|build/|echo|psql|python3) ?' >commands
    [ "$(wc -l <commands)" -eq "$2" ] || fail "$(wc -l <commands) commands under $1"
}

run_commands() {
    bash -eo pipefail commands >"$work/out" 2>"$work/err" || fail "$(tail -n 2 "$work/err")"
}

case_try_it() {
    ln -s "$(dirname "$program")" build
    commands_under 'Try it' 12
    run_commands
    sed -n '/^## Try it$/,/^## /s/^    \(source .*\|stream .*\)/\1/p' "$page" >shown
    [ "$(wc -l <shown)" -eq 3 ] || fail "$(wc -l <shown) lines are shown"
    head -n 30 "$work/out" | grep -E '^(source|stream) ' >got
    expect_same shown got
    expect_match "$work/err" '^retried +2 dead events: 2 resolved, 0 failed, 0 ignored$'
    expect_match "$work/out" 'click +\| resolved +\| retried: the click is in click_tracking'
    expect_match "$work/out" 'conversion +\| resolved +\| retried: attributed by url_param'
}

case_rejects_of_files() {
    printf '%s\n' '{"event":"click","seq":1}' 'no "json' >events
    run stream --quiet --events events --rejects rejects.ndjson
    expect_status 0
    commands_under 'Rejects of files' 1
    run_commands
    expect_same events again.ndjson
}

# What --help lists is in the page, each option with two words.
case_options() {
    local option
    run retry --help
    while read -r option; do
        case $option in
        --db | --schema | --threads | --quiet | --log-format | --help) ;; # as of all commands
        *) grep -q -e "\`${option}[ \`]" "$page" || fail "$option is not in the page" ;;
        esac
    done < <(grep -oE '^  --[a-z-]+' "$work/out")
}

run_cases
