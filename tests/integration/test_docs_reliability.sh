#!/bin/bash
# What docs/reliability.md says: its commands, run as printed in a copy of the checkout and its
# build, its list of packages, and that its flags are those that the Makefile gives.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

page=$root/docs/reliability.md

# Of the build what `make sbom` would make.
copy_checkout() {
    mkdir copy
    git -C "$root" ls-files -z --cached --others --exclude-standard >files
    tar -C "$root" --null -T files -c | tar -C copy -x
    (cd "$root" && tar -c build/flags build/gen build/obj/src build/obj/gen build/clickmatch \
        build/libclickmatch* build/libprogram.a) | tar -C copy -x
}

# What is indented is flags or commands. Tests that the page names run by themselves, with all
# others.
case_the_pages_commands_work_as_printed() {
    sed -n 's/^    //p' "$page" | grep -v '^-' >commands
    [ -s commands ] || fail "no commands found"
    while read -r _ test; do
        [ -x "$root/tests/integration/$test" ] || fail "there is no $test"
    done < <(grep '^tests/run.sh ' commands)
    copy_checkout
    grep -v '^tests/run.sh ' commands >others
    (cd copy && env -u MAKEFLAGS -u MAKELEVEL -u BUILD SOURCE_DATE_EPOCH=1700000000 \
        bash -euo pipefail ../others >"$work/out" 2>"$work/err") ||
        fail "$(tail -n 3 "$work/err")"
    expect_match "$work/out" '^"name": "libssl3"$'
    expect_match copy/build/clickmatch.spdx.json '"created": "2023-11-14T22:13:20Z"'
    cp copy/build/clickmatch.spdx.json "$work/sbom.json"
}

# Package, licence and how it is linked, as the page has them.
case_the_table_of_packages_is_what_sbom_says() {
    sed -n '/^| Package /,/^$/s/^| \([a-z].*\) |$/\1/p' "$page" >stated
    python3 - "$work/sbom.json" >found <<'END'
import json, sys
d = json.load(open(sys.argv[1], encoding="utf-8"))
links = {}
for r in d["relationships"]:
    if r["relationshipType"] in ("DYNAMIC_LINK", "STATIC_LINK"):
        links.setdefault(r["relatedSpdxElement"], []).append(r)
for p in sorted(d["packages"], key=lambda p: p["name"]):
    if p["SPDXID"] in links:
        by = links[p["SPDXID"]]
        how = ("compiled in" if by[0]["relationshipType"] == "STATIC_LINK" else
               "dynamically" if len(by) == 2 else "dynamically, by the program only")
        print(p["name"], p["licenseDeclared"], how, sep=" | ")
END
    expect_same stated found
}

# Each flag on the page as one that is given is in what the Makefile gives, and the other way round.
case_the_flags_are_those_of_the_makefile() {
    [ "$(uname -m)" = x86_64 ] || { skip "the page has the flags of x86_64" && return; }
    make -n -s -C "$root" V=1 CC=gcc BUILD="$work/none" "$work/none/clickmatch" >commands \
        2>"$work/err" || fail "$(tail -n 2 "$work/err")"
    grep -m 1 -e '-c src/main.c' commands >given
    grep -e '-o .*/none/clickmatch$' commands >>given
    tr ' ' '\n' <given | grep -E '^-(W|f|pie$|D_FORTIFY)' |
        grep -v -E '^-(Wshadow|Wdate-time|Wl,--build-id.*)$' |
        grep -v -E '^-f(fp-contract|visibility|file-prefix|no-semantic).*$' | sort -u >wanted
    # The tables' first column, the indented flags and what stands in the text in front of them.
    sed -n '/^## How it is built/,/^| Flag | Why/p' "$page" |
        grep -oE '[ `]-(W|f|pie|D_FORTIFY)[A-Za-z0-9=,_+-]*' | tr -d ' `' | sort -u >stated
    [ "$(wc -l <wanted)" -ge 25 ] || fail "only $(wc -l <wanted) flags given"
    cmp -s wanted stated || fail "$(diff wanted stated | grep '^[<>]' | head -n 5)"
}

run_cases
