#!/bin/bash
# `clickmatch bench` with a PostgreSQL server of its own for the section batch; where PostgreSQL's
# server programs are missing, without one.
#
#   scripts/bench.sh [OPTIONS of clickmatch bench]
set -euo pipefail
cd "$(dirname "$0")/.."

: "${BUILD:=build}"
program=${CLICKMATCH:-$BUILD/clickmatch}

# Memory for the tables, and no checkpoint or vacuum that one of the contenders alone would meet.
PG_TEMP_CONF='shared_buffers = 1GB
max_wal_size = 16GB
checkpoint_timeout = 1h
autovacuum = off'
export PG_TEMP_CONF

if reason=$(scripts/pg_temp.sh bin 2>&1); then
    exec scripts/pg_temp.sh run "$program" bench --db dbname=postgres "$@"
fi
echo "bench.sh: going on without a server: ${reason#pg_temp.sh: }" >&2
exec "$program" bench "$@"
