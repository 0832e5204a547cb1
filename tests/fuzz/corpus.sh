#!/bin/bash
# Make the corpora anew: of the seeds, of what is there, and of what the fuzzers have found since,
# the fewest small files that reach as much of the code.
#
#     tests/fuzz/corpus.sh PROGRAM [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/../.."

program=$1
shift
seeds=build/fuzz/seeds merged=build/fuzz/merged
rm -rf "$seeds" "$merged"
tests/fuzz/seeds.py "$program" "$seeds"
grep '^[a-z]' tests/fuzz/targets.txt | while read -r name bytes _; do
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    mkdir -p "$merged/$name" "tests/fuzz/corpus/$name" "build/fuzz/found/$name"
    "build/fuzz/tests/fuzz_$name" -set_cover_merge=1 -use_counters=0 -max_len="$bytes" \
        "$merged/$name" "$seeds/$name" "tests/fuzz/corpus/$name" "build/fuzz/found/$name" \
        >"build/fuzz/$name.merge.log" 2>&1 </dev/null
    # Findings that were mended stay, whatever they reach.
    find "tests/fuzz/corpus/$name" -type f ! -name 'mended-*' -delete
    cp "$merged/$name"/* "tests/fuzz/corpus/$name"
    # What gzip and zstd are is known by libraries, whose code is not looked at.
    [ "$name" != unpack ] || cp "$seeds/$name"/* "tests/fuzz/corpus/$name"
    echo "$name: $(find "tests/fuzz/corpus/$name" -type f | wc -l) files," \
        "$(cat "tests/fuzz/corpus/$name"/* | wc -c) bytes"
done
