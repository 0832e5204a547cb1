-- The next clicks that are old enough and expired, in the order of time, without those that have
-- lost their personal data and are kept for results. Nothing is locked.
SELECT k.id, k.click_timestamp
FROM click_tracking k
WHERE k.click_timestamp < :'before'::timestamptz
    AND (k.click_timestamp, k.id) > (:'after_time'::timestamptz, :'after_id'::uuid)
    AND (k.expires_at IS NULL
         OR least(k.expires_at, k.click_timestamp + INTERVAL '720 hours')
            <= :'expired_before'::timestamptz)
    AND (num_nonnulls(k.ip_address, k.user_agent, k.fingerprint_hash, k.fingerprint_components,
                      k.fbclid, k.gclid, k.ip_city, k.os_version, k.browser_version,
                      k.screen_width, k.screen_height, k.viewport_width, k.viewport_height,
                      k.timezone, k.timezone_offset, k.landing_page_url, k.referrer_url) > 0
         OR NOT EXISTS (SELECT FROM conversion_tracking c
                        WHERE c.attributed_click_id = k.id OFFSET 0))
    AND (:'tenants'::text[] = '{}' OR k.tenant_id = ANY (:'tenants'::text[]))
ORDER BY k.click_timestamp, k.id
LIMIT :'page_rows'::bigint;
