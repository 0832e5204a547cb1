-- The clicks that a conversion of the period can find, and of them what matching needs. One part of
-- the table, by its blocks, so that several connections can share the work.
COPY (
    SELECT id, tenant_id, click_id, click_timestamp, expires_at, is_valid, fbclid, gclid,
           fingerprint_hash, ip_address, user_agent, device_type, os, browser, screen_width,
           screen_height, timezone, timezone_offset,
           CASE WHEN :'campaigns' THEN campaign_id END, CASE WHEN :'campaigns' THEN adset_id END,
           CASE WHEN :'campaigns' THEN ad_id END, CASE WHEN :'campaigns' THEN creative_id END
    FROM click_tracking
    WHERE click_timestamp < :'to'::timestamptz
        AND click_timestamp > :'clicks_after'::timestamptz
        AND (click_timestamp > :'window_after'::timestamptz
             OR expires_at > :'expiry_after'::timestamptz)
        AND (:'tenants'::text[] = '{}' OR tenant_id = ANY (:'tenants'::text[]))
        AND ctid >= :'first_row'::tid AND ctid < :'end_row'::tid
) TO STDOUT (FORMAT binary);
