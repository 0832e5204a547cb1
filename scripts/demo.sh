#!/bin/bash
# Simulate a small world with known truth and match it; `make demo` calls this after the build.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${BUILD:=build}"
program=$BUILD/clickmatch
world=$BUILD/demo
results=$world/results.csv

# Say what is run, as it could be typed.
run() {
    printf '\n$ %s\n' "$*"
    "$@"
}

[ -x "$program" ] || {
    echo "demo.sh: $program is not built; run make" >&2
    exit 1
}
rm -rf "$world"
mkdir -p "$world"

run "$program" simulate --clicks-count 200000 --conversions-count 50000 --seed 1 --output "$world"
run "$program" match --clicks "$world/clicks.csv" --conversions "$world/conversions.csv" \
    --output "$results"

cat <<END

The first results:

$(head -n 6 "$results" | cut -c 1-150)

Every conversion has its row in $results. Next, try:

  $program match --help       other formats, models, what became of bad rows
  $program batch --help       the same over PostgreSQL
  $program --help             all commands
END
