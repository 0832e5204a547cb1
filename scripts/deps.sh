#!/bin/bash
# Install the Debian packages clickmatch needs and does not find.
#
#   scripts/deps.sh          to build, test and try it
#   scripts/deps.sh --lint   what .ci/run needs beyond that
#   scripts/deps.sh --fuzz   what make fuzzers needs
#   scripts/deps.sh --plot   what make bench-plot needs
#   scripts/deps.sh --peers  what bench_peers.sh needs to install other engines
#   scripts/deps.sh --json   what make bench-json measures
#
# When nothing is missing it asks only dpkg: it says nothing and needs neither network nor root.
set -euo pipefail
export LC_ALL=C

build_packages="
    gcc libc6-dev make pkgconf
    libssl-dev libpq-dev uthash-dev libcmocka-dev libxxhash-dev libjansson-dev libmicrohttpd-dev
    zlib1g-dev libzstd-dev
    postgresql-15 postgresql-client-15 python3 zstd gzip"
json_packages="g++ libyajl-dev libjson-c-dev libjsmn-dev libsimdjson-dev"
fuzz_packages="clang libclang-rt-14-dev lld"
lint_packages="
    $fuzz_packages clang-format clang-tidy cppcheck shellcheck valgrind libc6-dbg gcovr
    $json_packages"
plot_packages="gnuplot-nox"
peers_packages="nodejs npm"

die() {
    echo "deps.sh: $*" >&2
    exit 1
}

case "${1-}" in
    "") wanted=$build_packages ;;
    --lint) wanted=$lint_packages ;;
    --fuzz) wanted=$fuzz_packages ;;
    --plot) wanted=$plot_packages ;;
    --peers) wanted=$peers_packages ;;
    --json) wanted=$json_packages ;;
    *) die "unknown argument '$1'; give none, --lint, --fuzz, --plot, --peers or --json" ;;
esac

# dpkg-query fails for a package it has never heard of: that is "missing", too.
missing=()
for package in $wanted; do
    # shellcheck disable=SC2016 # ${...} is dpkg-query's own
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=none
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null ||
    die "missing: ${missing[*]}; this is no Debian system, install their like by hand"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
        die "missing: ${missing[*]}; not root and no sudo: have an administrator install them"
    as_root=(sudo)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

run() {
    "${as_root[@]}" "$@" >>"$log" 2>&1 </dev/null
}

# Why apt failed: its last error line.
apt_error() {
    grep -E '^(E|Err)[: ]' "$log" | tail -n 1 || tail -n 1 "$log"
}

# Installing Debian's PostgreSQL server makes a database cluster and starts it. Our tests run a
# server of their own in a temporary directory, and a machine should not get a service nobody asked
# for: create_main_cluster=false is postgresql-common's documented way to say so. It is asked once,
# when the server package is first installed; so this file lives only that long, and a setting of
# the administrator's own stands.
cluster_conf=/etc/postgresql-common/createcluster.conf
cluster_setting=/etc/postgresql-common/createcluster.d/clickmatch.conf

no_cluster_begin() {
    [[ " ${missing[*]} " == *" postgresql-15 "* ]] || return 0
    ! grep -qs '^ *create_main_cluster' "$cluster_conf" || return 0
    trap 'run rm -f "$cluster_setting"; rm -f "$log"' EXIT
    run mkdir -p "${cluster_setting%/*}" || die "cannot make ${cluster_setting%/*}: $(apt_error)"
    # tee, because a redirection would not be sudo's.
    echo "create_main_cluster = false" | "${as_root[@]}" tee "$cluster_setting" >/dev/null
}

echo "deps.sh: installing ${missing[*]}"
no_cluster_begin
run apt-get -q update ||
    die "apt-get update failed: $(apt_error); check the network and apt's sources"
run env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
    -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 \
    install "${missing[@]}" ||
    die "apt-get install failed: $(apt_error); install by hand: ${missing[*]}"
