#!/bin/bash
# The same sources give the same bytes: the program and both libraries are built once more from a
# copy, at another place and date, in a directory of another name, by one job, in another time zone
# and language, and compared with those that are there (docs/reliability.md, "The same bytes").
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

build=$(dirname "$program")
copy=$work/a-copy-with-a-longer-name/of-the-sources
export CC
read -r CC _ <"$build/flags"

copy_sources() {
    mkdir -p "$copy"
    git -C "$root" ls-files -z --cached --others --exclude-standard >files
    tar -C "$root" --null -T files -c | tar -C "$copy" -x --touch
    find "$copy" -type f -exec touch -d 2001-02-03 {} +
}

# Of a make under which this may run only the compiler stays.
make_again() {
    (cd "$copy" && umask 077 &&
        env -u MAKEFLAGS -u MAKELEVEL -u BUILD TZ=Pacific/Apia LC_ALL=C.UTF-8 \
            make -j1 CC="$CC" BUILD=again "$@") >messages 2>&1 || fail "$(tail -n 3 messages)"
}

# The flags without the build directory, which comes last.
flags_of() {
    sed 's| -I[^ ]*/gen$||' "$1"
}

# Before all others: these compare with what it leaves.
case_it_builds_elsewhere() {
    copy_sources
    make_again again/flags
    [ "$(flags_of "$build/flags")" = "$(flags_of "$copy/again/flags")" ] || {
        touch "$work/other_flags"
        skip "$build was built with other flags than those of the Makefile"
        return
    }
    make_again lib again/clickmatch
}

case_the_bytes_are_the_same() {
    [ ! -e "$work/other_flags" ] || { skip "nothing to compare with" && return; }
    for file in clickmatch libclickmatch.a libclickmatch.so; do
        [ "$(sha256sum <"$build/$file")" = "$(sha256sum <"$copy/again/$file")" ] ||
            fail "$file differs: $(cmp "$build/$file" "$copy/again/$file" 2>&1 | head -c 200)"
    done
}

case_no_path_of_this_machine_is_in_them() {
    for file in clickmatch libclickmatch.a libclickmatch.so; do
        ! LC_ALL=C grep -q -a -F -e "$root/" "$build/$file" || fail "$file names $root"
    done
}

# Without the flags that take the paths out an object differs, and is seen to.
case_a_path_would_be_seen() {
    [ ! -e "$work/other_flags" ] || { skip "nothing to compare with" && return; }
    local object=obj/src/util/arena.o
    cmp -s "$build/$object" "$copy/again/$object" || fail "$object differs"
    rm "$copy/again/$object"
    make_again SAME= "again/$object"
    ! cmp -s "$build/$object" "$copy/again/$object" || fail "$object is the same"
    grep -q -a -F -e "$copy" "$copy/again/$object" || fail "$copy is not in $object"
}

run_cases
