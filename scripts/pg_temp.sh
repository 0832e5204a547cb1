#!/bin/bash
# A PostgreSQL server for tests: its own directory, a private Unix socket, no TCP, gone afterwards.
#
#   scripts/pg_temp.sh run COMMAND...   start, run COMMAND with PGHOST and the like set, stop
#   scripts/pg_temp.sh start DIR        start in DIR (new or empty); prints what to export
#   scripts/pg_temp.sh stop DIR         stop it and remove DIR
#   scripts/pg_temp.sh crash DIR        stop it as a power failure would, keep DIR
#   scripts/pg_temp.sh resume DIR       start it again
#   scripts/pg_temp.sh bin              print where the server's programs are; fails where none are
#
# Settings beyond these, one a line, may be given in PG_TEMP_CONF. As root, the server runs as the
# user postgres, else nobody. What COMMAND finds in PG_TEMP_DIR is the server's directory.
set -euo pipefail
export LC_ALL=C

die() {
    echo "pg_temp.sh: $*" >&2
    exit 1
}

# The directory with initdb and pg_ctl: version 15's, else what the machine has.
find_bin() {
    local dir
    for dir in /usr/lib/postgresql/15/bin "$(pg_config --bindir 2>/dev/null || true)" \
        /usr/lib/postgresql/*/bin "$(dirname "$(command -v pg_ctl || echo /none/pg_ctl)")"; do
        if [ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ]; then
            echo "$dir"
            return
        fi
    done
    die "no PostgreSQL server programs found; install postgresql-15 (make deps)"
}

# PostgreSQL refuses to run as root.
as_server() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
        return
    fi
    local user=nobody
    ! getent passwd postgres >/dev/null || user=postgres
    (cd / && HOME=/ setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups "$@")
}

write_conf() {
    cat >>"$1/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$1'
fsync = off
full_page_writes = off
synchronous_commit = off
logging_collector = off
log_timezone = 'UTC'
timezone = 'UTC'
${PG_TEMP_CONF-}
CONF
}

start() {
    local dir=$1 bin output
    bin=$(find_bin)
    # The socket's path must fit the kernel's 107 bytes.
    [ "${#dir}" -le 85 ] || die "the path $dir is too long for a socket; take a shorter one"
    mkdir -p "$dir"
    [ -z "$(ls -A "$dir")" ] || die "$dir is not empty; give a new directory"
    chmod 0755 "$dir"
    if [ "$(id -u)" -eq 0 ]; then
        chown "$(as_server id -u)" "$dir"
    fi
    output=$(as_server "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
        --no-sync 2>&1) || die "initdb failed: $(tail -n 1 <<<"$output")"
    write_conf "$dir"
    resume "$dir"
}

resume() {
    as_server "$(find_bin)/pg_ctl" -D "$1/data" -l "$1/log" -w -t 60 start >/dev/null ||
        die "the server did not start: $(tail -n 3 "$1/log" | tr '\n' ' ')"
}

# Without a checkpoint: as if the power had failed.
crash() {
    as_server "$(find_bin)/pg_ctl" -D "$1/data" -m immediate -w -t 60 stop >/dev/null
}

stop() {
    [ -d "$1" ] || return 0
    # A test may have stopped it already.
    [ ! -f "$1/data/postmaster.pid" ] || crash "$1" || true
    rm -rf "$1"
}

settings() {
    echo "export PGHOST='$1' PGPORT=5432 PGUSER=postgres PGDATABASE=postgres PG_TEMP_DIR='$1'"
    echo "unset PGHOSTADDR PGPASSWORD PGPASSFILE PGSERVICE PGSERVICEFILE PGOPTIONS"
}

run() {
    local dir status=0
    dir=$(mktemp -d /tmp/cmpg.XXXXXX)
    # shellcheck disable=SC2064 # the directory of now
    trap "trap '' INT TERM; stop '$dir'" EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    start "$dir"
    eval "$(settings "$dir")"
    "$@" || status=$?
    exit "$status"
}

case "${1-}" in
run)
    [ $# -ge 2 ] || die "wrong usage; give a command to run"
    run "${@:2}"
    ;;
bin) find_bin ;;
start | stop | crash | resume)
    [ $# -eq 2 ] || die "wrong usage; give the directory"
    "$1" "$(realpath -m "$2")"
    [ "$1" != start ] || settings "$(realpath "$2")"
    ;;
*) die "wrong usage; give 'run COMMAND...', bin, or start, stop, crash or resume and a directory" ;;
esac
