#!/usr/bin/env python3
"""What is in a build, as a bill of materials: SPDX 2.3, JSON.

    scripts/sbom.py BUILD VERSION OUTPUT     (make sbom)

Names the program and both libraries of the directory BUILD with their checksums, each library that
one of them needs (by its dynamic section, from where the loader takes it) and each library that is
headers only (by the sources' includes), with the version of its Debian package and the licence that
the package declares for most of its files; NOASSERTION where it does so in no form that a program
can read. What these libraries need in turn is theirs to name.

The same build on the same packages gives the same bytes: the time is SOURCE_DATE_EPOCH's, or else
that of the last commit. Debian 12 has no maintained tool for this that knows its packages.
"""

import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.parse
import uuid

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
INCLUDES = "/usr/include"
# What every C program is compiled with and has nothing of in it that is not libc6's.
SYSTEM_SOURCES = {"glibc", "linux"}
# Debian's names of licences that SPDX calls otherwise.
LICENCES = {"expat": "MIT", "bsd-2-clause": "BSD-2-Clause", "bsd-3-clause": "BSD-3-Clause",
            "bsd-1-clause": "BSD-1-Clause", "zlib": "Zlib", "apache-2.0": "Apache-2.0",
            "postgresql": "PostgreSQL", "gpl-2": "GPL-2.0-only", "gpl-2+": "GPL-2.0-or-later",
            "lgpl-2.1+": "LGPL-2.1-or-later"}
UNKNOWN = "NOASSERTION"
PRODUCT = "SPDXRef-Package-clickmatch"


class Wrong(Exception):
    """Something that the person who called must put right."""


def output_of(*command, accepted=(0,)):
    try:
        done = subprocess.run(command, capture_output=True, check=False, cwd=ROOT,
                              env={**os.environ, "LC_ALL": "C"})
    except OSError as error:
        raise Wrong("%s cannot be run: %s" % (command[0], error.strerror)) from error
    if done.returncode not in accepted:
        raise Wrong("%s: %s" % (" ".join(command), done.stderr.decode().strip()))
    return done.stdout.decode()


# ---- what is needed ----

def needed(path):
    """The names of the libraries that a file's dynamic section asks for."""
    return re.findall(r"\(NEEDED\).*\[(.+)\]", output_of("readelf", "-dW", path))


def loaded(path):
    """Where the loader takes a file's libraries from, by name."""
    return dict(re.findall(r"(\S+) => (/\S+)", output_of("ldd", path)))


def packages_of(paths):
    """The packages that files came with. They may know a path with or without /usr."""
    known = {path: {path, os.path.realpath(path), "/usr" + path, re.sub("^/usr", "", path)}
             for path in paths}
    asked = sorted(set().union(*known.values()))
    said = output_of("dpkg-query", "-S", *asked, accepted=(0, 1))  # 1: some of them are of none
    owners = {path: names.split(", ")[0] for names, path in re.findall(r"(.+): (/.+)", said)}
    found = set()
    for path, names in known.items():
        owner = [owners[name] for name in sorted(names) if name in owners]
        if not owner:
            raise Wrong("%s is of no Debian package; install the library from Debian" % path)
        found.add(owner[0])
    return sorted(found)


def libraries_of(path):
    """The packages that a file is linked with."""
    places, names = loaded(path), needed(path)
    missing = [name for name in names if name not in places]
    if missing:
        raise Wrong("%s needs %s, which the loader does not find; make deps" % (path, missing[0]))
    return packages_of([places[name] for name in names])


def included():
    """The packages of the headers that the sources include; the compiler's own are of none."""
    names = set()
    for folder, _, files in os.walk(os.path.join(ROOT, "src")):
        for file in files:
            if file.endswith((".c", ".h")):
                with open(os.path.join(folder, file), encoding="utf-8") as source:
                    names.update(re.findall(r"^#\s*include <(.+)>", source.read(), re.MULTILINE))
    paths = (os.path.join(INCLUDES, name) for name in sorted(names))
    return packages_of([path for path in paths if os.path.exists(path)])


# ---- what a package is ----

def fields_of(package):
    """What dpkg knows of a package, by name."""
    names = ["Package", "Version", "Architecture", "source:Package", "source:Version"]
    said = output_of("dpkg-query", "-W", "-f", "\n".join("${%s}" % name for name in names), package)
    return dict(zip(names, said.split("\n")))


def licence(package):
    """What the package's copyright file says of `Files: *`, in SPDX's names."""
    path = "/usr/share/doc/%s/copyright" % package.split(":")[0]
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return UNKNOWN
    for stanza in re.split(r"\n\s*\n", text):
        said = re.search(r"^License:[ \t]*(.+)$", stanza, re.MULTILINE)
        if said and re.search(r"^Files:\s*\*\s*$", stanza, re.MULTILINE):
            names = [LICENCES.get(name) for name in said[1].strip().lower().split(" or ")]
            return " OR ".join(names) if all(names) else UNKNOWN
    return UNKNOWN


def identifier(kind, name):
    return "SPDXRef-%s-%s" % (kind, re.sub(r"[^A-Za-z0-9.-]", "-", name))


def distribution():
    """The distribution's id, version and name."""
    with open("/etc/os-release", encoding="utf-8") as file:
        said = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    return [said.get(name, "").strip('"') for name in ("ID", "VERSION_ID", "NAME")]


def describe(package, fields):
    system, release, system_name = distribution()
    name, version = fields["Package"], fields["Version"]
    locator = "pkg:deb/%s/%s@%s?arch=%s&distro=%s-%s" % (
        system, name, urllib.parse.quote(version, safe="~"), fields["Architecture"], system,
        release)
    return {
        "SPDXID": identifier("Package", name),
        "name": name,
        "versionInfo": version,
        "supplier": "Organization: " + system_name,
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": False,
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": licence(package),
        "copyrightText": UNKNOWN,
        "sourceInfo": "built from the source package %s %s" % (
            fields["source:Package"], fields["source:Version"]),
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": locator}],
    }


# ---- the document ----

def checksums(path):
    with open(path, "rb") as file:
        content = file.read()
    return [{"algorithm": name, "checksumValue": hashlib.new(name, content).hexdigest()}
            for name in ("SHA1", "SHA256")]


def product_file(path):
    name = os.path.basename(path)
    return {
        "SPDXID": identifier("File", name),
        "fileName": "./" + name,
        "fileTypes": ["ARCHIVE" if name.endswith(".a") else "BINARY"],
        "checksums": checksums(path),
        "licenseConcluded": UNKNOWN,
        "licenseInfoInFiles": [UNKNOWN],
        "copyrightText": UNKNOWN,
    }


def product(version, files):
    """The package that this is. Its code: SHA-1 over the files' sorted SHA-1 (SPDX 2.3, 7.9)."""
    sums = sorted(file["checksums"][0]["checksumValue"] for file in files)
    return {
        "SPDXID": PRODUCT,
        "name": "clickmatch",
        "versionInfo": version,
        "supplier": UNKNOWN,
        "downloadLocation": UNKNOWN,
        "primaryPackagePurpose": "APPLICATION",
        "filesAnalyzed": True,
        "packageVerificationCode": {
            "packageVerificationCodeValue": hashlib.sha1("".join(sums).encode()).hexdigest()},
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": UNKNOWN,
        "licenseInfoFromFiles": [UNKNOWN],
        "copyrightText": UNKNOWN,
    }


def created():
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        try:
            epoch = output_of("git", "log", "-1", "--format=%ct").strip()
        except Wrong as wrong:
            raise Wrong("no commit tells the time (%s); set SOURCE_DATE_EPOCH" % wrong) from wrong
    if not re.fullmatch("[0-9]{1,11}", epoch):
        raise Wrong("SOURCE_DATE_EPOCH is '%s'; give seconds since 1970" % epoch)
    time = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def relation(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def linked_packages(files, paths):
    """Packages by name as they stand in the document, and what is linked with them how."""
    linked = [libraries_of(path) if not path.endswith(".a") else [] for path in paths]
    headers = included()
    fields = {name: fields_of(name) for name in sorted(set(headers).union(*linked))}
    sources = SYSTEM_SOURCES | {fields[name]["source:Package"] for name in set().union(*linked)}
    headers = [name for name in headers if fields[name]["source:Package"] not in sources]
    packages = {name: describe(name, fields[name])
                for name in sorted(set(headers).union(*linked))}
    relations = [relation(file["SPDXID"], "DYNAMIC_LINK", packages[name]["SPDXID"])
                 for file, names in zip(files, linked) for name in names]
    relations += [relation(PRODUCT, "STATIC_LINK", packages[name]["SPDXID"]) for name in headers]
    return list(packages.values()), relations


def document(build, version):
    paths = [os.path.join(build, name)
             for name in ("clickmatch", "libclickmatch.a", "libclickmatch.so." + version)]
    missing = [path for path in paths if not os.path.exists(path)]
    if missing:
        raise Wrong("%s is not there; make sbom builds it" % missing[0])
    files = [product_file(path) for path in paths]
    packages, links = linked_packages(files, paths)
    contained = [relation(PRODUCT, "CONTAINS", file["SPDXID"]) for file in files]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "clickmatch-" + version,
        "creationInfo": {"created": created(), "creators": ["Tool: sbom.py-" + version]},
        "packages": [product(version, files), *packages],
        "files": files,
        "relationships": [relation("SPDXRef-DOCUMENT", "DESCRIBES", PRODUCT), *contained, *links],
    }


def main(arguments):
    if len(arguments) != 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    build, version, output = arguments
    try:
        found = document(os.path.abspath(build), version)
    except Wrong as wrong:
        print("sbom.py: %s" % wrong, file=sys.stderr)
        return 1
    # Each document has a name of its own, as its contents have.
    name = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(found, sort_keys=True))
    found["documentNamespace"] = "https://spdx.org/spdxdocs/%s-%s" % (found["name"], name)
    with open(output, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=2)
        file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
