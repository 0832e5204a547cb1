-- The columns that `batch` reads.
COPY (
    SELECT id, tenant_id, conversion_id, conversion_timestamp, raw_data, click_id, fbclid, gclid,
           conversion_fingerprint_hash, ip_address, user_agent, device_type, os, browser,
           screen_width, screen_height, timezone, timezone_offset, attributed_click_id,
           attribution_method, attribution_confidence, attribution_window_hours,
           fingerprint_match_score, probabilistic_candidates, match_probability, attribution_model,
           attributed_at
    FROM conversion_tracking
) TO STDOUT (FORMAT binary);
