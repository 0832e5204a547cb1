#!/bin/bash
# Every command that docs/train.md and docs/how-sure.md print, as printed and in order, and what
# train.md says came of it.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the file read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

# The indented lines of a page that begin with a program, into commands; each is run for itself,
# with clickmatch on the path: out1, err1, out2 ...
run_page() {
    local count=0 command
    mkdir bin
    ln -s "$program" bin/clickmatch
    sed -n 's/^    //p' "$root/docs/$1" |
        grep -E '^(clickmatch|psql|createdb|for) ' >commands
    while IFS= read -r command; do
        count=$((count + 1))
        PATH=$PWD/bin:$PATH bash -ec "$command" >"out$count" 2>"err$count" </dev/null ||
            fail "$command: $(tail -n 2 "err$count")"
    done <commands
    [ "$count" -eq "$2" ] || fail "$count commands, not $2"
}

# Lines shown under a heading are those printed: words and whole numbers the same, shares nearly.
expect_shown() {
    sed -n "/^## The report\$/,/^## /s/^    //p" "$root/docs/train.md" >shown
    python3 - shown "$1" >differences 2>&1 <<'PY' || fail "$(head -n 3 differences)"
import re
import sys
shown, printed = ([re.sub(r"\s+", " ", line.strip()) for line in open(path, encoding="utf-8")]
                  for path in sys.argv[1:3])
shares = re.compile(r"[-+]?\d+\.\d+")
bare = [shares.sub("x", line) for line in printed]
if len(shown) < 20:
    sys.exit("%d lines shown" % len(shown))
for line in shown:
    if shares.sub("x", line) not in bare:
        sys.exit("not printed: " + line)
    values = shares.findall(line.replace("F0.5", "F"))[:2]
    if line.split()[0] in ("precision", "recall", "F0.5", "log-loss", "Brier", "calibration") \
            and not any(all(abs(float(a) - float(b)) <= 0.002 for a, b in zip(
                shares.findall(other.replace("F0.5", "F")), values))
                        for other in printed if other.split()[:1] == line.split()[:1]):
        sys.exit("other figures: " + line)
PY
}

case_training_as_printed() {
    run_page train.md 2
    expect_shown err2
    expect_json metrics.json 'd["judged_by"], d["f05"] > d["base_figures"]["f05"]' \
        '["labels", true]'
    expect_json model.json 'd["version"], sorted(d["devices"])' \
        '["2026-03", ["desktop", "mobile", "tablet"]]'
}

case_how_sure_as_printed() {
    run_page how-sure.md 19
    # What the database gives trains the same model as the files that it was filled from.
    mkdir files
    run train --clicks march/clicks.csv --conversions march/conversions.csv --quiet \
        --model-version 2026-03 --output files/model.json
    expect_status 0
    expect_same model.json files/model.json
    expect_match before.html '</html>'
    expect_match after.html 'default@2026-03'
    cat err* >errors
    expect_match errors 'challenger default@2026-03 of the registry'
    expect_match errors 'would change +25,000 conversions'
    expect_match errors 'default@2026-03 is the champion now'
    expect_match errors 'model default@2026-03 of the registry, the champion'
    expect_match out18 '^ *Model +default@2026-03'
    expect_match out19 '\| fingerprint +\| +[0-9]+ \| +0\.'
}

run_cases
