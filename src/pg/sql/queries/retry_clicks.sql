-- Rows of click_tracking by their ids, in the columns of load_clicks.sql.
COPY (
    SELECT id, tenant_id, click_id, click_timestamp, expires_at, is_valid, fbclid, gclid,
           fingerprint_hash, ip_address, user_agent, device_type, os, browser, screen_width,
           screen_height, timezone, timezone_offset, campaign_id, adset_id, ad_id, creative_id
    FROM click_tracking
    WHERE id = ANY (:'ids'::uuid[])
) TO STDOUT (FORMAT binary);
