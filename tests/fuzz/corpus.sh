#!/bin/bash
# Make the corpora anew: the seeds, and of what is there and what the fuzzers have found since the
# fewest small files that reach more of the code.
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
    # Seeds stay all: they stand at limits, which a count of reached code does not see. So do
    # findings that were mended.
    cp "$seeds/$name"/* "$merged/$name"
    find "tests/fuzz/corpus/$name" -name 'mended-*' -exec cp {} "$merged/$name" ';'
    "build/fuzz/tests/fuzz_$name" -set_cover_merge=1 -use_counters=0 -max_len="$bytes" \
        "$merged/$name" "tests/fuzz/corpus/$name" "build/fuzz/found/$name" \
        >"build/fuzz/$name.merge.log" 2>&1 </dev/null
    rm -rf "tests/fuzz/corpus/$name"
    mv "$merged/$name" "tests/fuzz/corpus/$name"
    echo "$name: $(find "tests/fuzz/corpus/$name" -type f | wc -l) files," \
        "$(cat "tests/fuzz/corpus/$name"/* | wc -c) bytes"
done
