-- What a run of `batch` has written, as the floor is to write it. Before a run: an empty table, for
-- the floor to fill.
CREATE UNLOGGED TABLE results WITH (autovacuum_enabled = off) AS
SELECT c.id, c.attributed_click_id, c.attribution_method, c.attribution_confidence,
       c.attribution_window_hours, c.fingerprint_match_score, c.probabilistic_candidates,
       c.match_probability, c.attribution_model, c.attributed_at, c.tenant_id, c.conversion_id,
       l.layer_1_result, l.layer_2_result, l.layer_3_result, l.success, l.processing_time_ms
FROM conversion_tracking c
JOIN attribution_performance_log l USING (tenant_id, conversion_id)
ORDER BY c.ctid;
