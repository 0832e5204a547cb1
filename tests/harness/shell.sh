# Shared by the shell tests: a directory of their own, cases that print `ok NAME` or
# `not ok NAME: reason`. Source it, write functions case_NAME that `fail` what is wrong or `skip`
# with a reason, and end with `run_cases`.
# shellcheck shell=bash
set -uo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${CLICKMATCH:-$root/build/clickmatch}
vectors=$root/tests/golden/vectors
work=$(mktemp -d)
export root program vectors work
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
# No option comes from outside.
for name in $(compgen -e | grep '^CLICKMATCH_'); do unset "$name"; done

# Note why the case under way fails; the first reason counts.
fail() {
    [ -s "$work/reason" ] || printf '%s\n' "$*" | tr '\n' ' ' >"$work/reason"
}

# Run the program; leaves its exit status in $status, its messages in $work/err, its output in
# $work/out.
run() {
    status=0
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

# One of the programs check_*, which `make test-programs` builds for tests to call; its path goes to
# $tool.
use_tool() {
    tool=$root/${BUILD:-build}/tests/$1
    [[ ${BUILD-} != /* ]] || tool=$BUILD/tests/$1
    [ -x "$tool" ] || fail "no $tool; make test-programs builds it"
}

# Wait until a process takes SIGTERM as it wants: at most 20 s.
await_handler() {
    local i mask
    for ((i = 0; i < 400; i++)); do
        mask=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null)
        [ $((0x0${mask: -4} & 0x4000)) -eq 0 ] || return 0
        sleep 0.05
    done
    fail "process $1 handles no SIGTERM"
}

# Wait until it has nothing to do, besides: no thread of it can run, or did since the last look.
await_idle() {
    local i before='' now
    await_handler "$1"
    for ((i = 0; i < 400; i++)); do
        now=$(cat "/proc/$1/task/"*/schedstat 2>/dev/null)
        ! grep -q '^State:[[:space:]]*R' "/proc/$1/task/"*/status 2>/dev/null &&
            [ "$now" = "$before" ] && return 0
        before=$now
        sleep 0.05
    done
    fail "process $1 is never idle"
}

# Note why the case under way cannot run here.
skip() {
    printf '%s\n' "$*" >"$work/skipped"
}

# Whether the program is one with a sanitizer: malloc is that one's, and takes memory of its own.
is_sanitized() {
    nm -D "$program" | grep -E ' __(asan|tsan)_' >/dev/null
}

# Whether it counts the lines that it reaches, for `make coverage`: nothing is optimised then, and
# its end takes long, so that no time is to be measured.
is_counted() {
    nm "$program" | grep -w __gcov_exit >/dev/null
}

expect_status() {
    [ "$status" -eq "$1" ] || fail "exit status $status, not $1: $(head -c 300 "$work/err")"
}

# A file has a line that matches a pattern.
expect_match() {
    grep -q -E -e "$2" "$1" || fail "no '$2' in $(basename "$1"): $(head -c 300 "$1")"
}

expect_no_match() {
    ! grep -q -E -e "$2" "$1" || fail "'$2' in $(basename "$1"): $(grep -m 1 -E -e "$2" "$1")"
}

expect_same() {
    cmp -s "$1" "$2" || fail "$(basename "$1") differs from $(basename "$2")"
}

# A JSON or NDJSON file has a value: expect_json FILE EXPRESSION VALUE. The expression is Python's;
# d is the document, or the list of the lines' objects.
expect_json() {
    local value
    value=$(python3 -c '
import json, sys
text = open(sys.argv[1], encoding="utf-8").read()
try:
    d = json.loads(text)
except ValueError:
    d = [json.loads(line) for line in text.splitlines()]
print(json.dumps(eval(sys.argv[2])))' "$1" "$2" 2>&1) || true
    [ "$value" = "$3" ] || fail "$2 is ${value##*$'\n'}, not $3"
}

# The one line of an error, and nothing else.
expect_error() {
    expect_match "$work/err" "$1"
    [ "$(grep -c . "$work/err")" -eq 1 ] || fail "not one line: $(head -c 500 "$work/err")"
}

# The case's directory holds these files and no others, temporary ones included.
expect_files() {
    local found wanted
    found=$(find . -mindepth 1 | sed 's|^\./||' | sort | tr '\n' ' ')
    wanted=$(printf '%s\n' "$@" | sort | sed '/^$/d' | tr '\n' ' ')
    [ "$found" = "$wanted" ] || fail "files: '$found', not '$wanted'"
}

# Run all case_* functions, in the order of their names in the file, each in an empty directory.
run_cases() {
    local failures=0 names name
    mapfile -t names < <(sed -n 's/^case_\([a-z0-9_]*\)() {.*/\1/p' "${BASH_SOURCE[1]}")
    for name in "${names[@]}"; do
        rm -rf "$work/case" "$work/reason" "$work/skipped"
        mkdir "$work/case"
        (cd "$work/case" && "case_$name") || fail "stopped with exit status $?"
        if [ -s "$work/reason" ]; then
            echo "not ok $name: $(cat "$work/reason")"
            failures=$((failures + 1))
        elif [ -s "$work/skipped" ]; then
            echo "skip $name: $(cat "$work/skipped")"
        else
            echo "ok $name"
        fi
        chmod -R u+w "$work/case"
    done
    exit "$((failures > 0))"
}
