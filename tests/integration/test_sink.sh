#!/bin/bash
# A stream into PostgreSQL: what is inserted, updated, logged and refused; that what comes twice
# changes nothing; and that `batch` finds nothing to change then.
# shellcheck disable=SC2317 # run_cases calls the cases
# shellcheck disable=SC2154 # $program and the like come from the files read here
[ -n "${PG_TEMP_DIR-}" ] || exec "$(dirname "$0")/../../scripts/pg_temp.sh" run bash "$0"
# shellcheck source=tests/harness/shell.sh
. "$(dirname "$0")/../harness/shell.sh"
# shellcheck source=tests/integration/fixtures/pg.sh
. "$(dirname "$0")/fixtures/pg.sh"
# shellcheck source=tests/integration/fixtures/sink.sh
. "$(dirname "$0")/fixtures/sink.sh"

data=$root/tests/data/sink

# All events are in the tables, each once; nothing is dead.
case_inserts() {
    use_new_database found_empty
    sink clicks=1 rows=700 "$events"
    expect_status 0
    expect_json out "[d['dead'], d['taken'] == d['settled'], d['position'] == d['taken']]" \
        '[0, true, true]'
    expect_all_written "$events"
    expect_sql 'SELECT count(*) FROM dead_events' 0
    expect_sql 'SELECT stream_name, position FROM stream_positions' "test|$(wc -l <"$events")"
    # A few of each of the three ways, and none.
    expect_sql 'SELECT count(*) FROM (SELECT attribution_method, count(*) FROM conversion_tracking
                GROUP BY 1 HAVING count(*) > 5) AS m' 4
    expect_no_change_by_batch
}

# Each column of either table holds what the event said.
case_columns() {
    use_new_database found_empty
    sink clicks=1 "$data/columns.ndjson"
    expect_status 0
    expect_sql 'SELECT count(*) FROM dead_events' 0
    sql -c "SELECT tenant_id, click_id, click_timestamp AT TIME ZONE 'UTC',
                    expires_at AT TIME ZONE 'UTC', is_valid, fbclid, gclid, campaign_id, adset_id,
                    ad_id, creative_id, left(fingerprint_hash, 4), ip_address, user_agent,
                    device_type, os, browser, screen_width, screen_height, timezone,
                    timezone_offset, fingerprint_components, created_at > '2026-01-01'
                FROM click_tracking WHERE click_id = 'k'" >got
    expect_sql "SELECT is_valid, expires_at - click_timestamp = INTERVAL '168 hours',
                    num_nulls(fbclid, gclid, adset_id, creative_id, fingerprint_hash, ip_address,
                              user_agent, device_type, os, browser, screen_width, screen_height,
                              timezone, timezone_offset)
                FROM click_tracking WHERE click_id = 'k2'" 't|t|14'
    sql -c "SELECT tenant_id, conversion_id, conversion_timestamp AT TIME ZONE 'UTC',
                    conversion_type, conversion_value, c.click_id, fbclid, gclid,
                    left(conversion_fingerprint_hash, 4), ip_address, user_agent, device_type, os,
                    browser, screen_width, screen_height, timezone, timezone_offset,
                    attribution_method, attribution_confidence, attributed_click_id,
                    attribution_window_hours, probabilistic_candidates, match_probability,
                    attribution_model, attributed_at, raw_data, is_synthetic
                FROM conversion_tracking c WHERE conversion_id = 'v'" >>got
    expect_sql "SELECT conversion_value, attribution_method, attribution_window_hours, k.click_id,
                    attributed_at > now() - INTERVAL '1 minute'
                FROM conversion_tracking c JOIN click_tracking k ON k.id = attributed_click_id
                WHERE conversion_id = 'v2'" '-99999999.99|url_param|0|k2|t'
    sql -c "SELECT conversion_id, attempt_number, layer_1_result, layer_2_result,
                    layer_3_result, final_method, final_confidence, success, processing_time_ms
                FROM attribution_performance_log ORDER BY 1" >>got
    expect_same "$data/columns.txt" got
}

# Sent again, in other batches: nothing changes, down to the versions of rows.
case_again() {
    use_new_database found_empty
    sink clicks=1 "$events"
    state >before
    sink clicks=1 rows=333 "$events"
    expect_status 0
    state >after
    expect_same before after
    expect_json out "[d['clicks'], d['inserted'], d['updated']]" '[0, 0, 0]'
}

# The platform has written the conversions before, and attributed some in its own way.
case_updates() {
    use_new_database found_empty
    sink clicks=1 "$events"
    content >content_before
    sql -c "UPDATE conversion_tracking SET attributed_click_id = NULL, attribution_method = NULL,
                attribution_confidence = NULL, attribution_window_hours = NULL,
                fingerprint_match_score = NULL, probabilistic_candidates = NULL,
                match_probability = NULL, attribution_model = NULL, attributed_at = NULL,
                crm_stage = 'won', conversion_type = 'platform'
            WHERE right(conversion_id, 1) IN ('0', '1')" \
        -c "UPDATE conversion_tracking SET probabilistic_candidates = '[{\"click_id\": \"other\"}]'
            WHERE right(conversion_id, 1) = '2'" \
        -c "UPDATE conversion_tracking SET attributed_at = NULL
            WHERE right(conversion_id, 1) = '3' AND attributed_at IS NOT NULL" \
        -c "CREATE TABLE same AS SELECT ctid AS place, xmin AS version, id FROM conversion_tracking
            WHERE right(conversion_id, 1) > '3'"
    sink "$events"
    expect_status 0
    expect_sql 'SELECT count(*) FROM same s JOIN conversion_tracking c USING (id)
                WHERE c.ctid <> s.place OR c.xmin::text <> s.version::text' 0
    expect_sql "SELECT count(*) > 100, count(*) = (SELECT sum(attempt_number - 1)
                                                   FROM attribution_performance_log)
                FROM attribution_performance_log WHERE attempt_number = 2" 't|t'
    expect_sql "SELECT count(*) FROM conversion_tracking WHERE right(conversion_id, 1) IN ('0', '1')
                AND (crm_stage, conversion_type) IS DISTINCT FROM ('won', 'platform')" 0
    expect_json out "d['updated'] > 100 and d['inserted'] == 0" true
    content | cut -d'|' -f1,3- >content_after
    cut -d'|' -f1,3- content_before >content_wanted
    expect_same content_wanted content_after
    expect_no_change_by_batch
}

# Two results for one conversion within a batch: the last stays. Another tenant's ids are refused,
# whichever way round they come.
case_ids_that_come_twice() {
    use_new_database found_empty
    for _ in first again; do
        sink clicks=1 "$data/ids.ndjson"
        expect_status 0
        expect_json out "[d['dead'], d['settled']]" '[3, 5]'
        expect_sql 'SELECT stream_position, event_type, error_type, tenant_id FROM dead_events
                    ORDER BY 1' "$(printf '%s\n' 'seq 2|click|other_tenant|b' \
            'seq 4|conversion|other_tenant|b' 'seq 5|conversion|no_click|b')"
        expect_sql 'SELECT tenant_id, click_id FROM click_tracking' 'a|k'
        expect_sql 'SELECT tenant_id, conversion_id, attribution_method FROM conversion_tracking' \
            'a|v|url_param'
        expect_sql 'SELECT count(*) FROM attribution_performance_log' 1
    done
}

# What the tables cannot hold, and why; what else came with it is written.
case_dead() {
    use_new_database found_empty
    python3 - >dead.ndjson <<'PYTHON'
import json
click = {"event": "click", "tenant_id": "t", "click_timestamp": "2026-03-01T00:00:00Z",
         "campaign_id": "c", "ad_id": "a"}
conversion = {"event": "conversion", "tenant_id": "t", "conversion_type": "lead",
              "conversion_timestamp": "2026-03-01T01:00:00Z"}
lines = []
for base, name, change in (
        (click, "click_id", {}),
        (click, "click_id", {"campaign_id": None}),
        (click, "click_id", {"ad_id": ""}),
        (click, "click_id", {"adset_id": "x" * 256}),
        (click, "click_id", {"adset_id": "\u00e4" * 255}),
        (click, "click_id", {"os": "o" * 51}),
        (click, "click_id", {"user_agent": "a\0b"}),
        (click, "click_id", {"screen_width": 2147483648}),
        (click, "click_id", {"screen_width": "0390"}),
        (click, "click_id", {"screen_width": "wide"}),
        (click, "click_id", {"timezone_offset": "-0"}),
        (conversion, "conversion_id", {}),
        (conversion, "conversion_id", {"conversion_type": None}),
        (conversion, "conversion_id", {"conversion_type": "y" * 101}),
        (conversion, "conversion_id", {"conversion_type": 7}),
        (conversion, "conversion_id", {"conversion_value": 100000000}),
        (conversion, "conversion_id", {"conversion_value": 99999999.994}),
        (conversion, "conversion_id", {"conversion_value": "99999999.995"}),
        (conversion, "conversion_id", {"conversion_value": "much"}),
        (conversion, "conversion_id", {"conversion_value": True}),
        (conversion, "conversion_id", {"device_type": "d" * 51}),
        (conversion, "conversion_id", {"conversion_timestamp": "noon"})):
    lines.append({"seq": len(lines) + 1, **base, name: "id-%d" % (len(lines) + 1), **change})
for line in lines:
    print(json.dumps(line))
PYTHON
    printf '%s\n{"event":"click","seq":24,"tenant_id":"\377"}\n%s\n' 'no json {' \
        '{"event":"visit","seq":25,"big":1e999999}' >>dead.ndjson
    sink clicks=1 dead.ndjson
    expect_status 0
    sql -c "SELECT stream_position, event_type, error_type, coalesce(tenant_id, '-'), error_message
            FROM dead_events ORDER BY regexp_replace(stream_position, '\D', '', 'g')::int" >dead
    head -n 17 dead >first
    expect_same "$data/dead.txt" first
    expect_sql "SELECT count(*) FROM dead_events WHERE error_type = 'malformed'" 4
    expect_sql 'SELECT string_agg(click_id, chr(32) ORDER BY click_id) FROM click_tracking' \
        'id-1 id-5'
    expect_sql 'SELECT string_agg(conversion_id, chr(32) ORDER BY conversion_id)
                FROM conversion_tracking' 'id-12 id-17'
    # The event itself; base64 where JSONB refuses a character; text where it is no JSON.
    expect_sql "SELECT payload ->> 'click_id', payload ->> 'campaign_id' IS NULL FROM dead_events
                WHERE stream_position = 'seq 2'" 'id-2|t'
    expect_sql "SELECT convert_from(decode(payload ->> 'line_base64', 'base64'), 'UTF8')
                FROM dead_events WHERE stream_position = 'seq 7'" "$(sed -n 7p dead.ndjson)"
    expect_sql "SELECT payload FROM dead_events WHERE stream_position = 'line 23'" \
        '{"line": "no json {"}'
    expect_sql "SELECT encode(decode(payload ->> 'line_base64', 'base64'), 'escape')
                FROM dead_events WHERE stream_position = 'line 24'" \
        '{"event":"click","seq":24,"tenant_id":"\377"}'
    expect_sql "SELECT payload FROM dead_events WHERE stream_position = 'line 25'" \
        '{"line": "{\"event\":\"visit\",\"seq\":25,\"big\":1e999999}"}'
    digest 'SELECT xmin, * FROM dead_events' >before
    sink clicks=1 dead.ndjson
    digest 'SELECT xmin, * FROM dead_events' >after
    expect_same before after
}

# A conversion that is there needs no type; one whose click is not there waits for it.
case_conversion_of_the_platform() {
    use_new_database found_empty
    sql -c "INSERT INTO conversion_tracking (conversion_id, tenant_id, conversion_type,
                conversion_timestamp, raw_data) VALUES ('v', 't', 'lead', '2026-03-01T01:00:00Z',
                '{\"click_id\": \"k\"}')"
    sink "$data/platform.ndjson"
    expect_status 0
    expect_sql 'SELECT error_type, event_type FROM dead_events' 'no_click|conversion'
    expect_sql 'SELECT attribution_method FROM conversion_tracking' ''
    sink clicks=1 "$data/platform.ndjson"
    expect_sql 'SELECT attribution_method, attributed_click_id IS NOT NULL, conversion_type
                FROM conversion_tracking' 'url_param|t|lead'
    expect_sql 'SELECT count(*) FROM attribution_performance_log' 1
    expect_no_change_by_batch
}

# Tables with other lengths, and a constraint and a trigger of their own, which the sink does not
# know of: the rows that they refuse are found, the others written.
case_refused_by_the_table() {
    use_new_database found_empty
    sql -c 'DROP VIEW v_active_clicks' \
        -c "ALTER TABLE click_tracking ALTER user_agent TYPE VARCHAR(130), ALTER os TYPE TEXT" \
        -c "ALTER TABLE conversion_tracking
            ADD CHECK (conversion_id !~ '[0-9a]7\$'), ADD own TEXT NOT NULL DEFAULT 'x'" \
        -c "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$
            BEGIN
                IF NEW.click_id ~ '55\$' THEN RAISE EXCEPTION 'no such click'; END IF;
                RETURN NEW;
            END \$\$" \
        -c "CREATE TRIGGER refuse BEFORE INSERT ON click_tracking
            FOR EACH ROW EXECUTE FUNCTION refuse()"
    head -n 4000 "$events" >some.ndjson
    sink clicks=1 rows=500 some.ndjson
    expect_status 0
    expect_json out "d['position'] == 4000 and d['settled'] == 4000" true
    refused=$(grep -c -E '"click_id":"[^"]*55",' some.ndjson)
    expect_sql "SELECT count(*) > 0 FROM dead_events
                WHERE error_message = 'user_agent: longer than its column'" t
    expect_sql "SELECT count(*) > 0, count(*) <= $refused, min(payload ->> 'click_id') ~ '55\$'
                FROM dead_events WHERE error_message LIKE '%no such click%'
                    AND event_type = 'click' AND error_type = 'refused'" 't|t|t'
    expect_sql "SELECT count(*) > 0, min(payload ->> 'conversion_id') ~ '7\$' FROM dead_events
                WHERE error_type = 'refused' AND event_type = 'conversion'" 't|t'
    expect_sql "SELECT (SELECT count(*) FROM click_tracking)
                       + (SELECT count(*) FROM conversion_tracking)
                       + (SELECT count(*) FROM dead_events)" 4000
    expect_one_log_line_each
}

# The tables of a fresh database, and in a schema of another name.
case_other_schema() {
    use_new_database
    run migrate --quiet --schema 'The "shop"'
    head -n 1000 "$events" >some.ndjson
    sink schema='The "shop"' clicks=1 some.ndjson
    expect_status 0
    expect_sql 'SELECT count(*) > 500 FROM "The ""shop""".click_tracking' t
    expect_sql 'SELECT position FROM "The ""shop""".stream_positions' 1000
}

# A name each, a position each; it never goes back.
case_positions() {
    use_new_database found_empty
    head -n 200 "$events" >short.ndjson
    head -n 300 "$events" >long.ndjson
    sink clicks=1 stream=one long.ndjson
    sink clicks=1 stream=one short.ndjson
    expect_json out "d['position']" 300
    sink clicks=1 stream="it's two" position=0 short.ndjson
    expect_json out "d['position']" -1
    sink clicks=1 stream="it's two" short.ndjson
    expect_sql 'SELECT stream_name, position FROM stream_positions ORDER BY 1' \
        $"it's two|200"$'\n''one|300'
}

# Without --store-clicks there may be nothing to write for long but the position.
case_position_alone() {
    use_new_database found_empty
    grep '"event":"click"' "$events" | head -n 500 >clicks.ndjson
    sink clicks.ndjson
    expect_status 0
    expect_sql 'SELECT position > 400 FROM stream_positions' t
    expect_sql 'SELECT count(*) FROM click_tracking' 0
}

case_refused_at_the_start() {
    use_new_database
    sink "$events"
    expect_status 9
    expect_error 'schema public is at version 0.*run clickmatch migrate first'
    use_new_database found_empty
    sink stream= "$events"
    expect_status 7
    expect_error "stream's name"
    sink db='host=/nowhere' "$events"
    expect_status 9
    expect_error 'cannot connect'
    sql -c 'CREATE ROLE poor LOGIN'
    sink db='user=poor' "$events"
    expect_status 9
    expect_error 'this database user may not; GRANT SELECT ON clickmatch_migrations'
    sql -c 'DROP ROLE poor'
}

make_sink_templates
run_cases
