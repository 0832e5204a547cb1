#!/bin/bash
# Some of the faults of `make torture-faults`, of every command, drawn by a seed; and that its seam
# stands between the program and all that can fail.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the file read here
[ -n "${PG_TEMP_DIR-}" ] ||
    exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

use_tool fault_seam.so
seam=$tool

has_no_seam() {
    is_sanitized && skip "the seam would stand before a sanitizer's malloc"
}

torture() {
    status=0
    python3 "$root/tests/torture/faults_every.py" --program "$program" --seam "$seam" "$@" \
        >"$work/out" 2>"$work/err" || status=$?
}

# Functions of a kind that the program calls and the seam does not stand before, but for those that
# cannot fail, or whose failure is that of another call.
expect_interposed() {
    nm -D --undefined-only "$program" | awk '{ sub(/@.*/, "", $2); print $2 }' |
        grep -E "^($1)\$" | sort >called
    nm -D --defined-only "$seam" | awk '{ print $3 }' | sort >interposed
    comm -23 called interposed | grep -v -x -E "$2" >missed
    [ ! -s missed ] || fail "not in tests/torture/seam: $(tr '\n' ' ' <missed)"
    [ -s called ] || fail "the program calls none of $1"
}

# What only tells of a connection or a result, or frees it.
case_seam_has_libpq() {
    has_no_seam && return
    expect_interposed 'PQ.*' 'PQ(clear|cmdTuples|conninfoFree|db|errorMessage|finish|freeCancel|'\
'freemem|getisnull|getvalue|isBusy|ntuples|parameterStatus|resultErrorField|resultStatus|'\
'serverVersion|setNoticeReceiver|socket|status|transactionStatus)'
}

# Those of sockets are libmicrohttpd's and the figures' alone: test_stream_metrics has them.
case_seam_has_files_and_memory() {
    has_no_seam && return
    expect_interposed '(__)?(p?(read|write)v?|v?f?open(at)?|.*alloc.*|f?data?sync|fsync|rename.*|'\
'close|f?truncate|mk.*|(un)?link(at)?|rmdir|[fl]?stat(at)?|pipe2?|flock|access|realpath|fdopendir|'\
'readdir|lseek|fcntl|poll|pthread_create)(_chk|_2)?' 'mallopt|mallinfo2|malloc_trim'
}

# Each class of calls meets each of its modes, and each command a fault that fires.
case_sample_of_all_commands() {
    has_no_seam && return
    torture --sample --seed "${SEED:-1}" --jobs 4
    expect_status 0
    expect_no_match "$work/out" '^not ok|^--'
    expect_no_match "$work/out" '^ok [^ ]+: 0 faults'
    expect_match "$work/out" '^([0-9]+) of \1 classes and modes were met$'
    "$program" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort -u >listed
    [ "$(wc -l <listed)" -ge 12 ] || fail "only $(wc -l <listed) commands found in --help"
    sed -n 's/^ok \([a-z]*\).*/\1/p' "$work/out" | sort -u >had
    missing=$(comm -23 listed had | tr '\n' ' ')
    [ -z "$missing" ] || fail "no fault of: $missing"
}

# A stream that goes on looks for the end of its output's last line, which may come in parts.
case_short_reads_at_the_end_of_an_output() {
    has_no_seam && return
    (
        unset PG_TEMP_DIR # of no use to it
        torture --replay 'stream-resume read:1:short:forever'
        expect_status 0
    )
    expect_match "$work/out" '^status 0, fired True: well$'
}

# A program that does not look whether memory was given is found out.
case_a_bad_program_is_found() {
    has_no_seam && return
    cat >bad.c <<'END'
#include <stdlib.h>
int main(void) { char *p = malloc(1); p[0] = 1; return p[0] - 1; }
END
    cc -O0 bad.c -o bad || fail "no compiler"
    CM_FAULT=alloc:1:ENOMEM CM_FAULT_REPORT=report LD_PRELOAD=$seam ./bad 2>/dev/null &&
        fail "malloc did not fail"
    CM_FAULT_REPORT=report LD_PRELOAD=$seam ./bad || fail "exit status $? without a fault"
    expect_match report '^calls alloc 1$'
    expect_match report '^live program '
}

run_cases
