-- The personal data of some conversions; their results and what was sold stay.
BEGIN;
SET LOCAL synchronous_commit = off;
SET LOCAL statement_timeout = :'timeout_ms';
SELECT set_config('clickmatch.due', coalesce(array_agg(due.id), '{}')::text, true),
       set_config('statement_timeout', greatest(1, ceil(:'timeout_ms' - 1000 * extract(
           epoch FROM clock_timestamp() - now())))::text, true)
FROM (
    SELECT c.id
    FROM conversion_tracking c
    WHERE c.id = ANY (:'ids'::uuid[]) AND c.conversion_timestamp < :'before'::timestamptz
        AND (num_nonnulls(c.ip_address, c.user_agent, c.conversion_fingerprint_hash, c.fbclid,
                          c.gclid, c.screen_width, c.screen_height, c.timezone,
                          c.timezone_offset) > 0
             OR jsonb_typeof(c.raw_data) = 'object' AND c.raw_data ?| ARRAY[
                 'ip_address', 'user_agent', 'fingerprint_hash', 'conversion_fingerprint_hash',
                 'fbclid', 'gclid'])
    FOR NO KEY UPDATE SKIP LOCKED
) AS due;
WITH stripped AS (
    UPDATE conversion_tracking c
    SET ip_address = NULL, user_agent = NULL, conversion_fingerprint_hash = NULL, fbclid = NULL,
        gclid = NULL, screen_width = NULL, screen_height = NULL, timezone = NULL,
        timezone_offset = NULL,
        raw_data = CASE WHEN jsonb_typeof(c.raw_data) = 'object' THEN c.raw_data
            - ARRAY['ip_address', 'user_agent', 'fingerprint_hash', 'conversion_fingerprint_hash',
                    'fbclid', 'gclid']
            ELSE c.raw_data END
    WHERE c.id = ANY (current_setting('clickmatch.due')::uuid[])
    RETURNING c.id
)
SELECT set_config('clickmatch.stripped', count(*)::text, false) FROM stripped;
SELECT set_config('clickmatch.took_us', trunc(1000000 * extract(
           epoch FROM clock_timestamp() - now()))::text, false),
       set_config('statement_timeout', '0', true);
COMMIT;
SELECT 0, current_setting('clickmatch.stripped'), current_setting('clickmatch.took_us'), 0;
