-- The changed results into their conversions. One deleted meanwhile is left out.
UPDATE conversion_tracking c
SET attributed_click_id = s.attributed_click_id,
    attribution_method = s.attribution_method,
    attribution_confidence = s.attribution_confidence,
    attribution_window_hours = s.attribution_window_hours,
    fingerprint_match_score = s.fingerprint_match_score,
    probabilistic_candidates = s.probabilistic_candidates,
    match_probability = s.match_probability,
    attribution_model = s.attribution_model,
    attributed_at = CASE WHEN s.is_attributed THEN :'run_time'::timestamptz END
FROM :"staging" s
WHERE c.id = s.id;
