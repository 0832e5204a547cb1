-- The conversions of the period: what they carried, then the result stored with them, to compare
-- the new one with. Ids not in their columns are looked up in what came with the conversion. One
-- part of the table, as of the clicks.
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
    WHERE conversion_timestamp >= :'from'::timestamptz
        AND conversion_timestamp < :'to'::timestamptz
        AND (:'tenants'::text[] = '{}' OR tenant_id = ANY (:'tenants'::text[]))
        AND (:'only' = 'all' OR attributed_click_id IS NULL)
        AND ctid >= :'first_row'::tid AND ctid < :'end_row'::tid
) TO STDOUT (FORMAT binary);
