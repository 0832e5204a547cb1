#!/bin/bash
# Every command that the README prints, run in order, as printed, in a copy of the checkout with a
# home of its own; pg_temp.sh makes the walk-through's server. Only `make test` is left out: it is
# what runs this.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

# The indented lines that begin with a program; what a program printed begins otherwise.
printed_commands() {
    sed -n 's/^    //p' "$1" | grep -E '^(make|build/|scripts/|eval|createdb|psql|cc) ?' |
        grep -v '^make test$'
}

copy_checkout() {
    mkdir copy
    git -C "$root" ls-files -z --cached --others --exclude-standard >files
    tar -C "$root" --null -T files -c | tar -C copy -x
    tar -C "$root" --exclude=build/peers -c build | tar -C copy -x # but the packages of peers
}

case_the_readmes_commands_work_as_printed() {
    copy_checkout
    server=/tmp/clickmatch-pg.$$ # somebody may be following the README right now
    {
        echo 'set -euo pipefail'
        printed_commands "$root/README.md" | sed "s|/tmp/clickmatch-pg|$server|g"
    } >commands.sh
    [ "$(wc -l <commands.sh)" -ge 12 ] || fail "only $(wc -l <commands.sh) commands found"
    mkdir -p home
    (cd copy && HOME=$work/home CC=gcc bash -x ../commands.sh >"$work/out" 2>"$work/err") ||
        fail "$(tail -n 3 "$work/err")"
    scripts=$root/scripts
    [ ! -e "$server" ] || "$scripts/pg_temp.sh" stop "$server"
    expect_same copy/results.csv "$root/data/expected.csv"
    expect_match "$work/out" '^ url_param +\| +30 \| +1\.0000'
}

case_the_readme_shows_what_is_printed() {
    sed -n 's/^    //p' "$root/README.md" | sed -n '/^attribution /,/unattributed/p' >shown
    [ "$(wc -l <shown)" -eq 5 ] || fail "$(wc -l <shown) lines of output found"
    run match --clicks "$root/data/clicks.csv" --conversions "$root/data/conversions.csv" \
        --output results.csv
    while IFS= read -r line; do
        grep -qxF -e "$line" "$work/err" || fail "match does not print: $line"
    done <shown
}

case_the_sample_is_what_its_page_says() {
    read -ra command < <(sed -n 's|^    build/clickmatch ||p' "$root/data/README.md")
    run "${command[@]}" --quiet
    expect_status 0
    expect_same world/clicks.csv "$root/data/clicks.csv"
    expect_same world/conversions.csv "$root/data/conversions.csv"
}

# Files that a page points to are there.
case_links_lead_somewhere() {
    for page in README.md ARCHITECTURE.md CONTRIBUTING.md data/README.md docs/*.md; do
        [ -e "$root/$page" ] || continue
        grep -o '](\([^)#]*\)' "$root/$page" | sed 's/^](//' | grep -v '^http' >targets || true
        while IFS= read -r target; do
            [ -e "$root/$(dirname "$page")/$target" ] || fail "$page points to $target"
        done <targets
    done
}

case_the_example_is_what_the_readme_names() {
    [ -x "$root/build/examples/embed" ] || fail "build/examples/embed was not built"
    "$root/build/examples/embed" >"$work/out"
    expect_match "$work/out" \
        '^order-1: probabilistic, click k1 of campaign spring, confidence 0\.5929$'
}

# make says nothing of a target that is named as one and has no rule.
case_each_target_has_a_rule() {
    local target
    cat "$root/Makefile" "$root/bench/bench.mk" "$root/tests/torture/torture.mk" \
        "$root/tests/fuzz/fuzz.mk" >rules
    sed -e ':join' -e '/\\$/N; s/\\\n//; tjoin' rules | sed -n 's/^\.PHONY://p' | tr ' ' '\n' |
        grep -x '[a-z-]*' | grep . >targets
    [ "$(wc -l <targets)" -ge 25 ] || fail "only $(wc -l <targets) targets found"
    while IFS= read -r target; do
        grep -qE "^([a-z-]+ )*$target( [a-z-]+)*:" rules || fail "make $target has no rule"
    done <targets
}

run_cases
