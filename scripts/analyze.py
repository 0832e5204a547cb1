#!/usr/bin/env python3
"""gcc's static analyzer over all of src: leaks, double frees, late uses, null pointers, files.

    scripts/analyze.py [FLAG]...

`make analyze` calls it with the flags of the sources. Every warning fails but those that
scripts/analyze_allowed.txt excuses, each with the reason why it cannot happen; an entry that
excuses nothing fails, too. The list is of gcc 12: what another version finds is other.
JOBS is how many files it takes at once (default 2). tests/unit/test_analyze.py shows each of these
fail.
"""

import concurrent.futures
import glob
import json
import os
import re
import resource
import subprocess
import sys

COMPILER = "gcc-12"
# Early optimisation takes dead ends out of what is explored: without it single files take minutes;
# at -O2 some warnings have no line. Another hash: uthash's own, byte by byte in a macro, has more
# ways through it than there is time for, and which one it is changes nothing that matters here.
FLAGS = ["-O1", "-fanalyzer", "-fdiagnostics-format=json", "-c", "-o", os.devnull,
         "-DHASH_FUNCTION(keyptr, keylen, hashv)=((hashv) = (unsigned)(keylen))"]
ALLOWED = "scripts/analyze_allowed.txt"
JOBS = int(os.environ.get("JOBS", "2"))
# Of a core, for one file; the longest takes a tenth of it.
SECONDS_MAX = 60


def read_allowed():
    """The entries of the list, (file, option, function): line and reason; and what is wrong."""
    entries, findings, key = {}, [], None
    with open(ALLOWED, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            where = "%s:%d: " % (ALLOWED, number)
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith(" "):
                if key is None:
                    findings.append(where + "a reason of nothing; name what it excuses above it")
                else:
                    entries[key][1] += " " + line.strip()
                continue
            words = line.split()
            key = tuple(words)
            if len(words) != 3 or not words[1].startswith("-Wanalyzer-"):
                findings.append(where + "no entry; write: file -Wanalyzer-... function")
                key = None
            elif key in entries:
                findings.append(where + "a second entry of the same; one is enough")
            else:
                entries[key] = [number, ""]
    for key, (number, reason) in entries.items():
        if not re.search(r"\w+ \w+ .*\.$", reason):
            findings.append("%s:%d: no reason; say in a sentence below it why it cannot happen" %
                            (ALLOWED, number))
    return entries, findings


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))


def analyze(path, flags):
    """What the analyzer says of a file: (file, option, function) and the line for a reader."""
    done = subprocess.run([COMPILER, *flags, *FLAGS, path], preexec_fn=limit, capture_output=True,
                          text=True, encoding="utf-8", check=False)
    said = [line for line in done.stderr.splitlines() if line.startswith("[")]
    if done.returncode != 0 or len(said) != 1:
        lines = done.stderr.splitlines() or ["no message"]
        message = json.loads(said[0])[0]["message"] if said and said[0] != "[]" else lines[0]
        return [((path, "", ""), "%s:1: %s did not get through: %s" % (path, COMPILER, message))]
    found = []
    for warning in json.loads(said[0]):
        steps = warning.get("path") or [{}]
        option, function = warning.get("option", ""), steps[-1].get("function", "")
        caret = (warning["locations"] or [{}])[0].get("caret", {})
        at = caret.get("file", path)
        found.append(((path, option, function), "%s:%d: %s%s: %s [%s]; mend it, or give the reason "
                      "why it cannot happen in %s" %
                      (at, caret.get("line", 1), "" if at == path else "in " + path + ": ",
                       function or "?", warning["message"], option, ALLOWED)))
    return found


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    entries, findings = read_allowed()
    paths = sorted(glob.glob("src/**/*.c", recursive=True))
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        found = [one for of in pool.map(lambda path: analyze(path, sys.argv[1:]), paths)
                 for one in of]
    findings += dict.fromkeys(line for key, line in found if key not in entries)
    excused = {key for key, _ in found}
    for key, (number, _) in entries.items():
        if key not in excused:
            findings.append("%s:%d: excuses nothing; remove it" % (ALLOWED, number))
    for finding in findings:
        print(finding)
    print("analyze: %d files, %d warnings excused by %d entries, %d findings" %
          (len(paths), sum(key in entries for key, _ in found), len(entries), len(findings)))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
