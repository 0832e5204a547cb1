#!/bin/bash
# Every command that docs/evaluate.md prints, as printed, and the figures that it says came of them.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

page=$root/docs/evaluate.md

# Run the indented lines of a part of the page, each for itself: out1, out2 ...
run_commands() {
    local count=0 command
    mkdir -p bin
    ln -sf "$program" bin/clickmatch
    sed -n "$1s/^    //p" "$page" >commands
    while IFS= read -r command; do
        count=$((count + 1))
        PATH=$PWD/bin:$PATH bash -ec "$command" >"out$count" 2>"$work/err" ||
            fail "$command: $(tail -n 2 "$work/err")"
    done <commands
    [ "$count" -ge 1 ] || fail "no commands"
}

# The rows of a table of the page whose first cell is one of the patterns: its numbers alone.
numbers_of() {
    grep -E "^\\| ($1) \\|" "$page" | sed 's/^| [^|]* | //; s/ |$//; s/,//g; s/ | / /g'
}

case_the_first_command() {
    cp "$root/data/clicks.csv" "$root/data/conversions.csv" .
    echo '{"name":"mine","version":"7"}' >model.json
    run_commands '1,/^## /'
    expect_match out1 '^mine@7 +model '
    expect_match evaluation.html '</html>'
}

# A row of the table of labels is what the report has in one of its columns.
expect_shown_masking() {
    awk -v at="$2" '{ print $at }' masking | tr '\n' ' ' | sed 's/ $/\n/' >figures
    numbers_of "$1" >shown
    [ "$(wc -w <shown)" -eq 6 ] || fail "$(wc -w <shown) figures shown of $1"
    expect_same figures shown
}

case_what_was_measured() {
    run_commands '/^## Measured$/,$'
    # Models and baselines: attributed to sweep.
    grep -E '^[a-z].* (model|baseline) +[0-9]' out2 |
        sed -E 's/.* (model|baseline) +//; s/ +/ /g; s/ - -$//' >figures
    numbers_of 'built-in model|blind to time and rivals|newest click of the key' >shown
    [ "$(wc -l <shown)" -eq 3 ] || fail "$(wc -l <shown) rows shown"
    expect_same figures shown
    expect_match out2 '^judged .*: 30031 conversions, 17263 of them organic$'
    grep -q '^30,031 conversions are judged, 17,263 of them organic' "$page" || fail "not shown"
    # Without a truth, the same files, some of them masked: precision to calibration error.
    last=$(sed -n 's/^    clickmatch //p' "$page" | tail -n 1)
    read -ra words <<<"${last/--truth world --baselines/--mask-and-delete 0.35}"
    run "${words[@]}"
    expect_status 0
    expect_match "$work/out" '^7010 of them were made organic: 51458 clicks left out for them$'
    grep -A 6 '^  masking, layers 2 and 3' "$work/out" | sed 1d | cut -c28- >masking
    expect_shown_masking 'labels, 19,969 conversions' 1
    expect_shown_masking '7,010 of them masked' 5
}

run_cases
