#!/bin/bash
# What the compiler and the linker were told to protect is protected in what they made: program and
# shared library are read with binutils (docs/reliability.md, "How it is built"). Each check is also
# put to a program that is built without, and has to find it.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

build=$(dirname "$program")
library=$build/libclickmatch.so
machine=$(uname -m)

# ---- checks of a file: each is silent, or says what is wrong ----
# What is piped into grep it reads to the end: no -q, which ends the pipe.

lacks_pie() {
    readelf -hW "$1" | grep 'Type: *DYN' >header || echo "the type is not DYN"
    readelf -dW "$1" | grep 'FLAGS_1.*PIE' >flags || echo "not marked as PIE"
}

lacks_relro() {
    readelf -lW "$1" | grep GNU_RELRO >segments || echo "no GNU_RELRO"
    readelf -dW "$1" | grep -E '\((BIND_NOW|FLAGS)\).*NOW' >flags || echo "no BIND_NOW"
}

has_executable_data() {
    readelf -lW "$1" >segments
    grep -q 'GNU_STACK.* RW ' segments || echo "the stack may be executed"
    ! grep -E '(LOAD|GNU_STACK).* RWE ' segments | sed 's/^/writable and executable:/'
}

has_search_path() {
    readelf -dW "$1" | grep -E 'RPATH|RUNPATH'
}

has_text_relocations() {
    readelf -dW "$1" | grep '(TEXTREL)'
}

lacks_stack_protector() {
    nm -D "$1" | grep -w 'U __stack_chk_fail' >calls || echo "nothing calls __stack_chk_fail"
}

# What is fortified calls NAME_chk where the size of an object is known.
lacks_fortification() {
    local names
    names=$(nm -D "$1" | sed -n 's/.* U __\([a-z]*\)_chk@.*/\1/p' | tr '\n' ' ')
    for name in memcpy vsnprintf; do
        [[ " $names" == *" $name "* ]] || echo "no __${name}_chk"
    done
}

# IBT wants each function that may be called through a pointer to begin with endbr64: those that a
# library exports, and main, which the start code calls so. $2: their names.
lacks_landing_pads() {
    objdump -d --no-show-raw-insn "$1" >code
    for name in $2; do
        grep -A 1 "^[0-9a-f]* <$name>:" code | grep endbr64 >pad || echo "$name begins otherwise"
    done
}

# An object that lacks the note takes it from all that it is linked with.
lacks_cet_notes() {
    local objects notes
    objects=$(readelf -hW "$1" | grep -c 'ELF Header')
    notes=$(readelf -nW "$1" 2>/dev/null | grep -c 'x86 feature:.*IBT, SHSTK')
    [ "$objects" -eq "$notes" ] || echo "$notes of $objects objects say IBT, SHSTK"
}

expect_silent() {
    local said
    for check in "${@:2}"; do
        said=$("$check" "$1")
        [ -z "$said" ] || fail "$(basename "$1"): $check: $said"
    done
}

expect_said() {
    local said
    said=$("${@:3}")
    [ "$(grep -c . <<<"$said")" -eq "$2" ] || fail "$1: '$said', not $2 lines"
}

# ---- what was built ----

exported_names() {
    nm -D --defined-only "$1" | awk '{ print $3 }' | sort
}

declared_names() {
    gcc -E -P "$root/include/clickmatch.h" | tr '\n' ' ' | tr ';' '\n' |
        sed -n 's/.*visibility("default").*[ *]\(cm_[a-z0-9_]*\)(.*/\1/p' | sort
}

case_the_program() {
    expect_silent "$program" lacks_pie lacks_relro has_executable_data has_search_path \
        has_text_relocations lacks_stack_protector
}

case_the_shared_library() {
    expect_silent "$library" lacks_relro has_executable_data has_search_path \
        has_text_relocations lacks_stack_protector
}

case_calls_are_fortified() {
    is_sanitized && skip "a sanitizer checks them itself" && return
    expect_silent "$program" lacks_fortification
    expect_silent "$library" lacks_fortification
}

case_control_flow_is_marked() {
    [ "$machine" = x86_64 ] || { skip "these are of x86_64, not $machine" && return; }
    expect_silent "$build/libclickmatch.a" lacks_cet_notes
    expect_silent "$build/libprogram.a" lacks_cet_notes
    expect_said "$program" 0 lacks_landing_pads "$program" main
    expect_said "$library" 0 lacks_landing_pads "$library" "$(declared_names | tr '\n' ' ')"
}

# What is linked has the note if all of it does. The start files of Debian 12 (Scrt1.o, crti.o) do
# not, so that there it cannot.
case_the_cet_note_is_as_the_start_files_let_it() {
    local lacking=''
    [ "$machine" = x86_64 ] || { skip "it is of x86_64, not $machine" && return; }
    is_sanitized && skip "a sanitizer's objects have a say, too" && return
    for file in Scrt1.o crti.o crtbeginS.o crtendS.o crtn.o; do
        [ -z "$(lacks_cet_notes "$(gcc -print-file-name="$file")")" ] || lacking=$file
    done
    for file in "$program" "$library"; do
        if [ -z "$lacking" ]; then
            expect_silent "$file" lacks_cet_notes
        else
            expect_said "$(basename "$file"), whose $lacking lacks it," 1 lacks_cet_notes "$file"
        fi
    done
}

case_the_library_exports_what_its_header_declares() {
    is_sanitized && skip "a sanitizer exports names of its own" && return
    declared_names >declared
    [ "$(wc -l <declared)" -ge 20 ] || fail "only $(wc -l <declared) declarations found"
    exported_names "$library" >exported
    expect_same exported declared
}

# gcc notes in each unit what it was told; of what changes code, the flags that the Makefile gives.
# clang would note whole command lines (-grecord-command-line), the build directory's name in them,
# on which no byte may depend.
case_each_unit_was_built_so() {
    is_sanitized && skip "a sanitizer brings units of its own" && return
    readelf --debug-dump=info --dwarf-depth=1 "$program" 2>/dev/null |
        sed -n 's/.*DW_AT_producer.*: \(GNU C.*\)/\1 /p' >units
    [ -s units ] || { skip "no notes of gcc: built by another compiler, or without -g" && return; }
    tr ' ' '\n' <"$build/flags" | grep -E '^-f(stack|cf|exc|no-|trivial)' >wanted
    [ "$(wc -l <wanted)" -ge 5 ] || fail "only $(wc -l <wanted) flags in $build/flags"
    while IFS= read -r flag; do
        ! grep -v -e " $flag " units >without || fail "$(wc -l <without) units without $flag"
    done <wanted
}

# ---- that the checks find what is missing ----

make_unprotected() {
    cat >main.c <<'END'
#include <stdio.h>
#include <string.h>
int main(int count, char **values)
{
    char text[32], copy[64];
    snprintf(text, sizeof text, "%s", values[0]);
    memcpy(copy, text, (size_t)count);
    return puts(copy);
}
END
    gcc -O2 -U_FORTIFY_SOURCE -fno-stack-protector -fcf-protection=none -c main.c -o main.o
    gcc -no-pie main.o -Wl,-z,norelro,-z,lazy,-z,execstack,-z,notext -Wl,-rpath,/opt/lib \
        -o unprotected 2>messages || fail "$(cat messages)"
}

case_a_program_without_is_found() {
    [ "$machine" = x86_64 ] || { skip "its flags are of x86_64, not $machine" && return; }
    make_unprotected
    expect_said PIE 2 lacks_pie unprotected
    expect_said RELRO 2 lacks_relro unprotected
    expect_said NX 2 has_executable_data unprotected
    expect_said RUNPATH 1 has_search_path unprotected
    expect_said protector 1 lacks_stack_protector unprotected
    expect_said fortification 2 lacks_fortification unprotected
    expect_said 'landing pads' 1 lacks_landing_pads unprotected main
    expect_said CET 1 lacks_cet_notes main.o
}

# Code whose own instructions hold addresses: a position-dependent object in a shared library.
case_text_relocations_are_found() {
    [ "$machine" = x86_64 ] || { skip "its assembly is of x86_64, not $machine" && return; }
    printf '%s\n' .text '.globl f' "f: movabs \$name, %rax" ret \
        .data '.globl name' 'name: .quad 0' >f.s
    gcc -shared -Wl,-z,notext f.s -o f.so 2>messages || fail "$(cat messages)"
    expect_said TEXTREL 1 has_text_relocations f.so
}

run_cases
