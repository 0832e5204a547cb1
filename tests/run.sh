#!/bin/bash
# The test runner.
#
#   tests/run.sh                    everything
#   tests/run.sh unit               tests/unit, tests/oracle: what `make test-programs` built
#   tests/run.sh integration        tests/integration/*.sh
#   tests/run.sh NAME...            single programs: test_error, test_tidy.py, match.sh
#
# A program prints one line per case on standard output: `ok NAME`, `not ok NAME: reason` or
# `skip NAME: reason` (cmocka's TAP form of these is understood, too), and exits non-zero when a
# case failed. A crash, a time-out, a program without a case or with fewer cases than it announced
# is a failure of its own. What failed is shown in full. The last line is `N passed, N failed`, with
# `, N skipped` where some were.
#
# BUILD is the build directory (default build), JOBS the number of programs at once (default 2; they
# are independent), TEST_SECONDS after how long one of them counts as hanging. Programs find the
# command to test in $CLICKMATCH.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${BUILD:=build}" "${JOBS:=2}" "${TEST_SECONDS:=1200}"
export BUILD JOBS TEST_SECONDS
export CLICKMATCH=$PWD/$BUILD/clickmatch
[[ $BUILD != /* ]] || CLICKMATCH=$BUILD/clickmatch
export CMOCKA_MESSAGE_OUTPUT=TAP
# Tests make allocations fail on purpose.
export ASAN_OPTIONS=${ASAN_OPTIONS-allocator_may_return_null=1}
export TSAN_OPTIONS=${TSAN_OPTIONS-allocator_may_return_null=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS-print_stacktrace=1}
# The Python that `make deps` installs, not one that a version manager puts before it: that is a
# script which looks for another one each time, and tests start it thousands of times.
[ ! -x /usr/bin/python3 ] || export PATH=/usr/bin:$PATH

# Print "passed failed skipped announced" of one program's output.
count_cases() {
    awk '
        /^(not )?ok .*# SKIP/ || /^skip( |$)/ { skipped++; next }
        /^not ok( |$)/ { failed++; next }
        /^ok( |$)/ { passed++; next }
        /^1\.\.[0-9]+$/ { announced += substr($0, 4) }
        END { print passed + 0, failed + 0, skipped + 0, announced + 0 }' "$1"
}

# Say what is wrong with a program besides its failed cases, if anything.
program_problem() {
    local program=$1 status=$2 passed=$3 failed=$4 skipped=$5 announced=$6
    local ran=$((passed + failed + skipped))
    if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
        echo "took over $TEST_SECONDS s, or was killed"
    elif [ "$status" -gt 128 ]; then
        echo "crashed: signal $((status - 128))"
    elif [ "$ran" -eq 0 ]; then
        echo "printed no case (exit status $status)"
    elif [ "$announced" -gt "$ran" ]; then
        echo "announced $announced cases, ran $ran"
    elif [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
        echo "exit status $status, though no case failed"
    elif [ "$status" -eq 0 ] && [ "$failed" -gt 0 ]; then
        echo "exit status 0, though a case failed"
    elif [ "$skipped" -gt 0 ] && grep -qs pg_temp "$program"; then
        echo "skipped PostgreSQL tests; install what is missing: make deps"
    fi
}

# Run one program; leave name.out, name.err and name.counts in $WORK.
run_one() {
    local program=$1 name status=0 counts problem verdict=ok started=$SECONDS
    name=$(basename "$program")
    case $program in
        *.py) set -- python3 "$program" ;;
        *.sh) set -- bash "$program" ;;
        /*) set -- "$program" ;;
        *) set -- "./$program" ;;
    esac
    timeout --kill-after=10 "$TEST_SECONDS" "$@" </dev/null \
        >"$WORK/$name.out" 2>"$WORK/$name.err" || status=$?
    counts=$(count_cases "$WORK/$name.out")
    # shellcheck disable=SC2086 # four numbers
    problem=$(program_problem "$program" "$status" $counts)
    echo "$problem" >"$WORK/$name.problem"
    [ -z "$problem" ] || verdict="FAILED ($problem)"
    read -r passed failed skipped _ <<<"$counts"
    [ "$failed" -eq 0 ] || verdict=FAILED
    [ -z "$problem" ] || failed=$((failed + 1))
    echo "$passed $failed $skipped" >"$WORK/$name.counts"
    printf '%-32s %4d cases %4d s  %s\n' \
        "$name" $((passed + failed + skipped)) $((SECONDS - started)) "$verdict"
}

# List the programs of the named groups or names.
list_programs() {
    local source group
    for group in "$@"; do
        case $group in
            unit)
                for source in tests/unit/test_*.c tests/oracle/test_*.c; do
                    [ ! -e "$source" ] || echo "$BUILD/tests/$(basename "$source" .c)"
                done
                for source in tests/unit/test_*.py; do [ ! -e "$source" ] || echo "$source"; done
                ;;
            integration)
                for source in tests/integration/*.sh; do [ ! -e "$source" ] || echo "$source"; done
                ;;
            *.sh) echo "tests/integration/$group" ;;
            *.py) echo "tests/unit/$group" ;;
            *) echo "$BUILD/tests/$group" ;;
        esac
    done
}

# Show in full what failed, and say what was skipped.
report() {
    local file name passed failed skipped
    for file in "$WORK"/*.counts; do
        [ -e "$file" ] || continue
        name=$(basename "$file" .counts)
        read -r passed failed skipped <"$file"
        if [ "$failed" -gt 0 ]; then
            printf '\n=== %s ===\n' "$name"
            cat "$WORK/$name.out" "$WORK/$name.err"
            sed '/^$/d; s/^/not ok: /' "$WORK/$name.problem"
        elif [ "$skipped" -gt 0 ]; then
            grep -E '^skip |# SKIP' "$WORK/$name.out" | sed "s/^/$name: /"
        fi
    done
}

if [ "${1-}" = --one ]; then
    run_one "$2"
    exit 0
fi

# The longest are among the integration tests: what is short fills the time at the end.
[ $# -gt 0 ] || set -- integration unit
WORK=$(mktemp -d)
export WORK
trap 'rm -rf "$WORK"' EXIT

list_programs "$@" | xargs -r -d '\n' -n 1 -P "$JOBS" "$BASH" tests/run.sh --one
report
cat "$WORK"/*.counts 2>/dev/null >"$WORK/total" || true
awk '{ passed += $1; failed += $2; skipped += $3 }
    END {
        printf "%d passed, %d failed", passed, failed
        if (skipped) printf ", %d skipped", skipped
        printf "\n"
        exit failed > 0 || passed == 0
    }' "$WORK/total"
