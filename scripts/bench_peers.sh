#!/bin/bash
# The same matching by clickmatch, DuckDB, ClickHouse and PostgreSQL, side by side; docs/peers.md.
#
#   scripts/bench_peers.sh [--clicks N] [--conversions N] [--rounds N] ...   (--help: all options)
#
# Installs what the peers need and nothing else does: node and npm from Debian where there are none,
# and the npm packages of bench/peers/package-lock.json, their install scripts left out, in
# build/peers. What cannot be had is said, and the rest runs.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${BUILD:=build}"
export BUILD
packages=$BUILD/peers

say() {
    echo "bench_peers.sh: $*" >&2
}

# What is there and as the lock file says needs no npm. Not `npm ci`: the lock file names the builds
# for x86-64 only, and elsewhere npm has to find others.
install_packages() {
    ! cmp -s bench/peers/package-lock.json "$packages/installed" || return 0
    command -v node >/dev/null && command -v npm >/dev/null || scripts/deps.sh --peers || return
    mkdir -p "$packages"
    cp bench/peers/package.json bench/peers/package-lock.json "$packages/"
    echo "bench_peers.sh: installing the npm packages of bench/peers/package.json (600 MB)"
    npm --prefix "$packages" install --ignore-scripts --no-audit --no-fund \
        >"$packages/npm.log" 2>&1 </dev/null || return
    cp bench/peers/package-lock.json "$packages/installed"
}

case " $* " in
    *' --help '* | *' -h '*) ;;
    *)
        install_packages || say "node or its packages cannot be had ($(
            grep -s -m 1 '^npm error' "$packages/npm.log" || echo 'see above'
        )); going on without them"
        ;;
esac
exec python3 bench/peers/run.py "$@"
