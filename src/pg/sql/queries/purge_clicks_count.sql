-- What purge_clicks.sql would do.
SELECT count(*) FILTER (WHERE NOT k.is_kept), count(*) FILTER (WHERE k.is_kept AND k.has_data), 0, 0
FROM (
    SELECT EXISTS (SELECT FROM conversion_tracking c
                   WHERE c.attributed_click_id = k.id OFFSET 0) AS is_kept,
           num_nonnulls(k.ip_address, k.user_agent, k.fingerprint_hash, k.fingerprint_components,
                        k.fbclid, k.gclid, k.ip_city, k.os_version, k.browser_version,
                        k.screen_width, k.screen_height, k.viewport_width, k.viewport_height,
                        k.timezone, k.timezone_offset, k.landing_page_url, k.referrer_url) > 0
               AS has_data
    FROM click_tracking k
    WHERE k.id = ANY (:'ids'::uuid[])
) AS k;
