-- A simulated world's clicks: the columns of sim/sim.h. Empty campaigns and ads are texts here.
COPY click_tracking (tenant_id, click_id, click_timestamp, expires_at, is_valid, fbclid, gclid,
    campaign_id, adset_id, ad_id, creative_id, fingerprint_hash, ip_address, user_agent,
    device_type, os, browser, screen_width, screen_height, timezone, timezone_offset)
FROM STDIN (FORMAT csv, HEADER match, FORCE_NOT_NULL (campaign_id, ad_id));
