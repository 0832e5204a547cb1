#!/bin/bash
# The linters over all they understand; `make lint` calls this. They come from
# `scripts/deps.sh --lint`. CPPFLAGS holds the include paths of generated headers and of libpq.
set -euo pipefail
cd "$(dirname "$0")/.."

# How many states of a function clang's analyzer goes through before it gives up: it takes its time
# in proportion. `make lint-deep` sets DEEP: its own 225,000, and tests, too, take minutes more.
: "${BUILD:=build}" "${DEEP:=}"
nodes=${DEEP:+225000} nodes=${nodes:-20000}
mapfile -t files < <(find include src tests examples bench -name '*.[ch]' 2>/dev/null | sort)
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.c$')
mapfile -t scripts < <(find scripts tests .ci -name '*.sh' -o -path .ci/run | sort)
read -ra includes <<<"-Iinclude -Isrc -Itests ${CPPFLAGS-}"

# Each linter runs, whatever the others found.
failures=0
lint() {
    echo "lint: $1, $2 files"
    "run_${1//-/_}" || {
        echo "lint: $1 FAILED" >&2
        failures=$((failures + 1))
    }
}

run_shellcheck() {
    printf '%s\n' "${scripts[@]}" | xargs -d '\n' -n 2 -P 2 shellcheck -x
}

run_clang_format() {
    printf '%s\n' "${files[@]}" | xargs -d '\n' -n 50 -P 2 clang-format --dry-run -Werror || {
        echo "lint: make format lays the files out" >&2
        return 1
    }
}

# internalAstError: it fails on `c ? (type){0} : x`.
# uninitvar: it does not see that a loop fills an array; the compilers' -Wmaybe-uninitialized does.
run_cppcheck() {
    cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability -j 2 \
        --inline-suppr --suppress=internalAstError --suppress=uninitvar \
        --error-exitcode=1 -D_GNU_SOURCE "${includes[@]}" "${sources[@]}"
}

# clang's tools learn the flags from compile_flags.txt, whose paths count from where it lies.
run_clang_tidy() {
    local include
    mkdir -p "$BUILD"
    {
        printf '%s\n' -std=c11 -D_GNU_SOURCE
        for include in "${includes[@]}"; do echo "-I$(realpath -m "${include#-I}")"; done
    } >"$BUILD/compile_flags.txt"
    local failed=0 without='-clang-analyzer-*'
    [ -z "$DEEP" ] || without=
    list_sources '^src/' | tidy_files || failed=1
    list_sources -v '^src/' | tidy_files "--checks=$without" || failed=1
    return "$failed"
}

list_sources() {
    printf '%s\n' "${sources[@]}" | grep "$@"
}

# The files of standard input, with clang-tidy's options.
tidy_files() {
    xargs -d '\n' -n 4 -P 2 clang-tidy --quiet -p "$BUILD" "$@" \
        --extra-arg=-Xclang --extra-arg=-analyzer-config \
        --extra-arg=-Xclang --extra-arg="max-nodes=$nodes" \
        2> >(grep -v 'warnings\? .*generated' >&2)
}

lint shellcheck ${#scripts[@]}
lint clang-format ${#files[@]}
lint cppcheck ${#sources[@]}
lint clang-tidy ${#sources[@]}
[ "$failures" -eq 0 ]
