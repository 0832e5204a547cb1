#!/bin/bash
# Run the fuzzers of the decoders, one on each core at a time, each from its corpus on.
#
#     tests/fuzz/run.sh (--seconds N | --runs N) [TARGET...]
#
# Says a line for each: its runs, and what it found. What ends a fuzzer (a crash, what a sanitizer
# says, a promise that does not hold, 25 seconds, 2 GB) is kept as build/fuzz/findings/TARGET-...;
# build/fuzz/tests/fuzz_TARGET FILE replays it. What reaches more of the code is kept in
# build/fuzz/found/TARGET, for the next run and for make fuzz-corpus.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C

fuzzed=build/fuzz
usage="give --seconds N or --runs N, then targets or none for all"
if ! [[ "${1-} ${2-}" =~ ^--(seconds|runs)\ [1-9][0-9]*$ ]]; then
    echo "run.sh: $usage" >&2
    exit 2
fi
limit=$1 amount=$2
shift 2

# One target; the words are those of targets.txt.
run_target() {
    local name=$1 bytes=$2 weight=$3 log=$fuzzed/$1.log limits outcome=nothing
    case $limit in
        --seconds) limits=(-max_total_time="$amount") ;;
        --runs) limits=(-runs=$((amount * weight))) ;;
    esac
    mkdir -p "$fuzzed/found/$name" "$fuzzed/findings"
    "$fuzzed/tests/fuzz_$name" "${limits[@]}" -max_len="$bytes" -timeout=25 -rss_limit_mb=2048 \
        -reload=0 -print_final_stats=1 -artifact_prefix="$fuzzed/findings/$name-" \
        "$fuzzed/found/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1 || outcome=FOUND
    printf '%-11s %12s runs, %7s a second, %12s texts; found: %s\n' "$name" \
        "$(sed -n 's/.*number_of_executed_units: *//p' "$log")" \
        "$(sed -n 's/.*average_exec_per_sec: *//p' "$log")" \
        "$(sed -n 's/^\([0-9]*\) texts$/\1/p' "$log" | grep . || echo -)" "$outcome"
    [ "$outcome" = nothing ] || {
        grep -E 'does not hold|ERROR: |runtime error|SUMMARY|Test unit written' "$log" ||
            tail -n 20 "$log"
        return 1
    }
}

export fuzzed limit amount
export -f run_target
# The slow ones first, so that none runs alone in the end.
grep '^[a-z]' tests/fuzz/targets.txt | tac | while read -r name bytes weight; do
    [ $# -gt 0 ] && [[ " $* " != *" $name "* ]] || echo "$name $bytes $weight"
done | xargs -P "$(nproc)" -L 1 bash -c 'run_target "$@"' run_target
