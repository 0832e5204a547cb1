-- The tables' own indexes, "As found", the ones that take long first: postgres.py deals them to
-- sessions. Constraints stand as the indexes behind them.
CREATE UNIQUE INDEX click_tracking_click_id_key ON click_tracking (click_id);
CREATE INDEX idx_click_tracking_click_id ON click_tracking (click_id);
CREATE INDEX idx_click_tracking_fingerprint_match
    ON click_tracking (fingerprint_hash, click_timestamp DESC)
    WHERE fingerprint_hash IS NOT NULL AND is_valid = true;
CREATE INDEX idx_click_tracking_fingerprint ON click_tracking (fingerprint_hash)
    WHERE fingerprint_hash IS NOT NULL;
CREATE INDEX idx_click_tracking_probabilistic
    ON click_tracking (ip_address, device_type, click_timestamp DESC)
    WHERE is_valid = true;
CREATE UNIQUE INDEX click_tracking_pkey ON click_tracking (id);
CREATE INDEX idx_click_tracking_tenant_id ON click_tracking (tenant_id);
CREATE INDEX idx_click_tracking_ad_id ON click_tracking (ad_id);
CREATE INDEX idx_click_tracking_fbclid ON click_tracking (fbclid)
    WHERE fbclid IS NOT NULL;
CREATE INDEX idx_click_tracking_timestamp ON click_tracking (click_timestamp DESC);
CREATE INDEX idx_click_tracking_expires_at ON click_tracking (expires_at)
    WHERE is_valid = true;
CREATE UNIQUE INDEX conversion_tracking_conversion_id_key ON conversion_tracking (conversion_id);
CREATE INDEX idx_conversion_tracking_conversion_id ON conversion_tracking (conversion_id);
CREATE UNIQUE INDEX conversion_tracking_pkey ON conversion_tracking (id);
CREATE INDEX idx_conversion_tracking_tenant_id ON conversion_tracking (tenant_id);
CREATE INDEX idx_conversion_tracking_timestamp ON conversion_tracking (conversion_timestamp DESC);
CREATE INDEX idx_conversion_tracking_method ON conversion_tracking (attribution_method);
CREATE INDEX idx_conversion_tracking_click_id ON conversion_tracking (attributed_click_id);
CREATE INDEX idx_conversion_tracking_external_id ON conversion_tracking (external_id)
    WHERE external_id IS NOT NULL;
CREATE INDEX idx_conversion_tracking_crm_deal ON conversion_tracking (crm_deal_id)
    WHERE crm_deal_id IS NOT NULL;
