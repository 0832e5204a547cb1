-- The columns that `batch` reads.
COPY (
    SELECT id, tenant_id, click_id, click_timestamp, expires_at, is_valid, fbclid, gclid,
           fingerprint_hash, ip_address, user_agent, device_type, os, browser, screen_width,
           screen_height, timezone, timezone_offset
    FROM click_tracking
) TO STDOUT (FORMAT binary);
