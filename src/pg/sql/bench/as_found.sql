-- The platform's database before clickmatch, without rows: docs/schema.md, "As found". The tests
-- fill it (tests/integration/fixtures/as_found.sql), and so does `bench`.
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";

CREATE TABLE click_tracking (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    click_id VARCHAR(255) UNIQUE NOT NULL,
    fbclid VARCHAR(255),
    gclid VARCHAR(255),
    tenant_id VARCHAR(255) NOT NULL,
    campaign_id VARCHAR(255) NOT NULL,
    adset_id VARCHAR(255),
    ad_id VARCHAR(255) NOT NULL,
    creative_id VARCHAR(255),
    fingerprint_hash VARCHAR(64),
    fingerprint_components JSONB,
    ip_address INET,
    ip_country VARCHAR(2),
    ip_city VARCHAR(100),
    user_agent TEXT,
    device_type VARCHAR(50),
    os VARCHAR(50),
    os_version VARCHAR(50),
    browser VARCHAR(50),
    browser_version VARCHAR(50),
    screen_width INTEGER,
    screen_height INTEGER,
    viewport_width INTEGER,
    viewport_height INTEGER,
    timezone VARCHAR(100),
    timezone_offset INTEGER,
    landing_page_url TEXT,
    referrer_url TEXT,
    utm_source VARCHAR(255),
    utm_medium VARCHAR(255),
    utm_campaign VARCHAR(255),
    utm_content VARCHAR(255),
    utm_term VARCHAR(255),
    click_timestamp TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    expires_at TIMESTAMP WITH TIME ZONE,
    is_valid BOOLEAN DEFAULT true,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()
);

CREATE TABLE conversion_tracking (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    conversion_id VARCHAR(255) UNIQUE NOT NULL,
    external_id VARCHAR(255),
    tenant_id VARCHAR(255) NOT NULL,
    conversion_type VARCHAR(100) NOT NULL,
    conversion_value NUMERIC(10,2),
    is_synthetic BOOLEAN DEFAULT false,
    crm_deal_id VARCHAR(255),
    crm_contact_id VARCHAR(255),
    crm_stage VARCHAR(100),
    attributed_click_id UUID REFERENCES click_tracking(id),
    attribution_method VARCHAR(50),
    attribution_confidence NUMERIC(5,4),
    attribution_window_hours INTEGER,
    conversion_fingerprint_hash VARCHAR(64),
    fingerprint_match_score NUMERIC(5,4),
    probabilistic_candidates JSONB,
    ip_address INET,
    user_agent TEXT,
    device_type VARCHAR(50),
    conversion_timestamp TIMESTAMP WITH TIME ZONE NOT NULL,
    attributed_at TIMESTAMP WITH TIME ZONE,
    raw_data JSONB,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()
);

CREATE TABLE attribution_performance_log (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    tenant_id VARCHAR(255) NOT NULL,
    conversion_id VARCHAR(255) NOT NULL,
    attempt_number INTEGER NOT NULL DEFAULT 1,
    layer_1_result VARCHAR(50),
    layer_2_result VARCHAR(50),
    layer_3_result VARCHAR(50),
    final_method VARCHAR(50),
    final_confidence NUMERIC(5,4),
    success BOOLEAN NOT NULL,
    processing_time_ms INTEGER,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()
);

-- The platform's own, which must come through untouched.
CREATE TABLE ad_change_history (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    ad_id VARCHAR(255) NOT NULL,
    change TEXT,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()
);

CREATE FUNCTION update_ad_change_history_updated_at() RETURNS trigger AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER trigger_ad_change_history_updated_at BEFORE UPDATE ON ad_change_history
    FOR EACH ROW EXECUTE FUNCTION update_ad_change_history_updated_at();
CREATE TRIGGER trigger_conversion_tracking_updated_at BEFORE UPDATE ON conversion_tracking
    FOR EACH ROW EXECUTE FUNCTION update_ad_change_history_updated_at();

CREATE FUNCTION set_click_expires_at() RETURNS trigger AS $$
BEGIN
    IF NEW.expires_at IS NULL THEN
        NEW.expires_at := NEW.click_timestamp + INTERVAL '7 days';
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER trigger_set_click_expires_at BEFORE INSERT ON click_tracking
    FOR EACH ROW EXECUTE FUNCTION set_click_expires_at();

CREATE INDEX idx_click_tracking_click_id ON click_tracking(click_id);
CREATE INDEX idx_click_tracking_tenant_id ON click_tracking(tenant_id);
CREATE INDEX idx_click_tracking_ad_id ON click_tracking(ad_id);
CREATE INDEX idx_click_tracking_timestamp ON click_tracking(click_timestamp DESC);
CREATE INDEX idx_click_tracking_fbclid ON click_tracking(fbclid) WHERE fbclid IS NOT NULL;
CREATE INDEX idx_click_tracking_fingerprint ON click_tracking(fingerprint_hash)
    WHERE fingerprint_hash IS NOT NULL;
CREATE INDEX idx_click_tracking_expires_at ON click_tracking(expires_at) WHERE is_valid = true;
CREATE INDEX idx_click_tracking_fingerprint_match
    ON click_tracking(fingerprint_hash, click_timestamp DESC)
    WHERE fingerprint_hash IS NOT NULL AND is_valid = true;
CREATE INDEX idx_click_tracking_probabilistic
    ON click_tracking(ip_address, device_type, click_timestamp DESC) WHERE is_valid = true;
CREATE INDEX idx_conversion_tracking_conversion_id ON conversion_tracking(conversion_id);
CREATE INDEX idx_conversion_tracking_external_id ON conversion_tracking(external_id)
    WHERE external_id IS NOT NULL;
CREATE INDEX idx_conversion_tracking_tenant_id ON conversion_tracking(tenant_id);
CREATE INDEX idx_conversion_tracking_click_id ON conversion_tracking(attributed_click_id);
CREATE INDEX idx_conversion_tracking_timestamp ON conversion_tracking(conversion_timestamp DESC);
CREATE INDEX idx_conversion_tracking_crm_deal ON conversion_tracking(crm_deal_id)
    WHERE crm_deal_id IS NOT NULL;
CREATE INDEX idx_conversion_tracking_method ON conversion_tracking(attribution_method);
CREATE INDEX idx_attribution_perf_tenant_id ON attribution_performance_log(tenant_id);
CREATE INDEX idx_attribution_perf_success ON attribution_performance_log(success);
CREATE INDEX idx_attribution_perf_created_at ON attribution_performance_log(created_at DESC);

CREATE VIEW v_attribution_recovery_rate AS
SELECT DATE(created_at) AS date, tenant_id, COUNT(*) AS total_conversions,
       COUNT(*) FILTER (WHERE success) AS attributed_conversions,
       ROUND(COUNT(*) FILTER (WHERE success)::numeric / NULLIF(COUNT(*), 0) * 100, 2)
           AS recovery_rate_pct,
       COUNT(*) FILTER (WHERE final_method = 'url_param') AS layer_1_count,
       COUNT(*) FILTER (WHERE final_method = 'fingerprint') AS layer_2_count,
       COUNT(*) FILTER (WHERE final_method = 'probabilistic') AS layer_3_count,
       AVG(final_confidence) AS avg_confidence, AVG(processing_time_ms) AS avg_processing_ms
FROM attribution_performance_log
GROUP BY DATE(created_at), tenant_id;
CREATE VIEW v_active_clicks AS
SELECT *, EXTRACT(EPOCH FROM (expires_at - NOW())) / 3600 AS hours_until_expiration
FROM click_tracking
WHERE is_valid = true AND expires_at > NOW();
CREATE VIEW v_conversion_attribution_summary AS
SELECT tenant_id, conversion_type, attribution_method, COUNT(*) AS conversion_count,
       SUM(conversion_value) AS total_value, AVG(attribution_confidence) AS avg_confidence,
       AVG(attribution_window_hours) AS avg_window_hours,
       MIN(conversion_timestamp) AS first_conversion, MAX(conversion_timestamp) AS last_conversion
FROM conversion_tracking
WHERE conversion_timestamp > NOW() - INTERVAL '30 days'
GROUP BY tenant_id, conversion_type, attribution_method;
CREATE VIEW v_unattributed_conversions AS
SELECT *
FROM conversion_tracking
WHERE attribution_method IS NULL OR attribution_method = 'unattributed';
