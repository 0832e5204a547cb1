#!/bin/bash
# A stream of events of which one in a hundred is broken: each of those is rejected once, with its
# line, field and reason, and all others are attributed as if it were not there.
#
#   tests/torture/stream_rejects.sh [LINES]     default: 10,000,000
#
# CLICKMATCH is the program (default build/clickmatch).
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${CLICKMATCH:-$root/build/clickmatch}
events=$root/tests/torture/stream_rejects.py
lines=${1:-10000000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Results of standard input as one number, and how many.
digest() {
    "$program" stream --quiet --recovery-target 0 "$@" 2>"$work/err" | tee >(wc -l >"$work/count") |
        sha256sum
}

dirty=$(python3 "$events" dirty "$lines" "$work/wanted" |
    digest --rejects "$work/rejects" --summary "$work/summary.json")
dirty_count=$(cat "$work/count")
clean=$(python3 "$events" clean "$lines" | digest)
python3 "$events" check "$work/wanted" "$work/rejects" "$work/summary.json" "$lines"
[ "$dirty" = "$clean" ] || {
    echo "results differ: $dirty_count with broken lines, $(cat "$work/count") without"
    exit 1
}
[ "$dirty_count" -gt $((lines / 11)) ] || {
    echo "only $dirty_count results"
    exit 1
}
echo "$dirty_count results, the same without the broken lines"
