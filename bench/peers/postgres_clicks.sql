-- The table as the platform has it (docs/schema.md, "As found"). Indexes: postgres_indexes.sql.
CREATE TABLE click_tracking (
    id UUID NOT NULL DEFAULT gen_random_uuid(),
    click_id VARCHAR(255) NOT NULL,
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

-- An empty is_valid in the file means true; COPY of version 15 would make it null, and the partial
-- indexes would not hold the click. The platform's own trigger fills expires_at, which this rule
-- does not read: it is left out.
CREATE FUNCTION fill_is_valid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.is_valid := true;
    RETURN NEW;
END;
$$;
CREATE TRIGGER fill_is_valid BEFORE INSERT ON click_tracking
    FOR EACH ROW WHEN (NEW.is_valid IS NULL) EXECUTE FUNCTION fill_is_valid();
