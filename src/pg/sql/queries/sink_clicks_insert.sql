-- Clicks that are not yet there.
INSERT INTO click_tracking
    (id, click_id, fbclid, gclid, tenant_id, campaign_id, adset_id, ad_id, creative_id,
     fingerprint_hash, ip_address, user_agent, device_type, os, browser, screen_width,
     screen_height, timezone, timezone_offset, click_timestamp, expires_at, is_valid)
SELECT gen_random_uuid(), click_id, fbclid, gclid, tenant_id, campaign_id, adset_id, ad_id,
       creative_id, fingerprint_hash, ip_address, user_agent, device_type, os, browser,
       screen_width, screen_height, timezone, timezone_offset, click_timestamp, expires_at,
       is_valid
FROM pg_temp.sink_clicks
ORDER BY ord
ON CONFLICT (click_id) DO NOTHING;
