#!/bin/bash
# The command line as a whole: help, wrong usage, and that help tells the truth.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

# All commands, one a line; those of a group by two words.
commands() {
    { "$program" --help | grep -v '^  model '; "$program" model --help; } |
        sed -n '/^Commands:/,/^$/s/^  \([a-z]*\( [a-z]\+\)\?\)  *[a-z].*/\1/p'
}

# The options of a command's help, as `--name VALUE` or `--name`.
options() {
    # shellcheck disable=SC2086 # words
    "$program" $1 --help | sed -n 's/^  \(--[a-z-]*\( [^ ]*\)\?\)\( .*\)\?$/\1/p'
}

# The commands of a command's example.
example() {
    # shellcheck disable=SC2086 # words
    "$program" $1 --help | sed '1,/^Example:/d'
}

expect_usage_error() {
    expect_status 2
    expect_error "^clickmatch: $1"
    [ ! -s "$work/out" ] || fail "standard output: $(head -c 100 "$work/out")"
}

case_help() {
    run --help
    expect_status 0
    [ ! -s "$work/err" ] || fail "$(cat "$work/err")"
    expect_match "$work/out" '^Usage: clickmatch COMMAND'
    [ "$(commands | wc -l)" -ge 11 ] || fail "commands: $(commands)"
}

case_help_of_a_group() {
    run model --help
    expect_status 0
    [ ! -s "$work/err" ] || fail "$(cat "$work/err")"
    expect_match "$work/out" '^Usage: clickmatch model COMMAND'
    expect_match "$work/out" '^  model rollback +[a-z]'
    run model
    expect_usage_error 'no command is given; clickmatch model --help'
    run model matches
    expect_usage_error "unknown command 'matches'; clickmatch model --help"
    run model --quiet list
    expect_usage_error "unknown option '--quiet'; clickmatch model --help"
    run 'model list'
    expect_usage_error "unknown command 'model list'; clickmatch --help"
    run list
    expect_usage_error "unknown command 'list'; clickmatch --help"
}

case_version() {
    run --version
    expect_status 0
    expect_match "$work/out" '^clickmatch [0-9]+\.[0-9]+\.[0-9]+$'
}

case_help_fits_a_screen() {
    commands >names
    while read -ra command; do
        run "${command[@]}" --help
        expect_status 0
        expect_match "$work/out" "^Usage: clickmatch ${command[*]}"
        [ "$(wc -l <"$work/out")" -le 48 ] || fail "${command[*]}: $(wc -l <"$work/out") lines"
        ! awk 'length > 80' "$work/out" | grep . >wide || fail "${command[*]}: $(cat wide)"
    done <names
}

# An option is known where the refusal of a bad value names the option, or it is missed at the end.
case_help_lists_what_is_accepted() {
    commands >names
    while read -ra command; do
        options "${command[*]}" >list
        [ "$(wc -l <list)" -ge 5 ] || fail "${command[*]}: $(wc -l <list) options"
        while read -r name value; do
            [ "$name" != --help ] || continue
            run "${command[@]}" "$name=$([ -n "$value" ] || echo 1)"
            expect_usage_error "$name"
        done <list
    done <names
}

case_options_are_for_their_commands() {
    commands >names
    while read -r command; do options "$command" | sed 's/ .*//'; done <names | sort -u >all
    while read -ra command; do
        options "${command[*]}" | sed 's/ .*//' | sort >own
        comm -23 all own >foreign
        while read -r name; do
            run "${command[@]}" "$name" x
            expect_usage_error "unknown option '$name'"
        done <foreign
    done <names
}

case_examples_of_files_work() {
    mkdir bin
    ln -s "$program" bin/clickmatch
    for command in match simulate evaluate bench; do
        example "$command" >script
        expect_match script "clickmatch $command "
        PATH=$PWD/bin:$PATH bash -e script >"$work/out" 2>"$work/err" ||
            fail "$command: exit status $?: $(head -c 300 "$work/err")"
    done
    [ -s results.csv ] || fail "no results"
}

# Without PostgreSQL's server there is nothing to try them on; `make deps` installs it.
case_examples_of_the_database_work() {
    mkdir bin
    ln -s "$program" bin/clickmatch
    for command in migrate 'model add' 'model promote' batch 'model list' 'model show' \
        'model rollback'; do
        example "$command" || fail "no example of $command"
    done >script
    PATH=$PWD/bin:$PATH "$root/scripts/pg_temp.sh" run bash -e script >"$work/out" 2>"$work/err" ||
        fail "exit status $?: $(tail -c 300 "$work/err")"
    expect_match "$work/err" 'schema public: created'
    expect_match "$work/err" '^recovery rate|^changed +0 conversions'
    expect_match "$work/err" 'model default@2 of the registry, the champion'
    expect_match "$work/err" 'default@2 is the champion now; before it was default@3'
    expect_match model.json '"version": "2"'
}

case_no_command() {
    run
    expect_usage_error 'no command is given; clickmatch --help'
}

case_unknown_command() {
    run attribute --help
    expect_usage_error "unknown command 'attribute'; clickmatch --help"
    run --quiet match
    expect_usage_error "unknown option '--quiet'"
}

case_unknown_option() {
    run match --frobnicate
    expect_usage_error "unknown option '--frobnicate'; clickmatch match --help"
}

case_missing_value() {
    run match --clicks
    expect_usage_error '--clicks needs a value: --clicks FILE'
}

case_bad_value() {
    run match --threads many
    expect_usage_error "--threads: 'many' is not allowed; give a whole number from 1 to 256"
    run batch --only new
    expect_usage_error "--only: 'new' is not allowed; give unattributed\|all"
}

case_bad_environment() {
    CLICKMATCH_THREADS=many run match --clicks a --conversions b
    expect_usage_error "CLICKMATCH_THREADS: 'many' is not allowed"
}

case_missing_option() {
    run match --conversions x
    expect_usage_error 'match needs --clicks FILE'
}

case_standard_input_once() {
    run match --clicks - --conversions -
    expect_usage_error '- \(standard input\) is given 2 times'
}

case_usage_error_as_json() {
    run match --threads many --log-format json
    expect_status 2
    expect_json "$work/err" '[d["level"], d["code"]]' '["error", "usage"]'
}

case_password_on_the_command_line() {
    for conninfo in 'host=x password=secret' 'postgresql://me:secret@x/d' \
        'postgresql://x/d?password=secret'; do
        run migrate --db "$conninfo"
        expect_usage_error '--db holds a password'
        expect_no_match "$work/err" secret
    done
}

case_no_database() {
    mkdir empty
    for command in migrate batch; do
        run "$command" --db "host=$PWD/empty" --quiet
        expect_status 4
        expect_error '^clickmatch: cannot connect to PostgreSQL: '
    done
}

case_help_to_a_full_disk() {
    status=0
    "$program" --help >/dev/full 2>"$work/err" || status=$?
    expect_status 1
    expect_error '^clickmatch: standard output: '
}

run_cases
