-- Rows of conversion_tracking by their ids, or by what their conversions are called, in the columns
-- of load_conversions.sql.
COPY (
    SELECT id, tenant_id, conversion_id, conversion_timestamp,
           coalesce(click_id, raw_data ->> 'click_id'),
           coalesce(fbclid, raw_data ->> 'fbclid'),
           coalesce(gclid, raw_data ->> 'gclid'),
           conversion_fingerprint_hash, ip_address, user_agent, device_type, os, browser,
           screen_width, screen_height, timezone, timezone_offset,
           attributed_click_id, attribution_method, attribution_confidence,
           attribution_window_hours, fingerprint_match_score, probabilistic_candidates,
           match_probability, attribution_model, attributed_at IS NOT NULL
    FROM conversion_tracking
    WHERE id = ANY (:'ids'::uuid[]) OR conversion_id = ANY (:'conversions'::text[])
) TO STDOUT (FORMAT binary);
