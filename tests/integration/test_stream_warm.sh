#!/bin/bash
# `stream` with clicks to begin with: from files, from PostgreSQL, and never twice.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # names of the files read here
[ -n "${PG_TEMP_DIR-}" ] || exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/stream.sh
. "$root/tests/integration/fixtures/stream.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$root/tests/integration/fixtures/pg.sh"

# ---- files ----

# A world, and what `match` says of it.
make_world() {
    run simulate --output world --clicks-count 20000 --conversions-count 5000 --days 3 --quiet \
        --format ndjson
    run match --clicks world/clicks.ndjson --conversions world/conversions.ndjson --quiet \
        --format ndjson --recovery-target 0 --output all.ndjson
    sort all.ndjson >wanted.ndjson
}

conversion_events() {
    python3 - <<'PY'
import json
rows = [json.loads(line) for line in open("world/conversions.ndjson")]
rows.sort(key=lambda row: row["conversion_timestamp"])
for row in rows:
    print(json.dumps({"event": "conversion", **row}))
PY
}

case_files() {
    make_world
    head -n 12000 world/clicks.ndjson >one.ndjson
    tail -n +12001 world/clicks.ndjson | gzip >two.gz
    conversion_events >events.ndjson
    stream --clicks one.ndjson --clicks two.gz --summary summary.json <events.ndjson
    expect_status 0
    sort results.ndjson >got.ndjson
    expect_same wanted.ndjson got.ndjson
    expect_json summary.json 'd["clicks"]["rows"]' 20000
    expect_json summary.json '[p["name"] for p in d["phases"]]' '["load clicks", "stream"]'
}

case_a_csv_file() {
    printf 'click_id,tenant_id,click_timestamp\nk,t,2026-03-01T12:00:00Z\n' >clicks.csv
    conversion a k 12:00:01 >events.ndjson
    stream --clicks clicks.csv <events.ndjson
    expect_told click_id <<<k
    # From a pipe, too; its rejects are told as those of a file.
    printf 'click_id,tenant_id,click_timestamp\nk,t,2026-03-01T12:00:00Z\nk2,t,never\n' >clicks.csv
    stream --clicks <(cat clicks.csv) --rejects rejects.ndjson <events.ndjson
    expect_told click_id <<<k
    expect_json rejects.ndjson '[d["line"], d["field"]]' '[3, "click_timestamp"]'
}

# One half in the file, the other as events, both of which know some of the same clicks.
case_a_file_and_then_events() {
    make_world
    python3 "$root/tests/integration/fixtures/events.py" world >events.ndjson
    head -n 12000 events.ndjson | grep '"event":"click"' | sed 's/"seq":[0-9]*,//' >clicks.ndjson
    stream --clicks clicks.ndjson --summary summary.json <events.ndjson
    expect_status 0
    sed 's/,"seq":[0-9]*}/}/' results.ndjson | sort >got.ndjson
    expect_same wanted.ndjson got.ndjson
    expect_json summary.json 'd["clicks"]["duplicates"]' "$(wc -l <clicks.ndjson)"
}

# Where there is a checkpoint, its window counts: what the file holds is not loaded again.
case_not_after_a_checkpoint() {
    printf 'click_id,tenant_id,click_timestamp\nk,t,2026-03-01T12:00:00Z\n' >clicks.csv
    conversion a k 12:00:01 ',"seq":1' | stream --clicks clicks.csv --checkpoint window
    expect_told click_id <<<k
    sed -i s/k,t/k2,t/ clicks.csv
    {
        conversion b k 12:00:02 ',"seq":2'
        conversion c k2 12:00:02 ',"seq":3'
    } >events.ndjson
    stream --clicks clicks.csv --checkpoint window <events.ndjson
    expect_told conversion_id click_id <<'END'
b k
c null
END
}

case_files_that_cannot_be_read() {
    run stream --clicks none.csv
    expect_status 1
    expect_match "$work/err" 'none\.csv: cannot'
    printf 'tenant_id,click_id\nt,k\n' >clicks.csv
    run stream --clicks clicks.csv
    expect_status 1
    expect_match "$work/err" 'click_timestamp'
    [ ! -s "$work/out" ] || fail "results"
}

# ---- PostgreSQL ----

# Those that can still be found, and no others; then events, some of which it holds already.
case_database() {
    use_new_database found_empty
    sql <<'END'
INSERT INTO click_tracking (tenant_id, click_id, click_timestamp, expires_at, ad_id, campaign_id)
SELECT 't', 'k' || i, timestamptz '2026-03-01 12:00Z' - i * interval '1 hour',
    timestamptz '2026-03-01 12:00Z' - i * interval '1 hour' + interval '7 days', 'a', 'c' || i
FROM generate_series(0, 499) AS i
END
    {
        click k0 12:00:00 ',"campaign_id":"other"'
        click new 12:00:01
        conversion a k0 12:00:02
        conversion b k3 12:00:02
        conversion c k167 12:00:02
        conversion d k190 12:00:02
        conversion e k400 12:00:02
        conversion f new 12:00:02
    } >events.ndjson
    stream --db "dbname=$PGDATABASE" --summary summary.json <events.ndjson
    expect_status 0
    expect_told conversion_id click_id campaign_id layer_1_result <<'END'
a k0 c0 success
b k3 c3 success
c k167 c167 success
d null null expired
e null null no_match
f new null success
END
    expect_json summary.json '190 < d["clicks"]["rows"] < 210' true
    expect_json summary.json 'd["clicks"]["duplicates"]' 1
}

# What is late or held asks for older ones: they are loaded, too.
case_database_and_grace() {
    use_new_database found_empty
    sql <<'END'
INSERT INTO click_tracking (tenant_id, click_id, click_timestamp, ad_id, campaign_id) VALUES
    ('t', 'latest', '2026-03-10 12:00Z', 'a', 'c'), ('t', 'old', '2026-03-02 00:00Z', 'a', 'c')
END
    conversion a old 12:00:00 | sed s/03-01/03-08/ >events.ndjson
    stream --db "dbname=$PGDATABASE" --grace 3d <events.ndjson
    expect_told click_id <<<old
}

# Its own password and schema, and what is missing.
case_database_that_is_not_there() {
    run stream --db "dbname=none_of_this_name"
    expect_status 4
    expect_match "$work/err" 'none_of_this_name'
    use_new_database
    run stream --db "dbname=$PGDATABASE"
    expect_status 4
    expect_match "$work/err" 'run clickmatch migrate first'
}

# Beside a file: the first click of an id stands.
case_database_and_file() {
    use_new_database found_empty
    sql -c "INSERT INTO click_tracking (tenant_id, click_id, click_timestamp, ad_id, campaign_id)
            VALUES ('t', 'k', '2026-03-01 12:00Z', 'a', 'of the database'),
                ('t', 'k2', '2026-03-01 12:00Z', 'a', 'of the database')"
    printf 'click_id,tenant_id,click_timestamp,campaign_id\n' >clicks.csv
    printf 'k,t,2026-03-01T12:00:00Z,of the file\n' >>clicks.csv
    {
        conversion a k 12:00:01
        conversion b k2 12:00:01
    } >events.ndjson
    stream --clicks clicks.csv --db "dbname=$PGDATABASE" <events.ndjson
    expect_told conversion_id campaign_id <<'END'
a of the file
b of the database
END
}

psql -Xq -d template1 -c 'CREATE DATABASE found_empty'
PGDATABASE=found_empty sql -f "$root/src/pg/sql/bench/as_found.sql"
PGDATABASE=found_empty "$program" migrate --quiet || echo "not ok migrate: it fails"
run_cases
