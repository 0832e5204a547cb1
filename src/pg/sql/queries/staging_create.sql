-- The new results of the conversions whose result changes. It is gone with the run, or with the
-- next one, so that it needs no log.
CREATE UNLOGGED TABLE :"staging" (
    id UUID NOT NULL,
    attributed_click_id UUID,
    attribution_method TEXT,
    attribution_confidence NUMERIC(5,4),
    attribution_window_hours INTEGER,
    fingerprint_match_score NUMERIC(5,4),
    probabilistic_candidates JSONB,
    match_probability NUMERIC(7,6),
    attribution_model TEXT,
    is_attributed BOOLEAN,
    layer_1_result TEXT,
    layer_2_result TEXT,
    layer_3_result TEXT
) WITH (autovacuum_enabled = off);
