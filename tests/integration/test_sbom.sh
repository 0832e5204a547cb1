#!/bin/bash
# `make sbom`: the bill of materials has what SPDX 2.3 asks for, names each library that the program
# and the shared library need, each that is headers only, and is the same twice.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"

build=$(dirname "$program")
version=$(basename "$(readlink -f "$build/libclickmatch.so")")
version=${version#libclickmatch.so.}
sbom=$root/scripts/sbom.py

make_sbom() {
    "$sbom" "$build" "$version" "$1" 2>messages || fail "$(cat messages)"
}

# The document that most cases look at, made by the first of them.
get_sbom() {
    [ -e "$work/sbom.json" ] || make_sbom "$work/sbom.json"
    cp "$work/sbom.json" sbom.json
}

# Prints what is wrong with a document, by the specification's sections 6 to 8 and 11, of what there
# is in ours: fields that must be there, forms, references that lead somewhere.
spdx_problems() {
    python3 - "$1" <<'END'
import hashlib, json, re, sys

d = json.load(open(sys.argv[1], encoding="utf-8"))
def check(is_right, what):
    if not is_right:
        print(what)
def has(part, name, pattern):
    check(re.fullmatch(pattern, part.get(name, "")), "%s: %s" % (part.get("name"), name))

has(d, "spdxVersion", r"SPDX-2\.3")
has(d, "dataLicense", r"CC0-1\.0")
has(d, "SPDXID", "SPDXRef-DOCUMENT")
has(d, "name", r"\S+")
has(d, "documentNamespace", r"https://[^\s#]+-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
has(d["creationInfo"], "created", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
check(all(re.fullmatch(r"(Tool|Person|Organization): \S.*", c)
          for c in d["creationInfo"]["creators"]) and d["creationInfo"]["creators"], "creators")
# The schema of 2.3 allows no others; of what it allows, what stands in ours.
ANY = {"SPDXID", "licenseConcluded", "copyrightText"}
PACKAGE = ANY | set("""name versionInfo supplier downloadLocation primaryPackagePurpose
    filesAnalyzed packageVerificationCode licenseDeclared licenseInfoFromFiles sourceInfo
    externalRefs""".split())
FILE = ANY | {"fileName", "fileTypes", "checksums", "licenseInfoInFiles"}
check(set(d) == {"spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace",
                 "creationInfo", "packages", "files", "relationships"}, "fields")
check(all(set(package) <= PACKAGE for package in d["packages"]), "fields of a package")
check(all(set(file) <= FILE for file in d["files"]), "fields of a file")
LICENCE = r"NOASSERTION|[A-Za-z0-9.-]+( OR [A-Za-z0-9.-]+)*"
for package in d["packages"]:
    has(package, "SPDXID", r"SPDXRef-[A-Za-z0-9.-]+")
    for name in ("name", "versionInfo", "downloadLocation", "copyrightText"):
        has(package, name, r"\S+")
    has(package, "supplier", r"NOASSERTION|(Person|Organization): \S.*")
    has(package, "licenseDeclared", LICENCE)
    has(package, "licenseConcluded", LICENCE)
    check(package["filesAnalyzed"] == ("packageVerificationCode" in package), "filesAnalyzed")
    for reference in package.get("externalRefs", ()):
        has(reference, "referenceLocator", r"pkg:deb/\w+/[a-z0-9.+-]+@[^@\s+]+\?arch=\w+.*")
for file in d["files"]:
    has(file, "fileName", r"\./\S+")
    has(file, "SPDXID", r"SPDXRef-[A-Za-z0-9.-]+")
    check([c["algorithm"] for c in file["checksums"]] == ["SHA1", "SHA256"], "checksums")
ids = [d["SPDXID"]] + [part["SPDXID"] for part in d["packages"] + d["files"]]
check(len(ids) == len(set(ids)), "an SPDXID stands twice")
for r in d["relationships"]:
    check({r["spdxElementId"], r["relatedSpdxElement"]} <= set(ids), "leads nowhere: %s" % r)
related = {i for r in d["relationships"] for i in (r["spdxElementId"], r["relatedSpdxElement"])}
KINDS = {"DESCRIBES", "CONTAINS", "DYNAMIC_LINK", "STATIC_LINK"}
check({r["relationshipType"] for r in d["relationships"]} == KINDS, "relationshipType")
check(set(ids) == related, "related to nothing: %s" % (set(ids) - related))
sums = sorted(f["checksums"][0]["checksumValue"] for f in d["files"])
code = d["packages"][0]["packageVerificationCode"]["packageVerificationCodeValue"]
check(code == hashlib.sha1("".join(sums).encode()).hexdigest(), "packageVerificationCode")
END
}

# "name version" of the packages that a file, or the product, is linked with in a way.
linked() {
    python3 - "$@" <<'END'
import json, sys
d = json.load(open(sys.argv[1], encoding="utf-8"))
packages = {p["SPDXID"]: "%s %s" % (p["name"], p["versionInfo"]) for p in d["packages"]}
for r in d["relationships"]:
    if (r["spdxElementId"], r["relationshipType"]) == (sys.argv[2], sys.argv[3]):
        print(packages[r["relatedSpdxElement"]])
END
}

# The same by other means: the linker's search instead of the loader's.
needed_packages() {
    local path
    readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while IFS= read -r name; do
        path=$(readlink -f "$(gcc -print-file-name="$name")")
        dpkg-query -S "$path" "${path#/usr}" 2>/dev/null | sed -n '1s/: .*//p'
    done | sort -u | while IFS= read -r package; do
        # shellcheck disable=SC2016 # ${...} is dpkg-query's own
        dpkg-query -W -f '${Package} ${Version}\n' "$package"
    done | sort
}

case_it_is_spdx() {
    get_sbom
    spdx_problems sbom.json >problems 2>&1
    [ ! -s problems ] || fail "$(head -n 3 problems)"
}

# The document with one thing changed, for each thing.
case_what_is_wrong_is_found() {
    get_sbom
    while IFS= read -r change; do
        sed "$change" sbom.json >other.json
        ! cmp -s sbom.json other.json || fail "$change changes nothing"
        spdx_problems other.json >problems 2>&1
        [ -s problems ] || fail "not found: $change"
    done <<'END'
s/SPDX-2.3/SPDX-9/
s/"documentNamespace"/"namespace"/
s/"created": "\(.*\)Z"/"created": "\1"/
s/"SPDXID": "SPDXRef-Package-libc6"/"SPDXID": "SPDXRef-Package-libc7"/
s/"DYNAMIC_LINK"/"CONTAINS_OF"/
s/"relatedSpdxElement": "SPDXRef-Package-uthash-dev"/"relatedSpdxElement": "SPDXRef-DOCUMENT"/
0,/"checksumValue": "./s//"checksumValue": "g/
s/"licenseDeclared": "MIT"/"licenseDeclared": "M I T"/
s/"filesAnalyzed": false/"filesAnalyzed": true/
s/"versionInfo"/"version"/
s/"fileTypes"/"types"/
END
}

case_each_library_that_is_needed_stands_there() {
    get_sbom
    for file in clickmatch "libclickmatch.so.$version"; do
        linked sbom.json "SPDXRef-File-$file" DYNAMIC_LINK | sort >stated
        needed_packages "$build/$file" >wanted
        [ "$(wc -l <wanted)" -ge 5 ] || fail "$file: only $(wc -l <wanted) packages"
        cmp -s stated wanted || fail "$file: $(diff stated wanted | head -n 3)"
    done
}

case_header_only_libraries_stand_there() {
    get_sbom
    linked sbom.json SPDXRef-Package-clickmatch STATIC_LINK | sort >stated
    # shellcheck disable=SC2016 # ${...} is dpkg-query's own
    dpkg-query -W -f '${Package} ${Version}\n' libxxhash-dev uthash-dev | sort >wanted
    cmp -s stated wanted || fail "$(diff stated wanted | head -n 3)"
}

case_the_files_are_those_that_were_built() {
    get_sbom
    for file in clickmatch libclickmatch.a "libclickmatch.so.$version"; do
        read -r sum _ < <(sha256sum "$build/$file")
        grep -q -F "\"$sum\"" sbom.json || fail "$file: $sum is not there"
    done
}

case_two_runs_give_the_same_bytes() {
    make_sbom one.json
    TZ=Asia/Tokyo make_sbom two.json
    expect_same one.json two.json
    SOURCE_DATE_EPOCH=86400 make_sbom three.json
    expect_match three.json '"created": "1970-01-02T00:00:00Z"'
    ! cmp -s one.json three.json || fail "the time changes nothing"
}

case_what_cannot_be_done_is_said() {
    SOURCE_DATE_EPOCH=yesterday "$sbom" "$build" "$version" out.json 2>"$work/err" && fail "done"
    expect_error "^sbom.py: SOURCE_DATE_EPOCH is 'yesterday'; give seconds since 1970"
    env -u SOURCE_DATE_EPOCH GIT_DIR=none "$sbom" "$build" "$version" out.json 2>"$work/err" &&
        fail "done"
    expect_error '^sbom.py: no commit tells the time .*; set SOURCE_DATE_EPOCH$'
    "$sbom" . "$version" out.json 2>"$work/err" && fail "done"
    expect_error '^sbom.py: .*/clickmatch is not there; make sbom builds it'
    [ ! -e out.json ] || fail "out.json was written"
}

run_cases
