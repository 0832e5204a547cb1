COPY pg_temp.sink_conversions
    (ord, tenant_id, conversion_id, conversion_timestamp, conversion_type, conversion_value,
     click_id, fbclid, gclid, conversion_fingerprint_hash, ip_address, user_agent, device_type, os,
     browser, screen_width, screen_height, timezone, timezone_offset, attributed_click,
     attribution_method, attribution_confidence, attribution_window_hours, fingerprint_match_score,
     probabilistic_candidates, match_probability, attribution_model, is_attributed,
     layer_1_result, layer_2_result, layer_3_result, processing_time_ms)
FROM STDIN (FORMAT binary);
