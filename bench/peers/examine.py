#!/usr/bin/env python3
"""What an engine's rows are, whatever their order and quoting: number, number by method, digest.

    bench/peers/examine.py OUTPUT
"""

import collections
import csv
import hashlib
import json
import sys


def main():
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    if header != ["conversion_id", "tenant_id", "click_id", "method"]:
        sys.exit("examine.py: %s has the columns %s" % (sys.argv[1], ", ".join(header)))
    rows.sort()
    digest = hashlib.sha256("".join("%s\n" % "\t".join(row) for row in rows).encode())
    methods = collections.Counter(row[3] for row in rows)
    print(json.dumps({"rows": len(rows), "methods": dict(sorted(methods.items())),
                      "digest": digest.hexdigest()}))


if __name__ == "__main__":
    main()
