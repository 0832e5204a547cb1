-- Conversions that are not yet there, with their results, and a line in the log for each.
WITH inserted AS (
    INSERT INTO conversion_tracking
        (id, conversion_id, tenant_id, conversion_type, conversion_value, conversion_timestamp,
         click_id, fbclid, gclid, conversion_fingerprint_hash, ip_address, user_agent, device_type,
         os, browser, screen_width, screen_height, timezone, timezone_offset, attributed_click_id,
         attribution_method, attribution_confidence, attribution_window_hours,
         fingerprint_match_score, probabilistic_candidates, match_probability, attribution_model,
         attributed_at)
    SELECT s.id, s.conversion_id, s.tenant_id, s.conversion_type, s.conversion_value,
           s.conversion_timestamp, s.click_id, s.fbclid, s.gclid, s.conversion_fingerprint_hash,
           s.ip_address, s.user_agent, s.device_type, s.os, s.browser, s.screen_width,
           s.screen_height, s.timezone, s.timezone_offset, k.id,
           s.attribution_method, s.attribution_confidence, s.attribution_window_hours,
           s.fingerprint_match_score, s.probabilistic_candidates, s.match_probability,
           s.attribution_model, CASE WHEN s.is_attributed THEN now() END
    FROM pg_temp.sink_conversions s
    LEFT JOIN LATERAL (
        SELECT id FROM click_tracking t
        WHERE t.click_id = s.attributed_click AND t.tenant_id = s.tenant_id
        OFFSET 0 -- one by one, by index, however large the table
    ) k ON true
    WHERE s.conversion_type IS NOT NULL AND (k.id IS NOT NULL OR NOT s.is_attributed)
    ORDER BY s.ord
    ON CONFLICT (conversion_id) DO NOTHING
    RETURNING id
)
INSERT INTO attribution_performance_log
    (id, tenant_id, conversion_id, attempt_number, layer_1_result, layer_2_result,
     layer_3_result, final_method, final_confidence, success, processing_time_ms)
SELECT gen_random_uuid(), s.tenant_id, s.conversion_id,
       coalesce((SELECT max(l.attempt_number) FROM attribution_performance_log l
                 WHERE l.conversion_id = s.conversion_id AND l.tenant_id = s.tenant_id), 0) + 1,
       s.layer_1_result, s.layer_2_result, s.layer_3_result,
       s.attribution_method, s.attribution_confidence, s.is_attributed, s.processing_time_ms
FROM inserted
JOIN pg_temp.sink_conversions s USING (id);
