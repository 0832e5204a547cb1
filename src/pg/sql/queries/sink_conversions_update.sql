-- Conversions that were there, where their result is another one now, and a line in the log for
-- each. Of one that comes twice in a batch, the last result stays.
WITH results AS (
    SELECT DISTINCT ON (s.conversion_id, s.tenant_id) s.*, k.id AS attributed_click_id
    FROM pg_temp.sink_conversions s
    LEFT JOIN LATERAL (
        SELECT id FROM click_tracking t
        WHERE t.click_id = s.attributed_click AND t.tenant_id = s.tenant_id
        OFFSET 0 -- one by one, by index, however large the table
    ) k ON true
    WHERE k.id IS NOT NULL OR NOT s.is_attributed
    ORDER BY s.conversion_id, s.tenant_id, s.ord DESC
),
updated AS (
    UPDATE conversion_tracking c
    SET attributed_click_id = s.attributed_click_id,
        attribution_method = s.attribution_method,
        attribution_confidence = s.attribution_confidence,
        attribution_window_hours = s.attribution_window_hours,
        fingerprint_match_score = s.fingerprint_match_score,
        probabilistic_candidates = s.probabilistic_candidates,
        match_probability = s.match_probability,
        attribution_model = s.attribution_model,
        attributed_at = CASE WHEN s.is_attributed THEN now() END
    FROM results s
    WHERE c.conversion_id = s.conversion_id AND c.tenant_id = s.tenant_id
        AND (c.attributed_click_id, c.attribution_method, c.attribution_confidence,
             c.attribution_window_hours, c.fingerprint_match_score,
             c.probabilistic_candidates::text, c.match_probability, c.attribution_model,
             c.attributed_at IS NOT NULL)
            IS DISTINCT FROM
            (s.attributed_click_id, s.attribution_method, s.attribution_confidence,
             s.attribution_window_hours, s.fingerprint_match_score,
             s.probabilistic_candidates::text, s.match_probability, s.attribution_model,
             s.is_attributed)
    RETURNING c.tenant_id, c.conversion_id, s.layer_1_result, s.layer_2_result, s.layer_3_result,
              s.attribution_method, s.attribution_confidence, s.is_attributed, s.processing_time_ms
)
INSERT INTO attribution_performance_log
    (id, tenant_id, conversion_id, attempt_number, layer_1_result, layer_2_result,
     layer_3_result, final_method, final_confidence, success, processing_time_ms)
SELECT gen_random_uuid(), u.tenant_id, u.conversion_id,
       coalesce((SELECT max(l.attempt_number) FROM attribution_performance_log l
                 WHERE l.conversion_id = u.conversion_id AND l.tenant_id = u.tenant_id), 0) + 1,
       u.layer_1_result, u.layer_2_result, u.layer_3_result,
       u.attribution_method, u.attribution_confidence, u.is_attributed, u.processing_time_ms
FROM updated u;
