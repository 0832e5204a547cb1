UPDATE conversion_tracking c
SET attributed_click_id = r.attributed_click_id,
    attribution_method = r.attribution_method,
    attribution_confidence = r.attribution_confidence,
    attribution_window_hours = r.attribution_window_hours,
    fingerprint_match_score = r.fingerprint_match_score,
    probabilistic_candidates = r.probabilistic_candidates,
    match_probability = r.match_probability,
    attribution_model = r.attribution_model,
    attributed_at = r.attributed_at
FROM results r
WHERE c.id = r.id;
