-- Where a batch lands before it is written: one transaction's rows. Text is not yet held to the
-- tables' lengths. `id` is the new row's key, if it becomes one; `ord` is the row's place in its
-- batch.
CREATE TEMPORARY TABLE sink_clicks (
    ord INTEGER NOT NULL,
    tenant_id TEXT NOT NULL,
    click_id TEXT NOT NULL,
    click_timestamp TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    is_valid BOOLEAN,
    fbclid TEXT,
    gclid TEXT,
    campaign_id TEXT,
    adset_id TEXT,
    ad_id TEXT,
    creative_id TEXT,
    fingerprint_hash TEXT,
    ip_address INET,
    user_agent TEXT,
    device_type TEXT,
    os TEXT,
    browser TEXT,
    screen_width INTEGER,
    screen_height INTEGER,
    timezone TEXT,
    timezone_offset INTEGER
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE sink_conversions (
    id UUID NOT NULL DEFAULT gen_random_uuid(),
    ord INTEGER NOT NULL,
    tenant_id TEXT NOT NULL,
    conversion_id TEXT NOT NULL,
    conversion_timestamp TIMESTAMPTZ NOT NULL,
    conversion_type TEXT,
    conversion_value NUMERIC,
    click_id TEXT,
    fbclid TEXT,
    gclid TEXT,
    conversion_fingerprint_hash TEXT,
    ip_address INET,
    user_agent TEXT,
    device_type TEXT,
    os TEXT,
    browser TEXT,
    screen_width INTEGER,
    screen_height INTEGER,
    timezone TEXT,
    timezone_offset INTEGER,
    attributed_click TEXT, -- its click_id
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
    layer_3_result TEXT,
    processing_time_ms INTEGER
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE sink_dead (
    tenant_id TEXT,
    event_type TEXT NOT NULL,
    error_type TEXT NOT NULL,
    error_message TEXT NOT NULL,
    stream_position TEXT NOT NULL,
    line BYTEA NOT NULL
) ON COMMIT DELETE ROWS;

-- An event as it was read, as JSONB. What JSONB refuses is kept as base64, and what is no JSON as
-- text. So are numbers that JSONB would write out: 1e100000 takes 100,001 digits wherever it is
-- read.
CREATE FUNCTION pg_temp.sink_payload(line BYTEA) RETURNS JSONB LANGUAGE plpgsql AS $$
DECLARE
    said TEXT;
BEGIN
    said := convert_from(line, 'UTF8');
    IF said ~ '(^|[,:[])[[:space:]]*-?[0-9.]+[eE][+-]?[0-9]{2,}[[:space:]]*([],}]|$)' THEN
        RETURN jsonb_build_object('line', said);
    END IF;
    RETURN said::jsonb;
EXCEPTION
    WHEN character_not_in_repertoire OR untranslatable_character THEN
        RETURN jsonb_build_object('line_base64', translate(encode(line, 'base64'), E'\n', ''));
    WHEN OTHERS THEN
        RETURN jsonb_build_object('line', said);
END
$$;

-- What was answered is on disk: a stream that goes on from a checkpoint does not come back to it.
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') = 'off';
