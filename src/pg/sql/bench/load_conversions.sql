-- Its conversions, which need to be brought into the shape of those as found: see settle.sql.
CREATE TEMPORARY TABLE loaded (
    tenant_id TEXT,
    conversion_id TEXT,
    conversion_timestamp TIMESTAMPTZ,
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
    conversion_type TEXT,
    conversion_value NUMERIC
);
COPY loaded FROM STDIN (FORMAT csv, HEADER match, FORCE_NOT_NULL (conversion_type));
