#!/bin/bash
# Each file of the fuzzers' corpora goes once through its target as this compiler builds it: what
# was found stays found. make fuzz-decoders goes on from there.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

fuzz=$root/tests/fuzz

names() {
    sed -n 's/^\([a-z]\+\) .*/\1/p' "$fuzz/targets.txt"
}

case_each_target_has_a_corpus_and_a_line() {
    names | sort >listed
    find "$fuzz" -name 'fuzz_*.c' -printf '%f\n' | sed 's/^fuzz_\(.*\)\.c$/\1/' | sort >there
    find "$fuzz/corpus" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort >corpora
    [ "$(wc -l <listed)" -ge 10 ] || fail "only $(wc -l <listed) targets"
    expect_same listed there
    expect_same listed corpora
    [ "$(du -sb "$fuzz/corpus" | cut -f 1)" -lt 1000000 ] || fail "the corpora have over 1 MB"
}

case_nothing_in_the_corpora_breaks_a_promise() {
    local name
    for name in $(names); do
        use_tool "fuzz_$name"
        "$tool" "$fuzz/corpus/$name"/* 2>"$work/err" || fail "$name: $(tail -n 2 "$work/err")"
    done
}

# Whatever commands there will be: seeds, whose first byte is a command's bit, have them all.
case_each_command_has_seeds() {
    local file count
    count=$(grep -c '^ *CM_COMMAND_[A-Z_]* = [0-9]*,$' "$root/src/cmd/options.h")
    [ "$count" -ge 16 ] || fail "only $count commands found in options.h"
    for file in "$fuzz"/corpus/options/seed-*; do od -An -tu1 -N1 "$file"; done |
        sort -n | uniq | tr -d ' ' >had
    seq 0 $((count - 1)) >wanted
    expect_same wanted had
}

# Nobody may take a corpus for good that was never read.
case_what_cannot_be_read_is_a_failure() {
    use_tool fuzz_csv
    ! "$tool" none 2>"$work/err" || fail "a file that is not there was read"
    expect_match "$work/err" '^none: cannot be read$'
}

run_cases
