-- Some clicks. Those that no result refers to are deleted, the others lose their personal data;
-- with keep all do, as another table refers to them.
-- They are locked first, which skips what others hold: a result that begins to refer to one waits
-- from then on, and those that do by now are seen by the statements after it. A timeout is a
-- statement's: each gets what those before it left, and the commit none, which is done once it has
-- begun. It need not wait for the disk: what a crash brings back is purged again.
BEGIN;
SET LOCAL synchronous_commit = off;
SET LOCAL statement_timeout = :'timeout_ms';
SELECT set_config('clickmatch.due', coalesce(array_agg(due.id), '{}')::text, true),
       set_config('statement_timeout', greatest(1, ceil(:'timeout_ms' - 1000 * extract(
           epoch FROM clock_timestamp() - now())))::text, true)
FROM (
    SELECT k.id
    FROM click_tracking k
    WHERE k.id = ANY (:'ids'::uuid[])
        AND k.click_timestamp < :'before'::timestamptz
        AND (k.expires_at IS NULL
             OR least(k.expires_at, k.click_timestamp + INTERVAL '720 hours')
                <= :'expired_before'::timestamptz)
        AND (num_nonnulls(k.ip_address, k.user_agent, k.fingerprint_hash, k.fingerprint_components,
                          k.fbclid, k.gclid, k.ip_city, k.os_version, k.browser_version,
                          k.screen_width, k.screen_height, k.viewport_width, k.viewport_height,
                          k.timezone, k.timezone_offset, k.landing_page_url, k.referrer_url) > 0
             OR (NOT :'keep'::boolean
                 AND NOT EXISTS (SELECT FROM conversion_tracking c
                                 WHERE c.attributed_click_id = k.id OFFSET 0)))
    FOR UPDATE SKIP LOCKED
) AS due;
WITH gone AS (
    DELETE FROM click_tracking k
    WHERE k.id = ANY (current_setting('clickmatch.due')::uuid[])
        AND NOT :'keep'::boolean
        AND NOT EXISTS (SELECT FROM conversion_tracking c
                        WHERE c.attributed_click_id = k.id OFFSET 0)
    RETURNING k.id
)
SELECT set_config('clickmatch.deleted', count(*)::text, false),
       set_config('statement_timeout', greatest(1, ceil(:'timeout_ms' - 1000 * extract(
           epoch FROM clock_timestamp() - now())))::text, true)
FROM gone;
WITH stripped AS (
    UPDATE click_tracking k
    SET ip_address = NULL, user_agent = NULL, fingerprint_hash = NULL,
        fingerprint_components = NULL, fbclid = NULL, gclid = NULL, ip_city = NULL,
        os_version = NULL, browser_version = NULL, screen_width = NULL, screen_height = NULL,
        viewport_width = NULL, viewport_height = NULL, timezone = NULL, timezone_offset = NULL,
        landing_page_url = NULL, referrer_url = NULL
    WHERE k.id = ANY (current_setting('clickmatch.due')::uuid[])
    RETURNING k.id
)
SELECT set_config('clickmatch.stripped', count(*)::text, false) FROM stripped;
SELECT set_config('clickmatch.took_us', trunc(1000000 * extract(
           epoch FROM clock_timestamp() - now()))::text, false),
       set_config('statement_timeout', '0', true);
COMMIT;
SELECT current_setting('clickmatch.deleted'), current_setting('clickmatch.stripped'),
       current_setting('clickmatch.took_us'), 0;
